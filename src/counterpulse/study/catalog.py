"""The methods of the protocol language, one a file; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.methods import (
    aalen_johansen,
    by_type,
    conditional_logistic,
    cox,
    exact_logistic,
    kaplan_meier,
    linear_regression,
    logistic_regression,
    negative_binomial,
    ordinal_regression,
    poisson_regression,
    prediction_quality,
    quantile_regression,
    repeated_measures,
    rmst,
    two_means,
    two_proportions,
    worst_rank,
)

METHODS: Mapping[str, MethodSpec] = {
    module.SPEC.name: module.SPEC
    for module in (
        aalen_johansen,
        by_type,
        conditional_logistic,
        cox,
        exact_logistic,
        kaplan_meier,
        linear_regression,
        logistic_regression,
        negative_binomial,
        ordinal_regression,
        poisson_regression,
        prediction_quality,
        quantile_regression,
        repeated_measures,
        rmst,
        two_means,
        two_proportions,
        worst_rank,
    )
}

LATER: Mapping[str, str] = {
    "propensity-matching": "logistic-regression with the same adjustment set",
    "propensity-weighting": "logistic-regression with `also: [risk difference, risk ratio]`",
    "propensity": "an adjusted model",
    "gee": "logistic-regression, or the regression of the outcome, with clusters: {as: gee}",
    "random-intercept": "logistic-regression, or the regression of the outcome, with clusters: {as: random-intercept}",
    "fine-gray": "cox, which gives the cause-specific hazard ratio",
    "leave_one_out": "one analysis a row",
    "moderators": "subgroups",
    "weights": "an unweighted analysis",
}
"""Words of the language that later versions will know, and what serves until then."""

__all__ = ["LATER", "METHODS"]
