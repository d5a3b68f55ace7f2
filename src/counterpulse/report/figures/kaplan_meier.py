"""Survival or cumulative-incidence curves with intervals, labels at the curves, and the numbers at risk under the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.palette import look
from counterpulse.report.figures.scene import FAINT, INK, Canvas, Scene
from counterpulse.report.figures.typeface import LINE, text_width, wrap
from counterpulse.report.numbers import number

SIZE = 8.5
SMALL = 8.0
LEFT = 44.0
PLOT_WIDTH = 340.0
PLOT_HEIGHT = 214.0
LABEL_WIDTH = 118.0
LONGEST_SIDE_LABEL = 100.0
ROW = SIZE * LINE
BAND_OPACITY = 0.13
MOST_BANDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A step curve as a fraction of the group, with its interval where known.

    All sequences have one length; the value holds from its time to the next one. `reaches` is the last follow-up.
    """

    label: str
    times: Sequence[float]
    values: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    reaches: float | None = None


@dataclass(frozen=True, slots=True)
class RiskRow:
    """The counts of one group at the ticks, as printed; each further row has its words ("Events")."""

    label: str
    at_risk: Sequence[str]
    further: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFigure:
    """What is drawn.

    `origin` is where curves start: 1 for survival, 0 for incidence. The axis runs from the first tick to `end`, which may
    lie beyond the last tick. `note` stands above the plot.
    """

    title: str
    curves: Sequence[Curve]
    end: float
    ticks: Sequence[float]
    tick_labels: Sequence[str]
    x_label: str
    y_label: str
    origin: float
    at_risk: Sequence[RiskRow] = ()
    note: str = ""
    top: float = 1.0


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plotting area and its scales."""

    left: float
    top: float
    start: float
    end: float
    highest: float

    @property
    def right(self) -> float:
        return self.left + PLOT_WIDTH

    @property
    def bottom(self) -> float:
        return self.top + PLOT_HEIGHT

    def x(self, time: float) -> float:
        return self.left + PLOT_WIDTH * (min(time, self.end) - self.start) / (self.end - self.start)

    def y(self, value: float) -> float:
        return self.bottom - PLOT_HEIGHT * min(max(value / self.highest, 0.0), 1.0)


def draw_curves(figure: CurveFigure) -> Scene:
    """Draw the curves."""
    canvas = Canvas()
    widest = max((text_width(row.label, SIZE, bold=True) for row in figure.at_risk), default=0.0)
    further = [words for row in figure.at_risk for words, _ in row.further]
    own_line = widest > LONGEST_SIDE_LABEL or bool(further)
    side = max((text_width(words, SMALL) for words in [*further, *(["At risk"] if own_line else [])]), default=0.0)
    first = max((text_width(row.at_risk[0], SIZE) for row in figure.at_risk if row.at_risk), default=0.0)
    left = max(LEFT, 12 + (side if own_line else widest) + first / 2)
    width = left + PLOT_WIDTH + 10 + LABEL_WIDTH
    notes = wrap(figure.note, width - 8, SIZE) if figure.note else ()
    frame = _Frame(
        left,
        10 + ROW * len(notes) + (4 if notes else 0),
        figure.ticks[0],
        max(figure.end, figure.ticks[-1]),
        figure.top,
    )
    for k, line in enumerate(notes):
        canvas.text(4, 12 + ROW * k, line, size=SIZE)
    for index, curve in enumerate(figure.curves if len(figure.curves) <= MOST_BANDS else ()):
        _band(canvas, frame, curve, figure.origin, look(index)[0])
    for index, curve in enumerate(figure.curves):
        color, dash = look(index)
        canvas.line(*_steps(frame, curve, curve.values, figure.origin), color=color, width=1.5, dash=dash)
    _axes(canvas, frame, figure)
    labels_end = _label_curves(canvas, frame, figure)
    height = _risk_table(canvas, frame, figure, own_line) if figure.at_risk else frame.bottom + 34
    return Scene(
        width=width,
        height=max(height, labels_end + 6),
        title=figure.title,
        description=_describe(figure),
        shapes=tuple(canvas.shapes),
    )


def _known(curve: Curve, values: Sequence[float | None]) -> list[tuple[float, float]]:
    return [(time, value) for time, value in zip(curve.times, values, strict=True) if value is not None]


def _steps(
    frame: _Frame, curve: Curve, values: Sequence[float | None], origin: float
) -> tuple[tuple[float, float], ...]:
    """The corners of a right-continuous step curve inside the plot, one a tenth of a point at most."""
    points = [(frame.x(frame.start), frame.y(origin))]
    for time, value in _known(curve, values):
        if time > frame.end:
            break
        corner = (round(frame.x(time), 1), round(frame.y(value), 1))
        if corner != points[-1]:
            points += [(corner[0], points[-1][1]), corner]
    end = frame.x(min(frame.end, _reach(curve, frame)))
    return (*points, (max(end, points[-1][0]), points[-1][1]))


def _reach(curve: Curve, frame: _Frame) -> float:
    if curve.reaches is not None:
        return curve.reaches
    return max(curve.times) if curve.times else frame.start


def _band(canvas: Canvas, frame: _Frame, curve: Curve, origin: float, color: str) -> None:
    """The interval, where both limits are known; it ends where one is no longer."""
    pairs = zip(curve.times, curve.low, curve.high, strict=True)
    until = next((time for time, low, high in pairs if low is None or high is None), None)
    known = [k for k, time in enumerate(curve.times) if until is None or time < until]
    if not known:
        return
    reaches = _reach(curve, frame) if until is None else min(until, _reach(curve, frame))
    part = Curve(
        label=curve.label,
        times=[curve.times[k] for k in known],
        values=[None] * len(known),
        low=[curve.low[k] for k in known],
        high=[curve.high[k] for k in known],
        reaches=reaches,
    )
    upper = _steps(frame, part, part.high, origin)
    lower = _steps(frame, part, part.low, origin)
    canvas.area(*upper, *reversed(lower), fill=color, opacity=BAND_OPACITY)


def _axes(canvas: Canvas, frame: _Frame, figure: CurveFigure) -> None:
    canvas.line((frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom), color=INK)
    ticks = [tick for tick in linear_ticks(0, frame.highest * 100, about=5) if tick <= frame.highest * 100 + 1e-9]
    for tick in ticks:
        y = frame.y(tick / 100)
        canvas.line((frame.left - 3.5, y), (frame.left, y))
        canvas.text(frame.left - 6, y + SIZE * 0.35, f"{tick:g}", size=SIZE, anchor="end")
    for time, label in zip(figure.ticks, figure.tick_labels, strict=True):
        x = frame.x(time)
        canvas.line((x, frame.bottom), (x, frame.bottom + 3.5))
        canvas.text(x, frame.bottom + 13, label, size=SIZE, anchor="middle")
    canvas.text(frame.left + PLOT_WIDTH / 2, frame.bottom + 27, figure.x_label, size=SIZE, anchor="middle")
    across = frame.left - 32
    canvas.text(across, frame.top + PLOT_HEIGHT / 2, figure.y_label, size=SIZE, anchor="middle", upright=False)


def _label_curves(canvas: Canvas, frame: _Frame, figure: CurveFigure) -> float:
    """Write each group's name where its curve ends, apart from the others; gives the lowest line."""
    wanted = []
    for index, curve in enumerate(figure.curves):
        end_x, end_y = _steps(frame, curve, curve.values, figure.origin)[-1]
        wanted.append((end_y, index, end_x, wrap(curve.label, LABEL_WIDTH - 4, SIZE, bold=True)))
    wanted.sort(key=lambda entry: (entry[0], entry[1]))
    heights = [ROW * len(lines) + 1.5 for *_, lines in wanted]
    tops = _apart([end - height / 2 for (end, *_), height in zip(wanted, heights, strict=True)], heights, frame)
    lowest = 0.0
    for top, height, (end_y, index, end_x, lines) in zip(tops, heights, wanted, strict=True):
        color = look(index)[0]
        middle = top + height / 2
        canvas.line((end_x + 1, end_y), (frame.right + 7, middle), color=color, width=0.4, dash=(1.2, 1.8))
        for k, line in enumerate(lines):
            lowest = top + ROW * (k + 0.78)
            canvas.text(frame.right + 10, lowest, line, size=SIZE, bold=True, color=color)
    return lowest


