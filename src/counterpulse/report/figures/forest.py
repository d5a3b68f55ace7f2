"""A forest plot: labels and counts to the left, estimates with intervals on the axis, the numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log

from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.scene import FAINT, INK, Canvas, Scene
from counterpulse.report.figures.typeface import LINE, text_width, wrap
from counterpulse.report.numbers import MINUS

SIZE = 8.5
ROW = 14.0
LINE_HEIGHT = SIZE * LINE
MARGIN = 4.0
COLUMN_GAP = 14.0
LABEL_WIDTH = 168.0
PLOT_WIDTH = 170.0
HEADER_WIDTH = 84.0
SMALLEST_MARK, LARGEST_MARK = 3.4, 7.6
FARTHEST = log(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One row. A heading has a label only; `cells` are counts as printed; `effect` is the estimate as printed."""

    label: str
    indent: int = 0
    bold: bool = False
    cells: Sequence[str] = ()
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    effect: str = ""
    p: str = ""
    diamond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """What is drawn. `left` and `right` say whom each side of the null favors; `ratio` asks for a log axis."""

    title: str
    columns: Sequence[str]
    effect_label: str
    p_label: str
    rows: Sequence[ForestRow]
    axis_label: str
    ratio: bool = True
    left: str = ""
    right: str = ""
    decimal_mark: str = "."


@dataclass(frozen=True, slots=True)
class _Axis:
    left: float
    ticks: tuple[float, ...]
    ratio: bool

    def x(self, value: float) -> float:
        low, high, at = (self._on(v) for v in (self.ticks[0], self.ticks[-1], value))
        return self.left + PLOT_WIDTH * min(max((at - low) / (high - low), 0.0), 1.0)

    def _on(self, value: float) -> float:
        return log(max(value, 1e-300)) if self.ratio else value

    def beyond(self, value: float) -> bool:
        return value < self.ticks[0] * (1 - 1e-9) if value < self.null else value > self.ticks[-1] * (1 + 1e-9)

    @property
    def null(self) -> float:
        return 1.0 if self.ratio else 0.0

    @property
    def right(self) -> float:
        return self.left + PLOT_WIDTH


def draw_forest(forest: Forest) -> Scene:
    """Draw the forest plot."""
    canvas = Canvas()
    cell_x, x = _columns(forest)
    axis = _Axis(x, _ticks(forest), forest.ratio)
    effect_x = axis.right + COLUMN_GAP
    effect_width = max(
        text_width(text, SIZE, bold=True) for text in [forest.effect_label, *(r.effect for r in forest.rows)]
    )
    p_width = max(text_width(text, SIZE, bold=True) for text in [forest.p_label, *(r.p for r in forest.rows)])
    p_x = effect_x + effect_width + (COLUMN_GAP if p_width else 0)
    width = p_x + p_width + MARGIN
    top = _header(canvas, forest, cell_x, effect_x, p_x, width)
    weights = _marks(forest)
    y = top
    for row, mark in zip(forest.rows, weights, strict=True):
        lines = wrap(row.label, LABEL_WIDTH - row.indent * 10, SIZE, bold=row.bold)
        middle = y + ROW / 2
        for k, line in enumerate(lines):
            canvas.text(MARGIN + row.indent * 10, middle + SIZE * 0.35 + k * LINE_HEIGHT, line, bold=row.bold)
        for right, cell in zip(cell_x, row.cells, strict=False):
            canvas.text(right, middle + SIZE * 0.35, cell, anchor="end")
        canvas.text(effect_x, middle + SIZE * 0.35, row.effect, color=INK if row.estimate is not None else FAINT)
        canvas.text(p_x, middle + SIZE * 0.35, row.p)
        _mark(canvas, axis, row, middle, mark)
        y += ROW + (len(lines) - 1) * LINE_HEIGHT
    height = _foot(canvas, forest, axis, top, y)
    return Scene(
        width=width, height=height, title=forest.title, description=_describe(forest), shapes=tuple(canvas.shapes)
    )


def _columns(forest: Forest) -> tuple[list[float], float]:
    """The right edge of each column of counts, and where the plot begins."""
    widest = max((text_width(r.label, SIZE, bold=True) + r.indent * 10 for r in forest.rows), default=0.0)
    x = MARGIN + min(LABEL_WIDTH, widest)
    edges = []
    for k, title in enumerate(forest.columns):
        cells = [row.cells[k] for row in forest.rows if len(row.cells) > k]
        header = max(text_width(line, SIZE, bold=True) for line in wrap(title, HEADER_WIDTH, SIZE, bold=True))
        x += COLUMN_GAP + max(header, *(text_width(cell, SIZE) for cell in [*cells, ""]))
        edges.append(x)
    return edges, x + COLUMN_GAP + 4


def _header(canvas: Canvas, forest: Forest, cell_x: list[float], effect_x: float, p_x: float, width: float) -> float:
    titles = [wrap(title, HEADER_WIDTH, SIZE, bold=True) for title in forest.columns]
    most = max([1, *(len(lines) for lines in titles)])
    base = MARGIN + SIZE + (most - 1) * LINE_HEIGHT
    for x, lines in zip(cell_x, titles, strict=True):
        for k, line in enumerate(lines):
            canvas.text(x, base - (len(lines) - 1 - k) * LINE_HEIGHT, line, bold=True, anchor="end")
    canvas.text(MARGIN, base, "Subgroup" if forest.p_label else "", bold=True)
    canvas.text(effect_x, base, forest.effect_label, bold=True)
    canvas.text(p_x, base, forest.p_label, bold=True)
    canvas.line((MARGIN, base + 5), (width - MARGIN, base + 5), width=0.75)
    return base + 9


