"""Where a monotone function of a log ratio reaches a value."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from scipy.optimize import brentq

WIDEST = 100.0
"""Log ratios are searched until about minus and plus this; beyond, the answer is infinite."""


def crossing(falling: Callable[[float], float], target: float) -> float:
    """The value at which `falling`, a function that does not rise, reaches `target`; bracketed from 0 outward."""
    low, high, step = 0.0, 0.0, 1.0
    while falling(low) < target:
        if low < -WIDEST:
            return -inf
        low, step = low - step, 2 * step
    step = 1.0
    while falling(high) > target:
        if high > WIDEST:
            return inf
        high, step = high + step, 2 * step
    return root_between(falling, target, low, high)


def root_between(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """The value in [low, high] at which `function` reaches `target`, to the last digits."""
    if low == high:
        return low
    return float(brentq(lambda value: function(value) - target, low, high, xtol=1e-14, rtol=1e-14, maxiter=500))
