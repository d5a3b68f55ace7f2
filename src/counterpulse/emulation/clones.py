"""Clones: every patient once under each strategy, followed until first deviating from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.survival.follow_up import merge_close

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """The clones under one strategy, by falling time; every array has shape (n,).

    Attributes
    ----------
    patient : position of the patient
    time : end of follow-up, or of following the strategy
    event : whether it ended with the event
    deviated : whether it ended because the patient left the strategy (artificial censoring)
    until : end of the time in which the patient could leave it, at most `time`
    """

    patient: Indices
    time: Floats
    event: Bools
    deviated: Bools
    until: Floats

    def at_risk(self, times: Floats) -> Indices:
        """How many, from the first, are followed at least to each time."""
        return len(self.time) - np.searchsorted(self.time[::-1], times, side="left")


def clone(time: Floats, event: Bools, exposed_at: Floats, until: Floats, grace: float) -> tuple[Arm, Arm]:
    """Clone patients to "exposed within the grace period" and "never exposed".

    Parameters
    ----------
    time, event, exposed_at, until : shape (n,); `exposed_at` is infinite for those never exposed, and nobody is exposed after
        `until`

    Notes
    -----
    Who is unexposed and could be exposed beyond the grace period leaves the first strategy at its end; who is exposed leaves the
    second at that time. What happens at the end of the grace period happens within it; exposure and death at one time
    are in this order. Times that differ by rounding are one time.
    """
    n = len(time)
    values = np.concatenate((time, exposed_at, until, [grace]))
    order = np.argsort(values, kind="stable")
    known = order[np.isfinite(values[order])]
    values[known] = merge_close(values[known])
    time, exposed_at, until, grace = values[:n], values[n : 2 * n], values[2 * n : -1], float(values[-1])
    late = (exposed_at > grace) & (until > grace)
    exposed = exposed_at <= time
    return (
        _arm(np.where(late, grace, time), event & ~late, late, until),
        _arm(np.where(exposed, exposed_at, time), event & ~exposed, exposed, until),
    )


def _arm(time: Floats, event: Bools, deviated: Bools, until: Floats) -> Arm:
    order = np.argsort(-time, kind="stable")
    return Arm(
        patient=order, time=time[order], event=event[order], deviated=deviated[order],
        until=np.minimum(time, until)[order],
    )  # fmt: skip
