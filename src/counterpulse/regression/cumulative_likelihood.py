"""The log-likelihood of an ordinal outcome whose cumulative probabilities are logistic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.numerics.linear_algebra import weighted_gram
from counterpulse.numerics.newton import Evaluation

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class CumulativeLikelihood:
    """The log-likelihood ``sum w log(F(upper) - F(lower))``, to be called; F is the logistic distribution.

    It is concave in the coefficients. A level above whose threshold nobody can lie has no upper bound, and the lowest
    level no lower one.

    Attributes
    ----------
    upper, lower : ``upper @ coefficients`` is the logit of the probability of at most the row's level, and
        ``lower @ coefficients`` of less; shape (n, k)
    has_upper, has_lower : where there is such a bound, shape (n,)
    weights : shape (n,)
    """

    upper: Floats
    lower: Floats
    has_upper: Bools
    has_lower: Bools
    weights: Floats

    def __call__(self, coefficients: Floats) -> Evaluation:
        """Log-likelihood, score and observed information; minus infinity where thresholds are out of order."""
        u, v, width = self._bounds(coefficients)
        k = len(coefficients)
        if (width <= 0).any():
            return Evaluation(-inf, np.zeros(k), np.zeros((k, k)))
        at_upper, at_lower = self._slopes(u, v, width)
        value = float(self.weights @ (special.log_expit(u) + special.log_expit(-v) + np.log(-np.expm1(-width))))
        gradient = (self.weights * at_upper) @ self.upper + (self.weights * at_lower) @ self.lower
        information = weighted_gram(self.upper, self.weights * special.expit(u) * special.expit(-u))
        information += weighted_gram(self.lower, self.weights * special.expit(v) * special.expit(-v))
        both = self.has_upper & self.has_lower
        between = self.weights[both] / (4 * np.sinh(np.minimum(width[both], 700.0) / 2) ** 2)
        information += weighted_gram(self.upper[both] - self.lower[both], between)
        return Evaluation(value, gradient, information)

    def scores(self, coefficients: Floats) -> Floats:
        """The score of each row, times its weight; shape (n, k)."""
        at_upper, at_lower = self._slopes(*self._bounds(coefficients))
        scores: Floats = (self.weights * at_upper)[:, None] * self.upper + (self.weights * at_lower)[
            :, None
        ] * self.lower
        return scores

    def stacked(self) -> tuple[Floats, Floats]:
        """Every bound as a row of its own, and the direction in which it may run without end."""
        X = np.vstack((self.upper[self.has_upper], self.lower[self.has_lower]))
        return X, np.repeat((1.0, -1.0), (int(self.has_upper.sum()), int(self.has_lower.sum())))

    def with_bounds(self, keep: Bools, columns: NDArray[np.intp]) -> CumulativeLikelihood:
        """Take away bounds that ran to infinity (in the order of `stacked`), and columns."""
        has_upper, has_lower = self.has_upper.copy(), self.has_lower.copy()
        split = int(has_upper.sum())
        has_upper[has_upper], has_lower[has_lower] = keep[:split], keep[split:]
        return self._of(has_upper, has_lower, columns)

    def rows(self, keep: Bools | NDArray[np.intp]) -> CumulativeLikelihood:
        """Some rows."""
        return CumulativeLikelihood(
            self.upper[keep], self.lower[keep], self.has_upper[keep], self.has_lower[keep], self.weights[keep]
        )

    def _of(self, has_upper: Bools, has_lower: Bools, columns: NDArray[np.intp]) -> CumulativeLikelihood:
        upper = np.where(has_upper[:, None], self.upper[:, columns], 0.0)
        lower = np.where(has_lower[:, None], self.lower[:, columns], 0.0)
        return CumulativeLikelihood(upper, lower, has_upper, has_lower, self.weights)

    def _bounds(self, coefficients: Floats) -> tuple[Floats, Floats, Floats]:
        u = np.where(self.has_upper, self.upper @ coefficients, inf)
        v = np.where(self.has_lower, self.lower @ coefficients, -inf)
        return u, v, u - v

    def _slopes(self, u: Floats, v: Floats, width: Floats) -> tuple[Floats, Floats]:
        """Derivatives of each log probability by the upper and by the lower bound, 0 where there is none."""
        between = 1 / np.expm1(np.minimum(width, 700.0))
        between = np.where(np.isinf(width), 0.0, between)
        at_upper = np.where(self.has_upper, special.expit(-u) + between, 0.0)
        at_lower = np.where(self.has_lower, -special.expit(v) - between, 0.0)
        return at_upper, at_lower


def proportional_odds(levels: Codes, count: int, X: Floats, weights: Floats) -> CumulativeLikelihood:
    """The likelihood of thresholds (count - 1 of them), then one slope a column.

    Parameters
    ----------
    levels : 0, 1, …, count - 1 of each row, shape (n,)
    X : without an intercept, shape (n, p); a positive slope goes with higher levels
    weights : shape (n,)
    """
    return _likelihood(levels, count, weights, lambda j: [_thresholds(j, count), -X])


def nonproportional_odds(levels: Codes, count: int, X: Floats, weights: Floats) -> CumulativeLikelihood:
    """The likelihood of thresholds, then the slopes at each threshold in turn; parameters as for `proportional_odds`."""
    return _likelihood(
        levels, count, weights,
        lambda j: [_thresholds(j, count), *(-X * (j == threshold)[:, None] for threshold in range(count - 1))],
    )  # fmt: skip


def _likelihood(
    levels: Codes, count: int, weights: Floats, columns: Callable[[Codes], list[Floats]]
) -> CumulativeLikelihood:
    has_upper, has_lower = levels < count - 1, levels > 0
    upper = np.hstack(columns(levels)) * has_upper[:, None]
    lower = np.hstack(columns(levels - 1)) * has_lower[:, None]
    return CumulativeLikelihood(upper, lower, has_upper, has_lower, weights)


def _thresholds(j: Codes, count: int) -> Floats:
    at: Floats = (j[:, None] == np.arange(count - 1)[None, :]).astype(np.float64)
    return at
