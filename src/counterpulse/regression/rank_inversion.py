"""Confidence limits of a quantile regression by inverting its rank test (Koenker 1994, doi:10.1007/978-3-642-57984-4_29)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.distributions import critical_value, t_two_sided
from counterpulse.regression.quantile_solution import NoVertexError, Vertex, solve_quantile

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

NEARLY = 1e-12
"""A dual weight this near to a bound is at it."""


@dataclass(frozen=True, slots=True)
class RankInterval:
    """Limits of one coefficient (infinite where no value is rejected) and the rank test that it is zero."""

    low: float
    high: float
    statistic: float
    p_value: float


def rank_interval(X: Floats, y: Floats, quantile: float, vertex: Vertex, j: int, level: float) -> RankInterval:
    """Invert the rank test of coefficient `j`, at least one other column beside it.

    The test statistic for ``coefficient = b`` is ``sum of x (a - 1 + quantile)`` over its standard deviation, where x is
    the column without what the others explain and a the dual solution of the regression of ``y - b x`` on the others;
    errors are taken as identically distributed. It is a step function of b, interpolated between its steps as in R's
    ``rq``, and compared with Student's t on n - k degrees of freedom.
    """
    n, k = X.shape
    others = np.delete(X, j, axis=1)
    x = X[:, j] - others @ np.linalg.lstsq(others, X[:, j], rcond=None)[0]
    size = sqrt(quantile * (1 - quantile) * float(x @ x))
    bound = critical_value(level, n - k)
    low, high = (_limit(X, y, others, x / size, quantile, vertex, j, bound, side) for side in (-1, 1))
    try:
        null = solve_quantile(others, y, quantile)
    except NoVertexError:
        return RankInterval(low, high, nan, nan)
    statistic = float(x @ (null.dual() - (1 - quantile))) / size
    return RankInterval(low, high, statistic, t_two_sided(statistic, n - k))


def _limit(
    X: Floats, y: Floats, others: Floats, x: Floats, quantile: float, vertex: Vertex, j: int, bound: float, side: int
) -> float:
    """Where the statistic passes the bound on one side, from the estimate outwards."""
    dual, basis = vertex.dual(), vertex.basis.copy()
    basis = _drop_one(X, others, dual, basis, j, side)
    b, tested = float(vertex.coefficients[j]), abs(float(x @ (dual - (1 - quantile))))
    residuals = vertex.told_apart.copy()
    for _ in range(20 * len(y)):
        if tested > bound:
            return nan
        inverse = np.linalg.inv(others[basis])
        moved = others @ (inverse @ X[basis, j]) - X[:, j]  # the change of residuals where b grows by one
        moved[basis] = 0.0
        row = _next_row(residuals, dual, side * moved, basis)
        if row is None:
            return side * inf
        fitted = others[row] @ inverse
        step = -residuals[row] / (side * moved[row])
        residuals = residuals + step * side * moved
        at = -float(y[row] - fitted @ y[basis]) / float(moved[row])
        basis, left = _pivot(others, dual, basis, row, fitted)
        residuals[basis] = 0.0
        if left is not None:
            residuals[left] = 0.0
        before, tested = tested, abs(float(x @ (dual - (1 - quantile))))
        if tested > bound:
            return b + (at - b) * (bound - before) / (tested - before)
        if abs(tested - before) > NEARLY:
            b = at
    return nan


def _drop_one(X: Floats, others: Floats, dual: Floats, basis: Codes, j: int, side: int) -> Codes:
    """Leave the estimate: one row of its basis takes a side, and the rest holds the other coefficients."""
    null = np.linalg.svd(others[basis].T)[2][-1]  # basis weights may move along it without disturbing the others
    direction = null * -np.sign(null @ X[basis, j]) * side
    return _move(dual, basis, direction)[0]


def _next_row(residuals: Floats, dual: Floats, moved: Floats, basis: Codes) -> int | None:
    """The row whose residual is the first to become zero."""
    toward = np.where(dual > 0.5, moved < 0, moved > 0)
    toward[basis] = False
    rows = np.flatnonzero(toward & (np.abs(moved) > NEARLY))
    if not len(rows):
        return None
    return int(rows[np.argmin(np.maximum(-residuals[rows] / moved[rows], 0.0))])


def _pivot(others: Floats, dual: Floats, basis: Codes, row: int, fitted: Floats) -> tuple[Codes, int | None]:
    """Let a row change sides: it turns over, or a row of the basis reaches a bound and makes room for it."""
    turn = -1.0 if dual[row] > 0.5 else 1.0
    wider = np.append(basis, row)
    moved, left = _move(dual, wider, np.append(-turn * fitted, turn))
    return moved, None if left == row else left


def _move(dual: Floats, rows: Codes, direction: Floats) -> tuple[Codes, int]:
    """Move dual weights until the first reaches 0 or 1; that row goes, the others stay. `dual` is changed."""
    here = dual[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(
            direction > NEARLY, (1 - here) / direction, np.where(direction < -NEARLY, -here / direction, inf)
        )
    room = np.maximum(room, 0.0)
    first = int(np.argmin(room))
    dual[rows] = np.clip(here + room[first] * direction, 0.0, 1.0)
    dual[rows[first]] = 1.0 if direction[first] > 0 else 0.0
    return np.delete(rows, first), int(rows[first])
