"""Sequential meta-analysis: the cumulative Z value against the information, between the boundaries that were monitored."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import known, titled
from counterpulse.report.chapters.blocks.plane_parts import made
from counterpulse.report.chapters.blocks.synthesis import sides
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import inside
from counterpulse.report.document import Figure
from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.xy import NARROW, Axis, Line, Plane, Point
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]
HIGHEST = 8.0
"""The largest Z value drawn; boundaries that lie beyond, before much is known, begin at the edge."""
LEAST = 4.0
BOUNDARIES = (
    ("Monitoring boundary", "efficacy_high", "efficacy_low"), ("Futility boundary", "futility_high", "futility_low"),
)  # fmt: skip


def sequential(context: Context, block: Block) -> list[Figure]:
    """The trial sequential plot."""
    rows = sorted((row for row in block.rows() if known(row["fraction"]) is not None), key=_fraction)
    points = [(_information(row), z) for row in rows if (z := known(row["z"])) is not None]
    if not points:
        return []
    edge = _edge(rows)
    required = _required(rows)
    highest = max([_information(row) for row in rows] + ([required] if required is not None else []))
    x = Axis(label=_x_label(context, rows), ticks=linear_ticks(0.0, highest))
    y = Axis(label="Cumulative Z value", ticks=linear_ticks(-edge, edge, about=6))
    course = Line(label="Cumulative Z value", points=[(0.0, 0.0), *points])
    marks = Line(
        label="", points=points, marks=True, twin=True, names=_named(rows) if context.figure_width >= NARROW else ()
    )
    rules: list[list[Point]] = [[(0.0, 0.0), (x.ticks[-1], 0.0)]]
    lines = [course, marks, *_boundaries(rows, (y.ticks[0], y.ticks[-1])), *_conventional(rows, x.ticks[-1])]
    if required is not None:
        lines.append(Line(label=f"Required information, {_plain(context, required)}", points=[(required, y.ticks[0]), (required, y.ticks[-1])], rule=True))  # fmt: skip
    plane = Plane(
        title=titled(context, "Sequential meta-analysis", block), x=x, y=y, lines=lines, rules=rules, style=context.style,
        width=context.figure_width, ends=False, description=_described(context, rows, required),
    )  # fmt: skip
    caption = (
        "Each dot: the Z value of all studies so far. Beyond a monitoring boundary the effect is established although the required "
        "information is not reached; between the futility boundaries the effect looked for has been ruled out. The conventional limit "
        f"makes no allowance for looking again and again.{_favored(context, block)}"
    )
    return [made(context, block, plane, caption)]


def _fraction(row: Row) -> float:
    return known(row["fraction"]) or 0.0


def _information(row: Row) -> float:
    """The information of a row, or its share of what is required where the amount is not known."""
    found = known(row["information"])
    return _fraction(row) if found is None else found


def _required(rows: Sequence[Row]) -> float | None:
    """The information at which the share is 1."""
    row = next((row for row in reversed(rows) if _fraction(row) > 0), None)
    return None if row is None else _information(row) / _fraction(row)


def _x_label(context: Context, rows: Sequence[Row]) -> str:
    known_ = any(known(row["information"]) is not None for row in rows)
    return "Accrued information (patients)" if known_ else "Share of the required information"


def _edge(rows: Sequence[Row]) -> float:
    values = [abs(z) for row in rows if (z := known(row["z"])) is not None]
    limits = [abs(end) for row in rows if _fraction(row) >= 0.25 and (end := known(row["efficacy_high"])) is not None]
    return min(HIGHEST, max([LEAST, *(value + 0.5 for value in values), *(end + 0.5 for end in limits)]))


def _named(rows: Sequence[Row]) -> list[str]:
    """The names of the first and of the last study; the others stand in the table of the studies."""
    names = [str(row["study"] or "") for row in rows if known(row["z"]) is not None]
    return [name if k in (0, len(names) - 1) else "" for k, name in enumerate(names)]


def _boundaries(rows: Sequence[Row], ends: Point) -> list[Line]:
    lines = []
    for label, *names in BOUNDARIES:
        words = label
        for name in names:
            points = [(_information(row), end) for row in rows if (end := known(row[name])) is not None]
            cut = _cut(points, ends)
            if len(cut) > 1:
                lines.append(Line(label=words, points=cut, twin=not words))
                words = ""
    return lines


def _cut(points: Sequence[Point], ends: Point) -> list[Point]:
    """A line from where it enters the plot."""
    low, high = ends
    found: list[Point] = []
    for k, (x, y) in enumerate(points):
        inside = low <= y <= high
        if inside and not found and k:
            (x0, y0), edge = points[k - 1], high if points[k - 1][1] > high else low
            found.append((x0 + (x - x0) * (edge - y0) / (y - y0), edge))
        if inside:
            found.append((x, y))
    return found


def _conventional(rows: Sequence[Row], right: float) -> list[Line]:
    at = next((value for row in rows if (value := known(row["conventional"])) is not None), None)
    if at is None:
        return []
    return [
        Line(label="" if k else "Conventional limit", points=[(0.0, sign * at), (right, sign * at)], dashed=True)
        for k, sign in enumerate((1, -1))
    ]


def _plain(context: Context, value: float) -> str:
    return numbers.number(value, 0 if value >= 10 else 2, context.style)


def _described(context: Context, rows: Sequence[Row], required: float | None) -> str:
    """The last Z value, how much of the required information there is, and which boundary was crossed first."""
    last = [row for row in rows if known(row["z"]) is not None][-1]
    share = numbers.number(100 * _fraction(last), 0, context.style)
    words = f"After {sum(known(row['z']) is not None for row in rows)} studies Z is {numbers.number(known(last['z']) or 0.0, 2, context.style)}"
    words += f" at {share}% of the required information" + (
        "" if required is None else f" of {_plain(context, required)}"
    )
    crossed = next((row for row in rows if _beyond(row)), None)
    if crossed is not None:
        return f"{words}. A monitoring boundary was crossed with {crossed['study']}."
    return f"{words}. No monitoring boundary was crossed."


def _beyond(row: Row) -> bool:
    z, low, high = (known(row[name]) for name in ("z", "efficacy_low", "efficacy_high"))
    return z is not None and ((high is not None and z >= high) or (low is not None and z <= low))


def _favored(context: Context, block: Block) -> str:
    """Whom negative and positive values favor."""
    left, _ = sides(context, block)
    return f" Below zero: {inside(left)}." if left else ""
