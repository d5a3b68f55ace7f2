"""Estimates with percentile intervals from bootstrap replicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.distributions import normal_two_sided
from counterpulse.results.estimate import Estimate, Interval, Scale

Floats = NDArray[np.float64]

FEWEST = 0.9
"""Where fewer than this part of the replicates can be had there is no interval."""


def usable(replicates: Floats, asked: int) -> tuple[NDArray[np.bool_], int, bool]:
    """Which replicates have every measure, how many have not, and whether there are enough; rows are replicates."""
    good: NDArray[np.bool_] = np.all(np.isfinite(replicates), axis=1, keepdims=True)[:, 0]
    return good, int((~good).sum()), bool(asked) and int(good.sum()) >= max(2.0, FEWEST * asked)


def by_percentiles(
    measure: str, scale: Scale, value: float, replicates: Floats, level: float, *, tested: bool
) -> Estimate:
    """Percentiles of the replicates, shape (r,); the test is of the value over their standard deviation."""
    low, high = np.quantile(replicates, ((1 - level) / 2, (1 + level) / 2)).tolist()
    error = float(replicates.std(ddof=1))
    z = value / error if tested and error > 0 else None
    return Estimate(
        term="", measure=measure, scale=scale, value=value, std_error=error,
        interval=Interval(low, high, level, "percentile bootstrap"), statistic=z,
        statistic_name=None if z is None else "z", p_value=None if z is None else normal_two_sided(z),
        notes=(f"{len(replicates)} bootstrap replicates of patients.",),
    )  # fmt: skip
