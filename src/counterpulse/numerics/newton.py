"""Newton's method with step halving for a concave log-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import solve_symmetric

Floats = NDArray[np.float64]

TOLERANCE = 1e-18
"""Square of the distance to the maximum, in standard errors, at which the last step is taken."""

HALVINGS = 30
ROUNDING = 1e-12
"""A fall of the value by less than this part of it is rounding, not a step too long."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A log-likelihood at a point: its value, its gradient (p,) and the information (p, p)."""

    value: float
    gradient: Floats
    information: Floats


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the ascent ended; `information` is that of the point the last step was taken from."""

    at: Floats
    value: float
    information: Floats
    iterations: int
    converged: bool


def maximize(
    evaluate: Callable[[Floats], Evaluation], start: Floats, *, tolerance: float = TOLERANCE, limit: int = 25
) -> Maximum:
    """Climb from `start` until the Newton decrement ``g' I^-1 g`` is at most `tolerance`."""
    at, here = start, evaluate(start)
    for iteration in range(1, limit + 1):
        try:
            step = solve_symmetric(here.information, here.gradient)
        except np.linalg.LinAlgError:
            return Maximum(at, here.value, here.information, iteration, False)
        decrement = float(step @ here.gradient)
        if decrement <= tolerance:
            return Maximum(at + step, here.value + decrement / 2, here.information, iteration, True)
        taken = climb(evaluate, at, here, step)
        if taken is None:
            return Maximum(at, here.value, here.information, iteration, False)
        at, here = taken
    return Maximum(at, here.value, here.information, limit, False)


def climb(
    evaluate: Callable[[Floats], Evaluation], at: Floats, here: Evaluation, step: Floats
) -> tuple[Floats, Evaluation] | None:
    """Take the step, halved until the value does not fall; None where no step helps."""
    floor = here.value - ROUNDING * abs(here.value)
    for _ in range(HALVINGS):
        there = evaluate(at + step)
        if np.isfinite(there.value) and there.value >= floor:
            return at + step, there
        step = step / 2
    return None
