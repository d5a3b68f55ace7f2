"""What matching or weighting made of the groups: their sizes, the overlap of the scores, the weights."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    count_text,
    known,
    make_table,
    number_text,
    text_row,
    titled,
    without_columns,
)
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Figure, Spanner, Table
from counterpulse.report.figures.mirrored import Mirrored, MirroredPanel, Share, draw_mirrored
from counterpulse.results import Block
from counterpulse.results import Cell as Value

SIDES = {"treated": False, "control": True}
"""Names of the two groups where a block does not give their levels: whether it is the reference."""
QUANTILES = {"low": "Least", "p1": "1st", "p25": "25th", "p50": "50th", "p75": "75th", "p99": "99th", "high": "Largest"}


def group_label(context: Context, group: Value) -> str:
    """The label of a group, or of a side of the comparison."""
    name = None if group is None else str(group)
    groups = context.plan.groups
    if name in SIDES and name not in {item.level for item in groups}:
        return next((item.label for item in groups if item.is_reference is SIDES[name]), sentence(name))
    return context.group(name)


def is_reference(context: Context, group: Value) -> bool:
    """Whether a group, or a side of the comparison, is the one compared with."""
    levels = {item.level: item.is_reference for item in context.plan.groups}
    return levels.get(str(group), SIDES.get(str(group), False))


def _samples(block: Block) -> list[str]:
    return list(dict.fromkeys(str(row["sample"]) for row in block.rows()))


def effective_sizes(context: Context, block: Block) -> list[Table]:
    """Patients and effective sample sizes of each group, sample by sample."""
    cells = {(str(row["group"]), str(row["sample"])): row for row in block.rows()}
    groups, samples = list(dict.fromkeys(group for group, _ in cells)), _samples(block)
    if not cells:
        return []
    rows = [
        text_row(
            [group_label(context, group), *(text for sample in samples for text in _size(context, cells.get((group, sample), {})))],
            result=block.id,
        )
        for group in groups
    ]  # fmt: skip
    table = make_table(
        context, id=block_anchor(block), title=titled(context, "Patients before and after", block),
        heads=["Group", *(head for _ in samples for head in ("Patients", "Effective"))], rows=rows,
        over=[Spanner(sentence(sample), 1 + 2 * k, 2 + 2 * k) for k, sample in enumerate(samples)],
        notes=[
            *(["Means over the imputed tables."] if any(n % 1 for n in map(known, block.columns["n"]) if n is not None) else []),
            "Effective: how many patients of equal weight tell as much (the square of the sum of the weights over the sum of their "
            "squares). The smaller it is than the number of patients, the more the comparison rests on a few."
        ],
    )  # fmt: skip
    return [table]


def _size(context: Context, row: dict[str, Value]) -> tuple[str, str]:
    n = known(row.get("n"))
    whole = n is None or n.is_integer()
    printed = count_text(context, n) if whole else number_text(context, n, 1)
    return printed, number_text(context, row.get("effective"), 1)


def overlaps(context: Context, block: Block) -> list[Figure]:
    """Histograms of the score, the treated above and the reference below, before and after."""
    groups = [str(group) for group in dict.fromkeys(block.columns["group"])]
    if len(groups) < 2 or not any(known(share) for share in block.columns["share"]):
        return []
    labels = {group: group_label(context, group) for group in groups}
    reference = next((item.label for item in context.plan.groups if item.is_reference), "")
    below = reference if reference in labels.values() else labels[groups[-1]]
    panels = [
        MirroredPanel(
            label=sentence(sample),
            groups={label: _shares(block, sample, group) for group, label in labels.items()},
        )
        for sample in _samples(block)
    ]
    width = min(
        (item.high - item.low for panel in panels for items in panel.groups.values() for item in items), default=1.0
    )
    scene = draw_mirrored(
        Mirrored(
            title=titled(context, "Overlap of the propensity scores", block),
            above=[label for label in labels.values() if label != below],
            below=below,
            panels=panels,
            x_label="Propensity score",
            y_label="Share of the group, %",
            width=context.figure_width,
            style=context.style,
        )
    )
    caption = (
        "The propensity score is the estimated probability of treatment given the covariates. Where one group has bars and the "
        f"other has none, there is nobody to compare with. Bars: the share of the (matched or weighted) group for each "
        f"{number_text(context, width, 2)} of the score."
    )
    return [figure(context, scene, id=block_anchor(block), caption=caption)]


def _shares(block: Block, sample: str, group: str) -> list[Share]:
    found = []
    for row in block.rows():
        low, high = known(row["low"]), known(row["high"])
        if str(row["sample"]) == sample and str(row["group"]) == group and low is not None and high is not None:
            found.append(Share(low, high, known(row["share"])))
    return found


def weights(context: Context, block: Block) -> list[Table]:
    """How the weights of each group are distributed."""
    rows = [
        text_row([group_label(context, row["group"]), *_weights(context, row)], result=block.id) for row in block.rows()
    ]
    if not rows:
        return []
    planned = context.planned(block.analysis)
    unit = "patients" if planned is None or not planned.estimator else "intervals of follow-up"
    heads = ["Group", sentence(unit), "Effective", "Mean", *QUANTILES.values()]
    table = make_table(
        context, id=block_anchor(block), title=titled(context, "Distribution of the weights", block), heads=heads, rows=rows,
        notes=[f"Effective: how many {unit} of equal weight tell as much. A weight far above the others lets one patient decide."],
    )  # fmt: skip
    return [_trimmed(table)]


def _trimmed(table: Table) -> Table:
    """Without extremes that privacy withholds in every group; the shared head moves with its columns."""
    shown = without_columns(table, of=("Least", "Largest"))
    heads = [column.head.text for column in shown.columns]
    return replace(shown, spanners=(Spanner("Percentile", heads.index("1st"), heads.index("99th")),))


def _weights(context: Context, row: dict[str, Value]) -> list[str]:
    shown = [count_text(context, row["n"]), number_text(context, row["effective"], 1)]
    return [*shown, *(number_text(context, row[name], 2) for name in ("mean", *QUANTILES))]
