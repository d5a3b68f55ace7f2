"""Who is at risk when in Fine and Gray's model, without a row for each interval of a patient.

A patient whom another cause took at X stays at risk with the weight G(t-)/G(X-), G being the curve of the censoring. The
part that depends on the patient and the part that depends on the time are separate factors, so every sum over a risk set is
a cumulative sum over those followed to t, plus G(t-) times a cumulative sum over those taken before.

References
----------
Fine and Gray 1999 (doi:10.1080/01621459.1999.10474144); weights: Geskus 2011 (doi:10.1111/j.1541-0420.2010.01420.x)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterpulse.survival.censoring_weights import CensoringCurve, censoring_curve
from counterpulse.survival.follow_up import Floats, Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Those whom another cause took, of one stratum of the censoring, in order of time.

    Attributes
    ----------
    rows : shape (c,)
    curve : of the censoring in the stratum
    members : all rows of the stratum
    inverse : 1/G(X-) of the rows, shape (c,)
    uncensored : G(t-) at each event time, shape (m,)
    before : how many of the rows were taken before each event time, shape (m,)
    """

    rows: Indices
    members: Indices
    curve: CensoringCurve
    inverse: Floats
    uncensored: Floats
    before: Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class SubdistributionSets:
    """Rows in order of rising time, and the m distinct times of the cause of interest.

    Attributes
    ----------
    time, weights : of the rows, shape (n,)
    cause : 0 censored, 1 the cause of interest, 2 another, shape (n,)
    event_rows : rows of the cause of interest, shape (e,)
    event_time : shape (m,)
    first : index into `event_rows` of the first at each time, shape (m,)
    deaths : how many have the event at each time, shape (m,)
    death_weight : the sum of their weights, shape (m,)
    begin : the first row followed to each event time, shape (m,)
    passed : event times at or before the time of each row, shape (n,)
    taken : by stratum of the censoring
    events_first : whether an event at a time comes before a censoring at it
    """

    time: Floats
    weights: Floats
    cause: Indices
    event_rows: Indices
    event_time: Floats
    first: Indices
    deaths: Indices
    death_weight: Floats
    begin: Indices
    passed: Indices
    taken: tuple[Taken, ...]
    events_first: bool

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.time)

    @property
    def m(self) -> int:
        """Distinct times of the cause of interest."""
        return len(self.event_time)

    def over_risk_sets(self, values: Floats) -> Floats:
        """Sum values of the rows, shape (q, n), over the risk set of each event time, shape (q, m)."""
        followed = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
        total: Floats = followed[:, self.begin]
        for taken in self.taken:
            if len(taken.rows):
                sums = np.cumsum(values[:, taken.rows] * taken.inverse, axis=1)
                total += _padded(sums)[:, taken.before] * taken.uncensored
        return total

    def over_events(self, values: Floats) -> Floats:
        """Sum values of the rows, shape (q, n), over the events at each time, shape (q, m)."""
        sums: Floats = np.add.reduceat(values[:, self.event_rows], self.first, axis=1)
        return sums

    def collected(self, increments: Floats, tied: Floats) -> Floats:
        """Sum increments of the event times, shape (q, m), over those at which each row is at risk, shape (q, n).

        What an event does not collect at its own, tied, time is `tied`.
        """
        total = _padded(np.cumsum(increments, axis=1))[:, self.passed]
        total[:, self.event_rows] -= np.repeat(tied, self.deaths, axis=1)
        for taken in self.taken:
            later = np.cumsum((increments * taken.uncensored)[:, ::-1], axis=1)[:, ::-1]
            later = np.concatenate((later, np.zeros((len(later), 1))), axis=1)
            total[:, taken.rows] += later[:, self.passed[taken.rows]] * taken.inverse
        return total


def subdistribution_sets(
    time: Floats, cause: Indices, *, weights: Floats | None, strata: Indices | None, events_first: bool
) -> SubdistributionSets:
    """Find the risk sets of rows in order of rising time.

    Parameters
    ----------
    time, cause : of the rows, shape (n,); 0 censored, 1 the cause of interest, 2 another
    weights : of the rows, or None
    strata : codes of the strata within which the censoring is estimated, or None
    events_first : whether an event at a time comes before a censoring at it
    """
    weight = np.ones(len(time)) if weights is None else weights
    event_rows = np.flatnonzero(cause == 1)
    event_time, first, deaths = np.unique(time[event_rows], return_index=True, return_counts=True)
    groups = np.zeros(len(time), dtype=np.intp) if strata is None else strata
    return SubdistributionSets(
        time=time, weights=weight, cause=cause, event_rows=event_rows, event_time=event_time, first=first, deaths=deaths,
        death_weight=np.add.reduceat(weight[event_rows], first) if len(first) else np.zeros(0),
        begin=np.searchsorted(time, event_time, side="left"), passed=np.searchsorted(event_time, time, side="right"),
        taken=tuple(
            _taken(time, cause, weight, np.flatnonzero(groups == code), event_time, events_first)
            for code in range(int(groups.max(initial=-1)) + 1)
        ),
        events_first=events_first,
    )  # fmt: skip


def _taken(
    time: Floats, cause: Indices, weights: Floats, members: Indices, event_time: Floats, events_first: bool
) -> Taken:
    curve = censoring_curve(time[members], cause[members] > 0, weights=weights[members], events_first=events_first)
    rows = members[cause[members] == 2]
    return Taken(
        rows=rows, members=members, curve=curve, inverse=1 / curve.before(time[rows]),
        uncensored=curve.before(event_time), before=np.searchsorted(time[rows], event_time, side="left"),
    )  # fmt: skip


def _padded(sums: Floats) -> Floats:
    """Cumulative sums, shape (q, k), with the empty one before them, shape (q, k + 1)."""
    return np.concatenate((np.zeros((len(sums), 1)), sums), axis=1)
