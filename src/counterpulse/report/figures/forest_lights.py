"""Columns of lights at the right of a forest plot: a judgment of bias for each study and domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from counterpulse.report.figures.lettering import LINE_HEIGHT, widest
from counterpulse.report.figures.lights import STEP, draw_columns, draw_levels, draw_light
from counterpulse.report.figures.scene import Canvas

HEAD = "Risk of bias"


@dataclass(frozen=True, slots=True)
class LightColumns:
    """Where the columns stand: from `left` on, one a letter, each letter with its words."""

    left: float
    columns: Sequence[tuple[str, str]]

    @property
    def right(self) -> float:
        """Where they end."""
        if not self.columns:
            return self.left
        return self.left + max(len(self.columns) * STEP, widest([HEAD], bold=True))

    def _places(self) -> list[float]:
        spare = self.right - self.left - len(self.columns) * STEP
        return [self.left + spare / 2 + (k + 0.5) * STEP for k in range(len(self.columns))]

    def heads(self, canvas: Canvas, base: float) -> None:
        """Write the letters, and over them what they are about."""
        if not self.columns:
            return
        middle = (self.left + self.right) / 2
        canvas.text(middle, base - LINE_HEIGHT - 3, HEAD, bold=True, anchor="middle")
        canvas.line((self.left, base - LINE_HEIGHT + 0.5), (self.right, base - LINE_HEIGHT + 0.5), width=0.5)
        for x, (letter, _) in zip(self._places(), self.columns, strict=True):
            canvas.text(x, base, letter, bold=True, anchor="middle")

    def draw(self, canvas: Canvas, levels: Sequence[str], y: float) -> None:
        """Draw the lights of a row."""
        for x, level in zip(self._places(), levels, strict=False):
            draw_light(canvas, level, x, y)

    def legend(self, canvas: Canvas, levels: Iterable[Sequence[str]], ends: tuple[float, float], top: float) -> float:
        """Draw what levels and letters are, between two ends; gives the height of the picture."""
        if not self.columns:
            return top
        used = {level for row in levels for level in row}
        foot = draw_levels(canvas, used, left=ends[0], right=ends[1], top=top)
        return draw_columns(canvas, self.columns, left=ends[0], right=ends[1], top=foot + 1) + 4
