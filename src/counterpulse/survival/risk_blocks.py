"""Sums of risk-weighted covariates over risk sets, in blocks of event times that are worked on side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from counterpulse.numerics.blocks import map_blocks
from counterpulse.survival.follow_up import Floats, Indices
from counterpulse.survival.risk_sets import CHUNK_ROWS, RiskSets, segmented_cumsum

Result = TypeVar("Result")

SERIAL_PRODUCT = 2**18
"""Multiplications of a matrix product up to which OpenBLAS stays on one thread."""


@dataclass(frozen=True, slots=True)
class RiskBlock:
    """Consecutive event times with the sums over their risk sets.

    Attributes
    ----------
    rows : the sorted rows that belong to no earlier block
    groups : indices of the event times, at most `CHUNK_ROWS`
    tied : which of the times with tied events are among them; empty where ties do not matter
    S1 : sums of r x over the risk sets, shape (p, event times)
    D1 : sums of r x over the tied events, shape (p, times with tied events)
    """

    rows: slice
    groups: slice
    tied: slice
    S1: Floats
    D1: Floats


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Rows, rows in order of entry, and event times of a block."""

    rows: slice
    entered: slice
    groups: slice


def map_risk_blocks(
    sets: RiskSets, X: Floats, risk: Floats, work: Callable[[RiskBlock], Result], *, ties: bool, overwrites: bool = False
) -> list[Result]:  # fmt: skip
    """Apply `work` to every block, in any order; every row is in exactly one block.

    Parameters
    ----------
    X : covariates of the sorted rows, shape (n, p)
    risk : r of the sorted rows, shape (n,)
    ties : whether the sums over tied events are wanted
    overwrites : `work` changes the rows of X of its block
    """
    bounds = _block_bounds(sets)
    carried = _carried_sums(sets, X, risk, bounds)

    def work_on(index: int) -> Result:
        return work(_risk_block(sets, X, risk, bounds[index], *carried[index], ties=ties))

    # With late entry a block reads rows of blocks before it: then from the last block to the first, in turn.
    in_turn = overwrites and sets.entry is not None
    return map_blocks(work_on, reversed(range(len(bounds))), rows=0 if in_turn else sets.n)[::-1]


def chunks(rows: slice) -> Iterator[slice]:
    """Consecutive slices of at most `CHUNK_ROWS` rows."""
    for low in range(rows.start, rows.stop, CHUNK_ROWS):
        yield slice(low, min(low + CHUNK_ROWS, rows.stop))


