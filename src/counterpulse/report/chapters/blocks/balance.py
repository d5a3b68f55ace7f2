"""Balance of the groups in their covariates, before and after matching or weighting: a love plot and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    known,
    make_table,
    number_text,
    text_row,
    titled,
)
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Spanner, Table
from counterpulse.report.figures.love import Love, LoveRow, love_scenes
from counterpulse.report.measures import SMD_DENOMINATORS
from counterpulse.results import Block
from counterpulse.results import Cell as Value

THRESHOLD = 0.1
COLUMNS = (("SMD", ("smd", "smd_max")), ("Variance ratio", ("variance_ratio",)), ("KS", ("ks",)))
"""Heads of the table with the columns of the block, of which the first known is printed."""
Found = Mapping[str, Mapping[str, Value]]


def balance(context: Context, block: Block) -> list[DocumentBlock]:
    """The love plot and the same numbers as a table."""
    samples = list(dict.fromkeys(str(row["sample"]) for row in block.rows()))
    lines = _lines(block)
    if not any(_difference(row) is not None for found in lines.values() for row in found.values()):
        return []
    love = Love(
        title=titled(context, "Balance of the groups", block),
        samples=[sentence(sample) for sample in samples],
        rows=[
            LoveRow(label=_label(context, *key), values=[_difference(found.get(sample, {})) for sample in samples])
            for key, found in lines.items()
        ],
        x_label="Absolute standardized difference",
        threshold=THRESHOLD,
        width=context.figure_width,
        style=context.style,
    )
    pictures = [
        figure(context, scene, id=block_anchor(block, *([str(k)] if k > 1 else [])), caption=_caption(context, block))
        for k, scene in enumerate(love_scenes(love), start=1)
    ]
    return [*pictures, _table(context, block, lines, samples)]


def _lines(block: Block) -> dict[tuple[str, str | None], dict[str, Mapping[str, Value]]]:
    """The rows of each variable and level, by sample."""
    lines: dict[tuple[str, str | None], dict[str, Mapping[str, Value]]] = {}
    for row in block.rows():
        key = str(row["variable"]), None if row["level"] is None else str(row["level"])
        lines.setdefault(key, {})[str(row["sample"])] = row
    return lines


def _difference(row: Mapping[str, Value]) -> float | None:
    """The standardized difference, or the largest one between several groups."""
    found = known(row.get("smd"))
    return known(row.get("smd_max")) if found is None else found


def _label(context: Context, variable: str, level: str | None) -> str:
    name = context.variable(variable)
    return name if level in (None, "yes") else f"{name}: {context.level(variable, str(level))}"


def _caption(context: Context, block: Block) -> str:
    """What a standardized difference is here; it says nothing of chance."""
    threshold = number_text(context, THRESHOLD, 1)
    several = any(known(row["smd"]) is None and known(row["smd_max"]) is not None for row in block.rows())
    return (
        f"Dashed: {threshold}, a convention and no test. {_definition(block)} Variables stand in the order of the first sample."
        + (" With more than two groups: the largest difference between any two." if several else "")
    )


def _definition(block: Block) -> str:
    names = list(dict.fromkeys(str(row["denominator"]) for row in block.rows() if row["denominator"] is not None))
    words = "; or ".join(SMD_DENOMINATORS.get(name, f"the {name} standard deviation") for name in names)
    over = f" over {words}, in the patients before matching or weighting" if names else ""
    return f"Standardized difference: the difference in means or proportions{over}."


def _table(
    context: Context, block: Block, lines: Mapping[tuple[str, str | None], Found], samples: Sequence[str]
) -> Table:
    """A row a variable, the columns of each sample under its name."""
    shown = [
        (head, names) for head, names in COLUMNS if any(known(row[name]) is not None for row in block.rows() for name in names)
    ]  # fmt: skip
    rows = []
    for key, found in lines.items():
        cells = [
            number_text(context, _first(found.get(sample, {}), names), 3 if head == "SMD" else 2)
            for sample in samples for head, names in shown
        ]  # fmt: skip
        rows.append(text_row([_label(context, *key), *cells], result=block.id))
    wide = len(shown)
    return make_table(
        context, id=f"{block_anchor(block)}-table", title=titled(context, "Balance of the groups", block),
        heads=["Variable", *(head for _ in samples for head, _ in shown)], rows=rows,
        over=[Spanner(sentence(sample), 1 + k * wide, (k + 1) * wide) for k, sample in enumerate(samples)],
        notes=[f"SMD: standardized mean difference; KS: Kolmogorov-Smirnov statistic. {_definition(block)}"],
        wide=len(samples) * wide > 6,
    )  # fmt: skip


def _first(row: Mapping[str, Value], names: Sequence[str]) -> Value:
    return next((row[name] for name in names if known(row.get(name)) is not None), None)
