"""Boxes of counted lines on a board: what the flow diagrams of cohorts, trials and reviews are made of.

Layout comes first and is a value of its own (`Layout`), so that a test can prove that no two boxes touch, no text leaves
its box and no connector crosses one, whatever the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from counterpulse.report.figures.scene import Canvas, Scene
from counterpulse.report.figures.typeface import LINE, text_width, wrap

WIDTH = 489.0
"""With the margins 174 mm, the full width of a journal's page."""
SIZE = 8.0
MARGIN = 2.0
MOST_ABREAST = 6
BAND = 15.0
MAIN = 200.0
BRANCH = 24.0
GUTTER = 12.0
TINT = "#e6ebf1"
LEAST_ROOM = 5.5
"""Words beside a count have at least so many ems; a long word in a narrow column needs them."""
NO_WAY = 0.01
"""A way shorter than this, in points, is none."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class FlowLine:
    """One counted line of a box: the count as printed, its words, how far it is indented."""

    count: str
    label: str
    indent: int = 0


Box = tuple[FlowLine, ...]


@dataclass(frozen=True, slots=True)
class FlowStage:
    """A box of the main column and, beside the way to the next one, the box of those who left."""

    box: Box
    removed: Box = ()


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A line of text with its baseline, inside its box."""

    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    anchor_end: bool = False

    @property
    def left(self) -> float:
        """Where the text begins."""
        return self.x - self.width if self.anchor_end else self.x

    @property
    def width(self) -> float:
        """The measured width."""
        return text_width(self.text, self.size, bold=self.bold)


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A rectangle and the lines in it."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[PlacedText, ...]

    @property
    def middle(self) -> float:
        """The middle between left and right."""
        return self.x + self.width / 2

    @property
    def center(self) -> float:
        """The middle between top and bottom."""
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height

    def moved(self, dx: float, dy: float) -> PlacedBox:
        """The same box elsewhere."""
        lines = tuple(replace(line, x=line.x + dx, y=line.y + dy) for line in self.lines)
        return replace(self, x=self.x + dx, y=self.y + dy, lines=lines)


@dataclass(frozen=True, slots=True)
class Band:
    """A tinted strip that names a stage (its words run upward) or a column (they run across)."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    upward: bool
    size: float


@dataclass(frozen=True, slots=True)
class Way:
    """A connector from box to box; it ends in an arrowhead unless it only leads to others."""

    points: tuple[Point, ...]
    arrow: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands."""

    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    ways: tuple[Way, ...]
    bands: tuple[Band, ...] = ()


@dataclass(slots=True)
class Board:
    """Collects boxes and connectors; `size` is that of every text, and the distances follow it."""

    size: float = SIZE
    boxes: list[PlacedBox] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)

    @property
    def gap(self) -> float:
        """The way from one box to the next."""
        return 2.6 * self.size

    def put(self, box: Box, x: float, y: float, width: float) -> PlacedBox:
        """Set a box with its upper left corner at a point."""
        self.boxes.append(set_box(box, x, y, width, self.size))
        return self.boxes[-1]

    def row(
        self,
        row: Sequence[Box],
        lefts: Sequence[float],
        width: float,
        y: float,
        *,
        least: float = 0.0,
        even: bool = True,
    ) -> tuple[list[PlacedBox | None], float]:
        """Set boxes side by side and give the lower end of the row; an empty box leaves its place free.

        The boxes are as high as the highest where they are `even`, and stand in the middle of a row of at `least` some height.
        """
        natural = [set_box(box, x, y, width, self.size) if box else None for box, x in zip(row, lefts, strict=True)]
        highest = max((box.height for box in natural if box), default=0.0)
        height = max(highest, least)
        placed = [
            box
            and (replace(box, height=highest) if even else box).moved(
                0, (height - (highest if even else box.height)) / 2
            )
            for box in natural
        ]
        self.boxes += [box for box in placed if box]
        return placed, y + height

    def arrow(self, *points: Point) -> None:
        """Connect with an arrowhead at the end."""
        self.ways.append(Way(points))

    def line(self, *points: Point) -> None:
        """Connect without one."""
        self.ways.append(Way(points, arrow=False))

    def down(self, column: Sequence[PlacedBox | None]) -> None:
        """Connect the boxes of a column from top to bottom."""
        for upper, lower in pairwise(box for box in column if box):
            self.arrow((upper.middle, upper.bottom), (lower.middle, lower.y))

    def stage(self, text: str, y: float, bottom: float) -> None:
        """Name what stands between two heights, at the left edge."""
        self.bands.append(Band(0.0, y, BAND, bottom - y, (text,), upward=True, size=self.size))

    def least(self, text: str) -> float:
        """The height that the name of a stage needs."""
        return text_width(text, self.size, bold=True) + self.size

    def laid_out(self) -> Layout:
        """Everything, moved to the upper left corner."""
        shapes = [(box.x, box.y, box.right, box.bottom) for box in self.boxes]
        shapes += [(band.x, band.y, band.x + band.width, band.y + band.height) for band in self.bands]
        shapes += [(x, y, x, y) for way in self.ways for x, y in way.points]
        left, top, right, bottom = (
            pick(shape[k] for shape in shapes) if shapes else 0.0 for k, pick in enumerate((min, min, max, max))
        )
        dx, dy = MARGIN - left, MARGIN - top
        return Layout(
            right - left + 2 * MARGIN,
            bottom - top + 2 * MARGIN,
            tuple(box.moved(dx, dy) for box in self.boxes),
            tuple(replace(way, points=tuple((x + dx, y + dy) for x, y in way.points)) for way in self.ways),
            tuple(replace(band, x=band.x + dx, y=band.y + dy) for band in self.bands),
        )


