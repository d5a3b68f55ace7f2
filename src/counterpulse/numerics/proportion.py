"""Limits of one proportion."""

from __future__ import annotations

from math import sqrt

from counterpulse.numerics.distributions import critical_value


def wilson_limits(events: int, n: int, level: float) -> tuple[float, float]:
    """Wilson's score limits, doi:10.1080/01621459.1927.10502953."""
    z = critical_value(level)
    risk = events / n
    center = (risk + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(risk * (1 - risk) / n + z**2 / (4 * n**2))
    return (0.0 if events == 0 else center - half, 1.0 if events == n else center + half)
