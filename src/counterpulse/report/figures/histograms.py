"""Histograms side by side, one a group, on the same axes. The outermost bars hold everything beyond them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import INK, Canvas, Scene
from counterpulse.report.number_styles import PLAIN, NumberStyle

PANEL_WIDTHS = (110.0, 180.0)
PANEL_HEIGHT = 108.0
GAP = 18.0
ACROSS = 3
LEFT = 42.0
BAR_OPACITY, OPEN_OPACITY = 0.72, 0.4


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from `low` to `high` (None: open); `n` is None where a count is not shown."""

    low: float | None
    high: float | None
    n: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The histogram of one group; `note` says how many."""

    label: str
    bars: Sequence[Bar]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histograms:
    """What is drawn. All panels have the same axes."""

    title: str
    panels: Sequence[Panel]
    x_label: str
    y_label: str
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN


@dataclass(frozen=True, slots=True)
class _Scale:
    """The bars' common width and range, and the highest share."""

    start: float
    end: float
    width: float
    highest: float

    def span(self, bar: Bar) -> tuple[float, float]:
        """Where a bar begins and ends."""
        return (self.start if bar.low is None else bar.low, self.end if bar.high is None else bar.high)

    def height(self, panel: Panel, bar: Bar) -> float:
        """The share of the panel's patients for each common width, in percent."""
        low, high = self.span(bar)
        total = sum(item.n or 0 for item in panel.bars)
        return 100 * (bar.n or 0) / total * self.width / (high - low) if total and high > low else 0.0


def draw_histograms(figure: Histograms) -> Scene:
    """Draw one panel a group, as many side by side as the page holds."""
    canvas = Canvas()
    scale = _scale(figure.panels)
    across = max(1, min(ACROSS, len(figure.panels), int((figure.width - LEFT) / (PANEL_WIDTHS[0] + GAP))))
    room = min((figure.width - LEFT) / across - GAP, PANEL_WIDTHS[1])
    y_ticks = linear_ticks(0, scale.highest, about=4)
    heads = [fitted(panel.label, room - 4, lines=3, bold=True) for panel in figure.panels]
    top = 6.0
    for first in range(0, len(figure.panels), across):
        lines = max(len(head) for head in heads[first : first + across]) + 1
        bottom = top + lines * LINE_HEIGHT + 6 + PANEL_HEIGHT
        for k, panel in enumerate(figure.panels[first : first + across]):
            place = _Place(LEFT + k * (room + GAP), bottom, room, scale, y_ticks)
            for row, words in enumerate((*heads[first + k], *fitted(panel.note, room))):
                canvas.text(
                    place.left, top + LINE_HEIGHT * (row + 0.8), words, size=SIZE, bold=row < len(heads[first + k])
                )
            _bars(canvas, place, panel, COLORS[(first + k) % len(COLORS)])
            _axes(canvas, figure, place, labeled=k == 0)
        middle = bottom - PANEL_HEIGHT / 2
        for row, words in enumerate(fitted(figure.y_label, PANEL_HEIGHT + 20, lines=2)):
            canvas.text(9 + row * (SIZE + 1), middle, words, size=SIZE, anchor="middle", upright=False)
        top = bottom + 22
    width = LEFT + across * (room + GAP)
    for words in fitted(figure.x_label, width - LEFT, lines=3):
        canvas.text(LEFT + (width - LEFT - GAP) / 2, top + 6, words, size=SIZE, anchor="middle")
        top += LINE_HEIGHT
    return Scene(
        width=width,
        height=top + 4,
        title=figure.title,
        description=_describe(figure, scale),
        shapes=tuple(canvas.shapes),
    )


def _scale(panels: Sequence[Panel]) -> _Scale:
    bars = [bar for panel in panels for bar in panel.bars]
    closed = [bar.high - bar.low for bar in bars if bar.low is not None and bar.high is not None]
    edges = [edge for bar in bars for edge in (bar.low, bar.high) if edge is not None] or [0.0]
    width = min(closed, default=max(edges) - min(edges) or 1.0)
    opens = any(bar.low is None for bar in bars), any(bar.high is None for bar in bars)
    start = min(edges) - (width if opens[0] else 0.0)
    end = max(edges) + (width if opens[1] else 0.0)
    if end <= start:
        end = start + width
    scale = _Scale(start, end, width, 1.0)
    highest = max((scale.height(panel, bar) for panel in panels for bar in panel.bars), default=0.0)
    return _Scale(start, end, width, highest or 1.0)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a panel stands, and its axes."""

    left: float
    bottom: float
    width: float
    scale: _Scale
    y_ticks: Sequence[float]

    def x(self, value: float) -> float:
        """Where a value stands."""
        return self.left + self.width * (value - self.scale.start) / (self.scale.end - self.scale.start)

    def x_ticks(self) -> list[float]:
        """The ticks between the ends."""
        ticks = linear_ticks(self.scale.start, self.scale.end, about=5)
        return [tick for tick in ticks if self.scale.start - 1e-9 <= tick <= self.scale.end + 1e-9]


def _bars(canvas: Canvas, place: _Place, panel: Panel, color: str) -> None:
    """The bars; a dash where a count is not shown."""
    for bar in panel.bars:
        low, high = (place.x(edge) for edge in place.scale.span(bar))
        height = PANEL_HEIGHT * place.scale.height(panel, bar) / place.y_ticks[-1]
        if bar.n is None:
            canvas.text((low + high) / 2, place.bottom - 3, "\N{EN DASH}", size=SIZE, anchor="middle")
        elif height > 0:
            left, right, top = low + 0.4, high - 0.4, place.bottom - height
            corners = (left, place.bottom), (left, top), (right, top), (right, place.bottom)
            open_ = bar.low is None or bar.high is None
            canvas.area(*corners, fill=color, opacity=OPEN_OPACITY if open_ else BAR_OPACITY)
            canvas.line(*corners, color=color, width=0.6)


def _axes(canvas: Canvas, figure: Histograms, place: _Place, *, labeled: bool) -> None:
    left, bottom = place.left, place.bottom
    canvas.line((left, bottom - PANEL_HEIGHT), (left, bottom), (left + place.width, bottom), color=INK)
    for tick, words in zip(place.y_ticks, tick_texts(place.y_ticks, figure.style), strict=True):
        y = bottom - PANEL_HEIGHT * tick / place.y_ticks[-1]
        canvas.line((left - 3, y), (left, y))
        if labeled:
            canvas.text(left - 5, y + SIZE * 0.35, words, size=SIZE, anchor="end")
    ticks = place.x_ticks()
    texts = tick_texts(ticks, figure.style)
    for tick in ticks:
        canvas.line((place.x(tick), bottom), (place.x(tick), bottom + 3))
    for k in apart([place.x(tick) for tick in ticks], [widest([text]) for text in texts], gap=4.0):
        canvas.text(place.x(ticks[k]), bottom + 12, texts[k], size=SIZE, anchor="middle")


def _describe(figure: Histograms, scale: _Scale) -> str:
    parts = []
    for panel in figure.panels:
        tallest = max(panel.bars, key=lambda bar: scale.height(panel, bar), default=None)
        if tallest is not None and tallest.n:
            low, high = scale.span(tallest)
            parts.append(f"{named(panel.label)}: most between {low:g} and {high:g}")
    return told(f"Histograms of {figure.x_label}.", parts)
