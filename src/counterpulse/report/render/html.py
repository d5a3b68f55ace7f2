"""The document as one self-contained HTML page: no script, no link to another file, every text escaped.

The first place of every number has the number's result as its id, so that `report.html#A1.death.pump.odds-ratio` points at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import singledispatch
from html import escape
from importlib.resources import files

from counterpulse.report.document import (
    Block,
    Callout,
    Cell,
    Column,
    Definitions,
    Document,
    Figure,
    Listing,
    Paragraph,
    Reference,
    Row,
    Run,
    Section,
    Table,
)
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.safe_text import clean

SHORT = 16
"""Rows of a table that stays on one printed page."""
BRIEF = 24
"""Characters of a text in a table that stays on one line."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True, slots=True)
class Anchors:
    """The results that can be pointed at already; ids of sections, tables and figures hold no dot."""

    placed: set[str] = field(default_factory=set)

    def attributes(self, result: str | None) -> str:
        """The attributes of an element that prints a result, if it prints one."""
        if not result:
            return ""
        named = f' data-result="{_quoted(result)}"'
        target = "_".join(clean(result).split())
        if "." not in target or target in self.placed:
            return named
        self.placed.add(target)
        return f'{named} id="{_quoted(target)}"'


def render_html(document: Document) -> str:
    """Render the whole page."""
    style = (files("counterpulse.report.render") / "report.css").read_text(encoding="utf-8")
    anchors = Anchors()
    front = "".join(_block(block, anchors) for block in document.front)
    sections = "\n".join(_section(section, 2, anchors) for section in document.sections)
    return (
        f'<!doctype html>\n<html lang="{_quoted(document.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(document.title)}</title>\n<style>\n{style}{_running_heads(document)}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#report">Skip to the report</a>\n'
        f"{_mark(document)}{_header(document, front)}\n{_contents(document)}\n"
        f'<main id="report" tabindex="-1">\n{sections}\n{_references(document.references)}</main>\n'
        f"{_footer(document)}\n</body>\n</html>\n"
    )


def _running_heads(document: Document) -> str:
    """What stands in the margins of every printed page; as code points, so that no text can end the style."""
    page = f"@bottom-left {{ content: {_coded(document.subtitle)}; }}"
    if document.mark:
        page += f" @top-center {{ content: {_coded(document.mark)}; }}"
    return f"@media print {{ @page {{ {page} }} }}\n"


def _coded(words: str) -> str:
    return '"' + "".join(f"\\{ord(character):06x}" for character in clean(words)) + '"'


def _mark(document: Document) -> str:
    return f'<aside class="mark" aria-label="Kind of data">{_text(document.mark)}</aside>\n' if document.mark else ""


def _header(document: Document, front: str) -> str:
    facts = "".join(
        f'<div><dt>{_text(term)}</dt><dd dir="auto">{_text(words)}</dd></div>' for term, words in document.facts
    )
    facts = f'<dl class="facts">{facts}</dl>' if facts else ""
    return (
        f'<header>\n<p class="subtitle">{_text(document.subtitle)}</p>\n<h1 dir="auto">{_text(document.title)}</h1>\n'
        f"{facts}\n{front}</header>"
    )


def _contents(document: Document) -> str:
    entries = "".join(map(_entry, document.sections))
    if document.references:
        entries += _entry(Section(id="references", title="References"))
    return f'<nav aria-label="Contents"><h2>Contents</h2><ol>{entries}</ol></nav>'


def _entry(section: Section) -> str:
    parts = "".join(map(_entry, section.sections))
    inner = f"<ol>{parts}</ol>" if parts else ""
    return f'<li><a href="#{_quoted(section.id)}" dir="auto">{_text(section.title)}</a>{inner}</li>'


def _footer(document: Document) -> str:
    return (
        f"<footer><p>{_text(document.colophon)}</p>\n<p>Every number can be pointed at: add <code>#</code> and the id of its "
        "result, as <code>tables/estimates.csv</code> lists it, to the address of this page.</p></footer>"
    )


