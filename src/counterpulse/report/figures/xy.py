"""Lines and points in a plane with a linear or logarithmic axis each: effect curves, calibration, ROC, funnels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log

from counterpulse.report.figures.lettering import (
    LINE_HEIGHT,
    SIZE,
    TWO_COLUMNS,
    apart,
    fitted,
    named,
    tick_texts,
    told,
    widest,
)
from counterpulse.report.figures.palette import look
from counterpulse.report.figures.scene import FAINT, INK, Canvas, Scene
from counterpulse.report.figures.typeface import text_width
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import number

HEIGHT, NARROW_HEIGHT = 208.0, 176.0
WIDE = 320.0
NARROW = 320.0
MARGIN = 4.0
LEGEND_WIDTH = 138.0
LEGEND_LINES = 4
SAMPLE = 18.0
BAND_OPACITY = 0.15
DOT = 2.6
STRIP = 15.0
GRAY_DASH = (1.2, 1.8)
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line with its band, or marks with their whiskers.

    `low` and `high` have one value a point, None where unknown. A `dashed` line or a `rule` is thin, gray and none of the
    series; a `twin` looks like the series before it. `names` mark the points by their own words. Marks may be `hollow`, and
    black instead of a series' color with `ink`; with `radii` they are pale disks of their own sizes.
    """

    label: str
    points: Sequence[Point]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    marks: bool = False
    dashed: bool = False
    rule: bool = False
    twin: bool = False
    hollow: bool = False
    ink: bool = False
    names: Sequence[str] = ()
    radii: Sequence[float] = ()

    @property
    def series(self) -> bool:
        """Whether it takes a look of its own."""
        return not (self.dashed or self.rule or self.twin or self.ink)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A shaded region of one or more polygons, under everything else."""

    label: str
    parts: Sequence[Sequence[Point]]
    shade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis from its first tick to its last; it may fall."""

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

    def texts(self, style: NumberStyle) -> tuple[str, ...]:
        """The ticks as printed."""
        return tick_texts([100 * tick if self.percent else tick for tick in self.ticks], style, log=self.log)

    def said(self, value: float, style: NumberStyle) -> str:
        """A value in a description."""
        if self.percent:
            return f"{number(100 * value, 1, style)}%"
        span = abs(self.ticks[-1] - self.ticks[0])
        return number(value, 0 if span >= 50 else 1 if span >= 5 else 2 if span >= 0.5 else 4, style)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """What is drawn.

    `above` are words over the ticks of x; `rules` are gray lines of the axes' null or diagonal; `bars` stand on the axis of
    x with heights from 0 to 1, as a histogram of who is where. The legend stands at the side, under a narrow figure.
    With `ends` the description says between which values the lines run.
    """

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    rules: Sequence[Sequence[Point]] = ()
    dots: Sequence[Point] = ()
    areas: Sequence[Area] = ()
    bars: Sequence[Point] = ()
    above: Sequence[str] = ()
    above_label: str = ""
    square: bool = False
    legend: bool = True
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN
    description: str = ""
    ends: bool = True

    @property
    def narrow(self) -> bool:
        """Whether it stands in one column of print."""
        return self.width < NARROW


@dataclass(frozen=True, slots=True)
class _Frame:
    left: float
    top: float
    width: float
    height: float
    plane: Plane

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def place(self, point: Point) -> Point:
        return (
            round(self.left + self.width * self.plane.x.at(point[0]), 2),
            round(self.bottom - self.height * self.plane.y.at(point[1]), 2),
        )


Entry = tuple[Line | Area, int]


def draw_plane(plane: Plane) -> Scene:
    """Draw lines and points."""
    canvas = Canvas()
    places = _looks(plane.lines)
    entries: list[Entry] = [(line, index) for line, index in zip(plane.lines, places, strict=True) if line.label]
    entries += [(area, 0) for area in plane.areas]
    shown = entries if plane.legend else []
    frame = _frame(plane, legend=bool(shown))
    _ground(canvas, frame)
    for line, index in zip(plane.lines, places, strict=True):
        _spread(canvas, frame, line, index)
    for line, index in sorted(zip(plane.lines, places, strict=True), key=lambda pair: pair[0].marks):
        _line(canvas, frame, line, index)
    for point in plane.dots:
        x, y = frame.place(point)
        canvas.dot(x, y, DOT, fill=None, edge=INK)
    lowest = _axes(canvas, frame)
    corner = (MARGIN, lowest + LINE_HEIGHT + 5) if plane.narrow else (frame.right + 12, frame.top + LINE_HEIGHT)
    room = (plane.width - 2 * MARGIN if plane.narrow else LEGEND_WIDTH) - SAMPLE - 6
    foot = _legend(canvas, shown, corner, room)
    beside = 12 + LEGEND_WIDTH if shown and not plane.narrow else _last(plane)
    return Scene(
        width=plane.width if shown and plane.narrow else frame.right + beside,
        height=max(lowest + 7, foot + 6 if shown else 0.0),
        title=plane.title,
        description=_describe(plane),
        shapes=tuple(canvas.shapes),
    )


