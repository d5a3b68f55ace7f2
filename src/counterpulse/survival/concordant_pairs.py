"""Harrell's concordance: how often the one with the higher score has the event first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import nan

import numpy as np
import polars as pl

from counterpulse.results.estimate import Estimate
from counterpulse.results.status import Status
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
    concordant, discordant, tied : pairs where the first to have the event had the higher, the lower, the same score
    """

    concordant: float
    discordant: float
    tied: float

    @property
    def value(self) -> float:
        """The concordance; equal scores count half, nan without a pair."""
        pairs = self.concordant + self.discordant + self.tied
        return (self.concordant + self.tied / 2) / pairs if pairs else nan

    def estimates(self) -> tuple[Estimate, ...]:
        """The concordance, without a standard error."""
        status = Status.OK if self.concordant + self.discordant + self.tied else Status.UNDEFINED
        return (Estimate(term="score", measure="concordance", value=self.value, status=status),)


def concordance(table: pl.DataFrame, *, time: str, event: str, score: str, start: str | None = None) -> Concordance:
    """Count concordant pairs of a score where higher means earlier events.

    Parameters
    ----------
    table : one row a patient, or an interval at risk with `start`
    time, event, start : as for `cox`
    score : a numeric column

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times

    References
    ----------
    Harrell, Lee and Mark 1996 (doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4)
    """
    follow_up = read_follow_up(table, time=time, event=event, start=start, also_complete=[score])
    values = table[score].cast(pl.Float64).to_numpy()[follow_up.rows]
    return count_pairs(follow_up.time, follow_up.event, values, follow_up.start)


def concordance_of(fit: CoxFit) -> Concordance:
    """Concordance of a Cox model's linear predictor in its own rows, within strata; weights are left aside."""
    data = prepare(fit.request)
    score = _equal_made_equal(data.design.X @ (np.nan_to_num(fit.coefficients) * data.scale))
    rows = data.rows
    borders = np.append(data.sets.strata, data.sets.n)
    totals = np.zeros(3)
    for low, high in pairwise(borders.tolist()):
        at = slice(low, high)
        pairs = count_pairs(rows.stop[at], rows.event[at], score[at], None if rows.start is None else rows.start[at])
        totals += (pairs.concordant, pairs.discordant, pairs.tied)
    return Concordance(concordant=totals[0], discordant=totals[1], tied=totals[2])


def count_pairs(time: Floats, event: Bools, score: Floats, start: Floats | None) -> Concordance:
    """Count pairs in O(n log n): an event and someone under observation at its time and event-free beyond it."""
    order = np.lexsort((~event, time))
    _, rank = np.unique(score, return_inverse=True)
    events = np.flatnonzero(event[order])
    times = time[order]
    # those who outlive an event: later times, and the censored at the same time
    ends = np.searchsorted(times[events], times[events], side="right")
    beyond = events[ends - 1] + 1
    threshold = rank[order][events]
    lower, same = _counts_from(rank[order], beyond, threshold)
    if start is not None:
        by_start = np.argsort(start, kind="stable")
        not_yet = np.searchsorted(start[by_start], times[events], side="left")
        late_lower, late_same = _counts_from(rank[by_start], not_yet, threshold)
        lower, same = lower - late_lower, same - late_same
        total = (len(order) - beyond) - (len(order) - not_yet)
    else:
        total = len(order) - beyond
    higher = total - lower - same
    return Concordance(concordant=float(lower.sum()), discordant=float(higher.sum()), tied=float(same.sum()))


def _equal_made_equal(score: Floats) -> Floats:
    """Linear predictors of equal covariates, which may differ by the order of a sum, made equal."""
    size = float(np.abs(score).max(initial=0.0))
    return np.round(score / size, EQUAL_DIGITS) if size > 0 else score


def _counts_from(rank: Indices, begin: Indices, threshold: Indices) -> tuple[Indices, Indices]:
    """For each query: entries of rank[begin:] below the threshold, and equal to it."""
    below = np.zeros(len(begin), dtype=np.intp)
    low, high = begin.copy(), np.full(len(begin), len(rank))
    for bit, zeros, zero_count in _wavelet_levels(rank):
        low_zeros, high_zeros = zeros[low], zeros[high]
        one = (threshold >> bit & 1).astype(bool)
        below += np.where(one, high_zeros - low_zeros, 0)
        low = np.where(one, zero_count + low - low_zeros, low_zeros)
        high = np.where(one, zero_count + high - high_zeros, high_zeros)
    return below, high - low


def _wavelet_levels(rank: Indices) -> Iterator[tuple[int, Indices, int]]:
    """Stable partitions by the bits of the ranks, highest first: bit, zeros before each position, zeros in all."""
    values = rank
    for bit in reversed(range(int(rank.max(initial=0)).bit_length())):
        one = (values >> bit & 1).astype(bool)
        zeros = np.concatenate(([0], np.cumsum(~one)))
        yield bit, zeros, int(zeros[-1])
        values = np.concatenate((values[~one], values[one]))
