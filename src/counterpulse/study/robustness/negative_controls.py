"""What the primary analysis finds for outcomes that the treatment cannot change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.protocol.plan import Plan, PlannedRobustness
from counterpulse.results import Block, Cell, Estimate, EstimateRow, Notice
from counterpulse.results.estimate import finite_or_none
from counterpulse.robustness import negative_control
from counterpulse.study.request import Answer, slug
from counterpulse.study.robustness.questions import effects

COLUMNS = ("of", "outcome", "role", "measure", "estimate", "conf_low", "conf_high", "p_value", "n", "events")
EFFECT, CONTROL, CORRECTED = "effect", "control", "corrected"


def negative_control_answer(
    plan: Plan, planned: PlannedRobustness, answers: Mapping[str, Answer], found: Sequence[Answer]
) -> Answer:
    """The effect, each control, and the effect without the error that the controls show, of each treated group."""
    of = str(planned.negative_controls[0].of)
    if of not in answers:
        return Answer()
    answer = Answer()
    for term in plan.treated:
        effect = _row(plan, answers[of], term)
        controls = [_row(plan, one, term) for one in found]
        answer = answer.joined(Answer(notices=tuple(_absent(plan, planned, controls))))
        if effect is not None:
            known = [row for row in controls if row is not None]
            part = (slug(term),) if len(plan.treated) > 1 else ()
            answer = answer.joined(_of_one_group(plan, effect, known, part))
    return answer


def _row(plan: Plan, answer: Answer, term: str) -> EstimateRow | None:
    return next((row for row in effects(plan, answer) if row.estimate.term == term), None)


def _of_one_group(plan: Plan, effect: EstimateRow, controls: Sequence[EstimateRow], part: tuple[str, ...]) -> Answer:
    """The block of one treated group, and what its controls say."""
    lines = [_line(effect, EFFECT, effect.estimate), *(_line(row, CONTROL, row.estimate) for row in controls)]
    alike = [row.estimate for row in controls if (row.estimate.measure, row.estimate.scale) == _kind(effect)]
    if alike:
        interval = effect.estimate.interval
        read = negative_control(effect.estimate, controls=alike, level=interval.level if interval else 0.95)
        lines.append(_line(effect, CORRECTED, read.corrected))
    columns = {name: tuple(line[index] for line in lines) for index, name in enumerate(COLUMNS)}
    name = ".".join((effect.analysis, effect.outcome, *part, "negative-control"))
    block = Block(id=name, analysis=effect.analysis, kind="negative-control", columns=columns)
    notices = [Notice("W665", effect.analysis, text) for row in controls if (text := _found(plan, row))]
    return Answer(blocks=(block,), notices=tuple(notices))


def _kind(row: EstimateRow) -> tuple[str, str]:
    return row.estimate.measure, row.estimate.scale


def _line(row: EstimateRow, role: str, estimate: Estimate) -> tuple[Cell, ...]:
    shown = estimate.natural()
    low, high = (shown.interval.low, shown.interval.high) if shown.interval else (None, None)
    numbers = (finite_or_none(value) for value in (shown.value, low, high, estimate.p_value))
    counts = (row.n, row.events) if role != CORRECTED else (None, None)
    return (row.analysis, row.outcome, role, estimate.measure, *numbers, *counts)


def _found(plan: Plan, row: EstimateRow) -> str:
    """What a control says whose interval does not hold no effect."""
    interval = row.estimate.interval
    if interval is None or interval.low <= 0 <= interval.high:
        return ""
    return (
        f"The negative control {plan.outcomes[row.outcome].label} shows an effect (the interval does not hold no effect), where the "
        "treatment can have none: the analysis is biased, for this outcome at least. Read the corrected effect, and look for "
        "what the covariates leave out."
    )


def _absent(plan: Plan, planned: PlannedRobustness, rows: Sequence[EstimateRow | None]) -> Iterator[Notice]:
    for item, row in zip(planned.negative_controls, rows, strict=True):
        if row is None or row.estimate.value != row.estimate.value:
            label = plan.outcomes[item.outcomes[0]].label
            text = f"The negative control {label} could not be estimated; choose an outcome with more events."
            yield Notice("W665", str(item.of), text)
