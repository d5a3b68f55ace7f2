"""Prediction quality of a yes/no outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from counterpulse import regression
from counterpulse.data.terms import variables_of
from counterpulse.regression import LogisticFit
from counterpulse.regression.decision_curve import THRESHOLDS
from counterpulse.results import Estimate, Status
from counterpulse.results.wald import no_estimate
from counterpulse.study.answers.predictor import (
    APPARENT,
    RECALIBRATED,
    Floats,
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
from counterpulse.study.request import Answer, Request

C = "c-statistic"


def answer_predictor(request: Request, predictor: Predictor) -> Answer:
    """Discrimination, calibration, overall accuracy and net benefit of one predictor."""
    if predictor.kind == "model":
        return _answer_model(request, predictor)
    rows = complete_for(request, [predictor.name])
    if not rows.height:
        return Answer(rows=(no_score(request, predictor, C),), n_missing=request.frame.height)
    outcome = rows[request.outcome.name].cast(pl.Boolean).to_numpy()
    values = rows[predictor.name].cast(pl.Float64).to_numpy()
    if predictor.kind == "risk" and ((values < 0) | (values > 1)).any():
        return _out_of_range(request, predictor, rows.height)
    answer = _discrimination(request, predictor, outcome, values)
    risk = values if predictor.kind == "risk" else regression.recalibrated(outcome, values)
    if risk is not None:
        answer = answer.joined(_accuracy(request, predictor, outcome, risk))
    return answer.joined(_differences(request, predictor, rows, values))


def _answer_model(request: Request, predictor: Predictor) -> Answer:
    rows = complete_for(request, [name for term in request.analysis.terms for name in variables_of(term)])
    fit = regression.logistic(rows, outcome=request.outcome.name, terms=request.analysis.terms)
    if fit.status is not Status.OK or fit.scaled is None:
        failed = rows_of(request, predictor, [no_estimate(C, fit.status)], n=rows.height, events=fit.events)
        return Answer(rows=failed, n_missing=request.frame.height - rows.height)
    outcome = rows[request.outcome.name].cast(pl.Boolean).to_numpy()
    predicted = fit.scaled.linear_predictor(rows)
    answer = _discrimination(request, predictor, outcome, predicted)
    if request.option("bootstrap"):
        answer = answer.joined(_corrected(request, predictor, fit, rows, predicted))
    answer = answer.joined(_accuracy(request, predictor, outcome, fit.predict(rows)))
    return answer.joined(_differences(request, predictor, rows, predicted))


def _corrected(
    request: Request, predictor: Predictor, fit: LogisticFit, rows: pl.DataFrame, predicted: Floats
) -> Answer:
    """What is left of the performance after the bootstrap took its optimism off."""
    assert fit.scaled is not None
    X = fit.scaled.scaling.matrix(rows)
    outcome = rows[request.outcome.name].cast(pl.Boolean).to_numpy()
    refit = regression.LogisticRefit(X, np.where(outcome, 1.0, -1.0), fit.scaled.coefficients)
    found = regression.bootstrap_optimism(
        outcome, predicted, refit, seed=request.seed_used,
        analysis=f"{request.analysis.id}.{request.name}", replicates=int(request.option("bootstrap")), jobs=request.workers,
    )  # fmt: skip
    placed = rows_of(request, predictor, found.estimates(), n=rows.height, events=int(outcome.sum()))
    return Answer(rows=placed, citations=("harrell-1996", "steyerberg-2001"))


def _out_of_range(request: Request, predictor: Predictor, n: int) -> Answer:
    note = "Some predicted risks lie outside 0 to 1; points belong under `score`, percentages are divided by 100."
    placed = rows_of(request, predictor, [no_estimate(C, Status.UNDEFINED, notes=(note,))], n=n, events=0)
    return Answer(rows=tuple(replace(row, events=None) for row in placed), n_missing=request.frame.height - n)


def _discrimination(
    request: Request, predictor: Predictor, outcome: np.ndarray[Any, np.dtype[np.bool_]], values: Floats
) -> Answer:
    found = regression.c_statistic(outcome, values, level=request.analysis.level)
    estimate = found.estimate(scale="logit" if request.option("interval") == "logit" else "identity")
    notes = (APPARENT,) if predictor.kind == "model" and request.option("bootstrap") else ()
    curve = regression.roc_curve(outcome, values)
    blocks = () if curve is None else (
        block(
            request, predictor, "roc",
            {"threshold": numbers(curve.threshold), "sensitivity": curve.sensitivity.tolist(), "specificity": curve.specificity.tolist()},
        ),
    )  # fmt: skip
    return Answer(
        rows=rows_of(request, predictor, [estimate], n=len(values), events=int(outcome.sum()), notes=notes),
        blocks=blocks, notices=turned_notice(request, predictor, found.value), citations=("delong-1988", "sun-xu-2014"),
        n_missing=request.frame.height - len(values),
    )  # fmt: skip


def _accuracy(
    request: Request, predictor: Predictor, outcome: np.ndarray[Any, np.dtype[np.bool_]], risk: Floats
) -> Answer:
    """Calibration, Brier's score and net benefit; what a fit on these patients makes perfect is left out."""
    level = request.analysis.level
    calibration = regression.calibration_of(outcome, risk, level=level)
    estimates: list[Estimate] = list(
        calibration.estimates() if predictor.kind == "risk" else calibration.estimates()[3:]
    )
    estimates += regression.brier_of(outcome, risk, level=level).estimates()
    if request.option("thresholds"):
        estimates += regression.net_benefit(
            outcome, risk, thresholds=request.option("thresholds"), level=level
        ).estimates()
    curve = regression.net_benefit(outcome, risk, thresholds=THRESHOLDS)
    notes = {"model": (APPARENT,), "score": (RECALIBRATED,), "risk": ()}[predictor.kind]
    return Answer(
        rows=rows_of(request, predictor, estimates, n=len(risk), events=int(outcome.sum()), notes=notes),
        blocks=(
            *calibration_block(request, predictor, calibration.curve, calibration.groups),
            decision_block(request, predictor, curve.threshold, curve.model, curve.all),
        ),
        citations=(
            "cox-1958", "van-calster-2016", "austin-steyerberg-2019", "cleveland-devlin-1988", "wilson-1927",
            "brier-1950", "kattan-gerds-2018", "vickers-elkin-2006", *(("debray-2017",) if predictor.kind == "risk" else ()),
        ),
    )  # fmt: skip


