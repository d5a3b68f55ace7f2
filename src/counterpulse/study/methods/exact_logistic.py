"""Exact conditional logistic regression, for a handful of events."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.results import Estimate, EstimateRow, Status
from counterpulse.study.answers.fitted_model import ModelKind, group_counts, no_effect, patients, total_events
from counterpulse.study.method_spec import MethodSpec, Rule
from counterpulse.study.request import Answer, Request, place

KIND = ModelKind("odds ratio", "log")


def estimate(request: Request) -> Answer:
    """The exact odds ratio of the exposure, then of its covariates."""
    exposure = (request.group,) if request.group is not None else ()
    terms: Sequence[Term] = (*exposure, *request.analysis.terms)
    model = regression.exact_logistic(
        request.frame, outcome=request.outcome.name, terms=terms, level=request.analysis.level
    )

    def placed(found: Estimate) -> EstimateRow:
        own = found.variable in exposure
        return place(
            request, found, role="covariate" if exposure and not own else None,
            kind="conditional" if request.analysis.terms else "marginal", n=patients(request, model.rows_used),
            events=total_events(request, model.rows_used), n_missing=model.n_missing,
            groups=group_counts(request, model.rows_used) if own else (),
        )  # fmt: skip

    effects = {item.term: item for item in model.estimates() if item.variable in exposure}
    compared = [
        effects.get(treated) or no_effect(request, KIND, Status.EMPTY_GROUP, treated)
        for treated in (request.treated if exposure else ())
    ]
    others = [item for item in model.estimates() if item.variable not in exposure]
    return Answer(
        rows=tuple(placed(item) for item in (*compared, *others)),
        choices=model.provenance.choices,
        citations=model.provenance.citations,
        n_missing=model.n_missing,
    )


SPEC = MethodSpec(
    name="exact-logistic",
    label="exact logistic regression",
    about="odds ratios were estimated by exact conditional logistic regression, with exact confidence intervals",
    outcomes=frozenset({"binary"}),
    measures=("odds ratio",),
    kind="conditional",
    rules=(
        Rule("estimate", "conditional maximum likelihood, median unbiased where that is infinite", "hirji-1987"),
        Rule("size", "a table too large to be counted completely is named, and nothing is estimated", "mehta-patel-1995"),
    ),
    adjustable=True,
    needs_groups=False,
    calls="counterpulse.regression.exact_logistic",
    citations=("hirji-1987", "mehta-patel-1995"),
    estimate=estimate,
)  # fmt: skip
