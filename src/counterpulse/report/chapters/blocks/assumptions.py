"""Tests of what a model assumes: proportional hazards, proportional odds."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import block_anchor, known, make_table, number_text, titled
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Cell, Row
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block


def proportional_hazards(context: Context, block: Block) -> list[DocumentBlock]:
    """The tests by scaled Schoenfeld residuals."""
    notes = (
        "By the correlation of scaled Schoenfeld residuals with time.",
        "A large P value does not show that hazards are proportional; look at the curves as well.",
    )
    return _tests(context, block, "Check of proportional hazards", notes)


def proportional_odds(context: Context, block: Block) -> list[DocumentBlock]:
    """The tests of one odds ratio for every cut of an ordinal outcome."""
    notes = (
        "Whether one odds ratio serves for every cut of the ordinal outcome.",
        "A large P value does not show that odds are proportional. Where they are not, the odds ratio is an average over the cuts.",
    )
    return _tests(context, block, "Check of proportional odds", notes)


def _tests(context: Context, block: Block, title: str, notes: Sequence[str]) -> list[DocumentBlock]:
    rows = []
    for line in block.rows():
        name = str(line["variable"])
        label = "All variables together" if name.upper() == "GLOBAL" else context.variable(name)
        p = line["p_value"]
        cells = (
            Cell(label),
            Cell(number_text(context, line["chi_squared"], 2)),
            Cell(EM_DASH if (df := known(line["df"])) is None else numbers.as_written(df, context.style)),
            context.p(p if isinstance(p, float) else None, f"{block.id}.{name}"),
        )
        rows.append(Row(cells))
    heads = ("Variable", "Chi-squared", "df", context.style.p_head)
    title = titled(context, title, block).replace(": ", ", ", 1)
    return [make_table(context, id=f"ph-{block_anchor(block)}", title=title, heads=heads, rows=rows, notes=notes)]