def _frame(plane: Plane, *, legend: bool) -> _Frame:
    """The plot: as wide as the page leaves, and no wider than it is easily read."""
    left = widest(plane.y.texts(plane.style)) + 30 + (4 if plane.above_label else 0)
    room = plane.width - left - (12 + LEGEND_WIDTH if legend and not plane.narrow else _last(plane))
    height = NARROW_HEIGHT if plane.narrow else HEIGHT
    width = min(room, height if plane.square else WIDE)
    return _Frame(left, 10 + (2 * LINE_HEIGHT if plane.above else 0), width, width if plane.square else height, plane)


def _last(plane: Plane) -> float:
    """The room that the last words over and under the axis need beside it."""
    return max(MARGIN, widest([*plane.x.texts(plane.style)[-1:], *plane.above[-1:]]) / 2 + 2)


def _looks(lines: Sequence[Line]) -> list[int]:
    """The position of each line's look: thin gray lines take none, and a twin that of the series before it."""
    found: list[int] = []
    last = -1
    for line in lines:
        last += line.series
        found.append(max(last, 0))
    return found


def _ground(canvas: Canvas, frame: _Frame) -> None:
    """What lies under the lines: shades, the bars on the axis, gray rules."""
    for area in frame.plane.areas:
        for part in area.parts:
            canvas.area(*(frame.place(point) for point in part), fill=area.shade)
    for x, height in frame.plane.bars:
        at, _ = frame.place((x, frame.plane.y.ticks[0]))
        canvas.line(
            (at, frame.bottom), (at, frame.bottom - STRIP * min(max(height, 0.0), 1.0)), color="#b5b5b5", width=2.2
        )
    for rule in frame.plane.rules:
        canvas.line(*(frame.place(point) for point in rule), color=FAINT, width=0.7, dash=(3, 2.5))


def _spread(canvas: Canvas, frame: _Frame, line: Line, index: int) -> None:
    """The interval as a band, or as whiskers of marks; points without one have none."""
    color, dash = look(index)
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
        for edge in (upper, lower):
            canvas.line(*edge, color=color, width=0.35, dash=dash)


def _stroke(line: Line, index: int) -> tuple[str, float, tuple[float, ...]]:
    """The color, width and dash of a line."""
    if line.rule:
        return FAINT, 0.8, ()
    color, dash = look(index)
    return (FAINT, 0.9, GRAY_DASH) if line.dashed else (color, 1.5, dash)


def _dot(canvas: Canvas, line: Line, index: int, x: float, y: float) -> None:
    color = INK if line.ink else look(index)[0]
    canvas.dot(x, y, DOT, fill=None if line.hollow else color, edge=color if line.hollow else None)


def _disks(canvas: Canvas, line: Line, index: int, places: Sequence[Point]) -> None:
    """Disks that show what lies under them, the small ones over the large ones."""
    color = INK if line.ink else look(index)[0]
    for (x, y), radius in sorted(zip(places, line.radii, strict=False), key=lambda pair: -pair[1]):
        canvas.disk(x, y, radius, color=color, opacity=BAND_OPACITY)


def _line(canvas: Canvas, frame: _Frame, line: Line, index: int) -> None:
    places = [frame.place(point) for point in line.points]
    if line.marks and line.radii:
        _disks(canvas, line, index, places)
        _names(canvas, frame, line, places)
    elif line.marks:
        for x, y in places:
            _dot(canvas, line, index, x, y)
        _names(canvas, frame, line, places)
    elif len(places) > 1:
        color, width, dash = _stroke(line, index)
        canvas.line(*places, color=color, width=width, dash=dash)


