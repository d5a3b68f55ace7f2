"""Who was studied: the flow diagram and the table of criteria."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.context import CHANGED, EM_DASH, Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.document import Block, Cell, Column, Footnote, Row, Section, Table
from counterpulse.report.figures.flow import Box, FlowChart, FlowLine, FlowStage, draw_flow
from counterpulse.results import FlowStep

CRITERION = {"include": "Inclusion", "exclude": "Exclusion"}


def cohort_section(context: Context) -> Section:
    """The section on participants."""
    blocks: list[Block] = []
    chart = flow_chart(context)
    if chart.stages:
        caption = "Criteria were applied in the order shown; each patient is counted at the first one not met."
        analyzed = next((step for step in context.result.flow if step.kind == "analyzed"), None)
        if analyzed and analyzed.n is not None and sum(n or 0 for n in (analyzed.by_group or {}).values()) > analyzed.n:
            caption = f"{caption} {CHANGED}"
        blocks.append(figure(context, draw_flow(chart), id="flow", caption=caption))
    removed = [step for step in context.result.flow if step.kind in ("removed", "deviation")]
    if removed:
        blocks.append(_criteria(context, removed))
    if any(step.kind == "analysis" for step in context.result.flow):
        blocks.append(_analyzed(context))
    return Section(id="participants", title="Participants", blocks=tuple(blocks))


def flow_chart(context: Context) -> FlowChart:
    """The boxes of the diagram."""
    steps = {kind: [step for step in context.result.flow if step.kind == kind] for kind in _kinds(context)}
    stages: list[FlowStage] = []
    absent = steps.get("absent", [])
    read = steps.get("read", [])
    if absent and read:
        known = _total((*absent, *read))
        stages.append(FlowStage(_box(context, known, "Patients known"), _lines(context, absent)))
    stages += [
        FlowStage(_box(context, step.n, step.label), _removed(context, steps.get("removed", []), "Excluded"))
        for step in read
    ]
    analyzed = next(iter(steps.get("analyzed", [])), None)
    for step in steps.get("eligible", []):
        lost = _lost(context, step, analyzed) if analyzed else []
        stages.append(
            FlowStage(_box(context, step.n, step.label), _removed(context, lost, "Not in the primary analysis"))
        )
    if analyzed:
        stages.append(FlowStage(_box(context, analyzed.n, "In the primary analysis")))
    last = analyzed or next(iter(steps.get("eligible", [])), None)
    groups = [_box(context, n, context.group(level)) for level, n in (last.by_group or {}).items()] if last else []
    return FlowChart(stages=stages, groups=groups)


def _kinds(context: Context) -> list[str]:
    return list(dict.fromkeys(step.kind for step in context.result.flow))


def _lost(context: Context, eligible: FlowStep, analyzed: FlowStep) -> list[FlowStep]:
    """Why eligible patients are not in the primary analysis; what no step explains is said to be so."""
    primary = context.plan.primary
    own = [step for step in _design(context, primary.id if primary else "") if step.n][:1]
    record = next((item for item in context.result.analyses if primary and item.id == primary.id), None)
    if eligible.n is None or analyzed.n is None:
        return []
    gone = eligible.n - analyzed.n
    missing = min((record.n_missing or 0) if record else 0, gone - sum(step.n or 0 for step in own))
    if missing > 0:
        own.append(FlowStep(id="missing", label="A value of the model is missing", kind="removed", n=missing))
    other = gone - sum(step.n or 0 for step in own)
    if other > 0:
        own.append(FlowStep(id="other", label="In no compared group, or outcome unknown", kind="removed", n=other))
    return own


def _design(context: Context, analysis: str) -> list[FlowStep]:
    """What the design of an analysis removed; the analysis is a part of the step's id."""
    return [step for step in context.result.flow if step.kind == "design" and analysis in step.id.split(".")]


def _ordered(context: Context) -> list[FlowStep]:
    """The eligible, then each analysis after what its design removed."""
    found = [step for step in context.result.flow if step.kind == "eligible"]
    for step in context.result.flow:
        if step.kind == "analysis":
            found += [*_design(context, step.id.removeprefix("analyzed.")), step]
    return found


def _box(context: Context, n: int | None, label: str) -> Box:
    return (FlowLine(context.count(n), label),)


def _lines(context: Context, steps: Sequence[FlowStep], indent: int = 0) -> Box:
    return tuple(FlowLine(context.count(step.n), _reason(context, step), indent) for step in steps)


def _reason(context: Context, step: FlowStep) -> str:
    """A criterion's words; an inclusion names those who did not meet it."""
    words = f"Not met: {step.label}" if step.id.startswith("include.") else step.label
    return f"{words} ({context.count(step.unknown)} unknown)" if step.unknown else words


def _removed(context: Context, steps: Sequence[FlowStep], title: str) -> Box:
    return (FlowLine(context.count(_total(steps)), title), *_lines(context, steps, 1)) if steps else ()


def _total(steps: Sequence[FlowStep]) -> int | None:
    """How many the steps count together, where each is shown."""
    counts = [step.n for step in steps if step.n is not None]
    return sum(counts) if len(counts) == len(steps) else None


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
        "Removed by it alone",
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
                "", "Removed: in this order. Unknown: patients whom the rule cannot judge because a value is blank."
            ),
        ),
        wide=True,
    )


def _analyzed(context: Context) -> Table:
    """From the eligible to those in each analysis."""
    groups = context.plan.groups
    rows = []
    for step in _ordered(context):
        by_group = step.by_group or {}
        removed = step.kind == "design"
        rows.append(
            Row(
                (
                    Cell(step.label),
                    Cell(EM_DASH if removed else context.count(step.n), f"flow.{step.id}"),
                    *(Cell(context.count(by_group[g.level]) if g.level in by_group else EM_DASH) for g in groups),
                    Cell(context.count(step.n) if removed else EM_DASH),
                    Cell(context.count(step.unknown) if step.unknown is not None and not removed else EM_DASH),
                ),
                indent={"eligible": 0, "analysis": 1}.get(step.kind, 2),
            )
        )
    heads = ("", "Patients", *(group.label for group in groups), "Removed", "Incomplete")
    return Table(
        id="analyzed",
        label=context.counter.supplement(),
        title="Patients in each analysis",
        columns=tuple(Column(Cell(head), "left" if k == 0 else "right") for k, head in enumerate(heads)),
        rows=tuple(rows),
        footnotes=(Footnote("", "Incomplete: patients left out of the analysis because a value it needs is missing."),),
    )
