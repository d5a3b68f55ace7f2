"""Two weighted arms compared: hazard ratio, survival and restricted mean, from sums over the clones at risk."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.emulation.clones import Arm
from counterpulse.emulation.deviation_weights import DeviationWeights

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

CONVERGED = 1e-18
"""Square of the distance to the maximum, in standard errors, at which Newton's method ends."""

MOST_STEPS = 50
LONGEST_STEP = 2.0
GONE = 1e-12
"""An arm whose survivors weigh no more than this part of those at risk has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSums:
    """One arm at the event times of both, shape (m,).

    Attributes
    ----------
    times : distinct event times of both arms, ascending
    at_risk, events : weighted
    deaths : events, counted
    """

    times: Floats
    at_risk: Floats
    events: Floats
    deaths: Floats

    def survival(self) -> Floats:
        """The weighted product-limit curve just after each time, shape (m,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = np.where(self.events > 0, 1 - self.events / self.at_risk, 1.0)
        curve: Floats = np.cumprod(np.where(kept > GONE, kept, 0.0), dtype=np.float64)
        return curve


def event_times(arms: tuple[Arm, Arm]) -> Floats:
    """Distinct event times of both arms, ascending."""
    return np.unique(np.concatenate([arm.time[arm.event] for arm in arms]))


def arm_sums(arm: Arm, weights: DeviationWeights, times: Floats) -> ArmSums:
    """Sum the weights of those at risk and of the events at each time."""
    levels, count = weights.levels(times), arm.at_risk(times)
    at_risk = np.zeros(len(times))
    for level in np.unique(levels):
        here = np.flatnonzero((levels == level) & (count > 0))
        if len(here):
            sums = np.cumsum(weights.of(slice(0, int(count[here].max())), int(level)))
            at_risk[here] = sums[count[here] - 1]
    died = np.flatnonzero(arm.event)
    at = np.searchsorted(times, arm.time[died])
    events = np.zeros(len(times)) + np.bincount(at, weights=weights.of(died, levels[at]), minlength=len(times))
    return ArmSums(
        times=times, at_risk=at_risk, deaths=np.bincount(at, minlength=len(times)).astype(np.float64),
        events=events,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoArmCox:
    """A Cox model (Efron) with the arm as its only covariate.

    Attributes
    ----------
    log_hazard_ratio : first arm against second; nan where it is infinite
    information : at the maximum
    hazard, slope : of an event time, summed over Efron's steps: hazard increments, and those times (x - mean) for the
        first and second arm, shape (m,) and (2, m)
    event_slope : (x - mean) of an event itself, and what Efron's steps leave out of it, shape (2, m)
    """

    log_hazard_ratio: float
    information: float
    slope: Floats
    event_slope: Floats


@dataclass(frozen=True, slots=True)
class _Steps:
    """Efron's steps of all event times, shape (s,)."""

    time: Indices
    part: Floats
    size: Floats
    first: Floats
    second: Floats

    def at(self, beta: float) -> tuple[Floats, Floats]:
        """Denominators and means of the arm."""
        first = exp(beta) * self.first
        total = first + self.second
        return total, first / total


def two_arm_cox(first: ArmSums, second: ArmSums) -> TwoArmCox:
    """Maximize the weighted partial likelihood of the arm."""
    m, deaths = len(first.times), (first.deaths + second.deaths).astype(np.intp)
    weight = first.events + second.events
    time = np.repeat(np.arange(m), deaths)
    part = (np.arange(len(time)) - np.repeat(np.cumsum(deaths) - deaths, deaths)) / deaths[time]
    steps = _Steps(
        time, part, (weight / deaths)[time], *(arm.at_risk[time] - part * arm.events[time] for arm in (first, second))
    )
    beta, information = _maximum(steps, float(first.events.sum()))
    if not np.isfinite(beta):
        return TwoArmCox(log_hazard_ratio=nan, information=nan, slope=np.zeros((2, m)), event_slope=np.zeros((2, m)))
    total, mean = steps.at(beta)
    increment = steps.size / total
    slope, event_slope = np.empty((2, m)), np.empty((2, m))
    average = np.bincount(time, weights=mean, minlength=m) / deaths
    for row, (x, ratio) in enumerate(((1.0, exp(beta)), (0.0, 1.0))):
        pull = ratio * increment * (x - mean)
        slope[row] = np.bincount(time, weights=pull, minlength=m)
        event_slope[row] = x - average + np.bincount(time, weights=part * pull, minlength=m)
    return TwoArmCox(log_hazard_ratio=beta, information=information, slope=slope, event_slope=event_slope)


def _maximum(steps: _Steps, observed: float) -> tuple[float, float]:
    """Newton's method in one number; nan where the likelihood has no maximum, and so nobody can be compared.

    The score falls from what it is where the first arm has no hazard to what it is where the second has none; the maximum is
    finite where it is above zero in the one and below zero in the other.
    """
    rounding = GONE * float(steps.size.sum())
    fewest, most = float(steps.size @ (steps.second <= 0)), float(steps.size @ (steps.first > 0))
    if not fewest + rounding < observed < most - rounding:
        return nan, nan
    beta = 0.0
    for _ in range(MOST_STEPS):
        _, mean = steps.at(beta)
        score = observed - float(steps.size @ mean)
        information = float(steps.size @ (mean * (1 - mean)))
        if not information > 0:
            return nan, nan
        step = score / information
        beta += max(-LONGEST_STEP, min(LONGEST_STEP, step))
        if score * step <= CONVERGED:
            _, mean = steps.at(beta)
            return beta, float(steps.size @ (mean * (1 - mean)))
    return nan, nan


def robust_error(
    fit: TwoArmCox,
    arms: tuple[Arm, Arm],
    weights: tuple[DeviationWeights, DeviationWeights],
    times: Floats,
    patients: int,
) -> float:
    """The sandwich standard error of the log hazard ratio, with the clones of a patient as one cluster."""
    total = np.zeros(patients)
    for row, (arm, own) in enumerate(zip(arms, weights, strict=True)):
        total += np.bincount(
            arm.patient, weights=_score_residuals(fit, row, arm, own, times), minlength=patients
        )  # fmt: skip
    return sqrt(float(total @ total)) / fit.information


def _score_residuals(fit: TwoArmCox, row: int, arm: Arm, weights: DeviationWeights, times: Floats) -> Floats:
    """Weighted score residuals of the clones of an arm, shape (n,)."""
    levels = weights.levels(times)
    sums = np.concatenate(([0.0], np.cumsum(fit.slope[row])))
    until = np.searchsorted(times, arm.time, side="right")
    residual = np.zeros(len(arm.time))
    for level in np.unique(levels):
        begin, end = np.searchsorted(levels, (level, level + 1))
        n = int(np.searchsorted(-until, -begin, side="left"))
        residual[:n] -= weights.of(slice(0, n), int(level)) * (sums[np.minimum(until[:n], end)] - sums[begin])
    died = np.flatnonzero(arm.event)
    at = np.searchsorted(times, arm.time[died])
    residual[died] += weights.of(died, levels[at]) * fit.event_slope[row, at]
    return residual


def survival_at(sums: ArmSums, arm: Arm, horizon: float) -> tuple[float, float]:
    """Survival at the horizon and the mean time lived within it; nan where follow-up of the arm ends before."""
    curve = sums.survival()
    until = int(np.searchsorted(sums.times, horizon, side="right"))
    last = float(curve[until - 1]) if until else 1.0
    if not len(arm.time) or (horizon > float(arm.time[0]) and last > 0):
        return nan, nan
    knots = np.concatenate(([0.0], sums.times[:until], [horizon]))
    return last, float(np.diff(knots) @ np.concatenate(([1.0], curve[:until])))


def comparison(first: tuple[float, float], second: tuple[float, float], log_hazard_ratio: float) -> Floats:
    """Log hazard ratio, risk difference, log risk ratio, difference of restricted means, two risks, two means."""
    risks = (1 - first[0], 1 - second[0])
    ratio = log(risks[0] / risks[1]) if min(risks) > 0 else nan
    return np.array([log_hazard_ratio, risks[0] - risks[1], ratio, first[1] - second[1], *risks, first[1], second[1]])
