"""The usual method for the type of each outcome, adjusted or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from counterpulse.data.terms import Term
from counterpulse.regression import ColumnLikelihood
from counterpulse.results import Choice
from counterpulse.study.method_spec import MethodSpec, Rule
from counterpulse.study.methods import (
    aalen_johansen,
    cox,
    linear_regression,
    logistic_regression,
    ordinal_regression,
    poisson_regression,
    two_means,
    two_proportions,
    worst_rank,
)
from counterpulse.study.request import Answer, Request

PLAIN = {
    "binary": two_proportions.SPEC, "time-to-event": cox.SPEC, "continuous": two_means.SPEC, "count": two_means.SPEC,
    "ordinal": two_means.SPEC, "worst-rank": worst_rank.SPEC,
}  # fmt: skip
ADJUSTED = {
    "binary": logistic_regression.SPEC, "time-to-event": cox.SPEC, "continuous": linear_regression.SPEC,
    "count": poisson_regression.SPEC, "ordinal": ordinal_regression.SPEC,
    "worst-rank": worst_rank.SPEC,
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
    answer = _answer_by(request, spec)
    choices = [Choice(f"method for {request.outcome.name}", spec.name, "derived")]
    if request.outcome.truncation is not None and request.outcome.truncation.plan == "competing":
        answer = answer.joined(_answer_by(request, aalen_johansen.SPEC))
        choices.append(Choice(f"beside it for {request.outcome.name}", aalen_johansen.SPEC.name, "derived"))
    return replace(answer, choices=(*choices, *answer.choices))


def _answer_by(request: Request, spec: MethodSpec) -> Answer:
    options = {option.name: option.default for option in spec.options}
    planned = replace(request.analysis, method=spec.name, options=options, measures=spec.measures[:1])
    answer = spec.estimate(replace(request, analysis=planned))
    return replace(answer, citations=(*spec.citations, *answer.citations))


def likelihood(request: Request, terms: Sequence[Term]) -> ColumnLikelihood:
    """That of the model for the type of the outcome."""
    spec = chosen(request.outcome.kind, adjusted=True)
    options = {option.name: option.default for option in spec.options}
    assert spec.likelihood is not None
    return spec.likelihood(replace(request, analysis=replace(request.analysis, options=options)), terms)


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
            "binary: two-proportions, or logistic-regression when adjusted; time-to-event: cox; others: two-means, or when "
            "adjusted linear-regression of a continuous, ordinal-regression of an ordinal outcome, poisson-regression with the "
            "robust variance of a count; worst-rank where death is the worst rank; cox and aalen-johansen where death competes",
            words="binary outcomes were compared as proportions (by logistic regression where adjusted), times to an event by Cox "
            "regression, other outcomes as means (by linear, ordinal, or Poisson regression where adjusted), and values cut short by "
            "death as the plan for that outcome says",
        ),
    ),
    adjustable=True,
    clusters=("robust",),
    needs_groups=False,
    likelihood=likelihood,
    calls="counterpulse.study.methods.by_type.chosen",
    estimate=estimate,
)
