"""How wide the columns of a table are, at which size, on a page upright or on its side: measured, not guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

from counterpulse.report.document import Cell, Column, Table
from counterpulse.report.figures.typeface import SPACES, text_width
from counterpulse.report.fonts.clusters import unbroken
from counterpulse.report.render.shared_line import shared_line

UPRIGHT, SIDEWAYS = 481.8, 728.4
"""The widths between the margins of A4, in points."""
GAP = 9.6
"""Space between two columns, and what rounding may take."""
INDENT = 9.0
NOTE = 0.7
KEPT = 120.0
"""A column of numbers up to this width is not broken."""
SQUEEZED = 66.0
"""A column of words narrower than this is hard to read: the type is made smaller, or the page turned."""
LONGEST = 150.0
"""A word wider than this is broken."""
TRIES = (
    (8.5, False), (8.0, False), (7.5, False), (8.5, True), (8.0, True), (7.5, True), (7.0, True), (6.5, True), (6.0, True), (5.5, True), (5.0, True),
)  # fmt: skip
"""Sizes of type, upright or on the side, in the order in which they are tried."""
HEAD_LINES = (3, 2)
"""About how many lines a head takes where room is scarce, and where it is not."""
POWERS = (0.0, 0.25, 0.5)
"""Ways to share a line that is too short, of which the one that makes the table least tall is taken."""
ROOMY = 1.45
"""The most by which a table is stretched to fill the line."""
LINE_PITCH, PADDING = 1.18, 0.4
"""The height of a line, and what a row adds, as shares of the size."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Widths in points, size in points, and whether the page is turned."""

    widths: tuple[float, ...]
    size: float
    sideways: bool


@dataclass(frozen=True, slots=True)
class Need:
    """What a column needs: the width of its widest word, and of its longest line."""

    least: float
    natural: float


def fit(table: Table) -> Fit:
    """Find the first size at which every column has room; when none has, the smallest, with words broken."""
    unit = [_need(table, place, column) for place, column in enumerate(table.columns)]
    for size, sideways in TRIES:
        room = SIDEWAYS if sideways else UPRIGHT
        needs = [_scaled(need, size) for need in unit]
        ways = [Fit(widths, size, sideways) for widths in _shared(needs, room) if _readable(needs, widths)]
        if ways:
            return min(ways, key=lambda way: sum(heights(table, way))) if len(ways) > 1 else ways[0]
    size, sideways = TRIES[-1]
    needs = [_scaled(need, size) for need in unit]
    widths = next(iter(_shared(needs, SIDEWAYS)), None) or _squeezed(needs, SIDEWAYS)
    return Fit(widths, size, sideways)


def _need(table: Table, place: int, column: Column) -> Need:
    """The need of a column in type of one point."""
    cells = list(_cells(table, place))
    words = max((_width(word) for item in cells for word in _words(item.text)), default=0.0)
    lines = max((_line(item, bold) for item, bold, _ in _rows(table, place)), default=0.0)
    indent = max((indent for _, _, indent in _rows(table, place)), default=0) * INDENT / 8.5 if place == 0 else 0.0
    word = max((_width(word, bold=True) for word in _words(column.head.text)), default=0.0)
    line, given = _line(column.head, True), 1 + column.head.text.count("\n")
    low, high = (min(max(word, line / max(count / given, 1.0)), LONGEST / 8.5) for count in HEAD_LINES)
    flexible = column.align == "left" or max(lines + indent, low) > KEPT / 8.5
    least = min(words, LONGEST / 8.5) if flexible else lines
    return Need(max(least + indent, low), max(lines + indent, high))


def _rows(table: Table, place: int) -> Iterator[tuple[Cell, bool, int]]:
    """The cells of a column, those of rows that group others left out."""
    for row in table.rows:
        if len(row.cells) > place and (len(row.cells) > 1 or len(table.columns) == 1):
            yield row.cells[place], row.strong, row.indent


def _cells(table: Table, place: int) -> Iterator[Cell]:
    return (item for item, _, _ in _rows(table, place))


def _words(text: str) -> list[str]:
    return [piece for word in SPACES.split(text) for piece in unbroken(word)]


def _width(text: str, *, bold: bool = False) -> float:
    return text_width(text, 1.0, bold=bold)


def _line(item: Cell, bold: bool) -> float:
    return max(_width(line, bold=bold) for line in item.text.split("\n")) + NOTE * len(",".join(item.notes)) * 0.6


def _scaled(need: Need, size: float) -> Need:
    return Need(need.least * size + GAP, need.natural * size + GAP)


def _shared(needs: Sequence[Need], room: float) -> list[tuple[float, ...]]:
    """The ways to share a line: each column its longest line when all have room, else those that need much give way."""
    natural = sum(need.natural for need in needs)
    if natural <= room:
        stretch = min(room / natural, ROOMY) if natural else 1.0
        return [tuple(need.natural * stretch for need in needs)]
    if sum(need.least for need in needs) > room:
        return []
    return [tuple(shared_line(partial(_at, needs, power), room)) for power in POWERS]


def _at(needs: Sequence[Need], power: float, level: float) -> list[float]:
    """The widths of columns at a level: the same for all, or with a power of what a column needs more for longer lines."""
    return [min(need.natural, max(need.least, level * need.natural**power)) for need in needs]


def _squeezed(needs: Sequence[Need], room: float) -> tuple[float, ...]:
    total = sum(need.least for need in needs)
    return tuple(need.least * room / total for need in needs)


def _readable(needs: Sequence[Need], widths: Sequence[float]) -> bool:
    """Whether no column of words is squeezed."""
    return all(width >= min(need.natural, SQUEEZED) - 0.1 for need, width in zip(needs, widths, strict=True))


def heights(table: Table, fit: Fit) -> tuple[float, ...]:
    """About how tall the heads and each row are, in points."""
    heads = _height([column.head for column in table.columns], fit, bold=True) * (2 if table.spanners else 1)
    return (heads, *(_height(row.cells, fit, bold=row.strong) for row in table.rows))


def _height(cells: Sequence[Cell], fit: Fit, *, bold: bool) -> float:
    lines = max(
        (_lines(item, width - GAP, fit.size, bold) for item, width in zip(cells, fit.widths, strict=False)), default=1
    )
    return fit.size * (LINE_PITCH * lines + PADDING)


def _lines(item: Cell, width: float, size: float, bold: bool) -> int:
    return sum(max(ceil(text_width(line, size, bold=bold) / max(width, size)), 1) for line in item.text.split("\n"))
