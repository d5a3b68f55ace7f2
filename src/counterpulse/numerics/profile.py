"""Intervals and tests from the profile of a log-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import solve_symmetric
from counterpulse.numerics.newton import Evaluation, Maximum, climb

Floats = NDArray[np.float64]
LogLikelihood = Callable[[Floats], Evaluation]

CLOSE = 1e-16
"""Square of the last step, in standard errors, at which an end of an interval or a maximum stands."""

LONGEST = 2.0
"""The longest step towards an end, in standard errors."""

LIMIT = 200


def profile_end(evaluate: LogLikelihood, maximum: Maximum, along: Floats, reach: float) -> float:
    """Find where the profile of ``along @ coefficients`` has fallen by ``reach**2 / 2`` from the maximum.

    Newton's method on the score and the likelihood at once (Venzon and Moolgavkar 1988, doi:10.2307/2347496).

    Parameters
    ----------
    along : a linear combination of the coefficients, shape (k,)
    reach : how many standard errors the interval would reach if the likelihood were quadratic; negative for the low end

    Returns
    -------
    The end, or nan where the iteration does not settle.
    """
    target, side = maximum.value - reach**2 / 2, np.sign(reach)
    spread = solve_symmetric(maximum.information, along)
    at = maximum.at + reach * spread / sqrt(along @ spread)
    try:
        for _ in range(LIMIT):
            here = evaluate(at)
            step = _step_to_end(here, along, target, side)
            length = float(step @ here.information @ step)
            at = at + step * min(1.0, LONGEST / sqrt(length) if length > 0 else 1.0)
            if length <= CLOSE:
                return float(along @ at)
    except np.linalg.LinAlgError:
        return nan
    return nan


def _step_to_end(here: Evaluation, along: Floats, target: float, side: float) -> Floats:
    both = solve_symmetric(here.information, np.column_stack((here.gradient, along)))
    ascent, spread = both[:, 0], both[:, 1]
    above = 2 * (here.value - target) + float(here.gradient @ ascent)
    if above >= 0:
        return ascent + side * sqrt(above / float(along @ spread)) * spread
    return ascent - float(along @ ascent) / float(along @ spread) * spread


def constrained_value(evaluate: LogLikelihood, maximum: Maximum, constraints: Floats) -> float:
    """Maximize the log-likelihood where ``constraints @ coefficients`` is zero; nan where that fails.

    Parameters
    ----------
    constraints : shape (m, k), full row rank
    """
    try:
        at = maximum.at - _onto(maximum.information, constraints, maximum.at)
        here = evaluate(at)
        for _ in range(LIMIT):
            ascent = solve_symmetric(here.information, here.gradient)
            step = ascent - _onto(here.information, constraints, ascent)
            if float(step @ here.information @ step) <= CLOSE:
                return here.value
            taken = climb(evaluate, at, here, step)
            if taken is None:
                return nan
            at, here = taken
    except np.linalg.LinAlgError:
        return nan
    return nan


def _onto(information: Floats, constraints: Floats, vector: Floats) -> Floats:
    """Project `vector` in the metric of the information onto what the constraints forbid."""
    spread = solve_symmetric(information, constraints.T)
    part: Floats = spread @ np.linalg.solve(constraints @ spread, constraints @ vector)
    return part
