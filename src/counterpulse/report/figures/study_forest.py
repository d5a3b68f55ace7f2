"""A forest plot of studies: a row a study, subtotals, the total and its prediction interval, in RevMan's or JAMA's columns.

RevMan: events and totals a group, weight, estimate, then the axis. JAMA: events/total a group, estimate, the axis, weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from counterpulse.report.figures.forest_grid import MUTED, Grid, GridColumn, GridRow, grid_scenes
from counterpulse.report.figures.lettering import named
from counterpulse.report.figures.scene import INK, Scene
from counterpulse.report.number_styles import EM_DASH, PLAIN, NumberStyle

Role = Literal["study", "heading", "subtotal", "total", "prediction", "words"]
SMALLEST_SQUARE, LARGEST_SQUARE = 2.6, 9.6


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One row. `counts` are events and total a group as printed, `weight` the share from 0 to 1.

    "heading" and "words" have a label only; "words" is a line of heterogeneity, across the columns. `lights` are judgments of
    bias in the order of the forest's `domains`.
    """

    label: str
    role: Role = "study"
    counts: Sequence[tuple[str, str]] = ()
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    effect: str = ""
    weight: float | None = None
    weight_text: str = ""
    lights: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyForest:
    """What is drawn. `groups` are the compared groups, `effect_label` the head of the estimates as printed.

    `domains` of bias, a letter and words each, have a light beside each study; counts are then as narrow as JAMA's.
    """

    title: str
    groups: Sequence[str]
    effect_label: str
    axis_label: str
    rows: Sequence[StudyRow]
    ratio: bool = True
    left: str = ""
    right: str = ""
    layout: Literal["revman", "jama"] = "revman"
    style: NumberStyle = PLAIN
    domains: Sequence[tuple[str, str]] = ()


def study_forest_scenes(forest: StudyForest) -> list[Scene]:
    """Draw the forest plot on as many pages as its studies need."""
    return grid_scenes(_grid(forest))


def _grid(forest: StudyForest) -> Grid:
    revman = forest.layout == "revman"
    groups = [label for k, label in enumerate(forest.groups) if any(_given(row, k) for row in forest.rows)]
    shown = [k for k in range(len(forest.groups)) if any(_given(row, k) for row in forest.rows)]
    weight = GridColumn("Weight, %", "end" if revman else "middle")
    effect = GridColumn(forest.effect_label, "middle")
    if revman:
        counts = [GridColumn(title, "end", over) for over in groups for title in ("Events", "Total")]
        narrow = [GridColumn("No./total", "middle", over) for over in groups]
        before, after = [*(narrow if forest.domains else counts), weight, effect], []
    else:
        before, after = [*(GridColumn("No./total", "middle", over) for over in groups), effect], [weight]
    largest = max((row.weight for row in forest.rows if row.role == "study" and row.weight), default=0.0)
    total = next((row.estimate for row in forest.rows if row.role == "total"), None)
    nested = any(row.role == "heading" for row in forest.rows)
    return Grid(
        title=forest.title,
        head="Study" if revman else "Source",
        before=before,
        after=after,
        rows=[
            _row(row, forest, shown, largest, indent=int(nested and _within(forest.rows, k)))
            for k, row in enumerate(forest.rows)
        ],
        axis_label=forest.axis_label,
        ratio=forest.ratio,
        left=forest.left,
        right=forest.right,
        words_above=not revman,
        guide=total,
        style=forest.style,
        described=[_described(row) for row in forest.rows],
        lights=forest.domains,
    )


def _given(row: StudyRow, group: int) -> bool:
    return len(row.counts) > group and any(row.counts[group])


def _within(rows: Sequence[StudyRow], k: int) -> bool:
    """Whether a row stands under the heading of a subgroup; words and prediction intervals belong to the row they follow."""
    while k and rows[k].role in ("words", "prediction"):
        k -= 1
    return rows[k].role in ("study", "subtotal")


def _row(row: StudyRow, forest: StudyForest, shown: Sequence[int], largest: float, *, indent: int) -> GridRow:
    pairs = [row.counts[k] if k < len(row.counts) else ("", "") for k in shown]
    joined = ["/".join(text or EM_DASH for text in pair) if any(pair) else "" for pair in pairs]
    if forest.layout == "revman":
        counts = joined if forest.domains else [text for pair in pairs for text in pair]
        cells = [*counts, row.weight_text, row.effect]
    else:
        cells = [*joined, row.effect, row.weight_text]
    pooled = row.role in ("subtotal", "total")
    share = (row.weight or 0.0) / largest if largest else 0.5
    return GridRow(
        label=row.label,
        indent=indent,
        bold=pooled or row.role == "heading",
        cells=cells,
        estimate=row.estimate,
        low=row.low,
        high=row.high,
        shape="diamond" if pooled else "bar" if row.role == "prediction" else "square",
        side=max(SMALLEST_SQUARE, LARGEST_SQUARE * min(max(share, 0.0), 1.0) ** 0.5),
        color=MUTED if row.role == "study" else INK,
        wide=row.role in ("words", "heading"),
        ruled=row.role == "total",
        lights=row.lights,
    )


def _described(row: StudyRow) -> str:
    counts = " vs ".join("/".join(pair) for pair in row.counts if any(pair))
    weight = f"weight {row.weight_text}%" if row.weight_text and row.role == "study" else ""
    said = ", ".join(part for part in (row.effect, counts, weight) if part)
    return f"{named(row.label)}: {said}" if said else named(row.label)
