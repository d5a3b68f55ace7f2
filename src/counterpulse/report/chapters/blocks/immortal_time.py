"""Immortal time: the same question under each plan, naive and safe answers side by side, with whom each leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    count_text,
    known,
    make_table,
    number_text,
    text_row,
    without_columns,
)
from counterpulse.report.chapters.blocks.printed_estimate import printed, scaled
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.speech import listed, spelled
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Paragraph, Row, Run, Table
from counterpulse.report.figures.forest_grid import MUTED, Grid, GridColumn, GridRow, grid_scenes
from counterpulse.report.figures.scene import INK
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Line = dict[str, Value]
MUCH = 100
NAIVE = ("as observed", "ignore-and-report", "naive", "ignore")
PLANS = {
    **dict.fromkeys(NAIVE, "Immortal time not removed (naive)"),
    "landmark": "Landmark",
    "time-varying": "Treatment changing over time",
    "clone-censor-weight": "Clone, censor, weight",
    "sequential-trials": "Sequence of nested trials",
    "nested-trials": "Sequence of nested trials",
}


def is_naive(row: Line) -> bool:
    """Whether a plan leaves immortal time where it is."""
    return str(row["plan"]) in NAIVE


def immortal_times(context: Context, block: Block) -> list[DocumentBlock]:
    """What the naive answer credits the treated with, the answers as a figure, and everything in a table."""
    rows = block.rows()
    if not rows:
        return []
    return [*_words(context, rows), *_figures(context, block, rows), _table(context, block, rows)]


def plan_words(row: Line) -> str:
    """A plan with its landmark or whatever else tells it from others of its kind."""
    name = PLANS.get(str(row["plan"]), sentence(str(row["plan"]).replace("-", " ")))
    variant = str(row["variant"] or "").strip()
    if not variant or is_naive(row):
        return name
    return f"{name}: {variant.removeprefix('landmark ').removeprefix('at ')}"


def _time(context: Context, value: Value) -> str:
    """Person-time: whole where it is much, or none."""
    found = known(value)
    return number_text(context, found, 1 if found and abs(found) < MUCH else 0)


def _answer(context: Context, row: Line, *, named: bool) -> str:
    """The estimate, with its measure where `named`; whether there is none or it is hidden."""
    measure = measure_of(str(row["measure"]))
    if known(row["estimate"]) is None:
        return EM_DASH if context.plan.protocol.privacy.small_cells else "Not estimable"
    return f"{measure.words} {printed(context, row, measure)}" if named else printed(context, row, measure)


def _words(context: Context, rows: Sequence[Line]) -> list[Paragraph]:
    """How much time before treatment the naive plan counts as treated, and on what the answers agree."""
    naive = next((row for row in rows if is_naive(row)), None)
    adjusted = list(dict.fromkeys(str(row["adjusted_for"]) for row in rows if row["adjusted_for"]))
    names = [name for text in adjusted[:1] for name in text.split(", ")]
    same = f" All are adjusted for the same covariates ({listed([inside(context.variable(name)) for name in names])})." if len(adjusted) == 1 and names else ""  # fmt: skip
    plans = len({plan_words(row) for row in rows})
    text = f"The same question was answered under {spelled(plans)} plans for the time that the treated had to survive to be treated.{same}"
    credited = None if naive is None else known(naive["credited"])
    if naive is not None and credited:
        text += (
            f" The naive plan counts {_time(context, credited)} {naive['unit'] or ''} of survival before treatment as time under "
            "treatment; this alone makes a treatment look better than it is."
        )
    return [Paragraph((Run(text, cites=context.cite("suissa-2008")),))]


def _figures(context: Context, block: Block, rows: Sequence[Line]) -> list[DocumentBlock]:
    """A forest of the plans for each measure."""
    drawn: list[DocumentBlock] = []
    measures = list(dict.fromkeys(str(row["measure"]) for row in rows))
    for name in measures:
        own = [row for row in rows if row["measure"] == name]
        if not any(known(row["estimate"]) is not None for row in own):
            continue
        for k, scene in enumerate(grid_scenes(_grid(context, name, own, several=len(measures) > 1)), start=1):
            more = [*([name] if len(measures) > 1 else []), *([str(k)] if k > 1 else [])]
            drawn.append(figure(context, scene, id=block_anchor(block, *more), caption=_caption(context)))
    return drawn


def _caption(context: Context) -> str:
    return (
        f"Squares: estimates, with {context.level_name(None)}; gray: the plan that leaves immortal time in, shown for comparison only. "
        "Left out: patients, and their time under observation, that a plan cannot use."
    )


def _grid(context: Context, name: str, rows: Sequence[Line], *, several: bool) -> Grid:
    measure = measure_of(name)
    unit = next((str(row["unit"]) for row in rows if row["unit"]), "")
    outcomes = list(dict.fromkeys(str(row["outcome"]) for row in rows))
    lines: list[GridRow] = []
    described: list[str] = []
    for outcome in outcomes:
        if len(outcomes) > 1:
            lines.append(GridRow(label=context.outcome_label(outcome), bold=True))
            described.append(context.outcome_label(outcome))
        for row in rows:
            if row["outcome"] == outcome:
                lines.append(_grid_row(context, row, indent=int(len(outcomes) > 1)))
                described.append(f"{plan_words(row)}: {_answer(context, row, named=False)}")
    axis = f"{measure.title}{' (log scale)' if measure.kind == 'ratio' else ', percentage points' if measure.kind == 'points' else ''}"
    return Grid(
        title=f"Immortal time: naive and safe answers{f', {measure.words}' if several else ''}",
        head="Plan for immortal time",
        before=[GridColumn("Patients"), GridColumn("Patients", over="Left out"), GridColumn(f"Time, {unit}" if unit else "Time", over="Left out")],
        after=[GridColumn(f"{measure.title} ({context.level_name(None)})", "start")],
        rows=lines, axis_label=axis, ratio=measure.kind == "ratio", style=context.style, described=described,
    )  # fmt: skip


def _grid_row(context: Context, row: Line, *, indent: int) -> GridRow:
    measure = measure_of(str(row["measure"]))
    value, low, high = scaled(row, measure)
    cells = [
        count_text(context, row["n"]), count_text(context, row["patients_left_out"]),
        _time(context, row["person_time_left_out"]), _answer(context, row, named=False),
    ]  # fmt: skip
    return GridRow(
        label=plan_words(row), indent=indent, cells=cells, estimate=value, low=low, high=high,
        color=MUTED if is_naive(row) else INK, side=6.0,
    )  # fmt: skip


def _table(context: Context, block: Block, rows: Sequence[Line]) -> Table:
    unit = next((f", {row['unit']}" for row in rows if row["unit"]), "")
    body: list[Row] = []
    heading = None
    for row in rows:
        if row["outcome"] != heading:
            heading = row["outcome"]
            body.append(text_row([context.outcome_label(str(heading))], strong=True))
        body.append(
            text_row(
                [
                    plan_words(row), str(row["of"] or EM_DASH), count_text(context, row["n"]), count_text(context, row["events"]),
                    count_text(context, row["patients_left_out"]), count_text(context, row["treated_left_out"]),
                    *(_time(context, row[name]) for name in ("person_time", "person_time_left_out", "credited")),
                    _answer(context, row, named=True),
                ],
                result=block.id, indent=1,
            )
        )  # fmt: skip
    table = make_table(
        context, id=f"{block_anchor(block)}-table", title="Immortal time: whom and how much time each plan leaves out",
        heads=[
            "Plan for immortal time", "Analysis", "Patients", "Events", "Patients left out", "Treated left out",
            f"Person-time{unit}", f"Person-time left out{unit}", f"Person-time credited{unit}", f"Estimate ({context.level_name(None)})",
        ],
        rows=body, wide=True, left=2,
        notes=["Credited: time before treatment that a plan counts as time under treatment."],
    )  # fmt: skip
    return without_columns(
        table, of=(f"Person-time credited{unit}", f"Person-time left out{unit}", f"Person-time{unit}")
    )
