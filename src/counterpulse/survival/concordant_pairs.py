"""Concordance: how often the one with the higher score has the event first, by Harrell or by Uno."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, nan
from typing import Literal

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.survival.censoring_weights import censoring_curve
from counterpulse.survival.cox_data import prepare
from counterpulse.survival.cox_model import CoxFit
from counterpulse.survival.follow_up import Bools, Floats, Indices, read_follow_up

EQUAL_DIGITS = 12
"""Linear predictors that agree to so many digits of the largest one are equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concordance:
    """Pairs of which it is known who had the event first.

    Attributes
    ----------
    concordant, discordant, tied : pairs where the first to have the event had the higher, the lower, the same score;
        by Uno, sums of the weights of such pairs
    std_error : infinitesimal jackknife
    influence : of each row used on the concordance, shape (n,)
    """

    concordant: float
    discordant: float
    tied: float
    std_error: float = nan
    level: float = 0.95
    influence: Floats = field(default_factory=lambda: np.empty(0), repr=False)

    @property
    def value(self) -> float:
        """The concordance; equal scores count half, nan without a pair."""
        pairs = self.concordant + self.discordant + self.tied
        return (self.concordant + self.tied / 2) / pairs if pairs else nan

    def estimates(self) -> tuple[Estimate, ...]:
        """The concordance with its interval, where it has a standard error."""
        if not isfinite(self.value):
            return (no_estimate("concordance", Status.UNDEFINED, term="score"),)
        return (wald_estimate("concordance", self.value, self.std_error, self.level, term="score"),)


def concordance(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    score: str,
    start: str | None = None,
    weights: Literal["harrell", "uno"] = "harrell",
    until: float | None = None,
    level: float = 0.95,
) -> Concordance:
    """Count concordant pairs of a score where higher means earlier events.

    Parameters
    ----------
    table : one row a patient, or an interval at risk with `start`
    time, event, start : as for `cox`
    score : a numeric column
    weights : "harrell" counts pairs; "uno" weighs an event by the inverse square of the probability of being uncensored
        until just before it, so that the result does not depend on the censoring
    until : only events up to this time count

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, Uno's weights with late entry

    Notes
    -----
    The standard error is the infinitesimal jackknife over rows (R: ``survival::concordance``); Uno's weights count as
    known in it.

    References
    ----------
    Harrell, Lee and Mark 1996 (doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4);
    Uno 2011 (doi:10.1002/sim.4154)
    """
    if weights not in ("harrell", "uno"):
        raise InputError(f"weights={weights!r} is not known; use 'harrell' or 'uno'")
    if weights == "uno" and start is not None:
        raise InputError("Uno's weights are for patients observed from time zero; take `start` out, or use 'harrell'")
    follow_up = read_follow_up(table, time=time, event=event, start=start, also_complete=[score])
    values = table[score].cast(pl.Float64).to_numpy()[follow_up.rows]
    ended, happened = follow_up.time, follow_up.event
    by_event = None
    if weights == "uno":
        by_event = censoring_curve(ended, happened).before(ended) ** -2.0
    if until is not None:
        by_event = np.where(ended <= until, 1.0 if by_event is None else by_event, 0.0)
    sums = pair_sums(ended, happened, values, follow_up.start, by_event)
    return _concordance([sums], level)


def compare_concordances(
    table: pl.DataFrame, *, time: str, event: str, first: str, second: str, level: float = 0.95
) -> Estimate:
    """Difference in Harrell's concordance of two scores of the same patients: first less second.

    Parameters
    ----------
    table : one row a patient; rows with a missing value are left out
    time, event : as for `cox`
    first, second : numeric columns

    Raises
    ------
    InputError : as `concordance`

    References
    ----------
    Kang 2015 (doi:10.1002/sim.6370)
    """
    complete = table.drop_nulls([time, event, first, second])
    one, two = (concordance(complete, time=time, event=event, score=score) for score in (first, second))
    if not (isfinite(one.value) and isfinite(two.value)):
        return no_estimate("difference in concordance", Status.UNDEFINED, term=first)
    apart = one.influence - two.influence
    return wald_estimate(
        "difference in concordance", one.value - two.value, float(np.sqrt(apart @ apart)), level, term=first,
        reference=second, null=0.0,
    )  # fmt: skip


def _concordance(parts: list[PairSums], level: float = 0.95) -> Concordance:
    """Of everybody's pairs, in one or several strata; each pair stands with both of its members."""
    concordant, tied, pairs = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("concordant", "tied", "pairs")
    )
    total = float(pairs.sum())
    if not total:
        return Concordance(concordant=0.0, discordant=0.0, tied=0.0, level=level)
    value = float((concordant + tied / 2).sum()) / total
    influence = 2 * (concordant + tied / 2 - value * pairs) / total
    return Concordance(
        concordant=float(concordant.sum()) / 2, discordant=float((pairs - concordant - tied).sum()) / 2,
        tied=float(tied.sum()) / 2, std_error=float(np.sqrt(influence @ influence)), level=level, influence=influence,
    )  # fmt: skip


