"""How covariates were selected: the steps, and how stable they are."""

from __future__ import annotations

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    count_text,
    make_table,
    number_text,
    text_row,
    titled,
    without_columns,
)
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Paragraph, text
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

TOO_NARROW = (
    "The covariates were selected with the same patients that the model was then fitted to. Its intervals and P values take "
    "the selected model as if it had been planned: the intervals are too narrow and the P values too small, and the "
    "coefficients of selected covariates are too large."
)


def selection_path(context: Context, block: Block) -> list[DocumentBlock]:
    """The steps of a selection, and what they do to the intervals."""
    rows = [
        text_row(
            [
                count_text(context, row["step"]), str(row["action"] or EM_DASH), _name(context, row["term"]),
                number_text(context, row["statistic"], 2), number_text(context, row["df"], 0), _p(context, row["p_value"]),
                number_text(context, row["criterion"], 1),
            ],
            result=block.id,
        )
        for row in block.rows()
    ]  # fmt: skip
    heads = ("Step", "Action", "Covariate", "Statistic", "df", context.style.p_head, "Criterion")
    title = titled(context, "Selection of covariates", block)
    warning: Paragraph = text(TOO_NARROW)
    if not rows:
        return [warning]
    table = make_table(context, id=block_anchor(block), title=title, heads=heads, rows=rows, left=3)
    return [warning, without_columns(table, of=("Statistic", "df", context.style.p_head, "Criterion"))]


def selection_frequency(context: Context, block: Block) -> list[DocumentBlock]:
    """How often each candidate was selected again in bootstrap samples."""
    rows = [
        text_row(
            [_name(context, row["term"]), str(row["selected"] or EM_DASH), _share(context, row["frequency"])],
            result=block.id,
        )
        for row in block.rows()
    ]
    if not rows:
        return []
    note = (
        "In samples drawn with replacement from the patients the selection was repeated. A covariate that is selected in few of "
        "them, or a candidate left out that is selected in many, shows how far the model depends on chance."
    )
    heads = ("Candidate", "Selected", "Selected again, %")
    title = titled(context, "How stable the selection is", block)
    return [make_table(context, id=block_anchor(block), title=title, heads=heads, rows=rows, notes=[note])]


def _name(context: Context, term: Value) -> str:
    """A term as printed: a variable, or a level of one as "variable=level"."""
    words = str(term) if term is not None else EM_DASH
    variable, equals, level = words.partition("=")
    return f"{context.variable(variable)}: {context.level(variable, level)}" if equals else context.variable(words)


def _p(context: Context, value: Value) -> str:
    return context.p(float(value) if isinstance(value, int | float) else None).text


def _share(context: Context, value: Value) -> str:
    """A frequency as a percentage, whether it stands as a fraction or not."""
    return (
        EM_DASH if not isinstance(value, int | float) else numbers.number(numbers.hundredfold(value), 0, context.style)
    )
