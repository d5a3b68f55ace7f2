"""What a regression of counts returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import complete_rows
from counterpulse.regression.fit import RegressionFit
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFit(RegressionFit):
    """A fitted Poisson or negative binomial model; the coefficients are logarithms of ratios.

    Attributes
    ----------
    measure : "rate ratio", or "risk ratio" where the outcome is yes/no
    events : the sum of the counts
    exposure, offset : the column of the person-time, or of its logarithm
    log_likelihood : at the maximum; of separated rows it is 0
    parameters_counted : coefficients, and theta where there is one
    dispersion : Pearson's statistic over its degrees of freedom; 1 where the variance is that of the model
    theta, theta_std_error : variance ``mean + mean**2 / theta`` of a negative binomial model, else nan
    """

    measure: str
    events: float
    exposure: str | None
    offset: str | None
    log_likelihood: float = nan
    parameters_counted: int = 0
    dispersion: float = nan
    theta: float = nan
    theta_std_error: float = nan
    iterations: int = 0

    def estimates(self) -> tuple[Estimate, ...]:
        """Ratios on the log scale, the intercept (a log rate or risk) first."""
        return self.estimates_of(self.measure, "log", "log risk" if self.measure == "risk ratio" else "log rate")

    def tidy(self) -> pl.DataFrame:
        """Ratios with intervals and p-values, one row a coefficient."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        aic = 2 * self.parameters_counted - 2 * self.log_likelihood
        numbers = {
            "log_likelihood": self.log_likelihood, "aic": aic, "dispersion": self.dispersion, "theta": self.theta,
            "theta_std_error": self.theta_std_error,
        }  # fmt: skip
        return pl.DataFrame(
            {
                "n": self.n,
                "events": self.events,
                "n_missing": self.n_missing,
                "clusters": self.clusters,
                **{name: finite_or_none(value) for name, value in numbers.items()},
                "iterations": self.iterations,
                "robust": self.robust,
                "status": self.status.code,
            },
            schema_overrides={"clusters": pl.Int64, **dict.fromkeys(numbers, pl.Float64)},
        )

    def contrast(self, weights: Mapping[str, float], *, term: str = "", variable: str | None = None) -> Estimate:
        """Ratio of a linear combination of coefficients, by name."""
        return self.parameters.contrast(weights, measure=self.measure, scale="log", term=term, variable=variable)

    def predict(self, table: pl.DataFrame) -> Floats:
        """Predict the mean count of every row in its exposure, nan where a value is missing; shape (n,).

        All nan where the fit has an infinite coefficient or did not converge.
        """
        if self.scaled is None or self.status is not Status.OK:
            return np.full(table.height, np.nan)
        linear = self.scaled.linear_predictor(table)
        known = np.flatnonzero(np.isfinite(linear))
        linear[known] += log_exposure(table, known, self.exposure, self.offset)
        return np.exp(linear)


def log_exposure(
    table: pl.DataFrame, rows: NDArray[np.intp], exposure: str | None, offset: str | None
) -> NDArray[np.float64]:
    """The offset of some rows, nan where it is missing; shape (m,)."""
    total = np.zeros(len(rows))
    for name in (exposure, offset):
        if name is not None:
            values = table[name].gather(rows).cast(pl.Float64).fill_null(nan).to_numpy()
            total = total + (np.log(values) if name == exposure else values)
    known: NDArray[np.bool_] = complete_rows(table[rows], [name for name in (exposure, offset) if name is not None])
    total[~known] = nan
    return total
