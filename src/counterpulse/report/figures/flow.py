"""The participant flow: boxes down the middle, removals to their right with every reason, groups at the foot.

Layout comes first and is a value of its own (`place`), so that a test can prove that no two boxes touch and no text leaves
its box, whatever the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterpulse.report.figures.scene import Canvas, Scene
from counterpulse.report.figures.typeface import LINE, text_width, wrap

SIZE = 8.5
PAD = 6.0
GAP = 22.0
MARGIN = 6.0
COLUMN = 216.0
BRANCH = 28.0
GROUP_WIDTHS = (216.0, 150.0)
INDENT = 9.0
BULLET_GAP = 5.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChart:
    """The stages in order and the box of each group (none, or one to six and more)."""

    stages: Sequence[FlowStage]
    groups: Sequence[Box] = ()


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A line of text with its baseline, inside its box."""

    x: float
    y: float
    text: str
    bold: bool
    anchor_end: bool = False

    @property
    def left(self) -> float:
        """Where the text begins."""
        return self.x - self.width if self.anchor_end else self.x

    @property
    def width(self) -> float:
        """The measured width."""
        return text_width(self.text, SIZE, bold=self.bold)


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
        """The horizontal middle."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height

    def moved(self, dx: float, dy: float) -> PlacedBox:
        """The same box elsewhere."""
        lines = tuple(PlacedText(t.x + dx, t.y + dy, t.text, t.bold, t.anchor_end) for t in self.lines)
        return PlacedBox(self.x + dx, self.y + dy, self.width, self.height, lines)


@dataclass(frozen=True, slots=True)
class FlowLayout:
    """Where everything stands: the main column, the removals (None where nobody left) and the groups."""

    width: float
    height: float
    main: tuple[PlacedBox, ...]
    removed: tuple[PlacedBox | None, ...]
    groups: tuple[PlacedBox, ...]

    @property
    def boxes(self) -> tuple[PlacedBox, ...]:
        """Every box."""
        return (*self.main, *(box for box in self.removed if box), *self.groups)


def place(chart: FlowChart) -> FlowLayout:
    """Measure and place every box."""
    main: list[PlacedBox] = []
    removed: list[PlacedBox | None] = []
    y = MARGIN
    for stage in chart.stages:
        main.append(_set(stage.box, MARGIN, y, COLUMN))
        y = main[-1].bottom
        side = None
        if stage.removed:
            side = _set(stage.removed, MARGIN + COLUMN / 2 + BRANCH, y + GAP / 2, COLUMN)
            y = side.bottom - GAP / 2
        removed.append(side)
        y += GAP
    groups = _place_groups(chart.groups, main[-1].middle, y + GAP / 2) if main else ()
    left = MARGIN - min([MARGIN, *(box.x for box in groups)])
    boxes = [*main, *(box for box in removed if box), *groups]
    return FlowLayout(
        max(box.x + box.width for box in boxes) + left + MARGIN,
        max(box.bottom for box in boxes) + MARGIN,
        tuple(box.moved(left, 0) for box in main),
        tuple(box and box.moved(left, 0) for box in removed),
        tuple(box.moved(left, 0) for box in groups),
    )


def _place_groups(groups: Sequence[Box], middle: float, y: float) -> tuple[PlacedBox, ...]:
    """The groups side by side, their row centered under the column."""
    if not groups:
        return ()
    width = GROUP_WIDTHS[0] if len(groups) <= 2 else GROUP_WIDTHS[1]
    step = width + GAP / 1.5
    start = middle - width / 2 - step * (len(groups) - 1) / 2
    placed = [_set(group, start + step * k, y, width) for k, group in enumerate(groups)]
    height = max(box.height for box in placed)
    return tuple(PlacedBox(box.x, box.y, box.width, height, box.lines) for box in placed)


def _set(box: Box, x: float, y: float, width: float) -> PlacedBox:
    """Set a box: counts end at one line, words begin at the next and hang."""
    counts = max((text_width(line.count, SIZE, bold=True) for line in box), default=0.0)
    lines: list[PlacedText] = []
    baseline = y + PAD + SIZE * 0.8
    for line in box:
        end = x + PAD + counts + line.indent * INDENT
        start = end + BULLET_GAP
        bold = line.indent == 0
        lines.append(PlacedText(end, baseline, line.count, bold, anchor_end=True))
        for words in wrap(line.label, x + width - PAD - start, SIZE, bold=False):
            lines.append(PlacedText(start, baseline, words, False))
            baseline += SIZE * LINE
    height = baseline - SIZE * LINE + SIZE * 0.28 + PAD - y
    return PlacedBox(x, y, width, height, tuple(lines))


def draw_flow(chart: FlowChart, *, title: str = "Participant flow") -> Scene:
    """Draw the flow of participants."""
    layout = place(chart)
    canvas = Canvas()
    for upper, side, lower in zip(layout.main, layout.removed, (*layout.main[1:], None), strict=True):
        if lower:
            canvas.arrow((upper.middle, upper.bottom), (upper.middle, lower.y))
        if side:
            height = side.y + min(side.height / 2, 16)
            if not lower and not layout.groups:
                canvas.line((upper.middle, upper.bottom), (upper.middle, height))
            canvas.arrow((upper.middle, height), (side.x, height))
    _join_groups(canvas, layout)
    for box in layout.boxes:
        canvas.box(box.x, box.y, box.width, box.height)
        for line in box.lines:
            canvas.text(line.left, line.y, line.text, size=SIZE, bold=line.bold)
    return Scene(
        width=layout.width, height=layout.height, title=title, description=describe(chart), shapes=tuple(canvas.shapes)
    )


def _join_groups(canvas: Canvas, layout: FlowLayout) -> None:
    if not layout.groups:
        return
    trunk, top = layout.main[-1], layout.groups[0].y
    bus = top - GAP / 1.5
    canvas.line((trunk.middle, trunk.bottom), (trunk.middle, bus))
    ends = sorted((trunk.middle, layout.groups[0].middle, layout.groups[-1].middle))
    canvas.line((ends[0], bus), (ends[-1], bus))
    for group in layout.groups:
        canvas.arrow((group.middle, bus), (group.middle, top))


def describe(chart: FlowChart) -> str:
    """The chart in words, for those who do not see it."""

    def say(box: Box) -> str:
        return ", ".join(f"{line.label}: {line.count}" for line in box)

    parts = []
    for stage in chart.stages:
        parts.append(say(stage.box))
        if stage.removed:
            parts.append(f"removed: {say(stage.removed)}")
    parts += [say(group) for group in chart.groups]
    return ". ".join(parts) + "."
