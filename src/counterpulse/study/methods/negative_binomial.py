"""Negative binomial regression of a count that varies more than a Poisson count: the rate ratio."""

from __future__ import annotations

from counterpulse import regression
from counterpulse.study.answers.count_answers import EXPOSURE, count_answer
from counterpulse.study.method_spec import MethodSpec, Rule
from counterpulse.study.request import Answer, Request


def estimate(request: Request) -> Answer:
    """The rate ratio of the exposure, its covariates, and the dispersion."""
    return count_answer(request, regression.negative_binomial, "rate ratio", dispersed=True)


SPEC = MethodSpec(
    name="negative-binomial",
    label="negative binomial regression",
    about="rate ratios were estimated by negative binomial regression",
    outcomes=frozenset({"count"}),
    measures=("rate ratio",),
    kind="conditional",
    options=(EXPOSURE,),
    rules=(
        Rule("dispersion", "counts that vary no more than Poisson counts have none: that is said, and nothing is estimated"),
        Rule("separation", "a coefficient that is infinite is named, not printed", "albert-anderson-1984"),
    ),
    adjustable=True,
    clusters=("robust", "fixed"),
    cluster_variances=True,
    needs_groups=False,
    subgroups=True,
    calls="counterpulse.regression.negative_binomial",
    citations=("lawless-1987",),
    estimate=estimate,
)  # fmt: skip
