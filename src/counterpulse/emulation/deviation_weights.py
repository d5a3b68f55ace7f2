"""Weights that undo artificial censoring: the inverse of the probability of still following the strategy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse.emulation.clones import Arm
from counterpulse.emulation.discrete_deviation import log_kept
from counterpulse.numerics.linear_algebra import center_and_scale
from counterpulse.results.status import Status
from counterpulse.survival.maximize import maximize
from counterpulse.survival.risk_sets import SortedRows, make_risk_sets

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
CensoringModel = Literal["cox", "pooled-logistic"]

MOST_LOG_WEIGHT = 100.0
"""Logarithms of weights beyond this are held here, so that sums stay finite; such weights have a status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationWeights:
    """Weights of the clones of one arm: constant between the times at which clones deviate.

    Attributes
    ----------
    times : at which clones deviate, ascending, shape (L,)
    risk : relative hazard of deviating, shape (n,), in the order of the arm
    hazard : cumulative baseline hazard before the first and after each of the times, shape (L + 1,)
    marginal : what is taken off the logarithm of each weight (stabilization), shape (L + 1,)
    logarithms : of the weights before stabilization, shape (n, L + 1), where they are no product of the two before; or None
    cap : of clones that cannot leave the strategy from some time on, the position of the last weight, shape (n,); or None
    low, high : limits at which weights are held (truncation)
    status : of the model of deviation
    """

    times: Floats
    risk: Floats
    hazard: Floats
    marginal: Floats
    logarithms: Floats | None = None
    cap: Indices | None = None
    low: float = 0.0
    high: float = inf
    status: Status = Status.OK

    def levels(self, times: Floats) -> Indices:
        """How many deviation times are over before each time: whoever deviates at it is still counted at it."""
        return np.searchsorted(self.times, times, side="left")

    def of(self, rows: slice | Indices, level: int | Indices) -> Floats:
        """The weights of some clones between two deviation times."""
        if self.cap is not None:
            rows = np.arange(len(self.risk))[rows]
            level = np.minimum(level, self.cap[rows])
        whole = self.risk[rows] * self.hazard[level] if self.logarithms is None else self.logarithms[rows, level]
        logarithm = whole - self.marginal[level]
        return np.clip(np.exp(np.minimum(logarithm, MOST_LOG_WEIGHT)), self.low, self.high)


def unit_weights(n: int) -> DeviationWeights:
    """Weights of 1 for an arm of n clones."""
    nothing = np.zeros(1)
    return DeviationWeights(times=np.zeros(0), risk=np.ones(n), hazard=nothing, marginal=nothing)


def deviation_weights(arm: Arm, X: Floats, *, model: CensoringModel, stabilized: bool) -> DeviationWeights:
    """Model the deviations of an arm; X has the covariates of the patients, shape (patients, p)."""
    if not arm.deviated.any():
        return unit_weights(len(arm.time))
    own = np.asfortranarray(X[arm.patient])
    found = _by_cox(arm, own, stabilized) if model == "cox" else _by_logistic(arm, own, stabilized)
    if (arm.until == arm.time).all():
        return found
    return replace(found, cap=np.searchsorted(found.times, arm.until, side="right"))


def _by_logistic(arm: Arm, X: Floats, stabilized: bool) -> DeviationWeights:
    """Pooled logistic regression at the times at which clones deviate."""
    n, times = len(arm.time), np.unique(arm.time[arm.deviated])
    center_and_scale(X)
    logs = log_kept(arm, times, X)
    null = log_kept(arm, times, np.empty((n, 0))) if stabilized else np.zeros((1, len(times) + 1))
    if logs is None or null is None:
        return replace(unit_weights(n), status=Status.NOT_CONVERGED)
    return DeviationWeights(
        times=times, risk=np.ones(n), hazard=np.zeros(len(times) + 1), marginal=null[0], logarithms=logs
    )  # fmt: skip


def _by_cox(arm: Arm, scaled: Floats, stabilized: bool) -> DeviationWeights:
    """A Cox model (Efron); the covariates are scaled in place."""
    n, order = len(arm.time), np.argsort(-arm.until, kind="stable")
    rows = SortedRows(stop=arm.until[order], event=arm.deviated[order], start=None, weights=None, strata=None)
    sets = make_risk_sets(rows)
    times = sets.time[::-1].copy()
    center_and_scale(scaled)
    found = maximize(rows, sets, np.asfortranarray(scaled[order]), efron=True)
    hazard = _cumulative(found.state.s10 * np.exp(-found.state.shift))
    marginal = np.zeros_like(hazard)
    if stabilized:
        null = maximize(rows, sets, np.zeros((n, 1), order="F"), efron=True)
        marginal = _cumulative(null.state.s10 * np.exp(-null.state.shift))
    with np.errstate(over="ignore"):
        risk = np.exp(scaled @ found.beta)
    return DeviationWeights(times=times, risk=risk, hazard=hazard, marginal=marginal, status=found.status)


def _cumulative(falling: Floats) -> Floats:
    """Increments by falling time, summed from the first time on."""
    return np.concatenate(([0.0], np.cumsum(falling[::-1])))
