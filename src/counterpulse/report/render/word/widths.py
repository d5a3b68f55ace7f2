"""How wide the columns of a table are: measured, never left to the program that opens the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from counterpulse.report.document import Cell, Column, Row, Table
from counterpulse.report.figures.typeface import text_width
from counterpulse.report.render.shared_line import shared_line
from counterpulse.report.render.word.styles import CELL_MARGIN, TABLE_SIZE, TABLE_SIZES

SIDES = 2 * CELL_MARGIN / 20 + 1.5
"""What a cell holds beside its text, in points, and a little for another font."""
LONGEST_WORD = 120.0
"""A word wider than this is broken."""
WIDEST_TEXT, WIDEST_NUMBER = 90.0, 140.0
"""What a column of text or of numbers asks for before its table is turned on its side."""
SMALL = TABLE_SIZES["TableTextSmall"] / TABLE_SIZE
"""Before that, its text is made smaller."""
GAP = 24.0
"""What a column gets at most beyond its text where there is room."""
INDENT = 10.0
"""How far a level of rows is moved in, in points."""
USUAL = 0.9
"""The share of texts whose lines are kept whole before others' are."""
FULL = 0.62
"""A table that takes this share of the page is set over all of it."""
_WORD = re.compile("[^\\s\\-\N{EN DASH}]*[\\-\N{EN DASH}]?")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a column needs, in points.

    `least` breaks no word and no number with its interval, `usual` no line of nine texts in ten or of any number, `most` none; with less than `asked` the page is turned.
    """

    least: float
    usual: float
    most: float
    asked: float

    def scaled(self, factor: float) -> Demand:
        """The same for text of another size."""
        return Demand(self.least * factor, self.usual * factor, self.most * factor, self.asked * factor)


def demands(table: Table) -> list[Demand]:
    """What each column of a table needs at the largest size of text."""
    rows = [row for row in table.rows if len(row.cells) == len(table.columns)]
    found = [_demand(column, number, rows) for number, column in enumerate(table.columns)]
    return _under_spanners(table, found)


def _demand(column: Column, number: int, rows: Sequence[Row]) -> Demand:
    head = _with_notes(column.head)
    cells = [(_with_notes(row.cells[number]), row.strong, INDENT * row.indent if number == 0 else 0.0) for row in rows]
    least = max(_word(head, True), *(_word(text, bold) + indent for text, bold, indent in cells), 0.0)
    lines = sorted(_line(text, bold) + indent for text, bold, indent in cells) or [0.0]
    if column.align != "left" and lines[-1] <= WIDEST_NUMBER:
        least = max(least, lines[-1])
    folded = max(least, *map(_in_two, head.split("\n")))
    most = max(folded, lines[-1], _line(head, True) if "\n" in head else 0.0)
    widest, share = (WIDEST_TEXT, USUAL) if column.align == "left" else (WIDEST_NUMBER, 1.0)
    usual = max(folded, lines[round(share * (len(lines) - 1))])
    asked = max(least, min(max(folded, lines[-1]), widest))
    return Demand(least + SIDES, usual + SIDES, most + SIDES, asked + SIDES)


def _with_notes(cell: Cell) -> str:
    return cell.text + ",".join(cell.notes)


def _under_spanners(table: Table, found: list[Demand]) -> list[Demand]:
    """The same, with room for the longest word of each head over several columns."""
    for spanner in table.spanners:
        covered = range(spanner.first, spanner.last + 1)
        lacking = _word(spanner.text, True) + SIDES - sum(found[number].least for number in covered)
        for number in covered if lacking > 0 else ():
            need, more = found[number], lacking / len(covered)
            least = need.least + more
            found[number] = Demand(least, max(need.usual, least), max(need.most, least), max(need.asked, least))
    return found


def is_wide(needs: Sequence[Demand], page: float) -> bool:
    """Whether columns ask for more than an upright page, also in small type."""
    return sum(need.scaled(SMALL).asked for need in needs) > page


def fitted(needs: Sequence[Demand], page: float) -> tuple[list[float], str]:
    """The widths of columns on a page, and the style of their text: the largest that keeps the lines of numbers whole.

    Short columns keep their lines whole; the widest ones give way first.
    """
    sized = [(style, [need.scaled(size / TABLE_SIZE) for need in needs]) for style, size in TABLE_SIZES.items()]
    fitting = [item for item in sized if sum(need.asked for need in item[1]) <= page]
    style, needs = fitting[0] if fitting else sized[-1]
    least, usual, most = (sum(widths) for widths in zip(*((n.least, n.usual, n.most) for n in needs), strict=True))
    if most <= page:
        return _spread([need.most for need in needs], page), style
    if usual <= page:
        share = (page - usual) / (most - usual)
        return [need.usual + share * (need.most - need.usual) for need in needs], style
    if least < page:
        return shared_line(lambda level: [_at(level, need) for need in needs], page), style
    return [need.least * page / least for need in needs], style


def _at(level: float, need: Demand) -> float:
    """The width of a column at a level of all: longer lines get more, but less than in proportion."""
    return max(need.least, min(need.usual, level * sqrt(need.usual)))


def _spread(widths: list[float], page: float) -> list[float]:
    free = (page - sum(widths)) / len(widths)
    more = free if sum(widths) >= FULL * page else min(free, GAP)
    return [width + more for width in widths]


def _word(text: str, bold: bool) -> float:
    return min(LONGEST_WORD, max(_widths(_WORD.findall(text), bold), default=0.0))


def _in_two(line: str) -> float:
    """The width at which a head takes two lines."""
    words = line.split(" ")
    places = range(1, len(words)) if len(words) > 1 else (1,)
    return min(max(_widths((" ".join(words[:place]), " ".join(words[place:])), bold=True)) for place in places)


def _line(text: str, bold: bool) -> float:
    return max(_widths(text.split("\n"), bold), default=0.0)


def _widths(texts: Iterable[str], bold: bool) -> Iterable[float]:
    return (text_width(text, TABLE_SIZE, bold=bold) for text in texts)
