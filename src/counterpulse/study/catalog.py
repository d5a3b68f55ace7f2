"""The methods of the protocol language, one a file; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.methods import (
    by_type,
    cox,
    kaplan_meier,
    linear_regression,
    logistic_regression,
    rmst,
    two_means,
    two_proportions,
)

METHODS: Mapping[str, MethodSpec] = {
    module.SPEC.name: module.SPEC
    for module in (
        by_type,
        cox,
        kaplan_meier,
        linear_regression,
        logistic_regression,
        rmst,
        two_means,
        two_proportions,
    )
}

LATER: Mapping[str, str] = {
    "propensity-matching": "logistic-regression with the same adjustment set",
    "propensity-weighting": "logistic-regression with `also: [risk difference, risk ratio]`",
    "propensity": "an adjusted model",
    "ordinal-regression": "linear-regression of the scores",
    "poisson-regression": "linear-regression",
    "negative-binomial": "linear-regression",
    "quantile-regression": "linear-regression",
    "gee": "logistic-regression with clusters: {as: robust}",
    "fine-gray": "cox, which gives the cause-specific hazard ratio",
    "aalen-johansen": "kaplan-meier of the composite with the competing event",
    "truncated_by": "an outcome that death does not cut short",
    "leave_one_out": "one analysis a row",
    "moderators": "subgroups",
    "weights": "an unweighted analysis",
}
"""Words of the language that later versions will know, and what serves until then."""

__all__ = ["LATER", "METHODS"]
