"""Balance of the groups in their covariates, before and after matching or weighting: a love plot and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterpulse.report import numbers
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
MOST_COLUMNS = 6
"""More need a page on its side."""
Found = Mapping[str, Mapping[str, Value]]
Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A column of each sample: its head and the column of the block."""

    head: str
    name: str
    places: int | None = None


def balance(context: Context, block: Block) -> list[DocumentBlock]:
    """The love plot, and the same numbers as a table before and after."""
    samples = list(dict.fromkeys(str(row["sample"]) for row in block.rows()))
    lines = _lines(block)
    if not any(_difference(row) is not None for found in lines.values() for row in found.values()):
        return []
    love = Love(
        title=titled(context, "Balance of the groups", block),
        samples=[sentence(sample) for sample in samples],
        rows=[
            LoveRow(
                label=_label(context, *key),
                values=[_difference(found.get(sample, {})) for sample in samples],
                most=[_largest(found.get(sample, {})) for sample in samples],
            )
            for key, found in lines.items()
            if any(_difference(row) is not None for row in found.values())
        ],
        x_label="Absolute standardized difference",
        threshold=limit_of(context, block.analysis),
        width=context.figure_width,
        style=context.style,
    )
    pictures = [
        figure(context, scene, id=block_anchor(block, *([str(k)] if k > 1 else [])), caption=_caption(context, block))
        for k, scene in enumerate(love_scenes(love), start=1)
    ]
    return [*pictures, _table(context, block, lines, samples)]


def limit_of(context: Context, analysis: str) -> float:
    """The largest absolute standardized difference that counts as balance."""
    planned = context.planned(analysis)
    return THRESHOLD if planned is None or planned.balancing is None else planned.balancing.balance_limit


def _lines(block: Block) -> dict[Key, dict[str, Mapping[str, Value]]]:
    """The rows of each variable and level, by sample."""
    lines: dict[Key, dict[str, Mapping[str, Value]]] = {}
    for row in block.rows():
        key = str(row["variable"]), None if row["level"] is None else str(row["level"])
        lines.setdefault(key, {})[str(row["sample"])] = row
    return lines


def _difference(row: Mapping[str, Value]) -> float | None:
    """The standardized difference, or the largest one between several groups."""
    found = known(row.get("smd"))
    return known(row.get("smd_max")) if found is None else found


def _largest(row: Mapping[str, Value]) -> float | None:
    """The largest difference over imputations."""
    return None if known(row.get("smd")) is None else known(row.get("smd_max"))


def _imputed(block: Block) -> bool:
    return any(_largest(row) is not None for row in block.rows())


def _label(context: Context, variable: str, level: str | None) -> str:
    name = sentence(context.variable(variable))
    return name if level in (None, "yes") else f"{name}: {context.level(variable, str(level))}"


def _caption(context: Context, block: Block) -> str:
    """What a standardized difference is here; it says nothing of chance."""
    threshold = numbers.as_written(limit_of(context, block.analysis), context.style)
    words = [f"Dashed: {threshold}, a convention and no test.", _definition(block)]
    words.append("Variables stand in the order of the first sample.")
    if _imputed(block):
        words.append("Marks: means over the imputed tables; lines end at the largest of them.")
    elif any(known(row["smd"]) is None and known(row["smd_max"]) is not None for row in block.rows()):
        words.append("With more than two groups: the largest difference between any two.")
    return " ".join(words)


def _definition(block: Block) -> str:
    names = list(dict.fromkeys(str(row["denominator"]) for row in block.rows() if row["denominator"] is not None))
    words = "; or ".join(SMD_DENOMINATORS.get(name, f"the {name} standard deviation") for name in names)
    before = "" if names == ["weighted"] else ", in the patients before matching or weighting"
    over = f" over {words}{before}" if names else ""
    return f"Standardized difference: the difference in means or proportions{over}."


# -- table -------------------------------------------------------------------------------------------------------------


def _columns(context: Context, block: Block) -> list[Measured]:
    """What is known in any row, under each sample."""
    treated, control = _groups(context)
    several = all(known(row["smd"]) is None for row in block.rows())
    every = [
        Measured(treated, "mean_treated"),
        Measured(control, "mean_control"),
        *([] if several else [Measured("SMD", "smd", 3)]),
        Measured("SMD" if several else "Largest SMD", "smd_max", 3),
        Measured("Variance ratio", "variance_ratio", 2),
        Measured("KS", "ks", 2),
    ]
    return [column for column in every if any(known(row[column.name]) is not None for row in block.rows())]


def _groups(context: Context) -> tuple[str, str]:
    """The labels of the treated and of the reference group."""
    groups = context.plan.groups
    treated = next((group.label for group in groups if not group.is_reference), "Treated")
    return treated, next((group.label for group in groups if group.is_reference), "Reference")


def _table(context: Context, block: Block, lines: Mapping[Key, Found], samples: Sequence[str]) -> Table:
    """A row a variable, the columns of each sample under its name."""
    shown = _columns(context, block)
    means = any(column.places is None for column in shown)
    rows = []
    for key, found in lines.items():
        places = _places(found)
        cells = [
            _cell(context, found.get(sample, {}), column, share=key[1] is not None, places=places)
            for sample in samples for column in shown
        ]  # fmt: skip
        unit = "" if not means else ", %" if key[1] is not None else _unit(context, key[0])
        rows.append(text_row([f"{_label(context, *key)}{unit}", *cells], result=block.id))
    wide = len(shown)
    return make_table(
        context, id=f"{block_anchor(block)}-table", title=titled(context, "Balance of the groups", block),
        heads=["Variable", *(column.head for _ in samples for column in shown)], rows=rows,
        over=[Spanner(sentence(sample), 1 + k * wide, (k + 1) * wide) for k, sample in enumerate(samples)],
        notes=[_abbreviations(shown, block)], wide=len(samples) * wide > MOST_COLUMNS,
    )  # fmt: skip


def _abbreviations(shown: Sequence[Measured], block: Block) -> str:
    said = "KS: Kolmogorov-Smirnov statistic. " if any(column.name == "ks" for column in shown) else ""
    imputed = " Means over the imputed tables; largest SMD: the largest of them." if _imputed(block) else ""
    means = "" if shown[0].places is not None else "Of numbers the means, of categories the percentages. "
    return f"{means}{said}{_definition(block)}{imputed}"


def _unit(context: Context, variable: str) -> str:
    planned = context.plan.variables.get(variable)
    return f", {planned.unit}" if planned is not None and planned.unit else ""


def _places(found: Found) -> int:
    """The decimal places of both means in every sample."""
    means = [known(row[name]) for row in found.values() for name in ("mean_treated", "mean_control")]
    return numbers.measured_places(max((abs(mean) for mean in means if mean), default=0.0) / 10)


def _cell(context: Context, row: Mapping[str, Value], column: Measured, *, share: bool, places: int) -> str:
    found = known(row.get(column.name))
    if column.places is not None or found is None:
        blank = column.name == "variance_ratio" and share
        return "" if blank else number_text(context, found, column.places or 0)
    return number_text(context, 100 * found, 1) if share else number_text(context, found, places)
