from __future__ import annotations

import random
import re
from dataclasses import replace
from functools import cache
from io import BytesIO

import pytest
from pypdf import PdfReader
from test_html import CORPUS, everything

from counterpulse.report.chapters.order import compose
from counterpulse.report.document import (
    Callout,
    Cell,
    Column,
    Document,
    Figure,
    Footnote,
    Paragraph,
    Row,
    Run,
    Section,
    Table,
    blocks_of,
    text,
)
from counterpulse.report.figures.scene import Scene
from counterpulse.report.figures.scene import Text as SceneText
from counterpulse.report.fonts.coverage import shown
from counterpulse.report.render.pdf import render_pdf
from counterpulse.report.render.typst.columns import SIDEWAYS, UPRIGHT, fit, heights

OURS = ("LiberationSans", "DejaVuSans", "DroidSansFallback", "LibertinusSerif")
SEED = 20260101


def read(pdf):
    return PdfReader(BytesIO(pdf))


def words_of(reader):
    return squeezed("".join(page.extract_text() for page in reader.pages))


def squeezed(words):
    return re.sub(r"[\s\u200b\u00ad]+", "", words)


def rightmost(page):
    places = [0.0]
    page.extract_text(visitor_text=lambda words, _cm, tm, *_: places.append(tm[4]) if words.strip() else None)
    return max(places)


def around(*blocks, **more):
    return Document(
        title="A study", subtitle="cohort study", facts=(), sections=(Section(id="s", title="Part", blocks=blocks),), **more
    )  # fmt: skip


def table(columns, rows, **more):
    return Table(id="t", label="Table 1", title="Of many", columns=columns, rows=rows, **more)


def grid(columns, rows, words="12 (34.5)"):
    heads = (Column(Cell("Characteristic"), "left"), *(Column(Cell(f"Group {k}")) for k in range(columns)))
    body = tuple(Row((Cell(f"Row {r}"), *(Cell(words) for _ in range(columns)))) for r in range(rows))
    return table(heads, body)


@cache
def fonts(pdf):
    found = {}
    for page in read(pdf).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            inner = font["/DescendantFonts"][0] if "/DescendantFonts" in font else font
            found[str(font["/BaseFont"]).split("+")[-1]] = inner["/FontDescriptor"]
    return found


@pytest.fixture(scope="module")
def document(plan, result):
    return compose(result, plan)


@pytest.fixture(scope="module")
def pdf(document):
    return render_pdf(document)


@pytest.mark.parametrize("words", CORPUS)
def test_any_text_passes_the_check_of_pdf_ua(words):
    """Typst refuses to write a file that fails its check of PDF/UA-1."""
    reader = read(render_pdf(everything(words)))
    assert reader.metadata.title == shown(words)


def test_every_character_passes(plan):
    """Characters of the whole of Unicode, with marks and without, in words and in pictures."""
    dice = random.Random(SEED)
    marks = [
        "",
        "",
        "\u0301",
        "\u0323",
        "\u20dd",
        "\u3099",
        "\u05b8",
        "\u064b",
        "\ufe0f",
        "\u200d",
        "\U0001f3fb",
        "\u1160",
    ]
    lines = [
        "".join(chr(dice.randrange(0x30000)) + dice.choice(marks) + dice.choice(["", " "]) for _ in range(120))
        for _ in range(12)
    ]
    paragraphs = (
        Paragraph((Run(line), Run(line, "strong"), Run(line, "emphasis"), Run(line, "code"))) for line in lines
    )
    shapes = tuple(SceneText(x=0, y=12 * k, text=line, bold=k % 2 == 0) for k, line in enumerate(lines))
    picture = Figure(
        id="f", label="Figure 1", title="t", caption="c", alternative="a",
        scene=Scene(width=400, height=200, title="t", description="d", shapes=shapes),
    )  # fmt: skip
    assert render_pdf(around(*paragraphs, picture))


def test_the_same_document_gives_the_same_bytes(document, pdf):
    assert render_pdf(document) == pdf
    assert b"CreationDate" not in pdf


def test_the_file_is_tagged_and_says_what_it_is(document, pdf):
    reader = read(pdf)
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert reader.metadata.title == document.title
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]


def test_the_fonts_are_ours_and_embedded(pdf):
    for found in (fonts(pdf), fonts(render_pdf(everything("患者 עברית ≥ x")))):
        assert found
        assert all(name.startswith(OURS) for name in found)
        assert all("/FontFile2" in face or "/FontFile3" in face for face in found.values())


def test_every_cell_caption_and_note_can_be_found(document, pdf):
    found = words_of(read(pdf))
    for block in blocks_of(document.sections):
        if isinstance(block, (Table, Figure)):
            assert squeezed(f"{block.label}. {block.title}") in found
        if isinstance(block, Table):
            cells = [cell.text for row in block.rows for cell in row.cells] + [c.head.text for c in block.columns]
            missing = [words for words in cells if squeezed(words) not in found]
            assert missing == []
            assert all(squeezed(note.text) in found for note in block.footnotes)


