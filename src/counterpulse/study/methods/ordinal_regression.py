"""Proportional-odds regression of an ordinal outcome: the odds ratio of a higher level."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from operator import attrgetter

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.regression import OrdinalFit
from counterpulse.results import Cell
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import Answer, Request, block_id, level_column

CHECK = "proportional-odds"


def estimate(request: Request) -> Answer:
    """The odds ratio of the exposure, its covariates, and the check of proportional odds."""
    named = level_column(request.outcome.name)
    outcome = named if named in request.frame.columns else request.outcome.name

    def fit(frame: pl.DataFrame, terms: Sequence[Term]) -> OrdinalFit:
        return regression.ordinal(
            frame,
            outcome=outcome,
            terms=terms,
            cluster=request.cluster,
            cluster_variance=request.cluster_variance,
            level=request.analysis.level,
            interval=request.option("interval"),
        )

    answer, model = answer_model(request, fit, ModelKind("odds ratio", "log", attrgetter("log_likelihood")))
    assert isinstance(model, OrdinalFit)
    return answer.joined(_proportional_odds(request, model)) if CHECK in request.analysis.checks else answer


def _proportional_odds(request: Request, model: OrdinalFit) -> Answer:
    """Brant's tests as a block; the likelihood-ratio test as details."""
    test = regression.proportional_odds_test(model)
    block = test.block(block_id(request, CHECK), analysis=request.analysis.id)
    found = test.likelihood_ratio
    numbers = {"chi-squared": found.chi_squared, "df": found.df, "P value": found.p_value}
    details: dict[str, Cell] = {
        f"{request.name}: proportional odds, likelihood ratio, {name}": value
        for name, value in numbers.items()
        if not isnan(value)
    }
    return Answer(blocks=(block,), details=details, citations=("brant-1990",))


SPEC = MethodSpec(
    name="ordinal-regression",
    label="ordinal logistic regression",
    about="odds ratios of a higher level were estimated by proportional-odds logistic regression",
    outcomes=frozenset({"ordinal"}),
    measures=("odds ratio",),
    kind="conditional",
    options=(
        Option(
            name="interval", default="wald", kind="word", allowed=("wald", "profile"), about="how intervals are made",
            phrases=(("wald", "Wald confidence intervals and P values were computed"), ("profile", "confidence intervals were computed from the profile likelihood and P values by likelihood-ratio tests")),
        ),
    ),
    rules=(
        Rule("levels", "a level of the outcome that no patient has is named, and nothing is estimated", None),
        Rule("separation", "a coefficient that is infinite is named, not printed", "albert-anderson-1984"),
    ),
    adjustable=True,
    clusters=("robust", "fixed"),
    cluster_variances=True,
    needs_groups=False,
    checks=(CHECK,),
    subgroups=True,
    calls="counterpulse.regression.ordinal",
    citations=("mccullagh-1980",),
    estimate=estimate,
)  # fmt: skip
