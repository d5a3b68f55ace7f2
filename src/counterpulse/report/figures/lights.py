"""Judgments of bias as lights: a color, a gray of its own darkness and a sign, so that print without color still tells them apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from counterpulse.report.figures.lettering import LINE_HEIGHT, SIZE, fitted, widest
from counterpulse.report.figures.scene import FAINT, INK, Canvas

RADIUS = 4.6
STEP = 12.0
"""From one light to the next."""
SIGN_SIZE = 8.0
WHITE = "#ffffff"


@dataclass(frozen=True, slots=True)
class Light:
    """How a level looks: its words, the sign in the light, its color and that of the sign."""

    words: str
    sign: str
    color: str
    ink: str = INK


LIGHTS: Mapping[str, Light] = {
    "low": Light("Low", "+", "#a5d9c8"),
    "some": Light("Some concerns or moderate", "\N{MINUS SIGN}", "#e2a13a"),
    "high": Light("High or serious", "\N{MULTIPLICATION SIGN}", "#b84300", WHITE),
    "critical": Light("Critical", "!", "#54123f", WHITE),
    "unclear": Light("Unclear or no information", "?", WHITE),
    "none": Light("Not judged", "\N{MIDDLE DOT}", WHITE),
}
"""By level, in the order of a legend; the darker, the worse."""


def draw_light(canvas: Canvas, level: str, x: float, y: float, *, edge: str | None = None) -> None:
    """Draw a light around a point; a level that is not known has none. A white one has an edge, another where it is asked for."""
    light = LIGHTS.get(level)
    if light is None:
        return
    own = FAINT if light.color == WHITE else light.color
    canvas.dot(x, y, RADIUS, fill=light.color, edge=edge or own)
    canvas.text(x, y + SIGN_SIZE * 0.345, light.sign, size=SIGN_SIZE, anchor="middle", bold=True, color=light.ink)


def levels_in_order(levels: Collection[str]) -> list[str]:
    """The levels that occur, in the order of the legend."""
    return [level for level in LIGHTS if level in levels]


def draw_levels(canvas: Canvas, levels: Collection[str], *, left: float, right: float, top: float) -> float:
    """A legend of levels, as many on a line as fit; gives where what follows begins."""
    shown = levels_in_order(levels)
    x, y = left, top + RADIUS + 1
    for level in shown:
        words = LIGHTS[level].words
        wide = 2 * RADIUS + 5 + widest([words]) + 14
        if x > left and x + wide - 14 > right:
            x, y = left, y + STEP + 1
        draw_light(canvas, level, x + RADIUS, y)
        canvas.text(x + 2 * RADIUS + 5, y + SIZE * 0.35, words)
        x += wide
    return y + RADIUS + 3 if shown else top


def draw_columns(canvas: Canvas, columns: Sequence[tuple[str, str]], *, left: float, right: float, top: float) -> float:
    """What the letters over the lights stand for, running on like a sentence; gives where what follows begins."""
    if not columns:
        return top
    y = top
    for line in fitted("; ".join(f"{letter}: {words}" for letter, words in columns), right - left, lines=8):
        canvas.text(left, y + SIZE, line)
        y += LINE_HEIGHT
    return y + 2
