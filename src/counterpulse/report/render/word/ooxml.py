"""Text, runs, paragraphs, links and fields of WordprocessingML, in the order its schema asks for.

What a file says is always text: it is escaped, and what XML forbids or what would turn the reading order is shown as U+FFFD.
"""

from __future__ import annotations

import re
from html import escape
from typing import Literal

from counterpulse.report.fonts.direction import right_to_left
from counterpulse.report.safe_text import clean

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
)
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TWIPS = 20
"""Twentieths of a point, Word's unit of length."""

Place = Literal["left", "center", "right"]

_LETTERS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001eeff"
_LEFTWARD = re.compile(f"([{_LETTERS}]+(?:[ \u00a0]+[{_LETTERS}]+)*)")


def attribute(text: str) -> str:
    """A text as the value of an attribute."""
    return escape(clean(text)).replace("\n", "&#10;").replace("\t", "&#9;")


def run(
    text: str,
    *,
    style: str | None = None,
    bold: bool = False,
    italic: bool = False,
    raised: bool = False,
    color: str | None = None,
) -> str:
    """Runs of one look; letters that go from right to left have runs of their own."""
    head = f'<w:rStyle w:val="{style}"/>' if style else ""
    head += "<w:b/><w:bCs/>" if bold else ""
    head += "<w:i/><w:iCs/>" if italic else ""
    head += f'<w:color w:val="{color}"/>' if color else ""
    head += '<w:vertAlign w:val="superscript"/>' if raised else ""
    parts = enumerate(_LEFTWARD.split(clean(text)))
    return "".join(_run(part, head + ("<w:rtl/>" if place % 2 else "")) for place, part in parts if part)


def _run(text: str, properties: str) -> str:
    look = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    content = "<w:br/>".join("<w:tab/>".join(map(_words, line.split("\t"))) for line in text.split("\n"))
    return f"<w:r>{look}{content}</w:r>"


def _words(text: str) -> str:
    return f'<w:t xml:space="preserve">{escape(text, quote=False)}</w:t>' if text else ""


def paragraph(
    content: str,
    style: str,
    *,
    says: str = "",
    keep: bool = False,
    new_page: bool = False,
    numbered: int | None = None,
    spacing: tuple[int, int] | None = None,
    indent: int = 0,
    hanging: int = 0,
    align: Place = "left",
) -> str:
    """A paragraph of runs; with `keep` it stays with the next one.

    `says` is its text, whose first letter sets its direction; `spacing` (before, after), `indent` and `hanging` are in
    twentieths of a point.
    """
    properties = f'<w:pStyle w:val="{style}"/>'
    properties += "<w:keepNext/>" if keep else ""
    properties += "<w:pageBreakBefore/>" if new_page else ""
    if numbered is not None:
        properties += f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{numbered}"/></w:numPr>'
    properties += "<w:bidi/>" if right_to_left(says) else ""
    properties += f'<w:spacing w:before="{spacing[0]}" w:after="{spacing[1]}"/>' if spacing else ""
    properties += f'<w:ind w:left="{indent}" w:hanging="{hanging}"/>' if indent else ""
    properties += f'<w:jc w:val="{align}"/>' if align != "left" else ""
    return f"<w:p><w:pPr>{properties}</w:pPr>{content}</w:p>"


def field(code: str, shown: str, *, bold: bool = False) -> str:
    """A field and what it shows until it is brought up to date."""
    begin, end = field_around(code, bold=bold)
    return f"{begin}{run(shown, bold=bold)}{end}"


def field_around(code: str, *, bold: bool = False) -> tuple[str, str]:
    """The runs that begin and end a field; what it shows stands between them."""
    look = "<w:rPr><w:b/><w:bCs/></w:rPr>" if bold else ""
    begin, separate, end = (
        f'<w:r>{look}<w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")
    )
    instruction = f'<w:r>{look}<w:instrText xml:space="preserve"> {escape(code, quote=False)} </w:instrText></w:r>'
    return f"{begin}{instruction}{separate}", end


def link(anchor: str, content: str) -> str:
    """Runs that lead to a bookmark of the same file."""
    return f'<w:hyperlink w:anchor="{anchor}" w:history="1">{content}</w:hyperlink>'
