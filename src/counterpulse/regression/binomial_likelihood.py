"""The log-likelihood of a binary outcome, its gradient and information, in one pass over row blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import (
    inverse_symmetric,
    quadratic_forms,
    row_blocks,
    spread_rows,
    weighted_gram,
)
from counterpulse.numerics.newton import Evaluation

Floats = NDArray[np.float64]

FARTHEST = -700.0
"""A linear predictor farther on the wrong side than this is held here, so that its exponential is finite."""


@dataclass(frozen=True, slots=True)
class BinomialLikelihood:
    """The logistic log-likelihood of coefficients, to be called.

    Attributes
    ----------
    X : shape (n, k), column-major
    sign : +1 for an event and -1 for none, shape (n,)
    weights : shape (n,), or None
    """

    X: Floats
    sign: Floats
    weights: Floats | None

    def __call__(self, coefficients: Floats) -> Evaluation:
        """Log-likelihood, score and information."""
        k = self.X.shape[1]
        value, gradient, information = 0.0, np.zeros(k), np.zeros((k, k))
        for rows, loss, residual, variance in self._blocks(coefficients):
            block = self.X[rows]
            value -= loss
            gradient += residual @ block
            information += weighted_gram(block, variance)
        return Evaluation(value, gradient, information)

    def slope(self, coefficients: Floats) -> tuple[float, Floats]:
        """Log-likelihood and score, at a fourth of the price of the information."""
        value, gradient = 0.0, np.zeros(self.X.shape[1])
        for rows, loss, residual, _ in self._blocks(coefficients):
            value -= loss
            gradient += residual @ self.X[rows]
        return value, gradient

    def _blocks(self, coefficients: Floats) -> Iterator[tuple[slice, float, Floats, Floats]]:
        """Yield rows, sum of losses, residuals y - p and variances p (1 - p), the last three times the weights."""
        for rows in row_blocks(self.X.shape[0]):
            sign = self.sign[rows]
            margin = self.X[rows] @ coefficients
            margin *= sign
            np.maximum(margin, FARTHEST, out=margin)
            odds = np.exp(np.negative(margin, out=margin), out=margin)
            total = odds + 1
            losses = np.log1p(odds)
            residual = odds / total
            variance = residual / total
            residual *= sign
            if self.weights is None:
                yield rows, float(losses.sum()), residual, variance
            else:
                weights = self.weights[rows]
                yield rows, float(weights @ losses), residual * weights, variance * weights

    def null_start(self) -> Floats:
        """The maximum of the intercept alone, shape (k,)."""
        events, others = (
            float((self.sign == side).sum() if self.weights is None else self.weights[self.sign == side].sum())
            for side in (1, -1)
        )
        start = np.zeros(self.X.shape[1])
        start[0] = log(events / others) if events and others else 0.0
        return start

    def every(self, step: int) -> BinomialLikelihood:
        """Thin to about every `step`-th row."""
        rows = spread_rows(len(self.sign), step)
        weights = None if self.weights is None else self.weights[rows]
        X = np.empty((len(rows), self.X.shape[1]), order="F")
        for j, column in enumerate(self.X.T):
            X[:, j] = column[rows]
        return BinomialLikelihood(X, self.sign[rows], weights)

    def rows(self, keep: NDArray[np.bool_]) -> BinomialLikelihood:
        """Keep some rows; the matrix is overwritten, so that there is never a second one."""
        m = int(keep.sum())
        for column in self.X.T:
            column[:m] = column[keep]
        return BinomialLikelihood(self.X[:m], self.sign[keep], None if self.weights is None else self.weights[keep])

    def variances(self, coefficients: Floats) -> Floats:
        """``w p (1 - p)``, shape (n,)."""
        out = np.empty(self.X.shape[0])
        for rows, _, _, variance in self._blocks(coefficients):
            out[rows] = variance
        return out

    def columns(self, keep: NDArray[np.intp]) -> BinomialLikelihood:
        """Keep some columns."""
        return replace(self, X=np.asfortranarray(self.X[:, keep]))

    def residuals(self, coefficients: Floats) -> Floats:
        """``w (y - p)``, shape (n,)."""
        out = np.empty(self.X.shape[0])
        for rows, _, residual, _ in self._blocks(coefficients):
            out[rows] = residual
        return out


@dataclass(frozen=True, slots=True)
class FirthLikelihood:
    """The log-likelihood penalized by half the log determinant of the information (Jeffreys' prior).

    The score is that of Firth (1993), doi:10.1093/biomet/80.1.27: ``sum w (y - p) x + h (1/2 - p) x`` with h the
    diagonal of the hat matrix.
    """

    plain: BinomialLikelihood

    def __call__(self, coefficients: Floats) -> Evaluation:
        """Penalized log-likelihood, modified score, and the information of the plain likelihood."""
        here = self.plain(coefficients)
        try:
            inverse = inverse_symmetric(here.information)
        except np.linalg.LinAlgError:
            return Evaluation(-np.inf, here.gradient, here.information)
        gradient = here.gradient.copy()
        for rows, _, _, variance in self.plain._blocks(coefficients):
            block = self.plain.X[rows]
            leverage = variance * quadratic_forms(block, inverse)
            gradient -= (leverage * np.tanh(block @ coefficients / 2) / 2) @ block
        log_determinant = float(np.linalg.slogdet(here.information)[1])
        return Evaluation(here.value + log_determinant / 2, gradient, here.information)
