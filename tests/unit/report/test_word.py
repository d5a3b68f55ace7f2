from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import docx
import pytest
from word_reading import NAMES, R, W, captions, figure, find, parts_of, png, sample, table, tree_of, words

from counterpulse.protocol.identity_nodes import ReportLooks
from counterpulse.report.chapters.order import compose
from counterpulse.report.document import (
    Definitions,
    Document,
    Figure,
    Listing,
    Paragraph,
    Section,
    Table,
    blocks_of,
    text,
)
from counterpulse.report.render.word.docx import render_docx, render_table_docx
from counterpulse.report.render.word.pages import SIDEWAYS, UPRIGHT
from counterpulse.report.write import write_report

PICTURES = {"f": png()}


@pytest.fixture(scope="module")
def content():
    return render_docx(sample(), PICTURES)


@pytest.fixture(scope="module")
def tree(content):
    return tree_of(content)


def of_blocks(*blocks, **pictures):
    document = Document(title="T", subtitle="", facts=(), sections=(Section(id="s", title="S", blocks=blocks),))
    return tree_of(render_docx(document, pictures))


def data_tables(tree):
    return find(tree, "//w:tbl[.//w:tblHeader]")


def test_the_same_document_gives_the_same_bytes(content):
    assert render_docx(sample(), PICTURES) == content
    with ZipFile(BytesIO(content)) as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[0] == "[Content_Types].xml"
        assert archive.namelist()[1:] == sorted(archive.namelist()[1:])
    assert b"dcterms:" not in parts_of(content)["docProps/core.xml"]


def test_python_docx_opens_it(content):
    opened = docx.Document(BytesIO(content))
    assert opened.core_properties.title == "A study"
    assert opened.core_properties.author == "Counterpulse"
    assert opened.core_properties.language == "en"
    headings = [p.text for p in opened.paragraphs if p.style.name.startswith("Heading")]
    assert headings == ["Results", "More", "Methods", "References", "Index of results"]
    assert [len(found.columns) for found in opened.tables] == [2, 2, 3, 3, 3, 3]


def test_heads_are_repeated_and_rows_are_never_split(tree):
    assert not find(tree, "//w:tr[not(w:trPr/w:cantSplit)]")
    repeated = [len(find(found, ".//w:tr[w:trPr/w:tblHeader]")) for found in data_tables(tree)]
    assert repeated == [2, 1, 1, 1]
    for found in data_tables(tree):
        rows = find(found, "./w:tr")
        flags = [bool(find(row, "./w:trPr/w:tblHeader")) for row in rows]
        assert flags == sorted(flags, reverse=True)


def test_every_row_covers_the_grid(tree):
    for found in find(tree, "//w:tbl"):
        widths = [int(column.get(f"{W}w")) for column in find(found, "./w:tblGrid/w:gridCol")]
        assert sum(widths) == int(find(found, "./w:tblPr/w:tblW/@w:w")[0])
        for row in find(found, "./w:tr"):
            spans = [int((find(cell, "./w:tcPr/w:gridSpan/@w:val") or [1])[0]) for cell in find(row, "./w:tc")]
            assert sum(spans) == len(widths)
            assert sum(int(width) for width in find(row, "./w:tc/w:tcPr/w:tcW/@w:w")) == sum(widths)


def test_captions_count_by_themselves(tree):
    assert captions(tree) == [
        "Table 1. Baseline",
        "Figure 1. Survival Shaded: 95% CI.",
        "Table S1. Wide",
        "Table S2. Empty",
    ]
    codes = [code.text.split() for code in find(tree, "//w:p[w:pPr/w:pStyle/@w:val='Caption']//w:instrText")]
    assert codes == [["SEQ", name, "\\*", "ARABIC"] for name in ("Table", "Figure", "Table_S", "Table_S")]


def test_a_number_out_of_its_sequence_is_set():
    tree = of_blocks(table("a", "Table 3"), table("b", "Table 4"), table("c", "Table 2"), table("d", "An appendix"))
    codes = [code.text.split()[4:] for code in find(tree, "//w:p[w:pPr/w:pStyle/@w:val='Caption']//w:instrText")]
    assert codes == [["\\r", "3"], [], ["\\r", "2"]]
    assert captions(tree)[-1] == "An appendix. A title"


def test_a_caption_stays_with_its_table_and_a_figure_with_its_caption(tree):
    for found in data_tables(tree)[:-1]:
        caption = found.getprevious()
        assert words(caption).startswith("Table")
        assert find(caption, "./w:pPr/w:keepNext")
    for drawing in find(tree, "//w:p[.//w:drawing]"):
        assert find(drawing, "./w:pPr/w:keepNext")
        assert words(drawing.getnext()).startswith("Figure 1.")


def test_a_group_stays_with_its_rows(tree):
    group = next(row for row in find(tree, "//w:tr") if words(row) == "Risk factors")
    assert find(group, ".//w:gridSpan/@w:val") == ["3"]
    assert find(group, ".//w:keepNext")
    assert find(group, ".//w:b")


