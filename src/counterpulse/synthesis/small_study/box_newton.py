"""Newton's method for a maximum in a box, for likelihoods that are concave only near it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONVERGED = 1e-18
"""Square of the distance to the maximum, in standard errors, at which the ascent ends."""

ROUNDING = 1e-13
"""A fall of the value by less than this part of it is rounding, not a step too long."""

ROUNDS = 200
HALVINGS = 40
LEAST_CURVATURE = 1e-4
"""Curvature along a direction, relative to the parameters' own, below which a step is no longer than this allows."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A log-likelihood at a point: value, gradient (p,) and matrix of second derivatives (p, p)."""

    value: float
    gradient: Floats
    hessian: Floats


@dataclass(frozen=True, slots=True)
class Peak:
    """Where the ascent ended; `free` marks the parameters that are not held at a bound."""

    at: Floats
    curve: Curve
    free: NDArray[np.bool_]
    converged: bool


def climb_in_box(evaluate: Callable[[Floats], Curve], start: Floats, low: Floats) -> Peak:
    """Climb from `start` with every parameter at or above `low` (-inf for none).

    Directions in which the likelihood curves upward are climbed with their curvature's sign turned.
    """
    at, here = start, evaluate(start)
    for _ in range(ROUNDS):
        free = ~((at <= low) & (here.gradient <= 0))
        step = _step(here, free)
        decrement = float(step @ here.gradient)
        if decrement <= CONVERGED:
            return Peak(at, here, free, _is_concave(here, free))
        taken = _search(evaluate, at, here, step, low)
        if taken is None:
            return Peak(at, here, free, False)
        at, here = taken
    return Peak(at, here, ~((at <= low) & (here.gradient <= 0)), False)


def _step(here: Curve, free: NDArray[np.bool_]) -> Floats:
    step = np.zeros(len(free))
    if not free.any():
        return step
    curvature = -here.hessian[np.ix_(free, free)]
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(curvature)), 1e-300))
    values, vectors = np.linalg.eigh(curvature * np.outer(scale, scale))
    along = vectors.T @ (here.gradient[free] * scale)
    step[free] = scale * (vectors @ (along / np.maximum(np.abs(values), LEAST_CURVATURE)))
    return step


def _search(
    evaluate: Callable[[Floats], Curve], at: Floats, here: Curve, step: Floats, low: Floats
) -> tuple[Floats, Curve] | None:
    """The step, cut at the bounds and halved until the value does not fall; None where it always does."""
    floor = here.value - ROUNDING * (1 + abs(here.value))
    for _ in range(HALVINGS):
        there_at = np.maximum(at + step, low)
        there = evaluate(there_at)
        if np.isfinite(there.value) and there.value >= floor:
            return there_at, there
        step = step / 2
    return None


def _is_concave(here: Curve, free: NDArray[np.bool_]) -> bool:
    return bool((np.linalg.eigvalsh(-here.hessian[np.ix_(free, free)]) > 0).all())
