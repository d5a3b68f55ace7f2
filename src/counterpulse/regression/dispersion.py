"""The dispersion of the negative binomial model, by maximum likelihood together with the coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.newton import Maximum, maximize
from counterpulse.regression.count_likelihood import CountLikelihood
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

SETTLED = 1e-9
"""Change of log theta at which the alternation ends: coefficients and theta are orthogonal, so it ends soon."""
ALTERNATIONS, STEPS = 200, 100
SMALLEST, LARGEST = 1e-6, 1e5
"""Theta beyond these is no estimate: the counts are Poisson counts, or almost all of one patient."""


@dataclass(frozen=True, slots=True)
class Dispersed:
    """A negative binomial fit.

    Attributes
    ----------
    likelihood : with the dispersion ``alpha = 1 / theta``
    maximum : of the coefficients
    theta, std_error : the dispersion parameter, variance ``mean + mean**2 / theta``; its standard error from the observed
        information of theta
    """

    likelihood: CountLikelihood
    maximum: Maximum
    theta: float
    std_error: float
    iterations: int


def is_overdispersed(poisson: CountLikelihood, at: Floats) -> bool:
    """Whether the likelihood rises as soon as the variance may exceed the mean: the sum of (y - mean)^2 - y is positive."""
    mean = poisson.means(at)
    unit = np.ones(len(mean)) if poisson.weights is None else poisson.weights
    return float(unit @ ((poisson.counts - mean) ** 2 - poisson.counts)) > 0


def fit_dispersion(poisson: CountLikelihood, start: Floats) -> Dispersed | Status:
    """Maximize over coefficients and theta in turn, from the Poisson fit; a status where there is no estimate.

    References
    ----------
    Lawless 1987, doi:10.2307/3314912.
    """
    mean = poisson.means(start)
    unit = np.ones(len(mean)) if poisson.weights is None else poisson.weights
    excess = float(unit @ ((poisson.counts - mean) ** 2 - poisson.counts))
    at, theta = start, float(unit @ mean**2) / excess
    for iteration in range(1, ALTERNATIONS + 1):
        found = _best_theta(poisson, at, theta)
        if isinstance(found, Status):
            return found
        likelihood = replace(poisson, alpha=1 / found)
        maximum = maximize(likelihood, at)
        if not maximum.converged:
            return Status.NOT_CONVERGED
        change, theta, at = abs(log(found / theta)), found, maximum.at
        if change <= SETTLED:
            information = _slopes(poisson, poisson.means(at), theta)[1]
            if information > 0:
                return Dispersed(likelihood, maximum, theta, 1 / sqrt(information), iteration)
            break
    return Status.NOT_CONVERGED


def _best_theta(poisson: CountLikelihood, at: Floats, start: float) -> float | Status:
    """Find where the score of log theta is zero, by Newton's method inside a bracket that shrinks."""
    mean = poisson.means(at)
    low, high, here = log(SMALLEST), log(LARGEST), log(start)
    if _slopes(poisson, mean, LARGEST)[0] > 0:
        return Status.NO_OVERDISPERSION
    for _ in range(STEPS):
        theta = exp(min(max(here, low), high))
        score, information = _slopes(poisson, mean, theta)
        low, high = (log(theta), high) if score > 0 else (low, log(theta))
        curvature = theta * theta * information - theta * score
        step = theta * score / curvature if curvature > 0 else np.inf
        there = log(theta) + step if low <= log(theta) + step <= high else (low + high) / 2
        if abs(there - log(theta)) <= SETTLED / 10:
            return exp(there)
        here = there
    return Status.NOT_CONVERGED


def _slopes(poisson: CountLikelihood, mean: Floats, theta: float) -> tuple[float, float]:
    """Score and observed information of theta."""
    y = poisson.counts
    unit = np.ones(len(y)) if poisson.weights is None else poisson.weights
    steps = 1 / (theta + np.arange(y.max()))
    digamma, trigamma = (np.append(0.0, np.cumsum(power))[y.astype(np.intp)] for power in (steps, steps**2))
    score = digamma - np.log1p(mean / theta) + (mean - y) / (mean + theta)
    information = trigamma - 1 / theta + 2 / (mean + theta) - (y + theta) / (mean + theta) ** 2
    return float(unit @ score), float(unit @ information)
