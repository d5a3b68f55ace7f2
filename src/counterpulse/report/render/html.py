"""The document as one self-contained HTML page: no script, no link to another file, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from html import escape
from importlib.resources import files

from counterpulse.report.document import (
    Block,
    Callout,
    Cell,
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

SHORT = 16
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def render_html(document: Document) -> str:
    """Render the whole page."""
    style = (files("counterpulse.report.render") / "report.css").read_text(encoding="utf-8")
    sections = "\n".join(_section(section, 2) for section in document.sections)
    return (
        f'<!doctype html>\n<html lang="{_quoted(document.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(document.title)}</title>\n<style>\n{style}{_running_head(document)}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#report">Skip to the report</a>\n'
        f"{_mark(document)}{_front(document)}\n{_contents(document)}\n"
        f'<main id="report">\n{sections}\n{_references(document.references)}</main>\n'
        f"<footer><p>{_text(document.colophon)}</p></footer>\n</body>\n</html>\n"
    )


def _running_head(document: Document) -> str:
    """The mark in the margin of every printed page; as code points, so that no text can end the style."""
    if not document.mark:
        return ""
    words = "".join(f"\\{ord(character):06x}" for character in document.mark)
    return f'@page {{ @top-center {{ content: "{words}"; color: #8c1c13; font: 700 9pt Arial, sans-serif; }} }}\n'


def _mark(document: Document) -> str:
    if not document.mark:
        return ""
    return f'<div class="mark" role="note">{_text(document.mark)}</div>\n'


def _front(document: Document) -> str:
    facts = "".join(f"<div><dt>{_text(term)}</dt><dd>{_text(words)}</dd></div>" for term, words in document.facts)
    front = "".join(map(_block, document.front))
    return (
        f'<header>\n<p class="subtitle">{_text(document.subtitle)}</p>\n<h1 dir="auto">{_text(document.title)}</h1>\n'
        f'<dl class="facts">{facts}</dl>\n{front}</header>'
    )


def _contents(document: Document) -> str:
    entries = [(section.id, section.title) for section in document.sections]
    if document.references:
        entries.append(("references", "References"))
    items = "".join(f'<li><a href="#{_quoted(id_)}">{_text(title)}</a></li>' for id_, title in entries)
    return f'<nav aria-label="Contents"><h2>Contents</h2><ol>{items}</ol></nav>'


def _section(section: Section, depth: int) -> str:
    level = min(depth, 6)
    blocks = "\n".join(_block(block) for block in section.blocks)
    inner = "\n".join(_section(part, depth + 1) for part in section.sections)
    id_ = _quoted(section.id)
    return (
        f'<section id="{id_}" aria-labelledby="{id_}-title">\n'
        f'<h{level} id="{id_}-title" dir="auto">{_text(section.title)}</h{level}>\n{blocks}\n{inner}</section>'
    )


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_block.register
def _(block: Paragraph) -> str:
    return f'<p dir="auto">{_runs(block.runs)}</p>'


@_block.register
def _(block: Listing) -> str:
    tag = "ol" if block.ordered else "ul"
    items = "".join(f'<li dir="auto">{_runs(item.runs)}</li>' for item in block.items)
    return f"<{tag}>{items}</{tag}>"


@_block.register
def _(block: Definitions) -> str:
    entries = "".join(f"<dt>{_text(term)}</dt><dd>{_runs(words.runs)}</dd>" for term, words in block.entries)
    return f'<dl class="definitions">{entries}</dl>'


@_block.register
def _(block: Callout) -> str:
    inside = "".join(_block(inner) for inner in block.blocks)
    return (
        f'<aside class="callout {block.kind}" aria-label="{_quoted(block.title)}">'
        f'<p class="callout-title">{_text(block.title)}</p>{inside}</aside>'
    )


@_block.register
def _(block: Figure) -> str:
    svg = to_svg(block.scene, prefix=block.id).replace("<svg ", f'<svg style="max-width:{block.scene.width:.0f}pt" ', 1)
    return (
        f'<figure id="{_quoted(block.id)}" class="picture">\n<div class="frame">{svg}</div>\n'
        f"<figcaption><b>{_text(block.label)}.</b> {_text(block.title)} "
        f'<span class="legend">{_text(block.caption)}</span></figcaption>\n</figure>'
    )


@_block.register
def _(block: Table) -> str:
    notes = "".join(
        f'<p dir="auto">{f"<sup>{_text(note.mark)}</sup> " if note.mark else ""}{_text(note.text)}</p>'
        for note in block.footnotes
    )
    rows = "\n".join(_row(row, block) for row in block.rows)
    short = " short" if len(block.rows) <= SHORT else ""
    return (
        f'<figure id="{_quoted(block.id)}" class="table{" wide" if block.wide else ""}{short}">\n'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_quoted(block.label)}">\n<table>\n'
        f'<caption dir="auto"><b>{_text(block.label)}.</b> {_text(block.title)}</caption>\n'
        f"<thead>\n{_spanners(block)}{_heads(block)}\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n"
        f"{f'<figcaption>{notes}</figcaption>' if notes else ''}\n</figure>"
    )


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
    heads = "".join(f'<th scope="col" class="{column.align}">{_inside(column.head)}</th>' for column in table.columns)
    return f"<tr>{heads}</tr>"


def _row(row: Row, table: Table) -> str:
    head = f'scope="row" class="indent-{row.indent}" dir="auto"'
    if len(row.cells) == 1 and len(table.columns) > 1:
        return f'<tr class="group"><th {head} colspan="{len(table.columns)}">{_inside(row.cells[0])}</th></tr>'
    first, *others = row.cells
    cells = "".join(
        f'<td class="{column.align}"{_result(cell.result)}>{_inside(cell)}</td>'
        for cell, column in zip(others, table.columns[1:], strict=True)
    )
    look = ' class="strong"' if row.strong else ""
    return f"<tr{look}><th {head}>{_inside(first)}</th>{cells}</tr>"


def _inside(cell: Cell) -> str:
    marks = f"<sup>{_text(','.join(cell.notes))}</sup>" if cell.notes else ""
    lines = "<br>".join(_text(line) for line in cell.text.split("\n"))
    return f"{lines}{marks}"


def _runs(runs: Iterable[Run]) -> str:
    return "".join(map(_run, runs))


def _run(run: Run) -> str:
    words = _text(run.text)
    tag = {"strong": "strong", "emphasis": "em", "code": "code"}.get(run.emphasis)
    if tag:
        words = f"<{tag}>{words}</{tag}>"
    if run.result:
        words = f'<span class="number"{_result(run.result)}>{words}</span>'
    if run.cites:
        links = ",".join(f'<a href="#reference-{number}">{number}</a>' for number in run.cites)
        words += f'<sup class="cite">{links}</sup>'
    return words


def _references(references: tuple[Reference, ...]) -> str:
    if not references:
        return ""
    items = "\n".join(f'<li id="reference-{work.number}">{_work(work)}</li>' for work in references)
    return (
        '<section id="references" aria-labelledby="references-title">\n<h2 id="references-title">References</h2>\n'
        f'<ol class="references">\n{items}\n</ol>\n</section>\n'
    )


def _work(work: Reference) -> str:
    if not work.doi:
        return _text(work.text)
    return f'{_text(work.text)} <a href="https://doi.org/{_quoted(work.doi)}">doi:{_text(work.doi)}</a>'


def _result(result: str | None) -> str:
    return f' data-result="{_quoted(result)}"' if result else ""


def _clean(text: str) -> str:
    """Characters that HTML forbids are shown as the replacement character; bidirectional controls cannot leak."""
    return "".join(
        character
        if character in "\t\n" or (character >= " " and not _control(character))
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _control(character: str) -> bool:
    return (
        "\x7f" <= character <= "\x9f"
        or character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff"
    )


def _text(text: str) -> str:
    return escape(_clean(text), quote=False)


def _quoted(text: str) -> str:
    return escape(_clean(text), quote=True)
