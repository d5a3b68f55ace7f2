"""Word refuses a file whose elements stand in another order than its schema's; python-docx and LibreOffice do not."""

from __future__ import annotations

import re

import pytest
from lxml import etree
from test_html import CORPUS, everything
from word_reading import W, figure, find, parts_of, png, sample, table, tree_of, words

from counterpulse.report.document import Definitions, Document, Listing, Paragraph, Section
from counterpulse.report.render.word.docx import render_docx, render_table_docx

BORDERS = "top left start bottom right end insideH insideV tl2br tr2bl"
SEQUENCES = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs "
    "suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd snapToGrid "
    "spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment textboxTightWrap outlineLvl "
    "divId cnfStyle rPr sectPr pPrChange",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid vanish "
    "webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em lang "
    "eastAsianLayout specVanish oMath",
    "tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing tblInd "
    "tblBorders shd tblLayout tblCellMar tblLook tblCaption tblDescription",
    "tcPr": "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection tcFitText vAlign hideMark",
    "trPr": "cantSplit trHeight tblHeader tblCellSpacing jc hidden",
    "tblBorders": BORDERS, "tcBorders": BORDERS, "tblCellMar": "top left start bottom right end",
    "pBdr": "top left bottom right between bar",
    "sectPr": "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc pgBorders lnNumType pgNumType "
    "cols formProt vAlign noEndnote titlePg textDirection bidi rtlGutter docGrid printerSettings",
    "style": "name aliases basedOn next link autoRedefine hidden uiPriority semiHidden unhideWhenUsed qFormat locked "
    "personal rsid pPr rPr tblPr trPr tcPr tblStylePr",
    "styles": "docDefaults latentStyles style", "docDefaults": "rPrDefault pPrDefault",
    "numbering": "numPicBullet abstractNum num", "num": "abstractNumId lvlOverride",
    "abstractNum": "nsid multiLevelType tmpl name styleLink numStyleLink lvl", "numPr": "ilvl numId",
    "lvl": "start numFmt lvlRestart pStyle isLgl suff lvlText lvlPicBulletId legacy lvlJc pPr rPr",
    "settings": "writeProtection view zoom defaultTabStop characterSpacingControl compat rsids themeFontLang clrSchemeMapping "
    "decimalSymbol listSeparator",
    "tbl": "bookmarkStart bookmarkEnd tblPr tblGrid tr", "tr": "tblPrEx trPr tc", "tc": "tcPr p tbl", "body": "p tbl sectPr",
    "document": "body", "hdr": "p", "ftr": "p",
}  # fmt: skip
"""The order of children after ECMA-376, part 1, annex A (transitional); `body` and `tc` may mix theirs."""
MIXED = {"body", "tc"}
REPEATED = {"headerReference", "footerReference", "style", "abstractNum", "num", "lvl", "tr", "tc", "p", "tbl"}
PICTURES = {"f": png(), "f1": png()}
PARTS = ("document", "styles", "numbering", "settings", "header1", "footer1")


def name_of(element):
    return etree.QName(element).localname


def misplaced(tree):
    for element in tree.iter(f"{W}*"):
        order = SEQUENCES.get(name_of(element))
        if order is None:
            continue
        children = [name_of(child) for child in element if not name_of(child).startswith("bookmark")]
        places = [order.split().index(child) if child in order.split() else None for child in children]
        once = [child for child in children if child not in REPEATED]
        sorted_ = name_of(element) in MIXED or places == sorted(places, key=lambda place: (place is None, place))
        if None in places or not sorted_ or len(set(once)) != len(once):
            yield name_of(element), children


@pytest.mark.parametrize("part", PARTS)
def test_children_stand_in_the_order_of_the_schema(part):
    for document in (sample(), everything("x")):
        content = render_docx(document, PICTURES, line_numbers=True)
        assert not list(misplaced(tree_of(content, f"word/{part}.xml")))


def test_the_order_is_really_looked_at():
    wrong = etree.fromstring(f'<w:pPr xmlns:w="{W[1:-1]}"><w:jc/><w:ind/></w:pPr>')
    assert list(misplaced(wrong))


