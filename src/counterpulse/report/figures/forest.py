"""A forest plot of subgroups: labels and counts to the left, estimates with intervals on the axis, the numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log

from counterpulse.report.figures.forest_grid import Grid, GridColumn, GridRow, grid_scenes
from counterpulse.report.figures.lettering import named
from counterpulse.report.figures.scene import Scene
from counterpulse.report.number_styles import PLAIN, NumberStyle

SMALLEST_MARK, LARGEST_MARK = 3.4, 7.6


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One row. A heading has a label only; `cells` are counts as printed; `effect` is the estimate as printed."""

    label: str
    indent: int = 0
    bold: bool = False
    cells: Sequence[str] = ()
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    effect: str = ""
    p: str = ""
    diamond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """What is drawn. `left` and `right` say whom each side of the null favors; `ratio` asks for a log axis.

    A column is "group, what is counted"; the group stands over the counts.
    """

    title: str
    columns: Sequence[str]
    effect_label: str
    p_label: str
    rows: Sequence[ForestRow]
    axis_label: str
    ratio: bool = True
    left: str = ""
    right: str = ""
    style: NumberStyle = PLAIN


def forest_scenes(forest: Forest) -> list[Scene]:
    """Draw the forest plot on as many pages as its rows need."""
    return grid_scenes(_grid(forest))


def _grid(forest: Forest) -> Grid:
    overall = next((row.estimate for row in forest.rows if row.diamond and row.estimate is not None), None)
    return Grid(
        title=forest.title,
        head="Subgroup" if forest.p_label else "",
        before=[_column(words) for words in forest.columns],
        after=[GridColumn(forest.effect_label, "start"), GridColumn(forest.p_label, "start")],
        rows=[_row(forest, row, side) for row, side in zip(forest.rows, _sides(forest), strict=True)],
        axis_label=forest.axis_label,
        ratio=forest.ratio,
        left=forest.left,
        right=forest.right,
        guide=overall,
        style=forest.style,
        described=[_described(forest, row) for row in forest.rows],
    )


def _column(words: str) -> GridColumn:
    over, comma, counted = words.rpartition(", ")
    return GridColumn(counted, "end", over) if comma else GridColumn(words)


def _row(forest: Forest, row: ForestRow, side: float) -> GridRow:
    cells = [*row.cells, *[""] * (len(forest.columns) - len(row.cells))][: len(forest.columns)]
    return GridRow(
        label=row.label, indent=row.indent, bold=row.bold, cells=(*cells, row.effect, row.p), estimate=row.estimate,
        low=row.low, high=row.high, shape="diamond" if row.diamond else "square", side=side,
    )  # fmt: skip


def _sides(forest: Forest) -> list[float]:
    """The side of each mark, by the precision of its estimate."""
    precision = [0.0 if row.diamond else _precision(row, ratio=forest.ratio) for row in forest.rows]
    most = max([*precision, 1e-12])
    return [max(SMALLEST_MARK, LARGEST_MARK * value / most) for value in precision]


def _precision(row: ForestRow, *, ratio: bool) -> float:
    """One over the width of an interval, 0 where it has none."""
    low, high = row.low, row.high
    if low is None or high is None or not isfinite(low) or not isfinite(high) or high <= low or (ratio and low <= 0):
        return 0.0
    return 1 / (log(high) - log(low) if ratio else high - low)


def _described(forest: Forest, row: ForestRow) -> str:
    """A row in words."""
    counts = " vs ".join(cell for cell in row.cells if cell)
    p = f"{forest.p_label} {row.p}" if row.p else ""
    said = ", ".join(part for part in (row.effect, counts, p) if part)
    return f"{named(row.label)}: {said}" if said else named(row.label)
