"""Ticks that a reader expects: 1, 2 or 5 times a power of ten, and doublings on a log axis."""

from __future__ import annotations

from math import ceil, floor, log10

NARROWEST = 1e-9
"""The least range of an axis, as a share of its values (of 1 for small ones): ticks are rounded far below it."""


def linear_ticks(low: float, high: float, *, about: int = 6) -> tuple[float, ...]:
    """Round ticks that cover low to high; a range that no reader could see is one of 1."""
    if high - low <= NARROWEST * max(1.0, abs(low), abs(high)):
        high = low + max(1.0, abs(low))
    rough = (high - low) / about
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return tuple(round(k * step, 12) for k in range(first, last + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round ticks of a log axis that cover low to high, few enough to be read."""
    powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 2)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        known = [float(f"{factor}e{power}") for power in powers for factor in factors]
        first = max(tick for tick in known if tick <= low * 1.0001)
        last = min(tick for tick in known if tick >= high * 0.9999)
        ticks = tuple(tick for tick in known if first <= tick <= last)
        if len(ticks) <= 8:
            return ticks
    return ticks[:: ceil(len(ticks) / 8)]
