"""A sequence of nested trials in place of the method of an analysis: whoever begins treatment against whoever does not yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from counterpulse import emulation
from counterpulse.data.design import complete_rows
from counterpulse.data.terms import Interaction, Term, variables_of
from counterpulse.emulation import SequenceOfTrials
from counterpulse.results import Block, Cell, Estimate, EstimateRow, GroupCount, Status
from counterpulse.results.wald import no_estimate
from counterpulse.study.answers.trial_periods import (
    ELIGIBLE,
    HAPPENED,
    PATIENT,
    PERIOD,
    TREATED,
    trial_periods,
)
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.patients.emulation_sample import EVENT
from counterpulse.study.request import Answer, Request, block_id, place

NAME = "sequential-trials"
FEWEST_FOR_SQUARE = 4
PER_PERIOD = "Odds of the event in a period; near the hazard ratio, as events in a single period are rare."


def estimate(request: Request) -> Answer:
    """The odds ratio of the pooled trials, the risks after as many periods as every trial has, and their contrasts."""
    terms, frame = request.analysis.terms, request.frame
    names = [name for term in terms for name in variables_of(term)]
    rows = np.flatnonzero(complete_rows(frame, names))
    if not len(rows):
        empty = replace(
            no_estimate("odds ratio", Status.NO_ROWS, term=request.treated[0], scale="log"),
            variable=request.group, reference=request.reference,
        )  # fmt: skip
        row = place(request, empty, method=NAME, kind="conditional", n=0, n_missing=frame.height)
        return Answer(rows=(row,), n_missing=frame.height)
    table = trial_periods(frame[rows], every=_every(request), trials=int(request.option("periods")), keep=names)
    per_protocol = request.option("compare") == "per-protocol"
    time = _time_terms(table[PERIOD].n_unique())
    found = emulation.sequence_of_trials(
        table, patient=PATIENT, period=PERIOD, eligible=ELIGIBLE, treatment=TREATED, outcome=HAPPENED, covariates=terms,
        horizon=periods_of_all(request.outcome.horizon, _every(request), int(request.option("periods"))),
        estimand=request.option("compare"), switch_numerator=time if per_protocol else (),
        switch_denominator=(*terms, *time) if per_protocol else None, truncate=request.option("truncate"),
        bootstrap=int(request.option("bootstrap")), seed=request.seed_used,
        analysis=f"{request.analysis.id}.{request.name}", level=request.analysis.level, jobs=request.workers,
    )  # fmt: skip
    missing = frame.height - len(rows)
    return Answer(
        rows=tuple(_rows(request, found, int(frame[EVENT].gather(rows).sum()), missing)), blocks=tuple(_blocks(request, found)),
        details=_details(request, found), citations=found.provenance.citations, n_missing=missing,
    )  # fmt: skip


def periods_of_all(horizon: float | None, every: float, trials: int) -> int:
    """Whole periods of follow-up that the last trial has before the horizon, and so every trial."""
    return 0 if horizon is None else int(np.floor(horizon / every + 1e-9)) - (trials - 1)


def _every(request: Request) -> float:
    length: float = request.option("every").within(request.time_unit or "days")
    return length


def _time_terms(periods: int) -> tuple[Term, ...]:
    """A curve of time in the models of keeping to a treatment."""
    return (PERIOD, Interaction(PERIOD, PERIOD)) if periods >= FEWEST_FOR_SQUARE else (PERIOD,) if periods > 1 else ()


def _rows(request: Request, found: SequenceOfTrials, events: int, missing: int) -> Iterator[EstimateRow]:
    groups, levels = _groups(request, found), {"treated": request.treated[0], "untreated": request.reference}
    every = _every(request)
    contrasts = {one.measure: one for one in found.estimates() if one.reference is not None}
    wanted = [contrasts[measure] for measure in request.analysis.measures]
    for one in (*wanted, *(item for item in found.estimates() if item.reference is None)):
        made = _named(request, one, levels, every)
        yield place(
            request, made, method=NAME, kind="conditional" if one.measure == "odds ratio" else "marginal",
            n=found.n_patients, events=events, n_missing=missing,
            groups=groups if made.reference else tuple(count for count in groups if count.group == made.term),
            notes=(PER_PERIOD,) if one.measure == "odds ratio" else (),
        )  # fmt: skip


def _named(request: Request, one: Estimate, levels: dict[str, str], every: float) -> Estimate:
    return replace(
        one, term=levels[one.term], variable=request.group, reference=None if one.reference is None else request.reference,
        at=None if one.at is None else request.at(one.at.time * every),
    )  # fmt: skip


def _groups(request: Request, found: SequenceOfTrials) -> tuple[GroupCount, ...]:
    """Entries into trials, the events that follow them, and their follow-up."""
    every = _every(request)
    counts = {treated: found.counts.filter(found.counts["treated"] == treated) for treated in (True, False)}
    return tuple(
        GroupCount(
            group=level, n=int(own["patients"].sum()), events=int(own["events"].sum()),
            person_time=float(own["periods"].sum()) * every,
        )
        for level, own in ((request.treated[0], counts[True]), (request.reference, counts[False]))
    )  # fmt: skip


def _blocks(request: Request, found: SequenceOfTrials) -> Iterator[Block]:
    """How the weights of the entries are distributed, where there are weights."""
    weights = found.sample.weights
    if weights is None or request.option("compare") != "per-protocol" or found.status is not Status.OK:
        return
    assigned = found.sample.frame["assigned_treatment"].to_numpy() == 1
    rows: list[dict[str, Cell]] = []
    for level, own in ((request.treated[0], weights[assigned]), (request.reference, weights[~assigned])):
        quantiles = np.quantile(own, (0.01, 0.25, 0.5, 0.75, 0.99)).tolist()
        rows.append(
            {"group": level, "n": len(own), "effective": float(own.sum() ** 2 / (own**2).sum()), "mean": float(own.mean()),
             "low": float(own.min()), **dict(zip(("p1", "p25", "p50", "p75", "p99"), quantiles, strict=True)), "high": float(own.max())}
        )  # fmt: skip
    columns = {name: tuple(row[name] for row in rows) for name in rows[0]}
    yield Block(id=block_id(request, "weights"), analysis=request.analysis.id, kind="weights", columns=columns)


def _details(request: Request, found: SequenceOfTrials) -> dict[str, Cell]:
    details: dict[str, Cell] = {
        "trials": found.n_trials, "entries": found.n_person_trials, "artificially_censored": found.n_deviated,
        "failed_replicates": found.failed,
    }  # fmt: skip
    return {f"{request.name}.{name}": value for name, value in details.items()}


SPEC = MethodSpec(
    name=NAME,
    label="sequence of nested trials",
    about="a trial was begun in each of several periods: patients who had begun treatment in the period before it were compared with those still "
    "untreated, the trials were pooled, and the outcome in each period of follow-up was modeled by logistic regression on treatment at the "
    "start, the covariates, and smooth functions of follow-up and of the period in which the trial began",
    outcomes=frozenset({"time-to-event"}),
    measures=("odds ratio", "risk difference", "risk ratio"),
    options=(
        Option(
            name="every", default=None, kind="length", required=True, about="the length of a period, at whose start a trial begins",
            words="a trial began every {value}", reference="hernan-2008",
        ),
        Option(
            name="periods", default=None, kind="number", required=True, about="how many trials begin", words="{value} trials began",
        ),
        Option(
            name="compare", default="intention-to-treat", kind="word", allowed=("intention-to-treat", "per-protocol"),
            about="what the trials compare: beginning treatment, or keeping to what was begun", reference="danaei-2013",
            phrases=(
                ("intention-to-treat", "patients stayed in the group in which they entered a trial"),
                ("per-protocol", "patients were censored when they left the group in which they entered a trial, and weighted by the inverse of the "
                 "probability of keeping to it, stabilized, from logistic regression on the covariates and time"),
            ),
        ),
        Option(
            name="truncate", default=None, kind="numbers", about="two quantiles of the weights at which they are held",
            words="weights were held at their quantiles {value}", reference="cole-hernan-2008",
        ),
        Option(
            name="bootstrap", default=0, kind="number",
            about="how often patients are drawn for the intervals; 0 gives the odds ratio a variance robust by patient, and risks no interval",
            phrases=(("0", "the variance of the odds ratio is robust by patient; risks have no interval"),),
            words="intervals are percentiles of {value} bootstrap samples of patients",
        ),
    ),
    accepts=frozenset({NAME}),
    adjustable=True,
    two_groups_only=True,
    calls="counterpulse.emulation.sequence_of_trials",
    citations=("hernan-2008", "danaei-2013"),
    estimate=estimate,
)  # fmt: skip
