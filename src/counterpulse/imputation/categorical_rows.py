"""Rows of a categorical imputation model, with those that keep every coefficient finite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = NDArray[np.intp]

HALF = 0.5
"""Standard deviations on either side of the mean at which the added rows stand."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelRows:
    """Rows with a value of the target, and rows added to them.

    For each predictor, rows with it half a standard deviation to either side and the others at their mean are added, one
    for every level of the target; together they weigh as many rows as there are coefficients of a level (White, Daniel and
    Royston 2010, doi:10.1016/j.csda.2010.04.005). So no level is predicted perfectly.

    Attributes
    ----------
    X : standardized matrix of all rows and columns, shape (n, p)
    used : its columns that are predictors, the intercept first, k of them
    weights : 1 of a row with a value and 0 of one without, shape (n,)
    levels : position of the level, shape (n,); anything of a row without a value
    count : levels
    added : predictors of the added rows, shape (2 (k - 1), k); each stands for one row a level
    added_weight : of each added row, all its levels together
    """

    X: Floats
    used: Index
    weights: Floats
    levels: Floats
    count: int
    added: Floats
    added_weight: float

    def linear(self, coefficients: Floats) -> Floats:
        """Linear predictor of the rows and then of the added rows, shape (n + added,); coefficients of shape (k,)."""
        spread = np.zeros(self.X.shape[1])
        spread[self.used] = coefficients
        return np.concatenate([self.X @ spread, self.added @ coefficients])

    def sums(self, factor: Floats) -> Floats:
        """``sum factor_i x_i`` over the rows and the added rows, shape (k,); factor of shape (n + added,)."""
        n = len(self.X)
        total: Floats = (factor[:n] @ self.X)[self.used] + factor[n:] @ self.added
        return total

    def gram(self, factor: Floats) -> Floats:
        """``sum factor_i x_i x_i'`` over the rows and the added rows, for factors of one sign; shape (k, k)."""
        n, root = len(self.X), np.sqrt(np.abs(factor))
        main, added = self.X * root[:n, None], self.added * root[n:, None]
        total: Floats = (main.T @ main)[np.ix_(self.used, self.used)] + added.T @ added
        return total if factor.sum() >= 0 else -total

    def all_weights(self) -> Floats:
        """Weights of the rows and the added rows."""
        return np.concatenate([self.weights, np.full(len(self.added), self.added_weight)])

    def shares(self) -> Floats:
        """The part of each level in each row: all of the row's own, alike in an added row; shape (count, n + added)."""
        own = self.levels[None, :] == np.arange(self.count)[:, None]
        return np.hstack([own, np.full((self.count, len(self.added)), 1 / self.count)])

    def written_out(self) -> tuple[Floats, Index, Floats]:
        """Predictors, level and weight of each row with a value and of each added row, level by level."""
        rows, count, added = np.flatnonzero(self.weights), self.count, len(self.added)
        X = np.vstack([self.X[np.ix_(rows, self.used)], np.repeat(self.added, count, axis=0)])
        levels = np.concatenate([self.levels[rows].astype(np.intp), np.tile(np.arange(count), added)])
        weights = np.concatenate([np.ones(len(rows)), np.full(count * added, self.added_weight / count)])
        return X, levels, weights


def model_rows(X: Floats, used: Index, observed: Index, levels: Floats, count: int) -> ModelRows:
    """Add rows to those with a value; parameters as the attributes of `ModelRows`."""
    k = len(used)
    added = np.zeros((2 * (k - 1), k))
    added[:, 0] = 1
    at = np.arange(1, k)
    added[2 * at - 2, at], added[2 * at - 1, at] = HALF, -HALF
    weights = np.zeros(len(X))
    weights[observed] = 1
    return ModelRows(X, used, weights, levels, count, added, k / max(len(added), 1))