def _names(canvas: Canvas, frame: _Frame, line: Line, places: Sequence[Point]) -> None:
    """The names of some points beside them, where no point and no other name stands."""
    sizes = line.radii or [DOT] * len(places)
    taken = [(x - r - 1, y - r - 1, x + r + 1, y + r + 1) for (x, y), r in zip(places, sizes, strict=True)]
    for (x, y), name, size in zip(places, line.names, sizes, strict=False):
        width, off = text_width(name, SIZE), size - DOT
        for left, base in (
            (x + off + 5, y + 3), (x - off - 5 - width, y + 3), (x - width / 2, y - off - 6), (x - width / 2, y + off + 12),
        ):  # fmt: skip
            box = (left, base - SIZE * 0.8, left + width, base + 1.5)
            free = all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken)
            inside = frame.left < box[0] and box[2] < frame.right and frame.top < box[1] and box[3] < frame.bottom
            if name and free and inside:
                canvas.area(
                    (left, box[1]), (box[2], box[1]), (box[2], box[3]), (left, box[3]), fill="#ffffff", opacity=0.85
                )
                canvas.text(left, base, name, size=SIZE)
                taken.append(box)
                break


def _axes(canvas: Canvas, frame: _Frame) -> float:
    """Both axes with what fits of their ticks and their words; gives the lowest line."""
    plane = frame.plane
    canvas.line((frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom), color=INK)
    for tick, text in zip(plane.y.ticks, plane.y.texts(plane.style), strict=True):
        _, y = frame.place((plane.x.ticks[0], tick))
        canvas.line((frame.left - 3.5, y), (frame.left, y))
        canvas.text(frame.left - 6, y + SIZE * 0.35, text, size=SIZE, anchor="end")
    texts = plane.x.texts(plane.style)
    at = [frame.place((tick, plane.y.ticks[0]))[0] for tick in plane.x.ticks]
    above = plane.above or [""] * len(texts)
    for x in at:
        canvas.line((x, frame.bottom), (x, frame.bottom + 3.5))
    for k in apart(at, [widest(pair) for pair in zip(texts, above, strict=True)]):
        canvas.text(at[k], frame.bottom + 13, texts[k], size=SIZE, anchor="middle")
        canvas.text(at[k], frame.top - 5, above[k], size=SIZE, anchor="middle")
    canvas.text(frame.left, frame.top - 5 - LINE_HEIGHT, plane.above_label, size=SIZE)
    (upright,) = fitted(plane.y.label, frame.height)
    canvas.text(11, frame.top + frame.height / 2, upright, size=SIZE, anchor="middle", upright=False)
    y = frame.bottom + 14
    for words in fitted(plane.x.label, frame.width, lines=2):
        y += LINE_HEIGHT + 2
        canvas.text((frame.left + frame.right) / 2, y, words, size=SIZE, anchor="middle")
    return y


def _legend(canvas: Canvas, shown: Sequence[Entry], corner: Point, room: float) -> float:
    """Each line's look with its words, one under another; gives the lowest line."""
    left, y = corner
    for entry, index in shown:
        middle = y - SIZE * 0.3
        if isinstance(entry, Area):
            top, bottom = middle - 4, middle + 4
            corners = (left, top), (left + SAMPLE, top), (left + SAMPLE, bottom), (left, bottom), (left, top)
            canvas.area(*corners, fill=entry.shade)
            canvas.line(*corners, color=FAINT, width=0.4)
        elif entry.marks:
            _dot(canvas, entry, index, left + SAMPLE / 2, middle)
        else:
            color, width, dash = _stroke(entry, index)
            canvas.line((left, middle), (left + SAMPLE, middle), color=color, width=width, dash=dash)
        for words in fitted(entry.label, room, lines=LEGEND_LINES):
            canvas.text(left + SAMPLE + 5, y, words, size=SIZE, color=INK)
            y += LINE_HEIGHT
        y += 3
    return y - LINE_HEIGHT - 3


def _describe(plane: Plane) -> str:
    """What the lines go from and to, and how many points there are."""
    parts = []
    for line in plane.lines if plane.ends else ():
        points = [point for point in line.points if all(map(isfinite, point))]
        if not line.series or not points:
            continue
        words = f"{named(line.label)}: " if line.label else "The line: "
        if line.marks:
            parts.append(f"{words}{len(points)} {'point' if len(points) == 1 else 'points'}")
        else:
            ends = [
                f"{plane.y.said(y, plane.style)} at {plane.x.said(x, plane.style)}" for x, y in (points[0], points[-1])
            ]
            parts.append(f"{words}from {ends[0]} to {ends[1]}")
    return told(plane.description or f"{plane.y.label} against {plane.x.label}.", parts)
