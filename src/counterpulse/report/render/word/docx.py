"""The document as a Word file, and a table of it as a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.report.document import Document, Figure, Table, opened, sections_of
from counterpulse.report.render.word.front import contents, index, title_page
from counterpulse.report.render.word.ledger import Ledger
from counterpulse.report.render.word.ooxml import paragraph, run
from counterpulse.report.render.word.pages import Piece, Setup, footer_xml, header_xml, laid_out
from counterpulse.report.render.word.prose import heading, references, written
from counterpulse.report.render.word.styles import numbering_xml, settings_xml, styles_xml
from counterpulse.report.render.word.tables import table_piece


def render_docx(document: Document, pictures: Mapping[str, bytes], *, line_numbers: bool = False) -> bytes:
    """Render the whole report.

    Parameters
    ----------
    document : what the report says
    pictures : its figures as PNG, by id
    line_numbers : number the lines of the text through the whole file

    Returns
    -------
    bytes : the file; the same document gives the same bytes
    """
    ledger = _ledger(pictures)
    _reserve(document, ledger)
    first = [*title_page(document, ledger)]
    body = [piece for section in document.sections for piece in written(section, ledger)]
    if document.references:
        body += [heading("References", 1, ledger), *references(document.references, ledger)]
    body += index(ledger)
    if document.colophon:
        body.append(Piece(paragraph(run(document.colophon), "Colophon", says=document.colophon)))
    pieces = [*first, *contents(ledger.headings), *body]
    return _file(document, pieces, ledger, title=document.title, line_numbers=line_numbers)


def render_table_docx(document: Document, table: Table) -> bytes:
    """Render one table of a report with its caption and footnotes, as submission systems ask for it."""
    ledger = _ledger({})
    return _file(document, [table_piece(table, ledger)], ledger, title=f"{table.label}. {table.title}")


def _reserve(document: Document, ledger: Ledger) -> None:
    """Name what a link can lead to, also backward: sections, tables and figures."""
    for section in sections_of(document.sections):
        ledger.reserve(section.id, "section")
        for block in opened(section.blocks):
            if isinstance(block, Table | Figure):
                ledger.reserve(block.id, "table" if isinstance(block, Table) else "figure")


def _ledger(pictures: Mapping[str, bytes]) -> Ledger:
    from counterpulse.report.render.word.package import WordPackage  # brings python-docx

    return Ledger(WordPackage(), pictures)


def _file(
    document: Document, pieces: Sequence[Piece], ledger: Ledger, *, title: str, line_numbers: bool = False
) -> bytes:
    package, language = ledger.package, document.language
    package.add("styles", styles_xml(language))
    package.add("numbering", numbering_xml(ledger.starts))
    package.add("settings", settings_xml(language))
    header = package.add("header1", header_xml(document.mark)) if document.mark else None
    footer = package.add("footer1", footer_xml(document.title))
    body = laid_out(pieces, Setup(header, footer, line_numbers))
    return package.to_bytes(body, title=title, subject=document.subtitle, language=language)
