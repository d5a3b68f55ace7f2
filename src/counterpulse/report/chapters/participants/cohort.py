"""Who was studied: the flow diagram and the table of criteria."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.blocks.block_tables import without_columns
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.participants.participant_flow import draw_participants, flow_caption, of_design
from counterpulse.report.chapters.picture import figure
from counterpulse.report.document import Block, Cell, Column, Footnote, Row, Section, Table, columns_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import FlowStep

CRITERION = {"include": "Inclusion", "exclude": "Exclusion"}


def cohort_section(context: Context) -> Section:
    """The section on participants."""
    blocks: list[Block] = []
    if (scene := draw_participants(context)) is not None:
        blocks.append(figure(context, scene, id="flow", caption=flow_caption(context)))
    removed = [step for step in context.result.flow if step.kind in ("removed", "deviation")]
    if removed:
        blocks.append(_criteria(context, removed))
    if any(step.kind == "analysis" for step in context.result.flow):
        blocks.append(_analyzed(context))
    return Section(id="participants", title="Participants", blocks=tuple(blocks))


def _ordered(context: Context) -> list[tuple[FlowStep, str, int]]:
    """The eligible, then what designs removed, each above the analyses of that design: a step, its words, and its indent."""
    alike: dict[tuple[tuple[object, ...], ...], tuple[list[FlowStep], list[FlowStep]]] = {}
    for step in context.result.flow:
        if step.kind == "analysis":
            analysis = step.id.removeprefix("analyzed.")
            removed = {_removal(item, analysis): item for item in of_design(context, analysis)}
            alike.setdefault(tuple(removed), (list(removed.values()), []))[1].append(step)
    found = [(step, step.label, 0) for step in context.result.flow if step.kind == "eligible"]
    for removals, (steps, analyses) in alike.items():
        found += [(step, str(words), 1) for step, (words, *_) in zip(steps, removals, strict=True)]
        found += [(step, step.label, 2 if steps else 1) for step in analyses]
    return found


def _removal(step: FlowStep, analysis: str) -> tuple[object, ...]:
    """What a design removed, in words and counts, whichever analysis it is of."""
    return step.label.removesuffix(f" ({analysis})"), step.n, tuple((step.by_group or {}).items())


def _criteria(context: Context, removed: Sequence[FlowStep]) -> Table:
    planned = {f"{item.kind}.{item.id}": item for item in context.plan.criteria}
    deviations = any(step.kind == "deviation" for step in removed)
    rows = []
    for step in removed:
        criterion = planned.get(step.id)
        rows.append(
            Row(
                (
                    Cell(step.label),
                    Cell(CRITERION[criterion.kind] if criterion else EM_DASH),
                    Cell(criterion.english if criterion else ""),
                    Cell(context.count(step.n), f"flow.{step.id}"),
                    Cell(EM_DASH if step.n_alone is None else context.count(step.n_alone)),
                    Cell(EM_DASH if step.unknown is None else context.count(step.unknown)),
                    Cell((criterion.if_unknown or EM_DASH).replace("-", " ") if criterion else EM_DASH),
                )
            )
        )
    heads = (
        "Criterion",
        "Kind",
        "Rule",
        "Deviations" if deviations else "Removed",
        "By it alone" if deviations else "Removed by it alone",
        "Unknown",
        "If unknown",
    )
    aligns = ("left", "left", "left", "right", "right", "right", "left")
    return Table(
        id="criteria",
        label=context.counter.supplement(),
        title="Eligibility criteria and deviations from them"
        if deviations
        else "Eligibility criteria and whom each removed",
        columns=tuple(Column(Cell(head), align) for head, align in zip(heads, aligns, strict=True)),  # type: ignore[arg-type]
        rows=tuple(rows),
        footnotes=(
            Footnote(
                "",
                ("" if deviations else "Removed: in this order. ")
                + "Unknown: patients whom the rule cannot judge because a value is blank.",
            ),
        ),
    )


def _analyzed(context: Context) -> Table:
    """From the eligible to those in each analysis."""
    groups = context.plan.groups
    rows = []
    for step, words, indent in _ordered(context):
        by_group = step.by_group or {}
        removed = step.kind == "design"
        rows.append(
            Row(
                (
                    Cell(words),
                    Cell(EM_DASH if removed else context.count(step.n), f"flow.{step.id}"),
                    *(Cell(context.count(by_group[g.level]) if g.level in by_group else EM_DASH) for g in groups),
                    Cell(context.count(step.n) if removed else EM_DASH),
                    Cell(context.count(step.unknown) if step.unknown is not None and not removed else EM_DASH),
                ),
                indent=indent,
            )
        )
    heads = ("Step", "Patients", *(group.label for group in groups), "Removed", "Incomplete")
    table = Table(
        id="analyzed",
        label=context.counter.supplement(),
        title="Patients in each analysis",
        columns=columns_of(heads, words=1, align="right"),
        rows=tuple(rows),
        footnotes=(Footnote("", "Incomplete: patients left out of the analysis because a value it needs is missing."),),
    )
    return without_columns(table, of=("Removed",))
