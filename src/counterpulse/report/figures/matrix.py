"""A triangle of numbers, each on a shade that grows with its size; the shades are told apart in gray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterpulse.report.figures.lettering import LINE_HEIGHT, SIZE, TWO_COLUMNS, fitted, named
from counterpulse.report.figures.scene import INK, Canvas, Scene
from counterpulse.report.figures.typeface import text_width

CELL_WIDTHS = (23.5, 34.0)
CELL_HEIGHT = 18.0
LABEL_WIDTH = 150.0
SHADE = "#0067a5"
DARKEST = 0.66  # black text on it keeps a contrast of more than 4.5 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """What is drawn: labels in order, the text and the strength (0 to 1, None unknown) of each pair (row, column)."""

    title: str
    labels: Sequence[str]
    cells: Mapping[tuple[int, int], tuple[str, float | None]]


def draw_matrix(matrix: Matrix) -> Scene:
    """Draw the lower triangle; columns go by the numbers of the rows."""
    canvas = Canvas()
    heads = [f"{k + 1}. {label}" for k, label in enumerate(matrix.labels)]
    lines = [fitted(head, LABEL_WIDTH, lines=3) for head in heads]
    label_width = max((text_width(line, SIZE) for block in lines for line in block), default=0.0)
    left = label_width + 12
    room = (TWO_COLUMNS - left - 4) / max(1, len(heads) - 1)
    across = min(max(room, CELL_WIDTHS[0]), CELL_WIDTHS[1])
    y = 4.0
    for i, block in enumerate(lines):
        height = max(CELL_HEIGHT, LINE_HEIGHT * len(block) + 4)
        middle = y + height / 2
        for k, line in enumerate(block):
            canvas.text(4, middle + SIZE * 0.35 + LINE_HEIGHT * (k - (len(block) - 1) / 2), line, size=SIZE)
        for j in range(i):
            _cell(canvas, (left + j * across, y), (across, height), *matrix.cells.get((i, j), ("", None)))
        y += height
    for j in range(len(heads) - 1):
        canvas.text(left + (j + 0.5) * across, y + 12, str(j + 1), size=SIZE, anchor="middle", bold=True)
    return Scene(
        width=left + max(1, len(heads) - 1) * across + 4, height=y + 18, title=matrix.title, description=_describe(matrix),
        shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _cell(
    canvas: Canvas, corner: tuple[float, float], size: tuple[float, float], text: str, strength: float | None
) -> None:
    x, y = corner
    right, bottom = x + size[0] - 1, y + size[1] - 1
    if strength is not None:
        canvas.area((x, y), (right, y), (right, bottom), (x, bottom), fill=SHADE, opacity=DARKEST * min(strength, 1.0))
    canvas.text((x + right) / 2, (y + bottom) / 2 + SIZE * 0.35, text, size=SIZE, anchor="middle", color=INK)


def _describe(matrix: Matrix) -> str:
    known = [(abs(value), pair) for pair, (_, value) in matrix.cells.items() if value is not None]
    if not known:
        return f"{matrix.title}. No value is known."
    _, (i, j) = max(known)
    return f"{matrix.title}. The strongest is {named(matrix.labels[i])} with {named(matrix.labels[j])}: {matrix.cells[i, j][0]}."
