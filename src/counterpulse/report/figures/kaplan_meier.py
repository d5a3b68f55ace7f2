"""Survival or cumulative-incidence curves with intervals, labels at the curves, and counts under the ticks of time.

The counts stand as numbers at risk, one row a group, or by group as at risk, censored and events (KMunicate: Morris et al.,
BMJ Open 2019;9:e030215, doi:10.1136/bmjopen-2019-030215).
"""

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
from counterpulse.report.figures.palette import look
from counterpulse.report.figures.scene import INK, Canvas, Scene
from counterpulse.report.figures.typeface import wrap
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import number

LEFT = 44.0
MARGIN = 4.0
PLOT_HEIGHT, NARROW_HEIGHT = 208.0, 168.0
LABEL_WIDTH = 116.0
LABEL_GAP = 10.0
SIDE_LABEL = (64.0, 96.0)
"""How wide a group's name beside its counts may be, in one column of print and in two."""
NARROW = 320.0
BAND_OPACITY = 0.13
MOST_BANDS = 4
SAMPLE = 18.0
CENSORED = 3.0
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A step curve as a fraction of the group, with its interval where known.

    The sequences have one length; the value holds from its time to the next one. `reaches` is the last follow-up, `censored`
    are times at which a mark says that somebody was censored.
    """

    label: str
    times: Sequence[float]
    values: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    reaches: float | None = None
    censored: Sequence[float] = ()


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
    lie beyond the last tick. `note` stands above the plot. In a narrow figure the groups are named above the plot, in a
    wider one where their curves end.
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
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plotting area, its scales, and the ticks of time that can be read."""

    left: float
    top: float
    right: float
    figure: CurveFigure

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return NARROW_HEIGHT if self.figure.width < NARROW else PLOT_HEIGHT

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def start(self) -> float:
        return self.figure.ticks[0] if self.figure.ticks else 0.0

    @property
    def end(self) -> float:
        last = max(self.figure.end, *self.figure.ticks, self.start)
        return last if last > self.start else self.start + 1.0

    def x(self, time: float) -> float:
        return self.left + self.width * (min(max(time, self.start), self.end) - self.start) / (self.end - self.start)

    def y(self, value: float) -> float:
        return self.bottom - self.height * min(max(value / self.figure.top, 0.0), 1.0)

    def readable(self) -> list[int]:
        """The ticks whose labels and counts do not touch those beside them."""
        rows = [self.figure.tick_labels]
        for row in self.figure.at_risk:
            rows += [row.at_risk, *(counts for _, counts in row.further)]
        widths = [widest(texts) for texts in zip(*rows, strict=True)]
        return apart([self.x(tick) for tick in self.figure.ticks], widths)


def draw_curves(figure: CurveFigure) -> Scene:
    """Draw the curves."""
    canvas = Canvas()
    narrow = figure.width < NARROW
    notes = wrap(figure.note, figure.width - 2 * MARGIN, SIZE) if figure.note else ()
    for k, line in enumerate(notes):
        canvas.text(MARGIN, 10 + LINE_HEIGHT * k, line, size=SIZE)
    top = 10 + LINE_HEIGHT * len(notes) + (4 if notes else 0)
    if narrow:
        top = _legend(canvas, figure, top + 2)
    frame = _Frame(_left(figure), top, _right(figure, narrow=narrow), figure)
    if len(figure.curves) <= MOST_BANDS:
        for index, curve in enumerate(figure.curves):
            _band(canvas, frame, curve, index)
    for index, curve in enumerate(figure.curves):
        color, dash = look(index)
        canvas.line(*_steps(frame, curve, curve.values), color=color, width=1.5, dash=dash)
        _censored(canvas, frame, curve, color)
    kept = frame.readable()
    below = _axes(canvas, frame, kept)
    height = _risk_table(canvas, frame, kept, below + LINE_HEIGHT + 4) if figure.at_risk else below + 6
    lowest = 0.0 if narrow else _label_curves(canvas, frame)
    return Scene(
        width=figure.width,
        height=max(height, lowest + 6),
        title=figure.title,
        description=_describe(figure),
        shapes=tuple(canvas.shapes),
    )


def _left(figure: CurveFigure) -> float:
    """Where the plot begins: right of the axis' own words, and of those beside the counts."""
    first = widest(
        [texts[0] for row in figure.at_risk for texts in (row.at_risk, *(c for _, c in row.further)) if texts]
    )
    return max(LEFT, MARGIN + _side(figure) + 7 + first / 2)


def _grouped(figure: CurveFigure) -> bool:
    """Whether each group has several rows of counts, and its name on lines of its own."""
    return any(row.further for row in figure.at_risk)


def _side(figure: CurveFigure) -> float:
    """The width of the words beside the counts."""
    if _grouped(figure):
        return widest(["At risk", *(words for row in figure.at_risk for words, _ in row.further)])
    most = SIDE_LABEL[figure.width >= NARROW]
    labels = widest([line for row in figure.at_risk for line in fitted(row.label, most, lines=3, bold=True)], bold=True)
    return labels if figure.at_risk else 0.0