def concordance_of(fit: CoxFit) -> Concordance:
    """Concordance of a Cox model's linear predictor in its own rows, within strata; weights are left aside."""
    data = prepare(fit.request)
    score = _equal_made_equal(data.design.X @ (np.nan_to_num(fit.coefficients) * data.scale))
    rows = data.rows
    borders = np.append(data.sets.strata, data.sets.n)
    parts = []
    for low, high in pairwise(borders.tolist()):
        at = slice(low, high)
        begin = None if rows.start is None else rows.start[at]
        parts.append(pair_sums(rows.stop[at], rows.event[at], score[at], begin))
    return _concordance(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSums:
    """The pairs that each row is one of: concordant, with equal scores, and all; shape (n,) each."""

    concordant: Floats
    tied: Floats
    pairs: Floats


def pair_sums(
    time: Floats, event: Bools, score: Floats, start: Floats | None, by_event: Floats | None = None
) -> PairSums:
    """Count the pairs of each row in O(n log n): an event and someone under observation at its time and event-free beyond it.

    `by_event`, shape (n,), is what a pair counts whose first event is that of the row; 1 by default.
    """
    order = np.lexsort((~event, time))
    _, rank = np.unique(score, return_inverse=True)
    ranked, times = rank[order], time[order]
    events = np.flatnonzero(event[order])
    unit = np.ones(len(events)) if by_event is None else by_event[order][events]
    begin = None if start is None else start[order]
    first = _with_those_beyond(ranked, times, events, unit, begin)
    last = _with_events_before(ranked, times, events, unit, begin, event[order])
    out = np.empty((3, len(order)))
    out[:, order] = last
    out[:, order[events]] += first
    return PairSums(concordant=out[0], tied=out[1], pairs=out[2])


def count_pairs(time: Floats, event: Bools, score: Floats) -> float:
    """The concordance alone, in O(n log n) and half the time; nan without a pair."""
    order = np.lexsort((~event, time))
    _, rank = np.unique(score, return_inverse=True)
    events = np.flatnonzero(event[order])
    found = _with_those_beyond(rank[order], time[order], events, np.ones(len(events)), None)
    concordant, tied, pairs = (float(row.sum()) for row in found)
    return (concordant + tied / 2) / pairs if pairs else nan


def _with_those_beyond(ranked: Indices, times: Floats, events: Indices, unit: Floats, begin: Floats | None) -> Floats:
    """Of each event, its pairs with those who outlive it: concordant, tied, all; shape (3, events)."""
    everybody = np.ones(len(ranked))
    # those who outlive an event: later times, and the censored at the same time
    ends = np.searchsorted(times[events], times[events], side="right")
    beyond = events[ends - 1] + 1
    lower, same = _sums_from(ranked, everybody, beyond, ranked[events])
    total = (len(ranked) - beyond).astype(np.float64)
    if begin is not None:
        by_begin = np.argsort(begin, kind="stable")
        not_yet = np.searchsorted(begin[by_begin], times[events], side="left")
        late_lower, late_same = _sums_from(ranked[by_begin], everybody, not_yet, ranked[events])
        lower, same, total = lower - late_lower, same - late_same, total - (len(ranked) - not_yet)
    return np.array([lower, same, total]) * unit


def _with_events_before(
    ranked: Indices, times: Floats, events: Indices, unit: Floats, begin: Floats | None, event: Bools
) -> Floats:
    """Of each row, its pairs with the events it outlives: concordant, tied, all; shape (3, n)."""
    at, scores = times[events], ranked[events]
    upto = np.where(event, np.searchsorted(at, times, side="left"), np.searchsorted(at, times, side="right"))
    from_ = np.zeros(len(ranked), dtype=np.intp) if begin is None else np.searchsorted(at, begin, side="right")
    lower, same = (
        one - other
        for one, other in zip(
            _sums_from(scores, unit, from_, ranked), _sums_from(scores, unit, upto, ranked), strict=True
        )
    )
    totals = np.concatenate(([0.0], np.cumsum(unit)))
    total = totals[upto] - totals[from_]
    return np.array([total - lower - same, same, total])


def _equal_made_equal(score: Floats) -> Floats:
    """Linear predictors of equal covariates, which may differ by the order of a sum, made equal."""
    size = float(np.abs(score).max(initial=0.0))
    return np.round(score / size, EQUAL_DIGITS) if size > 0 else score


def _sums_from(rank: Indices, unit: Floats, begin: Indices, threshold: Indices) -> tuple[Floats, Floats]:
    """For each query: sums of `unit` over the entries of rank[begin:] below the threshold, and equal to it."""
    below = np.zeros(len(begin))
    low, high = begin.copy(), np.full(len(begin), len(rank))
    bits = max(int(rank.max(initial=0)), int(threshold.max(initial=0))).bit_length()
    sums = np.concatenate(([0.0], np.cumsum(unit)))
    for bit, zeros, zero_count, sums in _wavelet_levels(rank, unit, bits):
        low_zeros, high_zeros = zeros[low], zeros[high]
        one = (threshold >> bit & 1).astype(bool)
        below += np.where(one, sums[high_zeros] - sums[low_zeros], 0.0)
        low = np.where(one, zero_count + low - low_zeros, low_zeros)
        high = np.where(one, zero_count + high - high_zeros, high_zeros)
    return below, sums[high] - sums[low]


def _wavelet_levels(rank: Indices, unit: Floats, bits: int) -> Iterator[tuple[int, Indices, int, Floats]]:
    """Stable partitions by the bits of the ranks, highest first.

    Each is the bit, zeros before each position, zeros in all, and the cumulative sums of `unit` after the partition.
    """
    values = rank
    for bit in reversed(range(bits)):
        one = (values >> bit & 1).astype(bool)
        zeros = np.concatenate(([0], np.cumsum(~one)))
        values, unit = (np.concatenate((part[~one], part[one])) for part in (values, unit))
        yield bit, zeros, int(zeros[-1]), np.concatenate(([0.0], np.cumsum(unit)))
