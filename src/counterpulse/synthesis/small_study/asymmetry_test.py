"""What a regression test for funnel asymmetry gives."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import polars as pl

from counterpulse.numerics.distributions import critical_value, normal_two_sided, t_two_sided
from counterpulse.results import Estimate, Interval, Provenance, Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.small_study.reading import FEWEST, power_notes
from counterpulse.synthesis.small_study.weighted_line import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class AsymmetryTest:
    """A line through the funnel; without small-study effects its slope is zero.

    Attributes
    ----------
    name : of the test
    model : "regression" (residual variance estimated) or "random" (variance between studies added)
    predictor : what the effects are regressed on
    k : studies used
    slope, slope_std_error : change of the effect a unit of the predictor. With the standard error as predictor the slope
        is what Egger called the intercept of the regression of y / se on 1 / se, the "bias".
    statistic, df, p_value : of the hypothesis that the slope is zero; `df` is None for a normal statistic
    intercept, intercept_std_error : where the line meets predictor zero
    limit, limit_interval : the effect of an infinitely large study, which is the intercept where predictor zero stands
        for such a study; otherwise nan and None
    tau2 : variance between studies about the line (model "random"), else nan
    dispersion : residual variance in units of the sampling variances (model "regression"), else nan
    notes : few studies, studies left out
    """

    name: str
    model: str
    predictor: str
    k: int
    slope: float = nan
    slope_std_error: float = nan
    intercept: float = nan
    intercept_std_error: float = nan
    statistic: float = nan
    statistic_name: str = "t"
    df: float | None = None
    p_value: float = nan
    limit: float = nan
    limit_interval: Interval | None = None
    tau2: float = nan
    dispersion: float = nan
    level: float
    status: Status = Status.OK
    notes: tuple[str, ...] = ()
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The slope with its test, then the limit where there is one."""
        slope = Estimate(
            term=self.predictor, measure="slope of the funnel", value=self.slope,
            std_error=None if self.status is not Status.OK else self.slope_std_error,
            interval=self._interval(self.slope, self.slope_std_error), statistic=self.statistic,
            statistic_name=self.statistic_name, df=self.df, p_value=self.p_value, status=self.status, notes=self.notes,
        )  # fmt: skip
        if self.limit_interval is None:
            return (slope,)
        limit = Estimate(
            term="infinitely large study", measure="limit effect", value=self.limit,
            std_error=self.intercept_std_error, interval=self.limit_interval, status=self.status, notes=self.notes,
        )  # fmt: skip
        return (slope, limit)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())

    def _interval(self, value: float, error: float) -> Interval | None:
        return None if self.status is not Status.OK else interval_of(value, error, self.level, self.df)


def interval_of(value: float, error: float, level: float, df: float | None) -> Interval:
    """The interval of a coefficient: t with `df`, else normal."""
    reach = critical_value(level, df) * error
    return Interval(value - reach, value + reach, level, "wald" if df is None else "t")


def line_test(
    line: Line | None,
    *,
    name: str,
    predictor: str,
    k: int,
    level: float,
    provenance: Provenance,
    model: str = "regression",
    normal: bool = False,
    has_limit: bool = False,
    notes: tuple[str, ...] = (),
) -> AsymmetryTest:
    """The test of the slope of a line.

    Parameters
    ----------
    line : None where there is none
    model : "random" where the weights hold a variance between studies; else the residual variance is estimated
    normal : refer the statistic to the normal distribution, not to t with k - 2 degrees of freedom
    has_limit : the intercept is the effect of an infinitely large study
    """
    notes = (*notes, *power_notes(k))
    statistic_name = "z" if normal else "t"
    if line is None:
        notes = notes if k < FEWEST else (*notes, f"all studies have the same {predictor}")
        return AsymmetryTest(
            name=name, model=model, predictor=predictor, k=k, level=level, status=Status.UNDEFINED, notes=notes,
            statistic_name=statistic_name, provenance=provenance,
        )  # fmt: skip
    dispersion = line.dispersion if model == "regression" else 1.0
    df = None if normal else line.df
    low_error, slope_error = line.errors(dispersion)
    if line.exact and model == "regression":
        return AsymmetryTest(
            name=name, model=model, predictor=predictor, k=k, slope=line.slope, intercept=line.intercept, level=level,
            status=Status.ZERO_VARIANCE, notes=notes, statistic_name=statistic_name, provenance=provenance,
        )  # fmt: skip
    statistic = line.slope / slope_error
    return AsymmetryTest(
        name=name, model=model, predictor=predictor, k=k, slope=line.slope, slope_std_error=slope_error,
        intercept=line.intercept, intercept_std_error=low_error, statistic=statistic, statistic_name=statistic_name,
        df=df, p_value=normal_two_sided(statistic) if df is None else t_two_sided(statistic, df),
        limit=line.intercept if has_limit else nan,
        limit_interval=interval_of(line.intercept, low_error, level, df) if has_limit else None,
        tau2=line.tau2 if model == "random" else nan, dispersion=dispersion if model == "regression" else nan,
        level=level, notes=notes, provenance=provenance,
    )  # fmt: skip
