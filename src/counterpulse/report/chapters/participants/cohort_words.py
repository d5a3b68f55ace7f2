"""Who was studied, in words: participants, how alike the groups were at baseline, how long they were followed."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context, counted_twice, why_twice
from counterpulse.report.chapters.speech import listed, paragraph, spelled
from counterpulse.report.chapters.wording import inside, quoted
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import FlowStep, GroupCount

BALANCED = 0.1
MOST_NAMED = 5
MOST_REASONS = 3


def cohort_paragraphs(context: Context) -> list[Paragraph]:
    """Participants, baseline, follow-up: each where the result holds it."""
    found = (_participants(context), _baseline(context), _follow_up(context))
    return [item for item in found if item is not None]


def _participants(context: Context) -> Paragraph | None:
    read, eligible, analyzed = (context.step(kind) for kind in ("read", "eligible", "analyzed"))
    if read is None or eligible is None:
        return None
    removed = [step for step in context.steps("removed") if step.n]
    deviations = [step for step in context.steps("deviation") if step.n]
    words: list[Run | str | None] = [_entered(context, read, eligible)]
    if removed:
        words.append(_reasons(context, removed, "exclusion"))
    if deviations:
        words.append(_reasons(context, deviations, "deviation from the eligibility criteria"))
    if analyzed is not None:
        words.append(f"The primary analysis included {context.count(analyzed.n)} patients{_by_group(context, analyzed)}{_left_out(context)}.")  # fmt: skip
        if counted_twice(analyzed):
            words.append(why_twice(context.plan.primary.estimator if context.plan.primary is not None else ""))
    return paragraph(*words)


def _entered(context: Context, read: FlowStep, eligible: FlowStep) -> str:
    """From those assessed, or the records read, to those eligible or randomized."""
    screened = context.step("screened")
    randomized = context.result.identity.design == "randomized-trial"
    was = "was" if eligible.n == 1 else "were"
    if screened is not None:
        start = f"Of {context.count(screened.n)} patients assessed for eligibility, {context.count(eligible.n)} {was}"
    else:
        records = "record" if read.n == 1 else "records"
        patients = "patient" if eligible.n == 1 else "patients"
        start = f"Of {context.count(read.n)} {records}, {context.count(eligible.n)} {patients} {was}"
    return f"{start} {'randomized' if randomized else 'eligible'}{_by_group(context, eligible)}."


def _by_group(context: Context, step: FlowStep) -> str:
    counts = [f"{context.count(n)} {context.group(level)}" for level, n in (step.by_group or {}).items()]
    return f" ({listed(counts)})" if counts else ""


def _reasons(context: Context, steps: list[FlowStep], what: str) -> str:
    """The most frequent reasons; a count that is hidden is named without one."""
    ordered = sorted(steps, key=lambda step: -(step.n or 0))[:MOST_REASONS]
    named = [f"{_reason(step)} ({context.count(step.n)})" for step in ordered if context.count(step.n) != EM_DASH]
    if not named:
        return ""
    start = (
        f"The most frequent reasons for {what} were"
        if len(steps) > 1 and len(named) > 1
        else f"The most frequent reason for {what} was"
    )
    return f"{start} {listed(named, ';')}."


def _reason(step: FlowStep) -> str:
    words = quoted(inside(step.label))
    return f"{words} not met" if step.id.startswith("include.") else words


def _left_out(context: Context) -> str:
    """Why eligible patients are not in the primary analysis."""
    primary = context.plan.primary
    if primary is None:
        return ""
    design = [step for step in context.steps("design") if primary.id in step.id.split(".")]
    record = context.record(primary.id)
    parts = []
    if len(design) == 1 and design[0].n and context.count(design[0].n) != EM_DASH:
        was = "was" if design[0].n == 1 else "were"
        why = "had died" if design[0].id.startswith("survivors.") else f"{was} not followed to the landmark"
        parts.append(f"{context.count(design[0].n)} {why}")
    if record is not None and record.n_missing and context.count(record.n_missing) != EM_DASH:
        parts.append(f"{context.count(record.n_missing)} had a missing value of a variable it needs")
    return f"; {listed(parts)}" if parts else ""


def _baseline(context: Context) -> Paragraph | None:
    """How many characteristics differ by more than a tenth of a standard deviation, the largest first."""
    worst: dict[str, float] = {}
    for row in context.result.table_one:
        if row.contrast is not None and row.smd is not None:
            worst[row.variable] = max(abs(row.smd), worst.get(row.variable, 0.0))
    if not worst:
        return None
    ordered = sorted(worst.items(), key=lambda item: -item[1])
    above = [item for item in ordered if item[1] > BALANCED]
    least = numbers.number(BALANCED, 1, context.style)
    compared = f"Of {len(worst)} baseline characteristics, " if len(worst) > 1 else ""
    if not above:
        name, value = ordered[0]
        words = f"{compared}none had a standardized mean difference above {least}; the largest was that of {_named(context, name, value)}."  # fmt: skip
        return paragraph(Run(words if compared else words.replace("none had a", "No characteristic had a"), cites=context.cite("austin-2009")))  # fmt: skip
    named = [_named(context, *item) for item in above[:MOST_NAMED]]
    most = "the largest those of" if len(above) > MOST_NAMED else "that of" if len(above) == 1 else "those of"
    how_many = (
        "all"
        if len(above) == len(worst) > 1
        else f"{spelled(len(above))}{'' if compared else ' baseline characteristic'}"
    )
    words = f"{compared}{how_many} had a standardized mean difference above {least}, {most} {listed(named)}."
    return paragraph(Run(words[:1].upper() + words[1:], cites=context.cite("austin-2009")))


def _named(context: Context, variable: str, smd: float) -> str:
    return f"{inside(context.variable(variable))} ({numbers.number(smd, 2, context.style)})"


def _follow_up(context: Context) -> Paragraph | None:
    """Time under observation by group, for each time-to-event outcome of the study."""
    said = list(_person_times(context))
    return paragraph(*said) if said else None


def _person_times(context: Context) -> Iterator[str]:
    told: set[str] = set()
    for row in context.result.estimates:
        outcome = context.outcome(row.outcome)
        if outcome is None or row.outcome in told or row.subgroup is not None or len(row.groups) < 2:
            continue
        times = [_person_time(context, count, outcome.time_unit or "") for count in row.groups]
        if outcome.kind == "time-to-event" and all(times):
            told.add(row.outcome)
            yield f"Follow-up for {inside(outcome.label)} amounted to {listed(times)} ({row.analysis})."


def _person_time(context: Context, count: GroupCount, unit: str) -> str:
    if count.person_time is None or count.n is None:
        return ""
    amount = numbers.count(round(count.person_time), context.style)
    return (
        f"{amount} patient-{unit or 'time units'} in {context.count(count.n)} patient{'' if count.n == 1 else 's'} "
        f"({context.group(count.group)})"
    )
