"""The course of a dummy patient after time zero: death, discharge, last contact, other events, start of exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.protocol.nodes import ProtocolNode

Hours = NDArray[np.float64]
WITHOUT_HORIZON = 180 * 24.0
HAZARD_TO_HORIZON = 0.7  # half of the patients die before the horizon
EARLY = 0.6  # shape below one: most deaths come early
LOST = 0.05
OTHER_EVENT = 0.25


@dataclass(frozen=True, slots=True)
class Course:
    """Hours from time zero to what happened, by column, shape (n,); infinite where it did not happen."""

    hours: Mapping[str, Hours]
    died: NDArray[np.bool_]


def draw_course(nodes: ProtocolNode, random: np.random.Generator, limit: Hours, *, always_exposed: bool) -> Course:
    """Draw when each patient died, left, was last seen, had another event, and began the exposure.

    `limit` is when watching ends at the latest, hours from time zero, shape (n,). Where everybody is `always_exposed`, an
    exposure that would come too late begins halfway; otherwise it never begins.
    """
    follow_up, n = nodes.follow_up, limit.size
    horizon = max((item.horizon.hours for item in nodes.outcomes.values() if item.horizon), default=WITHOUT_HORIZON)
    death = horizon * (random.exponential(size=n) / HAZARD_TO_HORIZON) ** (1 / EARLY)
    discharge = np.minimum(horizon / 2 * random.lognormal(0.0, 0.5, n), limit)
    watched = np.where(random.random(n) < LOST, random.uniform(0.02, 1, n), random.uniform(1, 3, n)) * horizon
    watched = np.minimum(watched, limit)
    in_hospital = follow_up is not None and follow_up.discharge is not None
    died = death < (discharge if in_hospital else watched)
    end = np.where(died, death, np.maximum(discharge, watched) if in_hospital else watched)
    hours = _events(nodes, random, np.minimum(end, horizon)) | _exposure(
        nodes, random, end, horizon, always=always_exposed
    )
    if follow_up is not None:
        ends = {
            follow_up.death: np.where(died, death, np.inf),
            follow_up.discharge: np.where(died, np.inf, discharge),
            follow_up.last_seen: end,
        }
        hours |= {name: values for name, values in ends.items() if name is not None}
    return Course(hours, died)


def _events(nodes: ProtocolNode, random: np.random.Generator, before: Hours) -> dict[str, Hours]:
    """Dates that an outcome names as its event, in some patients."""
    named = [
        name
        for outcome in nodes.outcomes.values()
        if outcome.type in ("time-to-event", "composite")
        for name in (outcome.event, outcome.competing, *(outcome.first_of or ()))
        if name is not None
    ]
    return {
        name: np.where(random.random(before.size) < OTHER_EVENT, random.random(before.size) * before, np.inf)
        for name in dict.fromkeys(named)
    }


def _exposure(
    nodes: ProtocolNode, random: np.random.Generator, end: Hours, horizon: float, *, always: bool
) -> dict[str, Hours]:
    """Begin the exposure when it happens to, whoever is still there: so it has no effect, and waiting for it shows."""
    exposure, immortal = nodes.exposure, nodes.immortal_time
    if exposure is None or exposure.starts is None:
        return {}
    typical = immortal.at[0].hours / 3 if immortal is not None and immortal.at else horizon / 20
    start = random.exponential(typical, end.size)
    late = end / 2 if always else np.full(end.size, np.inf)
    start = np.where(start < end, start, late)
    if exposure.starts in exposure.given:  # the date alone says who was treated: leave half of them without
        start = np.where(random.random(end.size) < 0.5, start, np.inf)
    if exposure.stops is None:
        return {exposure.starts: start}
    with np.errstate(invalid="ignore"):
        stop = np.where(np.isfinite(start), start + (end - start) * random.random(end.size), np.inf)
    return {exposure.starts: start, exposure.stops: stop}
