"""The coefficients of a fitted model with their covariance: rows, contrasts and joint tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import (
    chi_squared_tail,
    critical_value,
    f_tail,
    normal_two_sided,
    t_two_sided,
)
from counterpulse.numerics.linear_algebra import solve_symmetric
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.status import Status

LEFT_OUT = (Status.RANK_DEFICIENT, Status.CONSTANT)
"""Of columns that the model does without."""

ROUNDING = 1e-8
"""A standard error that is no more than this part of the estimate, or of 1 on a log scale, is rounding: nothing varies."""

FEW, TOO_FEW = 40, 10
"""Clusters below which a robust variance needs a small-sample correction, and below which it says nothing."""


class Column(Protocol):
    """What a coefficient belongs to; `counterpulse.data.design.DesignColumn` is one."""

    @property
    def name(self) -> str:
        """The name of the coefficient, unique in the model."""

    @property
    def variable(self) -> str:
        """The column of the table."""

    @property
    def term(self) -> str:
        """The level for a categorical variable, else the variable."""

    @property
    def reference(self) -> str | None:
        """The reference level of a categorical variable."""


class SmallSample(Protocol):
    """Degrees of freedom that differ from contrast to contrast."""

    def df(self, contrast: NDArray[np.float64]) -> float:
        """Degrees of freedom of t for a linear combination of the p coefficients, shape (p,)."""

    def joint(self, contrasts: NDArray[np.float64]) -> tuple[float, float]:
        """For q contrasts, shape (q, p): what turns Wald's chi-squared over q into F, and the denominator of F."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldTest:
    """A joint test that coefficients are zero: chi-squared, or F where the model has residual degrees of freedom."""

    names: tuple[str, ...]
    statistic: float
    statistic_name: str
    df: float
    df_denominator: float | None
    p_value: float
    status: Status = Status.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """Coefficients on the scale they were estimated on.

    Attributes
    ----------
    columns : what each coefficient belongs to, p of them
    values : shape (p,); nan where `statuses` is not OK
    covariance : shape (p, p); the one used for intervals and tests, nan in the rows of coefficients that are not OK
    statuses : what became of each coefficient, p of them
    level : of the intervals
    df : degrees of freedom of t and F, or None for z and chi-squared
    small_sample : degrees of freedom by contrast, which stand before `df`
    uncertainty : why no coefficient has a standard error, or OK
    notes : of every estimate that has a standard error
    """

    columns: tuple[Column, ...]
    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    statuses: tuple[Status, ...]
    level: float
    df: float | None = None
    small_sample: SmallSample | None = None
    uncertainty: Status = Status.OK
    notes: tuple[str, ...] = ()

    def index(self, name: str) -> int:
        """Find the position of a coefficient."""
        for position, column in enumerate(self.columns):
            if column.name == name:
                return position
        raise InputError(
            f"the model has no coefficient '{name}'; it has {', '.join(column.name for column in self.columns)}"
        )

    def std_errors(self) -> NDArray[np.float64]:
        """Square roots of the diagonal of the covariance, shape (p,)."""
        errors: NDArray[np.float64] = np.sqrt(np.diag(self.covariance))
        return errors

    def estimate(self, position: int, *, measure: str, scale: Scale) -> Estimate:
        """One coefficient with its Wald interval and test."""
        column = self.columns[position]
        return self._estimate(
            float(self.values[position]), float(self.covariance[position, position]), self.statuses[position],
            self._df([position], np.ones(1)),
            measure=measure, scale=scale, term=column.term, variable=column.variable, reference=column.reference,
        )  # fmt: skip

    def contrast(
        self,
        weights: Mapping[str, float],
        *,
        measure: str,
        scale: Scale,
        term: str = "",
        variable: str | None = None,
        reference: str | None = None,
    ) -> Estimate:
        """Combine coefficients linearly, by name, with its Wald interval and test."""
        positions = [self.index(name) for name in weights]
        used = [(position, factor) for position, factor in zip(positions, weights.values(), strict=True) if factor != 0]
        status = _worst([self.statuses[position] for position, _ in used])
        at = [position for position, _ in used]
        factors = np.array([factor for _, factor in used], dtype=np.float64)
        value = float(factors @ self.values[at])
        variance = float(factors @ self.covariance[np.ix_(at, at)] @ factors)
        return self._estimate(
            value, variance, status, self._df(at, factors),
            measure=measure, scale=scale, term=term or " + ".join(weights), variable=variable, reference=reference,
            certain=not used,
        )  # fmt: skip

    def wald(self, names: Sequence[str]) -> WaldTest:
        """Test jointly that the named coefficients are zero; one left out of the model takes no degree of freedom."""
        named = [self.index(name) for name in names]
        at = [position for position in named if self.statuses[position] not in LEFT_OUT]
        status = _worst([self.statuses[position] for position in at or named])
        statistic = self._quadratic_form(at) if status is Status.OK else nan
        factor, denominator = self._joint(at) if status is Status.OK and at else (1.0, self.df)
        if status is Status.OK and not isfinite(statistic * factor):
            status = Status.UNDEFINED if self.uncertainty is Status.OK else self.uncertainty
        df = float(len(at))
        if denominator is None:
            name, p_value = "chi-squared", chi_squared_tail(statistic, df)
        else:
            name, statistic = "F", factor * statistic / df if df else nan
            p_value = f_tail(statistic, df, denominator)
        return WaldTest(
            names=tuple(names), statistic=statistic, statistic_name=name, df=df, df_denominator=denominator,
            p_value=p_value, status=status,
        )  # fmt: skip

    def _df(self, at: list[int], factors: NDArray[np.float64]) -> float | None:
        """Degrees of freedom of t for a combination, or None for z."""
        if self.small_sample is None or any(self.statuses[position] is not Status.OK for position in at):
            return self.df
        contrast = np.zeros(len(self.values))
        contrast[at] = factors
        return self.small_sample.df(contrast)

    def _joint(self, at: list[int]) -> tuple[float, float | None]:
        if self.small_sample is None:
            return 1.0, self.df
        return self.small_sample.joint(np.eye(len(self.values))[at])

    def _quadratic_form(self, at: list[int]) -> float:
        try:
            return float(self.values[at] @ solve_symmetric(self.covariance[np.ix_(at, at)], self.values[at]))
        except np.linalg.LinAlgError:
            return nan

    def _estimate(
        self, value: float, variance: float, status: Status, df: float | None, *,
        measure: str, scale: Scale, term: str, variable: str | None, reference: str | None, certain: bool = False,
    ) -> Estimate:  # fmt: skip
        if status is not Status.OK:
            return Estimate(
                term=term,
                variable=variable,
                reference=reference,
                measure=measure,
                scale=scale,
                value=nan,
                status=status,
            )
        if not (isfinite(variance) and variance >= 0) or (df is not None and not df > 0):
            few = self.uncertainty is not Status.OK
            return Estimate(
                term=term, variable=variable, reference=reference, measure=measure, scale=scale, value=value,
                status=self.uncertainty if few else Status.UNDEFINED,
                notes=() if few else ("The standard error is undefined.",),
            )  # fmt: skip
        std_error = sqrt(variance)
        if not certain and std_error <= ROUNDING * max(abs(value), float(scale != "identity")):
            return Estimate(
                term=term, variable=variable, reference=reference, measure=measure, scale=scale, value=value,
                status=Status.ZERO_VARIANCE,
            )  # fmt: skip
        statistic = nan if certain else value / std_error
        reach = critical_value(self.level, df) * std_error
        return Estimate(
            term=term, variable=variable, reference=reference, measure=measure, scale=scale, value=value,
            std_error=std_error, interval=Interval(value - reach, value + reach, self.level, "wald"),
            statistic=statistic, statistic_name="z" if df is None else "t", df=df,
            p_value=normal_two_sided(statistic) if df is None else t_two_sided(statistic, df), notes=self.notes,
        )  # fmt: skip


def _worst(statuses: Sequence[Status]) -> Status:
    return next((status for status in statuses if status is not Status.OK), Status.OK)
