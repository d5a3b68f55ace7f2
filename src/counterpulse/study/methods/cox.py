"""Cox's proportional hazards model: the hazard ratio, its check, and risks at a time besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

import polars as pl

from counterpulse import survival
from counterpulse.data.terms import Term
from counterpulse.results import Block, Notice, Status
from counterpulse.results.study_result import COMPETING_EVENT
from counterpulse.study.answers.curves import curve_answer
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.answers.subgroup_answers import replace_frame
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import (
    START,
    Answer,
    Request,
    block_id,
    cause_column,
    event_column,
    observed_risk_name,
    time_column,
)
from counterpulse.survival import CoxColumns, CoxFit


def estimate(request: Request) -> Answer:
    """The hazard ratio of the exposure, its covariates, the check of proportional hazards, and what the plan asks besides."""
    frame, cluster = _clustered(request)
    outcome = request.outcome.name
    strata: tuple[str, ...] = request.option("strata")

    profiled = request.option("interval") == "profile" and cluster is None and request.weights is None

    def fit(rows: pl.DataFrame, terms: Sequence[Term]) -> CoxFit:
        return survival.cox(
            rows,
            time=time_column(outcome),
            event=event_column(outcome),
            start=None if request.sample.start is None else START,
            terms=[term for term in terms if term not in strata],
            ties=request.option("ties"),
            strata=strata or None,
            weights=request.weights,
            cluster=cluster,
            level=request.analysis.level,
            interval="profile" if profiled else "wald",
        )

    request = replace_frame(request, frame)
    kind = ModelKind("hazard ratio", "log", attrgetter("log_likelihood"))
    answer, model = answer_model(request, fit, kind)
    assert isinstance(model, CoxFit)
    answer = answer.joined(_observed_risk(request, model))
    if "proportional-hazards" in request.analysis.checks and model.status is Status.OK:
        answer = answer.joined(_proportional_hazards(request, model))
    if request.outcome.competing:
        answer = answer.joined(Answer(notices=(_cause_specific(request),)))
    if request.option("causes") == "both":
        answer = answer.joined(answer_model(_of_competing(request), fit, kind)[0])
    if request.option("interval") == "profile" and not profiled:
        answer = answer.joined(Answer(notices=(_not_profiled(request),)))
    besides = [measure for measure in request.analysis.measures if measure != "hazard ratio"]
    if besides or "kaplan-meier" in request.analysis.draws:
        answer = answer.joined(curve_answer(request, besides))
    return answer


def _clustered(request: Request) -> tuple[pl.DataFrame, str | None]:
    """Rows of one patient belong together, also where the plan names no clusters."""
    if request.together is not None or request.sample.cluster is None:
        return request.frame, request.together
    return request.frame.with_columns(pl.Series("patient.", request.sample.cluster)), "patient."


def _of_competing(request: Request) -> Request:
    """The same question of the competing event: it is the event, and who has the event is censored at it."""
    outcome = request.outcome.name
    competing = (pl.col(cause_column(outcome)) == "competing").alias(event_column(outcome))
    request = replace(
        request, outcome=replace(request.outcome, better=None),
        analysis=replace(request.analysis, role="secondary" if request.analysis.role == "primary" else request.analysis.role),
    )  # fmt: skip
    return replace_frame(request, request.frame.with_columns(competing)).without_besides().named(COMPETING_EVENT)


def _observed_risk(request: Request, model: CoxFit) -> Answer:
    """The share of all patients analyzed who have the event by the end of follow-up, by Kaplan and Meier."""
    if not len(model.rows_used):
        return Answer()
    (curve,) = survival.kaplan_meier(
        request.frame[model.rows_used], time=time_column(request.outcome.name), event=event_column(request.outcome.name),
        start=None if request.sample.start is None else START,
    )  # fmt: skip
    return Answer(details={observed_risk_name(request.name): 1.0 - float(curve.survival[-1])})


def _proportional_hazards(request: Request, model: CoxFit) -> Answer:
    test = survival.proportional_hazards(model, transform=request.option("transform"))
    block = Block(
        id=block_id(request, "zph"),
        analysis=request.analysis.id,
        kind="proportional-hazards",
        columns={name: tuple(column) for name, column in test.tidy().to_dict(as_series=False).items()},
    )  # fmt: skip
    return Answer(blocks=(block,), citations=("grambsch-therneau-1994",))


def _cause_specific(request: Request) -> Notice:
    text = (
        f"{request.outcome.label}: patients with the competing event are censored at it, so the hazard ratio is "
        "cause-specific and says nothing of the absolute risk."
    )
    return Notice("W701", request.analysis.id, text)


def _not_profiled(request: Request) -> Notice:
    text = f"{request.outcome.label}: a profile interval has no variance robust to clusters; Wald intervals are given."
    return Notice("W678", request.analysis.id, text)


def likelihood(request: Request, terms: Sequence[Term]) -> CoxColumns:
    """The partial likelihood in which covariates come and go."""
    outcome = request.outcome.name
    return survival.cox_columns(
        request.frame,
        time=time_column(outcome),
        event=event_column(outcome),
        start=None if request.sample.start is None else START,
        terms=terms,
        ties=request.option("ties"),
        strata=request.option("strata") or None,
    )


SPEC = MethodSpec(
    name="cox",
    label="Cox regression",
    about="hazard ratios were estimated by Cox proportional hazards regression",
    outcomes=frozenset({"time-to-event"}),
    measures=("hazard ratio",),
    also=("risk difference", "risk ratio", "rmst difference", "rmst ratio"),
    kind="conditional",
    options=(
        Option(
            name="ties", default="efron", kind="word", allowed=("efron", "breslow"), about="how tied event times are treated",
            phrases=(("efron", "tied event times were handled by Efron's method"), ("breslow", "tied event times were handled by Breslow's method")),
            references=(("efron", "efron-1977"), ("breslow", "breslow-1974")),
        ),
        Option(
            name="causes", default="event", kind="word", allowed=("event", "both"),
            about="whether the cause-specific hazard ratios of the competing event stand beside those of the event",
            phrases=(("event", ""), ("both", "cause-specific hazard ratios of the event and of the competing event were both estimated, each with the other censored at its time")),
            references=(("both", "latouche-2013"),),
        ),
        Option(
            name="strata", default=(), kind="names", about="variables whose levels have baseline hazards of their own",
            words="baseline hazards were stratified by {value}",
        ),
        Option(
            name="interval", default="wald", kind="word", allowed=("wald", "profile"), about="how intervals of hazard ratios are made",
            phrases=(("wald", "Wald confidence intervals and P values were computed"), ("profile", "confidence intervals were computed from the profile likelihood and P values by likelihood-ratio tests")),
            references=(("profile", "venzon-moolgavkar-1988"),),
        ),
        Option(
            name="transform", default="km", kind="word", allowed=("km", "identity", "rank", "log"),
            about="the function of time in the proportional-hazards test", reference="grambsch-therneau-1994",
        ),
    ),
    rules=(Rule("separation", "a coefficient that is infinite is named, not printed", None),),
    accepts=frozenset({"plain", "landmark", "start-stop", "clone-censor-weight", "sequential-trials"}),
    adjustable=True,
    clusters=("robust", "strata", "fixed"),
    cluster_reference="lin-wei-1989",
    needs_groups=False,
    checks=("proportional-hazards",),
    draws=(),
    subgroups=True,
    weighted=True,
    likelihood=likelihood,
    calls="counterpulse.survival.cox",
    citations=("cox-1972",),
    estimate=estimate,
)  # fmt: skip
