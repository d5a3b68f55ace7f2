"""How the Word file looks: its styles, its lists and its settings, each once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from counterpulse.report.render.word.ooxml import NAMESPACES

SERIF, SANS, FIXED = "Times New Roman", "Arial", "Courier New"
EAST_ASIAN = "SimSun"
RED, AMBER, GRAY, BLUE = "8C1C13", "8A5200", "6B7280", "1F4E79"
CALLOUTS = {
    "data-kind": ("CalloutDataKind", RED, "FBEFEE"),
    "warning": ("CalloutWarning", AMBER, "FDF5E6"),
    "note": ("CalloutNote", GRAY, "F3F4F6"),
    "key-result": ("CalloutKeyResult", BLUE, "EEF3F8"),
}
"""For each kind of callout the id of its style, the color of its bar and of its ground."""
CALLOUT_INDENT, HANGING = 160, 400
"""How far the text of a callout, and that of a list's items, stands from the margin, in twentieths of a point."""
BULLET = "\N{BULLET}"
TABLE_SIZE = 8.5
TABLE_SIZES = {"TableText": TABLE_SIZE, "TableTextSmall": 7.5, "TableTextSmallest": 6.5}
"""The styles of text in tables with their sizes in points; the small ones are for tables that no page is wide enough for."""
DEEPEST = 4
"""The deepest level of headings."""


@dataclass(frozen=True, slots=True)
class Style:
    """A style: its id, the name under which Word knows it, the one it rests on, and what it adds.

    `paragraph` and `run` are properties in the order of the schema.
    """

    id: str
    name: str
    paragraph: str = ""
    run: str = ""
    based: str | None = "Normal"
    then: str | None = None
    kind: Literal["paragraph", "character", "table"] = "paragraph"

    def xml(self) -> str:
        """The style as an element."""
        default = ' w:default="1"' if self.id in ("Normal", "TableNormal") else ""
        based = f'<w:basedOn w:val="{self.based}"/>' if self.based else ""
        then = f'<w:next w:val="{self.then}"/>' if self.then else ""
        paragraph = f"<w:pPr>{self.paragraph}</w:pPr>" if self.paragraph else ""
        run = f"<w:rPr>{self.run}</w:rPr>" if self.run else ""
        own = "" if self.name in BUILT_IN else ' w:customStyle="1"'
        return (
            f'<w:style w:type="{self.kind}"{default}{own} w:styleId="{self.id}"><w:name w:val="{self.name}"/>{based}{then}'
            f'<w:uiPriority w:val="{1 if self.kind == "paragraph" else 99}"/><w:qFormat/>{paragraph}{run}'
            f"{TABLE_MARGINS if self.kind == 'table' else ''}</w:style>"
        )


BUILT_IN = {
    "Normal", "heading 1", "heading 2", "heading 3", "heading 4", "Title", "Subtitle", "caption", "List Paragraph", "toc 1",
    "toc 2", "header", "footer", "Hyperlink", "Normal Table", "Bibliography", "TOC Heading",
}  # fmt: skip
CELL_MARGIN = 70
TABLE_MARGINS = (
    '<w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="70" w:type="dxa"/>'
    '<w:bottom w:w="0" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar></w:tblPr>'
)


def _font(name: str) -> str:
    return f'<w:rFonts w:ascii="{name}" w:hAnsi="{name}" w:eastAsia="{EAST_ASIAN}" w:cs="{name}"/>'


def _spaced(before: int, after: int, line: int = 240) -> str:
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="auto"/>'


def _size(points: float) -> str:
    return f'<w:sz w:val="{2 * points:.0f}"/><w:szCs w:val="{2 * points:.0f}"/>'


def _color(color: str) -> str:
    return f'<w:color w:val="{color}"/>'


BOLD, ITALIC = "<w:b/><w:bCs/>", "<w:i/><w:iCs/>"
KEEP = "<w:keepNext/><w:keepLines/>"


def _heading(level: int, before: int, after: int, size: float, look: str) -> Style:
    paragraph = f'{KEEP}{_spaced(before, after)}<w:outlineLvl w:val="{level - 1}"/>'
    return Style(f"Heading{level}", f"heading {level}", paragraph, _font(SANS) + look + _size(size), then="Normal")


def _callout(kind: str) -> Style:
    id_, bar, ground = CALLOUTS[kind]
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="4" w:color="{ground}"/>' for side in ("bottom", "right")
    )
    paragraph = (
        f'<w:pBdr><w:top w:val="single" w:sz="4" w:space="4" w:color="{ground}"/>'
        f'<w:left w:val="single" w:sz="24" w:space="8" w:color="{bar}"/>{edges}</w:pBdr>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{ground}"/>{_spaced(0, 0, 288)}<w:ind w:left="{CALLOUT_INDENT}" w:right="80"/>'
    )
    return Style(id_, f"Callout {kind.replace('-', ' ')}", paragraph, "")


def _table_text(id_: str) -> Style:
    name = f"Table text {id_.removeprefix('TableText').lower()}".strip()
    return Style(id_, name, f"<w:suppressLineNumbers/>{_spaced(26, 26)}", _font(SANS) + _size(TABLE_SIZES[id_]))


