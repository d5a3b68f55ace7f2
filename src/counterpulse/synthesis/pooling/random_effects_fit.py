"""Maximum likelihood of log odds with random effects: fixed parts, standard deviations, and a parameter of each study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import inverse_symmetric, solve_symmetric
from counterpulse.numerics.newton import Evaluation, Maximum, climb
from counterpulse.synthesis.pooling.differences import Differences
from counterpulse.synthesis.pooling.integrated_likelihood import Counts, log_likelihoods

Floats = NDArray[np.float64]

CLOSE = 1e-14
"""Square of the distance to the maximum, in standard errors, at which the last step is taken."""

LIMIT = 200
LONGEST, FLATTEST, NUDGE = 4.0, 1e-8, 0.1
"""The longest step and the smallest curvature a step is divided by, in log odds, and the push off a saddle."""

SPREADS = np.logspace(-2, 1, 13)
"""Standard deviations between studies at which the profile is looked at before its maximum is solved for."""

SAME = 1e-9
"""A gain in log-likelihood below this is none."""


def ascend(evaluate: Callable[[Floats], Evaluation], start: Floats) -> Maximum:
    """Climb by Newton's method; where the likelihood bends upward, along its slope instead of down to the saddle."""
    at, here = start, evaluate(start)
    for iteration in range(LIMIT):
        step, top = _upward(here)
        gain = float(step @ here.gradient)
        if gain <= CLOSE and top:
            return Maximum(at + step, here.value + gain / 2, here.information, iteration, True)
        step = step * min(1.0, LONGEST / max(float(np.abs(step).max()), LONGEST))
        taken = climb(evaluate, at, here, step)
        if taken is None:
            return Maximum(at, here.value, here.information, iteration, False)
        at, here = taken
    return Maximum(at, here.value, here.information, LIMIT, False)


def _upward(here: Evaluation) -> tuple[Floats, bool]:
    """A step up, and whether the likelihood bends downward on every side."""
    try:
        return solve_symmetric(here.information, here.gradient), True
    except np.linalg.LinAlgError:
        size, axes = np.linalg.eigh(here.information)
        step: Floats = axes @ (axes.T @ here.gradient / np.maximum(np.abs(size), FLATTEST))
        if float(step @ here.gradient) <= CLOSE:
            step = NUDGE * axes[:, 0]
        return step, False


@dataclass(frozen=True, slots=True)
class LogOddsModel:
    """``eta = offset + own * (parameter of the study) + locations @ beta + effects @ (sd * u)`` with standard normal u.

    Attributes
    ----------
    counts : what was observed, of A arms in each of k studies
    offset : shape (k, A)
    own : shape (A,), or None where no study has a parameter of its own
    locations : shape (A, p)
    effects : shape (A, q); the last is the effect that differs between studies, where there is one
    points : nodes of the quadrature
    """

    counts: Counts
    offset: Floats
    own: Floats | None
    locations: Floats
    effects: Floats
    points: int

    @property
    def k(self) -> int:
        """Studies."""
        return len(self.offset)

    @property
    def p(self) -> int:
        """Fixed parameters shared by the studies."""
        return int(self.locations.shape[1])

    def values(self, own: Floats, shared: Floats) -> Floats:
        """Log-likelihood of each study at P places; own (P, k), shared (P, p + q) -> (P, k)."""
        fixed = self.offset + (shared[:, None, : self.p] @ self.locations.T)
        if self.own is not None:
            fixed = fixed + own[:, :, None] * self.own
        loadings = self.effects * shared[:, None, self.p :]
        return log_likelihoods(self.counts, fixed, loadings, self.points)

    def likelihood(self) -> Differences:
        """The log-likelihood as a function of (own parameters, beta, sd)."""
        return Differences(self.values, self.k, self.own is not None)

    def without_last_effect(self) -> LogOddsModel:
        """The model in which the last random effect is zero."""
        return replace(self, effects=self.effects[:, :-1])


