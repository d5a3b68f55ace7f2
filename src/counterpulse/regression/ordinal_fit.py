"""What a proportional-odds model returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import nan
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import INTERCEPT, DesignColumn, DesignSpec
from counterpulse.numerics.distributions import expit
from counterpulse.regression.fit import RegressionFit, no_parameters
from counterpulse.regression.logistic_fit import IntervalKind
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.profile_interval import ProfileInterval
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
MEASURE = "odds ratio"


def threshold_columns(levels: tuple[str, ...]) -> tuple[DesignColumn, ...]:
    """The thresholds between neighboring levels, named as in ``mild|severe``."""
    names = (f"{low}|{high}" for low, high in pairwise(levels))
    return tuple(DesignColumn(name, INTERCEPT, name) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdinalFit(RegressionFit):
    """A fitted proportional-odds model; positive coefficients go with higher levels.

    Attributes
    ----------
    levels : of the outcome, low to high, J of them
    counts : rows in each level (weighted where weights count patients)
    level_codes : the level of each row used as 0, 1, …, J - 1; shape (n,)
    X : columns of the terms that were estimated, centered and scaled, without an intercept; shape (n, k)
    log_likelihood, null_log_likelihood : at the maximum, and of the thresholds alone
    profiles : profile intervals, one a coefficient (thresholds first), where asked for
    """

    levels: tuple[str, ...]
    counts: tuple[float, ...]
    interval: IntervalKind
    log_likelihood: float = nan
    null_log_likelihood: float = nan
    iterations: int = 0
    profiles: tuple[ProfileInterval | None, ...] = ()
    level_codes: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp), repr=False)
    X: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    @property
    def columns(self) -> tuple[DesignColumn, ...]:
        """What each coefficient belongs to: the thresholds, then the columns of the terms."""
        return threshold_columns(self.levels) + self.spec.columns

    def unfitted(self, spec: DesignSpec, status: Status) -> Self:
        """Say of every threshold and every coefficient of `spec` why there is none."""
        columns = threshold_columns(self.levels) + spec.columns
        return replace(self, parameters=no_parameters(columns, status, self.level), spec=spec, status=status)

    def estimates(self) -> tuple[Estimate, ...]:
        """The thresholds (log odds of at most the level before the bar), then odds ratios on the log scale."""
        rows = [
            self.parameters.estimate(position, measure="log odds", scale="identity")
            if column.variable == INTERCEPT
            else self.parameters.estimate(position, measure=MEASURE, scale="log")
            for position, column in enumerate(self.columns)
        ]
        profiles = (*self.profiles, *([None] * (len(rows) - len(self.profiles))))
        rows = [
            row if profile is None else profile.put_into(row, self.level)
            for row, profile in zip(rows, profiles, strict=True)
        ]
        status = self.status if self.status in (Status.NO_ROWS, Status.FEW_VALUES) else Status.CONSTANT
        return (
            *rows,
            *(
                Estimate(term=name, variable=name, measure=MEASURE, scale="log", value=nan, status=status)
                for name in self.single_level
            ),
        )

    def tidy(self) -> pl.DataFrame:
        """Thresholds and odds ratios with intervals and p-values, one row a coefficient."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        parameters = sum(status is Status.OK for status in self.parameters.statuses)
        numbers = {
            "log_likelihood": self.log_likelihood, "null_log_likelihood": self.null_log_likelihood,
            "aic": 2 * parameters - 2 * self.log_likelihood,
        }  # fmt: skip
        return pl.DataFrame(
            {
                "n": self.n,
                "levels": len(self.levels),
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
        """Odds ratio of a linear combination of coefficients, by name."""
        return self.parameters.contrast(weights, measure=MEASURE, scale="log", term=term, variable=variable)

    def predict(self, table: pl.DataFrame) -> Floats:
        """Predict the probability of each level for every row, nan where a covariate is missing; shape (n, J).

        All nan where the fit has an infinite coefficient or did not converge.
        """
        if self.scaled is None or self.status is not Status.OK:
            return np.full((table.height, len(self.levels)), np.nan)
        thresholds = len(self.levels) - 1
        scaled = replace(self.scaled, coefficients=np.append(0.0, self.scaled.coefficients[thresholds:]))
        linear = scaled.linear_predictor(table)
        below = expit(self.scaled.coefficients[None, :thresholds] - linear[:, None])
        edges = np.hstack((np.where(np.isnan(linear), np.nan, 0.0)[:, None], below, np.ones((len(linear), 1))))
        return np.diff(edges, axis=1)