def _section(section: Section, depth: int, anchors: Anchors) -> str:
    level = min(depth, 6)
    blocks = "\n".join(_block(block, anchors) for block in section.blocks)
    inner = "\n".join(_section(part, depth + 1, anchors) for part in section.sections)
    id_ = _quoted(section.id)
    look = ' class="new-page"' if section.new_page else ""
    return f'<section id="{id_}"{look}>\n<h{level} dir="auto">{_text(section.title)}</h{level}>\n{blocks}\n{inner}</section>'


@singledispatch
def _block(block: Block, anchors: Anchors) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_block.register
def _(block: Paragraph, anchors: Anchors) -> str:
    return f'<p dir="auto">{_runs(block.runs, anchors)}</p>'


@_block.register
def _(block: Listing, anchors: Anchors) -> str:
    tag = "ol" if block.ordered else "ul"
    items = "".join(f'<li dir="auto">{_runs(item.runs, anchors)}</li>' for item in block.items)
    return f"<{tag}>{items}</{tag}>"


@_block.register
def _(block: Definitions, anchors: Anchors) -> str:
    entries = "".join(
        f'<dt dir="auto">{_text(term)}</dt><dd dir="auto">{_runs(words.runs, anchors)}</dd>'
        for term, words in block.entries
    )
    return f'<dl class="definitions">{entries}</dl>'


@_block.register
def _(block: Callout, anchors: Anchors) -> str:
    inside = "".join(_block(inner, anchors) for inner in block.blocks)
    return (
        f'<div class="callout {block.kind}" role="note" aria-label="{_quoted(block.title)}">'
        f'<p class="callout-title" dir="auto">{_text(block.title)}</p>{inside}</div>'
    )


@_block.register
def _(block: Figure, anchors: Anchors) -> str:
    svg = to_svg(block.scene, prefix=block.id).replace("<svg ", f'<svg style="max-width:{block.scene.width:.0f}pt" ', 1)
    return (
        f'<figure id="{_quoted(block.id)}" class="picture">\n{_scrolling("frame", block.label, svg)}\n'
        f'<figcaption dir="auto"><b>{_text(block.label)}.</b> {_text(block.title)} '
        f'<span class="legend">{_text(block.caption)}</span></figcaption>\n</figure>'
    )


@_block.register
def _(block: Table, anchors: Anchors) -> str:
    notes = "".join(
        f'<p dir="auto">{f"<sup>{_text(note.mark)}</sup> " if note.mark else ""}{_text(note.text)}</p>'
        for note in block.footnotes
    )
    look = f"table{' wide' if block.wide else ''}{' short' if len(block.rows) <= SHORT else ''}"
    spoken = f' <span class="spoken">{_text(block.alternative)}</span>' if block.alternative else ""
    table = (
        f'<table>\n<caption dir="auto"><span><b>{_text(block.label)}.</b> {_text(block.title)}{spoken}</span></caption>\n'
        f"<thead>\n{_spanners(block)}{_heads(block)}\n</thead>\n{_bodies(block, anchors)}\n</table>"
    )
    return (
        f'<figure id="{_quoted(block.id)}" class="{look}">\n{_scrolling("scroll", block.label, table)}\n'
        f"{f'<figcaption>{notes}</figcaption>' if notes else ''}\n</figure>"
    )


def _scrolling(look: str, label: str, content: str) -> str:
    """What may be wider than the window can be scrolled with the keyboard, under a name."""
    return f'<div class="{look}" tabindex="0" role="group" aria-label="{_quoted(label)}">\n{content}\n</div>'


def _spanners(table: Table) -> str:
    if not table.spanners:
        return ""
    cells, column = [], 0
    for spanner in table.spanners:
        if spanner.first > column:
            cells.append(f'<td colspan="{spanner.first - column}"></td>')
        width = spanner.last - spanner.first + 1
        cells.append(f'<th scope="colgroup" colspan="{width}" class="spanner">{_text(spanner.text)}</th>')
        column = spanner.last + 1
    if column < len(table.columns):
        cells.append(f'<td colspan="{len(table.columns) - column}"></td>')
    return f"<tr>{''.join(cells)}</tr>\n"


def _heads(table: Table) -> str:
    return f"<tr>{''.join(map(_head, table.columns))}</tr>"


