"""The variance at which the weighted residual sum of squares equals a given number: Paule-Mandel, and the Q-profile.

``Q(t) = y'P(t)y`` falls in t and lies between ``r'r / (t + v_max)`` and ``r'r / (t + v_min)`` with r the least-squares
residuals, which brackets the root in advance. Newton's method on ``1 / Q`` stays in the bracket or halves it.
(Paule and Mandel 1982; DerSimonian and Kacker 2007; Viechtbauer 2007, doi:10.1002/sim.2514.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.synthesis.engine.bracketed import root_in_bracket
from counterpulse.synthesis.engine.projection import Projection, project
from counterpulse.synthesis.engine.studies import Studies

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

TOLERANCE = 1e-14
"""Relative change of the variance plus the smallest sampling variance at which the root stands."""


def paule_mandel(studies: Studies) -> Floats:
    """Find where Q equals its expectation, the residual degrees of freedom; 0 where it is below that from the start.

    The empirical Bayes estimator of Morris (1983) solves the same equation.
    """
    return variance_where(studies, studies.df)


def median_unbiased(studies: Studies) -> Floats:
    """Find where Q equals its median (Viechtbauer 2021, doi:10.1002/jrsm.1481 gives the equation)."""
    return variance_where(studies, special.chdtri(studies.df, 0.5))


def profile_ends(studies: Studies, level: float) -> tuple[Floats, Floats]:
    """Q-profile interval of the variance, ends of shape (B,) each; both 0 where even the high end is below 0.

    nan without residual degrees of freedom.
    """
    tail = (1 - level) / 2
    sets = np.arange(len(studies.k))
    targets = np.concatenate((special.chdtri(studies.df, tail), special.chdtri(studies.df, 1 - tail)))
    low, high = np.split(variance_where(studies.take(np.concatenate((sets, sets))), targets), 2)
    return low, high


def variance_where(studies: Studies, target: Floats) -> Floats:
    """Solve ``Q(t) = target`` for t >= 0; shape (B,). 0 where Q(0) is below the target."""
    target = np.where((studies.df > 0) & (target > 0), target, np.nan)
    squares = (studies.y**2).sum(axis=0)
    low = np.maximum(squares / target - studies.finite_v.max(axis=0), 0.0)
    high = squares / target - studies.v.min(axis=0)
    at_zero = project(studies, 1 / studies.v).quadratic()
    out = np.where(np.isnan(target + at_zero), np.nan, 0.0)
    open_ = np.flatnonzero((at_zero > target) & (high > 0))
    out[open_] = _newton(studies.take(open_), target[open_], low[open_], np.maximum(high, low)[open_])
    return out


def _newton(studies: Studies, target: Floats, low: Floats, high: Floats) -> Floats:
    def step(fit: Projection, t: Floats, active: Indices) -> tuple[Flags, Floats]:
        value, aim = fit.quadratic(), target[active]
        return value > aim, t + value / fit.square() * (value / aim - 1)

    return root_in_bracket(studies, step, start=low, low=low, high=high, tolerance=TOLERANCE)
