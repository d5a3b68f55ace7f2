"""What was taken from the papers: numbers as printed with the effects they give, rows not used, and where two extractors differed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    known,
    number_text,
    published,
    published_table,
    text_row,
    titled,
    without_columns,
)
from counterpulse.report.chapters.blocks.printed_estimate import printed
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import ended, inside, sentence
from counterpulse.report.document import Footnote, Table
from counterpulse.report.document import Row as TableRow
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]


def effect_sizes(context: Context, block: Block) -> list[Table]:
    """The rows that were used, then those that were not with the reason; each outcome under its name."""
    rows = block.rows()
    used = [row for row in rows if row["used"] != "no"]
    unused = [row for row in rows if row["used"] == "no"]
    tables = []
    if used:
        tables.append(_used(context, block, used))
    if unused:
        tables.append(_unused(context, block, unused))
    return tables


def _used(context: Context, block: Block, rows: Sequence[Row]) -> Table:
    arms = [_heads_of(context, rows, k) for k in (0, 1)]
    paired = _pairs(rows)
    noted = list(dict.fromkeys(str(row["note"]) for row in rows if row["note"]))
    measures = {str(row["measure"]) for row in rows if row["measure"] is not None}
    one = measure_of(measures.pop()) if len(measures) == 1 else None
    effect = f"{one.title if one else 'Effect'} ({context.level_name(None)})"
    body = [
        _marked(context, line, row, noted)
        for line, row in _by_outcome(
            context, block, rows, lambda row: _cells(context, row, named=one is None, paired=paired)
        )
    ]
    table = published_table(
        context, id=block_anchor(block), title=titled(context, "Numbers extracted from the studies", block),
        heads=["Study", "Design", "Printed as", *arms, effect, "Source"], rows=body, left=3, notes=[_quoted(rows)], wide=True,
    )  # fmt: skip
    marks = [Footnote(numbers.footnote_mark(k, context.style), ended(sentence(note))) for k, note in enumerate(noted)]
    source = replace(table.columns[-1], align="left")
    table = replace(table, footnotes=(*table.footnotes, *marks), columns=(*table.columns[:-1], source))
    return without_columns(table, of=("Design", "Printed as", *arms, "Source"))


def _marked(context: Context, line: TableRow, row: Row | None, noted: Sequence[str]) -> TableRow:
    """A row whose study has the mark of its note."""
    if row is None or not row["note"]:
        return line
    mark = numbers.footnote_mark(noted.index(str(row["note"])), context.style)
    return replace(line, cells=(replace(line.cells[0], notes=(mark,)), *line.cells[1:]))


def _heads_of(context: Context, rows: Sequence[Row], k: int) -> str:
    """The head of an arm's column: its name where all studies have the same, else the study's group."""
    names = {str(row[f"arm_{k + 1}"]) for row in rows if row[f"arm_{k + 1}"] is not None}
    groups = context.plan.groups
    name = names.pop() if len(names) == 1 else groups[k].label if len(groups) > k else ("Treated", "Reference")[k]
    return f"{name}, No./total"


def _quoted(rows: Sequence[Row]) -> str:
    words = "The row of the extraction table and the quoted text of every number stand in the bundle"
    people = {str(row["extractor"]) for row in rows if row["extractor"]}
    return f"{words}, and who extracted it." if people else f"{words}."


def _by_outcome(
    context: Context, block: Block, rows: Sequence[Row], cells_of: Callable[[Row], list[str]]
) -> list[tuple[TableRow, Row | None]]:
    """The rows of a table, each with what it shows, under the name of their outcome where there are several."""
    outcomes = list(dict.fromkeys(row["outcome"] for row in rows))
    nested = len(outcomes) > 1
    body: list[tuple[TableRow, Row | None]] = []
    for outcome in outcomes:
        if nested:
            body.append((text_row([context.outcome_label(str(outcome or "")) or "No outcome"], strong=True), None))
        own = [row for row in rows if row["outcome"] == outcome]
        body += [(text_row(cells_of(row), result=block.id, indent=int(nested)), row) for row in own]
    return body


def _cells(context: Context, row: Row, *, named: bool, paired: bool) -> list[str]:
    """A row as texts; the effect has its measure before it where the head of the column has none."""
    measure = measure_of(str(row["measure"] or ""))
    effect = printed(context, row, measure)
    shown = f"{measure.words} {effect}" if named and measure.words and effect != EM_DASH else effect
    return [
        f"{row['study'] or ''}{_pair(row) if paired else ''}", str(row["design"] or ""), str(row["format"] or ""), _arm(context, row, 1), _arm(context, row, 2),
        shown, str(row["source"] or ""),
    ]  # fmt: skip


def _pairs(rows: Sequence[Row]) -> bool:
    """Whether studies compare different treatments, so that each row must say which."""
    return len({(row["arm_1"], row["arm_2"]) for row in rows if row["arm_1"] and row["arm_2"]}) > 1


def _pair(row: Row) -> str:
    return f": {row['arm_1']} vs {row['arm_2']}" if row["arm_1"] and row["arm_2"] else ""


def _arm(context: Context, row: Row, k: int) -> str:
    """Events and patients of an arm; either alone where the other was not printed."""
    events, n = known(row[f"events_{k}"]), known(row[f"n_{k}"])
    texts = [EM_DASH if value is None else _count(context, value) for value in (events, n)]
    return EM_DASH if events is None and n is None else "/".join(texts)


def _count(context: Context, value: float) -> str:
    """A count; one that is no whole number, as of a percentage, keeps a decimal."""
    return published(context, value) if value.is_integer() else number_text(context, value, 1)


def _unused(context: Context, block: Block, rows: Sequence[Row]) -> Table:
    body = _by_outcome(
        context, block, rows,
        lambda row: [str(row["study"] or ""), published(context, row["row"]), str(row["format"] or ""), sentence(str(row["reason"] or EM_DASH))],
    )  # fmt: skip
    table = published_table(
        context, id=block_anchor(block, "unused"), title=titled(context, "Rows that were not used", block),
        heads=["Study", "Row", "Printed as", "Reason"], rows=[line for line, _ in body], left=4,
    )  # fmt: skip
    return without_columns(table, of=("Printed as",))


# -- two extractors ----------------------------------------------------------------------------------------------------


def agreements(context: Context, block: Block) -> list[Table]:
    """How often two extractors agreed, a row a column."""
    body = [
        text_row(
            [
                _column(row["column"]), published(context, row["pairs"]), published(context, row["agreed"]),
                number_text(context, row["percent"], 1), _kappa(context, row),
            ],
            result=block.id,
        )
        for row in block.rows()
    ]  # fmt: skip
    if not body:
        return []
    table = published_table(
        context, id=block_anchor(block), title=titled(context, "Agreement of the two extractors", block),
        heads=["Column", "Pairs", "Agreed", "%", f"Kappa ({context.level_name(None)})"], rows=body,
        notes=["Before differences were settled. Kappa: agreement beyond chance, 1 at most; a dash where all answers are one."],
    )  # fmt: skip
    return [without_columns(table, of=(f"Kappa ({context.level_name(None)})",))]


def _column(name: Value) -> str:
    return sentence(str(name or "").replace("_", " "))


def _kappa(context: Context, row: Row) -> str:
    value, low, high = (known(row[name]) for name in ("kappa", "conf_low", "conf_high"))
    return EM_DASH if value is None else numbers.estimate(value, low, high, context.style)


def discrepancies(context: Context, block: Block) -> list[Table]:
    """Where two extractors differed, and what was used."""
    body = []
    for row in block.rows():
        place = ", ".join(
            part
            for part in (str(row["study"] or ""), inside(context.outcome_label(str(row["outcome"]))) if row["outcome"] else "")
            if part
        )  # fmt: skip
        texts = [str(EM_DASH if row[name] in (None, "") else row[name]) for name in ("first", "second", "used")]
        body.append(text_row([place, _column(row["column"]), *texts], result=block.id))
    if not body:
        return []
    return [
        published_table(
            context, id=block_anchor(block), title=titled(context, "Differences between the two extractors", block),
            heads=["Study", "Column", "First extractor", "Second extractor", "Used"], rows=body, left=2,
            notes=["A dash: left blank. What was used is what both settled on."],
        )
    ]  # fmt: skip
