"""The primary effect in words and numbers. What an interval allows is said; a P value never becomes "no difference"."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.context import PRINTED, Context, changed_groups, why_twice
from counterpulse.report.chapters.results.estimand_said import in_full
from counterpulse.report.chapters.results.models import counts
from counterpulse.report.chapters.speech import listed
from counterpulse.report.document import Callout, Emphasis, Paragraph, Run, text
from counterpulse.report.measures import Measure, measure_of
from counterpulse.results import EstimateRow, GroupCount

LEAST_CHANGE, MOST_CHANGE = 0.1, 99
CAUTION = {
    "cohort": "Groups were not formed by chance: the estimate is an effect only as far as the adjustment captures confounding.",
    "case-control": "Groups were not formed by chance: the estimate is an effect only as far as the adjustment captures confounding.",
}


def key_result(context: Context) -> Callout | None:
    """The box at the top: what was found for the primary outcome."""
    primary = context.plan.primary
    if primary is None:
        return None
    rows = [
        row
        for row in context.rows(primary.id)
        if row.role == "primary" and row.subgroup is None and counts(context, row)
    ]
    contrasts = [
        row for row in rows if measure_of(row.estimate.measure).contrasts and row.estimate.reference is not None
    ]
    if not contrasts:
        return None
    first = contrasts[0]
    same = [row for row in contrasts if _same_question(row, first)]
    blocks = [paragraph for row in same for paragraph in effect_paragraphs(context, row)]
    also = [row for row in contrasts if row not in same and row.outcome == first.outcome and row.model == first.model]
    known = [row for row in also if context.printed(row)]
    if known:
        blocks.append(_also(context, known))
    blocks += [paragraph for row in also if row not in known for paragraph in effect_paragraphs(context, row)]
    if context.printed(first) and context.result.identity.design in CAUTION:
        blocks.append(text(CAUTION[context.result.identity.design]))
    title = f"Primary result ({primary.id}): {context.outcome_label(first.outcome)}"
    return Callout(kind="key-result", title=title, blocks=tuple(blocks))


def _same_question(row: EstimateRow, first: EstimateRow) -> bool:
    return (row.outcome, row.estimate.measure, row.model) == (first.outcome, first.estimate.measure, first.model)


def effect_paragraphs(context: Context, row: EstimateRow) -> list[Paragraph]:
    """Counts, the effect with its interval, and what the interval allows."""
    item = row.estimate
    if not context.printed(row):
        words = (
            f"The {measure_of(item.measure).words} {versus(context, row)} could not be estimated. {item.status.text}"
        )
        return [Paragraph((Run(words, result=row.id),))]
    said = counted(context, row)
    effect = [
        Run(f"{measure_of(item.measure).title} {versus(context, row)}{_adjusted(context, row)}: "),
        effect_run(context, row),
    ]
    if item.p_value is not None and item.p_value == item.p_value:
        effect.append(Run(f"; {numbers.p_phrase(item.p_value, context.style)}"))
    effect.append(Run("."))
    if item.status not in PRINTED:
        effect.append(Run(f" {item.status.text}"))
    sentences = [Paragraph((*said, *effect))]
    meaning = allowed(context, row)
    return [*sentences, text(meaning)] if meaning else sentences


def effect_run(context: Context, row: EstimateRow, emphasis: Emphasis = "strong") -> Run:
    """The estimate with its unit and interval, the interval named."""
    printed, level = context.effect(row), f"{context.level_name(row)}{context.style.after_level}"
    value, _, rest = printed.partition(" (")
    unit = context.unit(row)
    unit = "%" if unit == "%" else f" {unit}" if unit else ""
    return Run(f"{value}{unit} ({level} {rest}" if rest else f"{value}{unit}", emphasis, row.id)


def versus(context: Context, row: EstimateRow) -> str:
    """Which group against which."""
    return f"for {context.group(row.estimate.term)} versus {context.group(row.estimate.reference)}"


def _adjusted(context: Context, row: EstimateRow) -> str:
    at = f" {context.at(row.estimate)}" if row.estimate.at else ""
    return f"{at}{in_full(context, row)}"


def counted(context: Context, row: EstimateRow, groups: Sequence[str | None] = ()) -> list[Run]:
    """Events and patients in each of the two groups, or in all that are named."""
    wanted = groups or (row.estimate.term, row.estimate.reference)
    counts = [
        count
        for level in wanted
        for count in row.groups
        if count.group == level and None not in (count.events, count.n)
    ]
    if len(counts) != len(wanted) or not any(count.n for count in counts):
        return []
    label = _event(context, row)
    if not label:
        return []
    said = listed([_share(context, count, risk=context.has_risks(row)) for count in counts])
    changed = f"{why_twice(row.method)} " if changed_groups(row) else ""
    return [Run(f"{label} occurred in {said}. {changed}")]


def _event(context: Context, row: EstimateRow) -> str:
    """What the events of an outcome are: the outcome itself, what competes with it, or the death that cuts its values short."""
    outcome = context.outcome(row.outcome)
    if row.of_competing_event:
        return "The competing event"
    if outcome is None or outcome.kind in ("binary", "time-to-event"):
        return context.outcome_label(row.outcome)
    return outcome.truncation.label if outcome.kind == "worst-rank" and outcome.truncation else ""


def _share(context: Context, count: GroupCount, *, risk: bool) -> str:
    events = count.events or 0
    label = context.group(count.group)
    of = f"{context.count(events)} of {context.count(count.n)} patient{'' if count.n == 1 else 's'}"
    if risk and count.n:
        share = numbers.percent(events, count.n, context.style).removesuffix("%")
        return f"{of} ({label}, {share}%)"
    return f"{of} ({label})"


def allowed(context: Context, row: EstimateRow) -> str:
    """From where to where the interval reaches, in words."""
    reach = reached(context, row)
    if not reach:
        return ""
    first = f"The {context.level_name(row)} reaches from {reach}"
    if across_null(context, row):
        return f"{first}: the data are compatible with effects in both directions."
    return f"{first}."


def across_null(context: Context, row: EstimateRow) -> bool:
    """Whether the interval holds the value of equal groups inside it."""
    measure, (_, low, high) = measure_of(row.estimate.measure), context.scaled(row)
    return low is not None and high is not None and measure.null is not None and low < measure.null < high


def reached(context: Context, row: EstimateRow) -> str:
    """Both ends of the interval: "31% lower to 1% lower odds"."""
    measure = measure_of(row.estimate.measure)
    value, low, high = context.scaled(row)
    if low is None or high is None or measure.null is None or measure.kind == "test":
        return ""
    places = numbers.estimate_places(value, low, high, places=context.places(row), null=measure.null)
    ends = [_end(context, measure, end, places) for end in (low, high)]
    unit = _unit(context, row, measure)
    return f"{_said(ends[0], unit)} to {_said(ends[1], unit)} {measure.noun or measure.name}"


def _end(context: Context, measure: Measure, value: float, places: int) -> tuple[str, str]:
    """One end: how far from the null, and on which side."""
    null = measure.null or 0.0
    side = "lower" if value < null else "higher"
    if value == null:
        return "", "the same"
    if value in (float("inf"), float("-inf")):
        return "infinitely", side
    if measure.kind == "ratio" and value >= 2:
        return f"{numbers.number(value, 1, context.style)} times", "as high"
    if measure.kind == "ratio":
        change = abs(numbers.hundredfold(value) - 100)
        if value < 1 and change > MOST_CHANGE:
            return f"more than {numbers.number(MOST_CHANGE, 0, context.style)}%", side
        if change < LEAST_CHANGE:
            return f"less than {numbers.number(LEAST_CHANGE, 1, context.style)}%", side
        return f"{numbers.number(change, 0 if change >= 1 else 1, context.style)}%", side
    return numbers.number(abs(value), places, context.style), side


def _said(end: tuple[str, str], unit: str) -> str:
    amount, side = end
    return f"{amount}{unit if amount[-1:].isdigit() else ''} {side}".strip()


def _unit(context: Context, row: EstimateRow, measure: Measure) -> str:
    unit = context.unit(row)
    return f" {unit}" if unit and measure.kind != "ratio" else ""


def _also(context: Context, rows: list[EstimateRow]) -> Paragraph:
    runs: list[Run] = [Run("On other scales: ")]
    for k, row in enumerate(rows):
        kind = f"{row.estimand.kind} " if row.estimand else ""
        several = f" {versus(context, row)}" if len(context.plan.groups) > 2 else ""
        runs += [
            Run(("; " if k else "") + f"{kind}{measure_of(row.estimate.measure).words}{several} "),
            effect_run(context, row),
        ]
    return Paragraph((*runs, Run(".")))
