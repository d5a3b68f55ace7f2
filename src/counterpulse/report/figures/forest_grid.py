"""Rows of words and numbers around an axis with an estimate each: what subgroup forests and forests of studies are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil, isfinite
from typing import Literal

from counterpulse.report.figures.forest_axis import ForestAxis, draw_arrows, draw_interval, forest_ticks
from counterpulse.report.figures.forest_lights import LightColumns
from counterpulse.report.figures.lettering import (
    LINE_HEIGHT,
    SIZE,
    TALLEST,
    TWO_COLUMNS,
    apart,
    fitted,
    tick_texts,
    told,
    widest,
)
from counterpulse.report.figures.scene import INK, Anchor, Canvas, Scene
from counterpulse.report.number_styles import PLAIN, NumberStyle

ROW = 13.5
MARGIN = 4.0
GAP = 10.0
INDENT = 10.0
LABEL_WIDTH = (84.0, 168.0)
PLOT_WIDTH = (118.0, 176.0)
HEAD_WIDTH = 60.0
HEAD_LINES = 4
HEAD_SLACK = 1.3
LABEL_LINES = 4
SIDE_WORDS, LEAST_WORDS = 124.0, 64.0
DIAMOND = 4.6
GUIDE = "#6b6b6b"
FRAME, SLACK, LEGEND = 120.0, 45.0, 64.0
"""Room for heads and foot, and for a legend of lights; how much taller than the others a page may be, so that it breaks before a heading."""
MUTED = "#8fa8bd"
"""The squares of studies, under the lines of their intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """One row: `cells` are those of the columns in order, blank where there are fewer.

    A `wide` row is words across all that stands left of the axis. `side` is the length of a square's side, `lights` are levels
    of bias in the order of the grid's.
    """

    label: str
    indent: int = 0
    bold: bool = False
    cells: Sequence[str] = ()
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    shape: Literal["square", "diamond", "bar"] = "square"
    side: float = 5.0
    color: str = INK
    wide: bool = False
    ruled: bool = False
    lights: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A column: its head, where its texts stand, and the head it shares with columns beside it."""

    title: str
    anchor: Anchor = "end"
    over: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is drawn: columns `before` and `after` the axis; `guide` is a value with a dashed line.

    `left` and `right` say whom each side of the null favors, under the axis or, with `words_above`, over it. `lights` are
    columns of judgments at the right, by their letter and words.
    """

    title: str
    head: str
    before: Sequence[GridColumn]
    after: Sequence[GridColumn] = ()
    rows: Sequence[GridRow]
    axis_label: str
    ratio: bool = True
    left: str = ""
    right: str = ""
    words_above: bool = False
    guide: float | None = None
    ticks: Sequence[float] = ()
    style: NumberStyle = PLAIN
    described: Sequence[str] = ()
    lights: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class _Column:
    """A placed column."""

    column: GridColumn
    left: float
    right: float
    head: tuple[str, ...]

    @property
    def at(self) -> float:
        return {"start": self.left, "middle": (self.left + self.right) / 2, "end": self.right}[self.column.anchor]


@dataclass(frozen=True, slots=True)
class _Layout:
    grid: Grid
    label_width: float
    columns: tuple[_Column, ...]
    axis: ForestAxis
    width: float
    lights: LightColumns

    def lines(self, row: GridRow) -> tuple[str, ...]:
        """A row's words as they are set."""
        room = self.axis.left - 8 - MARGIN if _across(self.grid, row) else self.label_width
        return fitted(row.label, room - row.indent * INDENT, lines=LABEL_LINES, bold=row.bold)

    def height(self, row: GridRow) -> float:
        return ROW + (len(self.lines(row)) - 1) * LINE_HEIGHT


def grid_scenes(grid: Grid) -> list[Scene]:
    """Draw a grid on as many pages as its rows need, on one axis, each with its heads and its foot."""
    grid = replace(grid, ticks=grid.ticks or forest_ticks(grid.rows, ratio=grid.ratio))
    parts = _parts(grid)
    if len(parts) == 1:
        return [_draw(grid)]
    words = [f"{grid.title} (part {k} of {len(parts)})" for k in range(1, len(parts) + 1)]
    starts = [sum(map(len, parts[:k])) for k in range(len(parts))]
    return [
        _draw(replace(grid, title=title, rows=part, described=grid.described[start : start + len(part)]))
        for title, part, start in zip(words, parts, starts, strict=True)
    ]


