"""Two marginal means or risks compared: difference, ratio, odds ratio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, log, nan, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import critical_value, normal_two_sided, t_two_sided
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]

FIRST, SECOND = np.eye(2)
ROUNDING = 1e-14
"""A variance below this part of the largest that two means could have is the rounding of zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoMeans:
    """Marginal means under two levels of a variable.

    Attributes
    ----------
    means : treated first, shape (2,)
    covariance : of the two, shape (2, 2)
    df : of Student's t, or None for the normal distribution
    uncertainty : why there is no standard error, or OK
    """

    variable: str
    treated: str
    reference: str
    means: Floats
    covariance: Floats
    level: float
    df: float | None = None
    status: Status = Status.OK
    uncertainty: Status = Status.FEW_CLUSTERS

    def estimate(self, measure: str, scale: Scale, weights: Floats) -> Estimate:
        """A combination of the means on a scale; a comparison, which is tested, where a weight is negative.

        On the log scale the logarithms of the means are combined, on the logit scale their logits.
        """
        compared = self.reference if (weights < 0).any() else None
        term = self.treated if weights[0] else self.reference
        held: Scale = "log" if scale == "logit" and compared is not None else scale
        failed, value = self.status, nan
        if failed is Status.OK:
            value, slope = _on_scale(self.means, weights, scale)
            failed = Status.OK if isfinite(value) else Status.UNDEFINED
        if failed is not Status.OK:
            return Estimate(
                term=term, variable=self.variable, reference=compared, measure=measure, scale=held, value=nan, status=failed
            )  # fmt: skip
        variance = float(slope @ self.covariance @ slope)
        lacking = self._lacking(slope, variance, of_risks="mean" not in measure)
        if lacking is not Status.OK:
            return Estimate(
                term=term, variable=self.variable, reference=compared, measure=measure, scale=held, value=value, status=lacking
            )  # fmt: skip
        std_error = sqrt(variance)
        reach = critical_value(self.level, self.df) * std_error
        tested = compared is not None and std_error > 0
        return Estimate(
            term=term, variable=self.variable, reference=compared, measure=measure, scale=held, value=value,
            std_error=std_error, interval=Interval(value - reach, value + reach, self.level, "wald"),
            statistic=value / std_error if tested else None,
            statistic_name=None if not tested else "z" if self.df is None else "t", df=self.df if tested else None,
            p_value=_two_sided(value / std_error, self.df) if tested else None,
        )  # fmt: skip

    def _lacking(self, slope: Floats, variance: float, *, of_risks: bool) -> Status:
        """Why a value has no standard error: the variance is unknown, a mean has none, or the groups move together."""
        if not isfinite(variance):
            return self.uncertainty
        own = np.diag(self.covariance)
        if (own[slope != 0] <= 0).any():
            return Status.NO_GROUP_VARIANCE if of_risks else Status.ZERO_VARIANCE
        largest = float(np.abs(slope) @ np.sqrt(np.maximum(own, 0.0))) ** 2
        return Status.OK if variance > ROUNDING * largest else Status.ZERO_VARIANCE

    def risks(self) -> tuple[Estimate, ...]:
        """Risks (on the logit scale), risk ratio (log) and risk difference."""
        return (
            self.estimate("risk", "logit", FIRST),
            self.estimate("risk", "logit", SECOND),
            self.estimate("risk ratio", "log", FIRST - SECOND),
            self.estimate("risk difference", "identity", FIRST - SECOND),
        )

    def odds_ratio(self) -> Estimate:
        """The ratio of the marginal odds, on the log scale."""
        return self.estimate("marginal odds ratio", "logit", FIRST - SECOND)

    def numbers(self) -> tuple[Estimate, ...]:
        """Means and their difference."""
        return (
            self.estimate("mean", "identity", FIRST),
            self.estimate("mean", "identity", SECOND),
            self.estimate("mean difference", "identity", FIRST - SECOND),
        )


def _two_sided(statistic: float, df: float | None) -> float:
    return normal_two_sided(statistic) if df is None else t_two_sided(statistic, df)


def _on_scale(means: Floats, weights: Floats, scale: Scale) -> tuple[float, Floats]:
    """Give the combined means on a scale and its derivative in the two means, shape (2,); nan where there is none."""
    used = means[weights != 0]
    match scale:
        case "logit":
            if not ((used > 0) & (used < 1)).all():
                return nan, weights
            terms = [weight * log(mean / (1 - mean)) for weight, mean in zip(weights, means, strict=True) if weight]
            slope = np.where(weights != 0, weights / np.where(weights != 0, means * (1 - means), 1.0), 0.0)
            return float(sum(terms)), slope
        case "log":
            if not (used > 0).all():
                return nan, weights
            return float(weights @ np.log(means)), weights / means
        case _:
            return float(weights @ means), weights


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageEffect:
    """What a target population would show if all were treated, and if none were.

    Attributes
    ----------
    two : the two marginal means with their covariance
    estimand : ATE (everybody), ATT (the treated) or ATC (the others)
    binary : whether the outcome is, so that the means are risks
    influence : of the rows used on the two means, shape (n, 2)
    scores : probability of treatment of the rows used, shape (n,)
    rows_used : indices into the table
    n, n_treated, n_missing : rows used, treated among them, left out for a missing value
    fluctuations : what targeting added to the logits of the two outcome models, where it was done
    """

    two: TwoMeans
    estimand: str
    binary: bool
    influence: Floats = field(repr=False)
    scores: Floats = field(repr=False)
    rows_used: NDArray[np.intp] = field(repr=False)
    n: int
    n_treated: int
    n_missing: int
    status: Status
    provenance: Provenance
    fluctuations: Mapping[str, float] = field(default_factory=dict)

    def estimates(self) -> tuple[Estimate, ...]:
        """Risks, risk ratio, risk difference and marginal odds ratio, or means and their difference."""
        return (*self.two.risks(), self.two.odds_ratio()) if self.binary else self.two.numbers()

    def tidy(self) -> pl.DataFrame:
        """Lay out the estimates on the natural scale."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the estimation in one row."""
        known = len(self.scores) > 0 and bool(np.isfinite(self.scores).all())
        return pl.DataFrame(
            {
                "n": [self.n], "n_treated": [self.n_treated], "n_missing": [self.n_missing], "estimand": [self.estimand],
                "score_low": [float(self.scores.min()) if known else None],
                "score_high": [float(self.scores.max()) if known else None], "status": [self.status.code],
            },
            schema_overrides={"score_low": pl.Float64, "score_high": pl.Float64},
        )  # fmt: skip
