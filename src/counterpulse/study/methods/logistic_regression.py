"""Logistic regression of a binary outcome: odds ratio, and marginal risks by standardization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Literal

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.regression import BinomialColumns, GeeFit, LogisticFit, RandomInterceptFit
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.answers.standardized import refuse_bootstrap, standardized_rows
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.planning.clusters import CONDITIONAL_NOTE, MARGINAL_NOTE, Way, gee_of, way_of
from counterpulse.study.planning.measures import MARGINAL
from counterpulse.study.request import Answer, Request


def _plain(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> LogisticFit:
    penalty: Literal["firth"] | None = None if request.option("penalty") == "none" else "firth"
    return regression.logistic(
        frame,
        outcome=request.outcome.name,
        terms=terms,
        weights=request.weights,
        cluster=request.together,
        cluster_variance=request.cluster_variance,
        penalty=penalty,
        level=request.analysis.level,
        interval=request.option("interval"),
    )


def _random_intercept(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> RandomInterceptFit:
    clusters = request.analysis.clusters
    assert clusters is not None
    return regression.mixed_logistic(
        frame,
        outcome=request.outcome.name,
        terms=terms,
        cluster=clusters.variable,
        quadrature=clusters.quadrature,
        level=request.analysis.level,
    )


def _gee(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> GeeFit:
    return gee_of(request, frame, terms, "binomial")


WAYS = {
    "robust": Way(_plain, ModelKind("odds ratio", "log", attrgetter("log_likelihood"))),
    "random-intercept": Way(
        _random_intercept, ModelKind("odds ratio", "log", estimand="conditional", notes=(CONDITIONAL_NOTE,))
    ),
    "gee": Way(_gee, ModelKind("odds ratio", "log", estimand="marginal", notes=(MARGINAL_NOTE,))),
}


def estimate(request: Request) -> Answer:
    """The odds ratio of the exposure, its covariates, and what the plan asks besides."""
    fit, kind = way_of(request, WAYS)
    if request.option("penalty") != "none":
        kind = replace(kind, log_likelihood=None)
    everybody = request
    if request.balanced is None:
        everybody = replace(request, analysis=replace(request.analysis, target="all"))
    answer, model = answer_model(everybody, fit, kind)
    wanted = [measure for measure in request.analysis.measures if measure in MARGINAL]
    if request.group is None or not wanted or not isinstance(model, LogisticFit):
        return answer
    marginal, works = standardized_rows(request, model, wanted)
    answer = replace(answer, citations=(*answer.citations, *works))
    if request.analysis.measures[0] in MARGINAL:
        return replace(answer, rows=marginal + answer.rows)
    head = tuple(row for row in answer.rows if row.estimate.variable == request.group and row.subgroup is None)
    rest = tuple(row for row in answer.rows if row not in head)
    return replace(answer, rows=head + marginal + rest)


def likelihood(request: Request, terms: Sequence[Term]) -> BinomialColumns:
    """The likelihood in which covariates come and go."""
    return regression.binomial_columns(request.frame, outcome=request.outcome.name, terms=terms)


SPEC = MethodSpec(
    name="logistic-regression",
    label="logistic regression",
    about="odds ratios were estimated by logistic regression",
    outcomes=frozenset({"binary"}),
    measures=("odds ratio", *MARGINAL),
    also=MARGINAL,
    targeted=MARGINAL,
    kind="conditional",
    accepts=frozenset({"plain", "landmark", "clone-censor-weight"}),
    options=(
        Option(
            name="interval", default="wald", kind="word", allowed=("wald", "profile"), about="how intervals are made",
            phrases=(("wald", "Wald confidence intervals and P values were computed"), ("profile", "confidence intervals were computed from the profile likelihood and P values by likelihood-ratio tests")),
        ),
        Option(
            name="penalty", default="none", kind="word", allowed=("none", "firth"), about="a penalty on the likelihood",
            phrases=(("none", ""), ("firth", "the likelihood was penalized by Firth's method")),
            references=(("firth", "firth-1993"),),
        ),
        Option(
            name="bootstrap", default=None, kind="number",
            about="bootstrap samples of patients (or clusters) for intervals of standardized risks and their contrasts; 0 for none",
            words="confidence intervals of standardized risks and their contrasts were percentiles of {value} bootstrap samples",
            phrases=(("0", ""), ("0.0", "")),
        ),
    ),
    rules=(
        Rule("separation", "a coefficient that is infinite is named, not printed; Firth's penalty is offered", "konis-2007"),
        Rule("dependent covariates", "a covariate that others determine is left out and named", None),
    ),
    adjustable=True,
    clusters=("robust", "fixed", "random-intercept", "gee"),
    cluster_variances=True,
    weighted=True,
    needs_groups=False,
    subgroups=True,
    likelihood=likelihood,
    refuse=refuse_bootstrap,
    calls="counterpulse.regression.logistic",
    citations=("mccullagh-nelder-1989",),
    estimate=estimate,
)  # fmt: skip
