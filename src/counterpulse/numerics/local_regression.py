"""Local regression of one variable (loess): a weighted parabola at each point, by the nearest part of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SINGULAR = 1e-10
"""A pivot below this part of the sum of weights: the neighborhood has too few distinct values for a parabola."""

EXACT_POINTS = 6_000
"""Up to so many distinct points every one is evaluated; beyond, as many knots spread over the rows are."""

KNOTS = 1_500
"""A curve interpolated between so many knots is within 1e-5 of the direct one, its mean distance within 1e-6."""


@dataclass(frozen=True, slots=True)
class LocalFit:
    """Fitted values at points, shape (m,), and their variance where the rows' variances are given."""

    value: Floats
    variance: Floats


class ZeroWidthError(ValueError):
    """The nearest part of the rows has one value, so there is no neighborhood."""


def local_regression(
    x: Floats, y: Floats, at: Floats, *, span: float = 0.75, row_variance: Floats | None = None
) -> LocalFit:
    """Fit a local parabola with tricube weights at each point, directly.

    Parameters
    ----------
    x, y : shape (n,)
    at : shape (m,)
    span : the part of the rows in a neighborhood
    row_variance : of y, shape (n,): gives the variance of each fitted value as a linear combination of the rows

    Raises
    ------
    ZeroWidthError : a neighborhood has one value of x

    Notes
    -----
    Where a neighborhood has two distinct values the fit is a line.

    References
    ----------
    Cleveland and Devlin 1988 (doi:10.1080/01621459.1988.10478639)
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    spread = None if row_variance is None else row_variance[order]
    nearest = min(len(x), floor(len(x) * span + 1e-5))
    pairs = x[: len(x) - nearest] + x[nearest:]
    starts = np.searchsorted(pairs, 2 * at, side="left")
    value, variance = np.empty(len(at)), np.full(len(at), np.nan)
    for k, (center, low) in enumerate(zip(at.tolist(), starts.tolist(), strict=True)):
        rows = slice(low, low + nearest)
        weights = _row_weights(x[rows], center)
        value[k] = weights @ y[rows]
        if spread is not None:
            variance[k] = (weights * weights) @ spread[rows]
    return LocalFit(value, variance)


def _row_weights(x: Floats, center: float) -> Floats:
    """How much each row of a neighborhood counts in the fitted value at its center; they sum to 1."""
    u = x - center
    width = max(-float(u[0]), float(u[-1]))
    if not width > 0:
        raise ZeroWidthError
    u /= width
    square = u * u
    weight = 1 - square * np.abs(u)
    weight = weight * weight * weight
    w1, w2 = weight * u, weight * square
    s0, s1, s2 = float(weight.sum()), float(w1.sum()), float(w2.sum())
    s3, s4 = float(w2 @ u), float(w2 @ square)
    # elimination of the normal equations; the fitted value at the center is the constant of the parabola
    line = s2 - s1 * s1 / s0
    if line <= SINGULAR * s0:
        return weight / s0
    cross = s3 - s1 * s2 / s0
    curve = s4 - s2 * s2 / s0 - cross * cross / line
    if curve <= SINGULAR * s0:
        return (weight - (s1 / line) * (w1 - (s1 / s0) * weight)) / s0
    matrix = np.array([[s0, s1, s2], [s1, s2, s3], [s2, s3, s4]])
    a, b, c = np.linalg.solve(matrix, np.array([1.0, 0.0, 0.0]))
    combined: Floats = a * weight + b * w1 + c * w2
    return combined


def local_regression_of_rows(x: Floats, y: Floats, *, span: float = 0.75) -> Floats:
    """Fitted value of every row, shape (n,): at each distinct x, or by cubic interpolation in a long table.

    The knots of a long table lie at the ends and evenly among its distinct values.

    Raises
    ------
    ZeroWidthError : a neighborhood has one value of x
    """
    distinct, place = np.unique(x, return_inverse=True)
    if len(distinct) <= EXACT_POINTS:
        return local_regression(x, y, distinct, span=span).value[place]
    knots = distinct[np.unique(np.round(np.linspace(0, len(distinct) - 1, KNOTS)).astype(np.intp))]
    from scipy.interpolate import CubicSpline

    value = local_regression(x, y, knots, span=span).value
    fitted: Floats = CubicSpline(knots, value)(distinct)[place]
    return fitted
