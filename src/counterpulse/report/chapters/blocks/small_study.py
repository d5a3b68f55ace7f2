"""Tests of small-study effects: a row a test."""

from __future__ import annotations

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
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Table
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block, Status
from counterpulse.results import Cell as Value

FEWEST = 10
STATES = {status.code: status for status in Status}
FEW = (
    f"Fewer than {FEWEST} studies: these tests hardly ever find asymmetry that is there, and their P values say little (Cochrane "
    "Handbook, chapter 13)."
)
Row = dict[str, Value]


def small_study_tests(context: Context, block: Block) -> list[Table]:
    """The tests with what they estimate; a warning where there are too few studies for any of them."""
    rows = block.rows()
    if not rows:
        return []
    counts = [known(row["k"]) for row in rows]
    few = [FEW] if any(k is not None and k < FEWEST for k in counts) else []
    states = dict.fromkeys(str(row["status"]) for row in rows if row["status"] not in (None, "", "ok"))
    notes = [STATES[state].text if state in STATES else sentence(state) for state in states]
    table = published_table(
        context, id=block_anchor(block), title=titled(context, "Tests of small-study effects", block),
        heads=["Test", "Studies", "What is estimated", "Estimate", "Standard error", "Statistic", context.style.p.letter],
        rows=[text_row(_cells(context, row), result=block.id) for row in rows], left=1,
        notes=[*few, *notes, "Small studies may differ for other reasons than that some were not published."],
    )  # fmt: skip
    return [without_columns(table, of=("Standard error", "Statistic", "What is estimated", context.style.p.letter))]


def _cells(context: Context, row: Row) -> list[str]:
    p, estimate = known(row["p_value"]), known(row["estimate"])
    whole = estimate is not None and estimate.is_integer() and known(row["std_error"]) is None
    return [
        sentence(str(row["test"] or "")), published(context, row["k"]), sentence(str(row["what"] or "")),
        number_text(context, estimate, 0 if whole else 2), number_text(context, row["std_error"], 2), _statistic(context, row),
        EM_DASH if p is None else numbers.p_value(p, context.style),
    ]  # fmt: skip


def _statistic(context: Context, row: Row) -> str:
    """The statistic by its name: "t = −1.40, df = 11"."""
    value, df = known(row["statistic"]), known(row["df"])
    if value is None:
        return EM_DASH
    named = f"{row['statistic_name']} = " if row["statistic_name"] else ""
    freedom = f", df = {number_text(context, df, 0 if df.is_integer() else 1)}" if df is not None else ""
    return f"{named}{number_text(context, value, 2)}{freedom}"
