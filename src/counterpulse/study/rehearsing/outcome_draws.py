"""Outcomes of patients whose prognosis, treatment and true effect are known.

Times follow the proportional-hazards model of Bender R, Augustin T, Blettner M. Generating survival times to simulate Cox
proportional hazards models. Stat Med 2005;24:1713-23 (doi:10.1002/sim.2059), its hazard multiplied from the start of treatment
on as in Austin PC. Generating survival times to simulate Cox proportional hazards models with time-varying covariates. Stat Med
2012;31:3946-58 (doi:10.1002/sim.5452).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

Vector = NDArray[np.float64]
ROUNDS = 200
NODES = 41
"""Points at which an unmeasured confounder is averaged over."""


@dataclass(frozen=True, slots=True)
class DrawnTimes:
    """Shape (n,) each: when watching ended, whether by the event or the competing event, and who was treated by then."""

    time: Vector
    event: NDArray[np.bool_]
    competing: NDArray[np.bool_]
    treated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DrawnEvents:
    """Shape (n,) each: who has the event, when (infinity: never), and who was treated before it."""

    event: NDArray[np.bool_]
    time: Vector
    treated: NDArray[np.bool_]


def draw_times(
    uniform: Vector, prognosis: Vector, starts: Vector, *, log_rate: float, shape: float, log_effect: float
) -> Vector:
    """Times to an event whose hazard is ``exp(log_rate + prognosis) shape t^(shape-1)``, times the effect once treated.

    Parameters
    ----------
    uniform : shape (n,), in (0, 1)
    prognosis : shape (n,), log hazard ratios of the patients
    starts : shape (n,), when treatment begins if the patient lives to see it; infinity: never
    log_effect : log hazard ratio of being treated
    """
    with np.errstate(over="ignore", invalid="ignore"):  # never treated: infinity less infinity, not taken
        reached = -np.log(uniform) * np.exp(-(log_rate + prognosis))
        before = starts**shape
        late = reached > before
        cumulated = np.where(late, before + (reached - before) * np.exp(-log_effect), reached)
    return np.asarray(cumulated ** (1 / shape), dtype=np.float64)


def draw_time_to_event(
    uniform: Vector, censored_at: Vector, competing_at: Vector, prognosis: Vector, starts: Vector, *, log_rate: float,
    shape: float, log_effect: float, within: float, fatal: bool = True,
) -> DrawnTimes:  # fmt: skip
    """Times watched until the event, the competing event, loss or the end `within`; who ends before treatment is untreated.

    Where the event is not `fatal`, treatment may still follow it.
    """
    own = draw_times(uniform, prognosis, starts, log_rate=log_rate, shape=shape, log_effect=log_effect)
    stops = np.minimum(np.minimum(censored_at, competing_at), within)
    time = np.minimum(own, stops)
    event = own <= stops
    competing = ~event & (competing_at <= np.minimum(censored_at, within))
    alive_until = time if fatal else stops
    return DrawnTimes(time, event, competing, starts < alive_until)


def draw_events(
    uniform: Vector,
    prognosis: Vector,
    starts: Vector,
    *,
    log_odds: float,
    shape: float,
    log_effect: float,
    within: float,
) -> DrawnEvents:
    """Events by the time `within`; who has the event before the start of treatment is never treated.

    The untreated have the event with probability ``expit(log_odds + prognosis)``, at a time whose distribution among them is
    ``(t / within)^shape``. The odds of those who live to be treated are multiplied by the effect from then on. Parameters as
    in `draw_times`, on the log odds scale.
    """
    risk = expit(log_odds + prognosis)
    share = np.minimum(starts / within, 1.0) ** shape
    early = uniform < risk * share
    left = 1 - risk * share
    later = treated_risk(risk * (1 - share) / left, log_effect)
    position = (uniform - risk * share) / left
    event = early | (position < later)
    with np.errstate(divide="ignore", invalid="ignore"):
        passed = np.where(early, uniform / risk, share + (1 - share) * position / later)
    time = np.where(event, within * np.clip(passed, 0.0, 1.0) ** (1 / shape), np.inf)
    return DrawnEvents(event, time, np.isfinite(starts) & ~early)


def treated_risk(risk: Vector, log_effect: float) -> Vector:
    """The risk whose odds are those of `risk` times the effect."""
    odds_ratio = np.exp(log_effect)
    return np.asarray(risk * odds_ratio / (1 - risk + risk * odds_ratio), dtype=np.float64)


def exponential_times(uniform: Vector, fraction: float, within: float) -> Vector:
    """Times at a constant rate that reach `fraction` of all by `within`; infinity where the fraction is 0."""
    if fraction == 0:
        return np.full(uniform.shape, np.inf)
    return np.asarray(np.log(uniform) / np.log1p(-fraction) * within, dtype=np.float64)


def log_odds_of_risk(prognosis: Vector, risk: float, *, spread: float = 0.0) -> float:
    """The log odds at which patients of this prognosis have this risk on average.

    `spread` is the standard deviation of a normal part of their prognosis that nobody measured.
    """
    points, weights = _unmeasured(spread)
    return _solve(lambda level: float((expit(level + prognosis[:, None] + points) @ weights).mean()), risk)


def log_rate_of_risk(prognosis: Vector, risk: float, *, by: float, shape: float, spread: float = 0.0) -> float:
    """The log rate at which patients of this prognosis have this risk on average by the time `by`."""
    points, weights = _unmeasured(spread)
    scale = shape * np.log(by)

    def mean_risk(level: float) -> float:
        with np.errstate(over="ignore"):
            return float((-np.expm1(-np.exp(level + scale + prognosis[:, None] + points)) @ weights).mean())

    return _solve(mean_risk, risk)


def expit(values: Vector) -> Vector:
    """The probability of log odds."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-values)), dtype=np.float64)


def _unmeasured(spread: float) -> tuple[Vector, Vector]:
    if spread == 0:
        return np.zeros(1), np.ones(1)
    points, weights = hermegauss(NODES)
    return spread * points, weights / weights.sum()


def _solve(mean_risk: Callable[[float], float], risk: float) -> float:
    """Bisection: the mean risk rises with the level."""
    low, high = -100.0, 100.0
    for _ in range(ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_risk(middle) < risk else (low, middle)
    return (low + high) / 2