def test_a_cell_ends_with_a_paragraph_and_a_section_is_the_last_of_the_body():
    tree = tree_of(render_docx(sample(), PICTURES))
    assert all(name_of(cell[-1]) == "p" for cell in find(tree, "//w:tc"))
    assert name_of(find(tree, "/w:document/w:body")[0][-1]) == "sectPr"
    for found in find(tree, "//w:tbl"):
        following = [element for element in found.itersiblings() if not name_of(element).startswith("bookmark")]
        assert name_of(following[0]) == "p", "two tables that touch become one"


def test_every_style_that_is_used_is_there():
    content = render_docx(sample(), PICTURES, line_numbers=True)
    known = set(find(tree_of(content, "word/styles.xml"), "//w:style/@w:styleId"))
    for part in ("document", "header1", "footer1"):
        tree = tree_of(content, f"word/{part}.xml")
        assert set(find(tree, "//w:pStyle/@w:val | //w:rStyle/@w:val | //w:tblStyle/@w:val")) <= known
    styles = tree_of(content, "word/styles.xml")
    assert set(find(styles, "//w:basedOn/@w:val | //w:next/@w:val")) <= known
    assert len(find(styles, "//w:style/w:name")) == len(set(find(styles, "//w:style/w:name/@w:val")))


def test_every_part_has_a_type_and_every_relationship_a_part():
    parts = parts_of(render_docx(sample(), PICTURES))
    types = etree.fromstring(parts["[Content_Types].xml"])
    named = {item.get("PartName") for item in types if item.get("PartName")}
    endings = {item.get("Extension") for item in types if item.get("Extension")}
    for name in parts:
        assert f"/{name}" in named or name.rpartition(".")[2] in endings
    for item in etree.fromstring(parts["word/_rels/document.xml.rels"]):
        assert item.get("TargetMode") == "External" or f"word/{item.get('Target')}" in parts


def test_fields_open_and_close():
    content = render_docx(sample(), PICTURES)
    for part in ("document", "footer1"):
        tree = tree_of(content, f"word/{part}.xml")
        kinds = find(tree, "//w:fldChar/@w:fldCharType")
        assert kinds == ["begin", "separate", "end"] * (len(kinds) // 3)


def test_blocks_without_content_leave_nothing_behind():
    empty = (Listing(()), Definitions(()), Paragraph(()))
    blocks = (*empty, table("a", wide=True), *empty[:2], table("b", wide=True), *empty[:2], figure(), *empty)
    sections = (Section(id="s", title="S", blocks=blocks),)
    for document in (
        Document(title="", subtitle="", facts=(), sections=sections),
        Document(title="", subtitle="", facts=(), sections=()),
    ):
        assert not list(misplaced(tree_of(render_docx(document, PICTURES))))


LOST = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
HARDER = (
    *CORPUS, "{ DATE }", "SEQ Table \\r 9", '" onload="x', "tab\there\nnew line\r\nand more", "", " ", "\ud800 lone", "Table 1",
    "عربي and English עברית 12", "]]><w:p/>", "%d %s \\n \\0", "\u0085\u2028\u2029",
)  # fmt: skip


@pytest.mark.parametrize("said", HARDER)
def test_no_text_leaves_its_place(said):
    document = everything(said)
    content = render_docx(document, PICTURES)
    tree, plain = tree_of(content), tree_of(render_docx(everything("x"), PICTURES))
    assert not list(misplaced(tree))
    for tag in ("tbl", "tr", "tc", "drawing", "sectPr"):
        assert len(find(tree, f"//w:{tag}")) == len(find(plain, f"//w:{tag}"))
    codes = {code.text.split()[0] for code in find(tree, "//w:instrText")}
    assert codes <= {"SEQ", "TOC"}
    shown = LOST.sub("\ufffd", said.replace("\r\n", "\n"))
    assert shown in words(tree)
    assert find(tree, "//w:tbl[.//w:tblHeader]//w:tblCaption/@w:val")[0] == f"Table 1. {shown}"
    tree_of(render_table_docx(document, document.sections[0].blocks[4]))


def test_letters_from_right_to_left_are_told():
    tree = tree_of(render_docx(everything("עברית and English"), PICTURES))
    title = find(tree, "//w:p[w:pPr/w:pStyle/@w:val='Title']")[0]
    assert find(title, "./w:pPr/w:bidi")
    assert [words(run) for run in find(title, ".//w:r[w:rPr/w:rtl]")] == ["עברית"]
    latin = tree_of(render_docx(everything("English and עברית"), PICTURES))
    assert not find(latin, "//w:bidi")
    assert find(latin, "//w:rtl")
