"""Newcombe's hybrid score limits of the risk difference (method 10 of Stat Med 1998;17:873-90)."""

from __future__ import annotations

from math import hypot

from counterpulse.numerics.proportion import wilson_limits
from counterpulse.two_groups.two_by_two import TwoByTwo


def newcombe_limits(counts: TwoByTwo, level: float) -> tuple[float, float]:
    """Wilson limits of each risk, squared and added; doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I."""
    treated, reference = counts.risk_treated, counts.risk_reference
    low_treated, high_treated = wilson_limits(counts.events_treated, counts.n_treated, level)
    low_reference, high_reference = wilson_limits(counts.events_reference, counts.n_reference, level)
    difference = treated - reference
    low = difference - hypot(treated - low_treated, high_reference - reference)
    high = difference + hypot(high_treated - treated, reference - low_reference)
    return max(low, -1.0), min(high, 1.0)
