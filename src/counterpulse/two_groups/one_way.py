"""One-way analysis of variance, with a pooled variance or Welch's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import f_tail
from counterpulse.results import Status
from counterpulse.two_groups.arrays import Floats, as_groups
from counterpulse.two_groups.means import sum_of_squares
from counterpulse.two_groups.tested import TestResult, not_tested

NAMES = {"pooled": "anova", "welch": "welch anova"}


def analysis_of_variance(groups: Sequence[ArrayLike], *, variance: str = "welch") -> TestResult:
    """Test whether the means of two or more groups are equal.

    Parameters
    ----------
    groups : the values of each group, without missing ones
    variance : "welch" (each group its own) or "pooled"

    Returns
    -------
    TestResult
        F with `df` and `df_denominator`. Welch's test needs two different values in each group, the pooled one in some
        group (status ZERO_VARIANCE or TOO_FEW_ROWS).

    Raises
    ------
    InputError
        Fewer than two groups, missing or infinite values, or an unknown variance.

    References
    ----------
    Welch 1951, doi:10.1093/biomet/38.3-4.330.
    """
    if variance not in NAMES:
        raise InputError(f"variance {variance!r} is unknown; give one of {', '.join(NAMES)}")
    values = as_groups(groups)
    n = np.array([len(group) for group in values], dtype=np.float64)
    status = _usable(values, n, variance)
    if status is not Status.OK:
        return not_tested(NAMES[variance], "F", status)
    mean = np.array([group.mean() for group in values])
    squares = np.array([sum_of_squares(group) for group in values])
    statistic, df_denominator = _pooled(n, mean, squares) if variance == "pooled" else _welch(n, mean, squares)
    df = len(values) - 1
    return TestResult(
        name=NAMES[variance],
        statistic=statistic,
        statistic_name="F",
        df=float(df),
        df_denominator=df_denominator,
        p_value=f_tail(statistic, df, df_denominator),
    )


def _usable(values: tuple[Floats, ...], n: Floats, variance: str) -> Status:
    if (n == 0).any():
        return Status.EMPTY_GROUP
    if n.sum() <= len(n) or (variance == "welch" and (n < 2).any()):
        return Status.TOO_FEW_ROWS
    constant = [group.min() == group.max() for group in values]
    return Status.ZERO_VARIANCE if all(constant) or (variance == "welch" and any(constant)) else Status.OK


def _pooled(n: Floats, mean: Floats, squares: Floats) -> tuple[float, float]:
    df = float(n.sum() - len(n))
    between = float(n @ (mean - float(n @ mean) / float(n.sum())) ** 2)
    return between / (len(n) - 1) / (float(squares.sum()) / df), df


def _welch(n: Floats, mean: Floats, squares: Floats) -> tuple[float, float]:
    k = len(n)
    weight = n / (squares / (n - 1))
    share = weight / weight.sum()
    lack = float(((1 - share) ** 2 / (n - 1)).sum()) / (k**2 - 1)
    between = float(weight @ (mean - float(share @ mean)) ** 2) / (k - 1)
    return between / (1 + 2 * (k - 2) * lack), 1 / (3 * lack)
