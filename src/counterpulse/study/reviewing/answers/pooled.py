"""One effect from several studies: pooled, drawn, taken apart."""

from __future__ import annotations

from math import isfinite, nan

from counterpulse.results import Estimate, Notice, Status
from counterpulse.study.request import Answer, Request, place
from counterpulse.study.reviewing.answers.bias_adjusted import without_design_bias
from counterpulse.study.reviewing.answers.effects import Effects, effects_in, named
from counterpulse.study.reviewing.answers.exploration import exploration
from counterpulse.study.reviewing.answers.forest import forest_block, funnel_block
from counterpulse.study.reviewing.answers.models import Pooled, pooled
from counterpulse.study.reviewing.answers.regression import regression_answer
from counterpulse.study.reviewing.answers.small_study import small_study_answer
from counterpulse.study.reviewing.answers.subgroups import subgroup_answer
from counterpulse.study.reviewing.answers.told import pooled_rows, told

FEW = 3
"""Below so many studies a pooled effect says little, and is told so."""


def pooled_answer(request: Request) -> Answer:
    """The pooled effect of an outcome, with everything that the analysis asks beside it."""
    effects, before = effects_in(request), Answer()
    if request.option("design_bias"):
        effects, before = without_design_bias(effects)
    if effects.k == 0:
        return before.joined(nothing_to_pool(effects))
    if request.option("moderators"):
        return before.joined(regression_answer(effects))
    found = pooled(effects)
    subgroups = subgroup_answer(effects)
    answer = Answer(
        rows=pooled_rows(effects, found),
        blocks=(forest_block(effects, found, subgroups.groups, subgroups.difference), *funnel_block(effects, found)),
        details=told(effects, found),
        notices=(*_few(effects), *_noted(effects, found)),
        citations=found.citations,
    )
    return (
        before.joined(answer).joined(subgroups.answer).joined(exploration(effects)).joined(small_study_answer(effects))
    )


def nothing_to_pool(effects: Effects) -> Answer:
    """No study printed an effect of this outcome."""
    request = effects.request
    estimate = Estimate(term="", measure=effects.measure, value=nan, scale=effects.scale, status=Status.NO_STUDIES)
    row = place(request, named(effects, estimate), n=0)
    return Answer(rows=(row,), details={f"{request.name}.studies": 0})


def refused(effects: Effects, code: str, text: str) -> Answer:
    """Studies that the method cannot use, and why."""
    estimate = Estimate(term="", measure=effects.measure, value=nan, scale=effects.scale, status=Status.UNDEFINED)
    row = place(effects.request, named(effects, estimate))
    return Answer(rows=(row,), notices=(Notice(code, effects.request.analysis.id, text),))


def _few(effects: Effects) -> tuple[Notice, ...]:
    request = effects.request
    if effects.k == 1:
        text = (
            f"{request.outcome.label}: one study ({effects.names[0]}); its own effect is shown, and nothing is pooled."
        )
        return (Notice("W861", request.analysis.id, text),)
    if effects.k < FEW:
        text = f"{request.outcome.label}: two studies; how far studies differ can hardly be known from them."
        return (Notice("W862", request.analysis.id, text),)
    return ()


def _noted(effects: Effects, found: Pooled) -> tuple[Notice, ...]:
    """What the fit says of itself."""
    request = effects.request
    return tuple(
        Notice("W863", request.analysis.id, f"{request.outcome.label}: {note.rstrip('.')}.")
        for note in found.notes
        if effects.k > FEW - 1 and isfinite(found.estimate.value)
    )
