"""A picture in points: paths, circles and measured text on white. The origin is the upper left corner."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, pi, sin
from typing import Literal

from counterpulse.report.figures.typeface import text_width

Anchor = Literal["start", "middle", "end"]
INK = "#1a1a1a"
FAINT = "#8a8a8a"
DOT_CORNERS = 16
DISK_CORNERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A polyline or, when filled, a polygon."""

    points: tuple[tuple[float, float], ...]
    stroke: str | None = INK
    width: float = 0.75
    dash: tuple[float, ...] = ()
    fill: str | None = None
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    size: float = 8.5
    anchor: Anchor = "start"
    bold: bool = False
    color: str = INK
    upright: bool = True

    @property
    def width(self) -> float:
        """The measured width."""
        return text_width(self.text, self.size, bold=self.bold)

    @property
    def left(self) -> float:
        """Where the text begins."""
        return self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width


Shape = Path | Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A finished picture; `title` and `description` are what a screen reader says."""

    width: float
    height: float
    title: str
    description: str
    shapes: tuple[Shape, ...]


@dataclass(slots=True)
class Canvas:
    """Collects shapes while a figure is laid out."""

    shapes: list[Shape] = field(default_factory=list)

    def line(
        self, *points: tuple[float, float], color: str = INK, width: float = 0.75, dash: tuple[float, ...] = ()
    ) -> None:
        """Draw a polyline."""
        self.shapes.append(Path(points=points, stroke=color, width=width, dash=dash))

    def area(self, *points: tuple[float, float], fill: str, opacity: float = 1.0) -> None:
        """Fill a polygon."""
        self.shapes.append(Path(points=points, stroke=None, fill=fill, opacity=opacity))

    def box(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a white rectangle with a thin edge."""
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y))
        self.shapes.append(Path(points=corners, fill="#ffffff"))

    def dot(self, x: float, y: float, radius: float, *, fill: str | None = INK, edge: str | None = None) -> None:
        """Draw a round mark; without a fill it is a ring."""
        turns = (2 * pi * k / DOT_CORNERS for k in range(DOT_CORNERS + 1))
        points = tuple((x + radius * cos(turn), y + radius * sin(turn)) for turn in turns)
        self.shapes.append(Path(points=points, stroke=edge, width=0.9, fill=fill or "#ffffff"))

    def disk(self, x: float, y: float, radius: float, *, color: str, opacity: float) -> None:
        """Draw a disk with an edge, through which one sees."""
        turns = (2 * pi * k / DISK_CORNERS for k in range(DISK_CORNERS + 1))
        points = tuple((x + radius * cos(turn), y + radius * sin(turn)) for turn in turns)
        self.shapes.append(Path(points=points, stroke=color, width=0.9, fill=color, opacity=opacity))

    def arrow(self, *points: tuple[float, float], color: str = INK, head: float = 4.0) -> None:
        """Draw a polyline whose last part is horizontal or vertical and ends in an arrowhead."""
        (x0, y0), (x, y) = points[-2], points[-1]
        dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
        self.line(*points[:-1], (x - dx * head, y - dy * head), color=color)
        back_x, back_y, half = x - dx * head, y - dy * head, head * 0.42
        self.area(
            (x, y), (back_x + dy * half, back_y + dx * half), (back_x - dy * half, back_y - dx * half), fill=color
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 8.5,
        anchor: Anchor = "start",
        bold: bool = False,
        color: str = INK,
        upright: bool = True,
    ) -> None:
        """Write one line."""
        if text:
            self.shapes.append(
                Text(x=x, y=y, text=text, size=size, anchor=anchor, bold=bold, color=color, upright=upright)
            )
