"""Very many points in a plane, counted in small squares: the darker, the more. Panels share their axes and their shades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

from counterpulse.report.figures.lettering import LINE_HEIGHT, SIZE, TWO_COLUMNS, apart, fitted, named, told, widest
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import FAINT, Canvas, Scene
from counterpulse.report.figures.xy import Axis
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import count

MARGIN = 4.0
GAP = 26.0
HEIGHT = 168.0
ACROSS = 2
LARGEST_WIDTH = 320.0
BIN = 4.6
"""The side of a square, in points."""
STRIP = 26.0
"""The height of the histogram over a panel."""
PALEST = 0.16
HEAD_LINES = 2
KEY = (0.0, 0.25, 0.5, 0.75, 1.0)
NARROW = 320.0
Bin = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cloud:
    """A panel: its head and its points."""

    head: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinnedPlane:
    """What is drawn; `rule` is a value of x with a dashed line."""

    title: str
    clouds: Sequence[Cloud]
    x: Axis
    y: Axis
    counted: str
    rule: float | None = None
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN
    description: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    left: float
    room: float
    step: float
    across: int
    head: float
    foot: float

    @property
    def row(self) -> float:
        return self.head + STRIP + HEIGHT + 30 + self.foot


def draw_binned_plane(plane: BinnedPlane) -> Scene:
    """Draw the panels, two beside each other where the figure is as wide as the page."""
    canvas = Canvas()
    layout = _layout(plane)
    binned = [_binned(cloud, plane, layout) for cloud in plane.clouds]
    most = max((n for bins in binned for n in bins.values()), default=1)
    for k, (cloud, bins) in enumerate(zip(plane.clouds, binned, strict=True)):
        corner = layout.left + (k % layout.across) * layout.step, MARGIN + (k // layout.across) * layout.row
        _panel(canvas, plane, layout, (cloud.head, bins, most), corner, COLORS[k % 2], first=k % layout.across == 0)
    rows = -(-len(plane.clouds) // layout.across)
    foot = _key(canvas, plane, most, MARGIN + rows * layout.row + 4)
    parts = [f"{named(cloud.head)}: {count(len(cloud.points), plane.style)} {plane.counted}" for cloud in plane.clouds]
    return Scene(
        width=plane.width, height=foot + MARGIN, title=plane.title,
        description=told(plane.description or f"{plane.y.label} against {plane.x.label}.", parts), shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _layout(plane: BinnedPlane) -> _Layout:
    words = widest(plane.y.texts(plane.style))
    left = MARGIN + 14 + words + 6
    edge = max(8.0, widest(plane.x.texts(plane.style)[-1:]) / 2 + 2)
    across = 1 if plane.width < NARROW else max(1, min(ACROSS, len(plane.clouds)))
    step = (plane.width - left - edge + GAP) / across
    room = min(step - GAP, LARGEST_WIDTH)
    lines = max((len(fitted(cloud.head, room, lines=HEAD_LINES, bold=True)) for cloud in plane.clouds), default=1)
    foot = len(fitted(plane.x.label, room, lines=2)) * LINE_HEIGHT
    return _Layout(left, room, step, across, lines * LINE_HEIGHT + 3, foot)


def _binned(cloud: Cloud, plane: BinnedPlane, layout: _Layout) -> Mapping[Bin, int]:
    """How many points lie in each square."""
    columns, rows = int(layout.room / BIN), int(HEIGHT / BIN)
    return Counter(
        (min(int(plane.x.at(x) * columns), columns - 1), min(int(plane.y.at(y) * rows), rows - 1))
        for x, y in cloud.points
    )


def _shade(n: int, most: int) -> float:
    """The strength of a square, by the logarithm of its points."""
    return 1.0 if most <= 1 else PALEST + (1 - PALEST) * log(n) / log(most)


def _panel(
    canvas: Canvas, plane: BinnedPlane, layout: _Layout, counted: tuple[str, Mapping[Bin, int], int],
    corner: tuple[float, float], color: str, *, first: bool,
) -> None:  # fmt: skip
    head, bins, most = counted
    left, y = corner
    right = left + layout.room
    for k, line in enumerate(fitted(head, layout.room, lines=HEAD_LINES, bold=True)):
        canvas.text(left, y + SIZE + k * LINE_HEIGHT, line, bold=True)
    top = y + layout.head + STRIP
    bottom = top + HEIGHT
    wide, tall = layout.room / int(layout.room / BIN), HEIGHT / int(HEIGHT / BIN)
    _histogram(canvas, bins, (left, top - 2), wide, color)
    for (i, j), n in sorted(bins.items()):
        x0, y0 = left + i * wide, bottom - (j + 1) * tall
        corners = (x0, y0), (x0 + wide, y0), (x0 + wide, y0 + tall), (x0, y0 + tall)
        canvas.area(*corners, fill=color, opacity=_shade(n, most))
    if plane.rule is not None:
        x = left + layout.room * plane.x.at(plane.rule)
        canvas.line((x, top), (x, bottom), color=FAINT, width=0.7, dash=(3, 2.5))
    canvas.line((left, top), (left, bottom), (right, bottom))
    _axes(canvas, plane, (left, right, top, bottom), words=first)


def _histogram(canvas: Canvas, bins: Mapping[Bin, int], foot: tuple[float, float], wide: float, color: str) -> None:
    """How the points are distributed along the axis of x."""
    totals: Counter[int] = Counter()
    for (i, _), n in bins.items():
        totals[i] += n
    most = max(totals.values(), default=1)
    left, y = foot
    for i, n in sorted(totals.items()):
        tall = (STRIP - 6) * n / most
        x0 = left + i * wide
        canvas.area((x0, y), (x0 + wide, y), (x0 + wide, y - tall), (x0, y - tall), fill=color, opacity=0.55)


def _axes(canvas: Canvas, plane: BinnedPlane, box: tuple[float, float, float, float], *, words: bool) -> None:
    left, right, top, bottom = box
    for tick, text in zip(plane.y.ticks, plane.y.texts(plane.style), strict=True):
        y = bottom - (bottom - top) * plane.y.at(tick)
        canvas.line((left - 3, y), (left, y))
        canvas.text(left - 5, y + SIZE * 0.35, text if words else "", anchor="end")
    texts = plane.x.texts(plane.style)
    places = [left + (right - left) * plane.x.at(tick) for tick in plane.x.ticks]
    for x in places:
        canvas.line((x, bottom), (x, bottom + 3))
    for k in apart(places, [widest([text]) for text in texts]):
        canvas.text(places[k], bottom + 12, texts[k], anchor="middle")
    for k, line in enumerate(fitted(plane.x.label, right - left, lines=2)):
        canvas.text((left + right) / 2, bottom + 13 + (k + 1) * LINE_HEIGHT, line, anchor="middle")
    if words:
        (upright,) = fitted(plane.y.label, HEIGHT)
        canvas.text(MARGIN + 8, (top + bottom) / 2, upright, anchor="middle", upright=False)


def _key(canvas: Canvas, plane: BinnedPlane, most: int, y: float) -> float:
    """What the shades are: one point, and as many as in the fullest square."""
    shown = sorted({round(most**share) for share in KEY}) if most > 1 else [1]
    x = MARGIN
    (lead,) = fitted(f"{plane.counted[:1].upper()}{plane.counted[1:]} in a square:", plane.width / 2)
    canvas.text(x, y + SIZE, lead)
    x += widest([lead]) + 8
    for n in shown:
        words = count(n, plane.style)
        if x + 14 + widest([words]) > plane.width - MARGIN:
            break
        corners = (x, y + 1), (x + 9, y + 1), (x + 9, y + 10), (x, y + 10)
        canvas.area(*corners, fill=COLORS[0], opacity=_shade(n, most))
        canvas.text(x + 12, y + SIZE, words)
        x += 12 + widest([words]) + 10
    return y + 12
