"""Mirrored histograms: one group above the axis, the one it is compared with below, a panel for each sample.

The axis runs over the bins in which somebody lies.

The upper bars are full, the lower ones light with an edge, so that they are told apart in gray. Further groups above the axis
are outlines of different dashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose

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
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import number

MARGIN = 4.0
HALF_HEIGHT = 62.0
GAP = 20.0
LEAST_PANEL = 190.0
SWATCH = 9.0
UPPER, LOWER = 0.78, 0.28


@dataclass(frozen=True, slots=True)
class Share:
    """A bin from `low` to `high` with its share of the group; None where it is not shown."""

    low: float
    high: float
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredPanel:
    """A sample: its label and the bins of each group by the group's label."""

    label: str
    groups: Mapping[str, Sequence[Share]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """What is drawn: `above` are the groups over the axis, `below` the one under it. All panels have the same axes."""

    title: str
    above: Sequence[str]
    below: str
    panels: Sequence[MirroredPanel]
    x_label: str
    y_label: str
    width: float = TWO_COLUMNS
    style: NumberStyle = PLAIN


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a panel stands: its axis of no share, and the scales of both axes."""

    left: float
    middle: float
    width: float
    ends: tuple[float, float]
    y_ticks: Sequence[float]
    bin: float

    def x(self, value: float) -> float:
        low, high = self.ends
        return self.left + self.width * (value - low) / (high - low)

    def height(self, item: Share) -> float:
        """The height of a bar whose area is its share."""
        return HALF_HEIGHT * _tall(item, self.bin) / self.y_ticks[-1]


def draw_mirrored(figure: Mirrored) -> Scene:
    """Draw the panels side by side where the page is wide enough, else one under another."""
    canvas = Canvas()
    every = [item for panel in figure.panels for items in panel.groups.values() for item in items]
    width = min((item.high - item.low for item in every), default=1.0)
    bins = [item for item in every if item.share] or every
    ends = min((item.low for item in bins), default=0.0), max((item.high for item in bins), default=1.0)
    y_ticks = linear_ticks(0.0, max((_tall(item, width) for item in bins), default=0.0) or 1.0, about=3)
    texts = tick_texts(y_ticks, figure.style)
    left = MARGIN + 14 + widest(texts) + 6
    across = max(1, min(len(figure.panels), int((figure.width - left + GAP) / (LEAST_PANEL + GAP))))
    edge = max(8.0, widest(tick_texts(_x_ticks(ends), figure.style)) / 2 + 2)
    room = (figure.width - left - edge - GAP * (across - 1)) / across
    top = _legend(canvas, figure)
    for first in range(0, len(figure.panels), across):
        row = figure.panels[first : first + across]
        middle = top + LINE_HEIGHT + 6 + HALF_HEIGHT
        for k, panel in enumerate(row):
            place = _Place(left + k * (room + GAP), middle, room, ends, y_ticks, width)
            (head,) = fitted(panel.label, room, bold=True)
            canvas.text(place.left, top + SIZE, head, bold=True)
            _bars(canvas, place, figure, panel)
            _axes(canvas, figure, place, texts if k == 0 else ())
        (words,) = fitted(figure.y_label, 2 * HALF_HEIGHT)
        canvas.text(MARGIN + 7, middle, words, anchor="middle", upright=False)
        top = middle + HALF_HEIGHT + 20
    for words in fitted(figure.x_label, figure.width - left, lines=3):
        canvas.text((left + figure.width - edge) / 2, top + 5, words, anchor="middle")
        top += LINE_HEIGHT
    return Scene(
        width=figure.width,
        height=top + 4,
        title=figure.title,
        description=_describe(figure),
        shapes=tuple(canvas.shapes),
    )


def _tall(item: Share, width: float) -> float:
    """The share, in percent, for each common width."""
    if item.share is None or item.high <= item.low:
        return 0.0
    return 100 * item.share * width / (item.high - item.low)


def _legend(canvas: Canvas, figure: Mirrored) -> float:
    """Each group with its look; gives where the panels begin."""
    x, y = MARGIN, 11.0
    for k, label in enumerate((*figure.above, figure.below)):
        below = k == len(figure.above)
        words = f"{label} ({'below' if below else 'above'} the axis)"
        (words,) = fitted(words, figure.width - 2 * MARGIN - SWATCH - 5)
        wide = widest([words]) + SWATCH + 18
        if x > MARGIN and x + wide - 13 > figure.width - MARGIN:
            x, y = MARGIN, y + LINE_HEIGHT + 2
        corners = (x, y - 7), (x + SWATCH, y - 7), (x + SWATCH, y), (x, y), (x, y - 7)
        _shape(canvas, corners, 0 if k == 0 else 1 if below else k + 1, filled=k == 0 or below)
        canvas.text(x + SWATCH + 5, y, words)
        x += wide
    return y + 10


def _shape(canvas: Canvas, corners: Sequence[tuple[float, float]], k: int, *, filled: bool) -> None:
    """A bar of the first group, of the one below (1), or the outline of a further one."""
    color, dash = look(k)
    if filled:
        canvas.area(*corners, fill=color, opacity=LOWER if k else UPPER)
    canvas.line(*corners, color=color, width=0.6 if filled else 1.3, dash=() if filled else dash)


def _bars(canvas: Canvas, place: _Place, figure: Mirrored, panel: MirroredPanel) -> None:
    for k, label in enumerate((*figure.above, figure.below)):
        below = k == len(figure.above)
        items = panel.groups.get(label, ())
        if not any(item.share for item in items):
            continue
        if below or k == 0:
            for item in items:
                _bar(canvas, place, item, -1 if below else 1)
        else:
            points = [
                (place.x(edge), place.middle - place.height(item))
                for item in items
                for edge in (item.low, item.high)
                if place.ends[0] - 1e-9 <= edge <= place.ends[1] + 1e-9
            ]
            _shape(canvas, points, k + 1, filled=False)


def _bar(canvas: Canvas, place: _Place, item: Share, up: int) -> None:
    height = place.height(item) * up
    if height:
        low, high = place.x(item.low), place.x(item.high)
        corners = (low, place.middle), (low, place.middle - height), (high, place.middle - height), (high, place.middle)
        _shape(canvas, corners, 0 if up > 0 else 1, filled=True)


def _axes(canvas: Canvas, figure: Mirrored, place: _Place, texts: Sequence[str]) -> None:
    """The axis of the shares on both sides of no share, and that of the score at the foot."""
    top, bottom = place.middle - HALF_HEIGHT, place.middle + HALF_HEIGHT
    canvas.line((place.left, top), (place.left, bottom), (place.left + place.width, bottom))
    canvas.line((place.left, place.middle), (place.left + place.width, place.middle), color=INK, width=0.6)
    for k, tick in enumerate(place.y_ticks):
        for sign in (1, -1) if tick else (1,):
            y = place.middle - sign * HALF_HEIGHT * tick / place.y_ticks[-1]
            canvas.line((place.left - 3, y), (place.left, y))
            if texts:
                canvas.text(place.left - 5, y + SIZE * 0.35, texts[k], anchor="end")
    ticks = [
        tick for tick in linear_ticks(*place.ends, about=5) if place.ends[0] - 1e-9 <= tick <= place.ends[1] + 1e-9
    ]
    shown = tick_texts(ticks, figure.style)
    for tick in ticks:
        canvas.line((place.x(tick), bottom), (place.x(tick), bottom + 3))
    for k in apart([place.x(tick) for tick in ticks], [widest([text]) for text in shown], gap=4.0):
        canvas.text(place.x(ticks[k]), bottom + 12, shown[k], anchor="middle")


def _x_ticks(ends: tuple[float, float]) -> list[float]:
    """Round ticks between the ends."""
    return [tick for tick in linear_ticks(*ends, about=5) if ends[0] - 1e-9 <= tick <= ends[1] + 1e-9]


def _describe(figure: Mirrored) -> str:
    """Between which scores the middle half of each group lies, sample by sample."""
    parts = []
    for panel in figure.panels:
        for label, items in panel.groups.items():
            ends = _middle_half(items)
            if ends is not None:
                low, high = (number(end, 2, figure.style) for end in ends)
                parts.append(f"{named(panel.label)}, {named(label)}: half of the group lies between {low} and {high}")
    return told(f"Mirrored histograms of {figure.x_label}.", parts)


def _middle_half(items: Sequence[Share]) -> tuple[float, float] | None:
    """The edges of the bins in which the first and the third quarter of a group end."""
    known = [item for item in items if item.share is not None]
    total = sum(item.share or 0.0 for item in known)
    if not total or isclose(total, 0.0):
        return None
    found: list[float] = []
    below = 0.0
    for item in known:
        below += (item.share or 0.0) / total
        if len(found) == 0 and below > 0.25:
            found.append(item.low)
        if len(found) == 1 and below >= 0.75 - 1e-9:
            found.append(item.high)
    return (found[0], found[1]) if len(found) == 2 else None
