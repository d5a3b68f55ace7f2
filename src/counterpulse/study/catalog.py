"""The methods of the protocol language, one a file; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.methods import (
    aalen_johansen,
    augmented_weighting,
    bayesian_meta_analysis,
    by_type,
    clone_censor_weight,
    conditional_logistic,
    cox,
    exact_logistic,
    fine_gray,
    kaplan_meier,
    linear_regression,
    logistic_regression,
    meta_analysis,
    negative_binomial,
    network_meta_analysis,
    ordinal_regression,
    poisson_regression,
    prediction_quality,
    propensity_matching,
    propensity_weighting,
    quantile_regression,
    repeated_measures,
    rmst,
    sequential_meta_analysis,
    sequential_trials,
    tmle,
    two_means,
    two_proportions,
    worst_rank,
)

METHODS: Mapping[str, MethodSpec] = {
    module.SPEC.name: module.SPEC
    for module in (
        aalen_johansen,
        augmented_weighting,
        bayesian_meta_analysis,
        by_type,
        conditional_logistic,
        cox,
        exact_logistic,
        fine_gray,
        kaplan_meier,
        linear_regression,
        logistic_regression,
        meta_analysis,
        negative_binomial,
        network_meta_analysis,
        ordinal_regression,
        poisson_regression,
        prediction_quality,
        propensity_matching,
        propensity_weighting,
        quantile_regression,
        repeated_measures,
        rmst,
        sequential_meta_analysis,
        tmle,
        two_means,
        two_proportions,
        worst_rank,
    )
}

ESTIMATORS: Mapping[str, MethodSpec] = {
    module.SPEC.name: module.SPEC for module in (clone_censor_weight, sequential_trials)
}
"""What does the work of a method under a plan for immortal time; no words of their own for `method:`."""


def estimator_of(analysis: PlannedAnalysis) -> MethodSpec:
    """What answers an analysis: its method, or the estimator that its plan for immortal time needs."""
    return ESTIMATORS[analysis.estimator] if analysis.estimator else METHODS[analysis.method]


LATER: Mapping[str, str] = {
    "gee": "logistic-regression, or the regression of the outcome, with clusters: {as: gee}",
    "random-intercept": "logistic-regression, or the regression of the outcome, with clusters: {as: random-intercept}",
    "weights": "propensity: {use: weighting}",
}
"""Words of the language that later versions will know, and what serves until then."""

__all__ = ["ESTIMATORS", "LATER", "METHODS", "estimator_of"]