def _apart(tops: list[float], heights: list[float], frame: _Frame) -> list[float]:
    """Tops moved down, then up from the foot of the plot, until no two labels overlap."""
    placed: list[float] = []
    for top, height in zip(tops, heights, strict=True):
        least = placed[-1] + heights[len(placed) - 1] if placed else frame.top - height / 2
        placed.append(max(top, least))
    floor = frame.bottom + heights[-1] / 2 if heights else 0.0
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = min(placed[k], floor - heights[k])
        floor = placed[k]
    shift = max(0.0, 2.0 - placed[0]) if placed else 0.0
    return [top + shift for top in placed]


def _risk_table(canvas: Canvas, frame: _Frame, figure: CurveFigure, own_line: bool) -> float:
    """Numbers under their ticks, rows grouped by arm; gives the height of the figure."""
    y = frame.bottom + 48
    start = 4.0
    canvas.text(start, y, "Numbers at risk", size=SIZE, bold=True)
    for index, row in enumerate(figure.at_risk):
        color = look(index)[0]
        if own_line:
            for line in wrap(row.label, frame.right - start, SIZE, bold=True):
                y += ROW + (2 if figure.at_risk[0].further else 0)
                canvas.text(start, y, line, size=SIZE, bold=True, color=color)
        rows = [("At risk" if own_line else row.label, row.at_risk), *row.further]
        for words, counts in rows:
            y += ROW
            canvas.text(start, y, words, size=SMALL if own_line else SIZE, color=color, bold=not own_line)
            for time, text in zip(figure.ticks, counts, strict=True):
                canvas.text(frame.x(time), y, text, size=SIZE, anchor="middle", color=INK if text != "0" else FAINT)
    return y + 8


def _describe(figure: CurveFigure) -> str:
    ends = []
    for curve in figure.curves:
        known = _known(curve, curve.values)
        if known:
            ends.append(f"{curve.label}: {number(100 * known[-1][1], 1)}% at {known[-1][0]:g}")
    return f"{figure.y_label} by {figure.x_label}. Last values: {'; '.join(ends)}. {figure.note}".strip()
