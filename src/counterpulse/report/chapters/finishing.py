"""The last hand on the blocks before a renderer sets them.

Everywhere the journal's letter for P; in tables marks in the order of reading, the abbreviations, the width, and a sentence for
those who do not see them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from counterpulse.report.abbreviations import used
from counterpulse.report.document import (
    Block,
    Callout,
    Cell,
    Column,
    Definitions,
    Figure,
    Footnote,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    cells_of,
)
from counterpulse.report.figures.typeface import text_width
from counterpulse.report.number_styles import NumberStyle
from counterpulse.report.numbers import footnote_mark, probability

P_WORDS = re.compile(r"\bP(?= values?\b)")
P_BOUND = re.compile(r"\bP (?P<sign>[<>=≤≥]) (?P<value>0\.\d+)(?!\d|\.\d)")
"""A P value that a plan names as a bound: "P < 0.05 to enter"."""
UPRIGHT = 470.0
"""Points of text on an upright page between its margins."""
SIZE, PADDING, INDENT = 7.5, 9.0, 9.0
WIDEST_WORDS, WIDEST_NUMBERS = 90.0, 110.0
"""A table is wide when in small type its columns, their texts broken at such widths, need more than an upright page."""
MOST_HEADS = 6


def finished_sections(sections: Sequence[Section], style: NumberStyle) -> tuple[Section, ...]:
    """Finish the blocks of some sections."""
    return tuple(
        replace(
            section,
            blocks=finished_blocks(section.blocks, style),
            sections=finished_sections(section.sections, style),
        )
        for section in sections
    )


def finished_blocks(blocks: Sequence[Block], style: NumberStyle) -> tuple[Block, ...]:
    """Finish some blocks."""
    return tuple(_finished(block, style) for block in blocks)


def _finished(block: Block, style: NumberStyle) -> Block:
    match block:
        case Callout():
            return replace(block, blocks=finished_blocks(block.blocks, style))
        case Table():
            return finished_table(block, style)
        case Paragraph():
            return _lettered(block, style)
        case Listing():
            return replace(block, items=tuple(_lettered(item, style) for item in block.items))
        case Definitions():
            return Definitions(tuple((term, _lettered(words, style)) for term, words in block.entries))
        case Figure():
            return replace(block, caption=_letter(block.caption, style))


def _letter(words: str, style: NumberStyle) -> str:
    """Words with the journal's letter for P values, and its way of setting a bound of them."""

    def bound(found: re.Match[str]) -> str:
        value = probability(float(found["value"]), style)
        return f"{style.p.letter}{style.p.space}{found['sign']}{style.p.space}{value}"

    return P_BOUND.sub(bound, P_WORDS.sub(style.p.letter, words))


def _lettered(paragraph: Paragraph, style: NumberStyle) -> Paragraph:
    runs = (run if run.emphasis == "code" else replace(run, text=_letter(run.text, style)) for run in paragraph.runs)
    return Paragraph(tuple(runs))


def finished_table(table: Table, style: NumberStyle) -> Table:
    """Finish a table whose marks are any words that tell its footnotes apart."""
    marks = _marks(table, style)
    marked = replace(
        table,
        columns=tuple(replace(column, head=_marked(column.head, marks)) for column in table.columns),
        rows=tuple(replace(row, cells=tuple(_marked(cell, marks) for cell in row.cells)) for row in table.rows),
    )
    notes = _notes(table, marks, style)
    wide = table.wide or _width(marked) > UPRIGHT
    return replace(marked, footnotes=notes, wide=wide, alternative=table.alternative or _alternative(marked))


def _marks(table: Table, style: NumberStyle) -> Mapping[str, str]:
    """The journal's mark of each note, in the order of reading; a note that nothing refers to comes last."""
    met = [mark for cell in cells_of(table) for mark in cell.notes]
    order = dict.fromkeys([*met, *(note.mark for note in table.footnotes if note.mark)])
    return {mark: footnote_mark(k, style) for k, mark in enumerate(order)}


def _marked(cell: Cell, marks: Mapping[str, str]) -> Cell:
    return replace(cell, notes=tuple(marks[mark] for mark in cell.notes)) if cell.notes else cell


def _notes(table: Table, marks: Mapping[str, str], style: NumberStyle) -> tuple[Footnote, ...]:
    whole = [note for note in table.footnotes if not note.mark]
    words = used(words_of(table))
    glossary = [Footnote("", style.glossary.text(words))] if words else []
    order = list(marks)
    single = sorted((note for note in table.footnotes if note.mark), key=lambda note: order.index(note.mark))
    general = [*glossary, *whole] if style.glossary.first else [*whole, *glossary]
    notes = (*general, *(Footnote(marks[note.mark], note.text) for note in single))
    return tuple(Footnote(note.mark, _letter(note.text, style)) for note in notes)


def words_of(table: Table) -> list[str]:
    """Every text of a table besides its own list of abbreviations."""
    cells = [cell.text for cell in cells_of(table)]
    return [
        table.title,
        *(spanner.text for spanner in table.spanners),
        *cells,
        *(note.text for note in table.footnotes),
    ]


def _width(table: Table) -> float:
    """How wide a table is when no number is broken and words are within reason."""
    return sum(_column(table, k, column) + PADDING for k, column in enumerate(table.columns))


def _column(table: Table, k: int, column: Column) -> float:
    widest = WIDEST_WORDS if column.align == "left" else WIDEST_NUMBERS
    longest = max((text_width(word, SIZE, bold=True) for word in column.head.text.split()), default=0.0)
    return min(widest, max([longest, *(_needs(row, k) for row in table.rows if len(row.cells) > k)]))


def _needs(row: Row, k: int) -> float:
    """The width of a cell on one line; a row that only groups others runs across the table."""
    if len(row.cells) == 1:
        return 0.0
    return text_width(row.cells[k].text, SIZE, bold=row.strong) + (INDENT * row.indent if k == 0 else 0.0)


def _alternative(table: Table) -> str:
    heads = [" ".join(column.head.text.split()) for column in table.columns[1:]]
    heads = [head for head in heads if head]
    more = f" and {len(heads) - MOST_HEADS} more" if len(heads) > MOST_HEADS else ""
    named = f": {'; '.join(heads[:MOST_HEADS])}{more}" if heads else ""
    rows = sum(1 for row in table.rows if len(row.cells) > 1)
    return f"{table.title.rstrip('.')}. {_many(rows, 'row')} and {_many(len(table.columns), 'column')}{named}."


def _many(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
