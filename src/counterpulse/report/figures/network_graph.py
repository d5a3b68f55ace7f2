"""A network of treatments: a disk a treatment, its area by patients; a line a comparison that studies made, its width by their number.

Treatments stand on a circle, so that no line runs through a disk, and their names stand outside of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, pi, sin, sqrt

from counterpulse.report.figures.lettering import LINE_HEIGHT, SIZE, TWO_COLUMNS, fitted, named, told, widest
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import INK, Anchor, Canvas, Scene
from counterpulse.report.figures.typeface import text_width

MARGIN = 4.0
LARGEST_LABEL = 128.0
LEAST_LABEL = 56.0
LABEL_LINES = 3
MANY = 12
"""Treatments beyond which a name has one line."""
LEAST_ASIDE = 4.0
"""How far from the middle of the page a disk is beside it, in points."""
SMALLEST_DISK, LARGEST_DISK = 3.2, 13.0
THINNEST, THICKEST = 0.9, 8.5
LEAST_RADIUS, LARGEST_RADIUS = 48.0, 132.0
OFF = 6.0
"""From a disk to its name."""
WHITE = "#ffffff"
Point = tuple[float, float]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Treatment:
    """A disk: its name and its patients, None where they are not known."""

    name: str
    patients: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A line between two treatments, by their positions, and the studies that made it."""

    first: int
    second: int
    studies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkGraph:
    """What is drawn, treatments in the order in which they stand, clockwise from the top."""

    title: str
    treatments: Sequence[Treatment]
    comparisons: Sequence[Comparison]
    width: float = TWO_COLUMNS


@dataclass(frozen=True, slots=True)
class _Name:
    """A placed name: its lines, where the first one stands, and on which side of the circle it is."""

    lines: tuple[str, ...]
    x: float
    y: float
    side: int

    @property
    def bottom(self) -> float:
        """The base of the last line."""
        return self.y + (len(self.lines) - 1) * LINE_HEIGHT

    @property
    def left(self) -> float:
        return self.x - widest(self.lines) * (0.5 if not self.side else 0.0 if self.side > 0 else 1.0)

    @property
    def right(self) -> float:
        return self.left + widest(self.lines)


def draw_network(graph: NetworkGraph) -> Scene:
    """Draw the graph."""
    canvas = Canvas()
    n = len(graph.treatments)
    label = max(LEAST_LABEL, min(LARGEST_LABEL, 0.27 * graph.width, widest([t.name for t in graph.treatments])))
    radius = min(LARGEST_RADIUS, max(LEAST_RADIUS, (graph.width - 2 * MARGIN) / 2 - label - LARGEST_DISK - OFF))
    half = graph.width / 2
    places = [(half + radius * sin(turn), -radius * cos(turn)) for turn in (2 * pi * k / max(n, 1) for k in range(n))]
    disks = _disks(graph.treatments)
    names = _names(graph, places, disks)
    top = min([-radius - LARGEST_DISK, *(name.y - SIZE for name in names)])
    bottom = max([radius + LARGEST_DISK, *(name.bottom + 3 for name in names)])
    down = MARGIN - top
    _lines(canvas, graph, [(x, y + down) for x, y in places])
    for (x, y), disk in zip(places, disks, strict=True):
        canvas.dot(x, y + down, disk, fill=COLORS[0], edge=WHITE)
    for name in names:
        for k, line in enumerate(name.lines):
            anchor: Anchor = "middle" if not name.side else "start" if name.side > 0 else "end"
            canvas.text(name.x, name.y + down + k * LINE_HEIGHT, line, anchor=anchor)
    return Scene(
        width=graph.width, height=bottom + down + MARGIN, title=graph.title, description=_describe(graph),
        shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _disks(treatments: Sequence[Treatment]) -> list[float]:
    """The radius of each disk, its area by patients."""
    most = max((treatment.patients or 0 for treatment in treatments), default=0)
    if not most:
        return [0.6 * LARGEST_DISK] * len(treatments)
    return [max(SMALLEST_DISK, LARGEST_DISK * sqrt((treatment.patients or 0) / most)) for treatment in treatments]


def _lines(canvas: Canvas, graph: NetworkGraph, places: Sequence[Point]) -> None:
    """The comparisons, each with its number of studies near its middle, off the crossing of all diameters."""
    most = max((line.studies for line in graph.comparisons), default=1)
    for line in sorted(graph.comparisons, key=lambda line: -line.studies):
        wide = THINNEST + (THICKEST - THINNEST) * (line.studies - 1) / max(most - 1, 1)
        canvas.line(places[line.first], places[line.second], color="#8fa8bd", width=wide)
    taken: list[Bounds] = []
    for line in graph.comparisons:
        (x0, y0), (x1, y1) = places[line.first], places[line.second]
        words = str(line.studies)
        wide = text_width(words, SIZE)
        for share in (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73):
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            box = (x - wide / 2 - 2, y - SIZE / 2 - 1, x + wide / 2 + 2, y + SIZE / 2 + 1)
            if all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken):
                left, up, right, low = box
                canvas.area((left, up), (right, up), (right, low), (left, low), fill=WHITE)
                canvas.text(x, y + SIZE * 0.35, words, anchor="middle", color=INK)
                taken.append(box)
                break


