"""Tests of what a model assumes: proportional hazards, proportional odds."""

from __future__ import annotations

from counterpulse.report import numbers
from counterpulse.report.chapters.block_tables import block_anchor, known, make_table, number_text, titled
from counterpulse.report.chapters.context import EM_DASH, Context
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Cell, Paragraph, Row, Run
from counterpulse.results import Block


def proportional_hazards(context: Context, block: Block) -> list[DocumentBlock]:
    """The tests by scaled Schoenfeld residuals."""
    words = "Proportional hazards were checked by the correlation of scaled Schoenfeld residuals with time."
    caution = "A large P value does not show that hazards are proportional; look at the curves as well."
    said = Paragraph((Run(words, cites=context.cite("grambsch-therneau-1994")),))
    return [said, *_tests(context, block, "Check of proportional hazards", caution)]


def proportional_odds(context: Context, block: Block) -> list[DocumentBlock]:
    """The tests of one odds ratio for every cut of an ordinal outcome."""
    words = "Proportional odds were checked: whether one odds ratio serves for every cut of the ordinal outcome."
    caution = (
        "A large P value does not show that odds are proportional. Where they are not, the odds ratio is an average over the "
        "cuts."
    )
    said = Paragraph((Run(words, cites=context.cite("brant-1990")),))
    return [said, *_tests(context, block, "Check of proportional odds", caution)]


def _tests(context: Context, block: Block, title: str, caution: str) -> list[DocumentBlock]:
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
    return [make_table(context, id=f"ph-{block_anchor(block)}", title=title, heads=heads, rows=rows, notes=[caution])]
