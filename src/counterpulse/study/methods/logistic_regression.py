"""Logistic regression of a binary outcome: odds ratio, and marginal risks by standardization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan
from operator import attrgetter
from typing import Literal

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.regression import BinomialColumns, GeeFit, LogisticFit, RandomInterceptFit
from counterpulse.results import Estimate, EstimateRow, Scale, Status
from counterpulse.study.answers.fitted_model import ModelKind, group_counts, patients, total_events
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.planning.clusters import CONDITIONAL_NOTE, MARGINAL_NOTE, Way, gee_of, way_of
from counterpulse.study.request import Answer, Request, place

MARGINAL = ("risk difference", "risk ratio")


def _plain(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> LogisticFit:
    penalty: Literal["firth"] | None = None if request.option("penalty") == "none" else "firth"
    return regression.logistic(
        frame,
        outcome=request.outcome.name,
        terms=terms,
        cluster=request.cluster,
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
    answer, model = answer_model(request, fit, kind)
    wanted = [measure for measure in request.analysis.measures if measure in MARGINAL]
    if request.group is None or not wanted or not isinstance(model, LogisticFit):
        return answer
    marginal = _marginal(request, model, wanted)
    answer = replace(answer, citations=(*answer.citations, "stefanski-boos-2002"))
    if request.analysis.measures[0] in MARGINAL:
        return replace(answer, rows=marginal + answer.rows)
    head = tuple(row for row in answer.rows if row.estimate.variable == request.group and row.subgroup is None)
    rest = tuple(row for row in answer.rows if row not in head)
    return replace(answer, rows=head + marginal + rest)


def _marginal(request: Request, model: LogisticFit, wanted: Sequence[str]) -> tuple[EstimateRow, ...]:
    """Each risk if everybody belonged to the group, and their contrasts."""
    found: list[Estimate] = []
    groups = group_counts(request, model.rows_used)
    filled = {count.group for count in groups if count.n}
    for treated in request.treated:
        if not {treated, request.reference} <= filled:
            found += [_empty(request, treated, measure) for measure in wanted]
            continue
        standardized = regression.standardize(
            model, request.frame, variable=str(request.group), treated=treated, reference=request.reference,
            level=request.analysis.level,
        )  # fmt: skip
        found += [item for item in standardized.estimates() if item.measure in wanted or item.measure == "risk"]
    contrasts = [item for name in wanted for item in found if item.measure == name]
    risks = [item for item in dict.fromkeys(found) if item.measure == "risk"]
    unique = {item.term: item for item in risks}
    ordered = [*contrasts, *unique.values()] if model.status is Status.OK else contrasts
    return tuple(
        place(
            request, replace(item, variable=str(request.group)), kind="marginal", n=patients(request, model.rows_used),
            events=total_events(request, model.rows_used), n_missing=model.n_missing,
            groups=groups if item.measure != "risk" else (), clusters=model.clusters,
        )
        for item in ordered
    )  # fmt: skip


def _empty(request: Request, treated: str, measure: str) -> Estimate:
    scale: Scale = "log" if measure == "risk ratio" else "identity"
    return Estimate(
        term=treated, reference=request.reference, measure=measure, scale=scale, value=nan, status=Status.EMPTY_GROUP
    )


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
    kind="conditional",
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
    ),
    rules=(
        Rule("separation", "a coefficient that is infinite is named, not printed; Firth's penalty is offered", "konis-2007"),
        Rule("dependent covariates", "a covariate that others determine is left out and named", None),
    ),
    adjustable=True,
    clusters=("robust", "fixed", "random-intercept", "gee"),
    cluster_variances=True,
    needs_groups=False,
    subgroups=True,
    likelihood=likelihood,
    calls="counterpulse.regression.logistic",
    citations=("mccullagh-nelder-1989",),
    estimate=estimate,
)  # fmt: skip
