"""What moves a pooled effect: each study left out or added, influence, every subset of the studies, a moderator."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    beside,
    block_anchor,
    known,
    number_text,
    published,
    published_table,
    text_row,
    titled,
)
from counterpulse.report.chapters.blocks.plane_parts import (
    Rows,
    axis_label,
    effect_axis,
    line_of,
    made,
    measure_in,
    points_of,
    rows_by,
)
from counterpulse.report.chapters.blocks.printed_estimate import printed, scaled
from counterpulse.report.chapters.blocks.synthesis import sides
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Figure, Table
from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.binned_plane import BinnedPlane, Cloud, draw_binned_plane
from counterpulse.report.figures.forest_grid import MUTED, Grid, GridColumn, GridRow, grid_scenes
from counterpulse.report.figures.scene import INK
from counterpulse.report.figures.xy import Axis, Line, Plane, Point
from counterpulse.report.measures import Measure
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]
MOST_NAMED = 30
LARGEST_BUBBLE, SMALLEST_BUBBLE = 11.0, 1.8
EDGE = 0.03
"""The room for the disks at both ends of an axis, as a share of its range."""
FARTHEST = 2.0
"""How far a band may stretch the axis beyond the estimates, as a share of their range."""
ALL = "All studies"


# -- one study less, one study more ------------------------------------------------------------------------------------


def leave_one_out(context: Context, block: Block) -> list[Figure]:
    """The pooled effect without each study."""
    caption = "Each row: the pooled estimate without that study. Dashed: with all studies."
    return _series(context, block, "Each study left out", "Without", caption)


def cumulative(context: Context, block: Block) -> list[Figure]:
    """The pooled effect as studies were added."""
    caption = "Each row: the pooled estimate of that study and all above it. Dashed: with all studies."
    return _series(context, block, "Cumulative meta-analysis", "Study added", caption)


def _series(context: Context, block: Block, words: str, head: str, caption: str) -> list[Figure]:
    rows = block.rows()
    if not rows:
        return []
    measure = measure_in(block)
    sizes = len({row["k"] for row in rows}) > 1
    heads = ["Studies"] if sizes else []
    left, right = sides(context, block)
    found = [_series_row(context, row, measure, sizes=sizes) for row in rows]
    grid = Grid(
        title=titled(context, words, block), head=head,
        before=[GridColumn(title, "end") for title in (*heads, "τ²", "I², %")],
        after=[GridColumn(f"{measure.title} ({context.level_name(None)})", "start"), GridColumn(context.style.p.letter, "start")],
        rows=found, axis_label=axis_label(measure), ratio=measure.kind == "ratio", guide=_total(context, block, measure),
        style=context.style, described=[f"{row.label}: {row.cells[-2]}" for row in found], left=left, right=right,
    )  # fmt: skip
    if grid.guide is None:
        caption = caption.replace(" Dashed: with all studies.", "")
    return [
        figure(context, scene, id=block_anchor(block, *([str(k)] if k > 1 else [])), caption=caption)
        for k, scene in enumerate(grid_scenes(grid), start=1)
    ]


def _series_row(context: Context, row: Row, measure: Measure, *, sizes: bool) -> GridRow:
    whole = row["study"] is None
    value, low, high = scaled(row, measure)
    share, p = known(row["i_squared"]), known(row["p_value"])
    cells = [
        *([published(context, row["k"])] if sizes else []),
        _heterogeneity(context, row["tau_squared"]), number_text(context, None if share is None else 100 * share, 0),
        "Not estimable" if value is None else printed(context, row, measure), "" if p is None else numbers.p_value(p, context.style),
    ]  # fmt: skip
    return GridRow(
        label=ALL if whole else str(row["study"]), bold=whole, cells=cells, estimate=value, low=low, high=high,
        shape="diamond" if whole else "square", color=INK if whole else MUTED, ruled=whole,
    )  # fmt: skip


def _heterogeneity(context: Context, value: Value) -> str:
    """A variance between studies, with the places that its size asks for."""
    found = known(value)
    return number_text(context, value, 2 if found is None or found >= 10 else 3)


def _total(context: Context, block: Block, measure: Measure) -> float | None:
    """The pooled effect of all studies, from the forest plot of the same analysis."""
    forest = beside(context, block, "study-forest")
    total = next((row for row in forest.rows() if row["role"] == "total"), None) if forest else None
    return scaled(total, measure)[0] if total else None


# -- influence ---------------------------------------------------------------------------------------------------------

INFLUENCE = (
    ("residual", "Studentized residual", 2), ("dffits", "DFFITS", 2), ("cook_distance", "Cook's distance", 2),
    ("covariance_ratio", "Covariance ratio", 2), ("tau_squared", "τ² without", 3), ("q", "Q without", 2), ("hat", "Leverage", 3),
    ("dfbetas", "DFBETAS", 2),
)  # fmt: skip


def influence(context: Context, block: Block) -> list[DocumentBlock]:
    """What each study does to the fit, and Baujat's plot."""
    rows = block.rows()
    if not rows:
        return []
    table = _influence_table(context, block, rows)
    return [*_baujat(context, block, rows), table]


