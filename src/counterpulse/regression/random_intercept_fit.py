"""What a regression with a random intercept for each cluster returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite, nan, pi, sqrt
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import critical_value, normal_quantile
from counterpulse.regression.fit import RegressionFit
from counterpulse.results.estimate import Estimate, Interval, Scale, finite_or_none
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]

LOGISTIC_VARIANCE = pi**2 / 3
"""Of the latent variable behind a binary outcome (Larsen and Merlo 2005)."""

MEDIAN_DISTANCE = sqrt(2) * normal_quantile(0.75)
"""The median distance of two standard normal numbers: times tau, the logarithm of the median odds ratio."""

CONDITIONAL = "conditional on the cluster: compares patients of the same cluster"


@dataclass(frozen=True, slots=True)
class Between:
    """The variance between clusters.

    Attributes
    ----------
    variance : of the intercepts, tau squared
    within : residual variance, or that of the latent logistic variable
    log_std_error : standard error of the logarithm of the variance, nan where it is zero
    ratio_std_error : standard error of the logarithm of variance over within
    """

    variance: float
    within: float
    log_std_error: float = nan
    ratio_std_error: float = nan


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomInterceptFit(RegressionFit):
    """A fitted model with a random intercept; the coefficients are conditional on the cluster.

    Attributes
    ----------
    cluster_name : the column of the clusters
    between : the variance between clusters, or None where nothing was fitted
    log_likelihood : at the maximum; restricted where the method is REML
    plain_log_likelihood : of the model without the random intercept, on the same footing
    intercepts : predicted deviation of each cluster (conditional mode), in the order of the labels; shape (G,)
    """

    cluster_name: str
    measure: Literal["mean difference", "odds ratio"]
    between: Between | None = None
    log_likelihood: float = nan
    plain_log_likelihood: float = nan
    iterations: int = 0
    intercepts: Floats = field(default_factory=lambda: np.empty(0))

    def estimates(self) -> tuple[Estimate, ...]:
        """Coefficients, the intercept first, then what lies between clusters."""
        logistic = self.measure == "odds ratio"
        fixed = self.estimates_of(self.measure, "log" if logistic else "identity", "log odds" if logistic else "mean")
        return (*fixed, *self.between_estimates())

    def between_estimates(self) -> tuple[Estimate, ...]:
        """Variance of the intercept and intraclass correlation; the median odds ratio of a binary outcome."""
        rows = [self._variance(), self._correlation()]
        return (*rows, self._median_odds_ratio()) if self.measure == "odds ratio" else tuple(rows)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate, on the natural scale."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        columns = {
            "n": self.n, "n_missing": self.n_missing, "clusters": self.clusters,
            "log_likelihood": finite_or_none(self.log_likelihood),
            "plain_log_likelihood": finite_or_none(self.plain_log_likelihood),
            "variance": finite_or_none(self.between.variance if self.between else nan),
            "iterations": self.iterations, "status": self.status.code,
        }  # fmt: skip
        floats = ("log_likelihood", "plain_log_likelihood", "variance")
        return pl.DataFrame(columns, schema_overrides={"clusters": pl.Int64, **dict.fromkeys(floats, pl.Float64)})

    def contrast(self, weights: Mapping[str, float], *, term: str = "", variable: str | None = None) -> Estimate:
        """Linear combination of coefficients, by name."""
        scale: Literal["log", "identity"] = "log" if self.measure == "odds ratio" else "identity"
        return self.parameters.contrast(weights, measure=self.measure, scale=scale, term=term, variable=variable)

    def _status(self) -> Status:
        if self.between is None:
            return self.status
        return Status.OK if self.between.variance > 0 else Status.ZERO_RANDOM_VARIANCE

    def _row(
        self, measure: str, scale: Scale, of: Callable[[float], float], deviation: float, error: float
    ) -> Estimate:
        """A function of a standard deviation, its interval by that deviation plus and minus, not below zero."""
        name, status = self.cluster_name, self._status()
        if status is not Status.OK:
            value = of(0.0) if status is Status.ZERO_RANDOM_VARIANCE else nan
            return Estimate(term=name, variable=name, measure=measure, scale=scale, value=value, status=status)
        reach = critical_value(self.level) * error
        low, high = of(max(0.0, deviation - reach)), of(deviation + reach)
        interval = Interval(low, high, self.level, "standard-deviation") if isfinite(reach) else None
        return Estimate(term=name, variable=name, measure=measure, scale=scale, value=of(deviation), interval=interval)

    def _variance(self) -> Estimate:
        between = self.between or NOTHING
        tau = sqrt(between.variance)
        return self._row("variance between clusters", "identity", lambda s: s * s, tau, tau * between.log_std_error / 2)

    def _correlation(self) -> Estimate:
        between = self.between or NOTHING
        ratio = sqrt(between.variance / between.within)
        error = ratio * between.ratio_std_error / 2
        return self._row("intraclass correlation", "identity", lambda s: s * s / (1 + s * s), ratio, error)

    def _median_odds_ratio(self) -> Estimate:
        between = self.between or NOTHING
        tau = sqrt(between.variance)
        return self._row(
            "median odds ratio", "log", lambda s: MEDIAN_DISTANCE * s, tau, tau * between.log_std_error / 2
        )


NOTHING = Between(nan, nan)
