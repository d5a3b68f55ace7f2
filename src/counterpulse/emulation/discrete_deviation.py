"""Deviation from a strategy in discrete time: a pooled logistic model of the clones at risk when clones deviate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from counterpulse.data.spline_basis import natural_spline
from counterpulse.emulation.clones import Arm
from counterpulse.numerics.linear_algebra import center_and_scale, independent_columns, weighted_gram
from counterpulse.numerics.newton import maximize
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.separation import find_separation

Floats = NDArray[np.float64]

KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the distinct deviation times at which the spline of time has its knots."""

FEWEST_FOR_SPLINE = 5

USUAL_ITERATIONS, LATE_ITERATIONS = 12, 25
"""A fit with finite coefficients has converged by the first, or is worth a look for separation."""


def log_kept(arm: Arm, times: Floats, X: Floats) -> Floats | None:
    """Logarithm of the inverse probability of still following the strategy, shape (n, L + 1).

    Parameters
    ----------
    times : at which clones deviate, ascending, shape (L,)
    X : covariates of the clones, shape (n, p); p may be 0

    Returns
    -------
    before the first and after each of the times; None where the model has no maximum
    """
    n, count = len(arm.time), arm.at_risk(times)
    clone = np.concatenate([np.arange(k) for k in count])
    when = np.repeat(np.arange(len(times)), count)
    able = arm.until[clone] >= times[when]
    clone, when = clone[able], when[able]
    left = arm.deviated[clone] & (arm.time[clone] == times[when])
    time = _time_columns(times)
    columns = np.empty((len(clone), 1 + X.shape[1] + time.shape[1]), order="F")
    columns[:, 0], columns[:, 1 : 1 + X.shape[1]], columns[:, 1 + X.shape[1] :] = 1.0, X[clone], time[when]
    center, scale = center_and_scale(columns[:, 1:])
    kept = np.concatenate(([0], 1 + np.flatnonzero(scale > 0)))
    kept = kept[independent_columns(weighted_gram(columns[:, kept]))]
    likelihood = BinomialLikelihood(np.asfortranarray(columns[:, kept]), np.where(left, 1.0, -1.0), None)
    found = _maximum(likelihood)
    if found is None:
        return None
    logs = np.zeros((n, len(times) + 1))
    place = np.concatenate(([0.0], center)), np.concatenate(([1.0], np.where(scale > 0, scale, 1.0)))
    for level in range(len(times)):
        row = np.column_stack((np.ones(n), X, np.broadcast_to(time[level], (n, time.shape[1]))))
        predictor = ((row - place[0]) / place[1])[:, kept] @ found
        logs[:, level + 1] = logs[:, level] + np.logaddexp(0.0, predictor)
    return logs


def _maximum(likelihood: BinomialLikelihood) -> Floats | None:
    """The coefficients, shape (k,); None where one is infinite."""
    found = maximize(likelihood, likelihood.null_start(), limit=USUAL_ITERATIONS)
    if found.converged:
        return found.at
    late = maximize(likelihood, found.at, limit=LATE_ITERATIONS)
    separated = find_separation(likelihood.X, likelihood.sign, late.at - found.at) is not None
    return late.at if late.converged and not separated else None


def _time_columns(times: Floats) -> Floats:
    """A natural spline of time, a straight line of few times, nothing of one; shape (L, q)."""
    if len(times) == 1:
        return np.empty((1, 0))
    if len(times) < FEWEST_FOR_SPLINE:
        return times[:, None]
    return np.column_stack(list(natural_spline(times, tuple(np.quantile(times, KNOTS).tolist()))))
