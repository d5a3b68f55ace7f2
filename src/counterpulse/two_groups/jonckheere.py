"""The Jonckheere-Terpstra test for a trend of values over ordered groups."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.numerics.distributions import normal_two_sided
from counterpulse.results import Status
from counterpulse.two_groups.arrays import Counts, Floats, as_groups
from counterpulse.two_groups.tested import TestResult, not_tested

NAME = "jonckheere-terpstra"


def jonckheere_terpstra(groups: Sequence[ArrayLike]) -> TestResult:
    """Test whether values rise or fall from group to group; normal approximation, variance corrected for ties.

    Parameters
    ----------
    groups : the values of each group, in the order of the groups, without missing ones

    Returns
    -------
    TestResult
        The statistic J counts pairs of patients in which the later group has the larger value, ties as a half.

    Raises
    ------
    InputError
        Fewer than two groups, or missing or infinite values.

    References
    ----------
    Jonckheere 1954, doi:10.1093/biomet/41.1-2.133; variance with ties: Hollander and Wolfe, Nonparametric Statistical
    Methods, 2nd ed., 1999, section 6.2.
    """
    values = as_groups(groups)
    if any(len(group) == 0 for group in values):
        return not_tested(NAME, "J", Status.EMPTY_GROUP)
    counts = _counts_of_values(values)
    if counts.shape[1] == 1:
        return not_tested(NAME, "J", Status.ZERO_VARIANCE)
    n = counts.sum(axis=1).astype(np.float64)
    statistic = _later_larger(counts)
    mean = (n.sum() ** 2 - (n**2).sum()) / 4
    z = (statistic - mean) / sqrt(_variance(n, counts.sum(axis=0).astype(np.float64)))
    return TestResult(name=NAME, statistic=statistic, statistic_name="J", p_value=normal_two_sided(z))


def _counts_of_values(values: tuple[Floats, ...]) -> Counts:
    """How many patients of each group have each distinct value, shape (groups, distinct values)."""
    distinct, where = np.unique(np.concatenate(values), return_inverse=True)
    group = np.repeat(np.arange(len(values)), [len(part) for part in values])
    flat = np.bincount(group * len(distinct) + where, minlength=len(values) * len(distinct))
    return flat.reshape(len(values), len(distinct)).astype(np.int64)


def _later_larger(counts: Counts) -> float:
    earlier = np.cumsum(counts, axis=0)[:-1]
    below = np.cumsum(earlier, axis=1) - earlier
    return float((counts[1:] * (below + earlier / 2)).sum())


def _variance(n: Floats, t: Floats) -> float:
    total = float(n.sum())

    def second(size: Floats) -> float:
        return float((size * (size - 1)).sum())

    def third(size: Floats) -> float:
        return float((size * (size - 1) * (size - 2)).sum())

    def main(size: Floats) -> float:
        return float((size * (size - 1) * (2 * size + 5)).sum())

    variance = (total * (total - 1) * (2 * total + 5) - main(n) - main(t)) / 72
    variance += second(n) * second(t) / (8 * total * (total - 1))
    if total > 2:
        variance += third(n) * third(t) / (36 * total * (total - 1) * (total - 2))
    return variance
