"""A report as files: their contents by relative name. Nothing is written here; the bundle does that, whole or not at all."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from io import StringIO

from counterpulse.report.document import Document, Figure, blocks_of
from counterpulse.report.render.html import render_html
from counterpulse.results import EstimateRow, StudyResult, TableOneRow

FORMULA = ("=", "+", "-", "@", "\t", "\r")
ESTIMATE_COLUMNS = (
    "id", "analysis", "model", "role", "outcome", "population", "subgroup_variable", "subgroup_level", "variable", "term",
    "reference", "measure", "estimate", "conf_low", "conf_high", "conf_level", "interval_method", "std_error", "scale",
    "statistic", "statistic_name", "df", "p_value", "p_adjusted", "time", "n", "events", "n_missing", "method", "planned", "status",
)  # fmt: skip


def write_report(document: Document, result: StudyResult) -> Mapping[str, bytes]:
    """The files of a report: the page, each figure as SVG and PNG, the tables as CSV with full precision."""
    files: dict[str, bytes] = {"report.html": render_html(document).encode()}
    for figure in (block for block in blocks_of(document.sections) if isinstance(block, Figure)):
        files[f"figures/{figure.id}.svg"] = figure.svg.encode()
        files[f"figures/{figure.id}.png"] = figure.png
    if result.table_one:
        files["tables/table_one.csv"] = _table_one(result.table_one)
    files["tables/estimates.csv"] = _csv(ESTIMATE_COLUMNS, (_estimate(row) for row in result.estimates))
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
    return _csv(names, values)


def _csv(names: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    """UTF-8 with a mark, so that a spreadsheet reads it; text that a spreadsheet would run is made plain."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return "|".join(map(str, value))
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else repr(value) if isinstance(value, float) else value
