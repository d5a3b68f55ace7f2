"""The pooled effect and its z value as the studies come in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.weighted_fit import weighted_fit

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CumulativeStatistics:
    """After each study, shape (k,) each.

    Attributes
    ----------
    effect, std_error, z : the pooled effect, its Wald standard error, and their ratio
    tau2 : variance between the studies so far; 0 for the first
    """

    effect: Floats
    std_error: Floats
    z: Floats
    tau2: Floats


def cumulative_statistics(y: Floats, v: Floats, estimator: str) -> CumulativeStatistics:
    """Pool the first 1, 2, …, k studies; the variance between studies is estimated again each time."""
    rows = np.where(np.tri(len(y), dtype=bool), y, np.nan)
    tau2 = np.nan_to_num(between_variance(rows, v, estimator=estimator).tau2, nan=0.0)
    fit = weighted_fit(rows, v, tau2=tau2)
    effect, error = fit.coefficients[:, 0], np.sqrt(fit.covariance[:, 0, 0])
    return CumulativeStatistics(effect, error, effect / error, tau2)