def _right(figure: CurveFigure, *, narrow: bool) -> float:
    last = widest([figure.tick_labels[-1]] if figure.tick_labels else [])
    last = max(last, widest([row.at_risk[-1] for row in figure.at_risk if row.at_risk])) / 2
    if narrow:
        return figure.width - last - MARGIN
    return figure.width - _labels_width(figure) - max(LABEL_GAP, last + 3) - MARGIN


def _labels_width(figure: CurveFigure) -> float:
    """The room of the names where the curves end, with the look of each curve where there are many."""
    names = widest([curve.label for curve in figure.curves], bold=True)
    return min(LABEL_WIDTH, names + _samples(figure))


def _samples(figure: CurveFigure) -> float:
    return SAMPLE + 4 if len(figure.curves) > MOST_BANDS else 0.0


def _legend(canvas: Canvas, figure: CurveFigure, y: float) -> float:
    """The groups above the plot, each on its line; gives where the plot begins."""
    for index, curve in enumerate(figure.curves):
        color, dash = look(index)
        for k, line in enumerate(fitted(curve.label, figure.width - 2 * MARGIN - SAMPLE - 5, lines=2, bold=True)):
            if not k:
                canvas.line((MARGIN, y - 3), (MARGIN + SAMPLE, y - 3), color=color, width=1.5, dash=dash)
            canvas.text(MARGIN + SAMPLE + 5, y, line, size=SIZE, bold=True, color=color)
            y += LINE_HEIGHT
    return y


def _known(curve: Curve) -> list[tuple[float, float]]:
    return [(time, value) for time, value in zip(curve.times, curve.values, strict=True) if value is not None]


def _steps(frame: _Frame, curve: Curve, values: Sequence[float | None]) -> Corners:
    """The corners of a right-continuous step curve inside the plot, one a tenth of a point at most."""
    points = [(frame.x(frame.start), frame.y(frame.figure.origin))]
    for time, value in zip(curve.times, values, strict=True):
        if value is None:
            continue
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


def _band(canvas: Canvas, frame: _Frame, curve: Curve, index: int) -> None:
    """The interval, where both limits are known; it ends where one is no longer. Its edges have the dash of the curve."""
    pairs = zip(curve.times, curve.low, curve.high, strict=True)
    until = next((time for time, low, high in pairs if low is None or high is None), None)
    known = [k for k, time in enumerate(curve.times) if until is None or time < until]
    if not known:
        return
    reaches = _reach(curve, frame) if until is None else min(until, _reach(curve, frame))
    times = [curve.times[k] for k in known]
    low, high = [curve.low[k] for k in known], [curve.high[k] for k in known]
    part = Curve(label=curve.label, times=times, values=low, low=low, high=high, reaches=reaches)
    upper, lower = _steps(frame, part, high), _steps(frame, part, low)
    color, dash = look(index)
    canvas.area(*upper, *reversed(lower), fill=color, opacity=BAND_OPACITY)
    for edge in (upper, lower):
        canvas.line(*edge, color=color, width=0.35, dash=dash)


def _censored(canvas: Canvas, frame: _Frame, curve: Curve, color: str) -> None:
    """A small upright mark where somebody was censored."""
    known = _known(curve)
    for time in curve.censored:
        if frame.start < time <= frame.end:
            height = frame.y(next((value for at, value in reversed(known) if at <= time), frame.figure.origin))
            x = frame.x(time)
            top, bottom = max(height - CENSORED, frame.top), min(height + CENSORED, frame.bottom)
            canvas.line((x, top), (x, bottom), color=color, width=0.7)


def _axes(canvas: Canvas, frame: _Frame, kept: Sequence[int]) -> float:
    """The axes with what fits of their ticks; gives the lowest line."""
    figure = frame.figure
    canvas.line((frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom), color=INK)
    highest = 100 * figure.top
    ticks = [tick for tick in linear_ticks(0, highest, about=5) if tick <= highest * (1 + 1e-9)]
    texts = tick_texts(ticks, figure.style)
    for tick, text in zip(ticks, texts, strict=True):
        y = frame.y(tick / 100)
        canvas.line((frame.left - 3.5, y), (frame.left, y))
        canvas.text(frame.left - 6, y + SIZE * 0.35, text, size=SIZE, anchor="end")
    for k in kept:
        x = frame.x(figure.ticks[k])
        canvas.line((x, frame.bottom), (x, frame.bottom + 3.5))
        canvas.text(x, frame.bottom + 13, figure.tick_labels[k], size=SIZE, anchor="middle")
    middle, y = (frame.left + frame.right) / 2, frame.bottom + 13
    for line in fitted(figure.x_label, frame.width, lines=2):
        y += LINE_HEIGHT + 2
        canvas.text(middle, y, line, size=SIZE, anchor="middle")
    across = frame.left - 6 - widest(texts) - 7
    (upright,) = fitted(figure.y_label, frame.height)
    canvas.text(across, frame.top + frame.height / 2, upright, size=SIZE, anchor="middle", upright=False)
    return y


