"""Tables with three rules: heads that stand again on every page, rows that no page splits, widths that are fixed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from counterpulse.report.document import Align, Cell, Footnote, Row, Table
from counterpulse.report.render.word.ledger import Ledger
from counterpulse.report.render.word.ooxml import TWIPS, attribute, field, link, paragraph, run
from counterpulse.report.render.word.pages import SIDEWAYS, UPRIGHT, Piece
from counterpulse.report.render.word.widths import INDENT, demands, fitted, is_wide

SHORT = 32
"""A table of no more rows stays on one page."""
_LABEL = re.compile(r"([A-Za-z]+ [A-Za-z]*)([0-9]+)")


def table_piece(table: Table, ledger: Ledger) -> Piece:
    """A table with its caption above and its footnotes under it, all in a bookmark."""
    needs = demands(table)
    wide = table.wide or is_wide(needs, UPRIGHT)
    widths, style = fitted(needs, SIDEWAYS if wide else UPRIGHT)
    place, ledger.place = ledger.place, table.label
    content = f"{caption(table.label, table.title, '', ledger, above=True)}{_grid(table, widths, style, ledger)}{_notes(table)}"
    ledger.place = place
    return Piece(ledger.bookmark(content, ledger.target(table.id, "table")), wide=wide)


def caption(label: str, title: str, legend: str, ledger: Ledger, *, above: bool) -> str:
    """A caption whose number counts by itself; where it would count otherwise, the number is set."""
    counted = _LABEL.fullmatch(label)
    start = run(label, bold=True)
    if counted:
        words, number = counted[1], int(counted[2])
        name = words.strip().replace(" ", "_")
        reset = "" if ledger.follows(name, number) else f" \\r {number}"
        start = run(words, bold=True) + field(f"SEQ {name} \\* ARABIC{reset}", str(number), bold=True)
    content = f"{start}{run('. ', bold=True)}{run(title, bold=above)}{run(f' {legend}') if legend else ''}"
    return paragraph(content, "Caption", says=label, keep=above, spacing=None if above else (80, 280))


def frame(
    widths: Sequence[float], rows: str, title: str, description: str, *, look: str = "", headed: bool = True
) -> str:
    """A table of fixed widths in points around its rows; `look` is its indent or its rules."""
    measured = twips(widths)
    flags = (
        f'<w:tblLook w:val="{"04A0" if headed else "0480"}" w:firstRow="{headed:d}" w:lastRow="0" w:firstColumn="1" '
        'w:lastColumn="0" w:noHBand="0" w:noVBand="1"/>'
    )
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in measured)
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="TableNormal"/><w:tblW w:w="{sum(measured)}" w:type="dxa"/>{look}'
        f'<w:tblLayout w:type="fixed"/>{flags}<w:tblCaption w:val="{attribute(title)}"/>'
        f'<w:tblDescription w:val="{attribute(description)}"/></w:tblPr><w:tblGrid>{columns}</w:tblGrid>{rows}</w:tbl>'
    )


def twips(widths: Sequence[float]) -> list[int]:
    """Whole twentieths of a point whose sum is that of the widths."""
    edges = [0, *(round(edge * TWIPS) for edge in accumulate(widths))]
    return [right - left for left, right in pairwise(edges)]


def row(cells: str, *, head: bool = False) -> str:
    """A row that no page splits; as a head it stands again on every page."""
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if head else ''}</w:trPr>{cells}</w:tr>"


def cell(content: str, width: int, *, span: int = 1, rule: bool = False, low: bool = False) -> str:
    """A cell of paragraphs, with a rule under it where wanted."""
    properties = f'<w:tcW w:w="{width}" w:type="dxa"/>'
    properties += f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    properties += (
        '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:space="0" w:color="000000"/></w:tcBorders>' if rule else ""
    )
    properties += '<w:vAlign w:val="bottom"/>' if low else ""
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


RULES = (
    '<w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="000000"/>'
    '<w:bottom w:val="single" w:sz="8" w:space="0" w:color="000000"/></w:tblBorders>'
)


def _grid(table: Table, widths: Sequence[float], style: str, ledger: Ledger) -> str:
    rows = "".join((*_heads(table, twips(widths), style, ledger), *_rows(table, twips(widths), style, ledger)))
    return frame(widths, rows, f"{table.label}. {table.title}", table.alternative or table.title, look=RULES)


def _heads(table: Table, widths: Sequence[int], style: str, ledger: Ledger) -> Iterator[str]:
    if table.spanners:
        yield row(_spanners(table, widths, style), head=True)
    heads = (
        cell(_text(column.head, style, ledger, column.align, bold=True, keep=True), width, rule=True, low=True)
        for column, width in zip(table.columns, widths, strict=True)
    )
    yield row("".join(heads), head=True)


def _spanners(table: Table, widths: Sequence[int], style: str) -> str:
    cells, column = [], 0
    empty = paragraph("", style, keep=True)
    for spanner in table.spanners:
        cells += [cell(empty, width) for width in widths[column : spanner.first]]
        column = spanner.last + 1
        words = paragraph(run(spanner.text, bold=True), style, says=spanner.text, keep=True, align="center")
        covered = widths[spanner.first : column]
        cells.append(cell(words, sum(covered), span=len(covered), rule=True, low=True))
    cells += [cell(empty, width) for width in widths[column:]]
    return "".join(cells)


def _rows(table: Table, widths: Sequence[int], style: str, ledger: Ledger) -> Iterator[str]:
    last, short = len(table.rows) - 1, len(table.rows) <= SHORT
    for number, line in enumerate(table.rows):
        groups = len(line.cells) == 1 and len(table.columns) > 1
        keep = bool(table.footnotes) if number == last else short or groups or number == 0
        if groups:
            words = _text(line.cells[0], style, ledger, "left", bold=True, keep=keep, indent=line.indent)
            yield row(cell(words, sum(widths), span=len(widths)))
        else:
            yield row("".join(_cells(line, table, widths, style, ledger, keep)))


def _cells(line: Row, table: Table, widths: Sequence[int], style: str, ledger: Ledger, keep: bool) -> Iterator[str]:
    for number, (item, column, width) in enumerate(zip(line.cells, table.columns, widths, strict=True)):
        indent = 0 if number else line.indent
        align = column.align if number else "left"
        yield cell(_text(item, style, ledger, align, bold=line.strong, keep=keep, indent=indent), width)


def _text(
    item: Cell, style: str, ledger: Ledger, align: Align, *, bold: bool = False, keep: bool = False, indent: int = 0
) -> str:
    words = "".join(_piece(text, place, ledger, bold=bold) for text, place in item.pieces())
    content = ledger.printed(words, item.text, item.result)
    content += run(",".join(item.notes), raised=True) if item.notes else ""
    moved = round(indent * INDENT * TWIPS)
    return paragraph(content, style, says=item.text, keep=keep, indent=moved, align=align)


def _piece(text: str, place: str | None, ledger: Ledger, *, bold: bool) -> str:
    name = ledger.targets.get(place) if place else None
    return link(name, run(text, style="Hyperlink")) if name else run(text, bold=bold)


def _notes(table: Table) -> str:
    """The footnotes, or a line that keeps the table from what follows."""
    last = len(table.footnotes) - 1
    notes = (_note(note, last=number == last) for number, note in enumerate(table.footnotes))
    return "".join(notes) or paragraph("", "TableEnd")


def _note(note: Footnote, *, last: bool) -> str:
    mark = f"{run(note.mark, raised=True)}{run(' ')}" if note.mark else ""
    return paragraph(
        f"{mark}{run(note.text)}", "TableNote", says=note.text, keep=not last, spacing=(30, 180) if last else None
    )
