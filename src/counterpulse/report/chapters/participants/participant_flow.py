"""The flow of participants as a diagram: of a cohort (STROBE), or with the stages after allocation (CONSORT 2025)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from counterpulse.protocol.plan import PlannedFlowBox
from counterpulse.report.chapters.context import Context, counted_twice, why_twice
from counterpulse.report.figures.boxes import Box, FlowLine, FlowStage
from counterpulse.report.figures.consort import ArmStage, ConsortChart, draw_consort
from counterpulse.report.figures.flow import FlowChart, draw_flow
from counterpulse.report.figures.scene import Scene
from counterpulse.results import FlowStep
from counterpulse.results.study_result import FLOW_REASON

IN_ORDER = "Criteria were applied in the order shown; each patient is counted at the first one not met."
NOBODY = "Criteria that removed nobody are not shown."
RANDOMIZED = (
    "All who were randomized are shown in the group they were allocated to, whether or not they met every criterion."
)
UNKNOWN = "Unknown: a value is blank that a rule needs."
ALL = "All patients"
EXCLUDED = "excluded_from_analysis"


@dataclass(frozen=True, slots=True)
class _Arm:
    """A group and its label; without groups everybody is one arm."""

    level: str | None
    label: str

    def n(self, step: FlowStep) -> int | None:
        """How many of the arm a step counts; a group that it does not name has nobody there."""
        if self.level is None or step.by_group is None:
            return step.n
        return step.by_group.get(self.level, 0)


def draw_participants(context: Context) -> Scene | None:
    """Draw the flow, or nothing where nobody was counted."""
    if not context.result.flow:
        return None
    if context.plan.flow or _randomized(context):
        return draw_consort(consort_chart(context))
    return draw_flow(flow_chart(context))


def flow_caption(context: Context) -> str:
    """What a reader must know beside the diagram."""
    found = [RANDOMIZED] if _randomized(context) else [IN_ORDER] if context.steps("removed") else []
    if any(step.n == 0 and not step.unknown for step in context.steps("removed")):
        found.append(NOBODY)
    if any(step.unknown for step in context.steps("removed")) or any(
        step.id.endswith(".unknown") for step in context.result.flow
    ):
        found.append(UNKNOWN)
    analyzed = context.step("analyzed")
    if analyzed and counted_twice(analyzed):
        found.append(why_twice(context.plan.primary.estimator if context.plan.primary is not None else ""))
    return " ".join(found)


def flow_chart(context: Context) -> FlowChart:
    """The boxes of a cohort."""
    stages = _enrollment(context)
    eligible, analyzed = context.step("eligible"), context.step("analyzed")
    if eligible and analyzed:
        lost = _lost(context, eligible, analyzed)
        removed = _with_total(context, lost, "Not in the primary analysis") if lost else ()
        stages[-1] = FlowStage(stages[-1].box, removed)
    if analyzed:
        stages.append(FlowStage(_box(context, analyzed.n, "In the primary analysis")))
    last = analyzed or eligible
    groups = [_box(context, n, context.group(level)) for level, n in (last.by_group or {}).items()] if last else []
    return FlowChart(stages=stages, groups=groups)


def consort_chart(context: Context) -> ConsortChart:
    """The boxes of a study whose groups are followed stage by stage."""
    eligible, analyzed = context.step("eligible"), context.step("analyzed")
    if eligible is None:
        return ConsortChart(enrollment=_enrollment(context), arms=(), stages=())
    arms = [_Arm(level, context.group(level)) for level in eligible.by_group or ()] or [_Arm(None, ALL)]
    enrollment = _enrollment(context)
    if eligible.n is not None and eligible.by_group and None not in eligible.by_group.values():
        others = eligible.n - sum(n or 0 for n in eligible.by_group.values())
        left = _box(context, others, "In none of the compared groups") if others > 0 else ()
        enrollment[-1] = FlowStage(enrollment[-1].box, left)
    allocation = [
        (*_box(context, arm.n(eligible), arm.label), *_flow_lines(context, arm, "allocation", indent=1)) for arm in arms
    ]
    followed = [tuple(_flow_lines(context, arm, "follow-up", indent=0)) for arm in arms]
    stages = [
        ArmStage("Allocation" if _randomized(context) else "Groups", allocation),
        ArmStage("Follow-up", followed),
        ArmStage("Analysis", [_analyzed(context, arm, eligible, analyzed) for arm in arms]),
    ]
    enrolled = "Enrollment" if _randomized(context) else "Cohort"
    return ConsortChart(enrollment=enrollment, arms=[arm.label for arm in arms], stages=stages, enrolled=enrolled)


def _randomized(context: Context) -> bool:
    return context.plan.protocol.study.design == "randomized-trial"


def _enrollment(context: Context) -> list[FlowStage]:
    """From those assessed, or known, to the eligible; in a trial the records are those who were randomized."""
    screened, read, eligible = (context.step(kind) for kind in ("screened", "read", "eligible"))
    absent, removed = context.steps("absent"), context.steps("removed")
    title = "Not randomized" if _randomized(context) else "Not in the table"
    stages = []
    if screened or (absent and read):
        known = screened.n if screened else _total((*absent, *([read] if read else [])))
        reasons = absent if any(step.id != "absent" for step in absent) else []
        gone = (FlowLine(context.count(_total(absent)), title), *_lines(context, reasons, 1)) if absent else ()
        stages.append(FlowStage(_box(context, known, screened.label if screened else "Patients known"), gone))
    if read and not (_randomized(context) and eligible):
        stages.append(FlowStage(_box(context, read.n, read.label), _with_total(context, removed, "Excluded")))
    if eligible:
        stages.append(FlowStage(_box(context, eligible.n, eligible.label)))
    return stages


def _flow_lines(context: Context, arm: _Arm, stage: str, *, indent: int) -> Iterator[FlowLine]:
    """The boxes of `flow` in a stage, each with its reasons."""
    steps = {step.id: step for step in context.result.flow}
    for box in context.plan.flow:
        counted = steps.get(f"flow.{box.name}")
        if box.stage != stage or counted is None:
            continue
        unknown = steps.get(f"flow.{box.name}.unknown")
        yield FlowLine(context.count(arm.n(counted)), _unknown_too(context, box, arm, unknown), indent)
        for step in context.result.flow:
            if step.kind == FLOW_REASON and step.id.startswith(f"flow.{box.name}.") and arm.n(step) != 0:
                yield FlowLine(context.count(arm.n(step)), step.label, indent + 1)


def _unknown_too(context: Context, box: PlannedFlowBox, arm: _Arm, unknown: FlowStep | None) -> str:
    open_ = 0 if unknown is None else arm.n(unknown)
    return box.label if open_ == 0 else f"{box.label} ({context.count(open_)}\N{NO-BREAK SPACE}unknown)"


def _analyzed(context: Context, arm: _Arm, eligible: FlowStep, analyzed: FlowStep | None) -> Box:
    """Those analyzed, those excluded by a rule of `flow`, and those who are missing besides."""
    excluded = list(_flow_lines(context, arm, "analysis", indent=1))
    if analyzed is None:
        return tuple(excluded)
    lines = [FlowLine(context.count(arm.n(analyzed)), "In the primary analysis"), *excluded]
    rule = [step for step in context.result.flow if step.id == f"flow.{EXCLUDED}"]
    counts = [arm.n(step) for step in (eligible, analyzed, *rule)]
    if _same_arms(context) and None not in counts:
        whole, *parts = (n or 0 for n in counts)
        if (rest := whole - sum(parts)) > 0:
            lines.append(FlowLine(context.count(rest), _why_not(context, eligible, (analyzed, *rule)), 1))
    return tuple(lines)


def _why_not(context: Context, eligible: FlowStep, others: Sequence[FlowStep]) -> str:
    """What to call those who are neither analyzed nor excluded by a rule: all of them lack a value, or nobody said."""
    primary = context.plan.primary
    record = context.record(primary.id) if primary else None
    missing = record.n_missing if record else None
    gone = None if eligible.n is None else eligible.n - sum(step.n or 0 for step in others)
    if missing and missing == gone:
        return "Not analyzed: a value is missing"
    return "Not analyzed for another reason" if len(others) > 1 else "Not analyzed"


def _same_arms(context: Context) -> bool:
    """Whether the primary analysis counts every patient in the group of the diagram, and once."""
    primary = context.plan.primary
    if primary is None or primary.maker != "as observed":
        return False
    population = context.plan.populations.get(primary.population)
    return population is None or population.analyze_as in (None, context.plan.group_variable)


def _lost(context: Context, eligible: FlowStep, analyzed: FlowStep) -> list[FlowStep]:
    """Why eligible patients are not in the primary analysis; what no step explains is said to be so."""
    primary = context.plan.primary
    own = [step for step in of_design(context, primary.id if primary else "") if step.n][:1]
    record = context.record(primary.id) if primary else None
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


def of_design(context: Context, analysis: str) -> list[FlowStep]:
    """What the design of an analysis removed; the analysis is a part of the step's id."""
    return [step for step in context.steps("design") if analysis in step.id.split(".")]


