"""Profile-likelihood intervals of log hazard ratios, with the likelihood-ratio test of zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from counterpulse.numerics.distributions import critical_value
from counterpulse.numerics.newton import Evaluation
from counterpulse.numerics.newton import Maximum as Peak
from counterpulse.numerics.profile import constrained_value, profile_end
from counterpulse.results.profile_interval import ProfileInterval
from counterpulse.results.status import Status
from counterpulse.survival.cox_data import CoxData
from counterpulse.survival.follow_up import Floats
from counterpulse.survival.maximize import Maximum
from counterpulse.survival.partial_likelihood import gradient_and_information, risk_state


def profile_intervals(
    data: CoxData, maximum: Maximum, statuses: Sequence[Status], *, efron: bool, level: float
) -> tuple[ProfileInterval | None, ...]:
    """Where the profile of the partial likelihood falls by half the chi-squared quantile; p of them.

    Coefficients that are infinite stay where the search left them, on the flat of the likelihood. A limit is nan where the
    iteration does not settle (Venzon and Moolgavkar 1988, doi:10.2307/2347496).
    """
    found: list[ProfileInterval | None] = [None] * len(statuses)
    kept = np.flatnonzero([status is Status.OK for status in statuses])
    if not len(kept):
        return tuple(found)

    def evaluate(at: Floats) -> Evaluation:
        beta = maximum.beta.copy()
        beta[kept] = at
        state = risk_state(data.sets, data.design.X, beta, efron=efron)
        slope, information, _ = gradient_and_information(data.sets, data.design.X, state)
        return Evaluation(state.log_likelihood, slope[kept], information[np.ix_(kept, kept)])

    top = evaluate(maximum.beta[kept])
    peak = Peak(maximum.beta[kept], top.value, top.information, maximum.iterations, True)
    reach = critical_value(level)
    for k, j in enumerate(kept):
        along = np.zeros(len(kept))
        along[k] = 1 / data.scale[j]
        low, high = (profile_end(evaluate, peak, along, side * reach) for side in (-1, 1))
        fallen = constrained_value(evaluate, peak, along[None, :])
        found[j] = ProfileInterval(low, high, float(np.maximum(0.0, 2 * (peak.value - fallen))))
    return tuple(found)
