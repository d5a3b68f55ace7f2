"""How good predictions are: the measures of discrimination, calibration and overall error in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Cell, Column, Footnote, Row, Table
from counterpulse.report.measures import measure_of
from counterpulse.results import AnalysisRecord, EstimateRow

Notes = Callable[[Sequence[EstimateRow]], tuple[Footnote, ...]]
Marks = Callable[[Sequence[EstimateRow]], dict[str, tuple[str, ...]]]

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


def prediction_table(context: Context, record: AnalysisRecord, notes: Notes, marks: Marks) -> list[Table]:
    """Every measure of the predictions of an analysis."""
    rows = [row for row in context.rows(record.id) if is_prediction(row) and row.subgroup is None]
    if not rows:
        return []
    marked = marks(rows)
    tested = any(context.tested(row) is not None for row in rows)
    body: list[Row] = []
    heading: tuple[str, str | None] | None = None
    for row in rows:
        if (row.outcome, row.model) != heading:
            heading = (row.outcome, row.model)
            model = f" ({row.model})" if row.model else ""
            body.append(Row((Cell(f"{context.outcome_label(row.outcome)}{model}"),), strong=True))
        cells = [
            Cell(_words(row)), Cell(IDEAL.get(row.estimate.measure.lower().removeprefix("optimism-corrected "), "")),
            Cell(context.effect(row), row.id, marked.get(row.id, ())),
        ]  # fmt: skip
        body.append(Row((*cells, *([context.p(context.tested(row), f"{row.id}.p")] if tested else [])), indent=1))
    level = context.level_name(next((row for row in rows if row.estimate.interval), None))
    heads = ["Measure", "Perfect", f"Estimate\n({level})", *(["P value"] if tested else [])]
    table = Table(
        id=f"predictions-{record.id}",
        label=context.counter.table(),
        title=f"Quality of the predictions of {record.id}: {record.label}",
        columns=tuple(Column(Cell(head), "left" if k < 2 else "center") for k, head in enumerate(heads)),
        rows=tuple(body),
        footnotes=notes(rows),
    )
    return [table]


def _words(row: EstimateRow) -> str:
    item = row.estimate
    words = measure_of(item.measure).title
    if item.reference is not None:
        words += f", {item.term} vs {item.reference}"
    elif item.term and item.term not in (item.measure, item.variable):
        words += f", {item.term}"
    return f"{words}, at {item.at.time:g} {item.at.unit or ''}".rstrip() if item.at else words
