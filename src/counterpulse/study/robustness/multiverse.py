"""All combinations of the choices that the protocol lists, as one specification curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan

from counterpulse.protocol.plan import Plan, PlannedMultiverse, PlannedSpecification
from counterpulse.results import Estimate, EstimateRow, Notice, Status
from counterpulse.robustness import Specification, SpecificationCurve, specification_curve
from counterpulse.study.request import Answer, slug
from counterpulse.study.robustness.questions import effects


def multiverse_answer(plan: Plan, planned: PlannedMultiverse, found: Sequence[Answer]) -> Answer:
    """One curve of each treated group; `found` are the answers of the specifications in order."""
    answer = Answer()
    for term in plan.treated:
        rows = [next((row for row in effects(plan, one) if row.estimate.term == term), None) for one in found]
        answer = answer.joined(Answer(notices=tuple(_of_another_measure(planned, rows))))
        measured = [row for row in rows if row is not None]
        if not measured:
            text = "No combination of the multiverse could be estimated; look at the choices one by one, as analyses."
            answer = answer.joined(Answer(notices=(Notice("W663", planned.of, text),)))
            continue
        curve = _curve(planned, rows, measured[0].estimate)
        part = (slug(term),) if len(plan.treated) > 1 else ()
        outcome = measured[0].outcome
        block = curve.block(id=".".join((planned.of, outcome, *part, "specification-curve")), analysis=planned.of)
        answer = answer.joined(Answer(blocks=(block,), notices=tuple(_failed(planned, curve))))
    return answer


def _curve(planned: PlannedMultiverse, rows: Sequence[EstimateRow | None], like: Estimate) -> SpecificationCurve:
    return specification_curve(
        [_specification(one, row, like) for one, row in zip(planned.specifications, rows, strict=True)]
    )


def _specification(one: PlannedSpecification, row: EstimateRow | None, like: Estimate) -> Specification:
    """What a combination gave; one that gave nothing has no estimate of the measure the others have."""
    if row is None or (row.estimate.measure, row.estimate.scale) != (like.measure, like.scale):
        absent = Estimate(term=like.term, measure=like.measure, scale=like.scale, value=nan, status=Status.UNDEFINED)
        return Specification(choices=one.choices, estimate=absent, main=one.main)
    return Specification(choices=one.choices, estimate=row.estimate, n=row.n, events=row.events, main=one.main)


def _of_another_measure(planned: PlannedMultiverse, rows: Sequence[EstimateRow | None]) -> Iterator[Notice]:
    measures = {row.estimate.measure for row in rows if row is not None}
    if len(measures) > 1:
        text = f"Combinations of the multiverse gave different measures ({', '.join(sorted(measures))}); only the first is shown."
        yield Notice("W663", planned.of, text)


def _failed(planned: PlannedMultiverse, curve: SpecificationCurve) -> Iterator[Notice]:
    if curve.n_failed:
        number = len(curve.specifications)
        text = (
            f"{curve.n_failed} of {number} combinations of the multiverse could not be estimated; they stand last in its table. "
            "Look at such a choice as an analysis of its own to see why."
        )
        yield Notice("W663", planned.of, text)
