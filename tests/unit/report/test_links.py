"""Cells that lead to sections, tables and figures, in every format."""

from __future__ import annotations

import re

from word_reading import W, find, table, tree_of, words

from counterpulse.report.chapters.supplement.places import linked, places_of
from counterpulse.report.document import Cell, Document, Row, Section, text
from counterpulse.report.render.html import render_html
from counterpulse.report.render.pdf import render_pdf, table_as_svg, typst_source
from counterpulse.report.render.word.docx import render_docx

PLACES = {
    "Table 2": "effects",
    "Table S3": "more",
    "Figure 1": "flow",
    "Study design": "design",
    "Outcomes": "outcomes",
}


def test_labels_and_titles_lead_to_their_places():
    cell = linked("Tables 2, S3–S5, 9; Figure 1; Study design, Outcomes; Title page", PLACES)
    assert cell.links == (
        ("2", "effects"), ("S3", "more"), ("Figure 1", "flow"), ("Study design", "design"), ("Outcomes", "outcomes"),
    )  # fmt: skip
    assert "".join(piece for piece, _ in cell.pieces()) == cell.text


def test_a_text_without_places_is_one_piece():
    assert list(Cell("nothing").pieces()) == [("nothing", None)]
    assert list(Cell().pieces()) == [("", None)]
    assert list(Cell("other", links=(("absent", "x"),)).pieces()) == [("other", None)]


def document():
    own = table(
        "shown", label="Table 1", columns=2,
        rows=(Row((Cell("A1"), Cell("Tables 2, 9; Study design", links=(("2", "effects"), ("9", "nowhere"), ("Study design", "design"))))),),
    )  # fmt: skip
    return Document(
        title="T", subtitle="S", facts=(), sections=(
            Section(id="first", title="First", blocks=(own,)),
            Section(id="design", title="Study design", blocks=(text("Words."), table("effects", label="Table 2"))),
        ),
    )  # fmt: skip


def test_places_are_known_by_label_and_title():
    assert places_of(document().sections) == {
        "First": "first", "Study design": "design", "Table 1": "shown", "Table 2": "effects",
    }  # fmt: skip


def test_html_leads_to_the_anchor():
    page = render_html(document())
    assert '<a href="#effects">2</a>' in page
    assert '<a href="#design">Study design</a>' in page
    assert 'id="effects"' in page


def test_pdf_leads_to_places_that_stand_in_it_only():
    source = typst_source(document())
    assert re.findall(r'goto\("(\w+)"', source) == ["effects", "nowhere", "design"]
    assert '#let places = ("first","design","shown","effects",)' in source
    assert render_pdf(document()).startswith(b"%PDF")


def test_word_leads_to_the_bookmark_forward_too():
    tree = tree_of(render_docx(document(), {}))
    links = {words(link): link.get(f"{W}anchor") for link in find(tree, "//w:tbl//w:hyperlink")}
    assert set(links) == {"2", "Study design"}
    marks = {mark.get(f"{W}name"): mark for mark in find(tree, "//w:bookmarkStart")}
    assert set(links.values()) <= set(marks)
    assert words(marks[links["Study design"]].getnext()) == "Study design"


def test_a_table_alone_has_no_links_to_lead_anywhere():
    own = document().sections[0].blocks[0]
    picture = table_as_svg(own)
    assert picture.startswith("<svg")
    assert "<a " not in picture
    assert table_as_svg(own) == picture