def wide_product(A: Floats, B: Floats) -> Floats:
    """``A @ B.T`` of short and wide matrices, shapes (p, k) and (q, k), in pieces that BLAS multiplies on one thread.

    Its threads would wait for each other longer than they work. NumPy lets other threads run meanwhile, which it does
    not for a product of two matrices.
    """
    p, k = A.shape
    length = max(64, SERIAL_PRODUCT // max(p * p, 1))
    count = k // length
    whole = count * length
    total = A[:, whole:] @ B[:, whole:].T
    if count:
        left, right = (M[:, :whole].reshape(len(M), count, length).transpose(1, 0, 2) for M in (A, B))
        total += (left @ right.transpose(0, 2, 1)).sum(axis=0)
    return np.asarray(total, dtype=np.float64)


def _block_bounds(sets: RiskSets) -> list[_Bounds]:
    bounds: list[_Bounds] = []
    group = row = entered = 0
    while group < sets.m or row < sets.n:
        last = min(sets.m, max(group + 1, int(np.searchsorted(sets.end, row + CHUNK_ROWS, side="right"))))
        done = last >= sets.m
        row_end = sets.n if done else int(sets.end[last - 1])
        entry_end = sets.n if done else row_end if sets.entry is None else int(sets.entry.end[last - 1])
        bounds.append(_Bounds(slice(row, row_end), slice(entered, entry_end), slice(group, last)))
        group, row, entered = last, row_end, entry_end
    return bounds


def _carried_sums(sets: RiskSets, X: Floats, risk: Floats, bounds: list[_Bounds]) -> list[tuple[Floats, Floats]]:
    """Sums of r x from the start of the stratum to the start of each block, over rows and over late entries."""
    nothing = np.zeros(X.shape[1])

    def sums(block: _Bounds) -> tuple[Floats, bool, Floats, bool]:
        entered = (
            (nothing, True) if sets.entry is None
            else _sum_since_stratum(sets, X, risk, block.entered, sets.entry.order)
        )  # fmt: skip
        return *_sum_since_stratum(sets, X, risk, block.rows, None), *entered

    stopped = entered = nothing
    carried = []
    for stops, stops_anew, entries, entries_anew in map_blocks(sums, bounds, rows=sets.n):
        carried.append((stopped, entered))
        stopped = stops if stops_anew else stopped + stops
        entered = entries if entries_anew else entered + entries
    return carried


def _sum_since_stratum(
    sets: RiskSets, X: Floats, risk: Floats, rows: slice, order: Indices | None
) -> tuple[Floats, bool]:
    """Sum r x over the rows, from the last start of a stratum among them; and whether there is one."""
    last = int(sets.strata[np.searchsorted(sets.strata, rows.stop) - 1]) if rows.stop else 0
    since = slice(max(last, rows.start), rows.stop)
    terms = X.T[:, since] if order is None else np.take(X.T, order[since], axis=1)
    weights = risk[since] if order is None else risk[order[since]]
    return wide_product(terms, weights[None, :])[:, 0], last >= rows.start


def _risk_block(
    sets: RiskSets, X: Floats, risk: Floats, bounds: _Bounds, stop_carry: Floats, entry_carry: Floats, *, ties: bool
) -> RiskBlock:
    groups = bounds.groups
    p = X.shape[1]
    S1 = np.zeros((p, groups.stop - groups.start))
    a, b = np.searchsorted(sets.tied_groups, (groups.start, groups.stop)) if ties else (0, 0)
    tied = slice(int(a), int(b))
    D1 = np.zeros((p, tied.stop - tied.start))
    _prefix_sums(sets, X, risk, bounds.rows, None, sets.end[groups], S1, stop_carry)
    if tied.stop > tied.start:
        _event_sums(sets, X, risk, tied, D1)
    if sets.entry is not None:
        left = np.zeros_like(S1)
        ends = sets.entry.end[groups]
        _prefix_sums(sets, X, risk, bounds.entered, sets.entry.order, ends, left, entry_carry)
        left[:, ends == sets.strata[sets.stratum[groups]]] = 0.0
        S1 -= left
    return RiskBlock(bounds.rows, groups, tied, S1, D1)


def _prefix_sums(
    sets: RiskSets, X: Floats, risk: Floats, rows: slice, order: Indices | None, marks: Indices,
    out: Floats, carry: Floats,
) -> None:  # fmt: skip
    """Write the sums of r x from the start of the stratum up to each (rising) mark into `out`; `carry` goes up to the rows."""
    done = int(np.searchsorted(marks, rows.start, side="right"))
    out[:, :done] = carry[:, None]
    for chunk in chunks(rows):
        low, high = chunk.start, chunk.stop
        terms = X.T[:, chunk] * risk[chunk] if order is None else _weighted(X, risk, order[chunk])
        starts = sets.strata[np.searchsorted(sets.strata, low) : np.searchsorted(sets.strata, high)] - low
        total = segmented_cumsum(terms, starts)
        total[:, : int(starts[0]) if len(starts) else high - low] += carry[:, None]
        until = int(np.searchsorted(marks, high, side="right"))
        out[:, done:until] = np.take(total, marks[done:until] - 1 - low, axis=1)
        done = until
        carry = total[:, -1].copy()


def _event_sums(sets: RiskSets, X: Floats, risk: Floats, tied: slice, D1: Floats) -> None:
    """Write the sums of r x over the tied events of each time into `D1`."""
    first, count = sets.tied_first[tied], sets.deaths[sets.tied_groups[tied]]
    start, stop = int(first[0]), int(first[-1] + count[-1])
    group = np.repeat(np.arange(len(first)), count)
    for chunk in chunks(slice(start, stop)):
        rows = sets.tied_rows[chunk]
        inside = group[chunk.start - start : chunk.stop - start]
        begins = np.flatnonzero(np.diff(inside, prepend=-1))
        D1[:, inside[begins]] += np.add.reduceat(_weighted(X, risk, rows), begins, axis=1)


def _weighted(X: Floats, risk: Floats, rows: Indices) -> Floats:
    """``r x`` of rows picked, shape (p, rows)."""
    terms = np.take(X.T, rows, axis=1)
    terms *= risk[rows]
    return terms
