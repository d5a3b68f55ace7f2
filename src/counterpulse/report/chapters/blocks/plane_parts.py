"""What the figures in a plane share: the rows of a block as lines, their values, axes of percentages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from counterpulse.report.chapters.blocks.block_tables import block_anchor, known
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.document import Figure
from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.xy import Axis, Line, Plane, Point, draw_plane
from counterpulse.report.measures import Measure, measure_of
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Rows = Sequence[dict[str, Value]]
NARROW = 3
"""A logarithmic axis whose ends differ by less than this factor has ticks as far from each other as on a linear one."""


def made(context: Context, block: Block, plane: Plane, caption: str, *more: str) -> Figure:
    """A plane as a figure of the document."""
    return figure(context, draw_plane(plane), id=block_anchor(block, *more), caption=caption)


def rows_by(block: Block, name: str) -> dict[Value, list[dict[str, Value]]]:
    """The rows by a column, in the order in which its values stand."""
    parts: dict[Value, list[dict[str, Value]]] = {}
    for row in block.rows():
        parts.setdefault(row[name], []).append(row)
    return parts


def points_of(rows: Rows, x: str, y: str) -> list[tuple[Point, dict[str, Value]]]:
    """Where both columns are known, with the row."""
    found = []
    for row in rows:
        here = known(row[x]), known(row[y])
        if here[0] is not None and here[1] is not None:
            found.append(((here[0], here[1]), row))
    return found


def line_of(label: str, rows: Rows, x: str, y: str, *, marks: bool = False, names: Sequence[str] = ()) -> Line:
    """Two columns of a block as a line with its interval."""
    points = points_of(rows, x, y)
    return Line(
        label=label,
        points=[point for point, _ in points],
        low=[known(row.get("conf_low")) for _, row in points],
        high=[known(row.get("conf_high")) for _, row in points],
        marks=marks,
        names=names,
    )


def values_of(lines: Iterable[Line], *, intervals: bool = True) -> list[float]:
    """Every value on the axis of y, those of the intervals too."""
    found = [y for line in lines for _, y in line.points]
    ends = [end for line in lines for end in (*line.low, *line.high) if end is not None] if intervals else []
    return [*found, *ends]


def share_ticks(highest: float) -> tuple[float, ...]:
    """From none to a round share that is not below the highest, at most all."""
    return tuple(tick / 100 for tick in linear_ticks(0.0, 100 * min(max(highest, 0.01), 1.0), about=5))


def measure_in(block: Block) -> Measure:
    """The measure of a block's estimates."""
    return measure_of(next((str(name) for name in block.columns["measure"] if name is not None), ""))


def axis_label(measure: Measure) -> str:
    """The measure, with its unit, under an axis."""
    unit = {"ratio": " (log scale)", "points": ", percentage points", "probability": ", %"}.get(measure.kind, "")
    return f"{measure.title or 'Effect'}{unit}"


def effect_axis(values: Sequence[float], measure: Measure) -> Axis:
    """An axis of effects that shows all values, as they are printed."""
    if measure.kind != "ratio":
        return Axis(label=axis_label(measure), ticks=linear_ticks(min(values), max(values), about=5))
    low, high = max(min(values), 1e-6), max(values)
    ticks = linear_ticks(low, high, about=5) if high < NARROW * low else log_ticks(low, high)
    around = (ticks[0] / 2, ticks[0], ticks[0] * 2) if ticks else (0.5, 1.0, 2.0)
    return Axis(label=axis_label(measure), ticks=ticks if len(ticks) > 1 else around, log=True)
