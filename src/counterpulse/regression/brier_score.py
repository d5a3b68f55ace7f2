"""Brier's score of a predicted risk, and the part of it that prediction saves."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.regression.discrimination import one_sided, read_prediction
from counterpulse.regression.model_rows import check_level
from counterpulse.results.estimate import Estimate
from counterpulse.results.predictions import check_risks
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate

SCORE, SCALED = "Brier score", "scaled Brier score"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrierScore:
    """The mean squared error of a predicted risk, and 1 less its ratio to that of predicting the mean for everybody."""

    score: Estimate
    scaled: Estimate

    def estimates(self) -> tuple[Estimate, ...]:
        """The score, then the scaled score."""
        return (self.score, self.scaled)


def brier_of(outcome: ArrayLike, risk: ArrayLike, *, level: float = 0.95) -> BrierScore:
    """Estimate Brier's score and its scaled form (index of prediction accuracy) with asymptotic intervals.

    Parameters
    ----------
    outcome : yes/no, shape (n,)
    risk : predicted probability, 0 to 1, shape (n,)

    Raises
    ------
    InputError : shapes that differ, values that are missing, risks outside 0 to 1

    Notes
    -----
    The predictions count as given; the interval of the scaled score is by the delta method.

    References
    ----------
    Brier 1950 (doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2); Kattan and Gerds 2018
    (doi:10.1186/s41512-018-0029-2)
    """
    check_level(level)
    event, p = read_prediction(outcome, risk)
    check_risks(p)
    n, m = len(p), int(event.sum())
    if n < 2:
        return BrierScore(score=no_estimate(SCORE, Status.NO_ROWS), scaled=no_estimate(SCALED, Status.NO_ROWS))
    y = event.astype(np.float64)
    loss = (p - y) ** 2
    brier, mean = float(loss.mean()), m / n
    score = wald_estimate(SCORE, brier, float(loss.std(ddof=1)) / sqrt(n), level)
    if m in (0, n):
        return BrierScore(score=score, scaled=no_estimate(SCALED, one_sided(m, n - m)))
    null = mean * (1 - mean)
    influence = -(loss - brier) / null + brier / null**2 * (1 - 2 * mean) * (y - mean)
    error = float(influence.std(ddof=1)) / sqrt(n)
    return BrierScore(score=score, scaled=wald_estimate(SCALED, 1 - brier / null, error, level))
