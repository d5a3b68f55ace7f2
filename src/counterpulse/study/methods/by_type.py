"""The usual method for the type of each outcome, adjusted or not."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.results import Choice
from counterpulse.study.method_spec import MethodSpec, Rule
from counterpulse.study.methods import cox, linear_regression, logistic_regression, two_means, two_proportions
from counterpulse.study.request import Answer, Request

PLAIN = {
    "binary": two_proportions.SPEC, "time-to-event": cox.SPEC, "continuous": two_means.SPEC, "count": two_means.SPEC,
    "ordinal": two_means.SPEC,
}  # fmt: skip
ADJUSTED = {
    "binary": logistic_regression.SPEC, "time-to-event": cox.SPEC, "continuous": linear_regression.SPEC,
    "count": linear_regression.SPEC, "ordinal": linear_regression.SPEC,
}  # fmt: skip


def chosen(kind: str, *, adjusted: bool, clustered: bool = False) -> MethodSpec:
    """The method for an outcome of this kind; covariates and clusters call for a model."""
    return (ADJUSTED if adjusted or clustered else PLAIN)[kind]


def estimate(request: Request) -> Answer:
    """The answer of the chosen method, with the choice stated."""
    analysis = request.analysis
    spec = chosen(
        request.outcome.kind,
        adjusted=analysis.adjusted or request.group is None,
        clustered=analysis.clusters is not None,
    )
    options = {option.name: option.default for option in spec.options}
    planned = replace(analysis, method=spec.name, options=options, measures=spec.measures[:1])
    answer = spec.estimate(replace(request, analysis=planned))
    choice = Choice(f"method for {request.outcome.name}", spec.name, "derived")
    return replace(answer, choices=(choice, *answer.choices), citations=(*spec.citations, *answer.citations))


SPEC = MethodSpec(
    name="by-type",
    label="the usual method for its type",
    about="each outcome was analyzed by the usual method for its type",
    outcomes=frozenset(PLAIN),
    measures=("by type",),
    kind="conditional",
    rules=(
        Rule(
            "method by type",
            "binary: two-proportions, or logistic-regression when adjusted; time-to-event: cox; others: two-means, or "
            "linear-regression when adjusted",
        ),
    ),
    adjustable=True,
    clusters=("robust",),
    needs_groups=False,
    calls="counterpulse.study.methods.by_type.chosen",
    estimate=estimate,
)
