"""Models that differ from a fitted one by a term: each as good as it can be, found together.

All neighbors of a model start where the quadratic at its maximum says, and are evaluated at once. What a neighbor can
still gain is bounded by a multiple of its Newton decrement; those that cannot be the best are left, and what remains
is fitted exactly. So the answer is that of fitting every neighbor, at a fraction of the price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import independent_columns, inverse_symmetric
from counterpulse.numerics.newton import Evaluation, maximize
from counterpulse.regression.column_likelihood import ColumnLikelihood

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Price = Callable[[float], tuple[float, float]]

GAIN = 10.0
"""A neighbor gains less than so many times half its Newton decrement, which is exact for a quadratic."""

ROUNDS = 3
"""Approximate steps of all neighbors before those left are fitted one by one."""

TOLERANCE = 1e-13
"""Square of the distance to a maximum, in standard errors, at which the last step is taken: 1e-13 of a log-likelihood."""

CONSTANT = 1e-10
"""A column with a smaller part of the largest information than this does not vary."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model at its maximum: the coefficients in it, all coefficients, the log-likelihood."""

    columns: Indices
    at: Floats
    value: float


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A model that differs by a term: `index` of the term, the coefficients then in it, what a log-likelihood is worth.

    The smallest `price` wins.
    """

    index: int
    columns: Indices
    df: int
    price: Price


@dataclass(slots=True)
class Nest:
    """The models that can be made of the columns of one likelihood."""

    likelihood: ColumnLikelihood
    independent: bool
    null_information: Floats

    @classmethod
    def of(cls, likelihood: ColumnLikelihood) -> Nest:
        """Look at the columns where no term is in the model."""
        start = likelihood.start()
        information = likelihood.information(start, np.arange(len(start)))
        varying = np.diag(information) > CONSTANT * np.diag(information).max(initial=0.0)
        information = np.where(np.outer(varying, varying), information, 0.0)
        return cls(likelihood, bool(independent_columns(information).all()), information)

    def free(self, columns: Indices) -> Indices:
        """Those columns that are no combination of columns before them."""
        if self.independent:
            return columns
        return columns[independent_columns(self.null_information[np.ix_(columns, columns)])]

    def fit(self, columns: Indices, start: Floats | None = None) -> Fitted:
        """Maximize over some coefficients, the others zero; where the maximum is infinite, as far as it rises."""
        columns = self.free(columns)
        at = self.likelihood.start() if start is None else start
        full = np.zeros_like(at)
        if not len(columns):
            return Fitted(columns, full, float(self.likelihood.evaluate(full[:, None])[0][0]))

        def evaluate(part: Floats) -> Evaluation:
            full[columns] = part
            value, gradient = self.likelihood.evaluate(full[:, None])
            return Evaluation(float(value[0]), gradient[columns, 0], self.likelihood.information(full, columns))

        found = maximize(evaluate, at[columns], tolerance=TOLERANCE)
        full[columns] = found.at
        return Fitted(columns, full, found.value)

    def best(self, here: Fitted, neighbors: Sequence[Neighbor]) -> tuple[Neighbor, Fitted] | None:
        """The neighbor of the lowest price, fitted exactly; of equal ones the first."""
        if not neighbors:
            return None
        climbers = _Climbers.beside(self.likelihood, here, neighbors)
        for _ in range(ROUNDS):
            climbers = climbers.contending()
            if len(climbers.neighbors) == 1:
                break
            climbers = climbers.stepped()
        found: tuple[Neighbor, Fitted] | None = None
        for neighbor, start in zip(climbers.neighbors, climbers.at.T, strict=True):
            fitted = self.fit(neighbor.columns, start.copy())
            if found is None or neighbor.price(fitted.value) < found[0].price(found[1].value):
                found = neighbor, fitted
        return found


@dataclass(frozen=True, slots=True)
class _Climbers:
    """Neighbors on their way up; `at` has one column a neighbor, `inverses` the covariance of its coefficients."""

    likelihood: ColumnLikelihood
    neighbors: Sequence[Neighbor]
    inverses: Sequence[Floats]
    at: Floats
    value: Floats
    gradient: Floats

    @classmethod
    def beside(cls, likelihood: ColumnLikelihood, here: Fitted, neighbors: Sequence[Neighbor]) -> _Climbers:
        """Start every neighbor at the maximum of the quadratic at `here`."""
        wanted = np.unique(np.concatenate([here.columns, *(neighbor.columns for neighbor in neighbors)]))
        information = likelihood.information(here.at, wanted)
        _, gradient = likelihood.evaluate(here.at[:, None])
        slope = gradient[wanted, 0] + information @ here.at[wanted]
        kept: list[Neighbor] = []
        inverses: list[Floats] = []
        at = np.zeros((len(here.at), len(neighbors)))
        for neighbor in neighbors:
            place = np.searchsorted(wanted, neighbor.columns)
            try:
                inverse = inverse_symmetric(information[np.ix_(place, place)])
            except np.linalg.LinAlgError:
                inverse = np.zeros((len(place), len(place)))
            at[neighbor.columns, len(kept)] = inverse @ slope[place] if inverse.any() else here.at[neighbor.columns]
            kept.append(neighbor)
            inverses.append(inverse)
        value, gradient = likelihood.evaluate(at)
        return cls(likelihood, kept, inverses, at, value, gradient)

    def contending(self) -> _Climbers:
        """Those that can still be the best."""
        finite = np.isfinite(self.value)
        lows = [neighbor.price(value) for neighbor, value in zip(self.neighbors, self.value, strict=True)]
        sure = min((low for low, known in zip(lows, finite, strict=True) if known), default=None)
        left = [
            position
            for position, neighbor in enumerate(self.neighbors)
            if sure is None or not finite[position]
            or neighbor.price(float(self.value[position]) + GAIN / 2 * self._decrement(position)) <= sure
        ]  # fmt: skip
        return self._only(left)

    def stepped(self) -> _Climbers:
        """One step each, by the information of the model they left."""
        at = self.at.copy()
        for position, neighbor in enumerate(self.neighbors):
            if np.isfinite(self.value[position]):
                at[neighbor.columns, position] += self.inverses[position] @ self.gradient[neighbor.columns, position]
        value, gradient = self.likelihood.evaluate(at)
        better = value >= self.value
        return _Climbers(
            self.likelihood, self.neighbors, self.inverses, np.where(better, at, self.at),
            np.where(better, value, self.value), np.where(better, gradient, self.gradient),
        )  # fmt: skip

    def _decrement(self, position: int) -> float:
        """Infinite where the information says nothing."""
        inverse = self.inverses[position]
        slope = self.gradient[self.neighbors[position].columns, position]
        return float(slope @ inverse @ slope) if inverse.any() else np.inf

    def _only(self, positions: Sequence[int]) -> _Climbers:
        picked = np.array(positions, dtype=np.intp)
        return _Climbers(
            self.likelihood, [self.neighbors[k] for k in positions], [self.inverses[k] for k in positions],
            self.at[:, picked], self.value[picked], self.gradient[:, picked],
        )  # fmt: skip
