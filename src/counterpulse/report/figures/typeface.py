"""The metrics of the figures' typeface, Liberation Sans, whose widths are those of Arial and Helvetica.

A text measured here is as wide in any program that has one of the three; where none is present, the SVG carries the width.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files
from io import BytesIO
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FAMILY = "Arial, Helvetica, 'Liberation Sans', Arimo, sans-serif"
ASCENT = 0.75
LINE = 1.28
UNITS = 2048


@lru_cache(maxsize=2)
def _bytes(bold: bool) -> bytes:
    name = "LiberationSans-Bold.ttf" if bold else "LiberationSans-Regular.ttf"
    with as_file(files("counterpulse.report.fonts") / name) as path:
        return path.read_bytes()


@lru_cache(maxsize=64)
def font(size: float, *, bold: bool) -> FreeTypeFont:
    """The typeface at a size in pixels."""
    from PIL import ImageFont

    return ImageFont.truetype(BytesIO(_bytes(bold)), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _advance(character: str, bold: bool) -> float:
    if combining(character) or character in "\u200b\u200c\u200d\ufe0f":
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.0
    return float(font(UNITS, bold=bold).getlength(character)) / UNITS


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a text in points."""
    return size * sum(_advance(character, bold) for character in text)


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """Lines no wider than `width`, broken at spaces; a word that is wider alone is broken where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        candidate = f"{line} {word}" if line else word
        if text_width(candidate, size, bold=bold) <= width:
            line = candidate
            continue
        if line:
            lines.append(line)
        *full, line = _broken(word, width, size, bold)
        lines += full
    return (*lines, line) if line else tuple(lines) or ("",)


def _broken(word: str, width: float, size: float, bold: bool) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and text_width(pieces[-1] + character, size, bold=bold) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