def _parts(grid: Grid) -> list[Sequence[GridRow]]:
    """Rows a page, broken before a heading where one stands in the page's lower half."""
    layout = _layout(grid)
    total, room = sum(map(layout.height, grid.rows)), TALLEST - FRAME - (LEGEND if grid.lights else 0.0)
    if total > room:
        room = min(room, total / ceil(total / room) + SLACK)
    parts: list[list[GridRow]] = [[]]
    used = 0.0
    for row in grid.rows:
        height = layout.height(row)
        if used + height > room and parts[-1]:
            part = parts[-1]
            cut = max((k for k in range(len(part) // 2, len(part)) if _heading(part[k])), default=len(part))
            parts[-1], kept = part[:cut], part[cut:]
            parts.append(kept)
            used = sum(map(layout.height, kept))
        parts[-1].append(row)
        used += height
    return list(parts)


def _across(grid: Grid, row: GridRow) -> bool:
    """Whether a row's words may run over the columns before the axis, which are blank."""
    return row.wide or not any(row.cells[: len(grid.before)])


def _heading(row: GridRow) -> bool:
    return row.bold and row.estimate is None and not row.wide


def _draw(grid: Grid) -> Scene:
    """Draw a grid on one page."""
    canvas = Canvas()
    layout = _layout(grid)
    above = grid.words_above and _room(layout) and bool(grid.left and grid.right)
    y = top = _heads(canvas, layout, above=above)
    for row in grid.rows:
        middle = y + ROW / 2
        if row.ruled:
            canvas.line((MARGIN, y), (layout.axis.left - 8, y), width=0.4)
        for k, line in enumerate(layout.lines(row)):
            canvas.text(MARGIN + row.indent * INDENT, middle + SIZE * 0.35 + k * LINE_HEIGHT, line, bold=row.bold)
        if not row.wide:
            for column, cell in zip(layout.columns, row.cells, strict=False):
                canvas.text(
                    column.at,
                    middle + SIZE * 0.35,
                    cell,
                    anchor=column.column.anchor,
                    bold=row.bold and row.estimate is not None,
                )
        _draw_row(canvas, layout.axis, row, middle)
        layout.lights.draw(canvas, row.lights, middle)
        y += layout.height(row)
    height = layout.lights.legend(
        canvas,
        [row.lights for row in grid.rows],
        (MARGIN, layout.width - MARGIN),
        _foot(canvas, layout, top, y, words=not above),
    )
    return Scene(
        width=layout.width, height=height, title=grid.title, description=told(f"{grid.axis_label}.", _in_words(grid)),
        shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _in_words(grid: Grid) -> list[str]:
    """The rows in words, what was pooled over all of them first, so that it is never left out."""
    if not grid.described:
        return []
    rows = list(zip(grid.rows, grid.described, strict=True))
    return [words for _, words in sorted(rows, key=lambda pair: pair[0].shape != "diamond" or pair[0].indent > 0)]


def _layout(grid: Grid) -> _Layout:
    """Place the label, the columns and the axis, from left to right."""
    measured = _measured(grid)
    label, plot = _shares(grid, [width for *_, width in measured])
    x = MARGIN + label
    placed: list[_Column] = []
    left = 0.0
    for k, (column, head, width) in enumerate(measured):
        if k == len(grid.before):
            left = x + GAP + 4
            x = left + plot
        x += GAP if width else 0.0
        placed.append(_Column(column, x, x + width, head))
        x += width
    if not grid.after:
        left = x + GAP + 4
    ticks = grid.ticks or forest_ticks(grid.rows, ratio=grid.ratio)
    axis = ForestAxis(left, plot, ticks, grid.ratio)
    last = max(widest(tick_texts(ticks, grid.style, log=grid.ratio)[-1:]) / 2, 6.0)
    words = axis.x(axis.null) + LEAST_WORDS if grid.right else 0.0
    right = max(x, axis.right + last, words)
    lights = LightColumns(right + GAP if grid.lights else right, grid.lights)
    return _Layout(grid, label, tuple(placed), axis, lights.right + MARGIN, lights)


def _measured(grid: Grid) -> list[tuple[GridColumn, tuple[str, ...], float]]:
    """Each column with its head as it is set and the width that both need."""
    columns = [*grid.before, *grid.after]
    found = []
    for k, column in enumerate(columns):
        body = widest([row.cells[k] for row in grid.rows if k < len(row.cells) and not row.wide], bold=True)
        head = _head(column.title, max(body, HEAD_WIDTH))
        alone = [other.over for other in columns].count(column.over) == 1
        shared = min(widest([column.over], bold=True), HEAD_WIDTH) if alone else 0.0
        found.append((column, head, max(body, widest(head, bold=True), shared)))
    return found


def _shares(grid: Grid, widths: Sequence[float]) -> tuple[float, float]:
    """The widths of the labels and of the axis: what the columns leave of the page."""
    lights = LightColumns(0.0, grid.lights).right + GAP if grid.lights else 0.0
    free = TWO_COLUMNS - 2 * MARGIN - sum(widths) - GAP * (len([width for width in widths if width]) + 1) - 4 - lights
    labels = [widest([row.label], bold=row.bold) + row.indent * INDENT for row in grid.rows if not _across(grid, row)]
    wanted = min(max([*labels, widest([grid.head], bold=True), 40.0]), LABEL_WIDTH[1])
    label = max(min(wanted, free - PLOT_WIDTH[0]), min(wanted, LABEL_WIDTH[0]))
    return label, min(max(free - label, PLOT_WIDTH[0]), PLOT_WIDTH[1])


def _head(title: str, width: float) -> tuple[str, ...]:
    """A column's head; one that is hardly wider than its column stays on a line."""
    whole = widest([title], bold=True)
    return (title,) if whole <= HEAD_SLACK * width else fitted(title, width, lines=HEAD_LINES, bold=True)


def _room(layout: _Layout) -> bool:
    """Whether words over the axis have room on both sides of the null."""
    null = layout.axis.x(layout.axis.null)
    return min(null - layout.axis.left, layout.axis.right - null) > 46


def _heads(canvas: Canvas, layout: _Layout, *, above: bool) -> float:
    """The heads over the columns, shared ones over those with a line between; gives where the rows begin."""
    grid, axis = layout.grid, layout.axis
    shared = _shared_heads(layout)
    most = max([1, *(len(column.head) for column in layout.columns), *(own + len(lines) for _, own, lines in shared)])
    null = axis.x(axis.null)
    sides = (
        (fitted(grid.left, null - axis.left + 4, lines=3), null - 5, "end"), (fitted(grid.right, axis.right - null + 4, lines=3), null + 5, "start"),
    )  # fmt: skip
    most = max(most, *(len(words) for words, *_ in sides)) if above else most
    most = max(most, 2) if grid.lights else most
    base = MARGIN + SIZE + (most - 1) * LINE_HEIGHT + (3 if shared else 0)
    canvas.text(MARGIN, base, grid.head, bold=True)
    for column in layout.columns:
        for k, line in enumerate(reversed(column.head)):
            canvas.text(column.at, base - k * LINE_HEIGHT, line, bold=True, anchor=column.column.anchor)
    for group, own, lines in shared:
        _shared_head(canvas, group, base - own * LINE_HEIGHT, lines)
    if above:
        for words, x, anchor in sides:
            for k, line in enumerate(reversed(words)):
                canvas.text(x, base - k * LINE_HEIGHT, line, anchor="end" if anchor == "end" else "start")
    layout.lights.heads(canvas, base)
    canvas.line((MARGIN, base + 5), (layout.width - MARGIN, base + 5), width=0.75)
    return base + 9


def _shared_heads(layout: _Layout) -> list[tuple[list[_Column], int, tuple[str, ...]]]:
    """The columns that share a head, how many lines stand under it, and its own lines."""
    groups = [list(group) for _, group in groupby(layout.columns, key=lambda column: column.column.over)]
    return [
        (group, max(len(column.head) for column in group), fitted(group[0].column.over, group[-1].right - group[0].left, lines=HEAD_LINES, bold=True))
        for group in groups if group[0].column.over
    ]  # fmt: skip


def _shared_head(canvas: Canvas, group: Sequence[_Column], y: float, lines: Sequence[str]) -> None:
    """Words over one column, or over several with a line between."""
    several = len(group) > 1
    left, right = group[0].left, group[-1].right
    x = (left + right) / 2 if several else group[0].at
    anchor: Anchor = "middle" if several else group[0].column.anchor
    for k, line in enumerate(reversed(lines)):
        canvas.text(x, y - 3 * several - k * LINE_HEIGHT, line, bold=True, anchor=anchor)
    if several:
        canvas.line((left, y + 0.5), (right, y + 0.5), width=0.5)


def _draw_row(canvas: Canvas, axis: ForestAxis, row: GridRow, y: float) -> None:
    if row.shape == "bar":
        if row.low is not None and row.high is not None:
            low, high = axis.x(row.low), axis.x(row.high)
            canvas.area((low, y - 1.6), (high, y - 1.6), (high, y + 1.6), (low, y + 1.6), fill=INK)
            draw_arrows(canvas, axis, row, y)
        return
    if row.estimate is None or not isfinite(row.estimate):
        return
    x = axis.x(row.estimate)
    if row.shape == "diamond":
        low = axis.x(axis.ticks[0] if row.low is None else row.low)
        high = axis.x(axis.ticks[-1] if row.high is None else row.high)
        canvas.area((low, y), (x, y - DIAMOND), (high, y), (x, y + DIAMOND), fill=INK)
        return
    h = row.side / 2
    square = (x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h)
    if axis.shows(row.estimate):
        canvas.area(*square, fill=row.color)
    draw_interval(canvas, axis, row, y)


def _foot(canvas: Canvas, layout: _Layout, top: float, bottom: float, *, words: bool) -> float:
    """The null line, the guide, the axis with its ticks and label, and whom its sides favor; gives the height."""
    grid, axis = layout.grid, layout.axis
    y = bottom + 4
    canvas.line((axis.x(axis.null), top - 2), (axis.x(axis.null), y), width=0.75)
    if grid.guide is not None and isfinite(grid.guide) and axis.shows(grid.guide):
        x = axis.x(grid.guide)
        canvas.line((x, top - 2), (x, y), width=0.6, dash=(2, 2), color=GUIDE)
    canvas.line((axis.left, y), (axis.right, y))
    texts = tick_texts(axis.ticks, grid.style, log=axis.ratio)
    places = [axis.x(tick) for tick in axis.ticks]
    for x in places:
        canvas.line((x, y), (x, y + 3))
    for k in apart(places, [widest([text]) for text in texts], gap=3.0):
        canvas.text(places[k], y + 12, texts[k], anchor="middle")
    y += 13
    for line in fitted(grid.axis_label, axis.width + 8, lines=2):
        y += LINE_HEIGHT
        canvas.text((axis.left + axis.right) / 2, y, line, anchor="middle")
    if words and grid.left and grid.right:
        y = _favors(canvas, layout, y + 13)
    return y + 8


def _favors(canvas: Canvas, layout: _Layout, y: float) -> float:
    """Arrows away from the null and whom each side favors, wrapped to the room beside it; gives the lowest line."""
    axis = layout.axis
    middle = axis.x(axis.null)
    last = y
    rooms = min(SIDE_WORDS, middle - 6 - MARGIN), min(SIDE_WORDS, layout.width - MARGIN - middle - 6)
    for words, room, sign in ((layout.grid.left, rooms[0], -1), (layout.grid.right, rooms[1], 1)):
        canvas.arrow((middle + 6 * sign, y - 3), (middle + sign * (6 + min(room, axis.width / 2)), y - 3), head=4)
        for k, line in enumerate(fitted(words, room, lines=3)):
            last = max(last, y + 8 + k * LINE_HEIGHT)
            canvas.text(middle + 6 * sign, y + 8 + k * LINE_HEIGHT, line, anchor="end" if sign < 0 else "start")
    return last
