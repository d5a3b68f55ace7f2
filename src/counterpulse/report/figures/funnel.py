"""A funnel plot: the estimate of each study against its standard error, which falls upward.

Around the pooled estimate stand the limits within which 95 of 100 studies would lie were chance alone at work; shades around
the null show where a study's own P value lies (Peters et al., J Clin Epidemiol 2008;61:991-996,
doi:10.1016/j.jclinepi.2007.11.010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log

from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.lettering import TWO_COLUMNS
from counterpulse.report.figures.scene import Scene
from counterpulse.report.figures.xy import Area, Axis, Line, Plane, Point, draw_plane
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import number

Z_95 = 1.959963984540054
CONTOURS = (
    ("P 0.05 to 0.10", 1.6448536269514722, Z_95, "#cfcfcf"),
    ("P 0.01 to 0.05", Z_95, 2.5758293035489004, "#e2e2e2"),
    ("P < 0.01", 2.5758293035489004, inf, "#f2f2f2"),
)
"""Words, the two multiples of the standard error between which a region lies, and its shade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStudy:
    """A study: its estimate as a reader reads it, the standard error on the scale of estimation, whether it was filled in."""

    label: str
    estimate: float
    std_error: float
    imputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """What is drawn. The estimates of a `ratio` stand on a log axis and their errors are those of logarithms.

    `filled` is the estimate with the studies that were filled in. Without `limits` no lines show where studies would lie by
    chance: they are straight only where errors are of the estimate itself or of its logarithm.
    """

    title: str
    studies: Sequence[FunnelStudy]
    x_label: str
    y_label: str = "Standard error"
    ratio: bool = True
    pooled: float | None = None
    filled: float | None = None
    limits: bool = True
    contours: bool = True
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN


@dataclass(frozen=True, slots=True)
class _Scale:
    """The ends of the axes on the scale of estimation."""

    low: float
    high: float
    deepest: float
    ratio: bool

    def natural(self, value: float) -> float:
        return exp(value) if self.ratio else value

    def reach(self, center: float, multiple: float) -> float:
        """The error at which the line from the center, so many errors away from it, leaves the plot."""
        if not multiple:
            return self.deepest
        edge = self.high if multiple > 0 else self.low
        return min(self.deepest, max((edge - center) / multiple, 0.0)) if isfinite(multiple) else 0.0

    def at(self, center: float, multiple: float, error: float) -> Point:
        value = center + multiple * error if isfinite(multiple) else (self.high if multiple > 0 else self.low)
        return self.natural(min(max(value, self.low), self.high)), error


def draw_funnel(funnel: Funnel) -> Scene | None:
    """Draw the plot; None without a study that can be drawn."""
    studies = [study for study in funnel.studies if _drawable(study, ratio=funnel.ratio)]
    if not studies:
        return None
    values = [log(study.estimate) if funnel.ratio else study.estimate for study in studies]
    pooled = None if funnel.pooled is None or (funnel.ratio and funnel.pooled <= 0) else funnel.pooled
    center = None if pooled is None else log(pooled) if funnel.ratio else pooled
    y_ticks = linear_ticks(0.0, max(study.std_error for study in studies), about=5)
    filled = [] if funnel.filled is None or (funnel.ratio and funnel.filled <= 0) else [funnel.filled]
    shown = [*values, *(log(value) if funnel.ratio else value for value in filled)]
    x_ticks = _x_ticks(funnel, shown, center, y_ticks[-1])
    ends = [log(tick) if funnel.ratio else tick for tick in (x_ticks[0], x_ticks[-1])]
    scale = _Scale(ends[0], ends[1], y_ticks[-1], funnel.ratio)
    plane = Plane(
        title=funnel.title,
        x=Axis(label=funnel.x_label, ticks=x_ticks, log=funnel.ratio),
        y=Axis(label=funnel.y_label, ticks=tuple(reversed(y_ticks))),
        lines=[
            *_marks(studies),
            *(_limits(scale, center, sides=funnel.limits) if center is not None else ()),
            *_filled(filled, scale),
        ],
        areas=_areas(scale) if funnel.contours else (),
        square=False,
        width=funnel.width,
        style=funnel.style,
        description=_describe(funnel, studies, pooled),
        ends=False,
    )
    return draw_plane(plane)


