"""Lines and points in a plane with a linear or logarithmic axis each: effect curves, calibration, ROC, funnels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from counterpulse.report.figures.palette import look
from counterpulse.report.figures.scene import FAINT, INK, Canvas, Scene
from counterpulse.report.figures.typeface import LINE, text_width, wrap
from counterpulse.report.numbers import MINUS

SIZE = 8.5
ROW = SIZE * LINE
HEIGHT = 214.0
WIDE, SQUARE = 300.0, HEIGHT
LEGEND_WIDTH = 128.0
SAMPLE = 18.0
BAND_OPACITY = 0.15
DOT = 2.6
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line with its band, or marks with their whiskers.

    `low` and `high` have one value a point, None where unknown. `steps` draws corners; `dashed` a thin gray line that is
    not one of the series; a `twin` looks like the series before it. `names` mark the points by their own words.
    """

    label: str
    points: Sequence[Point]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    marks: bool = False
    dashed: bool = False
    twin: bool = False
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis from its first tick to its last."""

    label: str
    ticks: Sequence[float]
    log: bool = False
    percent: bool = False

    def at(self, value: float) -> float:
        """Where a value lies between the ends, 0 to 1; one beyond them lies at the end."""
        low, high, here = (self._on(v) for v in (self.ticks[0], self.ticks[-1], value))
        return min(max((here - low) / (high - low), 0.0), 1.0)

    def _on(self, value: float) -> float:
        return log(max(value, 1e-300)) if self.log else value

    def tick_label(self, tick: float, decimal_mark: str) -> str:
        """A tick as printed; those of a linear axis with the same decimal places."""
        value = 100 * tick if self.percent else tick
        text = f"{value:.6g}"
        if not self.log and "e" not in text:
            places = max(len(f"{100 * other if self.percent else other:.6g}".partition(".")[2]) for other in self.ticks)
            text = f"{value:.{places}f}"
        return text.replace("-", MINUS).replace(".", decimal_mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """What is drawn. `above` are words over the ticks of x; `rule` is a gray line of the axes' null or diagonal."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    rules: Sequence[Sequence[Point]] = ()
    dots: Sequence[Point] = ()
    above: Sequence[str] = ()
    above_label: str = ""
    square: bool = False
    legend: bool = True
    decimal_mark: str = "."
    description: str = ""


@dataclass(frozen=True, slots=True)
class _Frame:
    left: float
    top: float
    width: float
    plane: Plane

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + HEIGHT

    def place(self, point: Point) -> Point:
        return (
            round(self.left + self.width * self.plane.x.at(point[0]), 2),
            round(self.bottom - HEIGHT * self.plane.y.at(point[1]), 2),
        )


def draw_plane(plane: Plane) -> Scene:
    """Draw lines and points."""
    canvas = Canvas()
    tick_width = max(text_width(plane.y.tick_label(tick, plane.decimal_mark), SIZE) for tick in plane.y.ticks)
    frame = _Frame(
        tick_width + 30 + (4 if plane.above_label else 0),
        10 + (2 * ROW if plane.above else 0),
        SQUARE if plane.square else WIDE,
        plane,
    )
    for rule in plane.rules:
        canvas.line(*(frame.place(point) for point in rule), color=FAINT, width=0.7, dash=(3, 2.5))
    places = _looks(plane.lines)
    for line, index in zip(plane.lines, places, strict=True):
        _spread(canvas, frame, line, look(index)[0])
    for line, index in sorted(zip(plane.lines, places, strict=True), key=lambda pair: pair[0].marks):
        _line(canvas, frame, line, index)
    for point in plane.dots:
        x, y = frame.place(point)
        canvas.dot(x, y, DOT, fill=None, edge=INK)
    _axes(canvas, frame)
    listed = zip(plane.lines, places, strict=True) if plane.legend else ()
    shown = [(line, index) for line, index in listed if line.label]
    lowest = _legend(canvas, frame, shown)
    last = text_width(plane.x.tick_label(plane.x.ticks[-1], plane.decimal_mark), SIZE) / 2
    return Scene(
        width=frame.right + (12 + LEGEND_WIDTH if shown else max(8.0, last + 2)),
        height=max(frame.bottom + 34, lowest + 6),
        title=plane.title,
        description=plane.description or plane.title,
        shapes=tuple(canvas.shapes),
    )


def _looks(lines: Sequence[Line]) -> list[int]:
    """The position of each line's look: thin gray lines take none, and a twin that of the series before it."""
    found: list[int] = []
    last = -1
    for line in lines:
        last += not line.dashed and not line.twin
        found.append(max(last, 0))
    return found


