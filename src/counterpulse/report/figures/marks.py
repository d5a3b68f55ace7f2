"""Marks of points, told apart by their shape where print is gray."""

from __future__ import annotations

from counterpulse.report.figures.scene import INK, Canvas

SHAPES = ("ring", "dot", "square", "diamond", "triangle", "cross")
WHITE = "#ffffff"


def draw_mark(canvas: Canvas, shape: str, x: float, y: float, radius: float, *, color: str = INK) -> None:
    """Draw one mark around a point; all shapes cover about the same area."""
    r = radius
    if shape == "ring":
        canvas.dot(x, y, r, fill=None, edge=color)
    elif shape == "dot":
        canvas.dot(x, y, r, fill=color)
    elif shape == "square":
        h = 0.9 * r
        canvas.area((x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h), fill=color)
    elif shape == "diamond":
        h = 1.28 * r
        canvas.area((x, y - h), (x + h, y), (x, y + h), (x - h, y), fill=color)
    elif shape == "triangle":
        h = 1.2 * r
        canvas.area((x, y - h), (x + h, y + 0.8 * h), (x - h, y + 0.8 * h), fill=color)
    else:
        canvas.line((x - r, y - r), (x + r, y + r), color=color, width=1.3)
        canvas.line((x - r, y + r), (x + r, y - r), color=color, width=1.3)
