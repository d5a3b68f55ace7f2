"""Rücker's limit meta-analysis: the effect that studies of infinite size would show."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results import Estimate, Provenance, Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.synthesis.engine.between_variance import between_variance, estimator_named
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, choice
from counterpulse.synthesis.pooling.study_input import read_studies
from counterpulse.synthesis.small_study.reading import FEWEST, power_notes
from counterpulse.synthesis.small_study.weighted_line import Line, weighted_line

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitMetaAnalysis:
    """A random-effects model in which the effect may depend on the standard error, carried to standard error zero.

    Attributes
    ----------
    adjusted : ``beta + tau * alpha``, the mean effect of studies without sampling error
    unadjusted : the random-effects mean
    bias : alpha, the expected shift of the standardized effect of a very small study
    tau2 : variance between studies of the unadjusted model
    limit_effects : each study's effect had it no sampling error, shrunken toward the line, shape (k,)
    q, q_small_study, q_residual : Cochran's Q = the part (1 degree of freedom) that goes with the standard error + the
        rest (k - 2); with their P values
    g2 : share of the variance of the limit effects, on the radial plot, that the line leaves unexplained
    """

    k: int
    adjusted: Estimate
    unadjusted: Estimate
    bias: Estimate
    tau2: float = nan
    limit_effects: Floats
    q: float = nan
    q_p_value: float = nan
    q_small_study: float = nan
    q_small_study_p_value: float = nan
    q_residual: float = nan
    q_residual_p_value: float = nan
    g2: float = nan
    level: float
    status: Status = Status.OK
    notes: tuple[str, ...] = ()
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The adjusted effect, the bias and the unadjusted effect."""
        return (self.adjusted, self.bias, self.unadjusted)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())


def limit_meta_analysis(yi: ArrayLike, vi: ArrayLike, *, tau2: str = "REML", level: float = LEVEL) -> LimitMetaAnalysis:
    """Fit ``y = beta + sqrt(v + tau2) (alpha + e)``, e standard normal, and let the sampling variances go to zero.

    The variance between studies is that of the random-effects model and taken as known; the interval is a normal one.

    Parameters
    ----------
    yi, vi : effects (ratios as logarithms) and sampling variances, shape (k,)
    tau2 : estimator of the variance between studies
    level : of the intervals

    Returns
    -------
    LimitMetaAnalysis
        `UNDEFINED` with fewer than 3 studies or where all have the same variance.

    Raises
    ------
    InputError : unequal lengths, variances that are not positive, a word that is not offered

    References
    ----------
    Rücker, Schwarzer, Carpenter, Binder and Schumacher 2011, doi:10.1093/biostatistics/kxq046: the expectation
    ``beta_0``, and G2.
    """
    check_level(level)
    estimator = estimator_named(tau2)
    y, v = read_studies(yi, vi)
    provenance = Provenance("limit meta-analysis", (choice("tau2", estimator, "REML"),), ("rucker-2011", "sterne-2011"))
    between = float(np.nan_to_num(between_variance(y, v, estimator=estimator).tau2[0]))
    pooled = weighted_fit(y, v, tau2=between)
    unadjusted = wald_estimate(
        "pooled effect", float(pooled.coefficients[0, 0]), sqrt(float(pooled.covariance[0, 0, 0])), level,
        term="as given", null=0.0,
    )  # fmt: skip
    spread = np.sqrt(v + between)
    line, egger_line = weighted_line(y, spread**2, spread), weighted_line(y, v, np.sqrt(v))
    notes = power_notes(len(y))
    if line is None or egger_line is None:
        notes = notes if len(y) < FEWEST else (*notes, "all studies have the same variance")
        missing = no_estimate("pooled effect", Status.UNDEFINED, term="infinitely large studies", notes=notes)
        return LimitMetaAnalysis(
            k=len(y), adjusted=missing, unadjusted=unadjusted, status=Status.UNDEFINED, notes=notes, level=level,
            bias=no_estimate("bias", Status.UNDEFINED, term="alpha", notes=notes), tau2=between,
            limit_effects=np.full(len(y), nan), provenance=provenance,
        )  # fmt: skip
    tau = sqrt(between)
    toward = np.array([1.0, tau])
    limits = line.intercept + tau * (y - line.intercept) / spread
    q, left = float(weighted_fit(y, v).q[0]), egger_line.q
    return LimitMetaAnalysis(
        k=len(y), unadjusted=unadjusted, tau2=between, limit_effects=limits, level=level, notes=notes,
        adjusted=wald_estimate(
            "pooled effect", line.intercept + tau * line.slope, sqrt(float(toward @ line.covariance @ toward)), level,
            term="infinitely large studies", null=0.0, notes=notes,
        ),
        bias=wald_estimate("bias", line.slope, line.errors()[1], level, term="alpha", null=0.0, notes=notes),
        q=q, q_p_value=chi_squared_tail(q, len(y) - 1), q_small_study=q - left,
        q_small_study_p_value=chi_squared_tail(max(0.0, q - left), 1), q_residual=left,
        q_residual_p_value=chi_squared_tail(left, len(y) - 2), g2=_unexplained(limits, v), provenance=provenance,
    )  # fmt: skip


def _unexplained(limits: Floats, v: Floats) -> float:
    """One less R2 of the radial plot of the limit effects: ``limit / se`` on ``1 / se``."""
    precision = 1 / np.sqrt(v)
    radial = limits * precision
    line: Line | None = weighted_line(radial, np.ones_like(v), precision)
    total = float(((radial - radial.mean()) ** 2).sum())
    return line.q / total if line is not None and total > 0 else nan