def _spread(canvas: Canvas, frame: _Frame, line: Line, color: str) -> None:
    """The interval as a band, or as whiskers of marks; points without one have none."""
    known = [
        (point, low, high)
        for point, low, high in zip(line.points, line.low, line.high, strict=False)
        if low is not None and high is not None
    ]
    if line.marks:
        for (x, _), low, high in known:
            canvas.line(frame.place((x, low)), frame.place((x, high)), color=color, width=0.9)
    elif len(known) > 1:
        upper = [frame.place((x, high)) for (x, _), _, high in known]
        lower = [frame.place((x, low)) for (x, _), low, _ in known]
        canvas.area(*upper, *reversed(lower), fill=color, opacity=BAND_OPACITY)


def _line(canvas: Canvas, frame: _Frame, line: Line, index: int) -> None:
    places = [frame.place(point) for point in line.points]
    if line.marks:
        color = look(index)[0]
        for x, y in places:
            canvas.dot(x, y, DOT, fill=color)
        _names(canvas, frame, line, places)
    elif len(places) > 1:
        color, dash = (FAINT, (1.2, 1.8)) if line.dashed else look(index)
        canvas.line(*places, color=color, width=0.9 if line.dashed else 1.5, dash=dash)


def _names(canvas: Canvas, frame: _Frame, line: Line, places: Sequence[Point]) -> None:
    """The names of some points beside them, where no point and no other name stands."""
    taken = [(x - DOT - 1, y - DOT - 1, x + DOT + 1, y + DOT + 1) for x, y in places]
    for (x, y), name in zip(places, line.names, strict=False):
        width = text_width(name, SIZE)
        for left, base in ((x + 5, y + 3), (x - 5 - width, y + 3), (x - width / 2, y - 6), (x - width / 2, y + 12)):
            box = (left, base - SIZE * 0.8, left + width, base + 1.5)
            free = all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken)
            inside = frame.left < box[0] and box[2] < frame.right and frame.top < box[1] and box[3] < frame.bottom
            if name and free and inside:
                canvas.text(left, base, name, size=SIZE)
                taken.append(box)
                break


def _axes(canvas: Canvas, frame: _Frame) -> None:
    plane = frame.plane
    canvas.line((frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom), color=INK)
    for tick in plane.y.ticks:
        _, y = frame.place((plane.x.ticks[0], tick))
        canvas.line((frame.left - 3.5, y), (frame.left, y))
        label = plane.y.tick_label(tick, plane.decimal_mark)
        canvas.text(frame.left - 6, y + SIZE * 0.35, label, size=SIZE, anchor="end")
    for k, tick in enumerate(plane.x.ticks):
        x, _ = frame.place((tick, plane.y.ticks[0]))
        canvas.line((x, frame.bottom), (x, frame.bottom + 3.5))
        label = plane.x.tick_label(tick, plane.decimal_mark)
        canvas.text(x, frame.bottom + 13, label, size=SIZE, anchor="middle")
        if plane.above:
            canvas.text(x, frame.top - 5, plane.above[k], size=SIZE, anchor="middle")
    if plane.above:
        canvas.text(frame.left, frame.top - 5 - ROW, plane.above_label, size=SIZE)
    canvas.text(
        (frame.left + frame.right) / 2,
        frame.bottom + 27,
        _fit(plane.x.label, frame.width + 20),
        size=SIZE,
        anchor="middle",
    )
    middle = frame.top + HEIGHT / 2
    canvas.text(11, middle, _fit(plane.y.label, HEIGHT), size=SIZE, anchor="middle", upright=False)


def _fit(words: str, width: float) -> str:
    """Words that fit on one line, cut with an ellipsis where they do not."""
    first, *more = wrap(words, width, SIZE)
    return f"{wrap(words, width - 8, SIZE)[0]}\N{HORIZONTAL ELLIPSIS}" if more else first


def _legend(canvas: Canvas, frame: _Frame, shown: Sequence[tuple[Line, int]]) -> float:
    """Each line's look with its words, one under another; gives the lowest."""
    left = frame.right + 12
    y = frame.top + ROW
    for line, index in shown:
        color, dash = (FAINT, (1.2, 1.8)) if line.dashed else look(index)
        middle = y - SIZE * 0.3
        if line.marks:
            canvas.dot(left + SAMPLE / 2, middle, DOT, fill=color)
        else:
            canvas.line(
                (left, middle), (left + SAMPLE, middle), color=color, width=0.9 if line.dashed else 1.5, dash=dash
            )
        for words in wrap(line.label, LEGEND_WIDTH - SAMPLE - 8, SIZE):
            canvas.text(left + SAMPLE + 4, y, words, size=SIZE, color=INK)
            y += ROW
        y += 3
    return y - ROW