def _label_curves(canvas: Canvas, frame: _Frame) -> float:
    """Write each group's name where its curve ends, apart from the others; gives the lowest line."""
    curves = frame.figure.curves
    sample = _samples(frame.figure)
    left = frame.figure.width - MARGIN - _labels_width(frame.figure)
    most = max(1, min(4, int(PLOT_HEIGHT / (LINE_HEIGHT * max(1, len(curves))))))
    wanted = []
    for index, curve in enumerate(curves):
        end_x, end_y = _steps(frame, curve, curve.values)[-1]
        wanted.append((end_y, index, end_x, fitted(curve.label, LABEL_WIDTH - sample, lines=most, bold=True)))
    wanted.sort(key=lambda entry: (entry[0], entry[1]))
    heights = [LINE_HEIGHT * len(lines) + 1.5 for *_, lines in wanted]
    tops = _spread([end - height / 2 for (end, *_), height in zip(wanted, heights, strict=True)], heights, frame)
    lowest = 0.0
    for top, height, (end_y, index, end_x, lines) in zip(tops, heights, wanted, strict=True):
        color, dash = look(index)
        if any(lines):
            canvas.line((end_x + 1, end_y), (left - 3, top + height / 2), color=color, width=0.4, dash=(1.2, 1.8))
            if sample:
                canvas.line(
                    (left, top + height / 2), (left + SAMPLE, top + height / 2), color=color, width=1.5, dash=dash
                )
        for k, line in enumerate(lines):
            lowest = top + LINE_HEIGHT * (k + 0.78)
            canvas.text(left + sample, lowest, line, size=SIZE, bold=True, color=color)
    return lowest


def _spread(tops: list[float], heights: list[float], frame: _Frame) -> list[float]:
    """Tops moved down, then up from the foot of the plot, until no two labels overlap."""
    placed: list[float] = []
    for top, height in zip(tops, heights, strict=True):
        least = placed[-1] + heights[len(placed) - 1] if placed else frame.top - height / 2
        placed.append(max(top, least))
    floor = frame.bottom + heights[-1] / 2 if heights else 0.0
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = min(placed[k], floor - heights[k])
        floor = placed[k]
    shift = max(0.0, frame.top - 8 - placed[0]) if placed else 0.0
    return [top + shift for top in placed]


def _risk_table(canvas: Canvas, frame: _Frame, kept: Sequence[int], y: float) -> float:
    """Counts under their ticks, rows grouped by arm; gives the height of the figure."""
    figure = frame.figure
    grouped, side = _grouped(figure), _side(figure)
    if not grouped:
        canvas.text(MARGIN, y, "Numbers at risk", size=SIZE, bold=True)
        y += LINE_HEIGHT
    for index, row in enumerate(figure.at_risk):
        color = look(index)[0]
        y += 3 if grouped and index else 0
        names = fitted(row.label, frame.right - MARGIN if grouped else side, lines=3, bold=True)
        for k, line in enumerate(names):
            canvas.text(MARGIN, y + k * LINE_HEIGHT, line, size=SIZE, bold=True, color=color)
        y += len(names) * LINE_HEIGHT if grouped else 0
        for words, counts in [("At risk" if grouped else "", row.at_risk), *row.further]:
            canvas.text(MARGIN, y, words, size=SIZE, color=color)
            for k in kept:
                canvas.text(frame.x(figure.ticks[k]), y, counts[k], size=SIZE, anchor="middle")
            y += LINE_HEIGHT
        y += 0 if grouped else (len(names) - 1) * LINE_HEIGHT
    return y - LINE_HEIGHT + 8


def _describe(figure: CurveFigure) -> str:
    """What each curve reaches, and how many were at risk at the start."""
    parts = []
    for k, curve in enumerate(figure.curves):
        words = named(curve.label)
        if k < len(figure.at_risk) and figure.at_risk[k].at_risk and figure.ticks:
            words += f", {figure.at_risk[k].at_risk[0]} at risk at {figure.tick_labels[0]}"
        known = [(time, value) for time, value in _known(curve) if not figure.ticks or time <= figure.ticks[-1]]
        if known and figure.ticks:
            reach = min(figure.ticks[-1], curve.reaches if curve.reaches is not None else known[-1][0])
            parts.append(
                f"{words}: {number(100 * known[-1][1], 1, figure.style)}% at {number(reach, _digits(reach), figure.style)}"
            )
        else:
            parts.append(f"{words}: no event")
    head = f"{figure.y_label} by {figure.x_label[:1].lower()}{figure.x_label[1:]}."
    return told(f"{head} {figure.note}.".replace("..", ".") if figure.note else head, parts)


def _digits(value: float) -> int:
    return len(f"{value:.6g}".partition(".")[2]) if value < 1e6 else 0