def _names(graph: NetworkGraph, places: Sequence[Point], disks: Sequence[float]) -> list[_Name]:
    """Names beside their disks; those of one side are moved apart, those at the top and the foot beyond what is in their way."""
    half, lines = graph.width / 2, LABEL_LINES if len(places) <= MANY else 1
    beside: list[_Name] = []
    ends: list[_Name] = []
    for (x, y), disk, treatment in zip(places, disks, graph.treatments, strict=True):
        side = 0 if abs(x - half) < LEAST_ASIDE else 1 if x > half else -1
        room = half - MARGIN - abs(x - half) - disk - OFF if side else graph.width - 2 * MARGIN
        words = fitted(treatment.name, min(room, LARGEST_LABEL), lines=lines)
        tall = (len(words) - 1) * LINE_HEIGHT
        if side:
            beside.append(_Name(words, x + side * (disk + OFF), y - tall / 2 + SIZE * 0.35, side))
        else:
            ends.append(_Name(words, x, y + disk + OFF + SIZE if y > 0 else y - disk - OFF - tall, 0))
    apart = [*_apart(beside, 1), *_apart(beside, -1)]
    return [*apart, *(_beyond(name, apart) for name in ends)]


def _apart(names: Sequence[_Name], side: int) -> list[_Name]:
    """The names of one side: from the middle of the circle upward and downward, each clear of the one before."""
    own = sorted((name for name in names if name.side == side), key=lambda name: name.y)
    upper, lower = [name for name in own if name.y <= 0], [name for name in own if name.y > 0]
    kept: list[_Name] = []
    for name in reversed(upper):
        most = kept[-1].y - LINE_HEIGHT - 1 - (name.bottom - name.y) if kept else name.y
        kept.append(replace(name, y=min(name.y, most)))
    last = kept[0].bottom if kept else None
    for name in lower:
        moved = name if last is None else replace(name, y=max(name.y, last + LINE_HEIGHT + 1))
        kept.append(moved)
        last = moved.bottom
    return kept


def _beyond(name: _Name, others: Sequence[_Name]) -> _Name:
    """A name at the top or the foot, beyond the names beside it that it would touch."""
    up = name.y < 0
    for other in sorted(others, key=lambda other: other.y, reverse=up):
        near = name.y - LINE_HEIGHT < other.bottom and other.y - LINE_HEIGHT < name.bottom
        across = name.left < other.right + 4 and other.left < name.right + 4
        if near and across:
            tall = name.bottom - name.y
            name = replace(name, y=other.y - LINE_HEIGHT - 1 - tall if up else other.bottom + LINE_HEIGHT + 1)
    return name


def _describe(graph: NetworkGraph) -> str:
    studies = sum(line.studies for line in graph.comparisons)
    head = f"{len(graph.treatments)} treatments; {len(graph.comparisons)} comparisons made {studies} times."
    parts = [
        f"{named(graph.treatments[line.first].name)} with {named(graph.treatments[line.second].name)}: "
        f"{line.studies} {'study' if line.studies == 1 else 'studies'}"
        for line in sorted(graph.comparisons, key=lambda line: -line.studies)
    ]
    return told(head, parts)
