"""The Kruskal-Wallis test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results import Status
from counterpulse.two_groups.arrays import as_groups
from counterpulse.two_groups.ranks import mean_ranks
from counterpulse.two_groups.tested import TestResult, not_tested

NAME = "kruskal-wallis"


def kruskal_wallis(groups: Sequence[ArrayLike]) -> TestResult:
    """Test whether values of some group tend to be larger than those of the others; corrected for ties.

    Parameters
    ----------
    groups : the values of each group, without missing ones

    Raises
    ------
    InputError
        Fewer than two groups, or missing or infinite values.

    References
    ----------
    Kruskal and Wallis 1952, doi:10.1080/01621459.1952.10483441.
    """
    values = as_groups(groups)
    if any(len(group) == 0 for group in values):
        return not_tested(NAME, "chi-squared", Status.EMPTY_GROUP)
    ranked = mean_ranks(np.concatenate(values))
    n = len(ranked.ranks)
    if len(ranked.ties) == 1:
        return not_tested(NAME, "chi-squared", Status.ZERO_VARIANCE)
    parts = np.split(ranked.ranks, np.cumsum([len(group) for group in values])[:-1])
    between = sum(len(part) * (float(part.mean()) - (n + 1) / 2) ** 2 for part in parts)
    statistic = 12 / (n * (n + 1)) * between / (1 - ranked.tie_sum / (float(n) ** 3 - n))
    df = len(values) - 1
    return TestResult(
        name=NAME,
        statistic=statistic,
        statistic_name="chi-squared",
        df=float(df),
        p_value=chi_squared_tail(statistic, df),
    )
