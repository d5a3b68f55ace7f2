"""The metrics of the figures' typeface, Liberation Sans, whose widths are those of Arial and Helvetica.

A text measured here is as wide in any program that has one of the three; where none is present, the SVG carries the width.
Characters that Liberation Sans lacks are measured in the families that stand in for it.
"""

from __future__ import annotations

import re
from unicodedata import category

from counterpulse.report.fonts.clusters import IGNORABLE, MARKS, clusters, unbroken
from counterpulse.report.fonts.coverage import FAMILIES, family_of, shown

STAND_INS = ", ".join(f"'{name}'" for name in FAMILIES[1:])
FAMILY = f"Arial, Helvetica, 'Liberation Sans', Arimo, {STAND_INS}, sans-serif"
LINE = 1.28
SPACES = re.compile(r"[^\S\u00a0\u2007\u202f]+")
"""Where a line may break; not at spaces that bind."""


class _Advances(dict[str, float]):
    """The widths of characters in em at one weight, looked up when first asked for."""

    def __init__(self, *, bold: bool) -> None:
        self.bold = bold

    def __missing__(self, character: str) -> float:
        self[character] = width = self._measured(character)
        return width

    def _measured(self, character: str) -> float:
        if character in IGNORABLE or category(character) in MARKS:
            return 0.0
        known = family_of(character)
        return known.face(bold=self.bold).advance(character) if known else 0.0


ADVANCES = {bold: _Advances(bold=bold) for bold in (False, True)}


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a text in points."""
    return size * sum(map(ADVANCES[bold].__getitem__, shown(text)))


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """Lines no wider than `width`, broken at spaces and between ideographs.

    A word that is wider alone is broken where it must be, inside what a reader sees as one character only if that alone is wider.
    """
    lines: list[str] = []
    line = ""
    for gap, piece in _pieces(text):
        candidate = f"{line}{gap}{piece}" if line else piece
        if text_width(candidate, size, bold=bold) <= width:
            line = candidate
            continue
        if line:
            lines.append(line)
        *full, line = _broken(piece, width, size, bold)
        lines += full
    return (*lines, line) if line else tuple(lines) or ("",)


def _pieces(text: str) -> list[tuple[str, str]]:
    """The pieces between which a line may break, each with what stands before it on the same line."""
    words = (unbroken(word) for word in SPACES.split(text) if word)
    return [("" if k else " ", piece) for word in words for k, piece in enumerate(word)]


def _broken(word: str, width: float, size: float, bold: bool) -> list[str]:
    whole = clusters(word)
    parts = (part for one in whole for part in (one if text_width(one, size, bold=bold) > width else (one,)))
    pieces = [""]
    for cluster in parts:
        if pieces[-1] and text_width(pieces[-1] + cluster, size, bold=bold) > width:
            pieces.append("")
        pieces[-1] += cluster
    return pieces
