"""Estimate, interval and p-value after a group sequential test, by the stage-wise ordering."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

from counterpulse.numerics.group_sequential import Boundaries, Region, tail_at_look
from counterpulse.numerics.root import root

REACH = 15.0
"""How many standard errors from z an end of the interval is sought."""

WIDTH = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stagewise:
    """What a group sequential test says about the effect when it ends.

    Attributes
    ----------
    median : median-unbiased estimate, on the scale of estimation
    low, high : confidence interval at one less alpha (one less twice alpha of a one-sided test)
    p_value : of no effect; two-sided for a two-sided test
    """

    median: float
    low: float
    high: float
    p_value: float


def stagewise(test: Boundaries, look: int, z: float, std_error: float) -> Stagewise:
    """Adjust for the looks before the test ended at a look (from 0) with this z value.

    Parameters
    ----------
    test : its boundaries up to full information; futility is taken as not binding
    std_error : of the effect at that look

    References
    ----------
    Jennison and Turnbull 2000, section 8.5.
    """
    timing = test.timing[: look + 1]
    before: list[Region] = [((-c if test.sides == 2 else -inf, c),) for c in test.efficacy[:look]]
    per_unit = sqrt(timing[-1])
    side = test.alpha_spent[-1]

    def end(tail: float) -> float:
        """The effect, in standard errors, under which what was seen has this upper tail."""
        return root(
            lambda x: tail_at_look(timing, before, z, drift=x / per_unit) - tail, z - REACH, z + REACH, width=WIDTH
        )

    upper = tail_at_look(timing, before, z)
    return Stagewise(
        median=std_error * end(0.5), low=std_error * end(side), high=std_error * end(1 - side),
        p_value=2 * min(upper, 1 - upper) if test.sides == 2 else upper,
    )  # fmt: skip
