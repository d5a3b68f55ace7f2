"""Which coefficients of a logistic model are infinite, and the rows on which the others are estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import DEPENDENT, row_blocks, weighted_gram

Floats = NDArray[np.float64]

MOVED = 0.5
"""A linear predictor that moved this far while the others stood still is on its way to infinity.

Newton's method moves a separated row by about 1 an iteration; a row whose fit is finite has stopped.
"""

NEGLIGIBLE = 1e-6
"""A part of a unit direction below this is rounding."""


@dataclass(frozen=True, slots=True)
class Separation:
    """Coefficients that run to infinity together with the rows they fit perfectly.

    Attributes
    ----------
    directions : basis of the directions of the coefficients in which the likelihood rises without end, shape (k, d)
    overlapping : rows not fitted perfectly, on which the finite coefficients are estimated, shape (n,)
    """

    directions: Floats
    overlapping: NDArray[np.bool_]

    def infinite(self, transform: Floats) -> NDArray[np.bool_]:
        """Which of the coefficients ``transform @ coefficients`` have no finite estimate; shape (k,)."""
        directions = np.where(np.abs(self.directions) > NEGLIGIBLE, self.directions, 0.0)
        sizes = np.abs(transform) @ np.abs(directions)
        moving: NDArray[np.bool_] = np.any(np.abs(transform @ directions) > NEGLIGIBLE * sizes, axis=1)
        return moving


def find_separation(X: Floats, sign: Floats, direction: Floats) -> Separation | None:
    """Prove separation from the direction in which Newton's method runs, or return None.

    The directions that leave every overlapping row's linear predictor as it is form the null space of those rows. When
    one of them moves every other row strictly toward its outcome, the likelihood rises along it without end, and so
    along every direction near it: exactly the coefficients that are not zero throughout the null space are infinite
    (Albert and Anderson 1984, doi:10.1093/biomet/71.1.1).

    Parameters
    ----------
    X : full column rank, columns of comparable size, shape (n, k)
    sign : +1 for an event and -1 for none, shape (n,)
    direction : the difference of two late iterates, shape (k,)
    """
    moves = _moves(X, sign, direction)
    separated = moves > MOVED
    if not separated.any():
        return None
    null = _null_space(weighted_gram(X, (~separated).astype(np.float64)), len(X))
    if null.shape[1] == 0:
        return None
    toward = null @ (null.T @ direction)
    if not (_moves(X, sign, toward)[separated] > 0).all():
        return None
    return Separation(null, ~separated)


def _moves(X: Floats, sign: Floats, direction: Floats) -> Floats:
    out = np.empty(len(X))
    for rows in row_blocks(len(X)):
        out[rows] = sign[rows] * (X[rows] @ direction)
    return out


def _null_space(gram: Floats, n: int) -> Floats:
    """Find an orthonormal basis of the directions with no length in `gram`, shape (k, d)."""
    values, vectors = np.linalg.eigh(gram / n)
    basis: Floats = vectors[:, values <= DEPENDENT / 10]
    return basis
