"""A love plot: how far the groups differ in each variable, before and after matching or weighting.

Variables stand in the order of their difference in the first sample, the largest on top. Samples have marks of different
shapes, so that they are told apart in gray. Over imputations a mark is the mean, and a line ends at the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from counterpulse.report.figures.axes import linear_ticks
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
from counterpulse.report.figures.marks import SHAPES, draw_mark
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import INK, Canvas, Scene
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import number

MARGIN = 4.0
ROW = 14.0
LABEL_SHARE = 0.42
LARGEST_LABEL = 176.0
RADIUS = 2.8
APART, END = 3.2, 1.8
"""How far the lines of two samples are from each other, and half the length of the stroke at their end."""
LARGEST = "Largest over imputations"
GRID = "#d9d9d9"
MOST_ROWS = 42
FARTHEST = 2.0
"""Standardized differences beyond this are drawn at the end of the axis, with an arrowhead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoveRow:
    """A variable: its label and its standardized difference in each sample, None where there is none.

    `most` are the largest absolute ones over imputations.
    """

    label: str
    values: Sequence[float | None]
    most: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Love:
    """What is drawn. `threshold` has dashed lines; with `absolute` the sign of a difference is left out."""

    title: str
    samples: Sequence[str]
    rows: Sequence[LoveRow]
    x_label: str
    absolute: bool = True
    threshold: float = 0.1
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN


