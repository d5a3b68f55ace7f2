"""A report as files: their contents by relative name. Nothing is written here; the bundle does that, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from counterpulse.protocol.identity_nodes import ReportLooks
from counterpulse.report.chapters.wording import anchor
from counterpulse.report.document import Document, Table, blocks_of
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.render.html import render_html
from counterpulse.report.render.pdf import render_pdf
from counterpulse.report.render.pictures import figures_of, pictures_of
from counterpulse.report.render.print_formats import print_formats
from counterpulse.report.render.word.docx import render_docx, render_table_docx
from counterpulse.results import EstimateRow, StudyResult, TableOneRow
from counterpulse.source.spreadsheet import spreadsheet_csv

UNTABLED = ("covariance", "forest")
"""Kinds that are for programs, or that stand among the estimates."""
ESTIMATE_COLUMNS = (
    "id", "analysis", "model", "role", "outcome", "population", "subgroup_variable", "subgroup_level", "variable", "term",
    "reference", "measure", "estimate", "conf_low", "conf_high", "conf_level", "interval_method", "std_error", "scale",
    "statistic", "statistic_name", "df", "p_value", "p_adjusted", "time", "n", "events", "n_missing", "method", "planned", "status",
)  # fmt: skip


def write_report(document: Document, result: StudyResult, looks: ReportLooks) -> Mapping[str, bytes]:
    """The files of a report: the pages asked for, each figure as SVG and PNG, the tables as CSV with full precision."""
    figures = figures_of(document)
    pictures = pictures_of(figures)
    files: dict[str, bytes] = {}
    if "html" in looks.outputs:
        files["report.html"] = render_html(document).encode()
    if "docx" in looks.outputs:
        files["report.docx"] = render_docx(document, pictures, line_numbers=bool(looks.line_numbers))
    if "pdf" in looks.outputs:
        files["report.pdf"] = render_pdf(document)
    if looks.separate_tables:
        tables = (block for block in blocks_of(document.sections) if isinstance(block, Table))
        files |= {f"tables/{table.id}.docx": render_table_docx(document, table) for table in tables}
    for figure in figures:
        files[f"figures/{figure.id}.svg"] = to_svg(figure.scene, prefix=figure.id).encode()
        files[f"figures/{figure.id}.png"] = pictures[figure.id]
    files |= print_formats(figures, looks.figures)
    if result.table_one:
        files["tables/table_one.csv"] = _table_one(result.table_one)
    for block in result.blocks:
        if block.kind not in UNTABLED and len(next(iter(block.columns.values()), ())):
            name = anchor(block.id.replace(".", "-"))
            files[f"tables/{name}.csv"] = spreadsheet_csv(
                list(block.columns), zip(*block.columns.values(), strict=True)
            )
    files["tables/estimates.csv"] = spreadsheet_csv(ESTIMATE_COLUMNS, (_estimate(row) for row in result.estimates))
    return files


def _estimate(row: EstimateRow) -> Iterable[object]:
    known = row.estimate.row() | {
        "id": row.id, "analysis": row.analysis, "model": row.model, "role": row.role, "outcome": row.outcome,
        "population": row.population, "subgroup_variable": row.subgroup.variable if row.subgroup else None,
        "subgroup_level": row.subgroup.level if row.subgroup else None, "p_adjusted": row.p_adjusted, "n": row.n,
        "events": row.events, "n_missing": row.n_missing, "method": row.method, "planned": row.planned,
    }  # fmt: skip
    return (known[name] for name in ESTIMATE_COLUMNS)


def _table_one(rows: Sequence[TableOneRow]) -> bytes:
    names = [field.name for field in fields(TableOneRow)]
    values = ((getattr(row, name) for name in names) for row in rows)
    return spreadsheet_csv(names, values)