def _differences(request: Request, predictor: Predictor, rows: pl.DataFrame, values: Floats) -> Answer:
    """The c-statistic less that of each other score, in those who have both."""
    answer = Answer()
    outcome = rows[request.outcome.name].cast(pl.Boolean).to_numpy()
    for name in request.option("compare"):
        other = Predictor("score", name)
        both = rows[name].is_not_null().to_numpy()
        if not both.any():
            answer = answer.joined(Answer(rows=(no_score(request, other, C),)))
            continue
        theirs = rows[name].cast(pl.Float64).to_numpy()[both]
        found = regression.compare_c_statistics(
            outcome[both], values[both], theirs, level=request.analysis.level, term=predictor.name, reference=name
        )
        alone = regression.c_statistic(outcome[both], theirs, level=request.analysis.level)
        n, events = int(both.sum()), int(outcome[both].sum())
        placed = rows_of(request, other, [alone.estimate()], n=n, events=events)
        placed += rows_of(
            request, predictor, [replace(found, term=f"{predictor.name} less {name}")], n=n, events=events
        )
        notices = turned_notice(request, other, alone.value)
        roc = _discrimination(request, other, outcome[both], theirs).blocks
        answer = answer.joined(Answer(rows=placed, blocks=roc, notices=notices))
    return answer
