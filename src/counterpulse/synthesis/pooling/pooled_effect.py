"""What pooling one review gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.results.estimate import Estimate, Interval, Scale, finite_or_none
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate
from counterpulse.synthesis.engine.likelihood import Mode
from counterpulse.synthesis.pooling.intervals import critical_values

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StudyEffects:
    """The studies' own effects as the model sees them, shape (k,) each: drawn towards the pooled effect."""

    effect: Floats
    std_error: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEffect:
    """One effect of k studies, on the scale of `yi`.

    Attributes
    ----------
    effect, std_error : the pooled effect, with the standard error of the chosen interval
    interval : confidence interval of the effect; None where it is not defined
    statistic, df, p_value : test of effect 0; df is infinite for a normal test
    tau2, tau2_std_error : variance between studies; 0 in the common effect model, nan with one study
    tau2_interval : Q-profile interval of tau2; None where it is not defined or not asked for
    tau2_status : why tau2 has no value, or OK
    q, q_df, q_p_value : Cochran's Q and its chi-squared test
    i2 : part of the variance that lies between studies, a fraction 0..1
    i2_interval : from the ends of tau2_interval, or test-based where I2 is from Q; None where not defined
    h2 : total variance over the typical sampling variance
    weights : share of each study, shape (k,), of sum 1
    prediction_interval : where the effect of a new study is expected; None where not defined or not asked for
    k : studies
    modes : local modes of the (restricted) profile likelihood, the highest first; empty for other estimators
    log_likelihood, aic, aicc, bic : of the fit, restricted for REML
    yi, vi : what was pooled, shape (k,)
    estimator, interval_name, prediction_name : what was used
    level : of every interval
    notes : what a reader must know
    """

    effect: float
    std_error: float
    interval: Interval | None
    statistic: float
    df: float
    p_value: float
    tau2: float
    tau2_std_error: float
    tau2_interval: Interval | None
    tau2_status: Status
    q: float
    q_df: int
    q_p_value: float
    i2: float
    i2_interval: Interval | None
    h2: float
    weights: Floats
    prediction_interval: Interval | None
    k: int
    modes: tuple[Mode, ...]
    log_likelihood: float
    aic: float
    aicc: float
    bic: float
    yi: Floats
    vi: Floats
    estimator: str
    interval_name: str
    prediction_name: str
    level: float
    measure: str
    scale: Scale
    status: Status
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def tau(self) -> float:
        """Standard deviation between studies."""
        return float(np.sqrt(self.tau2))

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect, then the variance between studies and I2."""
        effect = Estimate(
            term="effect", measure=self.measure, value=self.effect, std_error=finite_or_none(self.std_error),
            interval=self.interval, scale=self.scale, statistic=finite_or_none(self.statistic),
            statistic_name="t" if np.isfinite(self.df) else "z", df=finite_or_none(self.df),
            p_value=finite_or_none(self.p_value), status=self.status, notes=self.notes,
        )  # fmt: skip
        return effect, self._variance(), self._share()

    def _variance(self) -> Estimate:
        if self.tau2_status is not Status.OK:
            return no_estimate("variance between studies", self.tau2_status, term="tau2")
        error = finite_or_none(self.tau2_std_error)
        return Estimate(
            term="tau2",
            measure="variance between studies",
            value=self.tau2,
            std_error=error,
            interval=self.tau2_interval,
        )

    def _share(self) -> Estimate:
        if self.tau2_status is not Status.OK:
            return no_estimate("I2", self.tau2_status, term="i2")
        return Estimate(
            term="i2", measure="I2", value=self.i2, interval=self.i2_interval, statistic=self.q, statistic_name="Q",
            df=float(self.q_df), p_value=finite_or_none(self.q_p_value),
        )  # fmt: skip

    def tidy(self) -> pl.DataFrame:
        """The estimates as a table, one row each."""
        return tidy(self.estimates())

    def blup(self) -> StudyEffects:
        """Best linear unbiased predictions of the studies' own effects.

        Each study is drawn towards the pooled effect by the share ``vi / (vi + tau2)``; the intervals use the degrees
        of freedom of the test of the effect (Raudenbush and Bryk 1985, doi:10.3102/10769986010002075).
        """
        own = self.tau2 / (self.tau2 + self.vi)
        effect = own * self.yi + (1 - own) * self.effect
        error = np.sqrt(own * self.vi + (1 - own) ** 2 * self.std_error**2)
        reach = float(critical_values(self.level, np.array([self.df]))[0]) * error
        return StudyEffects(effect, error, effect - reach, effect + reach)
