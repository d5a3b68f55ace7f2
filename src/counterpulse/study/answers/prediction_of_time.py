"""Prediction quality of a time to an event, by a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from counterpulse import survival
from counterpulse.data.terms import variables_of
from counterpulse.regression.decision_curve import THRESHOLDS
from counterpulse.results import Estimate, Status
from counterpulse.results.wald import no_estimate
from counterpulse.study.answers.predictor import (
    APPARENT,
    RECALIBRATED,
    RISK,
    Predictor,
    block,
    calibration_block,
    complete_for,
    decision_block,
    no_score,
    numbers,
    rows_of,
    turned_notice,
)
from counterpulse.study.request import Answer, Request, event_column, time_column
from counterpulse.survival import CoxFit

C, UNO = "concordance", "Uno's concordance"


def answer_predictor(request: Request, predictor: Predictor) -> Answer:
    """Discrimination at all times and by a time; calibration, accuracy and net benefit by the time."""
    names = [predictor.name] if predictor.kind != "model" else [
        name for term in request.analysis.terms for name in variables_of(term)
    ]  # fmt: skip
    rows = complete_for(request, names)
    if not rows.height:
        return Answer(rows=(no_score(request, predictor, C),), n_missing=request.frame.height)
    at = times(request)[0]
    fit = None if predictor.kind == "risk" else _fit(request, rows, predictor)
    if fit is not None and fit.status is not Status.OK:
        failed = rows_of(request, predictor, [no_estimate(C, fit.status)], n=rows.height, events=fit.events)
        return Answer(rows=failed, n_missing=request.frame.height - rows.height)
    if fit is None:
        risk = rows[predictor.name].cast(pl.Float64).to_numpy()
        if ((risk < 0) | (risk > 1)).any():
            note = "Some predicted risks lie outside 0 to 1; points belong under `score`."
            placed = rows_of(
                request, predictor, [no_estimate(C, Status.UNDEFINED, notes=(note,))], n=rows.height, events=0
            )
            return Answer(rows=placed, n_missing=request.frame.height - rows.height)
    else:
        risk = survival.risk_at_time(fit, rows, at)
    values = survival.linear_predictor(fit, rows) if fit is not None and predictor.kind == "model" else None
    rows = rows.with_columns(pl.Series(RISK, risk))
    score = predictor.name if values is None else "linear predictor."
    rows = rows if values is None else rows.with_columns(pl.Series(score, values))
    answer = _discrimination(request, predictor, rows, score)
    if predictor.kind == "model" and request.option("bootstrap") and fit is not None:
        answer = answer.joined(_corrected(request, predictor, fit, rows))
    answer = answer.joined(_accuracy(request, predictor, rows, at))
    return answer.joined(_differences(request, predictor, rows, score))


def times(request: Request) -> tuple[float, ...]:
    """The times asked for in the outcome's unit, by default the horizon."""
    unit = request.time_unit or "days"
    asked = tuple(length.within(unit) for length in request.option("at"))
    return asked or ((float(request.outcome.horizon),) if request.outcome.horizon is not None else ())


def _columns(request: Request) -> tuple[str, str]:
    return time_column(request.outcome.name), event_column(request.outcome.name)


def _fit(request: Request, rows: pl.DataFrame, predictor: Predictor) -> CoxFit:
    terms = request.analysis.terms if predictor.kind == "model" else (predictor.name,)
    time, event = _columns(request)
    return survival.cox(rows, time=time, event=event, terms=terms)


def _events(request: Request, rows: pl.DataFrame) -> int:
    return int(rows[event_column(request.outcome.name)].cast(pl.Int64).sum())


