"""Small panels of lines, many on a page: chains of an imputation, densities of observed and imputed values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log

from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.lettering import (
    LINE_HEIGHT,
    SIZE,
    TALLEST,
    TWO_COLUMNS,
    apart,
    fitted,
    named,
    tick_texts,
    told,
    widest,
)
from counterpulse.report.figures.scene import Canvas, Scene
from counterpulse.report.number_styles import PLAIN, NumberStyle

MARGIN = 4.0
GAP = 14.0
PLOT_HEIGHT = 62.0
LEAST_WIDTH = 84.0
FOOT = 16.0
HEAD_LINES = 2
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallLine:
    """A line with its look."""

    points: Sequence[Point]
    color: str
    width: float = 0.7
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallPanel:
    """A panel: its head, its lines, later ones over earlier ones; `from_zero` has the axis of y begin at 0, `log` that of x be one."""

    head: str
    lines: Sequence[SmallLine]
    described: str = ""
    from_zero: bool = False
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallPanels:
    """What is drawn. Panels have axes of their own; `legend` are words with a line that looks as it does in the panels.

    `y_ticks` is no where heights mean nothing but their shape. A row holds a multiple of `together` panels.
    """

    title: str
    panels: Sequence[SmallPanel]
    x_label: str
    y_label: str = ""
    legend: Sequence[tuple[str, SmallLine]] = ()
    y_ticks: bool = True
    together: int = 1
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN


@dataclass(frozen=True, slots=True)
class _Grid:
    """Panels in a row, where the first one begins, how wide a plot is, from one to the next, and the room for its head."""

    across: int
    left: float
    room: float
    step: float
    head: float

    @property
    def row(self) -> float:
        return self.head + PLOT_HEIGHT + FOOT + 8


@dataclass(frozen=True, slots=True)
class _Scales:
    """The ticks of both axes with their texts, and the ends of x."""

    x: Sequence[float]
    y: Sequence[float]
    texts: tuple[Sequence[str], Sequence[str]]
    ends: tuple[float, float]


def small_panel_scenes(figure: SmallPanels) -> list[Scene]:
    """Draw the panels on as many pages as they need."""
    grid, scales = _grid(figure)
    down = max(1, int((TALLEST - 50) / grid.row))
    most = down * grid.across
    parts = [range(k, min(k + most, len(figure.panels))) for k in range(0, len(figure.panels), most)]
    return [
        _draw(
            figure, grid, scales, part, f"{figure.title} (part {k} of {len(parts)})" if len(parts) > 1 else figure.title
        )
        for k, part in enumerate(parts, start=1)
    ]


def _grid(figure: SmallPanels) -> tuple[_Grid, list[_Scales]]:
    scales = [_scales(figure, panel) for panel in figure.panels]
    words = max((widest(scale.texts[1]) for scale in scales), default=0.0)
    ends = max((widest(scale.texts[0]) for scale in scales), default=0.0)
    edge = max(8.0, ends / 2 + 2)
    gap = max(GAP, ends / 2 + 6)
    side = (words + 7 if figure.y_ticks else ends / 2) + gap
    start = MARGIN + (12 if figure.y_label else 0)
    across = max(1, int((figure.width - start - edge + gap) / (side + LEAST_WIDTH)))
    across = max(figure.together, across // figure.together * figure.together)
    step = (figure.width - start - edge + gap) / across
    room = step - side
    most = max(
        (len(fitted(panel.head, room + GAP / 2, lines=HEAD_LINES, bold=True)) for panel in figure.panels), default=1
    )
    return _Grid(across, start + side - gap, room, step, most * LINE_HEIGHT + 4), scales


def _scales(figure: SmallPanels, panel: SmallPanel) -> _Scales:
    points = [point for line in panel.lines for point in _drawable(panel, line)]
    xs, ys = ([point[k] for point in points] or [1.0, 2.0] for k in (0, 1))
    ends = (min(xs), max(xs)) if max(xs) > min(xs) else _around(xs[0], log=panel.log)
    x = _x_ticks(ends, log=panel.log)
    y = linear_ticks(min(0.0, *ys) if panel.from_zero else min(ys), max(ys), about=3)
    return _Scales(
        x, y, (tick_texts(x, figure.style, log=panel.log), tick_texts(y, figure.style) if figure.y_ticks else ()), ends
    )


def _drawable(panel: SmallPanel, line: SmallLine) -> list[Point]:
    return [point for point in line.points if all(map(isfinite, point)) and (point[0] > 0 or not panel.log)]


def _around(value: float, *, log: bool) -> Point:
    """An axis for one value."""
    return (value / 2, value * 2) if log and value else (value - 0.5, value + 0.5)


def _x_ticks(ends: Point, *, log: bool) -> list[float]:
    """Ticks between the ends; where a logarithmic axis is so short that it has one, those of a linear one."""
    for ticks in ([log_ticks(*ends)] if log else []) + [linear_ticks(*ends, about=4)]:
        within = [tick for tick in ticks if ends[0] - 1e-9 <= tick <= ends[1] + 1e-9]
        if len(within) > 1:
            break
    return within


def _draw(figure: SmallPanels, grid: _Grid, scales: Sequence[_Scales], part: range, title: str) -> Scene:
    canvas = Canvas()
    top = _legend(canvas, figure)
    for place, k in enumerate(part):
        left = grid.left + (place % grid.across) * grid.step
        y = top + (place // grid.across) * grid.row
        _panel(canvas, figure, figure.panels[k], scales[k], (left, y + grid.head), grid)
    bottom = top + ceil(len(part) / grid.across) * grid.row
    if figure.y_label:
        (words,) = fitted(figure.y_label, bottom - top - 20)
        canvas.text(MARGIN + 8, (top + bottom) / 2, words, anchor="middle", upright=False)
    shown = min(grid.across, len(part))
    for words in fitted(figure.x_label, (shown - 1) * grid.step + grid.room, lines=2):
        bottom += LINE_HEIGHT
        canvas.text(grid.left + (shown - 1) * grid.step / 2 + grid.room / 2, bottom - 4, words, anchor="middle")
    described = [
        f"{named(figure.panels[k].head)}: {figure.panels[k].described}" for k in part if figure.panels[k].described
    ]
    return Scene(
        width=figure.width, height=bottom + 3, title=title,
        description=told(f"{len(part)} panels of {figure.x_label}.", described), shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _legend(canvas: Canvas, figure: SmallPanels) -> float:
    x, y = MARGIN, 11.0
    for label, line in figure.legend:
        (words,) = fitted(label, figure.width - 2 * MARGIN - 24)
        wide = widest([words]) + 36
        if x > MARGIN and x + wide - 12 > figure.width - MARGIN:
            x, y = MARGIN, y + LINE_HEIGHT + 2
        canvas.line((x, y - 3), (x + 18, y - 3), color=line.color, width=line.width, dash=line.dash)
        canvas.text(x + 23, y, words)
        x += wide
    return y + 9 if figure.legend else 6.0


def _panel(canvas: Canvas, figure: SmallPanels, panel: SmallPanel, scales: _Scales, corner: Point, grid: _Grid) -> None:
    """A panel with its head over its left upper corner."""
    left, top = corner
    right, bottom = left + grid.room, top + PLOT_HEIGHT
    words = fitted(panel.head, grid.room + GAP / 2, lines=HEAD_LINES, bold=True)
    for k, head in enumerate(reversed(words)):
        canvas.text(left, top - 6 - k * LINE_HEIGHT, head, bold=True)

    def at(point: Point) -> Point:
        x0, x1, x = (log(end) if panel.log else end for end in (*scales.ends, point[0]))
        y0, y1 = scales.y[0], scales.y[-1]
        return left + (right - left) * (x - x0) / (x1 - x0), bottom - (bottom - top) * (point[1] - y0) / (y1 - y0)

    for line in panel.lines:
        places = [at(point) for point in _drawable(panel, line)]
        if len(places) > 1:
            canvas.line(*places, color=line.color, width=line.width, dash=line.dash)
    canvas.line((left, top), (left, bottom), (right, bottom))
    xs = [at((tick, scales.y[0]))[0] for tick in scales.x]
    for x in xs:
        canvas.line((x, bottom), (x, bottom + 2.5))
    for k in apart(xs, [widest([text]) for text in scales.texts[0]], gap=4.0):
        canvas.text(xs[k], bottom + 11.5, scales.texts[0][k], anchor="middle")
    for tick, text in zip(scales.y, scales.texts[1], strict=False):
        y = at((scales.ends[0], tick))[1]
        canvas.line((left - 2.5, y), (left, y))
        canvas.text(left - 5, y + SIZE * 0.35, text, anchor="end")