@dataclass(frozen=True, slots=True)
class LogOddsFit:
    """A maximum of the likelihood.

    Attributes
    ----------
    at : own parameters of the studies (k,) where there are any, beta (p,), standard deviations (q,)
    covariance : of `at`; of no standard deviation that is zero, for which it has zeros
    log_likelihood : with all constants
    spread : standard deviation of the last random effect
    converged : whether the maximum was found
    """

    at: Floats
    covariance: Floats
    log_likelihood: float
    spread: float
    converged: bool


def fit_common(model: LogOddsModel, start: Floats) -> LogOddsFit:
    """The maximum from `start`, which holds every parameter."""
    return fitted(model.likelihood(), start, model.counts)


def fitted(likelihood: Differences, start: Floats, counts: Counts) -> LogOddsFit:
    """The maximum of a likelihood of these counts without a random effect of the studies on the effect."""
    return _fit(likelihood, counts, ascend(likelihood, start), 0.0)


def fit_random(model: LogOddsModel, common: LogOddsFit) -> LogOddsFit:
    """The maximum over the last standard deviation too, from the maximum without it.

    The profile is looked at on a grid, then climbed from its best place: it may have several tops.
    """
    likelihood = model.likelihood()
    at, best = common.at, (common.log_likelihood - float(model.counts.constant.sum()), np.append(common.at, 0.0))
    for spread in SPREADS:
        held = ascend(_held(likelihood, float(spread)), at)
        if not (held.converged and np.isfinite(held.value)):
            continue
        at = held.at
        best = max(best, (held.value, np.append(at, spread)), key=lambda one: one[0])
    value, start = best
    if start[-1] == 0:
        start = np.append(common.at, _first_spread(likelihood, common.at))
    if start[-1] > 0:
        top = ascend(likelihood, start)
        if not top.converged or top.value > value + SAME:
            spread = abs(float(top.at[-1]))
            # a spread beyond the grid runs away: every study is separated, and the likelihood has no maximum
            top = replace(top, converged=top.converged and spread < SPREADS[-1])
            return _fit(likelihood, model.counts, top, spread)
    return _at_zero(common)


def _first_spread(likelihood: Differences, at: Floats) -> float:
    """Where to begin if the profile rises from zero below the grid; 0 where it falls."""
    information = likelihood(np.append(at, 0.0)).information
    return float(SPREADS[0]) / 2 if information[-1, -1] < 0 else 0.0


def _at_zero(common: LogOddsFit) -> LogOddsFit:
    size = len(common.at)
    covariance = np.zeros((size + 1, size + 1))
    covariance[:size, :size] = common.covariance
    return replace(common, at=np.append(common.at, 0.0), covariance=covariance, spread=0.0)


def _held(likelihood: Differences, spread: float) -> Callable[[Floats], Evaluation]:
    def evaluate(at: Floats) -> Evaluation:
        here = likelihood(np.append(at, spread))
        return Evaluation(here.value, here.gradient[:-1], here.information[:-1, :-1])

    return evaluate


def _fit(likelihood: Differences, counts: Counts, maximum: Maximum, spread: float) -> LogOddsFit:
    converged, size = maximum.converged, len(maximum.at)
    covariance = np.full((size, size), np.nan)
    if converged:
        try:
            covariance = inverse_symmetric(likelihood(maximum.at).information)
        except np.linalg.LinAlgError:
            converged = False
    value = maximum.value + float(counts.constant.sum())
    return LogOddsFit(maximum.at, covariance, value, spread, converged)


def equality_statistic(values: Floats, covariance: Floats) -> float:
    """Wald's statistic that the values are equal, given their covariance matrix."""
    precision = inverse_symmetric(covariance)
    center = float(precision.sum(axis=0) @ values) / float(precision.sum())
    return float((values - center) @ precision @ (values - center))


def error_at(fit: LogOddsFit, position: int) -> float:
    """Standard error of a parameter."""
    return sqrt(float(fit.covariance[position, position]))
