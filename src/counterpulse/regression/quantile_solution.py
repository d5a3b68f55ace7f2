"""The exact solution of a quantile regression: a point where as many residuals are zero as there are coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

STEPS = 30
"""Steps of the smooth approximation from which the exact search begins."""

RESOLUTION = 1e-9
"""Tied outcomes are told apart by this part of their spread while the search decides its way, never in its result."""

DESCENT = 1e-9
"""A direction descends when the slope of the objective is below minus this; residual signs count 1."""

INDEPENDENT = 1e-8
"""A row adds to a basis when this part of its sum of squares is left after those before it."""

GOLDEN = (sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Vertex:
    """A solution of the linear program.

    Attributes
    ----------
    coefficients : shape (k,)
    basis : the k rows whose residuals are zero by construction
    inverse : of those rows, shape (k, k)
    residuals : shape (n,), of the outcome as it is
    told_apart : residuals of the outcome without ties, shape (n,), 0 in the basis
    weights_of_basis : the dual solution of the basis, within 0 and 1, shape (k,)
    unique : whether no other coefficients do as well
    """

    coefficients: Floats
    basis: Codes
    inverse: Floats
    residuals: Floats
    told_apart: Floats
    weights_of_basis: Floats
    unique: bool

    def dual(self) -> Floats:
        """1 where the outcome is above the fit, 0 where below, between in the basis; shape (n,)."""
        found = (self.told_apart > 0).astype(np.float64)
        found[self.basis] = self.weights_of_basis
        return found


class NoVertexError(Exception):
    """The search did not end."""


def told_apart(y: Floats) -> Floats:
    """The outcome with ties resolved by a fixed, tiny sequence."""
    spread = float(np.abs(y - y.mean()).mean()) or 1.0
    resolved: Floats = y + spread * RESOLUTION * (np.arange(1, len(y) + 1) * GOLDEN % 1.0 - 0.5)
    return resolved


def solve_quantile(X: Floats, y: Floats, quantile: float, start: Floats | None = None) -> Vertex:
    """Minimize the sum of ``r (quantile - [r < 0])`` over the coefficients.

    Descent along edges from vertex to vertex with an exact line search (Barrodale and Roberts 1973; Koenker and d'Orey
    1987), from a smooth approximation (Hunter and Lange 2000).

    Parameters
    ----------
    X : full column rank, columns centered and scaled, shape (n, k)
    y : shape (n,)
    start : coefficients near the solution

    Raises
    ------
    NoVertexError : the search did not end
    """
    resolved = told_apart(y)
    near = smooth_solution(X, resolved, quantile) if start is None else start
    basis = _first_basis(X, np.abs(resolved - X @ near))
    for _ in range(50 * X.shape[1] + 20 * len(y)):
        inverse = np.asarray(np.linalg.inv(X[basis]), dtype=np.float64)
        residuals = resolved - X @ (inverse @ resolved[basis])
        residuals[basis] = 0.0
        pull = np.where(residuals < 0, quantile - 1, quantile)
        pull[basis] = 0.0
        held = (pull @ X) @ inverse
        slopes = np.concatenate([1 - quantile - held, quantile + held])
        best = int(np.argmin(slopes))
        if slopes[best] >= -DESCENT:
            beta = inverse @ y[basis]
            rest = y - X @ beta
            rest[basis] = 0.0
            return Vertex(beta, basis, inverse, rest, residuals, 1 - quantile - held, bool(slopes.min() > DESCENT))
        leaving, side = best % len(basis), 1.0 if best < len(basis) else -1.0
        basis[leaving] = _entering(residuals, X @ (side * inverse[:, leaving]), slopes[best], basis)
    raise NoVertexError


def smooth_solution(X: Floats, y: Floats, quantile: float) -> Floats:
    """Coefficients near the solution, by majorization (Hunter and Lange 2000, doi:10.1080/10618600.2000.10474866)."""
    beta = np.asarray(np.linalg.lstsq(X, y, rcond=None)[0], dtype=np.float64)
    scale = float(np.abs(y - X @ beta).mean()) or 1.0
    totals = (2 * quantile - 1) * X.sum(axis=0)
    for step in range(STEPS):
        residuals = y - X @ beta
        weights = 1 / (np.abs(residuals) + scale * 10.0 ** -(1 + step / 8))
        gram = (X * weights[:, None]).T @ X
        try:
            beta = beta + np.linalg.solve(gram, (weights * residuals) @ X + totals)
        except np.linalg.LinAlgError:
            return beta
    return beta


def _first_basis(X: Floats, distance: Floats) -> Codes:
    """The rows nearest to the fit that are independent, shape (k,)."""
    order = np.argsort(distance, kind="stable")
    left = X[order].copy()
    size = (left**2).sum(axis=1)
    chosen = []
    for _ in range(X.shape[1]):
        rest = (left**2).sum(axis=1)
        free = np.flatnonzero(rest > INDEPENDENT * size)
        if not len(free):
            raise NoVertexError
        row = left[free[0]] / np.sqrt(rest[free[0]])
        left -= np.outer(left @ row, row)
        chosen.append(order[free[0]])
    return np.array(chosen, dtype=np.intp)


def _entering(residuals: Floats, along: Floats, slope: float, basis: Codes) -> int:
    """The row at which the objective stops falling on the way; it comes into the basis."""
    crossing = residuals * along > 0
    crossing[basis] = False
    rows = np.flatnonzero(crossing)
    when = residuals[rows] / along[rows]
    order = rows[np.argsort(when, kind="stable")]
    turned = slope + np.cumsum(np.abs(along[order]))
    stop = int(np.searchsorted(turned, 0.0))
    if stop >= len(order):
        raise NoVertexError
    return int(order[stop])
