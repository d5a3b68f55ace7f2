"""Predictors one by one: each alone in a model, without the compared groups."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.results import Choice
from counterpulse.study.catalog import METHODS
from counterpulse.study.request import Answer, Request

NAME = "screen"


def screened(request: Request) -> Answer:
    """A model of its own for every predictor that the analysis screens; beside another model, as covariates."""
    plan = replace(request.plan, group_variable=None, groups=())
    analysis, answer = request.analysis, Answer()
    request = replace(request, plan=plan, overall=True).without_besides().named(NAME)
    for term in analysis.screen:
        alone = replace(request.analysis, terms=(term,), selection=None, adjusted=True)
        answer = answer.joined(METHODS[analysis.method].estimate(replace(request, analysis=alone)))
    rows, n_missing = answer.rows, answer.n_missing
    if not analysis.only_screen:
        rows, n_missing = tuple(replace(row, role="covariate") for row in rows), 0
    choice = Choice("overall test of a screened category", "Wald, with the variance of the intervals", "default")
    return replace(answer, rows=rows, n_missing=n_missing, details={}, choices=(*answer.choices, choice))
