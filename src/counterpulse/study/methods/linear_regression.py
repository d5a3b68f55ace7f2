"""Linear regression of a continuous outcome: the adjusted difference of means."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.regression import GaussianColumns, GeeFit, LinearFit, RandomInterceptFit
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.planning.clusters import CONDITIONAL_NOTE, MARGINAL_NOTE, Way, gee_of, way_of
from counterpulse.study.request import Answer, Request

VARIANCE = {"model": False, "robust": True}


def _plain(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> LinearFit:
    return regression.linear(
        frame,
        outcome=request.outcome.name,
        terms=terms,
        weights=request.weights,
        cluster=request.together,
        cluster_variance=request.cluster_variance,
        robust=None if request.together or request.weights else VARIANCE[str(request.option("variance"))],
        level=request.analysis.level,
    )


def _random_intercept(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> RandomInterceptFit:
    return regression.mixed_linear(
        frame, outcome=request.outcome.name, terms=terms, cluster=str(request.cluster), level=request.analysis.level
    )


def _gee(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> GeeFit:
    return gee_of(request, frame, terms, "gaussian")


WAYS = {
    "robust": Way(_plain, ModelKind("mean difference", "identity")),
    "random-intercept": Way(
        _random_intercept, ModelKind("mean difference", "identity", estimand="conditional", notes=(CONDITIONAL_NOTE,))
    ),
    "gee": Way(_gee, ModelKind("mean difference", "identity", estimand="marginal", notes=(MARGINAL_NOTE,))),
}


def estimate(request: Request) -> Answer:
    """The difference of means of the exposure, and its covariates."""
    return answer_model(request, *way_of(request, WAYS))[0]


def likelihood(request: Request, terms: Sequence[Term]) -> GaussianColumns:
    """The likelihood in which covariates come and go."""
    return regression.gaussian_columns(request.frame, outcome=request.outcome.name, terms=terms)


SPEC = MethodSpec(
    name="linear-regression",
    label="linear regression",
    about="differences of means were estimated by linear regression",
    outcomes=frozenset({"continuous", "count", "ordinal"}),
    measures=("mean difference",),
    targeted=("mean difference",),
    kind="conditional",
    options=(
        Option(
            name="variance", default="model", kind="word", allowed=("model", "robust"), about="which variance intervals use",
            phrases=(("model", ""), ("robust", "heteroskedasticity-robust variance (HC3) was used")),
            references=(("robust", "white-1980"),),
        ),
    ),
    rules=(Rule("dependent covariates", "a covariate that others determine is left out and named", None),),
    adjustable=True,
    clusters=("robust", "fixed", "random-intercept", "gee"),
    cluster_variances=True,
    weighted=True,
    needs_groups=False,
    subgroups=True,
    likelihood=likelihood,
    calls="counterpulse.regression.linear",
    estimate=estimate,
)  # fmt: skip
