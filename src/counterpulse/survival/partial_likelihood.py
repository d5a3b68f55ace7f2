"""Cox's partial likelihood, its gradient and information, as cumulative sums and matrix products.

With r_i = w_i exp(x_i'b), risk-set sums S0, S1, and D0, D1 over the d tied events of a time, Efron's step l = 0..d-1
has the denominator S0 - (l/d) D0 and the weight W/d. Sums over the steps leave a few scalars for each event time:

    information = sum_i r_i A_i x_i x_i' - sum_k [s20 S1 S1' - s21 (S1 D1' + D1 S1') + s22 D1 D1']

where A_i sums W/(d den) over the event times at which i is at risk. So nothing larger than a chunk of rows is made.

References
----------
Efron 1977 (doi:10.1080/01621459.1977.10480613), Breslow 1974 (doi:10.2307/2529620),
Andersen and Gill 1982 (doi:10.1214/aos/1176345976)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from counterpulse.survival.follow_up import Floats, Indices
from counterpulse.survival.risk_sets import CHUNK_ROWS, RiskSets, reverse_segmented_cumsum, segmented_cumsum

LOWEST = -340.0
"""Linear predictors further below the highest one at risk count as this: the square of a risk set must not underflow."""

SERIAL_PRODUCT = 2**18
"""Multiplications of a matrix product up to which OpenBLAS stays on one thread."""

CANCELED = 1e-9
"""A risk set after late entry that keeps a smaller part of the sum it is a difference of has lost its digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskState:
    """The likelihood at one coefficient vector; scalars of the m event times, hazards of the n rows.

    Attributes
    ----------
    log_likelihood : nan where rounding destroyed a risk set
    risk : r_i over a common factor, shape (n,)
    shift : logarithm of that factor
    s10, s20 : sums over Efron steps of W/d times 1/den and 1/den^2, shape (m,); s10 is the hazard's increment
    s11, s21, s22 : of W/d times f/den, f/den^2, f^2/den^2 with f = l/d, shape (t,): only for times with tied events;
        empty for Breslow's likelihood
    """

    log_likelihood: float
    risk: Floats
    shift: float
    s10: Floats
    s20: Floats
    s11: Floats
    s21: Floats
    s22: Floats


def risk_state(sets: RiskSets, X: Floats, beta: Floats, *, efron: bool) -> RiskState:
    """Evaluate the partial likelihood at `beta`, shape (p,); X has the sorted rows."""
    eta = X @ beta
    shift = float(eta.max(initial=-np.inf, where=sets.group < sets.m))
    eta -= shift
    np.clip(eta, LOWEST, 0.0, out=eta)
    weights = sets.weights
    at_events = eta[sets.event_rows]
    fitted = float(at_events.sum() if weights is None else weights[sets.event_rows] @ at_events)
    risk = np.exp(eta, out=eta)
    if weights is not None:
        risk *= weights
    at_risk, kept = _at_risk_sums(sets, risk)
    s10 = sets.death_weight / at_risk
    s20 = s10 / at_risk
    logs = np.log(at_risk) * sets.death_weight
    tied = [np.zeros(0)] * 3
    if efron and len(sets.tied_groups):
        t = sets.tied_groups
        logs[t], s10[t], s20[t], *tied = _efron_steps(sets, risk, at_risk[t])
    return RiskState(
        log_likelihood=fitted - float(logs.sum()) if kept else np.nan, risk=risk, shift=shift,
        s10=s10, s20=s20, s11=tied[0], s21=tied[1], s22=tied[2],
    )  # fmt: skip


def cumulative_hazards(sets: RiskSets, increments: Floats, tied_part: Floats) -> Floats:
    """Sum `increments` (shape (m,)) over the event times at which each row is at risk, shape (n,).

    `tied_part`, of the times with tied events, is taken off at a tied event's own time; empty takes nothing.
    """
    total = np.append(reverse_segmented_cumsum(increments, sets.group_strata), 0.0)
    hazards = total[sets.group]
    if sets.entry is not None:
        hazards -= total[sets.entry.group]
    if len(tied_part):
        hazards[sets.tied_rows] -= np.repeat(tied_part, sets.deaths[sets.tied_groups])
    return hazards


