"""Generalized linear models of a log odds ratio, unconditional and conditional, and of the log odds of one arm.

Turner 2000; Stijnen 2010, doi:10.1002/sim.4040. Each knows its model, where to begin, and its tests of homogeneity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.pooling.counts import TwoArms
from counterpulse.synthesis.pooling.differences import Differences
from counterpulse.synthesis.pooling.homogeneity import NOT_TESTED, ChiSquared, about
from counterpulse.synthesis.pooling.integrated_likelihood import BinomialCounts, HypergeometricCounts, log_choose
from counterpulse.synthesis.pooling.random_effects_fit import (
    LogOddsFit,
    LogOddsModel,
    equality_statistic,
    fit_common,
    fitted,
)

Floats = NDArray[np.float64]

SIDES = np.array([0.5, -0.5])
"""How the log odds ratio enters the log odds of arm 1 and arm 2."""

LARGEST = 200_000
"""Tables of all studies together that are laid out for the exact conditional likelihood."""

START = 0.5
"""Added to events and others for the log odds to begin at."""


@dataclass(frozen=True, slots=True)
class Posed:
    """A model ready to fit, with the effect that differs between studies as its last random effect.

    Attributes
    ----------
    model : with all its random effects
    start : where to begin without the last one
    effect : position of the pooled effect among the parameters
    """

    model: LogOddsModel
    start: Floats
    effect: int


def unconditional_fixed(t: TwoArms, points: int) -> Posed:
    """Binomial arms; a fixed log odds for each study."""
    model = LogOddsModel(_both_arms(t), np.zeros((t.k, 2)), np.ones(2), SIDES[:, None], SIDES[:, None], points)
    return Posed(model, np.append(_log_odds(t.events, t.n), 0.0), t.k)


def unconditional_random(t: TwoArms, points: int) -> Posed:
    """Binomial arms; a random log odds for each study, independent of its effect."""
    design = np.column_stack([np.ones(2), SIDES])
    model = LogOddsModel(_both_arms(t), np.zeros((t.k, 2)), None, design, design, points)
    return Posed(model, _random_start(t), 1)


def conditional_approximate(t: TwoArms, points: int) -> Posed:
    """Events in arm 1 given the events of both, as binomial: right for rare events."""
    counts = BinomialCounts(t.a[:, None], t.events[:, None])
    return _conditional(counts, np.log(t.n_1 / t.n_2)[:, None], points)


def conditional_exact(t: TwoArms, points: int) -> Posed:
    """Events in arm 1 given all margins: noncentral hypergeometric."""
    counts = HypergeometricCounts.of(t.a, t.n_1, t.n_2, t.events)
    return _conditional(counts, np.zeros((t.k, 1)), points)


def logistic(x: Floats, n: Floats, points: int) -> Posed:
    """Binomial counts of one arm with a random log odds for each study."""
    one = np.ones((1, 1))
    model = LogOddsModel(BinomialCounts(x[:, None], n[:, None]), np.zeros((len(x), 1)), None, one, one, points)
    return Posed(model, _log_odds(x.sum(keepdims=True), n.sum(keepdims=True)), 0)


def tables_laid_out(t: TwoArms) -> float:
    """How many tables the exact conditional likelihood lays out."""
    return float((np.minimum(t.n_1, t.events) - np.maximum(0, t.events - t.n_2) + 1).sum())


def _conditional(counts: BinomialCounts | HypergeometricCounts, offset: Floats, points: int) -> Posed:
    one = np.ones((1, 1))
    return Posed(LogOddsModel(counts, offset, None, one, one, points), np.zeros(1), 0)


def _both_arms(t: TwoArms) -> BinomialCounts:
    return BinomialCounts(np.column_stack([t.a, t.c]), np.column_stack([t.n_1, t.n_2]))


def _log_odds(events: Floats, n: Floats) -> Floats:
    odds: Floats = np.log((events + START) / (n - events + START))
    return odds


def _random_start(t: TwoArms) -> Floats:
    """Mean log odds, no effect, and a standard deviation of the log odds of studies that is not zero."""
    odds = _log_odds(t.events, t.n)
    return np.array([odds.mean(), 0.0, max(float(odds.std()), START)])


def homogeneity_unconditional_fixed(t: TwoArms, common: LogOddsFit) -> tuple[ChiSquared, ChiSquared]:
    """Wald's and the likelihood-ratio test against an effect of each study; those of empty cells are infinite."""
    best = _binomial_maxima(t.a, t.n_1) + _binomial_maxima(t.c, t.n_2)
    return _wald_of_finite(t), _ratio(float(best.sum()), common, t.k)