def test_every_table_and_picture_has_words_for_who_does_not_see_it(tree):
    tables = find(tree, "//w:tbl")
    assert all(find(found, "./w:tblPr/w:tblCaption/@w:val")[0] for found in tables)
    assert all(find(found, "./w:tblPr/w:tblDescription/@w:val")[0] for found in tables)
    assert find(tables[2], "./w:tblPr/w:tblDescription/@w:val") == ["Ages of two groups."]
    (picture,) = find(tree, "//wp:docPr")
    assert (picture.get("descr"), picture.get("title")) == ("Two curves.", "Figure 1. Survival")


def test_pictures_are_numbered_and_never_wider_than_the_page():
    tree = of_blocks(
        figure("a", "Figure 1"),
        figure("b", "Figure 2", 520, 900),
        figure("c", "Figure 3", 900, 300),
        a=png(),
        b=png(),
        c=png(),
    )
    assert [picture.get("id") for picture in find(tree, "//wp:docPr")] == ["1", "2", "3"]
    sizes = [(int(size.get("cx")) / 12700, int(size.get("cy")) / 12700) for size in find(tree, "//wp:extent")]
    assert sizes[0] == (300, 200)
    assert all(height < 600 for _, height in sizes)
    assert sizes[1][0] / sizes[1][1] == pytest.approx(520 / 900)
    assert UPRIGHT < sizes[2][0] <= SIDEWAYS, "a broad figure has a page on its side"
    assert orientations(tree) == ["portrait", "landscape"]


def orientations(tree):
    return [size.get(f"{W}orient", "portrait") for size in find(tree, "//w:sectPr/w:pgSz")]


def test_a_wide_table_lies_on_its_side(tree):
    assert orientations(tree) == ["portrait", "landscape", "portrait"]
    first, _, last = (section.getroottree().getpath(section) for section in find(tree, "//w:sectPr"))
    assert "w:p[" in first
    assert last.endswith("/w:sectPr")


def test_many_columns_lie_on_their_side_unasked():
    tree = of_blocks(table(columns=24))
    assert orientations(tree) == ["landscape", "portrait"] or orientations(tree) == ["portrait", "landscape"]


def test_a_heading_turns_with_the_table_under_it():
    document = Document(
        title="T", subtitle="", facts=(), sections=(
            Section(id="a", title="Alone", blocks=(text("Short words."), table("a", wide=True), text("Between."), table("b", wide=True))),
            Section(id="b", title="After", blocks=(text("Text."),)),
        ),
    )  # fmt: skip
    tree = tree_of(render_docx(document, {}))
    body = list(find(tree, "/w:document/w:body")[0])
    breaks = [place for place, element in enumerate(body) if find(element, "./w:pPr/w:sectPr")]
    shown = [words(element) for element in body]
    assert orientations(tree) == ["portrait", "landscape", "portrait"]
    assert shown.index("Alone", 5) > breaks[0]
    assert breaks[0] < shown.index("Between.") < breaks[1] < len(shown) - 1 - shown[::-1].index("After")


def test_lines_are_numbered_on_request_only(tree):
    assert not find(tree, "//w:lnNumType")
    numbered = find(tree_of(render_docx(sample(), PICTURES, line_numbers=True)), "//w:sectPr/w:lnNumType")
    assert len(numbered) == 3
    assert {(item.get(f"{W}countBy"), item.get(f"{W}restart")) for item in numbered} == {("1", "continuous")}


def test_the_index_names_every_result_with_its_text_and_place(tree):
    rows = [tuple(words(cell) for cell in find(row, "./w:tc")) for row in find(data_tables(tree)[-1], "./w:tr")]
    assert rows == [
        ("Result", "As printed", "Where"),
        ("A1.or", "0.82", "Primary result; Results; Beware"),
        ("T1.age", "61", "Table 1"),
    ]
    marked = {mark.get(f"{W}name"): mark.getnext() for mark in find(tree, "//w:bookmarkStart")}
    links = find(data_tables(tree)[-1], ".//w:hyperlink/@w:anchor")
    assert [words(marked[name]) for name in links] == ["0.82"] * 3 + ["61"]


def test_no_index_without_results():
    assert "Index of results" not in words(of_blocks(table()))


def test_links_arrive_and_names_are_unique(content, tree):
    names = find(tree, "//w:bookmarkStart/@w:name")
    assert len(set(names)) == len(names)
    assert all(len(name) <= 40 and name[0].isalpha() for name in names)
    starts, ends = find(tree, "//w:bookmarkStart/@w:id"), find(tree, "//w:bookmarkEnd/@w:id")
    assert sorted(starts) == sorted(ends)
    assert len(set(starts)) == len(starts)
    assert set(find(tree, "//w:hyperlink/@w:anchor")) <= set(names)
    relationships = tree_of(content, "word/_rels/document.xml.rels")
    targets = {item.get("Id"): item.get("Target") for item in relationships}
    used = {value for element in tree.iter() for name, value in element.attrib.items() if name.startswith(R)}
    assert used <= set(targets)
    assert "https://doi.org/10.1/a(b)%3Cc%3E" in targets.values()


