"""Quantile regression of a continuous outcome: the adjusted difference of medians, or of other quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.regression import QuantileFit
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import Answer, Request

MEDIAN = "median difference"


def estimate(request: Request) -> Answer:
    """The difference of each quantile of the exposure, and its covariates; subgroups of the first quantile."""
    answer = Answer()
    for number, tau in enumerate(request.option("quantile")):
        asked = request if number == 0 else replace(request, plan=replace(request.plan, subgroups=None))
        answer = answer.joined(_of_quantile(asked, tau))
    return answer


def _of_quantile(request: Request, tau: float) -> Answer:
    interval = request.option("interval")

    def fit(frame: pl.DataFrame, terms: Sequence[Term]) -> QuantileFit:
        return regression.quantile(
            frame,
            outcome=request.outcome.name,
            terms=terms,
            quantile=tau,
            cluster=request.cluster,
            interval=None if interval == "by-size" else interval,
            level=request.analysis.level,
            seed=request.seed or 0,
        )

    measure = MEDIAN if tau == 0.5 else f"difference at quantile {tau:g}"
    return answer_model(request, fit, ModelKind(measure, "identity"))[0]


SPEC = MethodSpec(
    name="quantile-regression",
    label="quantile regression",
    about="differences of quantiles were estimated by quantile regression",
    outcomes=frozenset({"continuous"}),
    measures=(MEDIAN,),
    kind="conditional",
    options=(
        Option(
            name="quantile", default=(0.5,), kind="numbers", about="which quantiles, each above 0 and below 1; 0.5 is the median",
            words="the quantiles modeled were {value}", reference="koenker-bassett-1978",
        ),
        Option(
            name="interval", default="by-size", kind="word", allowed=("by-size", "rank", "nid", "iid", "bootstrap"),
            about="how intervals are made",
            phrases=(
                ("by-size", ""), ("rank", "confidence intervals were computed by inversion of the rank test"),
                ("nid", "confidence intervals were computed from the Hendricks-Koenker sandwich"),
                ("iid", "confidence intervals were computed for identically distributed errors"), ("bootstrap", "confidence intervals were computed by the bootstrap"),
            ),
            references=(("rank", "koenker-1994"), ("nid", "hendricks-koenker-1992"), ("iid", "koenker-bassett-1978")),
        ),
    ),
    rules=(
        Rule(
            "interval by size", "inversion of the rank test below 1,001 rows without clusters, else the Hendricks-Koenker sandwich",
            "koenker-1994",
        ),
        Rule("dependent covariates", "a covariate that others determine is left out and named", None),
    ),
    adjustable=True,
    clusters=("robust", "fixed"),
    cluster_reference="parente-santos-silva-2016",
    needs_groups=False,
    subgroups=True,
    calls="counterpulse.regression.quantile",
    citations=("koenker-bassett-1978",),
    estimate=estimate,
)  # fmt: skip