def _influence_table(context: Context, block: Block, rows: Sequence[Row]) -> Table:
    body = []
    for row in rows:
        share = known(row["weight"])
        cells = [number_text(context, row[name], places) for name, _, places in INFLUENCE]
        weight = number_text(context, None if share is None else 100 * share, 1)
        marked = row["influential"] == "yes"
        cells = [str(row["study"] or ""), weight, *cells, "yes" if marked else "no"]
        body.append(text_row(cells, result=block.id, strong=marked))
    return published_table(
        context, id=f"{block_anchor(block)}-table", title=titled(context, "Influence of each study", block),
        heads=["Study", "Weight, %", *(head for _, head, _ in INFLUENCE), "Influential"], rows=body, wide=True,
        notes=[
            "Influential, in bold: a study whose removal changes the fit more than the usual limits allow. That is a reason to read the "
            "study again, not to leave it out.",
        ],
    )  # fmt: skip


def _baujat(context: Context, block: Block, rows: Sequence[Row]) -> list[Figure]:
    points = points_of(rows, "q_share", "shift")
    if len(points) < 2:
        return []
    lines = [
        Line(
            label=label, points=[point for point, row in own], marks=True, hollow=hollow, ink=not hollow,
            names=[str(row["study"] or "") if len(points) <= MOST_NAMED or hollow else "" for _, row in own],
        )
        for label, hollow in (("A study", False), ("Influential study", True))
        if (own := [(point, row) for point, row in points if (row["influential"] == "yes") is hollow])
    ]  # fmt: skip
    plane = Plane(
        title=titled(context, "Baujat plot", block),
        x=Axis(label="Contribution to heterogeneity (Q)", ticks=linear_ticks(0.0, max(x for (x, _), _ in points))),
        y=Axis(label="Influence on the pooled estimate", ticks=linear_ticks(0.0, max(y for (_, y), _ in points), about=5)),
        lines=lines, legend=len(lines) > 1, style=context.style, width=context.figure_width, ends=False,
        description=f"{len(points)} studies by what they add to heterogeneity and how far they move the pooled estimate. "
        + _farthest(points),
    )  # fmt: skip
    caption = "To the right: studies that disagree with the others. Up: studies without which the pooled estimate would move most."
    return [made(context, block, plane, caption, "baujat")]


def _farthest(points: Sequence[tuple[Point, Row]]) -> str:
    names = [str(max(points, key=lambda pair: pair[0][axis])[1]["study"] or "") for axis in (0, 1)]
    return f"Most heterogeneity: {names[0]}. Most influence: {names[1]}."


# -- every subset ------------------------------------------------------------------------------------------------------


def gosh(context: Context, block: Block) -> list[Figure]:
    """The pooled estimate and I-squared of every subset, with and without the study that is named."""
    measure = measure_in(block)
    rows = [row for row in block.rows() if known(row["i_squared"]) is not None and _positive(row, measure)]
    if not rows:
        return []
    clouds = []
    for study in dict.fromkeys(row["study"] for row in rows):
        own = [row for row in rows if row["study"] == study]
        parts = [("With", [row for row in own if row["without"] != "yes"]), ("Without", [row for row in own if row["without"] == "yes"])]  # fmt: skip
        for words, part in parts if study is not None else [("Subsets", own)]:
            head = f"{words} {study}" if study is not None else "All subsets"
            clouds.append(Cloud(f"{head} (n = {numbers.count(len(part), context.style)})", _cloud(part, measure)))
    clouds = [cloud for cloud in clouds if cloud.points]
    values = [x for cloud in clouds for x, _ in cloud.points]
    scene = draw_binned_plane(
        BinnedPlane(
            title=titled(context, "Every subset of the studies", block), clouds=clouds, x=effect_axis(values, measure),
            y=Axis(label="I², %", ticks=(0.0, 0.25, 0.5, 0.75, 1.0), percent=True), counted="subsets", rule=measure.null,
            width=context.figure_width, style=context.style,
            description=f"{measure.title} and I² of {numbers.count(sum(len(cloud.points) for cloud in clouds), context.style)} subsets of the studies.",
        )
    )  # fmt: skip
    caption = (
        "Each subset of the studies was pooled; the darker a square, the more subsets lie in it. Above: their estimates. Two separate "
        "clouds would mean that studies estimate different effects."
    )
    return [figure(context, scene, id=block_anchor(block), caption=caption)]