def homogeneity_conditional_approximate(t: TwoArms, common: LogOddsFit) -> tuple[ChiSquared, ChiSquared]:
    """The same for the approximate conditional likelihood."""
    finite = (t.a > 0) & (t.c > 0)
    a, c = t.a[finite], t.c[finite]
    effects = np.log(a / c) - np.log(t.n_1 / t.n_2)[finite]
    return _wald(effects, 1 / a + 1 / c, t.k), _ratio(float(_binomial_maxima(t.a, t.events).sum()), common, t.k)


def homogeneity_conditional_exact(t: TwoArms, common: LogOddsFit) -> tuple[ChiSquared, ChiSquared]:
    """The same for the exact conditional likelihood; a study at an end of its support has probability one there."""
    low, high = np.maximum(0, t.events - t.n_2), np.minimum(t.n_1, t.events)
    inside = t.only((t.a > low) & (t.a < high))
    if inside.k == 0:
        return _wald(np.empty(0), np.empty(0), t.k), _ratio(0.0, common, t.k)
    counts = HypergeometricCounts.of(inside.a, inside.n_1, inside.n_2, inside.events)
    none = np.empty((1, 0))
    model = LogOddsModel(counts, np.zeros((inside.k, 1)), np.ones(1), none, none, 1)
    fit = fit_common(model, np.zeros(inside.k))
    if not fit.converged:
        return NOT_TESTED, NOT_TESTED
    return _wald(fit.at, np.diag(fit.covariance), t.k), _ratio(fit.log_likelihood, common, t.k)


def homogeneity_unconditional_random(t: TwoArms, common: LogOddsFit, points: int) -> tuple[ChiSquared, ChiSquared]:
    """The same where the log odds of arm 2 are random, with an effect of each study on arm 1 (as R: metafor has it).

    An arm 1 without events, or without others, has an infinite effect: its likelihood is one, whatever the rest. The
    parameter of such a study is held at zero by a parabola.
    """
    if t.k == 1:
        return NOT_TESTED, NOT_TESTED
    finite = (t.a > 0) & (t.b > 0)
    counts = BinomialCounts(np.column_stack([t.a * finite, t.c]), np.column_stack([t.n_1 * finite, t.n_2]))
    one = np.ones((2, 1))
    model = LogOddsModel(counts, np.zeros((t.k, 2)), np.array([1.0, 0.0]), one, one, points)

    def values(own: Floats, shared: Floats) -> Floats:
        return model.values(own * finite, shared) - ~finite * own**2 / 2

    mean, _, spread = _random_start(t)
    effects, _ = t.corrected().effects("odds ratio")
    fit = fitted(Differences(values, t.k, True), np.concatenate([effects * finite, [mean, spread]]), counts)
    if not fit.converged:
        return NOT_TESTED, NOT_TESTED
    at = np.flatnonzero(finite)
    statistic = equality_statistic(fit.at[at], fit.covariance[np.ix_(at, at)]) if len(at) > 1 else 0.0
    return ChiSquared.of(statistic, t.k - 1), _ratio(fit.log_likelihood, common, t.k)


def binomial_wald(x: Floats, n: Floats) -> ChiSquared:
    """Wald's test that log odds are equal; infinite ones have no weight."""
    finite = (x > 0) & (x < n)
    x, others = x[finite], (n - x)[finite]
    return _wald(np.log(x / others), 1 / x + 1 / others, len(n))


def binomial_ratio(x: Floats, n: Floats, common: LogOddsFit) -> ChiSquared:
    """The likelihood-ratio test that probabilities are equal."""
    return _ratio(float(_binomial_maxima(x, n).sum()), common, len(n))


def _wald_of_finite(t: TwoArms) -> ChiSquared:
    effects, variances = t.only(~t.with_empty_cell).effects("odds ratio")
    return _wald(effects, variances, t.k)


def _wald(effects: Floats, variances: Floats, k: int) -> ChiSquared:
    if not len(effects):
        return ChiSquared.of(0.0, k - 1)
    weights = 1 / variances
    center = float((weights * effects).sum() / weights.sum())
    return ChiSquared.of(about(center, effects, variances).statistic, k - 1)


def _ratio(saturated: float, common: LogOddsFit, k: int) -> ChiSquared:
    return ChiSquared.of(max(0.0, 2 * (saturated - common.log_likelihood)), k - 1)


def _binomial_maxima(x: Floats, n: Floats) -> Floats:
    """Log-likelihood of binomial counts at their own proportions."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(x > 0, x * np.log(x / n), 0.0) + np.where(x < n, (n - x) * np.log((n - x) / n), 0.0)
    maxima: Floats = log_choose(n, x) + own
    return maxima
