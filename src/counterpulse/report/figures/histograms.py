"""Histograms side by side, one a group, on the same axes. The outermost bars hold everything beyond them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import INK, Canvas, Scene
from counterpulse.report.figures.typeface import LINE, text_width, wrap
from counterpulse.report.numbers import MINUS

SIZE = 8.5
ROW = SIZE * LINE
PANEL_WIDTH, PANEL_HEIGHT = 176.0, 108.0
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
    decimal_mark: str = "."


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
    """Draw one panel a group."""
    canvas = Canvas()
    scale = _scale(figure.panels)
    x_ticks, y_ticks = (
        _inside(linear_ticks(scale.start, scale.end, about=5), scale),
        linear_ticks(0, scale.highest, about=4),
    )
    heads = [wrap(panel.label, PANEL_WIDTH - 6, SIZE, bold=True) for panel in figure.panels]
    across = min(ACROSS, max(1, len(figure.panels)))
    top = 6.0
    for first in range(0, len(figure.panels), across):
        lines = max(len(head) for head in heads[first : first + across]) + 1
        bottom = top + lines * ROW + 6 + PANEL_HEIGHT
        for k, panel in enumerate(figure.panels[first : first + across]):
            left = LEFT + k * (PANEL_WIDTH + GAP)
            for row, words in enumerate(heads[first + k]):
                canvas.text(left, top + ROW * (row + 0.8), words, size=SIZE, bold=True)
            canvas.text(left, top + ROW * (len(heads[first + k]) + 0.8), panel.note, size=SIZE)
            _panel(
                canvas,
                figure,
                panel,
                scale,
                (left, bottom),
                x_ticks,
                y_ticks,
                COLORS[(first + k) % len(COLORS)],
                labels=k == 0,
            )
        middle = bottom - PANEL_HEIGHT / 2
        for row, words in enumerate(wrap(figure.y_label, PANEL_HEIGHT + 20, SIZE)[:2]):
            canvas.text(9 + row * (SIZE + 1), middle, words, size=SIZE, anchor="middle", upright=False)
        top = bottom + 22
    width = LEFT + across * (PANEL_WIDTH + GAP)
    for words in wrap(figure.x_label, width - LEFT, SIZE):
        canvas.text(LEFT + (width - LEFT - GAP) / 2, top + 6, words, size=SIZE, anchor="middle")
        top += ROW
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


def _inside(ticks: Sequence[float], scale: _Scale) -> list[float]:
    return [tick for tick in ticks if scale.start - 1e-9 <= tick <= scale.end + 1e-9]


def _panel(
    canvas: Canvas, figure: Histograms, panel: Panel, scale: _Scale, corner: tuple[float, float],
    x_ticks: Sequence[float], y_ticks: Sequence[float], color: str, *, labels: bool,
) -> None:  # fmt: skip
    left, bottom = corner

    def x(value: float) -> float:
        return left + PANEL_WIDTH * (value - scale.start) / (scale.end - scale.start)

    for bar in panel.bars:
        low, high = (x(edge) for edge in scale.span(bar))
        height = PANEL_HEIGHT * scale.height(panel, bar) / y_ticks[-1]
        if bar.n is None:
            canvas.text((low + high) / 2, bottom - 3, "\N{EN DASH}", size=SIZE, anchor="middle")
        elif height > 0:
            corners = (
                (low + 0.4, bottom),
                (low + 0.4, bottom - height),
                (high - 0.4, bottom - height),
                (high - 0.4, bottom),
            )
            open_ = bar.low is None or bar.high is None
            canvas.area(*corners, fill=color, opacity=OPEN_OPACITY if open_ else BAR_OPACITY)
            canvas.line(*corners, color=color, width=0.6)
    canvas.line((left, bottom - PANEL_HEIGHT), (left, bottom), (left + PANEL_WIDTH, bottom), color=INK)
    for tick in y_ticks:
        y = bottom - PANEL_HEIGHT * tick / y_ticks[-1]
        canvas.line((left - 3, y), (left, y))
        if labels:
            canvas.text(left - 5, y + SIZE * 0.35, _number(tick, figure), size=SIZE, anchor="end")
    reach = left - GAP / 2
    for tick in x_ticks:
        canvas.line((x(tick), bottom), (x(tick), bottom + 3))
        words = _number(tick, figure)
        begins = x(tick) - text_width(words, SIZE) / 2
        if begins > reach:
            canvas.text(x(tick), bottom + 12, words, size=SIZE, anchor="middle")
            reach = begins + text_width(words, SIZE) + 3


def _number(tick: float, figure: Histograms) -> str:
    return f"{tick:.6g}".replace("-", MINUS).replace(".", figure.decimal_mark)


def _describe(figure: Histograms, scale: _Scale) -> str:
    parts = []
    for panel in figure.panels:
        tallest = max(panel.bars, key=lambda bar: scale.height(panel, bar), default=None)
        if tallest is not None and tallest.n:
            low, high = scale.span(tallest)
            parts.append(f"{panel.label}: most between {low:g} and {high:g}")
    return f"Histograms of {figure.x_label}. {'; '.join(parts)}."
