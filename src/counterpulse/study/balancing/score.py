"""One propensity score for all imputed tables, where the protocol wants the mean of their scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from counterpulse import propensity
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.study.patients.made_sample import MadeSample


def mean_scores(analysis: PlannedAnalysis, plan: Plan, versions: Sequence[MadeSample]) -> NDArray[np.float64] | None:
    """The mean probability of treatment of each row over the imputed tables, shape (rows,); None where it is not asked for."""
    balancing = analysis.balancing
    if balancing is None or not balancing.across or len(plan.treated) != 1:
        return None
    scores = []
    for made in versions:
        found = propensity.propensity_score(
            made.sample.frame, treatment=str(plan.group_variable), covariates=balancing.terms
        )
        if not found.usable:
            return None
        scores.append(found.units.spread(found.probability, np.nan))
    mean: NDArray[np.float64] = np.mean(scores, axis=0)
    return mean
