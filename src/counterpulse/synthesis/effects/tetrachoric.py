"""The tetrachoric correlation of a two by two table, and its variance."""

from __future__ import annotations

from math import pi

import numpy as np
from scipy.special import ndtr, ndtri

from counterpulse.synthesis.effects.printed_rows import Floats

NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)
STEPS = 80
SETTLED = 1e-14


def tetrachoric(a: Floats, b: Floats, c: Floats, d: Floats) -> tuple[Floats, Floats]:
    """The correlation of two latent normal variables cut into this table, and its large-sample variance.

    Parameters
    ----------
    a, b, c, d : cells by row (a, b treated with and without the event), shape (k,), all above 0

    Returns
    -------
    correlation, variance : shape (k,)
        The thresholds are the margins' and the correlation solves P(both below) = a / n, which is the maximum-likelihood
        estimate of a table with four cells; the variance is the delta method's over the multinomial cells.
    """
    n = a + b + c + d
    row, column = ndtri((a + b) / n), ndtri((a + c) / n)
    correlation = np.sin(_angle(row, column, a / n))
    return correlation, _variance((a, b, c, d), row, column, correlation)


def _angle(row: Floats, column: Floats, both: Floats) -> Floats:
    """The arcsine of the correlation by bisection with Newton steps; the probability rises with it."""
    low, high = np.full_like(row, -pi / 2), np.full_like(row, pi / 2)
    angle, base = np.zeros_like(row), ndtr(row) * ndtr(column) - both
    for _ in range(STEPS):
        excess = base + _excess_over_independence(row, column, angle)
        low, high = np.where(excess < 0, angle, low), np.where(excess < 0, high, angle)
        slope = _density_in_angle(row, column, angle)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = angle - excess / slope
        inside = (newton > low) & (newton < high)
        step = np.where(inside, newton, (low + high) / 2)
        if np.all(np.abs(step - angle) <= SETTLED):
            break
        angle = step
    return angle


def _density_in_angle(row: Floats, column: Floats, angle: Floats) -> Floats:
    """The derivative of P(X <= row, Y <= column) in the arcsine of the correlation."""
    squares = row**2 + column**2 - 2 * row * column * np.sin(angle)
    with np.errstate(divide="ignore", under="ignore"):
        density: Floats = np.exp(-squares / (2 * np.cos(angle) ** 2)) / (2 * pi)
    return density


def _excess_over_independence(row: Floats, column: Floats, angle: Floats) -> Floats:
    """The probability beyond the product of the margins, by Gauss-Legendre quadrature over the angle."""
    points = angle[:, None] * (NODES + 1) / 2
    heights = _density_in_angle(row[:, None], column[:, None], points)
    total: Floats = (heights @ WEIGHTS) * angle / 2
    return total


def _variance(cells: tuple[Floats, Floats, Floats, Floats], row: Floats, column: Floats, r: Floats) -> Floats:
    """Delta method: what one patient in each cell moves the correlation by, over the bivariate density."""
    n, spread = sum(cells), np.sqrt(1 - r**2)
    density = np.exp(-(row**2 + column**2 - 2 * r * row * column) / (2 * spread**2)) / (2 * pi * spread)
    by_row, by_column = ndtr((column - r * row) / spread), ndtr((row - r * column) / spread)
    moves = (1 - by_row - by_column, -by_row, -by_column, np.zeros_like(r))
    mean = sum(cell * move for cell, move in zip(cells, moves, strict=True)) / n
    square = sum(cell * move**2 for cell, move in zip(cells, moves, strict=True)) / n
    variance: Floats = (square - mean**2) / (n * density**2)
    return variance