def _range(forest: Forest) -> tuple[float, float]:
    """What the axis must show: every estimate, and intervals as far as a reader still compares them."""
    drawn = [row for row in forest.rows if row.estimate is not None and isfinite(row.estimate)]
    if forest.ratio:
        logs = [min(max(log(max(row.estimate or 0.0, 1e-300)), -FARTHEST), FARTHEST) for row in drawn]
        ends = [
            min(max(log(end), value - log(6), -FARTHEST), value + log(6), FARTHEST)
            for row, value in zip(drawn, logs, strict=True)
            for end in (row.low, row.high)
            if end is not None and end > 0 and isfinite(end)
        ]
        return exp(min([*logs, *ends, log(0.75)])), exp(max([*logs, *ends, log(1.33)]))
    known = [end for r in drawn for end in (r.estimate, r.low, r.high) if end is not None and isfinite(end)]
    return min([*known, 0.0]), max([*known, 0.0])


def _ticks(forest: Forest) -> tuple[float, ...]:
    low, high = _range(forest)
    return log_ticks(low, high) if forest.ratio else linear_ticks(low, high, about=5)


def _marks(forest: Forest) -> list[float]:
    """The side of each mark, by the precision of its estimate."""
    precision = []
    for row in forest.rows:
        known = row.low is not None and row.high is not None and not row.diamond and row.high > row.low
        if not known or row.low is None or row.high is None or (forest.ratio and row.low <= 0):
            precision.append(0.0)
        else:
            precision.append(1 / (log(row.high / row.low) if forest.ratio else row.high - row.low))
    most = max([*precision, 1e-12])
    return [max(SMALLEST_MARK, LARGEST_MARK * value / most) for value in precision]


def _mark(canvas: Canvas, axis: _Axis, row: ForestRow, y: float, side: float) -> None:
    if row.estimate is None or not isfinite(row.estimate):
        return
    x = axis.x(row.estimate)
    low = axis.ticks[0] if row.low is None else row.low
    high = axis.ticks[-1] if row.high is None else row.high
    if row.diamond:
        half = 4.6
        canvas.area((axis.x(low), y), (x, y - half), (axis.x(high), y), (x, y + half), fill=INK)
        return
    if row.low is not None or row.high is not None:
        canvas.line((axis.x(low), y), (axis.x(high), y), width=0.9)
        for end, sign in ((low, -1), (high, 1)):
            if axis.beyond(end):
                tip = axis.x(end) + 3 * sign
                canvas.area((tip, y), (tip - 5 * sign, y - 2.6), (tip - 5 * sign, y + 2.6), fill=INK)
    if not axis.beyond(row.estimate):
        h = side / 2
        canvas.area((x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h), fill=INK)


def _foot(canvas: Canvas, forest: Forest, axis: _Axis, top: float, bottom: float) -> float:
    canvas.line((axis.x(axis.null), top - 2), (axis.x(axis.null), bottom + 4), width=0.75)
    overall = next((row for row in forest.rows if row.diamond and row.estimate is not None), None)
    if overall is not None and overall.estimate is not None:
        x = axis.x(overall.estimate)
        canvas.line((x, top - 2), (x, bottom + 4), width=0.5, dash=(2, 2), color=FAINT)
    y = bottom + 4
    canvas.line((axis.left, y), (axis.right, y))
    for tick in axis.ticks:
        canvas.line((axis.x(tick), y), (axis.x(tick), y + 3))
        canvas.text(axis.x(tick), y + 12, _tick(tick, forest.decimal_mark), size=8, anchor="middle")
    y += 24
    canvas.text((axis.left + axis.right) / 2, y, forest.axis_label, size=8, anchor="middle")
    if forest.left and forest.right:
        y = _favors(canvas, forest, axis, y + 13)
    return y + 8


def _tick(value: float, mark: str) -> str:
    return f"{value:g}".replace("-", MINUS).replace(".", mark)


def _favors(canvas: Canvas, forest: Forest, axis: _Axis, y: float) -> float:
    """Arrows away from the null and whom each side favors, wrapped to the room beside it."""
    middle = axis.x(axis.null)
    canvas.arrow((middle - 6, y - 3), (axis.left - 18, y - 3), head=4)
    canvas.arrow((middle + 6, y - 3), (axis.right + 18, y - 3), head=4)
    last = y
    sides = ((forest.left, middle - 6, "end"), (forest.right, middle + 6, "start"))
    for words, x, anchor in sides:
        for k, line in enumerate(wrap(words, 120, 8)):
            if anchor == "end":
                canvas.text(x, y + 8 + k * 10, line, size=8, anchor="end")
            else:
                canvas.text(x, y + 8 + k * 10, line, size=8)
            last = max(last, y + 8 + k * 10)
    return last


def _describe(forest: Forest) -> str:
    said = [f"{row.label}: {row.effect}" for row in forest.rows if row.effect]
    return f"{forest.axis_label}. " + "; ".join(said)
