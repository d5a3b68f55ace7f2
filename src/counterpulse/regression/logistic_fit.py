"""What a logistic regression returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import expit
from counterpulse.regression.fit import RegressionFit
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.profile_interval import ProfileInterval
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
IntervalKind = Literal["wald", "profile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit(RegressionFit):
    """A fitted logistic model; the coefficients are log odds ratios.

    Attributes
    ----------
    events : among the rows used
    penalty, interval : as asked for
    log_likelihood : at the maximum; penalized where the penalty is Firth's
    null_log_likelihood : of the intercept alone, with the same penalty
    profiles : profile intervals, p of them, where asked for
    """

    events: int
    penalty: Literal["firth"] | None
    interval: IntervalKind
    log_likelihood: float = nan
    null_log_likelihood: float = nan
    iterations: int = 0
    profiles: tuple[ProfileInterval | None, ...] = ()

    def estimates(self) -> tuple[Estimate, ...]:
        """Odds ratios on the log scale, the intercept (a log odds) first."""
        rows = self.estimates_of("odds ratio", "log", "log odds")
        profiles = (*self.profiles, *([None] * (len(rows) - len(self.profiles))))
        return tuple(
            row if profile is None else profile.put_into(row, self.level)
            for row, profile in zip(rows, profiles, strict=True)
        )

    def tidy(self) -> pl.DataFrame:
        """Odds ratios with intervals and p-values, one row a coefficient."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        parameters = len(self.scaled.coefficients) if self.scaled else 0
        return pl.DataFrame(
            {
                "n": self.n,
                "events": self.events,
                "n_missing": self.n_missing,
                "clusters": self.clusters,
                "log_likelihood": finite_or_none(self.log_likelihood),
                "null_log_likelihood": finite_or_none(self.null_log_likelihood),
                "df_model": max(0, parameters - 1),
                "aic": finite_or_none(2 * parameters - 2 * self.log_likelihood),
                "iterations": self.iterations,
                "robust": self.robust,
                "status": self.status.code,
            },
            schema_overrides=GLANCE,
        )

    def contrast(self, weights: Mapping[str, float], *, term: str = "", variable: str | None = None) -> Estimate:
        """Odds ratio of a linear combination of coefficients, by name: ``{"group=B": 1, "group=B:sex=F": 1}``."""
        return self.parameters.contrast(weights, measure="odds ratio", scale="log", term=term, variable=variable)

    def predict(self, table: pl.DataFrame) -> Floats:
        """Predict the probability of the event for every row, nan where a covariate is missing; shape (n,).

        All nan where the fit has an infinite coefficient or did not converge.
        """
        if self.scaled is None or self.status is not Status.OK:
            return np.full(table.height, np.nan)
        return expit(self.scaled.linear_predictor(table))


GLANCE = {
    "clusters": pl.Int64,
    "log_likelihood": pl.Float64,
    "null_log_likelihood": pl.Float64,
    "aic": pl.Float64,
}
