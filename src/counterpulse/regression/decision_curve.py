"""Net benefit of treating those whose predicted risk reaches a threshold, against treating all or none."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.regression.discrimination import read_prediction
from counterpulse.regression.model_rows import check_level
from counterpulse.results.estimate import Estimate
from counterpulse.results.predictions import check_risks, check_thresholds
from counterpulse.results.wald import wald_estimate

Floats = NDArray[np.float64]

THRESHOLDS = tuple(round(k / 100, 2) for k in range(1, 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCurve:
    """Net benefit for each patient at each threshold, shape (k,); treating nobody has 0."""

    threshold: Floats
    model: Floats
    std_error: Floats
    all: Floats
    level: float

    def estimates(self) -> tuple[Estimate, ...]:
        """The net benefit of the model at each threshold."""
        columns = zip(self.threshold.tolist(), self.model.tolist(), self.std_error.tolist(), strict=True)
        return tuple(
            wald_estimate("net benefit", value, error, self.level, term=f"threshold {100 * t:g}%")
            for t, value, error in columns
        )


def net_benefit(
    outcome: ArrayLike, risk: ArrayLike, *, thresholds: ArrayLike = THRESHOLDS, level: float = 0.95
) -> DecisionCurve:
    """Estimate net benefit: true positives less false positives times the odds of the threshold, for each patient.

    Parameters
    ----------
    outcome : yes/no, shape (n,)
    risk : predicted probability, 0 to 1, shape (n,); at or above the threshold counts as positive
    thresholds : between 0 and 1, shape (k,)

    Raises
    ------
    InputError : shapes that differ, values that are missing, risks or thresholds out of range, no rows

    References
    ----------
    Vickers and Elkin 2006 (doi:10.1177/0272989X06295361)
    """
    check_level(level)
    event, p = read_prediction(outcome, risk)
    check_risks(p)
    at = check_thresholds(thresholds)
    if not len(p):
        raise InputError("a decision curve needs at least one patient")
    gain = np.where(event[:, None], 1.0, -at / (1 - at))
    benefit = np.where(p[:, None] >= at, gain, 0.0)
    return DecisionCurve(
        threshold=at, model=benefit.mean(axis=0), std_error=benefit.std(axis=0) / sqrt(len(p)), all=gain.mean(axis=0),
        level=level,
    )  # fmt: skip