STYLES = (
    Style("Normal", "Normal", based=None),
    _heading(1, 360, 120, 15, BOLD),
    _heading(2, 280, 80, 12, BOLD),
    _heading(3, 220, 60, 11, BOLD),
    _heading(4, 200, 60, 10.5, BOLD + ITALIC),
    Style("Title", "Title", KEEP + _spaced(0, 80), _font(SANS) + BOLD + _size(21), then="Subtitle"),
    Style("Subtitle", "Subtitle", _spaced(0, 200), _font(SANS) + _color("595959") + _size(11), then="Normal"),
    Style("Caption", "caption", "<w:keepLines/>" + _spaced(240, 80), _font(SANS) + _size(9.5), then="Normal"),
    Style("Figure", "Figure", "<w:keepNext/>" + _spaced(200, 0)),
    *map(_table_text, TABLE_SIZES),
    Style("Definition", "Definition", "<w:suppressLineNumbers/>" + _spaced(26, 26), _size(10)),
    Style("TableNote", "Table note", "<w:keepLines/>" + _spaced(40, 0), _font(SANS) + _size(8)),
    Style("TableEnd", "Table end", "<w:suppressLineNumbers/>" + _spaced(0, 0), _size(8)),
    Style("ListParagraph", "List Paragraph", _spaced(0, 40, 276)),
    Style("Bibliography", "Bibliography", "<w:keepLines/>" + _spaced(0, 60), _size(10)),
    Style("ContentsHeading", "TOC Heading", KEEP + _spaced(280, 80), _font(SANS) + BOLD + _size(12), then="Normal"),
    Style("TOC1", "toc 1", _spaced(40, 0), _font(SANS) + _size(10)),
    Style("TOC2", "toc 2", _spaced(0, 0) + '<w:ind w:left="280"/>', _font(SANS) + _color("404040") + _size(9)),
    Style("Header", "header", _spaced(0, 0) + '<w:jc w:val="center"/>', _font(SANS) + BOLD + _color(RED) + _size(9)),
    Style("Footer", "footer", _spaced(0, 0) + '<w:jc w:val="center"/>', _font(SANS) + _color("595959") + _size(8)),
    Style("Colophon", "Colophon", _spaced(360, 0), ITALIC + _color("595959") + _size(9)),
    *map(_callout, CALLOUTS),
    Style("Code", "Code", run=_font(FIXED) + "<w:noProof/>" + _size(9), based=None, kind="character"),
    Style("ResultId", "Result id", run=_font(FIXED) + "<w:noProof/>" + _size(7), based=None, kind="character"),
    Style("Hyperlink", "Hyperlink", run=_color(BLUE), based=None, kind="character"),
    Style("TableNormal", "Normal Table", based=None, kind="table"),
)  # fmt: skip


def styles_xml(language: str) -> str:
    """The part with the styles of a document in a language."""
    base = f'{_font(SERIF)}{_size(11)}<w:lang w:val="{word_language(language)}" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
    return (
        f"<w:styles {NAMESPACES}><w:docDefaults><w:rPrDefault><w:rPr>{base}</w:rPr></w:rPrDefault>"
        f"<w:pPrDefault><w:pPr>{_spaced(0, 140, 288)}</w:pPr></w:pPrDefault></w:docDefaults>"
        f"{''.join(style.xml() for style in STYLES)}</w:styles>"
    )


def word_language(language: str) -> str:
    """A language's tag as Word writes it; what is no tag is English."""
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
        return "en-US"
    return {"en": "en-US"}.get(language, language)


def numbering_xml(starts: list[int]) -> str:
    """The part with the lists: one with bullets, and one for each ordered list, which begins at its own number."""
    lists = ['<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>']
    lists += [
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="{start}"/>'
        "</w:lvlOverride></w:num>"
        for number, start in enumerate(starts, start=2)
    ]
    return (
        f"<w:numbering {NAMESPACES}>{_list(0, 'bullet', BULLET)}{_list(1, 'decimal', '%1.')}"
        f"{''.join(lists)}</w:numbering>"
    )


def _list(id_: int, format_: str, words: str) -> str:
    return (
        f'<w:abstractNum w:abstractNumId="{id_}"><w:multiLevelType w:val="singleLevel"/><w:lvl w:ilvl="0">'
        f'<w:start w:val="1"/><w:numFmt w:val="{format_}"/><w:lvlText w:val="{words}"/><w:lvlJc w:val="left"/>'
        f'<w:pPr><w:ind w:left="{HANGING}" w:hanging="{HANGING}"/></w:pPr></w:lvl>'
        "</w:abstractNum>"
    )


def settings_xml(language: str) -> str:
    """The part with the settings; the file opens as one of today's Word, not in a mode of an older one."""
    mode = 'w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"'
    return (
        f'<w:settings {NAMESPACES}><w:zoom w:percent="100"/><w:defaultTabStop w:val="708"/>'
        '<w:characterSpacingControl w:val="doNotCompress"/>'
        f"<w:compat><w:compatSetting {mode}/></w:compat>"
        f'<w:themeFontLang w:val="{word_language(language)}" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
        '<w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
    )
