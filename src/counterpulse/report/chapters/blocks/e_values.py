"""E-values: what a confounder that nobody measured would have to be like, in words and in a table."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    known,
    make_table,
    number_text,
    text_row,
    titled,
)
from counterpulse.report.chapters.blocks.printed_estimate import printed
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import inside
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Paragraph, Run, Table
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block, EstimateRow
from counterpulse.results import Cell as Value

Row = dict[str, Value]
CONVERSIONS = {
    "none": "as it is",
    "rare": "as it is (rare outcome)",
    "common": "converted (common outcome)",
    "risk in the reference group": "from the risk in the reference group",
}


def e_values(context: Context, block: Block) -> list[DocumentBlock]:
    """What each E-value means in a sentence, then all in a table."""
    rows = block.rows()
    if not rows:
        return []
    estimates = {row.id: row for row in context.result.estimates}
    first = next((row for row in rows if known(row["e_value"]) is not None), None)
    words = [] if first is None else [_sentence(context, first, estimates.get(str(first["of"])))]
    return [*words, _e_value_table(context, block, rows, estimates)]


def _sentence(context: Context, row: Row, estimate: EstimateRow | None) -> Paragraph:
    """What the first E-value asks of a confounder."""
    value, limit = number_text(context, row["e_value"], 2), known(row["e_value_limit"])
    measure = measure_of(str(row["measure"])).words
    what = (
        f"the {measure}"
        if estimate is None
        else f"the {measure} of {inside(context.outcome_label(estimate.outcome))} ({estimate.analysis})"
    )
    text = (
        f"To explain away {what}, an unmeasured confounder would have to be associated with both treatment and outcome by a risk "
        f"ratio of at least {value} each, beyond the covariates adjusted for"
    )
    level = context.level_name(estimate)
    if limit is None:
        text += "."
    elif limit <= 1:
        text += f"; the {level} includes no effect already, so that no confounding is needed for it to do so."
    else:
        text += f"; {number_text(context, limit, 2)} each would be enough for the {level} to include no effect."
    text += " A weaker one could not, though several together might."
    return Paragraph((Run(text, result=str(row["of"]), cites=context.cite("vanderweele-ding-2017")),))


def _e_value_table(context: Context, block: Block, rows: Sequence[Row], estimates: dict[str, EstimateRow]) -> Table:
    cells = []
    several = len({estimates[str(row["of"])].analysis for row in rows if str(row["of"]) in estimates}) > 1
    for row in rows:
        estimate, measure = estimates.get(str(row["of"])), measure_of(str(row["measure"]))
        name = (
            measure.title
            if estimate is None
            else f"{context.outcome_label(estimate.outcome)}: {measure.words}{', percentage points' if measure.kind == 'points' else ''}"
        )
        name = name if estimate is None or not several else f"{estimate.analysis}. {name}"
        models = f" ({estimate.model})" if estimate is not None and estimate.model else ""
        risk = known(row["risk"])
        cells.append(
            text_row(
                [
                    f"{name}{models}",
                    printed(context, row, measure) if estimate is None else context.effect(estimate),
                    EM_DASH if risk is None else number_text(context, 100 * risk, 1),
                    CONVERSIONS.get(str(row["common"]), str(row["common"] or EM_DASH)),
                    number_text(context, row["e_value"], 2),
                    number_text(context, row["e_value_limit"], 2),
                ],
                result=block.id,
            )
        )
    return make_table(
        context, id=block_anchor(block), title=titled(context, "E-values", block),
        heads=["Outcome and measure", f"Estimate ({context.level_name(None)})", "Risk observed, %", "As a risk ratio", "E-value", "E-value of the limit"],
        rows=cells,
        notes=[
            "E-value: the least risk ratio by which an unmeasured confounder would have to go with both treatment and outcome, beyond "
            "the measured covariates, to explain the estimate away, and to move the limit nearer to no effect onto it (1: the interval includes it).",
            "It says what would be needed, not whether such a confounder exists.",
        ],
    )  # fmt: skip
