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
    """

    columns: tuple[Column, ...]
    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    statuses: tuple[Status, ...]
    level: float
    df: float | None = None

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
            value, variance, status,
            measure=measure, scale=scale, term=term or " + ".join(weights), variable=variable, reference=reference,
        )  # fmt: skip

    def wald(self, names: Sequence[str]) -> WaldTest:
        """Test jointly that the named coefficients are zero; one left out of the model takes no degree of freedom."""
        named = [self.index(name) for name in names]
        at = [position for position in named if self.statuses[position] not in LEFT_OUT]
        status = _worst([self.statuses[position] for position in at or named])
        statistic = self._quadratic_form(at) if status is Status.OK else nan
        if status is Status.OK and not isfinite(statistic):
            status = Status.UNDEFINED
        df = float(len(at))
        if self.df is None:
            name, p_value = "chi-squared", chi_squared_tail(statistic, df)
        else:
            name, statistic = "F", statistic / df if df else nan
            p_value = f_tail(statistic, df, self.df)
        return WaldTest(
            names=tuple(names), statistic=statistic, statistic_name=name, df=df, df_denominator=self.df,
            p_value=p_value, status=status,
        )  # fmt: skip

    def _quadratic_form(self, at: list[int]) -> float:
        try:
            return float(self.values[at] @ solve_symmetric(self.covariance[np.ix_(at, at)], self.values[at]))
        except np.linalg.LinAlgError:
            return nan

    def _estimate(
        self, value: float, variance: float, status: Status, *,
        measure: str, scale: Scale, term: str, variable: str | None, reference: str | None,
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
        if not (isfinite(variance) and variance >= 0):
            return Estimate(
                term=term, variable=variable, reference=reference, measure=measure, scale=scale, value=value,
                status=Status.UNDEFINED, notes=("The standard error is undefined.",),
            )  # fmt: skip
        std_error = sqrt(variance)
        statistic = value / std_error if std_error > 0 else nan
        reach = critical_value(self.level, self.df) * std_error
        return Estimate(
            term=term, variable=variable, reference=reference, measure=measure, scale=scale, value=value,
            std_error=std_error, interval=Interval(value - reach, value + reach, self.level, "wald"),
            statistic=statistic, statistic_name="z" if self.df is None else "t", df=self.df,
            p_value=normal_two_sided(statistic) if self.df is None else t_two_sided(statistic, self.df),
        )  # fmt: skip


def _worst(statuses: Sequence[Status]) -> Status:
    return next((status for status in statuses if status is not Status.OK), Status.OK)
