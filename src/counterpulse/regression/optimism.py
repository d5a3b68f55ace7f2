"""Optimism of a prediction model that is judged on the patients it was made from, by the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.linear_algebra import independent_columns, solve_symmetric
from counterpulse.numerics.newton import Evaluation, maximize
from counterpulse.numerics.random_streams import stream
from counterpulse.numerics.workers import Jobs
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.discrimination import one_sided, read_prediction
from counterpulse.results.optimism import Optimism, no_optimism, optimism_over

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Refit = Callable[[Floats], Floats | None]

MEASURES = ("c-statistic", "calibration slope", "calibration intercept", "Brier score")

CONVERGED = 1e-16
"""Square of the distance to the maximum, in standard errors, at which a replicate is finished."""

CHORDS = 25
"""Steps with the information of the full fit under the replicate's weights; each leaves a few percent of the distance."""


def bootstrap_optimism(
    outcome: ArrayLike,
    linear_predictor: ArrayLike,
    refit: Refit,
    *,
    seed: int,
    analysis: str,
    replicates: int = 1000,
    jobs: Jobs = 1,
) -> Optimism:
    """Correct the performance of a logistic model for optimism (Harrell's bootstrap).

    Every replicate draws the patients with replacement, makes the model again, and judges it on the draw and on the
    patients; the mean difference is the optimism.

    Parameters
    ----------
    outcome : yes/no, shape (n,)
    linear_predictor : log odds by the model made from all patients, shape (n,)
    refit : makes the model again with weights (how often each patient was drawn, shape (n,)) and returns the log odds of
        all patients, shape (n,), or None where it cannot; whatever chose the model is to be repeated in it
    seed, analysis : of the random streams; replicate k is the same whatever else is drawn
    jobs : threads, or workers; the result does not depend on it

    Raises
    ------
    InputError : shapes that differ, missing values, fewer than 2 replicates

    References
    ----------
    Harrell, Lee and Mark 1996 (doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4);
    Steyerberg 2001 (doi:10.1016/S0895-4356(01)00341-9)
    """
    if replicates < 2:
        raise InputError(f"{replicates} replicates are too few; 1,000 are usual")
    event, predictor = read_prediction(outcome, linear_predictor)
    if not 0 < event.sum() < len(event):
        return no_optimism(MEASURES, replicates, one_sided(int(event.sum()), int((~event).sum())))
    apparent = _measures(event, predictor, np.argsort(predictor), np.ones(len(event)))
    replicate = partial(_replicate, event, refit, seed, analysis)
    return optimism_over(replicate, apparent, measures=MEASURES, replicates=replicates, jobs=jobs)


def _replicate(event: Bools, refit: Refit, seed: int, analysis: str, draw: int) -> Floats:
    """The optimism of the model made again from one draw, shape (4,); nan where it cannot be made."""
    nothing = np.full(len(MEASURES), nan)
    drawn = stream(seed, analysis, draw).integers(0, len(event), len(event))
    weights = np.bincount(drawn, minlength=len(event)).astype(np.float64)
    if not 0 < weights @ event < len(event):
        return nothing
    again = refit(weights)
    return nothing if again is None or not np.isfinite(again).all() else judge(event, again, weights)


def judge(event: Bools, predictor: Floats, weights: Floats) -> Floats:
    """Performance on a draw less that on the patients, shape (4,), of log odds of all patients made from the draw."""
    order = np.argsort(predictor)
    return _measures(event, predictor, order, weights) - _measures(event, predictor, order, np.ones(len(event)))


def _measures(event: Bools, predictor: Floats, order: NDArray[np.intp], weights: Floats) -> Floats:
    """c, slope, intercept and Brier score, weighted; nan where the slope is infinite. `order` sorts the predictor."""
    c = weighted_c_statistic(event[order], predictor[order], weights[order])
    loss = (expit(predictor) - event) ** 2
    return np.array([c, *_recalibration(event, predictor, weights), float(loss @ weights) / float(weights.sum())])


