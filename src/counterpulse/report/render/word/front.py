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
"""The contents show this many levels of headings,"""
ON_TITLE_PAGE = 20
"""but the first alone when there would be more lines than the title page has room for."""
INDEX = "Index of results"
EXPLAINED = (
    "Each number of this report under the identifier that results.json, the spreadsheets and the HTML page know it by, "
    "with a link to where it stands."
)
MANY, MOST_FORMS = "Several numbers", 2
"""An estimate is printed in no more forms in one place, with the name of its interval and without."""
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
    levels = LISTED if len(shown) <= ON_TITLE_PAGE else 1
    shown = [heading for heading in shown if heading.level <= levels]
    lines = [link(heading.bookmark, run(heading.title)) for heading in shown]
    begin, end = field_around(f'TOC \\o "1-{levels}" \\h \\n \\z \\u')
    lines[0], lines[-1] = begin + lines[0], lines[-1] + end
    yield Piece(paragraph(run("Contents"), "ContentsHeading"))
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
    entries: dict[str, list[Entry]] = {}
    for entry in sorted(ledger.entries, key=lambda entry: (entry.result, entry.bookmark)):
        entries.setdefault(entry.result, []).append(entry)
    rows = "".join(_entry(result, places, widths) for result, places in entries.items())
    yield Piece(frame(INDEX_WIDTHS, head + rows, INDEX, EXPLAINED, look=RULES) + paragraph("", "TableEnd"))


def _entry(result: str, entries: Sequence[Entry], widths: Sequence[int]) -> str:
    """A result as it is printed in the fewest letters, and each place; of what has many numbers none stands for all."""
    places: dict[str, list[Entry]] = {}
    for entry in entries:
        places.setdefault(entry.place, []).append(entry)
    forms = max(len({entry.printed for entry in own}) for own in places.values())
    printed = min((entry.printed for entry in entries), key=len) if forms <= MOST_FORMS else MANY
    links = (link(own[0].bookmark, run(place, style="Hyperlink")) for place, own in places.items())
    texts = (
        (run(result, style="ResultId"), result),
        (run(printed), printed),
        (run("; ").join(links), "; ".join(places)),
    )
    return row(
        "".join(
            cell(paragraph(content, "TableTextSmall", says=words), width)
            for (content, words), width in zip(texts, widths, strict=True)
        )
    )
