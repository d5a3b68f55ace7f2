"""Targeted maximum likelihood: outcome models moved so that they agree with the weighted outcomes, then averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.regression.augmented_weighting import augmented_means, estimate
from counterpulse.regression.marginal_effect import AverageEffect
from counterpulse.regression.nuisance_models import (
    Arms,
    Estimand,
    Nuisance,
    Options,
    Request,
    UnfittedError,
    balancing,
)
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

METHOD = "targeted maximum likelihood"
WORKS = ("van-der-laan-rubin-2006", "gruber-van-der-laan-2010")

INSIDE = 0.9995
"""Predictions of the outcome on the unit scale are held below this and above the rest, so that they have a logit."""

CONVERGED = 1e-12
MOST_STEPS = 100
FARTHEST = 30.0


def tmle(
    table: pl.DataFrame, *, outcome: str, treatment: str, covariates: Sequence[Term],
    outcome_bounds: tuple[float, float] | None = None, **options: Unpack[Options],
) -> AverageEffect:  # fmt: skip
    """Average treatment effect by targeted maximum likelihood with a logistic fluctuation.

    Parameters
    ----------
    outcome_bounds : limits of a numeric outcome; default: its smallest and largest value
    table, outcome, treatment, covariates, options : as at `aipw`

    Returns
    -------
    AverageEffect : `fluctuations` has what was added to the logits of the two outcome models

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    A number is brought to the unit interval. Each arm's outcome model is moved by an intercept on the logit scale, fitted
    with the inverse probability of the treatment received as weights (for the ATT 1 and the odds of treatment); the means
    average the moved predictions, so that they lie within the limits of the outcome. The efficient score of the sample is
    then zero, and the variance is that of the influence function, as at `aipw`.

    References
    ----------
    van der Laan and Rubin 2006 (doi:10.2202/1557-4679.1043); Gruber and van der Laan 2010 (doi:10.2202/1557-4679.1260)
    """
    told: Options = {"analysis": "tmle", **options}
    request = Request(table=table, outcome=outcome, treatment=treatment, covariates=covariates, **told)
    estimand = request.estimand

    def step(arms: Arms, found: Nuisance) -> tuple[Floats, Floats, dict[str, float]]:
        low, high = _limits(arms, outcome_bounds)
        unit, moved, fluctuations = _target(arms, found, estimand, low, high)
        means, influence = augmented_means(unit, moved, estimand)
        return low + (high - low) * means, (high - low) * influence, fluctuations

    return estimate(request, METHOD, WORKS, step)


def _limits(arms: Arms, given: tuple[float, float] | None) -> tuple[float, float]:
    if arms.binary:
        return 0.0, 1.0
    smallest, largest = float(arms.y.min()), float(arms.y.max())
    if given is None and smallest == largest:
        raise UnfittedError(Status.ZERO_VARIANCE)
    if given is None:
        return smallest, largest
    if not given[0] <= smallest <= largest <= given[1]:
        raise InputError(
            "'outcome_bounds' do not hold every outcome; give limits that the outcome cannot exceed, or None"
        )
    return float(given[0]), float(given[1])


def _target(
    arms: Arms, found: Nuisance, estimand: Estimand, low: float, high: float
) -> tuple[Arms, Nuisance, dict[str, float]]:
    """Outcomes on the unit interval, outcome models moved towards them, and by how much."""
    unit = replace(arms, y=(arms.y - low) / (high - low))
    counted = np.ones(len(arms.y)) if arms.rows.weights is None else arms.rows.weights
    moved, fluctuations = [], {}
    if_treated, if_not, _ = balancing(arms, found, estimand)
    for name, own, weight, predicted in (
        (arms.names[0], arms.treated, if_treated, found.if_treated),
        (arms.names[1], ~arms.treated, if_not, found.if_not),
    ):
        inside = np.clip((predicted - low) / (high - low), 1 - INSIDE, INSIDE)
        logit = np.log(inside / (1 - inside))
        shift = _fluctuation(logit[own], unit.y[own], (counted * weight)[own])
        moved.append(expit(logit + shift))
        fluctuations[name] = shift
    return unit, replace(found, if_treated=moved[0], if_not=moved[1]), fluctuations


def _fluctuation(logit: Floats, y: Floats, weights: Floats) -> float:
    """The intercept that makes weighted predictions sum to weighted outcomes, by Newton's method held by bisection."""
    target = float(weights @ y)
    if not 0 < target < float(weights.sum()):
        raise UnfittedError(Status.ONE_ARM_UNFITTED)
    low, high, shift = -FARTHEST, FARTHEST, 0.0
    for _ in range(MOST_STEPS):
        fitted = expit(logit + shift)
        gap = target - float(weights @ fitted)
        low, high = (shift, high) if gap > 0 else (low, shift)
        curve = float(weights @ (fitted * (1 - fitted)))
        step = gap / curve if curve > 0 else np.inf
        following = shift + step if low < shift + step < high else (low + high) / 2
        if abs(following - shift) <= CONVERGED:
            return following
        shift = following
    return shift
