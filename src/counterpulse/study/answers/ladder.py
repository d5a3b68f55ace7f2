"""The models of one analysis on one sample: the main one first, the others of its ladder, then predictors one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from counterpulse.data.design import complete_rows
from counterpulse.data.terms import Term, variables_of
from counterpulse.protocol.plan import PlannedModel
from counterpulse.results import Choice
from counterpulse.study.answers.screen import screened
from counterpulse.study.answers.selection import selected
from counterpulse.study.balancing.balance import balance
from counterpulse.study.catalog import METHODS, estimator_of
from counterpulse.study.patients.samples import picked
from counterpulse.study.request import Answer, Request


def answer_models(request: Request) -> Answer:
    """What every model of the analysis answers, the main one first."""
    analysis, answer = request.analysis, Answer()
    ladder = analysis.models or (PlannedModel(name="", terms=analysis.terms, selection=analysis.selection),)
    shared, lost = _same_rows(request) if len(ladder) > 1 and analysis.same_rows else (request, 0)
    for model in () if analysis.only_screen else ladder:
        asked = _asked(shared, model, main=model is ladder[0])
        found = answer_model(asked) if model.selection is None else selected(asked, answer_model)
        answer = answer.joined(_with_lost(found, lost))
    if len(ladder) > 1 and analysis.same_rows:
        text = f"{lost} incomplete for one of the models"
        answer = answer.joined(
            Answer(choices=(Choice(f"rows left out of every model, {request.name}", text, "derived"),))
        )
    return answer.joined(screened(request)) if analysis.screen else answer


def answer_model(request: Request) -> Answer:
    """What the method answers, and those that the plan names beside it."""
    before = Answer()
    if request.analysis.balancing is not None and request.group is not None:
        request, before = balance(request)
        if request.frame.is_empty():
            return before
    analysis = request.analysis
    lost = before.n_missing
    answer = before.joined(_with_lost(estimator_of(analysis).estimate(request), lost))
    for name in analysis.companions:
        spec = METHODS[name]
        options = {option.name: option.shared(analysis.options) for option in spec.options}
        companion = replace(analysis, method=name, options=options, measures=spec.measures[:1], draws=())
        extra = _with_lost(spec.estimate(replace(request, analysis=companion)), lost)
        taken = {row.id for row in answer.rows}
        answer = answer.joined(replace(extra, rows=tuple(row for row in extra.rows if row.id not in taken)))
    return answer


def _asked(request: Request, model: PlannedModel, *, main: bool) -> Request:
    """The request for one model; what the plan asks beside an effect is asked of the main model alone."""
    request = request if main else request.without_besides()
    analysis = replace(request.analysis, terms=model.terms, selection=model.selection)
    return replace(request, analysis=analysis).named(model.name)


def _same_rows(request: Request) -> tuple[Request, int]:
    """The rows complete for every model of the ladder, and how many are not."""
    rows = rows_complete_for(request, request.analysis.every_term)
    return replace(request, sample=picked(request.sample, rows)), request.frame.height - len(rows)


def rows_complete_for(request: Request, terms: tuple[Term, ...]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Positions of the rows that have every variable of these terms."""
    names = [name for term in terms for name in variables_of(term)]
    return np.flatnonzero(complete_rows(request.frame, names))


def _with_lost(answer: Answer, lost: int) -> Answer:
    """Count the rows that were left out beforehand as missing."""
    if not lost:
        return answer
    rows = tuple(row if row.n_missing is None else replace(row, n_missing=row.n_missing + lost) for row in answer.rows)
    return replace(answer, rows=rows, n_missing=answer.n_missing + lost)