def gradient_and_information(
    sets: RiskSets, X: Floats, state: RiskState, *, multiplier: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Sum over event times, each times `multiplier` (shape (m,)), the score and the information.

    Returns
    -------
    gradient, shape (p,); information, shape (p, p); diagonal of its first, never canceling part, shape (p,)
    """
    factor = np.ones(sets.m) if multiplier is None else multiplier
    tied_factor = factor[sets.tied_groups] if len(state.s11) else np.zeros(0)
    hazards = cumulative_hazards(sets, state.s10 * factor, state.s11 * tied_factor)
    hazards *= state.risk
    residual = -hazards
    weight = 1.0 if sets.weights is None else sets.weights[sets.event_rows]
    residual[sets.event_rows] += weight * factor[sets.group[sets.event_rows]]
    p = X.shape[1]
    first, second = np.zeros((p, p)), np.zeros((p, p))
    for block in risk_blocks(sets, X, state.risk, ties=len(state.s11) > 0):
        first += weighted_product(X, hazards, block.rows)
        g, t, S1, D1 = block.groups, block.tied, block.S1, block.D1
        second += wide_product(S1 * (state.s20[g] * factor[g]), S1)
        if t.stop > t.start:
            cross = wide_product(S1[:, sets.tied_groups[t] - g.start] * (state.s21[t] * tied_factor[t]), D1)
            second += wide_product(D1 * (state.s22[t] * tied_factor[t]), D1) - cross - cross.T
    information = first - second
    return X.T @ residual, (information + information.T) / 2, np.diag(first).copy()


def weighted_product(X: Floats, weights: Floats, rows: slice) -> Floats:
    """``X' diag(weights) X`` over a slice of rows, chunk by chunk; weights may be negative."""
    total = np.zeros((X.shape[1], X.shape[1]))
    for low, high in chunks(rows.start, rows.stop):
        block = X.T[:, low:high]
        total += wide_product(block * weights[low:high], block)
    return total


def wide_product(A: Floats, B: Floats) -> Floats:
    """``A @ B.T`` of short and wide matrices, shape (p, k), in pieces that BLAS multiplies on one thread.

    Threads would wait for each other longer than they work.
    """
    p, k = A.shape
    length = max(64, SERIAL_PRODUCT // max(p * p, 1))
    count = k // length
    whole = count * length
    total = A[:, whole:] @ B[:, whole:].T
    if count:
        left, right = (M[:, :whole].reshape(p, count, length).transpose(1, 0, 2) for M in (A, B))
        total += (left @ right.transpose(0, 2, 1)).sum(axis=0)
    return np.asarray(total, dtype=np.float64)


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


def risk_blocks(sets: RiskSets, X: Floats, risk: Floats, *, ties: bool) -> Iterator[RiskBlock]:
    """Pass over the event times in the order of the rows; every row is in exactly one block."""
    stop_carry, entry_carry = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for rows, entered, groups in block_bounds(sets):
        yield risk_block(sets, X, risk, rows, entered, groups, stop_carry, entry_carry, ties=ties)


def block_bounds(sets: RiskSets) -> list[tuple[slice, slice, slice]]:
    """Rows, rows in order of entry, and event times of each block."""
    bounds: list[tuple[slice, slice, slice]] = []
    group = row = entered = 0
    while group < sets.m or row < sets.n:
        last = min(sets.m, max(group + 1, int(np.searchsorted(sets.end, row + CHUNK_ROWS, side="right"))))
        done = last >= sets.m
        row_end = sets.n if done else int(sets.end[last - 1])
        entry_end = sets.n if done else row_end if sets.entry is None else int(sets.entry.end[last - 1])
        bounds.append((slice(row, row_end), slice(entered, entry_end), slice(group, last)))
        group, row, entered = last, row_end, entry_end
    return bounds


def risk_block(
    sets: RiskSets, X: Floats, risk: Floats, rows: slice, entered: slice, groups: slice,
    stop_carry: Floats, entry_carry: Floats, *, ties: bool,
) -> RiskBlock:  # fmt: skip
    """One block from the sums carried into it; the carries, shape (p,), are brought to its end in place."""
    p = X.shape[1]
    S1 = np.zeros((p, groups.stop - groups.start))
    a, b = np.searchsorted(sets.tied_groups, (groups.start, groups.stop)) if ties else (0, 0)
    tied = slice(int(a), int(b))
    D1 = np.zeros((p, tied.stop - tied.start))
    _prefix_sums(sets, X, risk, rows, None, sets.end[groups], S1, stop_carry)
    if tied.stop > tied.start:
        _event_sums(sets, X, risk, tied, D1)
    if sets.entry is not None:
        left = np.zeros_like(S1)
        ends = sets.entry.end[groups]
        marks = np.where(ends > sets.strata[sets.stratum[groups]], ends, -1)
        _prefix_sums(sets, X, risk, entered, sets.entry.order, marks, left, entry_carry)
        S1 -= left
    return RiskBlock(rows, groups, tied, S1, D1)


def chunks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Consecutive ranges of at most `CHUNK_ROWS` rows."""
    for low in range(start, stop, CHUNK_ROWS):
        yield low, min(low + CHUNK_ROWS, stop)


def _prefix_sums(
    sets: RiskSets, X: Floats, risk: Floats, rows: slice, order: Indices | None, marks: Indices,
    out: Floats, carry: Floats,
) -> None:  # fmt: skip
    """Write the sums of r x from the start of the stratum up to each mark into `out`."""
    out[:, marks == rows.start] = carry[:, None]
    for low, high in chunks(rows.start, rows.stop):
        picked = slice(low, high) if order is None else order[low:high]
        terms = X.T[:, picked] * risk[picked]
        starts = sets.strata[np.searchsorted(sets.strata, low) : np.searchsorted(sets.strata, high)] - low
        total = segmented_cumsum(terms, starts)
        until = int(starts[0]) if len(starts) else high - low
        if until:
            total[:, :until] += carry[:, None]
        inside = np.flatnonzero((marks > low) & (marks <= high))
        out[:, inside] = total[:, marks[inside] - 1 - low]
        carry[:] = total[:, -1]


def _event_sums(sets: RiskSets, X: Floats, risk: Floats, tied: slice, D1: Floats) -> None:
    """Write the sums of r x over the tied events of each time into `D1`."""
    first, count = sets.tied_first[tied], sets.deaths[sets.tied_groups[tied]]
    start, stop = int(first[0]), int(first[-1] + count[-1])
    group = np.repeat(np.arange(len(first)), count)
    for low, high in chunks(start, stop):
        rows = sets.tied_rows[low:high]
        inside = group[low - start : high - start]
        begins = np.flatnonzero(np.diff(inside, prepend=-1))
        D1[:, inside[begins]] += np.add.reduceat(X.T[:, rows] * risk[rows], begins, axis=1)


def _at_risk_sums(sets: RiskSets, risk: Floats) -> tuple[Floats, bool]:
    at_risk = segmented_cumsum(risk, sets.strata)[sets.end - 1]
    if sets.entry is None:
        return at_risk, True
    left = segmented_cumsum(risk[sets.entry.order], sets.strata)[sets.entry.end - 1]
    before = np.where(sets.entry.end > sets.strata[sets.stratum], left, 0.0)
    kept = bool(np.all(at_risk - before > CANCELED * at_risk))
    return np.maximum(at_risk - before, np.finfo(float).tiny), kept


def _efron_steps(sets: RiskSets, risk: Floats, at_risk: Floats) -> list[Floats]:
    """Sums over the steps of the times with tied events: of W/d log(den), and s10, s20, s11, s21, s22."""
    first, d = sets.tied_first, sets.deaths[sets.tied_groups]
    D0 = np.add.reduceat(risk[sets.tied_rows], first)
    f = (np.arange(len(sets.tied_rows)) - np.repeat(first, d)) / np.repeat(d, d)
    W = sets.death_weight[sets.tied_groups] / d
    inverse = np.repeat(at_risk, d) - f * np.repeat(D0, d)
    sums = [W * np.add.reduceat(np.log(inverse), first)]
    np.divide(1.0, inverse, out=inverse)
    for power in (1, 2):
        sums.append(W * np.add.reduceat(inverse**power, first))
    for values in (f * inverse, f * inverse**2, (f * inverse) ** 2):
        sums.append(W * np.add.reduceat(values, first))
    return sums
