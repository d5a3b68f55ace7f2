"""Numbers as placeholders: "xx", "xx.x (xx.x)", "x.xx (x.xx to x.xx)", in the signs of the journal's style."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from counterpulse.report import numbers
from counterpulse.report.before_data.skeleton import P_VALUE, UNIT
from counterpulse.report.document import Cell, Footnote, Row, Table
from counterpulse.report.figures.scene import INK, Path, Scene, Shape, Text
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import NumberStyle
from counterpulse.results import Status

NOT_ESTIMABLE = "Not estimable"
COUNT = "xx"
WHITE = "#ffffff"
MOST_CORNERS = 12
FIXED = ("Perfect",)
"""Heads of columns whose numbers are known before the data."""
BETWEEN = r"[,'\u2009\u202f\u00a0]"
"""What stands between the thousands of a count."""
SIGNED = r"[-\N{MINUS SIGN}]?"
A_COUNT = re.compile(rf"(?<![\w.·,])\d{{1,3}}(?:{BETWEEN}?\d{{3}})+(?!\w)")
GROUPED = re.compile(rf"(?<![\w.·,])\d{{1,3}}(?:{BETWEEN}\d{{3}})+(?!\w)")
A_PLANNED_PERCENTAGE = r"(?!% (?:CI|control|limits|confidence))"
A_DECIMAL = re.compile(rf"(?<![\w.·]){SIGNED}(\d*)([.·])(\d+)(?![\w·]){A_PLANNED_PERCENTAGE}")
A_WHOLE = re.compile(rf"(?<![\w.·]){SIGNED}\d+(?![\w·])")
WORDS_OF_NUMBERS = re.compile(r"\b(?:to|NA)\b")
STATUSES = frozenset(status.text for status in Status if status.text)


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The placeholders of a number style."""

    style: NumberStyle

    @property
    def p(self) -> str:
        """A P value."""
        return f"{'x' if self.style.p.leading_zero else ''}{self.style.decimal_mark}xxx"

    def effect(self, measure: str) -> str:
        """An estimate with its interval."""
        known = measure_of(measure)
        places = known.places if known.kind in ("ratio", "points", "probability", "index") else 1
        value, low, high = (1.1, 0.7, 1.7) if known.kind == "ratio" else (11.1, 10.7, 11.7)
        return self.of(numbers.estimate(value, low, high, self.style, places=places, null=known.null))

    def of(self, words: str) -> str:
        """A cell of numbers with every number as a placeholder."""
        masked = A_DECIMAL.sub(_decimal, GROUPED.sub(COUNT, words))
        return A_WHOLE.sub(COUNT, masked)

    def among_words(self, words: str) -> str:
        """A text in which only numbers of the skeleton and decimal numbers are replaced: a planned "30 days" stays."""
        masked = A_COUNT.sub(_unit, words).replace(numbers.p_value(P_VALUE, self.style), self.p)
        return A_DECIMAL.sub(_decimal, masked)


def _unit(found: re.Match[str]) -> str:
    digits = int(re.sub(r"\D", "", found[0]))
    return COUNT if digits % UNIT == 0 else found[0]


def _unit_in(words: str) -> bool:
    return A_COUNT.sub(_unit, words) != words


def _decimal(found: re.Match[str]) -> str:
    whole, mark, places = found.groups()
    before = "" if not whole else "x" if len(places) > 1 and len(whole) < 2 else "xx"
    return f"{before}{mark}{'x' * len(places)}"


def numeric(words: str) -> bool:
    """Whether a text is numbers and the signs between them, nothing else."""
    return any(c.isdigit() for c in words) and not any(c.isalpha() for c in WORDS_OF_NUMBERS.sub("", words))


def empty_table(table: Table, measures: Mapping[str, str], holders: Placeholders) -> Table:
    """A table with placeholders for its numbers; `measures` are those of the estimates, by id."""
    columns = tuple(replace(column, head=_head(column.head)) for column in table.columns)
    rows = tuple(_row(row, [column.head.text for column in table.columns], measures, holders) for row in table.rows)
    notes = tuple(
        Footnote(note.mark, holders.among_words(note.text)) for note in table.footnotes if note.text not in STATUSES
    )
    return replace(table, columns=columns, rows=rows, footnotes=notes)


def _head(cell: Cell) -> Cell:
    return replace(cell, text=A_COUNT.sub(_unit, cell.text))


def _row(row: Row, heads: Sequence[str], measures: Mapping[str, str], holders: Placeholders) -> Row:
    """The first cell is the head of the row: its numbers are levels and limits."""
    first, *others = row.cells
    cells = [_cell(cell, head, measures, holders) for cell, head in zip(others, heads[1:], strict=False)]
    return replace(row, cells=(_head(first), *cells))


def _cell(cell: Cell, head: str, measures: Mapping[str, str], holders: Placeholders) -> Cell:
    text = cell.text
    if head in FIXED or "reference" in text.casefold():
        return Cell(text)
    if text == NOT_ESTIMABLE:
        return Cell(holders.effect(measures.get(cell.result or "", "odds ratio")))
    if numeric(text):
        is_p = head.startswith("P ") or (cell.result or "").endswith((".p", ".p-adjusted"))
        return Cell(holders.p if is_p else holders.of(text), notes=cell.notes)
    return Cell(holders.among_words(text), notes=cell.notes)


def empty_scene(scene: Scene, holders: Placeholders, *, axes: bool) -> Scene:
    """A figure without its data: no colored mark, no point; with `axes` the numbers of its axes stay."""
    shapes = tuple(
        shape for shape in map(lambda shape: _shape(shape, holders, axes), scene.shapes) if shape is not None
    )
    return replace(scene, shapes=shapes, description=f"Empty: {holders.among_words(scene.title)}")


def _shape(shape: Shape, holders: Placeholders, axes: bool) -> Shape | None:
    if isinstance(shape, Path):
        return None if _is_data(shape) else shape
    if shape.text == NOT_ESTIMABLE:
        return replace(shape, text=holders.effect("odds ratio"))
    if numeric(shape.text):
        return _number(shape, holders, axes)
    return replace(shape, text=holders.among_words(shape.text))


def _number(shape: Text, holders: Placeholders, axes: bool) -> Text | None:
    text = shape.text
    if "(" in text or _unit_in(text):
        return replace(shape, text=holders.of(text))
    if text == numbers.p_value(P_VALUE, holders.style):
        return replace(shape, text=holders.p)
    return shape if axes else None


def _is_data(path: Path) -> bool:
    """Whether a shape shows data: axes and frames are ink on white, lines that help reading are gray and dashed."""
    if path.stroke is not None and ((path.stroke != INK and not path.dash) or _hue(path.stroke)):
        return True
    return len(path.points) > MOST_CORNERS or path.fill not in (None, INK, WHITE)


def _hue(color: str) -> bool:
    """Whether a color is none of the grays."""
    return len({color[k : k + 2] for k in (1, 3, 5)}) > 1
