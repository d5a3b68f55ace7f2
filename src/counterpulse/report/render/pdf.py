"""The document as a tagged PDF (PDF/UA-1), typeset by Typst: the look of a journal's research report on A4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, singledispatch
from importlib.resources import files
from math import ceil
from typing import Literal
from urllib.parse import quote

from counterpulse.report.document import (
    Block,
    Callout,
    Definitions,
    Document,
    Figure,
    Listing,
    Paragraph,
    Reference,
    Section,
    Table,
    blocks_of,
    sections_of,
)
from counterpulse.report.figures.typeface import text_width, wrap
from counterpulse.report.render.typst.columns import SIDEWAYS, UPRIGHT, fit
from counterpulse.report.render.typst.tables import tabular
from counterpulse.report.render.typst.words import HEADING, literal, runs, several, string
from counterpulse.report.typesetting import image, to_pdf, to_picture_svg

TALL, LOW = 700.0, 440.0
"""The heights between the margins, upright and on the side, in points."""
CAPTION_LINE = 13.0
NEW_PAGE = "pagebreak(weak:true)"
SMALLEST = 0.7
"""A picture that would have to shrink further to fit upright is set on a page on its side."""
SHORT = 240
"""Characters of a paragraph that only leads to the table or figure after it, and stays with it."""
LISTED = 14
"""Contents with more entries stand in two columns, unless they are more than a page can hold."""
ENTRY_SIZE, ENTRY_WIDTH, ENTRY_LINE, ENTRY_SPACE = 8.5, 195.0, 10.4, 2.2
NARROWEST, MARGIN = 320.0, 8.0
"""A table alone is no narrower than its caption can be read, and has a margin, in points."""
RUNNING = 400.0
"""The room of the title at the foot of a page, in points."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An expression of the source, and how it stands on the page; a lead is a short paragraph."""

    source: str
    sideways: bool = False
    kind: Literal["heading", "lead", "block", "display"] = "block"


def render_pdf(document: Document) -> bytes:
    """Render the whole report; the same document gives the same bytes."""
    return to_pdf(typst_source(document))


def table_as_svg(table: Table) -> str:
    """A table alone, as the report sets it; the same table gives the same text."""
    found = fit(table)
    width = max(sum(found.widths), NARROWEST)
    page = f"#set page(width:{width + 2 * MARGIN:.2f}pt,height:auto,margin:{MARGIN}pt)"
    parts = (
        "#let listed = ()",
        "#let places = ()",
        _style(),
        page,
        '#show: typography.with("en")',
        f"#{tabular(table, found)}",
    )
    return to_picture_svg("\n".join(parts))


def typst_source(document: Document) -> str:
    """The report in Typst's language."""
    mark = string(_clipped(document.mark, UPRIGHT, 8.0, bold=True)) if document.mark else "none"
    keywords = several(string(part.strip()) for part in document.subtitle.split("\N{MIDDLE DOT}") if part.strip())
    pieces = [piece for section in document.sections for piece in _section(section, 1)]
    return "\n".join(
        (
            f"#let listed = {several(str(work.number) for work in document.references)}",
            f"#let places = {several(map(string, _places(document)))}",
            _style(),
            f"#show: report.with(title:{string(document.title)},description:{string(document.subtitle)},keywords:{keywords},"
            f"language:{string(document.language)},mark:{mark},running:{string(_clipped(document.title, RUNNING, 7.5))})",
            f"#{_cover(document)}",
            *_pages(_with_their_displays(pieces)),
            *_ending(document),
        )
    )


def _places(document: Document) -> Iterator[str]:
    """The ids that a link can lead to."""
    yield from (section.id for section in sections_of(document.sections))
    yield from (block.id for block in blocks_of(document.sections) if isinstance(block, Table | Figure))


@cache
def _style() -> str:
    return (files("counterpulse.report.render.typst") / "report.typ").read_text(encoding="utf-8")


def _clipped(words: str, width: float, size: float, *, bold: bool = False) -> str:
    """What of a text goes on one line at the head or foot of a page."""
    first, *more = wrap(words, width - size, size, bold=bold)
    return f"{first} \N{HORIZONTAL ELLIPSIS}" if more else first


def _cover(document: Document) -> str:
    facts = several(f"({literal(term)},{literal(words)})" for term, words in document.facts)
    listed = f"contents(height:{_half(document)})" if document.sections else "none"
    return (
        f"cover(subtitle:{literal(document.subtitle)},words:{literal(document.title, room=HEADING)},facts:{facts},"
        f"front:{_joined(document.front)},contents:{listed})"
    )


def _half(document: Document) -> str:
    """The height of the contents in two columns; `none` when one column will do."""
    entries = [(section.title, 1) for section in document.sections]
    entries += [(part.title, 2) for section in document.sections for part in section.sections]
    lines = (ceil(text_width(title, ENTRY_SIZE) / ENTRY_WIDTH) for title, _ in entries)
    height = sum(lines) * ENTRY_LINE + len(document.sections) * ENTRY_SPACE
    if not LISTED < len(entries) <= 4 * LISTED:
        return "none"
    return f"{height / 2 + 2 * ENTRY_LINE:.1f}pt"


