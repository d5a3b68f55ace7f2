"""Who is at risk when: rows sorted so that every risk set is a prefix of its stratum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterpulse.survival.follow_up import Bools, Floats, FollowUp, Indices, time_order

CHUNK_ROWS = 8192
"""Rows worked on at once: 20 columns of them stay in the second-level cache."""

RUN = 16
"""Numbers whose cumulative sums are one row of a matrix product."""

RUNNING_SUM = np.triu(np.ones((RUN, RUN)))

FEW_STRATA = 32
"""Up to so many segments are summed one by one; more of them all at once, by doubling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Late entry: the rows in order of falling start within stratum, and where each event time stands in it.

    Attributes
    ----------
    order : rows, shape (n,)
    end : rows of `order` before the end of those not yet under observation, an event time, shape (m,)
    group : index of the first event time at or before the start of a row, shape (n,)
    """

    order: Indices
    end: Indices
    group: Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSets:
    """Sorted rows (stratum, falling time) and the m distinct event times of all strata.

    Attributes
    ----------
    event, weights : of the sorted rows, shape (n,)
    strata : first row of each stratum
    group_strata : first event time of each stratum that has one
    end : rows up to the end of the risk set of an event time, shape (m,)
    deaths : events at an event time, shape (m,)
    death_weight : sum of their weights, shape (m,)
    time, stratum : of an event time, shape (m,)
    tied_groups : event times with several events, shape (t,)
    tied_rows : rows of those events
    tied_first : index into `tied_rows` of the first of each, shape (t,)
    group : the first event time at or before the time of a row (m if there is none), shape (n,)
    entry : late entry, or None
    """

    event: Bools
    weights: Floats | None
    strata: Indices
    group_strata: Indices
    end: Indices
    deaths: Indices
    death_weight: Floats
    time: Floats
    stratum: Indices
    tied_groups: Indices
    tied_rows: Indices
    tied_first: Indices
    group: Indices
    entry: Entry | None

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.event)

    @property
    def m(self) -> int:
        """Distinct event times, over strata."""
        return len(self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedRows:
    """Rows of follow-up in the order of `RiskSets`, before the risk sets are made; every array has shape (n,)."""

    stop: Floats
    event: Bools
    start: Floats | None
    weights: Floats | None
    strata: Indices | None

    def every(self, stride: int) -> SortedRows:
        """Every `stride`-th row."""
        return SortedRows(
            stop=self.stop[::stride], event=self.event[::stride],
            start=None if self.start is None else self.start[::stride],
            weights=None if self.weights is None else self.weights[::stride],
            strata=None if self.strata is None else self.strata[::stride],
        )  # fmt: skip


def sort_rows(follow_up: FollowUp) -> tuple[SortedRows, Indices]:
    """Sort by stratum and falling time; returns the sorted rows and the order into `follow_up`."""
    order, stop, start = time_order(follow_up)
    order, stop = order[::-1].copy(), stop[::-1].copy()
    start = None if start is None else start[::-1]
    if follow_up.groups is not None:
        by_stratum = np.argsort(_small(follow_up.groups[order]), kind="stable")
        order, stop = order[by_stratum], stop[by_stratum]
        start = None if start is None else start[by_stratum]
    rows = SortedRows(
        stop=stop, event=follow_up.event[order], start=start,
        weights=None if follow_up.weights is None else follow_up.weights[order],
        strata=None if follow_up.groups is None else follow_up.groups[order],
    )  # fmt: skip
    return rows, order


def make_risk_sets(rows: SortedRows) -> RiskSets:
    """Find the event times of sorted rows and who is at risk at each."""
    n = len(rows.stop)
    change = np.ones(n, dtype=bool)
    change[1:] = rows.stop[1:] != rows.stop[:-1]
    strata = np.zeros(min(n, 1), dtype=np.intp)
    if rows.strata is not None and n:
        border = np.concatenate(([True], rows.strata[1:] != rows.strata[:-1]))
        strata = np.flatnonzero(border)
        change |= border
    first = np.flatnonzero(change)
    last = np.append(first[1:], n)[: len(first)]
    event_rows = np.flatnonzero(rows.event)
    events_up_to = np.cumsum(rows.event, dtype=np.int32)
    events = np.diff(events_up_to[last - 1], prepend=np.int32(0))
    has_event = events > 0
    deaths = events[has_event].astype(np.intp)
    first_event = _starts(deaths)
    death_weight = deaths.astype(np.float64)
    if rows.weights is not None and len(deaths):
        death_weight = np.add.reduceat(rows.weights[event_rows], first_event)
    tied = np.flatnonzero(deaths > 1)
    begin = first[has_event]
    stratum = np.searchsorted(strata, begin, side="right") - 1
    end = last[has_event]
    return RiskSets(
        event=rows.event, weights=rows.weights, strata=strata,
        group_strata=np.flatnonzero(np.diff(stratum, prepend=-1)) if len(stratum) else stratum,
        end=end, deaths=deaths,
        death_weight=death_weight, time=rows.stop[begin], stratum=stratum, tied_groups=tied,
        tied_rows=event_rows[np.repeat(deaths > 1, deaths)], tied_first=_starts(deaths[tied]),
        group=_group_of_rows(n, strata, end, stratum),
        entry=None if rows.start is None else _entry(rows.start, strata, rows.stop[begin], stratum),
    )  # fmt: skip


def segmented_cumsum(values: Floats, starts: Indices) -> Floats:
    """Cumulative sums along the last axis that begin anew at every position of `starts`; exact, not by subtraction."""
    length = values.shape[-1]
    inner = starts[(starts > 0) & (starts < length)]
    if len(inner) < FEW_STRATA:
        total = np.empty_like(values)
        for low, high in zip((0, *inner), (*inner, length), strict=True):
            _cumsum(values[..., low:high], total[..., low:high])
        return total
    since = np.arange(length) - np.repeat(np.append(0, inner), np.diff(np.concatenate(([0], inner, [length]))))
    total, step = values.copy(), 1
    while step <= since.max():
        total[..., step:] += np.where(since[step:] >= step, total[..., :-step], 0.0)
        step *= 2
    return total


def _cumsum(values: Floats, out: Floats) -> None:
    """Cumulative sums along the last axis: a triangular product within short runs, then what comes before each run.

    Twice as fast as NumPy's, which adds one number after the other and lets no other thread run.
    """
    count = values.shape[-1] // RUN
    whole = count * RUN
    shape = (*values.shape[:-1], count, RUN)
    runs = out[..., :whole].reshape(shape)
    np.matmul(values[..., :whole].reshape(shape), RUNNING_SUM, out=runs)
    runs[..., 1:, :] += np.cumsum(runs[..., :-1, -1], axis=-1)[..., None]
    np.cumsum(values[..., whole:], axis=-1, out=out[..., whole:])
    if whole:
        out[..., whole:] += out[..., whole - 1 : whole]


def reverse_segmented_cumsum(values: Floats, starts: Indices) -> Floats:
    """Sums from each position to the end of its segment, along the last axis."""
    length = values.shape[-1]
    inner = starts[(starts > 0) & (starts < length)]
    return segmented_cumsum(values[..., ::-1], (length - inner)[::-1])[..., ::-1]


def _group_of_rows(n: int, strata: Indices, end: Indices, stratum: Indices) -> Indices:
    """Find the first event time at or before each row's time, in its stratum; m where there is none."""
    passed = np.zeros(n + 1, dtype=np.int8)
    passed[end] = 1
    group = np.cumsum(passed[:n], dtype=np.intp)
    if len(strata) == 1:
        return group
    row_stratum = np.repeat(np.arange(len(strata)), np.diff(np.append(strata, n)))
    return _in_stratum(group, row_stratum, stratum, len(end))


