"""A root of a function of one number."""

from __future__ import annotations

from collections.abc import Callable
from math import nan


def root(function: Callable[[float], float], low: float, high: float, *, width: float) -> float:
    """Find where a continuous function is zero to within `width` by Brent's method; nan where the ends have one sign."""
    from scipy.optimize import brentq

    at_low, at_high = function(low), function(high)
    if at_low == 0:
        return low
    if not at_low * at_high <= 0:
        return nan
    return float(brentq(function, low, high, xtol=max(width, 1e-300), rtol=1e-14))