def test_ordered_lists_begin_anew(content, tree):
    used = [number for number in find(tree, "//w:p//w:numId/@w:val")]
    numbering = tree_of(content, "word/numbering.xml")
    started = {item.get(f"{W}numId"): find(item, ".//w:startOverride/@w:val") for item in find(numbering, "//w:num")}
    assert started == {"1": [], "2": ["1"], "3": ["1"], "4": ["1"]}
    assert used == ["2", "2", "1", "3", "1", "4", "4"]


def test_references_keep_the_numbers_by_which_they_are_cited():
    document = sample()
    first, second = document.references
    content = render_docx(replace(document, references=(replace(first, number=3), replace(second, number=7))), PICTURES)
    starts = find(tree_of(content, "word/numbering.xml"), "//w:startOverride/@w:val")
    assert starts[-2:] == ["3", "7"]


def test_citations_are_raised_links(tree):
    links = find(tree, "//w:hyperlink[starts-with(@w:anchor, 'reference_')]")
    assert {words(item) for item in links} == {"1", "2"}
    assert all(find(item, ".//w:vertAlign/@w:val") == ["superscript"] for item in links)


def test_the_mark_and_the_page_stand_on_every_page(content, tree):
    assert words(tree_of(content, "word/header1.xml")) == "MOCK DATA"
    assert words(tree_of(content, "word/footer1.xml")) == "A study  \N{MIDDLE DOT}  Page 1 of 1"
    for section in find(tree, "//w:sectPr"):
        assert len(find(section, "./w:headerReference")) == len(find(section, "./w:footerReference")) == 1
    real = render_docx(replace(sample(), mark=None), PICTURES)
    assert "word/header1.xml" not in parts_of(real)
    assert not find(tree_of(real), "//w:headerReference")


def test_the_contents_are_a_field_that_asks_for_nothing(content, tree):
    lines = find(tree, "//w:p[starts-with(w:pPr/w:pStyle/@w:val, 'TOC')]")
    assert [words(line) for line in lines] == ["Results", "More", "Methods", "References", "Index of results"]
    assert not find(tree, "//*[@w:dirty]")
    assert b"updateFields" not in parts_of(content)["word/settings.xml"]


def test_a_section_may_begin_a_page(tree):
    begins = [words(paragraph) for paragraph in find(tree, "//w:p[w:pPr/w:pageBreakBefore]")]
    assert begins == ["Methods", "Index of results"]


def test_a_table_alone():
    document = sample()
    found = document.sections[0].blocks[5]
    content = render_table_docx(document, found)
    tree = tree_of(content)
    assert captions(tree) == ["Table 1. Baseline"]
    assert len(find(tree, "//w:tbl")) == 1
    assert words(tree).endswith("a Note.SD.")
    assert docx.Document(BytesIO(content)).core_properties.title == "Table 1. Baseline"
    assert words(tree_of(content, "word/header1.xml")) == "MOCK DATA"
    assert render_table_docx(document, found) == content


def test_the_bundle_holds_each_table_alone_when_asked(plan, result):
    document = compose(result, plan)
    looks = ReportLooks.model_validate({"separate_tables": "yes", "outputs": ["json"]})
    names = {f"tables/{block.id}.docx" for block in blocks_of(document.sections) if isinstance(block, Table)}
    assert names
    assert names == {name for name in write_report(document, result, looks) if name.endswith(".docx")}
    plain = ReportLooks.model_validate({"outputs": ["json"]})
    assert not [name for name in write_report(document, result, plain) if name.endswith(".docx")]


def test_every_result_of_a_whole_report_is_in_its_index(plan, result):
    document = compose(result, plan)
    pictures = {block.id: png() for block in blocks_of(document.sections) if isinstance(block, Figure)}
    found = data_tables(tree_of(render_docx(document, pictures)))[-1]
    listed = [words(find(row, "./w:tc")[0]) for row in find(found, "./w:tr")][1:]
    assert listed == sorted(listed)
    assert set(listed) == results_in(document)


def results_in(document):
    blocks = [
        *document.front,
        *(inner for box in document.front for inner in box.blocks),
        *blocks_of(document.sections),
    ]
    runs = [run for block in blocks if isinstance(block, Paragraph) for run in block.runs]
    runs += [run for block in blocks if isinstance(block, Listing) for item in block.items for run in item.runs]
    runs += [
        run for block in blocks if isinstance(block, Definitions) for _, item in block.entries for run in item.runs
    ]
    cells = [cell for block in blocks if isinstance(block, Table) for row in block.rows for cell in row.cells]
    cells += [column.head for block in blocks if isinstance(block, Table) for column in block.columns]
    return {printed.result for printed in (*runs, *cells) if printed.result}


def test_the_language_is_told(content):
    assert find(tree_of(content, "word/styles.xml"), "//w:docDefaults//w:lang/@w:val") == ["en-US"]
    odd = render_docx(replace(sample(), language='x"><y'), PICTURES)
    assert find(tree_of(odd, "word/styles.xml"), "//w:docDefaults//w:lang/@w:val") == ["en-US"]
    assert NAMES