def _starts(counts: Indices) -> Indices:
    """Where each of consecutive runs of these lengths begins."""
    return (np.cumsum(counts) - counts).astype(np.intp)


def _in_stratum(group: Indices, row_stratum: Indices, stratum: Indices, m: int) -> Indices:
    group[np.append(stratum, -1)[group] != row_stratum] = m
    return group


def _entry(start: Floats, strata: Indices, time: Floats, stratum: Indices) -> Entry:
    n, m = len(start), len(time)
    _, rank = np.unique(np.concatenate((start, time)), return_inverse=True)
    later = int(rank.max(initial=0)) - rank
    span = int(later.max(initial=0)) + 1
    row_stratum = np.repeat(np.arange(len(strata)), np.diff(np.append(strata, n)))
    row_key, time_key = row_stratum * span + later[:n], stratum * span + later[n:]
    order = np.argsort(row_key, kind="stable")
    return Entry(
        order=order,
        end=np.searchsorted(row_key[order], time_key, side="right"),
        group=_in_stratum(np.searchsorted(time_key, row_key, side="left"), row_stratum, stratum, m),
    )


def _small(codes: Indices) -> Indices | np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Codes in the narrowest type that a radix sort takes."""
    return codes.astype(np.int16) if len(codes) and codes.max() < 2**15 else codes
