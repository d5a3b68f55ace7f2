"""What may lie behind an effect: the same analysis of negative controls, and a confounder that nobody measured."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    count_text,
    make_table,
    number_text,
    text_row,
    titled,
    without_columns,
)
from counterpulse.report.chapters.blocks.printed_estimate import printed
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Table
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

ROLES = {"effect": "The effect", "control": "Negative control", "corrected": "The effect, corrected"}
KINDS = {
    "observed": "As observed",
    "simple": "Adjusted for the confounder",
    "bound": "The most that any confounder of this strength could do",
    "confounding alone": "Adjusted, uncertainty of the confounder alone",
    "confounding and chance": "Adjusted, uncertainty of the confounder and chance",
}


def negative_controls(context: Context, block: Block) -> list[Table]:
    """The effect, what the analysis finds where there is nothing to find, and the effect without that."""
    rows = [
        text_row(
            [
                f"{ROLES.get(str(row['role']), str(row['role']))}: {context.outcome_label(str(row['outcome']))}",
                count_text(context, row["n"]), count_text(context, row["events"]),
                measure_of(str(row["measure"])).words, printed(context, row, measure_of(str(row["measure"]))),
            ],
            result=block.id,
        )
        for row in block.rows()
    ]  # fmt: skip
    if not rows:
        return []
    table = make_table(
        context, id=block_anchor(block), title=titled(context, "Negative controls", block),
        heads=["Outcome", "Patients", "Events", "Measure", f"Estimate ({context.level_name(None)})"], rows=rows,
        notes=[
            "Negative control: an outcome that the treatment cannot change, so that an effect on it is bias. Corrected: the mean error of "
            "the controls is taken off the effect on the scale of estimation, and their spread and chance widen its interval."
        ],
    )  # fmt: skip
    return [without_columns(table, of=("Patients", "Events"))]


def bias_analysis(context: Context, block: Block) -> list[Table]:
    """The effect as it would be without a confounder of the strengths assumed."""
    measure = measure_of("risk ratio")
    body = []
    heading: Value = None
    for row in block.rows():
        if row["kind"] != heading:
            heading = row["kind"]
            body.append(text_row([KINDS.get(str(heading), sentence(str(heading)))], strong=True))
        given = [_given(context, row[name]) for name in ("prevalence_treated", "prevalence_reference", "effect")]
        body.append(
            text_row(
                ["Risk ratio", *given, number_text(context, row["bias_factor"], 2), printed(context, row, measure)],
                result=block.id, indent=1,
            )
        )  # fmt: skip
    if not body:
        return []
    label = context.plan.robustness.confounder
    heads = [
        "", "Prevalence, treated", "Prevalence, reference", "Its risk ratio", "Bias factor", f"Risk ratio ({context.level_name(None)})",
    ]  # fmt: skip
    title = "An unmeasured confounder" if label is None else label.label
    return [
        make_table(
            context, id=block_anchor(block), title=titled(context, title, block), heads=heads, rows=body, notes=_notes(block),
        )
    ]  # fmt: skip


def _given(context: Context, value: Value) -> str:
    """A number or a range as the protocol has it, with the decimal mark of the style."""
    return EM_DASH if value is None else str(value).replace(".", context.style.decimal_mark)


def _notes(block: Block) -> Sequence[str]:
    notes = [
        "Odds and hazard ratios of common outcomes, and risk differences, were converted to risk ratios first. Bias factor: what the "
        "observed risk ratio is divided by."
    ]
    if "confounding alone" in block.columns["kind"]:
        notes.append("Medians of draws from the ranges, with percentiles.")
    return notes
