"""Pages: upright ones, and pages on their side for what is too wide; header, footer and numbers of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from counterpulse.report.render.word.ooxml import NAMESPACES, TWIPS, field, paragraph, run

SHORT_SIDE, LONG_SIDE, MARGIN = 11906, 16838, 1418
"""A4 with margins of 2.5 cm, in twentieths of a point."""
UPRIGHT = (SHORT_SIDE - 2 * MARGIN) / TWIPS
SIDEWAYS = (LONG_SIDE - 2 * MARGIN) / TWIPS
"""The widths of text on both kinds of page, in points."""
FIRM = 10_000
TAKEN_ALONG = 900
"""How many characters of text turn with the table they introduce, so that no page holds a heading alone."""
LONGEST_TITLE = 90
BETWEEN = "  \N{MIDDLE DOT}  "


@dataclass(frozen=True, slots=True)
class Piece:
    """Paragraphs and tables that stand together. `weight` is 0 for a heading, the length of a paragraph, `FIRM` for others."""

    xml: str
    wide: bool = False
    weight: int = FIRM


@dataclass(frozen=True, slots=True)
class Setup:
    """What all pages share: the relationships of their header, if any, and footer, and whether lines are numbered."""

    header: str | None
    footer: str
    line_numbers: bool = False


def laid_out(pieces: Sequence[Piece], setup: Setup) -> str:
    """The body of a document."""
    pieces = [piece for piece in pieces if piece.xml]
    turned = zip(_turned(pieces), pieces, strict=True)
    parts = [
        (wide, "".join(piece.xml for _, piece in group)) for wide, group in groupby(turned, key=lambda item: item[0])
    ]
    *others, (last_wide, last) = parts or [(False, "")]
    body = "".join(_ended(xml, wide, setup) for wide, xml in others)
    return f"{body}{last}{_section(last_wide, setup)}"


def _ended(xml: str, wide: bool, setup: Setup) -> str:
    """A section whose last paragraph says what its pages are; one added for that could begin a page of its own."""
    before, end, after = xml.rpartition("</w:pPr>")
    return f"{before}{_section(wide, setup)}{end}{after}"


def _turned(pieces: Sequence[Piece]) -> list[bool]:
    """Which pieces lie on their side: the wide ones, and headings and short texts before them that would stand alone."""
    turned = [piece.wide for piece in pieces]
    for place in (place for place, piece in enumerate(pieces) if piece.wide):
        first, weight = place, 0
        while first > 0 and not turned[first - 1] and weight + pieces[first - 1].weight <= TAKEN_ALONG:
            first -= 1
            weight += pieces[first].weight
        between = range(first, place)
        if first > 0 and not turned[first - 1]:
            between = range(next((step for step in between if pieces[step].weight == 0), place), place)
        for step in between:
            turned[step] = True
    return turned


def _section(wide: bool, setup: Setup) -> str:
    header = f'<w:headerReference w:type="default" r:id="{setup.header}"/>' if setup.header else ""
    width, height = (LONG_SIDE, SHORT_SIDE) if wide else (SHORT_SIDE, LONG_SIDE)
    orient = ' w:orient="landscape"' if wide else ""
    numbers = '<w:lnNumType w:countBy="1" w:restart="continuous"/>' if setup.line_numbers else ""
    return (
        f'<w:sectPr>{header}<w:footerReference w:type="default" r:id="{setup.footer}"/><w:type w:val="nextPage"/>'
        f'<w:pgSz w:w="{width}" w:h="{height}"{orient}/>'
        f'<w:pgMar w:top="{MARGIN}" w:right="{MARGIN}" w:bottom="{MARGIN}" w:left="{MARGIN}" w:header="709" w:footer="709" '
        f'w:gutter="0"/>{numbers}<w:cols w:space="708"/></w:sectPr>'
    )


def header_xml(mark: str) -> str:
    """The part that stands above every page."""
    return f"<w:hdr {NAMESPACES}>{paragraph(run(mark), 'Header', says=mark)}</w:hdr>"


def footer_xml(title: str) -> str:
    """The part that stands under every page: a short title and the number of the page."""
    short = (
        title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE].rsplit(' ', 1)[0]}\N{HORIZONTAL ELLIPSIS}"
    )
    pages = f"{run('Page ')}{field('PAGE', '1')}{run(' of ')}{field('NUMPAGES', '1')}"
    return f"<w:ftr {NAMESPACES}>{paragraph(run(f'{short}{BETWEEN}') + pages, 'Footer', says=title)}</w:ftr>"