def _discrimination(request: Request, predictor: Predictor, rows: pl.DataFrame, score: str) -> Answer:
    (time, event), level, n, events = _columns(request), request.analysis.level, rows.height, _events(request, rows)
    harrell = survival.concordance(rows, time=time, event=event, score=score, level=level)
    uno = survival.concordance(rows, time=time, event=event, score=score, weights="uno", level=level)
    area = survival.auc_at_time(rows, time=time, event=event, score=score, at=times(request), level=level)
    estimates = [*harrell.estimates(), *(replace(item, measure=UNO) for item in uno.estimates())]
    estimates = [replace(item, term="") for item in estimates]
    estimates += area.estimates(request.time_unit)
    curve = survival.auc_at_time(
        rows, time=time, event=event, score=score, at=_grid(rows, time, event), level=level
    ).estimates()
    made = block(
        request, predictor, "time-dependent-auc",
        {
            "time": [item.at.time if item.at else None for item in curve], "estimate": numbers(item.value for item in curve),
            "conf_low": numbers(np.nan if item.interval is None else item.interval.low for item in curve),
            "conf_high": numbers(np.nan if item.interval is None else item.interval.high for item in curve),
        },
    )  # fmt: skip
    notes = (APPARENT,) if predictor.kind == "model" and request.option("bootstrap") else ()
    return Answer(
        rows=rows_of(request, predictor, estimates, n=n, events=events, notes=notes), blocks=(made,),
        notices=turned_notice(request, predictor, harrell.value), n_missing=request.frame.height - n,
        citations=("harrell-1996", "uno-2011", "uno-2007", "blanche-2013"),
    )  # fmt: skip


def _grid(rows: pl.DataFrame, time: str, event: str) -> list[float]:
    """Twenty round times between the tenth and the ninetieth percentile of the times of events."""
    ended = rows.filter(pl.col(event).cast(pl.Boolean))[time].cast(pl.Float64)
    if not len(ended):
        return [1.0]
    low, high = (float(ended.quantile(p) or 0.0) for p in (0.1, 0.9))
    return sorted({float(f"{point:.2g}") for point in np.linspace(low, high, 20)})


def _corrected(request: Request, predictor: Predictor, fit: CoxFit, rows: pl.DataFrame) -> Answer:
    found = survival.bootstrap_cox_optimism(
        fit, seed=request.seed_used, analysis=f"{request.analysis.id}.{request.name}",
        replicates=int(request.option("bootstrap")), jobs=request.workers,
    )  # fmt: skip
    return Answer(rows=rows_of(request, predictor, found.estimates(), n=rows.height, events=_events(request, rows)))


def _accuracy(request: Request, predictor: Predictor, rows: pl.DataFrame, at: float) -> Answer:
    (time, event), level, unit = _columns(request), request.analysis.level, request.time_unit
    calibration = survival.calibration_at_time(rows, time=time, event=event, risk=RISK, at=at, unit=unit, level=level)
    estimates: list[Estimate] = list(
        calibration.estimates() if predictor.kind == "risk" else calibration.estimates()[2:]
    )
    estimates += survival.brier_at_time(
        rows, time=time, event=event, risk=RISK, at=at, unit=unit, level=level
    ).estimates()
    if request.option("thresholds"):
        asked = survival.net_benefit_at_time(
            rows, time=time, event=event, risk=RISK, at=at, thresholds=request.option("thresholds"), unit=unit
        )
        estimates += asked.estimates()
    curve = survival.net_benefit_at_time(rows, time=time, event=event, risk=RISK, at=at, thresholds=THRESHOLDS)
    notes = {"model": (APPARENT,), "score": (RECALIBRATED,), "risk": ()}[predictor.kind]
    return Answer(
        rows=rows_of(request, predictor, estimates, n=rows.height, events=_events(request, rows), notes=notes),
        blocks=(
            *calibration_block(request, predictor, calibration.curve, calibration.groups),
            decision_block(request, predictor, curve.threshold, curve.model, curve.all),
        ),
        citations=("austin-2020", "graf-1999", "kattan-gerds-2018", "vickers-2008"),
    )  # fmt: skip


def _differences(request: Request, predictor: Predictor, rows: pl.DataFrame, score: str) -> Answer:
    """The concordance less that of each other score, in those who have both."""
    (time, event), answer = _columns(request), Answer()
    for name in request.option("compare"):
        other = Predictor("score", name)
        both = rows.drop_nulls([name])
        if not both.height:
            answer = answer.joined(Answer(rows=(no_score(request, other, C),)))
            continue
        n, events, level = both.height, _events(request, both), request.analysis.level
        alone = survival.concordance(both, time=time, event=event, score=name, level=level)
        apart = survival.compare_concordances(both, time=time, event=event, first=score, second=name, level=level)
        placed = rows_of(request, other, [replace(item, term="") for item in alone.estimates()], n=n, events=events)
        apart = replace(apart, term=f"{predictor.name} less {name}", reference=name)
        placed += rows_of(request, predictor, [apart], n=n, events=events)
        notices = turned_notice(request, other, alone.value)
        answer = answer.joined(Answer(rows=placed, notices=notices, citations=("kang-2015",)))
    return answer
