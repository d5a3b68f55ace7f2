"""Headings, paragraphs, lists, definitions, callouts and references."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from counterpulse.report.document import (
    Block,
    Callout,
    Definitions,
    Figure,
    Listing,
    Paragraph,
    Reference,
    Run,
    Section,
    Table,
)
from counterpulse.report.figures.typeface import text_width
from counterpulse.report.render.word.drawings import figure_piece
from counterpulse.report.render.word.ledger import BULLETS, Heading, Ledger
from counterpulse.report.render.word.ooxml import TWIPS, link, paragraph, run
from counterpulse.report.render.word.pages import UPRIGHT, Piece
from counterpulse.report.render.word.styles import CALLOUT_INDENT, CALLOUTS, CELL_MARGIN, DEEPEST, HANGING, TABLE_SIZE
from counterpulse.report.render.word.tables import cell, frame, row, table_piece

WIDEST_TERM = 0.34
"""The share of the page that the terms of definitions take at most."""

KEPT_TERMS = 12
"""No more definitions than these stay on one page."""
OUTDENT = f'<w:tblInd w:w="-{CELL_MARGIN}" w:type="dxa"/>'
"""Text without rules stands at the margin."""


@singledispatch
def pieces(block: Block, ledger: Ledger) -> Iterator[Piece]:
    """What a block is in Word."""
    raise TypeError(f"no Word for {type(block).__name__}")


@pieces.register
def _(block: Paragraph, ledger: Ledger) -> Iterator[Piece]:
    yield Piece(paragraph(runs(block, ledger), "Normal", says=block.text), weight=max(1, len(block.text)))


@pieces.register
def _(block: Listing, ledger: Ledger) -> Iterator[Piece]:
    yield Piece(_items(block, ledger, "ListParagraph", 0))


@pieces.register
def _(block: Definitions, ledger: Ledger) -> Iterator[Piece]:
    entries = tuple((term, runs(words, ledger), words.text) for term, words in block.entries)
    yield Piece(two_columns(entries, "Definitions"))


@pieces.register
def _(block: Callout, ledger: Ledger) -> Iterator[Piece]:
    place, ledger.place = ledger.place, block.title
    style, color, _ = CALLOUTS[block.kind]
    title = paragraph(run(block.title, bold=True, color=color), style, says=block.title, keep=True)
    yield Piece(title)
    for inner in block.blocks:
        if isinstance(inner, Paragraph):
            yield Piece(paragraph(runs(inner, ledger), style, says=inner.text))
        elif isinstance(inner, Listing):
            yield Piece(_items(inner, ledger, style, CALLOUT_INDENT))
        else:
            yield from pieces(inner, ledger)
    yield Piece(paragraph("", "TableEnd"))
    ledger.place = place


@pieces.register
def _(block: Table, ledger: Ledger) -> Iterator[Piece]:
    yield table_piece(block, ledger)


@pieces.register
def _(block: Figure, ledger: Ledger) -> Iterator[Piece]:
    yield figure_piece(block, ledger)


def heading(title: str, level: int, ledger: Ledger, *, id_: str | None = None, new_page: bool = False) -> Piece:
    """A heading, entered in the contents; that of a section has its id."""
    name = ledger.name("section") if id_ is None else ledger.target(id_, "section")
    ledger.headings.append(Heading(title, level, name))
    style = f"Heading{min(level, DEEPEST)}"
    return Piece(paragraph(ledger.bookmark(run(title), name), style, says=title, new_page=new_page), weight=0)


def runs(words: Paragraph, ledger: Ledger) -> str:
    """The runs of a paragraph: numbers with their bookmarks, citations with links to the works."""
    return "".join(_run(part, ledger) for part in words.runs)


def _run(part: Run, ledger: Ledger) -> str:
    style = "Code" if part.emphasis == "code" else None
    content = run(part.text, style=style, bold=part.emphasis == "strong", italic=part.emphasis == "emphasis")
    content = ledger.printed(content, part.text, part.result)
    links = (link(reference_name(number), run(str(number), raised=True)) for number in part.cites)
    return content + run(",", raised=True).join(links)


def _items(block: Listing, ledger: Ledger, style: str, indent: int) -> str:
    number = ledger.ordered_list() if block.ordered else BULLETS
    left = indent + HANGING
    return "".join(
        paragraph(runs(item, ledger), style, says=item.text, numbered=number, indent=left, hanging=HANGING)
        for item in block.items
    )


def two_columns(entries: tuple[tuple[str, str, str], ...], title: str) -> str:
    """Terms beside what they are: for each the term, the runs of its words, and the words themselves."""
    widest = max((text_width(term, TABLE_SIZE + 1, bold=True) for term, _, _ in entries), default=0.0) + 12
    term_width = min(widest, WIDEST_TERM * UPRIGHT)
    widths = (term_width, UPRIGHT - term_width)
    term_twips, words_twips = (round(width * TWIPS) for width in widths)
    together = len(entries) <= KEPT_TERMS
    rows = "".join(
        row(
            cell(paragraph(run(term, bold=True), "Definition", says=term, keep=together and left > 0), term_twips)
            + cell(paragraph(content, "Definition", says=words), words_twips)
        )
        for left, (term, content, words) in zip(range(len(entries) - 1, -1, -1), entries, strict=True)
    )
    return (
        f"{frame(widths, rows, title, title, headed=False, look=OUTDENT)}{paragraph('', 'TableEnd')}" if entries else ""
    )


def reference_name(number: int) -> str:
    """The bookmark at which a work stands."""
    return f"reference_{number}"


def references(works: tuple[Reference, ...], ledger: Ledger) -> Iterator[Piece]:
    """The works under their numbers, each with a link to where it is found."""
    before, number = 0, 0
    for work in works:
        if work.number != before + 1 or not before:
            number = ledger.ordered_list(start=work.number)
        before = work.number
        content = ledger.bookmark(run(work.text), reference_name(work.number))
        yield Piece(paragraph(content + _doi(work, ledger), "Bibliography", says=work.text, numbered=number))


def _doi(work: Reference, ledger: Ledger) -> str:
    if not work.doi:
        return ""
    address = run(f"doi:{work.doi}", style="Hyperlink")
    return f'{run(" ")}<w:hyperlink r:id="{ledger.package.doi(work.doi)}" w:history="1">{address}</w:hyperlink>'


def written(section: Section, ledger: Ledger, level: int = 1) -> Iterator[Piece]:
    """A section with those inside it."""
    ledger.place = section.title
    yield heading(section.title, level, ledger, id_=section.id, new_page=section.new_page)
    for block in section.blocks:
        yield from pieces(block, ledger)
    for inner in section.sections:
        yield from written(inner, ledger, level + 1)
