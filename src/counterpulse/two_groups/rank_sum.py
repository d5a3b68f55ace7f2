"""The Mann-Whitney (Wilcoxon rank-sum) test."""

from __future__ import annotations

from functools import lru_cache
from math import comb, copysign, sqrt

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import normal_two_sided
from counterpulse.results import Status
from counterpulse.two_groups.arrays import as_values
from counterpulse.two_groups.ranks import Ranks, mean_ranks
from counterpulse.two_groups.tested import TestResult, not_tested

METHODS = ("normal", "exact", "exact below 50")

SMALL = 50
"""Under "exact below 50" both groups must have fewer values than this, as in R's wilcox.test."""

MOST_WORK = 5_000_000
"""Steps of the exact distribution (smaller group x pairs) that are attempted: about 170 values a group."""

NORMAL, EXACT = "mann-whitney", "mann-whitney exact"
UNCORRECTED = "mann-whitney without continuity correction"


def mann_whitney(
    values_treated: ArrayLike, values_reference: ArrayLike, *, method: str = "normal", continuity: bool = True
) -> TestResult:
    """Test whether values of one group tend to be larger than those of the other.

    Parameters
    ----------
    values_treated, values_reference : values, one a patient, without missing ones
    method : "normal" (approximation, variance corrected for ties), "exact" (no ties), or "exact below 50" (exact where
        both groups have fewer than 50 values and none are tied, else normal: what R does when not told)
    continuity : move the statistic half a pair toward its mean; concerns the normal approximation only

    Returns
    -------
    TestResult
        The statistic W counts pairs in which the treated value is larger, ties as a half. Status TIES where exact was
        asked for and values are tied, TOO_LARGE where there are too many, ZERO_VARIANCE where all values are equal.

    Raises
    ------
    InputError
        Missing or infinite values, or an unknown method.

    References
    ----------
    Mann and Whitney 1947, doi:10.1214/aoms/1177730491.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; give one of {', '.join(METHODS)}")
    x, y = as_values(values_treated, "values_treated"), as_values(values_reference, "values_reference")
    if 0 in (len(x), len(y)):
        return not_tested(NORMAL, "W", Status.EMPTY_GROUP)
    ranked = mean_ranks(np.concatenate([x, y]))
    statistic = float(ranked.ranks[: len(x)].sum()) - len(x) * (len(x) + 1) / 2
    is_small = max(len(x), len(y)) < SMALL and not ranked.has_ties
    if method == "normal" or (method == "exact below 50" and not is_small):
        return _normal(statistic, len(x), len(y), ranked, continuity)
    if ranked.has_ties:
        return not_tested(EXACT, "W", Status.TIES)
    if min(len(x), len(y)) * len(x) * len(y) > MOST_WORK:
        return not_tested(EXACT, "W", Status.TOO_LARGE)
    p_value = exact_p_value(round(statistic), len(x), len(y))
    return TestResult(name=EXACT, statistic=statistic, statistic_name="W", p_value=p_value)


def exact_p_value(statistic: int, n_treated: int, n_reference: int) -> float:
    """Twice the smaller tail of the permutation distribution of W without ties, at most 1."""
    ways = _ways(*sorted((n_treated, n_reference)))
    smaller = min(statistic, n_treated * n_reference - statistic)
    return min(1.0, 2 * sum(ways[: smaller + 1]) / comb(n_treated + n_reference, n_treated))


def _normal(statistic: float, n_treated: int, n_reference: int, ranked: Ranks, continuity: bool) -> TestResult:
    n, pairs = n_treated + n_reference, n_treated * n_reference
    variance = pairs / 12 * ((n + 1) - ranked.tie_sum / (n * (n - 1)))
    name = NORMAL if continuity else UNCORRECTED
    if len(ranked.ties) == 1:
        return not_tested(name, "W", Status.ZERO_VARIANCE)
    distance = statistic - pairs / 2
    if continuity and distance != 0:
        distance -= copysign(0.5, distance)
    p_value = min(1.0, normal_two_sided(distance / sqrt(variance)))
    return TestResult(name=name, statistic=statistic, statistic_name="W", p_value=p_value)


@lru_cache(maxsize=64)
def _ways(m: int, n: int) -> tuple[int, ...]:
    """How many choices of m ranks out of m + n give each W, from the Gaussian binomial coefficient; exact integers."""
    ways = [1] + [0] * (m * n)
    for i in range(1, m + 1):
        for w in range(m * n, n + i - 1, -1):
            ways[w] -= ways[w - n - i]
        for w in range(i, m * n + 1):
            ways[w] += ways[w - i]
    return tuple(ways)
