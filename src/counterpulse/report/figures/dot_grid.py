"""A grid of dots: which column serves for which row. Columns are named upright over the grid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from counterpulse.report.figures.lettering import LINE_HEIGHT, SIZE, TWO_COLUMNS, fitted, named, told, widest
from counterpulse.report.figures.scene import Canvas, Scene

CELL = 12.5
LABEL_WIDTH, HEAD_HEIGHT = 150.0, 124.0
LABEL_SHARE = 0.4
MARGIN = 4.0
RADIUS = 2.9
GRID = "#d9d9d9"


@dataclass(frozen=True, slots=True, kw_only=True)
class DotGrid:
    """What is drawn: labels of rows and columns, and the cells (row, column) that have a dot."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    dots: Collection[tuple[int, int]]
    width: float = TWO_COLUMNS


def dot_grid_scenes(grid: DotGrid) -> list[Scene]:
    """Draw the grid, on several pages where it has many columns."""
    room = min(LABEL_WIDTH, LABEL_SHARE * grid.width)
    label = min(room, max(widest(grid.rows), 20.0))
    most = max(1, int((grid.width - 2 * MARGIN - label - 8) / CELL))
    parts = [range(k, min(k + most, len(grid.columns))) for k in range(0, len(grid.columns), most)]
    return [
        _draw(grid, label, part, f"{grid.title} (part {k} of {len(parts)})" if len(parts) > 1 else grid.title)
        for k, part in enumerate(parts, start=1)
    ]


def _draw(grid: DotGrid, label: float, part: range, title: str) -> Scene:
    canvas = Canvas()
    heads = [fitted(grid.columns[k], HEAD_HEIGHT)[0] for k in part]
    top = MARGIN + max(widest(heads), 20.0) + 5
    left = MARGIN + label + 8
    right = left + len(part) * CELL
    columns = [left + (k + 0.5) * CELL for k in range(len(part))]
    y = top
    middles = []
    for name in grid.rows:
        words = fitted(name, label, lines=3)
        height = max(CELL, LINE_HEIGHT * len(words) + 2)
        middles.append(y + height / 2)
        for k, line in enumerate(words):
            base = middles[-1] + SIZE * 0.35 + (k - (len(words) - 1) / 2) * LINE_HEIGHT
            canvas.text(left - 6, base, line, anchor="end")
        y += height
    for x, head in zip(columns, heads, strict=True):
        canvas.line((x, top), (x, y), color=GRID, width=0.4)
        canvas.text(x + SIZE * 0.35, top - 4, head, upright=False)
    for i, middle in enumerate(middles):
        canvas.line((left, middle), (right, middle), color=GRID, width=0.4)
        for x, j in zip(columns, part, strict=True):
            if (i, j) in grid.dots:
                canvas.dot(x, middle, RADIUS)
    canvas.line((left, y), (left, top), (right, top), width=0.6)
    return Scene(
        width=grid.width, height=y + MARGIN + 2, title=title, description=_describe(grid), shapes=tuple(canvas.shapes)
    )


def _describe(grid: DotGrid) -> str:
    parts = []
    for i, name in enumerate(grid.rows):
        n = sum((i, j) in grid.dots for j in range(len(grid.columns)))
        parts.append(f"{named(name)}: {n} of {len(grid.columns)}")
    return told(f"{grid.title}: dots in each row.", parts)
