"""Linear regression of a continuous outcome: the adjusted difference of means."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Term
from counterpulse.regression import LinearFit
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.model_answers import ModelKind, answer_model
from counterpulse.study.request import Answer, Request

VARIANCE = {"model": False, "robust": True}


def estimate(request: Request) -> Answer:
    """The difference of means of the exposure, and its covariates."""

    def fit(frame: pl.DataFrame, terms: Sequence[Term]) -> LinearFit:
        return regression.linear(
            frame,
            outcome=request.outcome.name,
            terms=terms,
            cluster=request.cluster,
            robust=None if request.analysis.clusters else VARIANCE[str(request.option("variance"))],
            level=request.analysis.level,
        )

    return answer_model(request, fit, ModelKind("mean difference", "identity"))[0]


SPEC = MethodSpec(
    name="linear-regression",
    label="linear regression",
    about="differences of means were estimated by linear regression",
    outcomes=frozenset({"continuous", "count", "ordinal"}),
    measures=("mean difference",),
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
    clusters=("robust", "fixed"),
    needs_groups=False,
    subgroups=True,
    calls="counterpulse.regression.linear",
    estimate=estimate,
)  # fmt: skip