def _positive(row: Row, measure: Measure) -> bool:
    value = known(row["estimate"])
    return value is not None and (value > 0 or measure.kind != "ratio")


def _cloud(rows: Sequence[Row], measure: Measure) -> list[Point]:
    return [(scaled(row, measure)[0] or 0.0, known(row["i_squared"]) or 0.0) for row in rows]


# -- a moderator -------------------------------------------------------------------------------------------------------


def bubbles(context: Context, block: Block) -> list[Figure]:
    """The studies and the fitted line of each moderator that is a number."""
    parts = rows_by(block, "moderator")
    drawn = [_bubble(context, block, rows, several=len(parts) > 1) for rows in parts.values()]
    return [picture for picture in drawn if picture is not None]


def _bubble(context: Context, block: Block, rows: Rows, *, several: bool) -> Figure | None:
    measure = measure_in(block)
    natural = [
        row | dict(zip(("estimate", "conf_low", "conf_high"), scaled(row, measure), strict=True))
        for row in rows if _positive(row, measure)
    ]  # fmt: skip
    studies = points_of([row for row in natural if row["role"] == "study"], "value", "estimate")
    fitted_rows = sorted((row for row in natural if row["role"] == "line"), key=lambda row: known(row["value"]) or 0.0)
    if len(studies) < 2:
        return None
    name = str(rows[0]["moderator"])
    line = line_of("Meta-regression", fitted_rows, "value", "estimate")
    largest = max((known(row["weight"]) or 0.0 for _, row in studies), default=0.0) or 1.0
    marks = Line(
        label="A study", points=[point for point, _ in studies], marks=True, ink=True,
        radii=[max(SMALLEST_BUBBLE, LARGEST_BUBBLE * sqrt((known(row["weight"]) or 0.0) / largest)) for _, row in studies],
        names=[str(row["study"] or "") if len(studies) <= MOST_NAMED else "" for _, row in studies],
    )  # fmt: skip
    xs = [x for line_ in (line, marks) for x, _ in line_.points]
    room = EDGE * (max(xs) - min(xs))
    x_ticks = linear_ticks(min(xs) - room, max(xs) + room)
    y = effect_axis(_reach([y for line_ in (line, marks) for _, y in line_.points], line, measure), measure)
    null = measure.null
    plane = Plane(
        title=f"{titled(context, f'{measure.title} by {inside(context.variable(name))}', block)}",
        x=Axis(label=sentence(context.variable(name, unit=True)), ticks=x_ticks), y=y, lines=[line, marks],
        rules=[[(x_ticks[0], null), (x_ticks[-1], null)]] if null is not None and y.ticks[0] <= null <= y.ticks[-1] else [],
        legend=False, style=context.style, width=context.figure_width,
        description=f"{measure.title} of {len(studies)} studies against {inside(context.variable(name))}.",
    )  # fmt: skip
    caption = (
        f"Disks: studies, their area by weight. Line: the meta-regression, with its {context.level_name(None)} shaded. "
        "Studies, not patients, are compared: what holds across them need not hold within them."
    )
    return made(context, block, plane, caption, *([name] if several else []))


def _reach(values: Sequence[float], line: Line, measure: Measure) -> list[float]:
    """The estimates, and the band as far as it is not much wider than they are."""
    low, high = min(values), max(values)
    ends = [end for end in (*line.low, *line.high) if end is not None]
    if measure.kind == "ratio":
        spread = max(high / low, 1.5)
        return [*values, *(min(max(end, low / spread), high * spread) for end in ends)]
    span = FARTHEST * max(high - low, 1e-9)
    return [*values, *(min(max(end, low - span), high + span) for end in ends)]
