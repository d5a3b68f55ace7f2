"""Typst, asked for pages and pictures: only the fonts that ship are used, and no file, network or clock is touched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from counterpulse.report.figures.scene import Scene
from counterpulse.report.figures.svg import to_svg

if TYPE_CHECKING:
    from typst import Fonts

TYPEFACES = ("Liberation Sans", "DejaVu Sans", "Droid Sans Fallback")
"""The families of the figures, in the order in which a character is looked for."""
FONTS = Path(str(files("counterpulse.report.fonts")))


@cache
def _fonts() -> Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(FONTS)])


def quoted(text: str) -> str:
    """A text as a literal of Typst's language, so that nothing in it is read as markup or code."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def image(scene: Scene, *, prefix: str) -> str:
    """A scene as an image of Typst's language, without the leading `#`."""
    return f'image(bytes({quoted(to_svg(scene, prefix=prefix))}), format: "svg", alt: {quoted(scene.description)})'


def to_pdf(source: str, *, accessible: bool = True) -> bytes:
    """Typeset a source as PDF; an `accessible` one is tagged and checked against PDF/UA-1."""
    import typst

    return typst.compile(source.encode(), font_paths=_fonts(), pdf_standards=["ua-1"] if accessible else [])


def to_pngs(scenes: Sequence[Scene], *, dots_per_inch: float = 300) -> list[bytes]:
    """Paint scenes on white."""
    import typst

    if not scenes:
        return []
    pages = "\n#pagebreak()\n".join(f"#{image(scene, prefix='figure')}" for scene in scenes)
    source = f"#set page(width: auto, height: auto, margin: 0pt)\n{pages}"
    painted = typst.compile(source.encode(), font_paths=_fonts(), format="png", ppi=dots_per_inch)
    return painted if isinstance(painted, list) else [painted]
