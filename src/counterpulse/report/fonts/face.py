"""A face of a family: which characters it holds, how wide they are, and its outlines, as fontTools reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

NOTHING = ".notdef"


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One file; `glyphs` are names of glyphs by code point."""

    font: TTFont
    glyphs: dict[int, str]

    def holds(self, character: str) -> bool:
        """Whether a character can be shown."""
        return self.glyphs.get(ord(character), NOTHING) != NOTHING

    def glyph(self, character: str) -> str:
        """The name of a character's glyph."""
        return self.glyphs.get(ord(character), NOTHING)

    def advance(self, character: str) -> float:
        """The width of a character in em."""
        width, _ = self.font["hmtx"][self.glyph(character)]
        return float(width / self.font["head"].unitsPerEm)


@cache
def read_face(path: Path) -> Face:
    """Read a file, its tables when they are asked for."""
    from fontTools.ttLib import TTFont

    font = TTFont(path, lazy=True)
    return Face(font, font.getBestCmap())
