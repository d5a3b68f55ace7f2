"""Fine and Gray's model: how the groups and covariates move the cumulative incidence of an event with which another competes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from counterpulse import survival
from counterpulse.data.terms import Term
from counterpulse.results import Notice
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import Answer, Request, cause_column, time_column
from counterpulse.survival import FineGrayFit

MEASURE = "subdistribution hazard ratio"


def estimate(request: Request) -> Answer:
    """The subdistribution hazard ratio of the exposure, its covariates, and what it does not say."""
    outcome = request.outcome.name
    strata: tuple[str, ...] = request.option("censoring_strata")

    def fit(rows: pl.DataFrame, terms: Sequence[Term]) -> FineGrayFit:
        return survival.fine_gray(
            rows, time=time_column(outcome), event=cause_column(outcome), terms=terms, cause="event",
            censoring_strata=strata or None, weights=request.weights, cluster=request.together, variance=request.option("variance"),
            ties=request.option("ties"), tied_censoring=request.option("tied_censoring"), level=request.analysis.level,
        )  # fmt: skip

    answer, _ = answer_model(request, fit, ModelKind(MEASURE, "log"))
    return answer.joined(Answer(notices=(_direction(request),)))


def _direction(request: Request) -> Notice:
    text = (
        f"{request.outcome.label}: a subdistribution hazard ratio tells the direction in which the cumulative incidence moves, not by "
        "how much, and is no ratio of rates; read it beside the cumulative incidences and the cause-specific hazard ratios "
        "(method: cox with causes: both)."
    )
    return Notice("W703", request.analysis.id, text)


SPEC = MethodSpec(
    name="fine-gray",
    label="Fine-Gray regression",
    about="subdistribution hazard ratios were estimated by Fine and Gray's model, in which patients who had the competing event stay at risk, weighted by the probability of not being censored",
    outcomes=frozenset({"time-to-event"}),
    measures=(MEASURE,),
    kind="conditional",
    options=(
        Option(
            name="ties", default="breslow", kind="word", allowed=("breslow", "efron"), about="how tied event times are treated",
            phrases=(("breslow", "tied event times were handled by Breslow's method"), ("efron", "tied event times were handled by Efron's method")),
            references=(("efron", "efron-1977"), ("breslow", "breslow-1974")),
        ),
        Option(
            name="variance", default="fine-gray", kind="word", allowed=("fine-gray", "robust"),
            about="the robust variance, which counts that the censoring was estimated (fine-gray) or takes it as known (robust)",
            phrases=(
                ("fine-gray", "their variance counts the estimation of the censoring distribution"),
                ("robust", "their variance was robust, with the censoring distribution taken as known"),
            ),
            references=(("fine-gray", "fine-gray-1999"), ("robust", "lin-wei-1989")),
        ),
        Option(
            name="tied_censoring", default="with-events", kind="word", allowed=("with-events", "after-events"),
            about="whether a patient with an event at a time is at risk of being censored at it (with-events, as R's cmprsk) or not (after-events, as R's survival)",
        ),
        Option(
            name="censoring_strata", default=(), kind="names", about="variables within whose levels the censoring distribution is estimated",
            words="the censoring distribution was estimated within {value}",
        ),
    ),
    rules=(Rule("separation", "a coefficient that is infinite is named, not printed", None),),
    adjustable=True,
    clusters=("robust", "fixed"),
    cluster_reference="lin-wei-1989",
    needs_groups=False,
    weighted=True,
    subgroups=True,
    calls="counterpulse.survival.fine_gray",
    citations=("fine-gray-1999",),
    estimate=estimate,
)  # fmt: skip
