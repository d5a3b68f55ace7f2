"""Sensitivity analyses beside the analysis they repeat: each estimate, and the range of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.results.estimand_said import among
from counterpulse.report.chapters.results.key_result import effect_run
from counterpulse.report.chapters.results.models import counts
from counterpulse.report.chapters.speech import listed, paragraph
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.measures import measure_of
from counterpulse.results import EstimateRow


def sensitivity_paragraph(context: Context, analysis: str) -> Paragraph | None:
    """What became of the main effect of an analysis in its sensitivity analyses."""
    whole = next((row for row in _effects(context, analysis) if context.printed(row)), None)
    edits = [item for item in context.plan.analyses if item.of == analysis]
    if whole is None:
        return None
    found = [
        row
        for item in edits
        for row in _effects(context, item.id)
        if _same(row, whole) and context.printed(row) and row.estimate.value == row.estimate.value
    ]
    if not found:
        return None
    return paragraph(
        Run(f"Sensitivity analyses of {analysis}.", "strong"),
        Run(f"Against the {measure_of(whole.estimate.measure).words} of"),
        *_estimates(context, whole, found),
        _range(context, whole, found),
        *_caveats(context, edits),
    )


def _effects(context: Context, analysis: str) -> list[EstimateRow]:
    rows = [row for row in context.rows(analysis) if row.subgroup is None and row.role != "covariate"]
    return [
        row
        for row in rows
        if counts(context, row) and measure_of(row.estimate.measure).contrasts and context.compares_groups(row)
    ]


def _same(row: EstimateRow, whole: EstimateRow) -> bool:
    """The same question: outcome, measure and groups."""
    return (row.outcome, row.estimate.measure, row.estimate.term) == (
        whole.outcome,
        whole.estimate.measure,
        whole.estimate.term,
    )


def _estimates(context: Context, whole: EstimateRow, found: list[EstimateRow]) -> Iterator[Run]:
    yield effect_run(context, whole, "plain")
    yield Run(f" in {whole.analysis}, the sensitivity {'analyses' if len(found) > 1 else 'analysis'} gave")
    for k, row in enumerate(found, start=1):
        yield effect_run(context, row, "plain")
        model = f", {row.model}" if row.model else ""
        named = f" ({row.analysis}{model}{_other_effect(context, row, whole)})"
        yield Run(f"{named}{'.' if k == len(found) else '; and' if k == len(found) - 1 else ';'}")


def _other_effect(context: Context, row: EstimateRow, whole: EstimateRow) -> str:
    """Of which kind and among whom an effect is, where that is not the effect of the whole."""
    if row.estimand is None or row.estimand == whole.estimand:
        return ""
    kind = "" if whole.estimand is not None and row.estimand.kind == whole.estimand.kind else f", {row.estimand.kind}"
    other = whole.estimand is None or row.estimand.target != whole.estimand.target
    return f"{kind}{f',{among(context, row)}' if other and among(context, row) else ''}"


def _range(context: Context, whole: EstimateRow, found: list[EstimateRow]) -> str:
    """On which side of equality the estimates lie."""
    null = measure_of(whole.estimate.measure).null
    if null is None:
        return ""
    values = [context.scaled(row)[0] for row in (whole, *found)]
    reach = span(context, found) if len(found) > 1 else ""
    ends = f" {sentence(measure_of(whole.estimate.measure).words)}s ranged from {reach}." if reach else ""
    below, above = (any(value < null for value in values), any(value > null for value in values))
    if below and above:
        return f"The estimates lie on both sides of equality.{ends}"
    return f"All of the estimates lie on the same side of equality.{ends}" if below or above else ends.strip()


def span(context: Context, rows: Sequence[EstimateRow]) -> str:
    """The lowest and the highest of estimates: "0.85 to 0.95"; nothing where they print alike."""
    ordered = sorted(rows, key=lambda row: context.scaled(row)[0])
    places = max(context.places(row) for row in rows)
    low, high = (numbers.number(context.scaled(row)[0], places, context.style) for row in (ordered[0], ordered[-1]))
    return f"{low} to {high}" if low != high else ""


def _caveats(context: Context, edits: list[PlannedAnalysis]) -> Iterator[str]:
    """Edits that bring a bias back, and selected covariates."""
    ran = {record.id for record in context.result.analyses}
    exposure = context.plan.protocol.exposure
    known = exposure is not None and exposure.timing == "known"
    naive = [item.id for item in edits if item.id in ran and known and item.maker == "as observed" and not _exposure(context, item)]  # fmt: skip
    if naive:
        yield f"{listed(naive)} {'leave' if len(naive) > 1 else 'leaves'} immortal time in the comparison: it shows the size of that bias and is no estimate of the effect."  # fmt: skip
    selected = [item.id for item in edits if item.id in ran and item.selection is not None]
    if selected:
        yield f"The covariates of {listed(selected)} were selected from the data, so {'their intervals are' if len(selected) > 1 else 'its interval is'} too narrow."  # fmt: skip


def _exposure(context: Context, item: PlannedAnalysis) -> bool:
    return any(context.plan.outcomes[name].of_group for name in item.outcomes if name in context.plan.outcomes)
