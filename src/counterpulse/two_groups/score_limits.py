"""Score limits of Miettinen and Nurminen for the risk difference, risk ratio and odds ratio.

The statistic compares the two risks at a value of the parameter, with the variance at the risks that are most likely
under that value, times N / (N - 1). A limit is the value at which it reaches the normal quantile.
doi:10.1002/sim.4780040211
"""

from __future__ import annotations

from functools import partial
from math import copysign, exp, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.distributions import critical_value
from counterpulse.two_groups.crossing import crossing, root_between
from counterpulse.two_groups.two_by_two import TwoByTwo

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

LARGEST_SCORE = 1e6
"""Stands for an infinite statistic, where the variance is zero."""

NO_VARIANCE = 1e-15
"""Variances and gaps of proportions below this are rounding."""


def scores_of_difference(
    events_treated: Counts, n_treated: int, events_reference: Counts, n_reference: int, difference: float
) -> Floats:
    """The signed score statistic of a risk difference for any counts of events, without the factor N / (N - 1).

    The most likely reference risk under the difference is the root in [0, 1] of a cubic.
    """
    n, events = n_treated + n_reference, events_treated + events_reference
    l2 = (n_treated + 2 * n_reference) * difference - n - events
    l1 = (n_reference * difference - n - 2 * events_reference) * difference + events
    l0 = events_reference * difference * (1 - difference)
    shift = l2 / (3 * n)
    q = shift * shift * shift - l1 * l2 / (6 * n**2) + l0 / (2 * n)
    radius = np.sqrt(np.maximum(shift * shift - l1 / (3 * n), 0.0))
    p = np.where(q >= 0, radius, -radius)
    cube = p * p * p
    ratio = np.divide(q, cube, out=np.zeros_like(q), where=cube != 0)
    angle = (np.pi + np.arccos(np.clip(ratio, -1.0, 1.0))) / 3
    reference = np.clip(2 * p * np.cos(angle) - shift, max(0.0, -difference), min(1.0, 1 - difference))
    treated = reference + difference
    variance = treated * (1 - treated) / n_treated + reference * (1 - reference) / n_reference
    return _standardized(events_treated / n_treated - events_reference / n_reference - difference, variance)


def score_of_difference(counts: TwoByTwo, difference: float) -> float:
    """The signed score statistic of a risk difference."""
    treated, reference = np.array([counts.events_treated]), np.array([counts.events_reference])
    z = scores_of_difference(treated, counts.n_treated, reference, counts.n_reference, difference)
    return float(z[0] / sqrt(_inflation(counts)))


def score_of_log_risk_ratio(counts: TwoByTwo, log_ratio: float) -> float:
    """The signed score statistic of a log risk ratio."""
    ratio = exp(log_ratio)
    a = counts.n * ratio
    b = counts.n_treated * ratio + counts.events_treated + counts.n_reference + counts.events_reference * ratio
    reference = min(2 * counts.events / (b + sqrt(max(b**2 - 4 * a * counts.events, 0.0))), 1.0, exp(-log_ratio))
    treated = min(ratio * reference, 1.0)
    variance = treated * (1 - treated) / counts.n_treated
    variance += ratio**2 * reference * (1 - reference) / counts.n_reference
    gap = counts.risk_treated - ratio * counts.risk_reference
    return _score(gap, variance * _inflation(counts))


def score_of_log_odds_ratio(counts: TwoByTwo, log_odds_ratio: float) -> float:
    """The signed score statistic of a log odds ratio."""
    odds_ratio = exp(log_odds_ratio)
    a = counts.n_reference * (odds_ratio - 1)
    b = counts.n_treated * odds_ratio + counts.n_reference - counts.events * (odds_ratio - 1)
    root = sqrt(max(b**2 + 4 * a * counts.events, 0.0))
    reference = 2 * counts.events / (b + root) if b + root > 0 else (root - b) / (2 * a)
    treated = reference * odds_ratio / (1 + reference * (odds_ratio - 1))
    information_treated = counts.n_treated * treated * (1 - treated)
    information_reference = counts.n_reference * reference * (1 - reference)
    if min(information_treated, information_reference) <= 0:
        return copysign(LARGEST_SCORE, -log_odds_ratio)
    gap = (counts.risk_treated - treated) / (treated * (1 - treated))
    gap -= (counts.risk_reference - reference) / (reference * (1 - reference))
    return _score(gap, (1 / information_treated + 1 / information_reference) * _inflation(counts))


def difference_limits(counts: TwoByTwo, level: float) -> tuple[float, float]:
    """Score limits of the risk difference."""
    score = partial(score_of_difference, counts)
    observed = counts.risk_treated - counts.risk_reference
    z = critical_value(level)
    low = -1.0 if observed == -1 else root_between(score, z, -1.0, observed)
    high = 1.0 if observed == 1 else root_between(score, -z, observed, 1.0)
    return low, high


def log_risk_ratio_limits(counts: TwoByTwo, level: float) -> tuple[float, float]:
    """Score limits of the log risk ratio; infinite on the side of a group without events."""
    score = partial(score_of_log_risk_ratio, counts)
    low = -inf if counts.events_treated == 0 else crossing(score, critical_value(level))
    high = inf if counts.events_reference == 0 else crossing(score, -critical_value(level))
    return low, high


def log_odds_ratio_limits(counts: TwoByTwo, level: float) -> tuple[float, float]:
    """Score limits of the log odds ratio; infinite on the side of an empty cell."""
    score = partial(score_of_log_odds_ratio, counts)
    low_is_open = counts.events_treated == 0 or counts.non_events_reference == 0
    high_is_open = counts.events_reference == 0 or counts.non_events_treated == 0
    low = -inf if low_is_open else crossing(score, critical_value(level))
    high = inf if high_is_open else crossing(score, -critical_value(level))
    return low, high


def _standardized(gap: Floats, variance: Floats) -> Floats:
    """The gap in standard errors, bounded so that a root can be bracketed where the variance is zero."""
    flat = variance <= NO_VARIANCE
    size = np.sqrt(np.where(flat, 1.0, variance))
    at_zero = np.where(np.abs(gap) < NO_VARIANCE, 0.0, np.copysign(LARGEST_SCORE, gap))
    return np.where(flat, at_zero, np.clip(gap / size, -LARGEST_SCORE, LARGEST_SCORE))


def _score(gap: float, variance: float) -> float:
    return float(_standardized(np.array([gap]), np.array([variance]))[0])


def _inflation(counts: TwoByTwo) -> float:
    return counts.n / (counts.n - 1)