def _box(context: Context, n: int | None, label: str) -> Box:
    return (FlowLine(context.count(n), label),)


def _lines(context: Context, steps: Sequence[FlowStep], indent: int = 0) -> Box:
    return tuple(FlowLine(context.count(step.n), _reason(context, step), indent) for step in steps)


def _reason(context: Context, step: FlowStep) -> str:
    """A criterion's words; an inclusion names those who did not meet it, and blank values say what became of the patient."""
    primary = context.plan.primary
    words = f"Not met: {step.label}" if step.id.startswith("include.") else step.label
    words = words.removesuffix(f" ({primary.id})") if primary else words
    if not step.unknown:
        return words
    criterion = next((item for item in context.plan.criteria if step.id == f"{item.kind}.{item.id}"), None)
    removed = criterion is not None and criterion.if_unknown == "remove-patient"
    count = context.count(step.unknown)
    space = "\N{NO-BREAK SPACE}"
    return f"{words} ({count}{space}of{space}them unknown)" if removed else f"{words} ({count}{space}unknown, kept)"


def _with_total(context: Context, steps: Sequence[FlowStep], title: str) -> Box:
    """Those who left, with every reason that concerned somebody."""
    if not steps:
        return ()
    told = [step for step in steps if step.n != 0 or step.unknown]
    return (FlowLine(context.count(_total(steps)), title), *_lines(context, told, 1))


def _total(steps: Sequence[FlowStep]) -> int | None:
    """How many the steps count together, where each is shown."""
    counts = [step.n for step in steps if step.n is not None]
    return sum(counts) if len(counts) == len(steps) else None