def _head(column: Column) -> str:
    """A column without a head has an empty cell: an empty head would be read aloud as one."""
    tag, scope = ("th", ' scope="col"') if column.head.text.strip() else ("td", "")
    longest = max(map(len, column.head.text.split()), default=0)
    look = " brief" if len(column.head.text) <= BRIEF else " long" if longest > BRIEF else ""
    return f'<{tag}{scope} class="{column.align}{look}" dir="auto">{_inside(column.head)}</{tag}>'


def _look(cell: Cell, column: Column) -> str:
    """A long text may be broken into lines; numbers and short words stay on one."""
    longest = max(map(len, cell.text.split("\n")))
    return f"{column.align} prose" if longest > (BRIEF if column.align == "left" else 2 * BRIEF) else column.align


def _direction(column: Column) -> str:
    return ' dir="auto"' if column.align == "left" else ""


def _bodies(table: Table, anchors: Anchors) -> str:
    """The rows, those under a row that groups them in a body of their own."""
    bodies = ("".join(f"{_row(row, table, anchors)}\n" for row in rows) for rows in _grouped(table))
    return "\n".join(f"<tbody>\n{rows}</tbody>" for rows in bodies)


def _grouped(table: Table) -> Iterator[list[Row]]:
    rows: list[Row] = []
    for row in table.rows:
        if rows and not row.indent and _groups(row, table):
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _groups(row: Row, table: Table) -> bool:
    return len(row.cells) == 1 and len(table.columns) > 1


def _row(row: Row, table: Table, anchors: Anchors) -> str:
    first, *others = row.cells
    look = f'class="indent-{row.indent}" dir="auto"'
    if _groups(row, table):
        return (
            f'<tr class="group"><th scope="rowgroup" {look} colspan="{len(table.columns)}">{_inside(first)}</th></tr>'
        )
    cells = "".join(
        f'<td class="{_look(cell, column)}"{_direction(column)}{anchors.attributes(cell.result)}>{_inside(cell)}</td>'
        for cell, column in zip(others, table.columns[1:], strict=True)
    )
    strong = ' class="strong"' if row.strong else ""
    return f'<tr{strong}><th scope="row" {look}{anchors.attributes(first.result)}>{_inside(first)}</th>{cells}</tr>'


def _inside(cell: Cell) -> str:
    marks = f"<sup>{_text(','.join(cell.notes))}</sup>" if cell.notes else ""
    return f"{''.join(_piece(text, place) for text, place in cell.pieces())}{marks}"


def _piece(text: str, place: str | None) -> str:
    lines = "<br>".join(_text(line) for line in text.split("\n"))
    return f'<a href="#{_quoted(place)}">{lines}</a>' if place else lines


def _runs(runs: Iterable[Run], anchors: Anchors) -> str:
    return "".join(_run(run, anchors) for run in runs)


def _run(run: Run, anchors: Anchors) -> str:
    words = _text(run.text)
    tag = {"strong": "strong", "emphasis": "em", "code": "code"}.get(run.emphasis)
    if tag:
        words = f"<{tag}>{words}</{tag}>"
    if run.result:
        words = f'<span class="number"{anchors.attributes(run.result)}>{words}</span>'
    if run.cites:
        links = ",".join(f'<a href="#reference-{number}">{number}</a>' for number in run.cites)
        words += f'<sup class="cite">{links}</sup>'
    return words


def _references(references: tuple[Reference, ...]) -> str:
    if not references:
        return ""
    items = "\n".join(f'<li id="reference-{work.number}">{_work(work)}</li>' for work in references)
    return f'<section id="references">\n<h2>References</h2>\n<ol class="references">\n{items}\n</ol>\n</section>\n'


def _work(work: Reference) -> str:
    if not work.doi:
        return _text(work.text)
    return f'{_text(work.text)} <a href="https://doi.org/{_quoted(work.doi)}">doi:{_text(work.doi)}</a>'


def _text(text: str) -> str:
    return escape(clean(text), quote=False)


def _quoted(text: str) -> str:
    return escape(clean(text), quote=True)
