"""Words that must fit: cut where they do not, ticks left out where they would touch, descriptions kept short."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.figures.typeface import LINE, text_width, wrap
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.report.numbers import number

SIZE = 8.5
"""The size of text in every figure, in points of the printed page."""
LINE_HEIGHT = SIZE * LINE
"""From one line to the next."""
ONE_COLUMN, TWO_COLUMNS = 84 / 25.4 * 72, 174 / 25.4 * 72
"""The widths of print, in points."""
TALLEST = 226 / 25.4 * 72
"""How tall a figure may be, in points, so that a page of 240 mm holds its caption too."""
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
LONGEST_DESCRIPTION = 1500
LONGEST_NAME = 80


def column_width(name: str) -> float:
    """The printed width of "one-column" or "two-column"."""
    return ONE_COLUMN if name == "one-column" else TWO_COLUMNS


def fitted(words: str, width: float, size: float = SIZE, *, lines: int = 1, bold: bool = False) -> tuple[str, ...]:
    """Words on so many lines at most, the last one cut with an ellipsis where they need more."""
    found = wrap(words, width, size, bold=bold)
    if len(found) <= lines:
        return found
    last = found[lines - 1]
    while last and text_width(last + ELLIPSIS, size, bold=bold) > width:
        last = last[:-1]
    return (*found[: lines - 1], last.rstrip() + ELLIPSIS)


def widest(texts: Sequence[str], size: float = SIZE, *, bold: bool = False) -> float:
    """The width of the widest text, 0 of none."""
    return max((text_width(text, size, bold=bold) for text in texts), default=0.0)


def apart(places: Sequence[float], widths: Sequence[float], *, gap: float = 5.0) -> list[int]:
    """The positions whose centered texts do not touch one another; earlier ones come first, as on an axis."""
    kept: list[int] = []
    for k, (place, width) in enumerate(zip(places, widths, strict=True)):
        if not kept or place - width / 2 >= places[kept[-1]] + widths[kept[-1]] / 2 + gap:
            kept.append(k)
    return kept


def tick_texts(ticks: Sequence[float], style: NumberStyle = PLAIN, *, log: bool = False) -> tuple[str, ...]:
    """Ticks as printed: those of a linear axis with the same decimal places, those of a logarithmic one with their own."""
    needed = [_places(tick) for tick in ticks]
    most = max(needed, default=0)
    return tuple(number(tick, own if log else most, style) for tick, own in zip(ticks, needed, strict=True))


def _places(tick: float) -> int:
    digits = f"{tick:.6g}"
    if "e" in digits:
        mantissa, _, power = digits.partition("e")
        return max(0, len(mantissa.partition(".")[2]) - int(power))
    return len(digits.partition(".")[2])


def told(head: str, parts: Sequence[str]) -> str:
    """A description for those who do not see the figure: its head and what fits of its parts, and how many more there are."""
    text = _short(head, LONGEST_DESCRIPTION // 2)
    for k, part in enumerate(parts):
        longer = f"{text}{' ' if not k else '; '}{part}"
        if len(longer) > LONGEST_DESCRIPTION - 40:
            return f"{text}; and {len(parts) - k} more."
        text = longer
    return text if text.endswith(".") or not parts else f"{text}."


def named(label: str) -> str:
    """A label inside a description."""
    return _short(label, LONGEST_NAME)


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}{ELLIPSIS}"
