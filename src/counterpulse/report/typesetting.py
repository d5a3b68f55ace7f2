"""Typst, asked for pages and pictures: only the fonts that ship are used, and no file, network or clock is touched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import repeat
from struct import pack
from typing import TYPE_CHECKING
from zlib import crc32

from counterpulse.report.figures.scene import Path, Scene, Text
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.fonts.clusters import clusters
from counterpulse.report.fonts.coverage import FAMILIES, FOLDER, family, shown

if TYPE_CHECKING:
    from typst import Fonts


def quoted(text: str) -> str:
    """A text as a literal of Typst's language, so that nothing in it is read as markup or code."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


GLYPH, LONG_NUMBER = re.compile(r"\bg[0-9A-F]{32}\b"), re.compile(r"\d+\.\d{3,}")
HEADER = 33
"""Bytes of a PNG file up to the end of its header."""
FONTS = f"({', '.join(map(quoted, FAMILIES))})"


@cache
def _fonts() -> Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(FOLDER)])


def image(scene: Scene, *, prefix: str, width: float | None = None) -> str:
    """A scene as a box of Typst's language, without the leading `#`; at a width in points, or its own.

    Text that needs more than Liberation Sans is set by Typst itself over the drawing, which alone looks for each character in
    every family and puts marks on their letters.
    """
    others = [shape for shape in scene.shapes if isinstance(shape, Text) and not plain(shape.text)]
    drawn = tuple(shape for shape in scene.shapes if isinstance(shape, Path) or plain(shape.text))
    scale = width / scene.width if width else 1.0
    svg = to_svg(replace(scene, shapes=drawn), prefix=prefix)
    alternative = quoted(shown(scene.description))
    picture = f'image(bytes({quoted(svg)}), format: "svg", width: {scene.width * scale:.2f}pt, alt: {alternative})'
    if not others:
        return picture
    return f"box({{{picture}; {'; '.join(_placed(text, scale) for text in others)}}})"


def plain(text: str) -> bool:
    """Whether a text is letters of Liberation Sans alone, each a single character."""
    main = family(FAMILIES[0])
    if shown(text) != text:
        return False
    return text.isascii() or all(len(one) == 1 and main.holds(one) for one in clusters(text))


def _placed(text: Text, scale: float) -> str:
    """A line of text by its baseline; it is not read aloud, since the alternative says what the picture shows."""
    align, share = {"start": ("left", 0.0), "middle": ("center", 0.5), "end": ("right", 1.0)}[text.anchor]
    room = 2 * (text.width + text.size) * scale
    words = (
        f'text(font: {FONTS}, size: {text.size * scale:.3f}pt, weight: "{"bold" if text.bold else "regular"}", '
        f'fill: rgb("{text.color}"), fallback: false, top-edge: "baseline", bottom-edge: "baseline", hyphenate: false, '
        f"{quoted(shown(text.text))})"
    )
    line = f"place(dx: {-share * room:.2f}pt, box(width: {room:.2f}pt, height: 0pt, align({align} + top, {words})))"
    turned = line if text.upright else f"rotate(-90deg, origin: top + left, box(width: 0pt, height: 0pt, {line}))"
    return f"place(top + left, dx: {text.x * scale:.2f}pt, dy: {text.y * scale:.2f}pt, pdf.artifact({turned}))"


def to_pdf(source: str) -> bytes:
    """Typeset a source as PDF, tagged and checked against PDF/UA-1."""
    import typst

    return typst.compile(source.encode(), font_paths=_fonts(), pdf_standards=["ua-1"])


def to_picture_svg(source: str) -> str:
    """Typeset a source of one page as SVG; letters are outlines, so no typeface is needed to see them."""
    import typst

    return _terse(typst.compile(source.encode(), font_paths=_fonts(), format="svg").decode())


def _terse(svg: str) -> str:
    """The picture in a third of its letters: short names of glyphs, hundredths of a point, no defaults said."""
    names = {name: f"g{k}" for k, name in enumerate(dict.fromkeys(GLYPH.findall(svg)))}
    svg = GLYPH.sub(lambda name: names[name[0]], svg)
    svg = LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), svg)
    for said in (' y="0"', ' fill-rule="nonzero"', ' xmlns:h5="http://www.w3.org/1999/xhtml"'):
        svg = svg.replace(said, "")
    return svg


def to_pngs(
    scenes: Sequence[Scene], *, dots_per_inch: float = 300, widths: Sequence[float] | None = None
) -> list[bytes]:
    """Paint scenes on white, each at its width in points or its own; the files say their resolution."""
    import typst

    if not scenes:
        return []
    drawn = (
        image(scene, prefix="figure", width=width)
        for scene, width in zip(scenes, widths or repeat(None, len(scenes)), strict=True)
    )
    pages = "\n#pagebreak()\n".join(f"#{picture}" for picture in drawn)
    source = f"#set page(width: auto, height: auto, margin: 0pt)\n{pages}"
    painted = typst.compile(source.encode(), font_paths=_fonts(), format="png", ppi=dots_per_inch)
    return [_measured(png, dots_per_inch) for png in (painted if isinstance(painted, list) else [painted])]


def _measured(png: bytes, dots_per_inch: float) -> bytes:
    """The picture with its resolution: a `pHYs` chunk after the header, in dots a meter."""
    dots = round(dots_per_inch / 0.0254)
    chunk = b"pHYs" + pack(">IIB", dots, dots, 1)
    return png[:HEADER] + pack(">I", len(chunk) - 4) + chunk + pack(">I", crc32(chunk)) + png[HEADER:]


def to_picture_pdf(scene: Scene, *, width: float) -> bytes:
    """A scene alone on a page of its size, `width` points wide: its text can be searched, its fonts are in it."""
    page = "#set page(width: auto, height: auto, margin: 0pt)"
    title = f"#set document(title: {quoted(shown(scene.title) or 'Figure')}, date: none)"
    return to_pdf(f"{title}\n{page}\n#{image(scene, prefix='figure', width=width)}")
