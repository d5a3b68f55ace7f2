"""Pearson's chi-squared test of a table of counts, plain, with Yates' correction, or times (N - 1) / N."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results import Status
from counterpulse.two_groups.arrays import Counts, as_counts
from counterpulse.two_groups.tested import TestResult, not_tested

NAMES = {"none": "pearson chi-squared", "yates": "yates chi-squared", "n-1": "n-1 chi-squared"}


def expected_counts(table: ArrayLike) -> NDArray[np.float64]:
    """Counts expected from the margins, shape as the table."""
    counts = as_counts(table)
    total = counts.sum()
    if total == 0:
        return np.zeros(counts.shape)
    return np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total  # type: ignore[no-any-return]


def without_empty_margins(counts: Counts) -> Counts:
    """The table without its rows and columns of zeros, which carry no information."""
    return np.asarray(counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0])


def pearson_chi_squared(table: ArrayLike, *, correction: str = "none") -> TestResult:
    """Test whether rows and columns of a table are independent.

    Parameters
    ----------
    table : counts, shape (rows, columns); empty rows and columns are left out
    correction : "none"; "yates" (1934; 2x2 only, as R's chisq.test: larger tables are not corrected, and the correction
        never exceeds the distance); or "n-1" (Campbell 2007, doi:10.1002/sim.2832; 2x2 only)

    Raises
    ------
    InputError
        Cells that are not counts, or an unknown correction.

    References
    ----------
    Pearson 1900, doi:10.1080/14786440009463897; Yates 1934, doi:10.2307/2983604.
    """
    if correction not in NAMES:
        raise InputError(f"correction {correction!r} is unknown; give one of {', '.join(NAMES)}")
    counts = without_empty_margins(as_counts(table))
    is_two_by_two = counts.shape == (2, 2)
    name = NAMES[correction if is_two_by_two else "none"]
    if min(counts.shape) < 2:
        return not_tested(name, "chi-squared", Status.UNDEFINED)
    expected = expected_counts(counts)
    distance = np.abs(counts - expected)
    if correction == "yates" and is_two_by_two:
        distance = distance - min(0.5, float(distance.min()))
    statistic = float((distance**2 / expected).sum())
    if correction == "n-1" and is_two_by_two:
        statistic *= (counts.sum() - 1) / counts.sum()
    df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return TestResult(
        name=name,
        statistic=statistic,
        statistic_name="chi-squared",
        df=float(df),
        p_value=chi_squared_tail(statistic, df),
    )
