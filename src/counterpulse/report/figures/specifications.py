"""A specification curve: one effect under every combination of choices, in order, and below it which choices made each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

from counterpulse.report.figures.forest_axis import ForestAxis, forest_ticks
from counterpulse.report.figures.lettering import (
    SIZE,
    TWO_COLUMNS,
    fitted,
    named,
    tick_texts,
    told,
    widest,
)
from counterpulse.report.figures.marks import draw_mark
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import FAINT, INK, Canvas, Scene
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import number

MARGIN = 4.0
PLOT_HEIGHT = 150.0
ROW = 11.5
LABEL_WIDTH, LABEL_SHARE = 160.0, 0.42
MARKED = COLORS[1]
GRID = "#e3e3e3"
LARGEST_MARK = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Specified:
    """A specification: the option of each choice, its estimate (None where there is none), whether it is the planned one."""

    options: Sequence[str]
    estimate: float | None
    low: float | None = None
    high: float | None = None
    main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationFigure:
    """What is drawn: specifications in order, and the choices that their options answer."""

    title: str
    choices: Sequence[str]
    specifications: Sequence[Specified]
    y_label: str
    ratio: bool = True
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN


@dataclass(frozen=True, slots=True)
class _Plot:
    left: float
    right: float
    top: float
    axis: ForestAxis
    n: int

    def x(self, k: int) -> float:
        return self.left + (k + 0.5) * self.step

    def y(self, value: float) -> float:
        """Where a value stands; the axis of a forest, turned upright."""
        return self.top + PLOT_HEIGHT - (self.axis.x(value) - self.axis.left)

    @property
    def step(self) -> float:
        return (self.right - self.left) / max(self.n, 1)

    @property
    def mark(self) -> float:
        """The radius of a mark that leaves its neighbors free."""
        return max(0.45, min(LARGEST_MARK, 0.42 * self.step))


def draw_specifications(figure: SpecificationFigure) -> Scene:
    """Draw the estimates above and the choices below."""
    canvas = Canvas()
    ticks = forest_ticks(figure.specifications, ratio=figure.ratio)
    texts = tick_texts(ticks, figure.style, log=figure.ratio)
    rows = _rows(figure)
    label = min(LABEL_WIDTH, LABEL_SHARE * figure.width, max([widest(texts) + 18, *(widest([w], bold=b) + (0 if b else 8) for w, b, _ in rows)]))  # fmt: skip
    left = MARGIN + label + 8
    top = _legend(canvas, figure)
    axis = ForestAxis(0.0, PLOT_HEIGHT, ticks, figure.ratio)
    plot = _Plot(left, figure.width - MARGIN, top, axis, len(figure.specifications))
    _estimates(canvas, figure, plot, texts)
    bottom = _choices(canvas, figure, plot, rows)
    return Scene(
        width=figure.width, height=bottom + MARGIN, title=figure.title, description=_describe(figure),
        shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _rows(figure: SpecificationFigure) -> list[tuple[str, bool, tuple[int, str] | None]]:
    """The lines under the plot: each choice, then its options, the planned one first."""
    rows: list[tuple[str, bool, tuple[int, str] | None]] = []
    for k, choice in enumerate(figure.choices):
        main = next((item.options[k] for item in figure.specifications if item.main), "")
        found = {item.options[k] for item in figure.specifications}
        options = [*(found & {main}), *sorted(found - {main})]
        if len(options) > 1:
            rows.append((choice, True, None))
            rows += [(option, False, (k, option)) for option in options]
    return rows


def _legend(canvas: Canvas, figure: SpecificationFigure) -> float:
    """What the marks are."""
    x, y = MARGIN, 11.0
    shown = [("Planned analysis", "diamond", MARKED)] if any(item.main for item in figure.specifications) else []
    for words, shape, color in (*shown, ("Other specifications", "dot", INK)):
        draw_mark(canvas, shape, x + 5, y - 3, 2.6, color=color)
        canvas.text(x + 13, y, words)
        x += widest([words]) + 30
    return y + 12


def _estimates(canvas: Canvas, figure: SpecificationFigure, plot: _Plot, texts: Sequence[str]) -> None:
    null = plot.y(plot.axis.null)
    canvas.line((plot.left, null), (plot.right, null), color=FAINT, width=0.8, dash=(3, 2.5))
    canvas.line((plot.left, plot.top), (plot.left, plot.top + PLOT_HEIGHT), (plot.right, plot.top + PLOT_HEIGHT))
    for tick, words in zip(plot.axis.ticks, texts, strict=True):
        y = plot.y(tick)
        canvas.line((plot.left - 3, y), (plot.left, y))
        canvas.text(plot.left - 5, y + SIZE * 0.35, words, anchor="end")
    (words,) = fitted(figure.y_label, PLOT_HEIGHT)
    canvas.text(plot.left - widest(texts) - 11, plot.top + PLOT_HEIGHT / 2, words, anchor="middle", upright=False)
    for k, item in sorted(enumerate(figure.specifications), key=lambda pair: pair[1].main):
        if item.estimate is None or not isfinite(item.estimate):
            continue
        x, color = plot.x(k), MARKED if item.main else INK
        ends = [plot.y(end) for end in (item.low, item.high) if end is not None]
        if len(ends) == 2:
            canvas.line(
                (x, ends[0]), (x, ends[1]), color=color if item.main else FAINT, width=min(0.9, 0.5 * plot.step)
            )
        shape = "diamond" if item.main else "dot"
        draw_mark(canvas, shape, x, plot.y(item.estimate), max(plot.mark, 2.2) if item.main else plot.mark, color=color)


def _choices(
    canvas: Canvas, figure: SpecificationFigure, plot: _Plot, rows: Sequence[tuple[str, bool, tuple[int, str] | None]]
) -> float:
    """A line for each option with a mark under each specification that took it."""
    y = plot.top + PLOT_HEIGHT + 6
    for words, bold, option in rows:
        y += ROW
        (shown,) = fitted(words, plot.left - MARGIN - 8 - (0 if bold else 8), bold=bold)
        canvas.text(MARGIN + (0 if bold else 8), y, shown, bold=bold)
        if option is None:
            y += 1
            continue
        k, name = option
        canvas.line((plot.left, y - 3), (plot.right, y - 3), color=GRID, width=0.4)
        for at, item in enumerate(figure.specifications):
            if item.options[k] == name:
                shape = "diamond" if item.main else "square"
                draw_mark(canvas, shape, plot.x(at), y - 3, plot.mark, color=MARKED if item.main else INK)
    return y + 4


def _describe(figure: SpecificationFigure) -> str:
    """How many there are, between which estimates they lie, and where the planned one is."""
    known = [item.estimate for item in figure.specifications if item.estimate is not None and isfinite(item.estimate)]
    words = f"{figure.y_label} under {len(figure.specifications)} specifications"
    if not known:
        return f"{words}; none has an estimate."
    low, middle, high = (number(value, 2, figure.style) for value in (min(known), median(known), max(known)))
    parts = [f"from {low} to {high}, median {middle}"]
    main = next((item for item in figure.specifications if item.main and item.estimate is not None), None)
    if main is not None and main.estimate is not None:
        parts.append(f"the planned one {number(main.estimate, 2, figure.style)}")
    return told(f"{words}: {'; '.join(parts)}.", [f"Choice: {named(choice)}" for choice in figure.choices])