def _section(section: Section, level: int) -> Iterator[Piece]:
    if section.new_page:
        yield Piece(NEW_PAGE, kind="heading")
    yield Piece(f"section({level},{string(section.id)},{literal(section.title, room=HEADING)})", kind="heading")
    for block in section.blocks:
        yield _piece(block)
    for part in section.sections:
        yield from _section(part, level + 1)


def _piece(block: Block) -> Piece:
    if isinstance(block, Table):
        found = fit(block)
        return Piece(tabular(block, found), sideways=found.sideways, kind="display")
    if isinstance(block, Figure):
        return _picture(block)
    return Piece(_block(block), kind="lead" if isinstance(block, Paragraph) and len(block.text) <= SHORT else "block")


def _with_their_displays(pieces: Sequence[Piece]) -> list[Piece]:
    """Headings, and a paragraph that only leads to a table or figure, stay with it, also on a turned page."""
    kept: list[Piece] = []
    for at in reversed(range(len(pieces))):
        begins = at > 0 and pieces[at - 1].kind == "heading"
        kept.append(_beside(pieces[at], kept[-1], begins) if kept else pieces[at])
    return kept[::-1]


def _beside(piece: Piece, after: Piece, begins: bool) -> Piece:
    """A piece with what comes after it; a lead that `begins` its section goes with its table to the turned page."""
    leads = piece.kind == "lead" and after.kind == "display"
    source = f"block(sticky:true,{piece.source})" if leads else piece.source
    turned = after.sideways and (piece.kind == "heading" or (leads and begins))
    return replace(piece, source=source, sideways=piece.sideways or turned)


def _pages(pieces: Sequence[Piece]) -> Iterator[str]:
    """The pieces one after the other; those on a turned page share it with their neighbors."""
    turned = False
    for piece in pieces:
        if piece.source == NEW_PAGE and piece.sideways and not turned:
            continue  # a turned page is a new one
        if piece.sideways and not turned:
            yield "#page(flipped: true)["
        if turned and not piece.sideways:
            yield "]"
        turned = piece.sideways
        yield f"#{piece.source}"
    if turned:
        yield "]"


def _joined(blocks: Sequence[Block]) -> str:
    return f"{{{';'.join(_piece(block).source for block in blocks)}}}" if blocks else "none"


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"no PDF for {type(block).__name__}")


@_block.register
def _(block: Paragraph) -> str:
    return f"para({runs(block.runs)})"


@_block.register
def _(block: Listing) -> str:
    items = ",".join(runs(item.runs) for item in block.items)
    return f"{'enum' if block.ordered else 'list'}({items})"


@_block.register
def _(block: Definitions) -> str:
    entries = ",".join(f"({literal(term)},{runs(words.runs)})" for term, words in block.entries)
    return f"definitions({entries})"


@_block.register
def _(block: Callout) -> str:
    return f"callout({string(block.kind)},{literal(block.title)},{_joined(block.blocks)})"


def _picture(figure: Figure) -> Piece:
    upright, sideways = _scale(figure, UPRIGHT, TALL), _scale(figure, SIDEWAYS, LOW)
    turned = upright < SMALLEST and sideways > upright
    width = figure.scene.width * max(upright, sideways if turned else 0)
    caption = f"{{strong({string(f'{figure.label}.')});[ ];{literal(figure.title)};[ ];{literal(figure.caption)}}}"
    drawn = image(figure.scene, prefix=figure.id, width=width)
    return Piece(f"picture({string(figure.id)},{caption},{drawn})", sideways=turned, kind="display")


def _scale(figure: Figure, width: float, height: float) -> float:
    """How much of its size a picture can have on a page with its caption."""
    words = text_width(f"{figure.label}. {figure.title} {figure.caption}", 8.5)
    room = max(height - CAPTION_LINE * (2 + words // width), height / 3)
    return min(width / figure.scene.width, room / figure.scene.height, 1.0)


def _ending(document: Document) -> Iterator[str]:
    """The works, and after them how the report was made."""
    colophon = f"colophon({literal(document.colophon)})" if document.colophon else "none"
    if document.references:
        entries = ",\n".join(f"reference({work.number},{_work(work)})" for work in document.references)
        yield '#section(1,"references","References")'
        yield f"#references(colophon:{colophon},{entries})"
    elif document.colophon:
        yield f"#{colophon}"


def _work(work: Reference) -> str:
    if not work.doi:
        return literal(work.text)
    return f"{literal(work.text)}+[ ]+link({string(f'https://doi.org/{quote(work.doi)}')},{literal(f'doi:{work.doi}')})"
