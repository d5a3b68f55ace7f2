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

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from counterpulse.numerics.blocks import map_blocks
from counterpulse.numerics.linear_algebra import row_blocks
from counterpulse.survival.follow_up import Floats
from counterpulse.survival.risk_blocks import RiskBlock, chunks, map_risk_blocks, wide_product
from counterpulse.survival.risk_sets import RiskSets, reverse_segmented_cumsum, segmented_cumsum

LONG_ROWS = 2**16
"""Rows of a vector worked on at once: long enough for its operations to outweigh their calls."""

LOWEST = -340.0
"""Linear predictors further below the highest one at risk count as this: the square of a risk set must not underflow."""

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
    risk = np.empty(sets.n)

    def predict(rows: slice) -> float:
        eta = np.matmul(X[rows], beta, out=risk[rows])
        return float(eta.max(initial=-np.inf, where=sets.group[rows] < sets.m))

    def exponentiate(rows: slice) -> float:
        eta = risk[rows]
        eta -= shift
        np.clip(eta, LOWEST, 0.0, out=eta)
        weights = None if sets.weights is None else sets.weights[rows]
        counted = sets.event[rows] if weights is None else sets.event[rows] * weights
        fitted = float(counted @ eta)
        np.exp(eta, out=eta)
        if weights is not None:
            eta *= weights
        return fitted

    shift = max(map_blocks(predict, row_blocks(sets.n, LONG_ROWS), rows=sets.n))
    fitted = sum(map_blocks(exponentiate, row_blocks(sets.n, LONG_ROWS), rows=sets.n))
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


@dataclass(frozen=True, slots=True)
class CumulativeHazards:
    """Sums of increments over the event times at which each row is at risk.

    Attributes
    ----------
    sets : the risk sets
    total : sums from each event time to the last of its stratum, then 0, shape (m + 1,)
    own : what is taken off at an event's own time where it is tied, shape (m + 1,), or None
    """

    sets: RiskSets
    total: Floats
    own: Floats | None

    def of(self, rows: slice) -> Floats:
        """The sums of a slice of the n sorted rows."""
        group = self.sets.group[rows]
        sums = np.take(self.total, group)
        if self.sets.entry is not None:
            sums -= np.take(self.total, self.sets.entry.group[rows])
        if self.own is not None:
            sums -= np.take(self.own, group) * self.sets.event[rows]
        return sums


def cumulative_hazards(sets: RiskSets, increments: Floats, tied_part: Floats) -> CumulativeHazards:
    """Prepare sums of `increments` (shape (m,)); `tied_part`, of the times with tied events, may be empty."""
    total = np.append(reverse_segmented_cumsum(increments, sets.group_strata), 0.0)
    own = None
    if len(tied_part):
        own = np.zeros(sets.m + 1)
        own[sets.tied_groups] = tied_part
    return CumulativeHazards(sets, total, own)


def gradient(sets: RiskSets, X: Floats, state: RiskState) -> Floats:
    """The score, shape (p,): a fraction of the work of the information."""
    return _score(sets, X, state, cumulative_hazards(sets, state.s10, state.s11), None)


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

    def parts(block: RiskBlock) -> tuple[Floats, Floats]:
        g, t, S1, D1 = block.groups, block.tied, block.S1, block.D1
        second = wide_product(S1 * (state.s20[g] * factor[g]), S1)
        if t.stop > t.start:
            cross = wide_product(S1[:, sets.tied_groups[t] - g.start] * (state.s21[t] * tied_factor[t]), D1)
            second += wide_product(D1 * (state.s22[t] * tied_factor[t]), D1) - cross - cross.T
        return _weighted_product(X, state.risk, hazards, block.rows), second

    p = X.shape[1]
    first, second = np.zeros((p, p)), np.zeros((p, p))
    for part, taken in map_risk_blocks(sets, X, state.risk, parts, ties=len(state.s11) > 0):
        first += part
        second += taken
    information = first - second
    return _score(sets, X, state, hazards, multiplier), (information + information.T) / 2, np.diag(first).copy()


def _score(
    sets: RiskSets, X: Floats, state: RiskState, hazards: CumulativeHazards, multiplier: Floats | None
) -> Floats:
    """``X'`` times the martingale residuals: events, times the multiplier of their time, less weighted hazards."""
    factor = None if multiplier is None else np.append(multiplier, 0.0)

    def product(rows: slice) -> Floats:
        expected = hazards.of(rows) * state.risk[rows]
        observed = sets.event[rows] if sets.weights is None else sets.event[rows] * sets.weights[rows]
        if factor is not None:
            observed = observed * factor[sets.group[rows]]
        return wide_product(X.T[:, rows], (observed - expected)[None, :])[:, 0]

    score: Floats = np.sum(map_blocks(product, row_blocks(sets.n, LONG_ROWS), rows=sets.n), axis=0)
    return score


def _weighted_product(X: Floats, risk: Floats, hazards: CumulativeHazards, rows: slice) -> Floats:
    """``X' diag(hazards) X`` over a slice of rows, chunk by chunk."""
    total = np.zeros((X.shape[1], X.shape[1]))
    for chunk in chunks(rows):
        block = X.T[:, chunk]
        total += wide_product(block * (hazards.of(chunk) * risk[chunk]), block)
    return total


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
    borders = np.arange(0, len(sets.tied_rows), LONG_ROWS)
    begins = np.unique(np.searchsorted(sets.tied_first, borders))
    slices = [slice(a, b) for a, b in pairwise([*begins.tolist(), len(sets.tied_first)]) if a < b]
    parts = map_blocks(lambda times: _steps_of(sets, risk, at_risk, times), slices, rows=sets.n)
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _steps_of(sets: RiskSets, risk: Floats, at_risk: Floats, times: slice) -> list[Floats]:
    d = sets.deaths[sets.tied_groups[times]]
    start = int(sets.tied_first[times.start])
    first = sets.tied_first[times] - start
    rows = sets.tied_rows[start : start + int(d.sum())]
    D0 = np.add.reduceat(risk[rows], first)
    f = (np.arange(len(rows)) - np.repeat(first, d)) / np.repeat(d, d)
    W = sets.death_weight[sets.tied_groups[times]] / d
    inverse = np.repeat(at_risk[times], d) - f * np.repeat(D0, d)
    sums = [W * np.add.reduceat(np.log(inverse), first)]
    np.divide(1.0, inverse, out=inverse)
    weighted = f * inverse
    for values in (inverse, inverse * inverse, weighted, weighted * inverse, weighted * weighted):
        sums.append(W * np.add.reduceat(values, first))
    return sums