@dataclass(frozen=True, slots=True)
class _Axis:
    left: float
    right: float
    ticks: Sequence[float]

    def x(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.left + (self.right - self.left) * (min(max(value, low), high) - low) / (high - low)


def love_scenes(love: Love) -> list[Scene]:
    """Draw the plot, on several pages where there are many variables; all have one axis."""
    rows = sorted((_signed(love, row) for row in love.rows), key=_first, reverse=True)
    ticks = _ticks(love, rows)
    parts = [rows[k : k + MOST_ROWS] for k in range(0, len(rows), MOST_ROWS)] or [[]]
    many = len(parts) > 1
    return [
        _draw(love, part, ticks, f"{love.title} (part {k} of {len(parts)})" if many else love.title)
        for k, part in enumerate(parts, start=1)
    ]


def _signed(love: Love, row: LoveRow) -> LoveRow:
    values = [
        None if value is None or value != value else abs(value) if love.absolute else value for value in row.values
    ]
    return LoveRow(label=row.label, values=values, most=row.most)


def _first(row: LoveRow) -> float:
    first = next((value for value in row.values if value is not None), None)
    return -inf if first is None else abs(first)


def _ticks(love: Love, rows: Sequence[LoveRow]) -> tuple[float, ...]:
    known = [
        min(max(value, -FARTHEST), FARTHEST) for row in rows for value in (*row.values, *row.most) if value is not None
    ]
    low = 0.0 if love.absolute else min([*known, -love.threshold])
    return linear_ticks(low, max([*known, love.threshold * 1.5]), about=5)


def _draw(love: Love, rows: Sequence[LoveRow], ticks: Sequence[float], title: str) -> Scene:
    canvas = Canvas()
    most = min(LARGEST_LABEL, LABEL_SHARE * love.width)
    label_width = min(most, max(widest([row.label for row in rows]), 30.0))
    texts = tick_texts(ticks, love.style)
    axis = _Axis(MARGIN + label_width + 12, love.width - MARGIN - max(widest(texts[-1:]) / 2, 6.0), ticks)
    top = _legend(canvas, love)
    lines = [fitted(row.label, label_width, lines=4) for row in rows]
    heights = [ROW + (len(words) - 1) * LINE_HEIGHT for words in lines]
    bottom = top + sum(heights) + 4
    _rules(canvas, axis, love, top, bottom)
    y = top
    for row, words, height in zip(rows, lines, heights, strict=True):
        middle = y + height / 2
        canvas.line((axis.left, middle), (axis.right, middle), color=GRID, width=0.4)
        for k, line in enumerate(words):
            base = middle + SIZE * 0.35 + (k - (len(words) - 1) / 2) * LINE_HEIGHT
            canvas.text(axis.left - 8, base, line, anchor="end")
        _values(canvas, axis, row, middle)
        y += height
    return Scene(
        width=love.width, height=_foot(canvas, axis, love, texts, bottom), title=title, description=_describe(love, rows),
        shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _legend(canvas: Canvas, love: Love) -> float:
    """The mark of each sample with its words, as many on a line as fit; gives where the rows begin."""
    x, y = MARGIN, 12.0
    for k, sample in enumerate(love.samples):
        (words,) = fitted(sample, love.width - 2 * MARGIN - 14)
        wide = widest([words]) + 30
        if x > MARGIN and x + wide > love.width:
            x, y = MARGIN, y + LINE_HEIGHT + 1
        draw_mark(canvas, SHAPES[k % len(SHAPES)], x + 5, y - 3, RADIUS, color=COLORS[k % len(COLORS)])
        canvas.text(x + 13, y, words)
        x += wide
    if any(_ends(row, k) is not None for row in love.rows for k in range(len(row.values))):
        x, y = (x, y) if x + widest([LARGEST]) + 20 < love.width else (MARGIN, y + LINE_HEIGHT + 1)
        _whisker(canvas, x, x + 10, y - 3, INK)
        canvas.text(x + 15, y, LARGEST)
    return y + 8 if love.samples else 8.0


def _rules(canvas: Canvas, axis: _Axis, love: Love, top: float, bottom: float) -> None:
    """The line of no difference and those of the threshold."""
    for at in (-love.threshold, love.threshold) if not love.absolute else (love.threshold,):
        if axis.ticks[0] <= at <= axis.ticks[-1]:
            canvas.line((axis.x(at), top), (axis.x(at), bottom), width=0.7, dash=(3, 2.5))
    canvas.line((axis.x(0.0), top), (axis.x(0.0), bottom), width=0.75)


def _values(canvas: Canvas, axis: _Axis, row: LoveRow, y: float) -> None:
    """The marks of a row, those of the first sample under the others."""
    lined = any(_ends(row, k) is not None for k in range(len(row.values)))
    middles = [y + (k - (len(row.values) - 1) / 2) * APART * lined for k in range(len(row.values))]
    for k, value in enumerate(row.values):
        if value is None:
            continue
        y, color = middles[k], COLORS[k % len(COLORS)]
        end = _ends(row, k)
        if end is not None:
            _whisker(canvas, axis.x(value), axis.x(end), y, color)
        draw_mark(canvas, SHAPES[k % len(SHAPES)], axis.x(value), y, RADIUS, color=color)
        if not axis.ticks[0] <= value <= axis.ticks[-1]:
            sign = 1 if value > 0 else -1
            tip = axis.x(value) + 6 * sign
            canvas.area((tip, y), (tip - 3 * sign, y - 2.4), (tip - 3 * sign, y + 2.4), fill=INK)


def _ends(row: LoveRow, k: int) -> float | None:
    """Where the line of a mark ends: at the largest difference over imputations, on the mark's side."""
    value, most = row.values[k], row.most[k] if k < len(row.most) else None
    return None if value is None or most is None or most != most else (most if value >= 0 else -most)


def _whisker(canvas: Canvas, x: float, end: float, y: float, color: str) -> None:
    canvas.line((x, y), (end, y), color=color, width=0.9)
    canvas.line((end, y - END), (end, y + END), color=color, width=0.9)


def _foot(canvas: Canvas, axis: _Axis, love: Love, texts: Sequence[str], y: float) -> float:
    canvas.line((axis.left, y), (axis.right, y))
    places = [axis.x(tick) for tick in axis.ticks]
    for x in places:
        canvas.line((x, y), (x, y + 3))
    for k in apart(places, [widest([text]) for text in texts]):
        canvas.text(places[k], y + 12, texts[k], anchor="middle")
    y += 13
    for line in fitted(love.x_label, axis.right - axis.left + 8, lines=3):
        y += LINE_HEIGHT
        canvas.text((axis.left + axis.right) / 2, y, line, anchor="middle")
    return y + 8


def _describe(love: Love, rows: Sequence[LoveRow]) -> str:
    """How many variables of each sample lie beyond the threshold, then every variable."""
    threshold = number(love.threshold, 2, love.style)
    counts = []
    for k, sample in enumerate(love.samples):
        known = [abs(value) for row in rows if len(row.values) > k and (value := row.values[k]) is not None]
        beyond = sum(value > love.threshold for value in known)
        counts.append(f"{named(sample)}, {beyond} of {len(known)} beyond {threshold}")
    return told(f"{love.x_label}. {'; '.join(counts)}.", [_said(row, love) for row in rows])


def _said(row: LoveRow, love: Love) -> str:
    def said(value: float | None, k: int) -> str:
        if value is None or not isfinite(value):
            return "unknown"
        end = _ends(row, k)
        most = "" if end is None else f" (largest {number(end, 2, love.style)})"
        return f"{number(value, 2, love.style)}{most}"

    return f"{named(row.label)}: {', '.join(said(value, k) for k, value in enumerate(row.values))}"