def test_the_mark_stands_on_every_page(document, pdf):
    assert document.mark
    for page in read(pdf).pages:
        assert document.mark in page.extract_text()
    clean = read(render_pdf(replace(document, mark=None)))
    assert all(page.extract_text().split("\n")[0] != document.mark for page in clean.pages)


def test_every_page_has_its_number(pdf):
    reader = read(pdf)
    for number, page in enumerate(reader.pages, start=1):
        assert squeezed(f"{number} / {len(reader.pages)}") in squeezed(page.extract_text())


def test_headings_are_bookmarks_and_links_arrive(document, pdf):
    reader = read(pdf)

    def titles(items):
        return [name for item in items for name in (titles(item) if isinstance(item, list) else [item.title])]

    assert [section.title for section in document.sections] == [
        name for name in titles([item for item in reader.outline if not isinstance(item, list)]) if name != "References"
    ]
    links = [annotation.get_object() for page in reader.pages for annotation in page.get("/Annots", ())]
    inside = [link for link in links if "/Dest" in link or "/D" in link.get("/A", {})]
    outside = [link["/A"]["/URI"] for link in links if "/URI" in link.get("/A", {})]
    assert len(inside) > len(document.sections)
    assert outside
    assert all(address.startswith("https://doi.org/") for address in outside)


def test_heads_repeat_and_rows_stay_whole():
    reader = read(render_pdf(around(grid(3, 150))))
    with_rows = [page.extract_text() for page in reader.pages if "Row " in page.extract_text()]
    assert len(with_rows) >= 3
    assert all("Characteristic" in page for page in with_rows)


def test_a_caption_stands_on_the_page_of_its_first_row():
    fillers = [text("Words that fill the page. " * 14)] * 12
    for count in range(4, 12):
        reader = read(render_pdf(around(*fillers[:count], grid(2, 40))))
        pages = [page.extract_text() for page in reader.pages]
        caption = next(k for k, page in enumerate(pages) if "Table 1." in page)
        assert "Row 0" in pages[caption]


def test_a_wide_table_turns_the_page():
    reader = read(render_pdf(around(text("Before."), grid(9, 4, "a longer entry (12.3, 45.6)"), text("After."))))
    shapes = [page.mediabox.width > page.mediabox.height for page in reader.pages]
    assert True in shapes
    turned = reader.pages[shapes.index(True)].extract_text()
    assert "Table 1." in turned
    assert "After." not in turned


@pytest.mark.parametrize(("columns", "words"), [(12, "12 (34.5)"), (30, "12.3"), (40, "123 (45.6)"), (6, "x" * 300)])
def test_a_table_stays_on_the_paper(columns, words):
    drawn = grid(columns, 3, words)
    reader = read(render_pdf(around(drawn)))
    found = fit(drawn)
    assert sum(found.widths) <= (SIDEWAYS if found.sideways else UPRIGHT) + 1
    assert words_of(reader).count(squeezed(words)) >= 3 * columns
    assert all(rightmost(page) < float(page.mediabox.width) for page in reader.pages)


def test_odd_tables():
    empty = table((Column(Cell("a"), "left"), Column(Cell("b"))), ())
    lonely = replace(empty, id="u", rows=(Row((Cell("Group"),), strong=True),))
    tall = replace(
        empty, id="v", rows=(Row((Cell("tall " * 3000), Cell("b"))),), footnotes=(Footnote("a", "n" * 3000),)
    )
    one = table((Column(Cell("a"), "left"),), (Row((Cell("x"),)),))
    found = words_of(read(render_pdf(around(empty, lonely, tall, replace(one, id="w")))))
    assert found.count("tall") == 3000
    assert "Group" in found


def test_the_height_of_a_table_is_about_right():
    drawn = grid(3, 60)
    tall = heights(drawn, fit(drawn))
    assert len(tall) == 61
    assert min(tall) > 8


def test_same_ids_do_not_stop_it():
    section = Section(id="same", title="One", blocks=(text("a"),))
    document = replace(around(text("a")), sections=(section, section), front=(Paragraph((Run("b", cites=(1,)),)),))
    assert len(read(render_pdf(document)).pages) == 1


def test_a_section_begins_a_page_also_before_a_turned_one():
    wide = grid(9, 4, "a longer entry (12.3, 45.6)")
    boxed = Callout(kind="note", title="Box", blocks=(grid(2, 3), text("inside")))
    parts = (
        Section(id="a", title="First", blocks=(text("a"),)),
        Section(id="b", title="Second", blocks=(text("lead"), wide), new_page=True),
        Section(id="c", title="Third", blocks=(boxed,), new_page=True),
    )
    pages = [page.extract_text() for page in read(render_pdf(replace(around(), sections=parts))).pages]
    assert len(pages) == 3
    assert all(word in pages[1] for word in ("Second", "lead", "Table 1."))
    assert "inside" in pages[2]
