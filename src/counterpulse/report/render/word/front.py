"""What stands before the sections and after them: the title page with the contents, and the index of results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.report.document import Document
from counterpulse.report.render.word.ledger import Entry, Heading, Ledger
from counterpulse.report.render.word.ooxml import field_around, link, paragraph, run
from counterpulse.report.render.word.pages import UPRIGHT, Piece
from counterpulse.report.render.word.prose import heading, pieces, two_columns
from counterpulse.report.render.word.tables import RULES, cell, frame, row, twips

LISTED = 2
"""The contents show this many levels of headings."""
ON_TITLE_PAGE = 16
"""Longer contents have a page of their own."""
INDEX = "Index of results"
EXPLAINED = (
    "Each number of this report under the identifier that results.json, the spreadsheets and the HTML page know it by, "
    "with a link to where it stands."
)
INDEX_WIDTHS = (0.52 * UPRIGHT, 0.27 * UPRIGHT, 0.21 * UPRIGHT)


def title_page(document: Document, ledger: Ledger) -> Iterator[Piece]:
    """Title, facts, and what must be seen first."""
    yield Piece(paragraph(run(document.title), "Title", says=document.title))
    yield Piece(paragraph(run(document.subtitle), "Subtitle", says=document.subtitle))
    entries = tuple((term, run(words), words) for term, words in document.facts)
    yield Piece(two_columns(entries, "The study"))
    for block in document.front:
        yield from pieces(block, ledger)


def contents(headings: Sequence[Heading]) -> Iterator[Piece]:
    """A table of contents that Word can bring up to date; its lines are links, so none is needed before."""
    shown = [heading for heading in headings if heading.level <= LISTED]
    if not shown:
        return
    lines = [link(heading.bookmark, run(heading.title)) for heading in shown]
    begin, end = field_around(f'TOC \\o "1-{LISTED}" \\h \\n \\z \\u')
    lines[0], lines[-1] = begin + lines[0], lines[-1] + end
    yield Piece(paragraph(run("Contents"), "ContentsHeading", new_page=len(shown) > ON_TITLE_PAGE))
    for heading_, line in zip(shown, lines, strict=True):
        yield Piece(paragraph(line, f"TOC{heading_.level}", says=heading_.title))


def index(ledger: Ledger) -> Iterator[Piece]:
    """Every result by its id: as it is printed, and where."""
    if not ledger.entries:
        return
    yield heading(INDEX, 1, ledger, new_page=True)
    yield Piece(paragraph(run(EXPLAINED), "Normal", keep=True))
    widths = twips(INDEX_WIDTHS)
    heads = (paragraph(run(words, bold=True), "TableText", keep=True) for words in ("Result", "As printed", "Where"))
    head = row("".join(cell(words, width, rule=True) for words, width in zip(heads, widths, strict=True)), head=True)
    entries = sorted(ledger.entries, key=lambda entry: (entry.result, entry.bookmark))
    rows = "".join(_entry(entry, widths) for entry in entries)
    yield Piece(frame(INDEX_WIDTHS, head + rows, INDEX, EXPLAINED, look=RULES) + paragraph("", "TableEnd"))


def _entry(entry: Entry, widths: Sequence[int]) -> str:
    texts = (
        (run(entry.result, style="ResultId"), entry.result),
        (run(entry.printed), entry.printed),
        (link(entry.bookmark, run(entry.place, style="Hyperlink")), entry.place),
    )
    return row(
        "".join(
            cell(paragraph(content, "TableTextSmall", says=words), width)
            for (content, words), width in zip(texts, widths, strict=True)
        )
    )
