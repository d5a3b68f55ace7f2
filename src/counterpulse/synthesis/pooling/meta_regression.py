"""Regression of the effects of studies on what describes the studies, with a variance between studies left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import f_tail
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.engine.between_variance import COMMON, variance_of
from counterpulse.synthesis.engine.heterogeneity import (
    Heterogeneity,
    fit_statistics,
    heterogeneity_of,
    variance_std_error,
)
from counterpulse.synthesis.engine.likelihood import Mode, modes_of
from counterpulse.synthesis.engine.paule_mandel import profile_ends
from counterpulse.synthesis.engine.projection import inverse
from counterpulse.synthesis.engine.studies import Studies, studies_of
from counterpulse.synthesis.engine.weighted_fit import WeightedFit, weighted_fit
from counterpulse.synthesis.pooling.asked import check_level
from counterpulse.synthesis.pooling.conventions import FROM_Q, Q_PROFILE, choose
from counterpulse.synthesis.pooling.design import INTERCEPT, check_independent, read_moderators, with_intercept
from counterpulse.synthesis.pooling.intervals import (
    KENWARD_ROGER,
    WIDER,
    Inference,
    critical_values,
    inference,
)
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModeratorTest:
    """Test that all moderators have coefficient 0: F, or chi-squared where `df_residual` is infinite."""

    statistic: float
    df: int
    df_residual: float
    p_value: float


@dataclass(frozen=True, slots=True)
class PredictedEffects:
    """Predicted mean effects with confidence and prediction intervals, shape (n,) each."""

    effect: Floats
    std_error: Floats
    low: Floats
    high: Floats
    prediction_low: Floats
    prediction_high: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaRegression:
    """Effects of k studies regressed on p columns.

    Attributes
    ----------
    names : of the coefficients, shape (p,); "intercept" first where there is one
    coefficients, std_error, statistic, p_value, low, high : shape (p,)
    covariance : of the coefficients, shape (p, p)
    df : of the t tests; infinite for normal tests
    moderators : test of all coefficients but the intercept
    tau2, tau2_std_error, tau2_interval : variance between studies left over, with its Q-profile interval
    qe, qe_df, qe_p_value : residual heterogeneity
    i2, h2 : of the residual heterogeneity; i2 is a fraction
    r2 : part of the variance between studies that the moderators account for, against the intercept alone, from 0 (and
        0 where there is none to account for); in the common effect model the adjusted part of the weighted sum of squares
    vif : variance inflation factor of each moderator, without the intercept
    tau2_alone : variance between studies without moderators
    modes : local modes of the (restricted) profile likelihood, the highest first; empty for other estimators
    """

    names: tuple[str, ...]
    coefficients: Floats
    std_error: Floats
    statistic: Floats
    p_value: Floats
    low: Floats
    high: Floats
    covariance: Floats
    df: float
    moderators: ModeratorTest
    tau2: float
    tau2_std_error: float
    tau2_interval: Interval | None
    tau2_alone: float
    qe: float
    qe_df: int
    qe_p_value: float
    i2: float
    h2: float
    r2: float
    vif: Floats
    modes: tuple[Mode, ...]
    k: int
    log_likelihood: float
    aic: float
    aicc: float
    bic: float
    estimator: str
    interval_name: str
    level: float
    measure: str
    scale: Scale
    status: Status
    notes: tuple[str, ...]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The coefficients: what one unit of a moderator adds to the effect, the intercept first."""
        normal = np.isinf(self.df)
        return tuple(
            Estimate(
                term=name, variable=name, measure=self.measure, value=float(self.coefficients[j]),
                std_error=float(self.std_error[j]), scale=self.scale,
                interval=Interval(float(self.low[j]), float(self.high[j]), self.level, self.interval_name),
                statistic=float(self.statistic[j]), statistic_name="z" if normal else "t",
                df=None if normal else self.df, p_value=float(self.p_value[j]), notes=self.notes if j == 0 else (),
            )
            for j, name in enumerate(self.names)
        )  # fmt: skip

    def tidy(self) -> pl.DataFrame:
        """The coefficients as a table, one row each."""
        return tidy(self.estimates())

    def predict(self, X: ArrayLike) -> PredictedEffects:
        """Predict the mean effect at new values of the moderators, shape (n,) or (n, m), without the intercept.

        The prediction interval adds tau2 to the squared standard error and keeps the degrees of freedom.
        """
        x, _ = read_moderators(X, None)
        columns = with_intercept(x) if self.names[0] == INTERCEPT else x
        if columns.shape[1] != len(self.names):
            wanted = ", ".join(name for name in self.names if name != INTERCEPT)
            raise InputError(f"X has {x.shape[1]} columns; give one for each of {wanted}")
        effect = columns @ self.coefficients
        error = np.sqrt(np.einsum("np,pq,nq->n", columns, self.covariance, columns))
        reach = float(critical_values(self.level, np.array([self.df]))[0])
        spread = reach * np.sqrt(error**2 + self.tau2)
        return PredictedEffects(
            effect, error, effect - reach * error, effect + reach * error, effect - spread, effect + spread
        )


