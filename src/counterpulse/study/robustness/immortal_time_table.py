"""The same question under each plan for immortal time, side by side: the naive answer and the safe ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from counterpulse.data.terms import variables_of
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import Block, Cell, EstimateRow
from counterpulse.results.estimate import finite_or_none
from counterpulse.study.patients.reach import reach_name
from counterpulse.study.request import Answer
from counterpulse.study.robustness.questions import NAIVE, effects, same_plan, same_question

COLUMNS = (
    "of", "variant", "plan", "outcome", "measure", "estimate", "conf_low", "conf_high", "adjusted_for", "n", "events",
    "patients_left_out", "treated_left_out", "person_time", "person_time_left_out", "credited", "unit",
)  # fmt: skip
PLANS = {NAIVE: "ignore-and-report"}
"""What the protocol calls a plan that its sample maker has another name for."""


def naive_wanted(plan: Plan, answers: Mapping[str, Answer]) -> tuple[PlannedAnalysis, ...]:
    """The naive analyses whose safe one was run and compares the groups."""
    return tuple(
        item
        for item in plan.robustness.naive
        if item.of is not None
        and item.of in answers
        and any(True for _ in effects(plan, answers[item.of], item.outcomes[0]))
    )


def immortal_time_answers(
    plan: Plan, first: PlannedAnalysis, answers: Mapping[str, Answer], naive: Mapping[str, Answer]
) -> Answer:
    """For each outcome of an analysis, the block in which it stands first; nothing where another analysis stands before it."""
    exposure = plan.protocol.exposure
    if exposure is None or exposure.timing == "unknown" or not plan.groups:
        return Answer()
    found = {**answers, **naive}
    blocks = []
    for outcome in first.outcomes:
        members = _members(plan, first, outcome, found)
        if not members or members[0] is not first or all(item.maker == NAIVE for item in members):
            continue
        ordered = sorted(members, key=lambda item: item.maker != NAIVE)
        lines = list(chain.from_iterable(_lines(plan, item, outcome, found[item.id]) for item in ordered))
        if len(lines) > 1:
            columns = {name: tuple(line[index] for line in lines) for index, name in enumerate(COLUMNS)}
            name = f"{first.id}.{outcome}.immortal-time"
            blocks.append(Block(id=name, analysis=first.id, kind="immortal-time", columns=columns))
    return Answer(blocks=tuple(blocks))


def _members(plan: Plan, one: PlannedAnalysis, outcome: str, found: Mapping[str, Answer]) -> list[PlannedAnalysis]:
    """The analyses of the same question, in the order of the plan: the first, and those with another plan for immortal time.

    They are of the same patients as the first, or edits of the same analysis, whose patients their plan decides.
    """
    asked = [
        item
        for item in (*plan.analyses, *plan.robustness.naive)
        if item.id in found and outcome in item.outcomes and same_question(one, item)
    ]
    members: list[PlannedAnalysis] = []
    for item in asked:
        first = members[0] if members else item
        same_patients = (item.keep, item.population) == (first.keep, first.population) or _root(plan, item) == _root(
            plan, first
        )
        if item is first or (same_patients and not any(same_plan(item, other) for other in members)):
            members.append(item)
    return members


def _root(plan: Plan, item: PlannedAnalysis) -> str:
    """The analysis that an edit, of an edit perhaps, is of."""
    written = {analysis.id: analysis for analysis in plan.analyses}
    while item.of in written:
        item = written[item.of]
    return item.id


def _lines(plan: Plan, item: PlannedAnalysis, outcome: str, answer: Answer) -> Iterator[tuple[Cell, ...]]:
    """A row of the block for each sample of an analysis."""
    variants = [f"landmark {mark}" for mark in item.landmarks] if len(item.landmarks) > 1 else [None]
    rows = list(effects(plan, answer, outcome))
    for variant in variants:
        own = [row for row in rows if variant is None or variant in (row.model or "").split(", ")]
        for term in plan.treated:
            row = next((row for row in own if row.estimate.term == term), None)
            if row is not None:
                yield _line(plan, item, variant, row, answer.details)


def _line(
    plan: Plan, item: PlannedAnalysis, variant: str | None, row: EstimateRow, details: Mapping[str, Cell]
) -> tuple[Cell, ...]:
    shown = row.estimate.natural()
    low, high = (shown.interval.low, shown.interval.high) if shown.interval else (None, None)
    numbers = (finite_or_none(value) for value in (shown.value, low, high))
    names = list(dict.fromkeys(name for term in item.terms for name in variables_of(term)))
    reach = reach_name(row.outcome, variant)

    def detail(name: str) -> Cell:
        return details.get(f"{reach}.{name}")

    mark = variant or (f"landmark {item.landmarks[0]}" if item.landmarks else None)
    return (
        item.id, mark, PLANS.get(item.maker, item.maker), row.outcome, row.estimate.measure, *numbers, ", ".join(names) or None,
        row.n, row.events, detail("left_out"), detail("treated_left_out"), detail("person_time"),
        detail("person_time_left_out"), detail("credited"), detail("unit"),
    )  # fmt: skip
