"""How firmly the conclusions stand: everything that is said of a study beside its analyses, once they are finished."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from counterpulse.errors import DataError, InputError
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.study.request import Answer
from counterpulse.study.robustness.e_values import e_value_answer
from counterpulse.study.robustness.immortal_time_table import immortal_time_answers, naive_wanted
from counterpulse.study.robustness.multiverse import multiverse_answer
from counterpulse.study.robustness.negative_controls import negative_control_answer
from counterpulse.study.robustness.tipping import tipping_answer
from counterpulse.study.robustness.unmeasured_confounder import confounder_answer

RunOne = Callable[[PlannedAnalysis], Answer]
SideBySide = Callable[[RunOne, Sequence[PlannedAnalysis]], Sequence[Answer]]


def robustness_answers(
    plan: Plan, answers: Mapping[str, Answer], *, run_one: RunOne, side_by_side: SideBySide, seed: int | None
) -> Answer:
    """Blocks and notices; no rows, which are those of the analyses alone.

    Parameters
    ----------
    plan : of the study
    answers : of the analyses that were run, by id, with their final rows
    run_one : runs an analysis that is not one of the study
    side_by_side : runs several of those, and gives their answers in order
    seed : of the study
    """
    planned, multiverse = plan.robustness, plan.robustness.multiverse
    naive = naive_wanted(plan, answers)
    controls = planned.negative_controls if any(item.of in answers for item in planned.negative_controls) else ()
    specifications = multiverse.specifications if multiverse is not None and multiverse.of in answers else ()
    wanted = (*naive, *controls, *(one.analysis for one in specifications if not one.main))
    found = iter(side_by_side(partial(_tried, run_one), wanted))
    naive_answers = {item.id: next(found) for item in naive}
    control_answers = [next(found) for _ in controls]
    answer = Answer()
    for item in (item for item in plan.analyses if item.id in answers):
        answer = answer.joined(immortal_time_answers(plan, item, answers, naive_answers))
        if planned.e_values:
            answer = answer.joined(e_value_answer(plan, item, answers[item.id]))
        if item.shifts:
            answer = answer.joined(tipping_answer(plan, item, answers[item.id]))
    if controls:
        answer = answer.joined(negative_control_answer(plan, planned, answers, control_answers))
    if planned.confounder is not None and planned.confounder.of in answers:
        answer = answer.joined(confounder_answer(plan, planned.confounder, answers[planned.confounder.of], seed))
    if multiverse is not None and specifications:
        each = [answers[multiverse.of] if one.main else next(found) for one in specifications]
        answer = answer.joined(multiverse_answer(plan, multiverse, each))
    return answer


def _tried(run_one: RunOne, analysis: PlannedAnalysis) -> Answer:
    """The answer of an analysis that is not one of the study; nothing where its data are such that it cannot be had."""
    try:
        return run_one(analysis)
    except (DataError, InputError):
        return Answer()