def _recalibration(event: Bools, predictor: Floats, weights: Floats) -> tuple[float, float]:
    """Slope and intercept of a logistic regression on the linear predictor, by Newton's method in two numbers."""
    a, b = 0.0, 1.0
    for _ in range(50):
        fitted = expit(a + b * predictor)
        residual = weights * (event - fitted)
        variance = weights * fitted * (1 - fitted)
        moment = variance * predictor
        g0, g1 = float(residual.sum()), float(residual @ predictor)
        h00, h01, h11 = float(variance.sum()), float(moment.sum()), float(moment @ predictor)
        determinant = h00 * h11 - h01 * h01
        if not determinant > 0:
            return nan, nan
        step_a, step_b = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        a, b = a + step_a, b + step_b
        if g0 * step_a + g1 * step_b < CONVERGED:
            return b, a
    return nan, nan


def weighted_c_statistic(event: Bools, score: Floats, weights: Floats) -> float:
    """The c-statistic of rows in ascending order of score, each counted `weights` times."""
    case, other = np.where(event, weights, 0.0), np.where(event, 0.0, weights)
    first = np.flatnonzero(np.append(True, score[1:] != score[:-1]))
    cases, others = np.add.reduceat(case, first), np.add.reduceat(other, first)
    below = np.cumsum(others) - others
    pairs = float(cases.sum() * others.sum())
    return float(cases @ (below + others / 2)) / pairs if pairs else nan


@dataclass(frozen=True, slots=True)
class LogisticRefit:
    """Makes a logistic model again under weights, from the full fit: one information, then steps that reuse it.

    Attributes
    ----------
    X : the design with its intercept, columns centered and scaled, shape (n, k), column-major
    sign : +1 for an event and -1 for none, shape (n,)
    start : coefficients of the full fit, shape (k,)
    """

    X: Floats
    sign: Floats
    start: Floats

    def __call__(self, weights: Floats) -> Floats | None:
        """Log odds of all patients; None where the likelihood has no maximum."""
        at = self.coefficients(weights)
        return None if at is None else self.X @ at

    def coefficients(self, weights: Floats) -> Floats | None:
        """Coefficients of the scaled columns, shape (k,); None where the likelihood has no maximum.

        A column without variation in the draw is left out, as in any fit on the draw.
        """
        drawn = np.flatnonzero(weights)
        X = np.empty((len(drawn), self.X.shape[1]), order="F")
        for j, column in enumerate(self.X.T):
            np.take(column, drawn, out=X[:, j])
        return _maximum(BinomialLikelihood(X, self.sign[drawn], weights[drawn]), self.start)


def _maximum(likelihood: BinomialLikelihood, start: Floats) -> Floats | None:
    here = likelihood(start)
    kept = np.flatnonzero(independent_columns(here.information))
    if len(kept) < len(start):
        part = BinomialLikelihood(np.asfortranarray(likelihood.X[:, kept]), likelihood.sign, likelihood.weights)
        found = maximize(part, np.zeros(len(kept)), tolerance=CONVERGED)
        at = np.zeros(len(start))
        at[kept] = found.at
        return at if found.converged else None
    chord = _chords(likelihood, start, here)
    if chord is not None:
        return chord
    found = maximize(likelihood, start, tolerance=CONVERGED)
    return found.at if found.converged else None


def _chords(likelihood: BinomialLikelihood, start: Floats, here: Evaluation) -> Floats | None:
    """Steps with one information, each shorter than the last, until the next would not be seen; None where they do not end."""
    step = solve_symmetric(here.information, here.gradient)
    at, last = start, float(step @ here.gradient)
    for _ in range(CHORDS):
        at = at + step
        _, gradient = likelihood.slope(at)
        step = solve_symmetric(here.information, gradient)
        decrement = float(step @ gradient)
        if decrement <= CONVERGED:
            return at + step
        if decrement > last / 4:
            return None
        last = decrement
    return None
