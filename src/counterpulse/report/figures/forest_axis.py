"""The axis of a forest plot: its range, its ticks, and intervals drawn on it, cut with an arrowhead where they leave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Protocol

from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.scene import INK, Canvas

FARTHEST = log(32)
"""How far the axis of a ratio may reach from 1 for the sake of an estimate."""
STRETCH = log(6)
"""How far it may reach beyond an estimate for the sake of its interval."""
HEAD = 5.0


class Measured(Protocol):
    """What has an estimate with limits, each None where there is none."""

    @property
    def estimate(self) -> float | None: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ForestAxis:
    """An axis between two ends of the page, from its first tick to its last."""

    left: float
    width: float
    ticks: Sequence[float]
    ratio: bool

    @property
    def right(self) -> float:
        """Where the axis ends."""
        return self.left + self.width

    @property
    def null(self) -> float:
        """The value of no difference."""
        return 1.0 if self.ratio else 0.0

    def x(self, value: float) -> float:
        """Where a value stands; one beyond the axis stands at its end."""
        low, high, at = (self._on(v) for v in (self.ticks[0], self.ticks[-1], value))
        return self.left + self.width * min(max((at - low) / (high - low), 0.0), 1.0)

    def shows(self, value: float) -> bool:
        """Whether a value lies on the axis, a rounding error aside."""
        low, high, at = (self._on(v) for v in (self.ticks[0], self.ticks[-1], value))
        slack = 1e-9 * (high - low)
        return low - slack <= at <= high + slack

    def _on(self, value: float) -> float:
        if self.ratio:
            return log(min(max(value, 1e-300), 1e300))
        return min(max(value, -1e300), 1e300)


def forest_ticks(rows: Sequence[Measured], *, ratio: bool) -> tuple[float, ...]:
    """Ticks that show the null, every estimate, and intervals as far as a reader still compares them."""
    drawn = [row for row in rows if row.estimate is not None and isfinite(row.estimate)]
    if ratio:
        return log_ticks(*_ratio_range(drawn))
    known = [end for row in drawn for end in (row.estimate, row.low, row.high) if end is not None and isfinite(end)]
    estimates = [row.estimate for row in drawn if row.estimate is not None]
    if not known:
        return (-1.0, -0.5, 0.0, 0.5, 1.0)
    reach = 3 * max([abs(value) for value in estimates if value] or [max(map(abs, known)) or 1.0])
    low, high = (
        max(min([*known, 0.0]), min([*estimates, 0.0]) - reach),
        min(max([*known, 0.0]), max([*estimates, 0.0]) + reach),
    )
    return linear_ticks(low, high, about=5)


def _ratio_range(drawn: Sequence[Measured]) -> tuple[float, float]:
    logs = [min(max(log(max(row.estimate or 0.0, 1e-300)), -FARTHEST), FARTHEST) for row in drawn]
    ends = [
        min(max(log(end), value - STRETCH, -FARTHEST), value + STRETCH, FARTHEST)
        for row, value in zip(drawn, logs, strict=True)
        for end in (row.low, row.high)
        if end is not None and end > 0 and isfinite(end)
    ]
    return exp(min([*logs, *ends, log(0.75)])), exp(max([*logs, *ends, log(1.33)]))


def draw_interval(canvas: Canvas, axis: ForestAxis, row: Measured, y: float, *, width: float = 0.9) -> None:
    """Draw the line of an interval; an end beyond the axis, or unknown, is an arrowhead at the axis' end."""
    if row.low is None and row.high is None:
        return
    low = axis.x(axis.ticks[0] if row.low is None else row.low)
    high = axis.x(axis.ticks[-1] if row.high is None else row.high)
    canvas.line((low, y), (high, y), width=width)
    draw_arrows(canvas, axis, row, y)


def draw_arrows(canvas: Canvas, axis: ForestAxis, row: Measured, y: float) -> None:
    """Draw the arrowheads of an interval that leaves the axis."""
    for end, sign in ((row.low, -1), (row.high, 1)):
        if end is None or not axis.shows(end):
            tip = axis.x(end if end is not None else sign * float("inf")) + 3 * sign
            canvas.area((tip, y), (tip - HEAD * sign, y - 2.6), (tip - HEAD * sign, y + 2.6), fill=INK)