def meta_regression(
    yi: ArrayLike,
    vi: ArrayLike,
    X: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    tau2: str | None = None,
    interval: str | None = None,
    level: float = 0.95,
    convention: str | None = None,
    measure: str = "coefficient",
    scale: Scale = "identity",
) -> MetaRegression:
    """Regress effects on moderators with weights ``1 / (vi + tau2)``.

    Parameters
    ----------
    yi, vi : effects and their sampling variances, shape (k,)
    X : moderators, shape (k,) or (k, m), without a column of ones; a polars frame or series names them
    names : of the moderators; those of the frame, else "x1", "x2", ... by default
    intercept : put a column of ones first
    tau2, interval, level, convention : as in `pool`; "hartung-knapp" by default; not "hartung-knapp-wider" or
        "kenward-roger"

    Raises
    ------
    InputError : dependent columns (named), not more studies than coefficients, a missing value, or an unknown name

    References
    ----------
    Knapp and Hartung 2003, doi:10.1002/sim.1482; Viechtbauer 2005, doi:10.3102/10769986030003261.
    """
    y, v = read_studies(yi, vi)
    check_level(level)
    x, labels = read_moderators(X, names, len(y))
    columns, labels = (with_intercept(x), (INTERCEPT, *labels)) if intercept else (x, labels)
    check_independent(columns, labels)
    chosen = choose(tau2=tau2, interval=interval, prediction=None, convention=convention, level=level)
    if chosen.interval in (WIDER, KENWARD_ROGER):
        raise InputError(f"the interval {chosen.interval} is for a review without moderators; use hartung-knapp")
    studies = studies_of(y, v, columns)
    modes = modes_of(studies, restricted=chosen.tau2 == "REML") if chosen.tau2 in ("ML", "REML") else ()
    between = np.array([modes[0].tau2]) if modes else variance_of(studies, chosen.tau2).tau2
    bare = studies_of(y, v)
    alone = variance_of(bare, chosen.tau2).tau2
    fit = weighted_fit(y, v, columns, tau2=between)
    found = inference(fit, chosen.interval, level)
    spread = heterogeneity_of(studies, between, chosen.tau2)
    quality = fit_statistics(studies, between, chosen.tau2)
    return MetaRegression(
        names=labels, coefficients=fit.coefficients[0], std_error=found.std_error[0], statistic=found.statistic[0],
        p_value=found.p_value[0], low=found.low[0], high=found.high[0], covariance=found.covariance[0],
        df=float(found.df[0, 0]), moderators=_omnibus(fit, found, int(intercept)), tau2=float(between[0]),
        tau2_std_error=float(variance_std_error(studies, between, chosen.tau2)[0]),
        tau2_interval=_profile(studies, level) if chosen.tau2_interval == Q_PROFILE else None, tau2_alone=float(alone[0]),
        qe=float(spread.q[0]), qe_df=len(y) - len(labels), qe_p_value=float(spread.p_value[0]), i2=float((spread.q_i2 if chosen.i2 == FROM_Q else spread.i2)[0]),
        h2=float(spread.h2[0]), r2=_explained(chosen.tau2, (float(between[0]), float(alone[0])), spread, heterogeneity_of(bare, alone, chosen.tau2)),
        vif=_inflation(found.covariance[0], int(intercept)), modes=modes, k=len(y),
        log_likelihood=float(quality.log_likelihood[0]), aic=float(quality.aic[0]), aicc=float(quality.aicc[0]),
        bic=float(quality.bic[0]), estimator=chosen.tau2, interval_name=chosen.interval, level=level, measure=measure,
        scale=scale, status=Status.OK, notes=_notes(len(y), len(labels) - int(intercept), modes),
        provenance=Provenance(
            "meta-regression, common effect" if chosen.tau2 == COMMON else "meta-regression, mixed effects",
            tuple(choice for choice in chosen.choices if choice.name != "prediction interval"),
            ("knapp-hartung-2003", "viechtbauer-2005"),
        ),
    )  # fmt: skip


def _omnibus(fit: WeightedFit, found: Inference, first: int) -> ModeratorTest:
    """Wald test of the coefficients from `first` on, with F where the coefficients have t tests."""
    slopes, count = fit.coefficients[0, first:], fit.coefficients.shape[1] - first
    squared = float(slopes @ inverse(found.covariance[:, first:, first:])[0] @ slopes)
    df = float(found.df[0, 0])
    statistic = squared if np.isinf(df) else squared / count
    return ModeratorTest(statistic, count, df, f_tail(squared / count, count, df))


def _explained(estimator: str, tau2: tuple[float, float], left: Heterogeneity, alone: Heterogeneity) -> float:
    """What the moderators account for: of tau2 (left over, without moderators), or of Q per degree of freedom."""
    rest, whole = tau2 if estimator != COMMON else (float(left.q_h2[0]), float(alone.q_h2[0]))
    return max(0.0, 1 - rest / whole) if whole > 0 else 0.0


def _profile(studies: Studies, level: float) -> Interval:
    low, high = profile_ends(studies, level)
    return Interval(float(low[0]), float(high[0]), level, Q_PROFILE)


def _inflation(covariance: Floats, first: int) -> Floats:
    """Diagonal of the inverse correlation of the coefficients (Fox and Monette 1992, doi:10.1080/01621459.1992.10475190)."""
    slopes = covariance[first:, first:]
    factors: Floats = np.diagonal(inverse(slopes[None])[0]) * np.diagonal(slopes)
    return factors


def _notes(k: int, moderators: int, modes: tuple[Mode, ...]) -> tuple[str, ...]:
    notes = []
    if k < 10 * moderators:
        notes.append(
            f"{k} studies for {moderators} moderators: fewer than ten a moderator cannot tell much (Cochrane Handbook 10.11.5.1)"
        )
    if len(modes) > 1:
        notes.append(f"the likelihood has {len(modes)} modes; the highest is used")
    return tuple(notes)
