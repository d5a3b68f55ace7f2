"""Each row's part of the score, with the Efron terms of tied events; its product with the covariance is dfbeta.

References
----------
Lin and Wei 1989 (doi:10.1080/01621459.1989.10478874); weights: Binder 1992 (doi:10.1093/biomet/79.1.139)
"""

from __future__ import annotations

import numpy as np

from counterpulse.survival.follow_up import Floats
from counterpulse.survival.partial_likelihood import (
    RiskBlock,
    RiskState,
    block_bounds,
    chunks,
    cumulative_hazards,
    risk_block,
)
from counterpulse.survival.risk_sets import RiskSets, reverse_segmented_cumsum


def to_score_residuals(sets: RiskSets, X: Floats, state: RiskState) -> Floats:
    """Weighted score residuals, shape (n, p). They are written over X, so that a large table needs no second matrix.

    The blocks are made again from the last to the first, so that what a row collects from its own time down to the
    first is a sum of terms of one sign order, not a difference of totals.
    """
    ties = len(state.s11) > 0
    starts = _carried_sums(sets, X, state)
    later = np.zeros(X.shape[1])
    kept = None if sets.entry is None else np.zeros((X.shape[1], sets.m + 1))
    hazards = cumulative_hazards(sets, state.s10, state.s11)
    for (rows, entered, groups), (stop_carry, entry_carry) in zip(
        reversed(block_bounds(sets)), reversed(starts), strict=True
    ):
        block = risk_block(sets, X, state.risk, rows, entered, groups, stop_carry, entry_carry, ties=ties)
        later = _residuals_of_block(sets, X, state, block, hazards, later, kept)
    if kept is not None and sets.entry is not None:
        for low, high in chunks(0, sets.n):
            X.T[:, low:high] -= kept[:, sets.entry.group[low:high]] * state.risk[low:high]
    return X


def _carried_sums(sets: RiskSets, X: Floats, state: RiskState) -> list[tuple[Floats, Floats]]:
    stop_carry, entry_carry = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    carried = []
    for rows, entered, groups in block_bounds(sets):
        carried.append((stop_carry.copy(), entry_carry.copy()))
        risk_block(sets, X, state.risk, rows, entered, groups, stop_carry, entry_carry, ties=False)
    return carried


def _residuals_of_block(
    sets: RiskSets, X: Floats, state: RiskState, block: RiskBlock, hazards: Floats, later: Floats, kept: Floats | None
) -> Floats:
    """Write the residuals of the block's rows over X; returns what the block before it starts from, shape (p,)."""
    g, t, S1, D1 = block.groups, block.tied, block.S1, block.D1
    own = state.s10[g] * S1
    increments = state.s20[g] * S1
    at_tied = sets.tied_groups[t] - g.start
    own[:, at_tied] -= state.s11[t] * D1
    increments[:, at_tied] -= state.s21[t] * D1
    tied = np.zeros_like(S1) if t.stop > t.start else None
    if tied is not None:
        tied[:, at_tied] = state.s21[t] * S1[:, at_tied] - state.s22[t] * D1
    own /= sets.death_weight[g]
    first_of_strata = sets.group_strata[(sets.group_strata >= g.start) & (sets.group_strata < g.stop)] - g.start
    total = reverse_segmented_cumsum(increments, first_of_strata)
    count = g.stop - g.start
    open_from = int(first_of_strata[-1]) if len(first_of_strata) else 0
    if g.stop < sets.m and not np.any(sets.group_strata == g.stop):
        total[:, open_from:] += later[:, None]
    padded = np.concatenate((total, np.zeros((len(total), 1))), axis=1)
    if kept is not None:
        kept[:, g] = total
    for low, high in chunks(block.rows.start, block.rows.stop):
        group = sets.group[low:high]
        local = np.where(group < sets.m, group - g.start, count)
        _write(sets, X, state, hazards, low, high, padded, local, own, tied)
    return total[:, 0].copy() if count else later


def _write(
    sets: RiskSets, X: Floats, state: RiskState, hazards: Floats, low: int, high: int,
    total: Floats, local: np.ndarray[tuple[int], np.dtype[np.intp]], own: Floats, tied: Floats | None,
) -> None:  # fmt: skip
    a, b = np.searchsorted(sets.event_rows, (low, high))
    events = sets.event_rows[a:b] - low
    block = X.T[:, low:high]
    collected = total[:, local]
    if tied is not None:
        collected[:, events] -= tied[:, local[events]]
    weight = np.ones(1) if sets.weights is None else sets.weights[low:high][events]
    at_event = (block[:, events] - own[:, local[events]]) * weight
    block *= -hazards[low:high]
    block += collected
    block *= state.risk[low:high]
    block[:, events] += at_event