def _drawable(study: FunnelStudy, *, ratio: bool) -> bool:
    known = isfinite(study.estimate) and isfinite(study.std_error) and study.std_error >= 0
    return known and (study.estimate > 0 or not ratio)


def _x_ticks(funnel: Funnel, values: Sequence[float], center: float | None, deepest: float) -> tuple[float, ...]:
    """Ticks for every study, the null, and the limits at the foot as far as the studies reach twice over."""
    shown = [*values, 0.0]
    if center is not None:
        reach = max(abs(value - center) for value in shown)
        half = min(Z_95 * deepest, 2 * reach) if reach else Z_95 * deepest
        shown += [center - half, center + half]
    low, high = min(shown), max(shown)
    if high <= low:
        low, high = low - 1.0, high + 1.0
    return log_ticks(exp(low), exp(high)) if funnel.ratio else linear_ticks(low, high)


def _marks(studies: Sequence[FunnelStudy]) -> list[Line]:
    found = []
    for imputed, label in ((False, "A study"), (True, "Filled in")):
        points = [(study.estimate, study.std_error) for study in studies if study.imputed is imputed]
        if points:
            found.append(Line(label=label, points=points, marks=True, hollow=imputed, ink=True))
    return found


def _limits(scale: _Scale, center: float, *, sides: bool) -> list[Line]:
    """The pooled estimate and the limits around it."""
    pooled = Line(
        label="Pooled estimate",
        points=[(scale.natural(center), 0.0), (scale.natural(center), scale.deepest)],
        rule=True,
    )
    if not sides:
        return [pooled]
    ends = [[(scale.natural(center), 0.0), scale.at(center, z, scale.reach(center, z))] for z in (-Z_95, Z_95)]
    words = ("95% pseudo confidence limits", "")
    return [pooled, *(Line(label=label, points=end, dashed=True) for label, end in zip(words, ends, strict=True))]


def _filled(values: Sequence[float], scale: _Scale) -> list[Line]:
    """The pooled estimate with what was filled in."""
    return [Line(label="Pooled with those filled in", points=[(at, 0.0), (at, scale.deepest)]) for at in values]


def _areas(scale: _Scale) -> list[Area]:
    """The regions of P around the null, on both sides."""
    return [
        Area(label=label, parts=[_region(scale, sign * inner, sign * outer) for sign in (-1, 1)], shade=shade)
        for label, inner, outer, shade in CONTOURS
    ]


def _region(scale: _Scale, inner: float, outer: float) -> list[Point]:
    """The corners of what lies between two lines from the null, cut at the edge of the plot."""
    ends = [scale.reach(0.0, multiple) for multiple in (inner, outer)]
    corners = [(scale.natural(min(max(0.0, scale.low), scale.high)), 0.0), scale.at(0.0, outer, ends[1])]
    if ends[1] < scale.deepest and ends[0] >= scale.deepest:
        corners.append(scale.at(0.0, inf if outer > 0 else -inf, scale.deepest))
    return [*corners, scale.at(0.0, inner, ends[0])]


def _describe(funnel: Funnel, studies: Sequence[FunnelStudy], pooled: float | None) -> str:
    own, filled = (sum(study.imputed is imputed for study in studies) for imputed in (False, True))
    words = f"{own} {'study' if own == 1 else 'studies'}"
    if filled:
        words += f" and {filled} filled in"
    around = ""
    if pooled is not None:
        below = sum(study.estimate < pooled for study in studies if not study.imputed)
        around = f", {below} of them below the pooled estimate of {number(pooled, 2, funnel.style)}"
    if funnel.filled is not None:
        around += f"; with those filled in it is {number(funnel.filled, 2, funnel.style)}"
    largest = max(study.std_error for study in studies)
    return f"{funnel.x_label} against its standard error: {words}{around}. Standard errors reach {number(largest, 2, funnel.style)}."
