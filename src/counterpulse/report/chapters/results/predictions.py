"""How good predictions are: the measures of discrimination, calibration and overall error in one table."""

from __future__ import annotations

from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.results.estimate_notes import footnotes_of, marks_of
from counterpulse.report.document import Cell, Row, Table, columns_of
from counterpulse.report.measures import measure_of
from counterpulse.results import AnalysisRecord, EstimateRow

IDEAL = {
    "c-statistic": "1; 0.5 by chance", "concordance": "1; 0.5 by chance", "brier score": "0", "scaled brier score": "1",
    "calibration intercept": "0", "calibration slope": "1", "expected/observed ratio": "1",
    "integrated calibration index": "0", "e50": "0", "e90": "0",
}  # fmt: skip
"""Each measure with what a perfect prediction has."""


def is_prediction(row: EstimateRow) -> bool:
    """Whether an estimate says how good predictions are."""
    name = row.estimate.measure.lower().removeprefix("optimism-corrected ")
    return name in IDEAL or "c-statistic" in name or "brier" in name or "area under" in name or name.endswith(" auc")


def prediction_table(context: Context, record: AnalysisRecord) -> list[Table]:
    """Every measure of the predictions of an analysis."""
    rows = [row for row in context.rows(record.id) if is_prediction(row) and row.subgroup is None]
    if not rows:
        return []
    marked = marks_of(rows)
    tested = any(context.tested(row) is not None for row in rows)
    body: list[Row] = []
    heading: tuple[str, str | None] | None = None
    for row in rows:
        if (row.outcome, row.model) != heading:
            heading = (row.outcome, row.model)
            model = f" ({row.model})" if row.model else ""
            body.append(Row((Cell(f"{context.outcome_label(row.outcome)}{model}"),), strong=True))
        cells = [
            Cell(_words(context, row)), Cell(_ideal(context, row)),
            Cell(context.effect(row), row.id, marked.get(row.id, ())),
        ]  # fmt: skip
        body.append(Row((*cells, *([context.p(context.tested(row), f"{row.id}.p")] if tested else [])), indent=1))
    level = context.level_name(next((row for row in rows if row.estimate.interval), None))
    heads = ["Measure", "Perfect", f"Estimate\n({level})", *([context.style.p_head] if tested else [])]
    table = Table(
        id=f"predictions-{record.id}",
        label=context.counter.table(),
        title=f"Quality of the predictions of {record.id}: {record.label}",
        columns=columns_of(heads, words=2),
        rows=tuple(body),
        footnotes=footnotes_of(context, rows),
    )
    return [table]


def _ideal(context: Context, row: EstimateRow) -> str:
    """What a perfect prediction has."""
    known = IDEAL.get(row.estimate.measure.lower().removeprefix("optimism-corrected "))
    return known.replace(".", context.style.decimal_mark) if known else context.style.blank


def _words(context: Context, row: EstimateRow) -> str:
    item = row.estimate
    words = measure_of(item.measure).title
    if item.reference is not None:
        words += f", {item.term} {context.style.versus} {item.reference}"
    elif item.term and item.term not in (item.measure, item.variable):
        words += f", {item.term}"
    return f"{words}, {context.at(item)}" if item.at else words
