"""The weighted partial likelihood of the subdistribution hazard, its gradient and information, and each row's influence.

The sums over Efron's steps are those of Cox's likelihood (`partial_likelihood`); risk sets are those of Fine and Gray.

References
----------
Fine and Gray 1999 (doi:10.1080/01621459.1999.10474144), section 5 for the influence of the estimated censoring
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterpulse.numerics.linear_algebra import weighted_gram
from counterpulse.survival.follow_up import Floats
from counterpulse.survival.subdistribution_sets import SubdistributionSets, Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class SubdistributionState:
    """The likelihood at one coefficient vector.

    Attributes
    ----------
    log_likelihood : logarithm of the weighted partial likelihood
    gradient : shape (p,)
    information : shape (p, p)
    spread : diagonal of the part of the information that never cancels, shape (p,)
    risk : w exp(x'b) over the common factor exp(`shift`), shape (n,)
    S1, D1 : sums of r x over the risk sets and over the events of each time, shape (p, m)
    s10, s20, s11, s21, s22 : sums over Efron's steps, as in `partial_likelihood.RiskState`, shape (m,)
    """

    log_likelihood: float
    gradient: Floats
    information: Floats
    spread: Floats
    risk: Floats
    shift: float
    S1: Floats
    D1: Floats
    s10: Floats
    s20: Floats
    s11: Floats
    s21: Floats
    s22: Floats


def subdistribution_state(sets: SubdistributionSets, X: Floats, beta: Floats, *, efron: bool) -> SubdistributionState:
    """Evaluate the likelihood at `beta`, shape (p,); X has the covariates of the rows, shape (n, p)."""
    eta = X @ beta
    shift = float(eta.max())
    eta -= shift
    risk = sets.weights * np.exp(eta)
    sums = sets.over_risk_sets(_with_one(X, risk))
    tied = sets.over_events(_with_one(X, risk))
    S1, D1 = sums[1:], tied[1:]
    logs, (s10, s20, s11, s21, s22) = _steps(sets, sums[0], tied[0], efron=efron)
    hazard = sets.collected(s10[None, :], s11[None, :])[0]
    first = weighted_gram(X, risk * hazard)
    cross = (S1 * s21) @ D1.T
    information = first - ((S1 * s20) @ S1.T - cross - cross.T + (D1 * s22) @ D1.T)
    events = sets.event_rows
    return SubdistributionState(
        log_likelihood=float(sets.weights[events] @ eta[events] - logs), risk=risk, shift=shift,
        gradient=X[events].T @ sets.weights[events] - S1 @ s10 + D1 @ s11,
        information=(information + information.T) / 2, spread=np.diag(first).copy(),
        S1=S1, D1=D1, s10=s10, s20=s20, s11=s11, s21=s21, s22=s22,
    )  # fmt: skip


def influences(sets: SubdistributionSets, X: Floats, state: SubdistributionState, *, censoring: bool) -> Floats:
    """Each row's part of the score, shape (n, p); with what it does to the estimated censoring where that is wanted."""
    increments = state.s20 * state.S1 - state.s21 * state.D1
    hazard = sets.collected(state.s10[None, :], state.s11[None, :])[0]
    means = sets.collected(increments, state.s21 * state.S1 - state.s22 * state.D1)
    part: Floats = state.risk * (means - X.T * hazard)
    own = (state.s10 * state.S1 - state.s11 * state.D1) / sets.death_weight
    events = sets.event_rows
    part[:, events] += sets.weights[events] * (X[events].T - np.repeat(own, sets.deaths, axis=1))
    if censoring:
        for taken in sets.taken:
            part[:, taken.members] += _of_censoring(sets, X, state, increments, taken)
    return part.T


def _steps(sets: SubdistributionSets, at_risk: Floats, tied: Floats, *, efron: bool) -> tuple[float, list[Floats]]:
    """The logarithms of the denominators, summed over all, and the sums over the steps of each time, shape (m,)."""
    count = sets.deaths
    step = np.arange(len(sets.event_rows)) - np.repeat(sets.first, count)
    fraction = step / np.repeat(count, count) if efron else np.zeros(len(step))
    weight = np.repeat(sets.death_weight / count, count)
    denominator = np.repeat(at_risk, count) - fraction * np.repeat(tied, count)
    inverse = weight / denominator
    squared = inverse / denominator
    terms = (inverse, squared, fraction * inverse, fraction * squared, fraction**2 * squared)
    sums = [np.add.reduceat(term, sets.first) for term in terms]
    return float(weight @ np.log(denominator)), sums


def _of_censoring(
    sets: SubdistributionSets, X: Floats, state: SubdistributionState, increments: Floats, taken: Taken
) -> Floats:
    """What the rows of a stratum of the censoring do to the score through its curve, shape (p, members).

    A censoring at u changes G(t-)/G(X-) of everybody whom another cause took before u, at every event time t from u on.
    """
    curve, rows = taken.curve, taken.rows
    before = np.searchsorted(sets.time[rows], curve.time, side="left")
    from_on = np.searchsorted(sets.event_time, curve.time, side="left")
    weighted = _with_one(X[rows], state.risk[rows] * taken.inverse)
    earlier = np.concatenate((np.zeros((len(weighted), 1)), np.cumsum(weighted, axis=1)), axis=1)[:, before]
    terms = np.concatenate((state.s10[None, :], increments)) * taken.uncensored
    later = np.cumsum(terms[:, ::-1], axis=1)[:, ::-1]
    later = np.concatenate((later, np.zeros((len(later), 1))), axis=1)[:, from_on]
    at_risk = np.where(curve.at_risk > 0, curve.at_risk, np.inf)
    change = (earlier[1:] * later[0] - earlier[0] * later[1:]) / at_risk
    expected = np.cumsum(change * (curve.censored / at_risk), axis=1)
    own = np.searchsorted(curve.time, sets.time[taken.members])
    cause = sets.cause[taken.members]
    upto = own + 1 - (sets.events_first & (cause > 0))
    expected = np.concatenate((np.zeros((len(expected), 1)), expected), axis=1)[:, upto]
    parts: Floats = sets.weights[taken.members] * (change[:, own] * (cause == 0) - expected)
    return parts


def _with_one(X: Floats, risk: Floats) -> Floats:
    """``r`` and ``r x`` of the rows, shape (1 + p, n)."""
    out = np.empty((X.shape[1] + 1, len(X)))
    out[0] = risk
    np.multiply(X.T, risk, out=out[1:])
    return out
