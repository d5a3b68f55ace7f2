"""The outlines of letters as PostScript, for a picture that carries no font."""

from __future__ import annotations

from fontTools.pens.basePen import BasePen

from counterpulse.report.fonts.face import Face

UNITS = 1000
"""Outlines are in thousandths of the type's size."""
Point = tuple[float, float]


class _Pen(BasePen):  # type: ignore[misc]
    """Writes an outline; the quadratic curves of TrueType become cubic ones on the way."""

    def __init__(self, glyphs: object, scale: float) -> None:
        super().__init__(glyphs)
        self.scale = scale
        self.parts: list[str] = []

    def _write(self, command: str, *points: Point) -> None:
        numbers = (f"{round(value * self.scale)}" for point in points for value in point)
        self.parts.append(f"{' '.join(numbers)} {command}" if points else command)

    def _moveTo(self, pt: Point) -> None:  # noqa: N802
        self._write("m", pt)

    def _lineTo(self, pt: Point) -> None:  # noqa: N802
        self._write("l", pt)

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:  # noqa: N802
        self._write("c", pt1, pt2, pt3)

    def _closePath(self) -> None:  # noqa: N802
        self._write("h")


def outline(face: Face, glyph: str) -> str:
    """The outline of a glyph of a face, baseline at 0, upward."""
    glyphs = face.font.getGlyphSet()
    pen = _Pen(glyphs, UNITS / face.font["head"].unitsPerEm)
    glyphs[glyph].draw(pen)
    return " ".join(pen.parts)
