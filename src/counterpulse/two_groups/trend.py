"""The Cochran-Armitage test for a trend in proportions over ordered groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results import Status
from counterpulse.two_groups.arrays import as_counts, as_values
from counterpulse.two_groups.tested import TestResult, not_tested

NAME = "cochran-armitage"


def cochran_armitage(events: ArrayLike, patients: ArrayLike, *, scores: ArrayLike | None = None) -> TestResult:
    """Test whether the proportion with an event rises or falls linearly with the group.

    Parameters
    ----------
    events, patients : counts by group in order, shape (groups,)
    scores : where the groups stand, default 1, 2, 3, ...

    Returns
    -------
    TestResult
        Chi-squared with 1 degree of freedom, as R's prop.trend.test.

    Raises
    ------
    InputError
        Counts that no group can have, or vectors of different lengths.

    References
    ----------
    Cochran 1954, doi:10.2307/3001616; Armitage 1955, doi:10.2307/3001775.
    """
    counts = as_counts(np.vstack([np.asarray(events), np.asarray(patients)]))
    x, n = counts[0], counts[1]
    if (x > n).any():
        raise InputError("a group has more events than patients; give events and patients in this order")
    score = np.arange(1.0, len(n) + 1) if scores is None else as_values(scores, "scores")
    if len(score) != len(n):
        raise InputError(f"{len(score)} scores given for {len(n)} groups; give one a group")
    total, all_events = int(n.sum()), int(x.sum())
    spread = _spread(score, n)
    if all_events in (0, total) or spread == 0:
        return not_tested(NAME, "chi-squared", Status.UNDEFINED)
    risk = all_events / total
    statistic = float(score @ (x - n * risk)) ** 2 / (risk * (1 - risk) * spread)
    return TestResult(
        name=NAME, statistic=statistic, statistic_name="chi-squared", df=1.0, p_value=chi_squared_tail(statistic, 1)
    )


def _spread(
    score: np.ndarray[tuple[int], np.dtype[np.float64]], n: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> float:
    """Sum of squares of the patients' scores around their mean."""
    if n.sum() == 0:
        return 0.0
    return float(n @ (score - float(n @ score) / float(n.sum())) ** 2)
