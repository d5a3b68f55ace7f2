"""Conditional logistic regression: the odds ratio within matched sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Term, variables_of
from counterpulse.regression import ConditionalLogisticFit
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import Answer, Request

NOTE = "Conditional on the matched set: compares patients of the same set."


def estimate(request: Request) -> Answer:
    """The odds ratio of the exposure and its covariates within matched sets."""
    stratum = str(request.option("stratum"))

    def fit(frame: pl.DataFrame, terms: Sequence[Term]) -> ConditionalLogisticFit:
        return regression.conditional_logistic(
            frame,
            outcome=request.outcome.name,
            terms=[term for term in terms if variables_of(term) != (stratum,)],
            stratum=stratum,
            level=request.analysis.level,
        )

    kind = ModelKind("odds ratio", "log", attrgetter("log_likelihood"), estimand="conditional", notes=(NOTE,))
    answer, model = answer_model(request, fit, kind)
    assert isinstance(model, ConditionalLogisticFit)
    counts = {
        f"{request.name}: strata": model.strata,
        f"{request.name}: strata without contrast": model.strata_dropped,
        f"{request.name}: rows in them": model.rows_dropped,
    }
    return replace(answer, details={**answer.details, **counts})


SPEC = MethodSpec(
    name="conditional-logistic",
    label="conditional logistic regression",
    about="odds ratios within matched sets were estimated by conditional logistic regression (exact conditional likelihood)",
    outcomes=frozenset({"binary"}),
    measures=("odds ratio",),
    kind="conditional",
    options=(
        Option(
            name="stratum", default=None, kind="name", required=True, about="the column of the matched sets",
            words="patients were compared within levels of {value}",
        ),
    ),
    rules=(
        Rule("sets without contrast", "a set in which all or none had the event tells nothing and is left out and counted"),
        Rule("separation", "a coefficient that is infinite is named, not printed", None),
    ),
    adjustable=True,
    needs_groups=False,
    subgroups=True,
    calls="counterpulse.regression.conditional_logistic",
    citations=("breslow-day-1980", "gail-1981"),
    estimate=estimate,
)  # fmt: skip
