"""A table in Typst's language: three rules, partial rules under spanners, heads that repeat."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.report.document import Cell, Footnote, Row, Table
from counterpulse.report.render.typst.columns import GAP, INDENT, Fit, heights
from counterpulse.report.render.typst.words import cell, literal, several, string

WHOLE = 260.0
"""A table that is no taller, in points, stands on one page."""
TALLEST_ROW = 400.0
"""A row that is taller, in points, may break."""


def tabular(table: Table, fit: Fit) -> str:
    """The table at the widths, size and page found for it."""
    widths = several(f"{width:.2f}pt" for width in fit.widths)
    aligns = several(column.align for column in table.columns)
    heads = [
        f"head({_cell(column.head, fit, place)},align:{column.align}+bottom)"
        for place, column in enumerate(table.columns)
    ]
    tall = heights(table, fit)
    whole = str(sum(tall) <= WHOLE).lower()
    rows = (
        _row(row, table, fit, breakable=height > TALLEST_ROW) for row, height in zip(table.rows, tall[1:], strict=True)
    )
    caption = f"{{strong({string(f'{table.label}.')});[ ];{literal(table.title)}}}"
    return (
        f"tabular({string(table.id)},{caption},size:{fit.size}pt,whole:{whole},columns:{widths},align:{aligns},\n"
        f"header:{several((*_spanners(table), *heads))},\n"
        f"rows:{several(rows)},\n"
        f"notes:{several(map(_note, table.footnotes))})"
    )


def _spanners(table: Table) -> Iterator[str]:
    """One row of heads over heads, with blanks where there are none."""
    if not table.spanners:
        return
    column = 0
    for spanner in sorted(table.spanners, key=lambda spanner: spanner.first):
        if spanner.first > column:
            yield f"table.cell(colspan:{spanner.first - column})[]"
        yield f"spanner({spanner.last - spanner.first + 1},{literal(spanner.text)})"
        column = spanner.last + 1
    if column < len(table.columns):
        yield f"table.cell(colspan:{len(table.columns) - column})[]"


def _row(row: Row, table: Table, fit: Fit, *, breakable: bool) -> str:
    if len(row.cells) == 1 and len(table.columns) > 1:
        return f"group({len(table.columns)},{_indented(cell(row.cells[0]), row.indent)})"
    cells = _cells(row, fit)
    return ",".join(f"table.cell(breakable:true,{words})" for words in cells) if breakable else ",".join(cells)


def _cells(row: Row, fit: Fit) -> Iterator[str]:
    for place, item in enumerate(row.cells):
        words = _cell(item, fit, place)
        words = f"strong({words})" if row.strong else words
        yield _indented(words, row.indent) if place == 0 else words


def _indented(words: str, indent: int) -> str:
    return f"pad(left:{indent * INDENT:g}pt,{words})" if indent else words


def _cell(item: Cell, fit: Fit, place: int) -> str:
    """A cell, its words free to break when one is wider than the column."""
    return cell(item, room=(fit.widths[place] - GAP) / fit.size)


def _note(note: Footnote) -> str:
    words = literal(note.text)
    return f"{{super({literal(note.mark)});{words}}}" if note.mark else words
