"""Each row's part of the score, with the Efron terms of tied events; its product with the covariance is dfbeta.

References
----------
Lin and Wei 1989 (doi:10.1080/01621459.1989.10478874); weights: Binder 1992 (doi:10.1093/biomet/79.1.139)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterpulse.numerics.blocks import map_blocks
from counterpulse.numerics.linear_algebra import row_blocks
from counterpulse.survival.follow_up import Floats
from counterpulse.survival.partial_likelihood import CumulativeHazards, RiskState, cumulative_hazards
from counterpulse.survival.risk_blocks import RiskBlock, chunks, map_risk_blocks
from counterpulse.survival.risk_sets import CHUNK_ROWS, RiskSets, reverse_segmented_cumsum


@dataclass(frozen=True, slots=True)
class _Collected:
    """What a block's rows collect from its own event times, and which of them collect from later blocks too.

    Attributes
    ----------
    rows : of the block
    groups : event times of the block's last stratum
    whole : whether those are all of the block
    total : what the block's event times add to a row at its first, shape (p,)
    """

    rows: slice
    groups: slice
    whole: bool
    total: Floats


def to_score_residuals(sets: RiskSets, X: Floats, state: RiskState) -> Floats:
    """Weighted score residuals, shape (n, p). They are written over X, so that a large table needs no second matrix.

    What a row collects from its own time down to the first is a sum of terms of one sign order, not a difference of
    totals: within its block, then over the blocks after it.
    """
    kept = None if sets.entry is None else np.zeros((X.shape[1], sets.m + 1))
    hazards = cumulative_hazards(sets, state.s10, state.s11)

    def write(block: RiskBlock) -> _Collected:
        return _residuals_of_block(sets, X, state, block, hazards, kept)

    blocks = map_risk_blocks(sets, X, state.risk, write, ties=len(state.s11) > 0, overwrites=True)
    map_blocks(lambda pair: _add_later(sets, X, state, kept, *pair), _with_later(sets, blocks), rows=sets.n)
    if kept is not None and sets.entry is not None:
        for rows in row_blocks(sets.n, CHUNK_ROWS):
            X.T[:, rows] -= kept[:, sets.entry.group[rows]] * state.risk[rows]
    return X


def _with_later(sets: RiskSets, blocks: list[_Collected]) -> list[tuple[_Collected, Floats]]:
    """Blocks whose last stratum goes on in later blocks, each with what those add, shape (p,)."""
    borders = set(sets.group_strata.tolist())
    later = np.zeros(0)
    pairs = []
    for block in reversed(blocks):
        goes_on = block.groups.stop < sets.m and block.groups.stop not in borders
        if goes_on:
            pairs.append((block, later))
        later = block.total + later if goes_on and block.whole else block.total
    return pairs


def _add_later(
    sets: RiskSets, X: Floats, state: RiskState, kept: Floats | None, block: _Collected, later: Floats
) -> None:
    for rows in chunks(block.rows):
        group = sets.group[rows]
        open_risk = state.risk[rows] * ((group >= block.groups.start) & (group < block.groups.stop))
        X.T[:, rows] += later[:, None] * open_risk
    if kept is not None:
        kept[:, block.groups] += later[:, None]


def _residuals_of_block(
    sets: RiskSets, X: Floats, state: RiskState, block: RiskBlock, hazards: CumulativeHazards, kept: Floats | None
) -> _Collected:
    """Write the residuals of the block's rows over X, without what they collect from later blocks."""
    g, t, S1, D1 = block.groups, block.tied, block.S1, block.D1
    own = state.s10[g] * S1
    increments = state.s20[g] * S1
    at_tied = sets.tied_groups[t] - g.start
    own[:, at_tied] -= state.s11[t] * D1
    increments[:, at_tied] -= state.s21[t] * D1
    tied = None
    if t.stop > t.start:
        tied = np.zeros((len(S1), S1.shape[1] + 1))
        tied[:, at_tied] = state.s21[t] * S1[:, at_tied] - state.s22[t] * D1
    own /= sets.death_weight[g]
    first_of_strata = sets.group_strata[(sets.group_strata >= g.start) & (sets.group_strata < g.stop)] - g.start
    total = reverse_segmented_cumsum(increments, first_of_strata)
    open_from = int(first_of_strata[-1]) if len(first_of_strata) else 0
    if kept is not None:
        kept[:, g] = total
    total, own = _padded(total), _padded(own)
    for rows in chunks(block.rows):
        group = sets.group[rows]
        local = np.where(group < sets.m, group - g.start, g.stop - g.start)
        _write(sets, X, state, hazards, rows, total, local, own, tied)
    return _Collected(block.rows, slice(g.start + open_from, g.stop), open_from == 0, total[:, 0].copy())


def _write(
    sets: RiskSets, X: Floats, state: RiskState, hazards: CumulativeHazards, rows: slice,
    total: Floats, local: np.ndarray[tuple[int], np.dtype[np.intp]], own: Floats, tied: Floats | None,
) -> None:  # fmt: skip
    event, risk = sets.event[rows], state.risk[rows]
    weighted_event = event if sets.weights is None else event * sets.weights[rows]
    collected = np.take(total, local, axis=1)
    if tied is not None:
        collected -= np.take(tied, local, axis=1) * event
    collected *= risk
    collected -= np.take(own, local, axis=1) * weighted_event
    block = X.T[:, rows]
    block *= weighted_event - risk * hazards.of(rows)
    block += collected


def _padded(values: Floats) -> Floats:
    """With a column of zeros at the end, for rows that are in no risk set."""
    return np.concatenate((values, np.zeros((len(values), 1))), axis=1)