def set_box(box: Box, x: float, y: float, width: float, size: float) -> PlacedBox:
    """Set a box: the counts of one indent end at one line, words begin at the next and hang; under it where that is too narrow."""
    pad, indent = 0.75 * size, 0.95 * size
    widest: dict[int, float] = {}
    for line in box:
        bold = line.indent == 0
        widest[line.indent] = max(widest.get(line.indent, 0.0), text_width(line.count, size, bold=bold))
    lines: list[PlacedText] = []
    baseline = y + pad + size * 0.8
    for line in box:
        margin = x + pad + line.indent * indent
        end = margin + widest[line.indent]
        start = end + 0.55 * size if widest[line.indent] else end
        if line.count:
            lines.append(PlacedText(end, baseline, line.count, size, bold=line.indent == 0, anchor_end=True))
        if x + width - pad - start < LEAST_ROOM * size:
            start = margin
            baseline += size * LINE if line.count else 0.0
        for words in wrap(line.label, x + width - pad - start, size):
            lines.append(PlacedText(start, baseline, words, size))
            baseline += size * LINE
    height = baseline - size * LINE + size * 0.28 + pad - y
    return PlacedBox(x, y, width, height, tuple(lines))


def spine(
    board: Board, stages: Sequence[FlowStage], *, middle: float, right: float, ends: bool
) -> tuple[PlacedBox | None, float]:
    """Set the stages one under the other, those who left between them to the right; give the last box and the lower end.

    Where it `ends` the picture, the way to those who left last is drawn whole.
    """
    last: PlacedBox | None = None
    y = 0.0
    for stage in stages:
        box = board.put(stage.box, middle - MAIN / 2, y, MAIN)
        if last:
            board.arrow((middle, last.bottom), (middle, box.y))
        last, y = box, box.bottom
        if stage.removed:
            start = middle + BRANCH
            side = board.put(stage.removed, start, y + board.gap / 2, right - start)
            height = side.y + min(side.height / 2, 2 * board.size)
            board.arrow(*([(middle, y)] if ends and stage is stages[-1] else []), (middle, height), (side.x, height))
            y = side.bottom - board.gap / 2
        y += board.gap
    return last, y


def abreast(count: int) -> list[range]:
    """So many columns in rows of no more than six, the rows as even as can be."""
    rows = -(-count // MOST_ABREAST)
    each = -(-count // max(rows, 1))
    return [range(start, min(start + each, count)) for start in range(0, count, max(each, 1))]


def columns(count: int, *, left: float, right: float, gap: float, widest: float) -> tuple[list[float], float]:
    """The left edges and the width of columns between two edges, centered where they need not all the room."""
    width = min((right - left + gap) / max(count, 1) - gap, widest)
    start = (left + right - count * (width + gap) + gap) / 2
    return [start + k * (width + gap) for k in range(count)], width


def fan(board: Board, trunk: PlacedBox, rows: Sequence[Sequence[PlacedBox]], *, gutter: float) -> None:
    """Lead from one box to the rows under it; where there are several, they are reached along the gutter."""
    alone = len(rows) == 1
    buses = [min(box.y for box in row) - board.gap / 2 for row in rows]
    for number, (row, bus) in enumerate(zip(rows, buses, strict=True)):
        ends = [*(box.middle for box in row), *([trunk.middle] if number == 0 else []), *([] if alone else [gutter])]
        if max(ends) - min(ends) > NO_WAY:
            board.line((min(ends), bus), (max(ends), bus))
        for box in row:
            board.arrow((box.middle, bus), (box.middle, box.y))
    board.line((trunk.middle, trunk.bottom), (trunk.middle, buses[0]))
    if not alone:
        board.line((gutter, buses[0]), (gutter, buses[-1]))


def paint(layout: Layout, *, title: str, description: str) -> Scene:
    """Draw a layout."""
    canvas = Canvas()
    for band in layout.bands:
        _paint_band(canvas, band)
    for way in layout.ways:
        (canvas.arrow if way.arrow else canvas.line)(*way.points)
    for box in layout.boxes:
        canvas.box(box.x, box.y, box.width, box.height)
        for line in box.lines:
            canvas.text(line.left, line.y, line.text, size=line.size, bold=line.bold)
    return Scene(
        width=layout.width, height=layout.height, title=title, description=description, shapes=tuple(canvas.shapes)
    )


def _paint_band(canvas: Canvas, band: Band) -> None:
    x, y, right, bottom = band.x, band.y, band.x + band.width, band.y + band.height
    canvas.area((x, y), (right, y), (right, bottom), (x, bottom), fill=TINT)
    if band.upward:
        across, along = x + band.width / 2 + 0.35 * band.size, y + band.height / 2
        canvas.text(across, along, band.lines[0], size=band.size, anchor="middle", bold=True, upright=False)
        return
    first = y + band.height / 2 - (len(band.lines) - 1) * band.size * LINE / 2 + 0.35 * band.size
    for number, text in enumerate(band.lines):
        at = first + number * band.size * LINE
        canvas.text(x + band.width / 2, at, text, size=band.size, anchor="middle", bold=True)


def in_words(box: Box) -> str:
    """A box in words: every label with its count."""
    return ", ".join(f"{line.label}: {line.count}" if line.count else line.label for line in box)


def stages_in_words(stages: Sequence[FlowStage]) -> Iterator[str]:
    """The boxes of the main column and of those who left, in words."""
    for stage in stages:
        yield in_words(stage.box)
        if stage.removed:
            yield in_words(stage.removed)
