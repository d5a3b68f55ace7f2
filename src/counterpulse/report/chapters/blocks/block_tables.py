"""What the tables and figures of blocks share: their names, their numbers, and a plain table for a kind that has no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import isfinite

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.unshifted import without_shift
from counterpulse.report.chapters.wording import anchor, sentence
from counterpulse.report.document import Cell, Footnote, Row, Spanner, Table, columns_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

MOST_PLAIN_ROWS = 60
NO_ANALYSES = ("description", "imputation", "immortal-time", "robustness", "review")
"""What blocks belong to that are of no analysis."""


def block_anchor(block: Block, *more: str) -> str:
    """The name of a table or figure made of a block."""
    return anchor("-".join((block.id.replace(".", "-"), *more)))


def where(context: Context, block: Block) -> str:
    """The analysis, sample, outcome and variable of a block, from its id."""
    analysis, *middle = block.id.split(".")[:-1]
    head = [] if analysis in NO_ANALYSES else [analysis]
    return ", ".join([*head, *(_part(context, name) for part in middle if (name := without_shift(part)))])


def _part(context: Context, part: str) -> str:
    if part in context.plan.outcomes:
        return context.outcome_label(part)
    return context.variable(part) if part in context.plan.variables else part.replace("-", " ")


def outcome_in(context: Context, block: Block) -> str | None:
    """The outcome in the id of a block."""
    return next((name for name in context.plan.outcomes if f".{name}." in f"{block.id}."), None)


def beside(context: Context, block: Block, kind: str) -> Block | None:
    """The block of another kind of the same analysis and outcome."""
    place = block.id.rpartition(".")[0]
    return next(
        (item for item in context.result.blocks if item.kind == kind and item.id.rpartition(".")[0] == place), None
    )


def titled(context: Context, words: str, block: Block) -> str:
    """A title with where it belongs."""
    place = where(context, block)
    return f"{words}: {place}" if place else words


def known(value: Value) -> float | None:
    """A cell as a finite number, or None."""
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def groups_in_order(context: Context, levels: Sequence[Value]) -> list[str | None]:
    """The groups that occur, in the order of the plan."""
    seen = list(dict.fromkeys(None if level is None else str(level) for level in levels))
    order = [group.level for group in context.plan.groups]
    return sorted(seen, key=lambda level: order.index(level) if level in order else len(order))


def number_text(context: Context, value: Value, places: int) -> str:
    """A number as printed, or a dash."""
    found = known(value)
    return EM_DASH if found is None else numbers.number(found, places, context.style)


def count_text(context: Context, value: Value) -> str:
    """A count as printed, or a dash."""
    found = known(value)
    return context.count(None if found is None else round(found))


def published(context: Context, value: Value) -> str:
    """A count of studies, or one that a paper printed: nothing that the privacy of patients hides; a dash where there is none."""
    return number_text(context, value, 0)


def share_text(context: Context, n: Value, total: Value) -> str:
    """A count with its percentage, a dash where it is hidden."""
    count, whole = known(n), known(total)
    if count is None or context.count(round(count)) == EM_DASH:
        return EM_DASH
    if whole is None or not whole:
        return context.count(round(count))
    return numbers.count_percent(round(count), round(whole), context.style)


def without_columns(table: Table, *, of: Sequence[str]) -> Table:
    """Leave out those of some columns, named by their heads, that have no value in any row."""
    blank = ("", EM_DASH, "NA")
    empty = [
        k
        for k, column in enumerate(table.columns)
        if column.head.text in of
        and all(len(row.cells) <= k or row.cells[k].text in blank for row in table.rows if len(row.cells) > 1)
    ]
    return replace(
        table,
        columns=tuple(column for k, column in enumerate(table.columns) if k not in empty),
        rows=tuple(
            replace(row, cells=tuple(cell for k, cell in enumerate(row.cells) if k not in empty)) for row in table.rows
        ),
    )


def make_table(
    context: Context, *, id: str, title: str, heads: Sequence[str], rows: Sequence[Row], notes: Sequence[str] = (),
    left: int = 1, over: Sequence[Spanner] = (), wide: bool = False, of_patients: bool = True,
) -> Table:  # fmt: skip
    """A supplementary table whose first `left` columns are words; a dash in one `of_patients` may be a hidden count."""
    hidden = of_patients and any(EM_DASH in cell.text for row in rows for cell in row.cells[1:])
    notes = [*notes, context.hidden] if hidden and context.hidden else notes
    return Table(
        id=id,
        label=context.counter.supplement(),
        title=title,
        columns=columns_of(heads, words=left),
        rows=tuple(rows),
        spanners=tuple(over),
        footnotes=tuple(Footnote("", note) for note in notes),
        wide=wide,
    )


published_table = partial(make_table, of_patients=False)
"""A table of published numbers, whose dashes hide nothing."""


def text_row(cells: Sequence[str], *, result: str | None = None, indent: int = 0, strong: bool = False) -> Row:
    """A row of texts; `result` is the block they come from."""
    head, *rest = cells
    return Row((Cell(head), *(Cell(cell, result) for cell in rest)), indent=indent, strong=strong)


def plain_table(context: Context, block: Block) -> list[Table]:
    """The block as it is."""
    rows = block.rows()
    shown = [
        text_row([_plain(context, cell) for cell in row.values()], result=block.id) for row in rows[:MOST_PLAIN_ROWS]
    ]
    notes = (
        [f"The first {MOST_PLAIN_ROWS} of {len(rows)} rows; all stand in the bundle."] if len(rows) > len(shown) else []
    )
    if not shown:
        return []
    heads = [sentence(name.replace("_", " ")) for name in block.columns]
    title = titled(context, sentence(block.kind.replace("-", " ")), block)
    return [make_table(context, id=block_anchor(block), title=title, heads=heads, rows=shown, notes=notes)]


def _plain(context: Context, cell: Value) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None:
        return EM_DASH
    return (
        count_text(context, cell)
        if isinstance(cell, int) and not isinstance(cell, bool)
        else number_text(context, cell, 3)
    )
