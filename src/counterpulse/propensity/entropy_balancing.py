"""Entropy balancing: the weights closest to uniform under which a group has the covariate means of a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import center_and_scale, independent_columns, weighted_gram
from counterpulse.numerics.newton import Evaluation, maximize

Floats = NDArray[np.float64]

BALANCED = 1e-8
"""Largest difference of a mean from its target, in standard deviations, of weights that balance."""


@dataclass(frozen=True, slots=True)
class _Dual:
    """Minus the log of the sum of tilted base weights, concave in the multipliers; covariates from their targets."""

    away: Floats
    base: Floats

    def weights(self, multipliers: Floats) -> Floats:
        exponent = self.away @ multipliers
        tilted: Floats = self.base * np.exp(exponent - exponent.max())
        tilted /= tilted.sum()
        return tilted

    def __call__(self, multipliers: Floats) -> Evaluation:
        exponent = self.away @ multipliers
        top = float(exponent.max())
        tilted = self.base * np.exp(exponent - top)
        total = float(tilted.sum())
        share = tilted / total
        mean = share @ self.away
        information = weighted_gram(self.away, share) - np.outer(mean, mean)
        return Evaluation(-top - float(np.log(total)), -mean, information)


def entropy_weights(X: Floats, targets: Floats, base: Floats | None = None) -> Floats | None:
    """Weigh the rows of a group so that their means are the targets.

    Parameters
    ----------
    X : covariates of the group, shape (n, p), no column of ones
    targets : means to be reached, shape (p,)
    base : weights to stay close to, shape (n,)

    Returns
    -------
    NDArray or None : shape (n,), mean 1; None where no weights reach the targets

    References
    ----------
    Hainmueller 2012, doi:10.1093/pan/mpr025
    """
    start = np.full(len(X), 1 / len(X)) if base is None else base / base.sum()
    away = np.asfortranarray(X - targets)
    scale = center_and_scale(away.copy(order="F"))[1]
    gap = np.abs(away[0]) > BALANCED * np.maximum(1.0, np.abs(targets))
    if (gap & (scale == 0)).any():
        return None
    away /= np.where(scale > 0, scale, 1.0)
    dual = _Dual(away[:, _independent(away, scale > 0)], start)
    found = maximize(dual, np.zeros(dual.away.shape[1]), limit=100)
    weights = dual.weights(found.at)
    reached = np.abs(weights @ away).max(initial=0.0) <= BALANCED
    return weights * len(X) if reached else None


def entropy_weights_by_group(X: Floats, codes: NDArray[np.intp], groups: int, focal: int | None) -> Floats | None:
    """Give every group but the focal one the means of the focal one, or all groups those of everybody.

    Parameters
    ----------
    X : shape (n, p), no column of ones
    codes : of the group, 0 to `groups` - 1, shape (n,)

    Returns
    -------
    NDArray or None : shape (n,), mean 1 in each group; None where no weights reach the means
    """
    targets = target_means(X, codes, focal)
    weights = np.ones(len(X))
    for code in range(groups):
        if code == focal:
            continue
        found = entropy_weights(X[codes == code], targets)
        if found is None:
            return None
        weights[codes == code] = found
    return weights


def target_means(X: Floats, codes: NDArray[np.intp], focal: int | None) -> Floats:
    """Means of the focal group, or of everybody; shape (p,)."""
    means: Floats = X.mean(axis=0) if focal is None else X[codes == focal].mean(axis=0)
    return means


def _independent(away: Floats, varies: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Columns that vary and are no combination of those before them."""
    columns = np.flatnonzero(varies)
    middle = away[:, columns] - away[:, columns].mean(axis=0)
    kept: NDArray[np.intp] = columns[independent_columns(weighted_gram(np.asfortranarray(middle)))]
    return kept
