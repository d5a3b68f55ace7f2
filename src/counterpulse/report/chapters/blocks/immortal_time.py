"""Immortal time: the same question under each plan, naive and safe answers side by side, with whom each leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from counterpulse.report.figures.lettering import named
from counterpulse.report.figures.scene import INK
from counterpulse.report.measures import Measure, measure_of
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


@dataclass(frozen=True, slots=True)
class _Question:
    """One question: what it is called where there are several, and its answers."""

    label: str
    rows: Sequence[Line]


def immortal_times(context: Context, block: Block) -> list[DocumentBlock]:
    """The answers to one question."""
    return immortal_time_blocks(context, [block])


def immortal_time_blocks(context: Context, blocks: Sequence[Block]) -> list[DocumentBlock]:
    """What the naive answer credits the treated with, the answers of each question as a figure, and everything in a table."""
    questions = [_Question(_label(context, block), block.rows()) for block in blocks if len(block.columns["plan"])]
    if not questions:
        return []
    return [
        *_words(context, questions),
        *_figures(context, blocks[0], questions),
        _table(context, blocks[0], questions),
    ]


def _label(context: Context, block: Block) -> str:
    """The analysis whose question it is, and its outcome."""
    record = context.record(block.analysis)
    outcome = context.outcome_label(str(block.columns["outcome"][0]))
    name = block.analysis if record is None else f"{record.id}. {record.label}"
    return name if outcome.casefold() in name.casefold() else f"{name}: {inside(outcome)}"


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


def _answer(context: Context, row: Line, *, with_measure: bool) -> str:
    """The estimate, with its measure where `with_measure`; whether there is none or it is hidden."""
    measure = measure_of(str(row["measure"]))
    if known(row["estimate"]) is None:
        return EM_DASH if context.plan.protocol.privacy.small_cells else "Not estimable"
    return f"{measure.words} {printed(context, row, measure)}" if with_measure else printed(context, row, measure)


def _words(context: Context, questions: Sequence[_Question]) -> list[Paragraph]:
    """How much time before treatment the naive plan counts as treated, and on what the answers agree."""
    rows = [row for question in questions for row in question.rows]
    naive = next((row for row in rows if is_naive(row) and known(row["credited"])), None)
    adjusted = list(dict.fromkeys(row["adjusted_for"] for row in rows))
    names = str(adjusted[0]).split(", ") if len(adjusted) == 1 and adjusted[0] else []
    covariates = f" ({listed([inside(context.variable(name)) for name in names])})" if names else ""
    plans = len({plan_words(row) for row in rows})
    same = all(len({row["adjusted_for"] for row in question.rows}) == 1 for question in questions)
    text = (
        f"The same {'question was' if len(questions) == 1 else 'questions were'} answered under {spelled(plans)} plans for the time that "
        f"the treated had to survive to be treated{f', each time with the same covariates{covariates}' if same else ''}."
    )
    if naive is not None:
        text += (
            f" The naive plan counts {_time(context, naive['credited'])} {naive['unit'] or ''} of survival before treatment as time under "
            "treatment; this alone makes a treatment look better than it is."
        )
    return [Paragraph((Run(text, cites=context.cite("suissa-2008")),))]


def _figures(context: Context, block: Block, questions: Sequence[_Question]) -> list[DocumentBlock]:
    """A forest of the plans for each measure."""
    drawn: list[DocumentBlock] = []
    measures = list(dict.fromkeys(str(row["measure"]) for question in questions for row in question.rows))
    for name in measures:
        own = [
            _Question(item.label, rows)
            for item in questions
            if (rows := [row for row in item.rows if row["measure"] == name])
        ]
        if not any(known(row["estimate"]) is not None for item in own for row in item.rows):
            continue
        for k, scene in enumerate(grid_scenes(_grid(context, name, own, several=len(questions) > 1)), start=1):
            more = [*([name] if len(measures) > 1 else []), *([str(k)] if k > 1 else [])]
            drawn.append(figure(context, scene, id=block_anchor(block, *more), caption=_caption(context)))
    return drawn


def _caption(context: Context) -> str:
    return (
        f"Squares: estimates, with {context.level_name(None)}; gray: the plan that leaves immortal time in, shown for comparison only. "
        "Left out: patients, and their time under observation, that a plan cannot use."
    )


def _grid(context: Context, name: str, questions: Sequence[_Question], *, several: bool) -> Grid:
    measure = measure_of(name)
    lines: list[GridRow] = []
    described: list[str] = []
    timed = any(known(row["person_time_left_out"]) is not None for item in questions for row in item.rows)
    for item in questions:
        if several:
            lines.append(GridRow(label=item.label, bold=True))
            described.append(named(item.label))
        for row in item.rows:
            lines.append(_grid_row(context, row, indent=int(several), timed=timed))
            described.append(f"{plan_words(row)}: {_answer(context, row, with_measure=False)}")
    unit = next((str(row["unit"]) for item in questions for row in item.rows if row["unit"]), "")
    left_out = [
        GridColumn("Patients", over="Left out"),
        GridColumn(f"Time, {unit}" if unit else "Time", over="Left out"),
    ]
    return Grid(
        title=f"Immortal time: naive and safe answers{f', {measure.words}' if several else ''}",
        head="Plan for immortal time",
        before=[GridColumn("Patients"), *left_out[: 2 if timed else 1]],
        after=[GridColumn(f"{measure.title} ({context.level_name(None)})", "start")],
        rows=lines, axis_label=_axis_label(measure), ratio=measure.kind == "ratio", style=context.style, described=described,
    )  # fmt: skip


def _axis_label(measure: Measure) -> str:
    scale = {"points": ", percentage points", "ratio": " (log scale)"}.get(measure.kind, "")
    return f"{measure.title}{scale}"


def _grid_row(context: Context, row: Line, *, indent: int, timed: bool) -> GridRow:
    measure = measure_of(str(row["measure"]))
    value, low, high = scaled(row, measure)
    cells = [
        count_text(context, row["n"]), count_text(context, row["patients_left_out"]),
        *([_time(context, row["person_time_left_out"])] if timed else []), _answer(context, row, with_measure=False),
    ]  # fmt: skip
    return GridRow(
        label=plan_words(row), indent=indent, cells=cells, estimate=value, low=low, high=high,
        color=MUTED if is_naive(row) else INK, side=6.0,
    )  # fmt: skip


def _table(context: Context, block: Block, questions: Sequence[_Question]) -> Table:
    pairs = [(item.label, row) for item in questions for row in item.rows]
    unit = next((f", {row['unit']}" for _, row in pairs if row["unit"]), "")
    body: list[Row] = []
    heading = None
    for label, row in pairs:
        if label != heading:
            heading = label
            body.append(text_row([label], strong=True))
        body.append(
            text_row(
                [
                    plan_words(row), str(row["of"] or EM_DASH), count_text(context, row["n"]), count_text(context, row["events"]),
                    count_text(context, row["patients_left_out"]), count_text(context, row["treated_left_out"]),
                    *(_time(context, row[name]) for name in ("person_time", "person_time_left_out", "credited")),
                    _answer(context, row, with_measure=True),
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
