"""Clone-censor-weight in place of the method of an analysis: beginning treatment in time against never beginning it."""

from __future__ import annotations

import numpy as np

from counterpulse import emulation
from counterpulse.emulation import CloneCensorWeight
from counterpulse.results import EstimateRow, GroupCount, Status
from counterpulse.results.wald import no_estimate
from counterpulse.study.answers.clone_answers import blocks_of, estimates_of
from counterpulse.study.answers.fitted_model import patients
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.patients.emulation_sample import END, EVENT, EXPOSED_AT, TIME, UNTIL, time_unit_of
from counterpulse.study.request import Answer, Request, place

NAME = "clone-censor-weight"


def estimate(request: Request) -> Answer:
    """The planned measures, the risk of each strategy, its curve, its clones and their weights."""
    frame = request.frame
    if not frame.height:
        empty = no_estimate(request.analysis.measures[0], Status.NO_ROWS, term=request.treated[0])
        return Answer(rows=(place(request, empty, method=NAME, n=0),))
    grace = request.option("grace").within(time_unit_of(request.outcome))
    found = emulation.clone_censor_weight(
        frame, exposure_time=EXPOSED_AT, time=TIME, event=EVENT, until=UNTIL, grace=grace,
        covariates=request.analysis.terms, horizon=_horizon(request, grace), strategies=(request.treated[0], request.reference),
        censoring_model=request.option("censoring_model"), stabilized=request.option("stabilized"),
        truncate=request.option("truncate"), bootstrap=int(request.option("bootstrap")),
        seed=request.seed_used, analysis=f"{request.analysis.id}.{request.name}",
        level=request.analysis.level, jobs=request.workers,
    )  # fmt: skip
    return Answer(
        rows=_rows(request, found), blocks=blocks_of(request, found), details=_details(request, found),
        citations=found.provenance.citations, n_missing=found.n_missing,
    )  # fmt: skip


def _horizon(request: Request, grace: float) -> float:
    """The outcome's horizon; of a yes/no outcome where all are known; else the end of the shorter arm."""
    if request.outcome.kind == "binary":
        return float(request.frame[END][0])
    if request.outcome.horizon is not None:
        return request.outcome.horizon
    time, exposed = request.frame[TIME].to_numpy(), request.frame[EXPOSED_AT].fill_null(np.inf).to_numpy()
    treated = np.where(exposed <= grace, time, np.minimum(time, grace))
    return float(min(treated.max(), np.minimum(time, exposed).max())) or grace


def _rows(request: Request, found: CloneCensorWeight) -> tuple[EstimateRow, ...]:
    groups = _groups(request, found)
    return tuple(
        place(
            request, estimate, method=NAME, n=patients(request, found.rows), n_missing=found.n_missing,
            events=int(request.frame[EVENT].gather(found.rows).sum()),
            groups=groups if estimate.reference else tuple(one for one in groups if one.group == estimate.term),
        )
        for estimate in estimates_of(request, found)
    )  # fmt: skip


def _groups(request: Request, found: CloneCensorWeight) -> tuple[GroupCount, ...]:
    """The clones of each strategy, their events while they followed it, and their follow-up."""
    timed = request.outcome.kind == "time-to-event"
    return tuple(
        GroupCount(group=arm.strategy, n=arm.clones, events=arm.events, person_time=arm.person_time if timed else None)
        for arm in found.arms
    )


def _details(request: Request, found: CloneCensorWeight) -> dict[str, str | float | int | bool | None]:
    """Clones, those who left their strategy, and what their weights change."""
    treated, never = found.arms
    details: dict[str, str | float | int | bool | None] = {
        "clones": treated.clones + never.clones,
        "artificially_censored": treated.artificially_censored + never.artificially_censored,
        "artificially_censored_treated": treated.artificially_censored,
        "artificially_censored_untreated": never.artificially_censored,
        "treated_after_follow_up": found.n_after_end,
        "failed_replicates": found.failed,
    }
    if request.outcome.kind == "time-to-event":
        ratio = float(np.exp(found.unweighted_log_hazard_ratio))
        details["unweighted_hazard_ratio"] = ratio if np.isfinite(ratio) else None
    return {f"{request.name}.{name}": value for name, value in details.items()}


SPEC = MethodSpec(
    name=NAME,
    label="clone-censor-weight",
    about="every patient was cloned to both strategies at time zero, clones were censored on leaving theirs, and those who followed "
    "it were weighted by the inverse of the probability of following it",
    outcomes=frozenset({"binary", "time-to-event"}),
    measures=("hazard ratio", "risk difference", "risk ratio", "rmst difference", "odds ratio"),
    options=(
        Option(
            name="grace", default=None, kind="length", required=True, about="the time from time zero within which treatment begins",
            words="the strategies were to begin treatment within {value} of time zero, and never to begin it", reference="hernan-2018",
        ),
        Option(
            name="censoring_model", default="cox", kind="word", allowed=("cox", "pooled-logistic"),
            about="the model of who leaves a strategy", reference="maringe-2020",
            phrases=(
                ("cox", "in each strategy, leaving it was modeled by Cox regression on the covariates"),
                ("pooled-logistic", "in each strategy, leaving it was modeled by pooled logistic regression on the covariates and time"),
            ),
        ),
        Option(
            name="stabilized", default=False, kind="yes-no",
            about="weights are multiplied by the probability of following the strategy without regard to covariates",
            phrases=(("True", "weights were stabilized"), ("False", "")), reference="cole-hernan-2008",
        ),
        Option(
            name="truncate", default=None, kind="numbers", about="two quantiles of the weights of a strategy at which they are held",
            words="weights were held at their quantiles {value}", reference="cole-hernan-2008",
        ),
        Option(
            name="bootstrap", default=500, kind="number", about="how often patients are drawn for the intervals; 0 for none",
            words="intervals are percentiles of {value} bootstrap samples of patients, each cloned and weighted anew",
        ),
    ),
    accepts=frozenset({NAME}),
    adjustable=True,
    two_groups_only=True,
    calls="counterpulse.emulation.clone_censor_weight",
    citations=("hernan-2018", "maringe-2020"),
    estimate=estimate,
)  # fmt: skip
