"""Figures of predictions: calibration, ROC, decision curves, discrimination over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from counterpulse.report.chapters.blocks.block_tables import known, titled
from counterpulse.report.chapters.blocks.plane_parts import (
    Rows,
    line_of,
    made,
    points_of,
    rows_by,
    share_ticks,
    values_of,
)
from counterpulse.report.chapters.context import PRINTED, Context
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Figure
from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.xy import Axis, Line, Plane, Point
from counterpulse.results import Block
from counterpulse.results import Cell as Value

MOST_MODELS = 6
TREAT = {"all": "Treat everybody", "none": "Treat nobody"}


def calibration_curves(context: Context, block: Block) -> list[Figure]:
    """Predicted against observed risk, smoothed and by tenths, over the predicted risks, one figure a model."""
    found = []
    for model, rows in rows_by(block, "model").items():
        smooth = [row for row in rows if row["n"] is None and row["kind"] != "decile"]
        tenths = [row for row in rows if row not in smooth]
        lines = [line_of("Smoothed", smooth, "predicted", "observed")] if smooth else []
        lines += [line_of("Tenths of the patients", tenths, "predicted", "observed", marks=True)] if tenths else []
        lines = [line for line in lines if line.points]
        if not lines:
            continue
        everything = [*values_of(lines), *(x for line in lines for x, _ in line.points)]
        ticks = share_ticks(max(everything))
        ideal = Line(label="Perfect agreement", points=[(0.0, 0.0), (ticks[-1], ticks[-1])], dashed=True)
        bars = _counted(tenths)
        plane = Plane(
            title=titled(context, f"Calibration{_named(model)}", block),
            x=Axis(label="Predicted risk, %", ticks=ticks, percent=True), y=Axis(label="Observed risk, %", ticks=ticks, percent=True),
            lines=[*lines, ideal], bars=bars, square=True, style=context.style, width=context.figure_width,
            description="Observed against predicted risk.",
        )  # fmt: skip
        caption = f"Shaded and whiskers: {context.level_name(None)}."
        caption += " Bars on the axis: patients of each tenth, at their mean predicted risk." if bars else ""
        found.append(made(context, block, plane, caption, *([str(model)] if model else [])))
    return found


def _counted(tenths: Rows) -> list[Point]:
    """Where the patients are: each tenth's mean predicted risk and its size against the largest."""
    sizes = [(x, n) for row in tenths if (x := known(row["predicted"])) is not None and (n := known(row["n"]))]
    largest = max((n for _, n in sizes), default=1.0)
    return [(x, n / largest) for x, n in sizes]


def _named(model: Value) -> str:
    return f" of {model}" if model else ""


def roc_curves(context: Context, block: Block) -> list[Figure]:
    """Sensitivity against 1 - specificity with the area under each curve, at most six models a figure."""
    lines = []
    parts = rows_by(block, "model")
    for model, rows in parts.items():
        points = sorted((1 - x, y) for (x, y), _ in points_of(rows, "specificity", "sensitivity"))
        area = _area(context, block, str(model or ""), alone=len(parts) == 1)
        label = ": ".join(words for words in (_model(model), area) if words)
        lines.append(Line(label=label, points=[(0.0, 0.0), *points, (1.0, 1.0)]))
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    chance = Line(label="No discrimination", points=[(0.0, 0.0), (1.0, 1.0)], dashed=True)

    def plane(part: Sequence[Line]) -> Plane:
        return Plane(
            title=titled(context, "Receiver operating characteristic", block),
            x=Axis(label="1 \N{MINUS SIGN} specificity, %", ticks=ticks, percent=True),
            y=Axis(label="Sensitivity, %", ticks=ticks, percent=True),
            lines=[*part, chance], square=True, style=context.style, width=context.figure_width,
            ends=False, description=f"Sensitivity against 1 - specificity. {'; '.join(line.label or 'The model' for line in part)}.",
        )  # fmt: skip

    known_areas = any("AUC" in line.label for line in lines)
    return _parted(context, block, lines, plane, "AUC: area under the curve." if known_areas else "")


def _area(context: Context, block: Block, model: str, *, alone: bool) -> str:
    """The area under a model's curve with its interval, as the analysis estimated it."""
    stem = block.id.rsplit(".", 1)[0]
    rows = [
        row for row in context.rows(block.analysis)
        if row.estimate.measure == "c-statistic" and row.estimate.status in PRINTED and row.subgroup is None
        and row.outcome in block.id.split(".")
    ]  # fmt: skip
    own = [row for row in rows if model and model in (context.variable(str(row.estimate.variable)), row.estimate.term)]
    own = own or ([row for row in rows if row.id.rsplit(".", 1)[0] == stem] if alone else [])
    own = own or (rows if alone and len(rows) == 1 else [])
    if len(own) != 1:
        return ""
    value, bracket, rest = context.effect(own[0]).partition(" (")
    return f"AUC {value}{f' ({context.level_name(own[0])}{context.style.after_level} {rest}' if bracket else ''}"


def _parted(
    context: Context, block: Block, lines: Sequence[Line], plane: Callable[[Sequence[Line]], Plane], caption: str
) -> list[Figure]:
    starts = range(0, len(lines), MOST_MODELS)
    return [
        made(context, block, plane(lines[k : k + MOST_MODELS]), caption, *([str(k // MOST_MODELS + 1)] if k else []))
        for k in starts
    ]


def decision_curves(context: Context, block: Block) -> list[Figure]:
    """Net benefit over the threshold, against treating everybody and nobody."""
    lines = []
    for model, rows in rows_by(block, "model").items():
        strategy = str(model).lower().removeprefix("treat ").strip() if model else ""
        points = [point for point, _ in points_of(rows, "threshold", "net_benefit")]
        lines.append(
            Line(label=TREAT.get(strategy, _model(model) or "The model"), points=points, dashed=strategy == "none")
        )
    models = [line for line in lines if line.points and not line.dashed]
    if not models:
        return []
    x_ticks = share_ticks(max(x for line in lines for x, _ in line.points))
    if not any(line.dashed for line in lines):
        lines.append(Line(label=TREAT["none"], points=[(x_ticks[0], 0.0), (x_ticks[-1], 0.0)], dashed=True))
    highest = max(y for line in models for _, y in line.points)
    lowest = max(min(y for line in models for _, y in line.points), -max(highest, 0.01) / 3)
    y_ticks = linear_ticks(lowest, max(highest, 0.01))
    lines = [replace(line, points=[(x, y) for x, y in line.points if y >= y_ticks[0]]) for line in lines]
    plane = Plane(
        title=titled(context, "Decision curve", block), x=Axis(label="Threshold of risk, %", ticks=x_ticks, percent=True),
        y=Axis(label="Net benefit", ticks=y_ticks), lines=lines,
        style=context.style, width=context.figure_width, description="Net benefit by threshold.",
    )  # fmt: skip
    caption = "Net benefit: true positives a patient, less false positives weighted by the odds of the threshold. Curves end where they leave the plot."
    return [made(context, block, plane, caption)]


def time_dependent_aucs(context: Context, block: Block) -> list[Figure]:
    """The area under the time-dependent ROC curve by time."""
    lines = [line_of(_model(model), rows, "time", "estimate") for model, rows in rows_by(block, "model").items()]
    lines = [
        Line(label=line.label, points=line.points, low=line.low, high=line.high, marks=len(line.points) < 3) for line in lines if line.points
    ]  # fmt: skip
    if not lines:
        return []
    times = [x for line in lines for x, _ in line.points]
    x_ticks = linear_ticks(min([0.0, *times]), max(times))
    outcome = next((item for name, item in context.plan.outcomes.items() if f".{name}." in f"{block.id}."), None)
    unit = outcome.time_unit if outcome is not None and outcome.time_unit else "time"
    lowest = min([0.5, *values_of(lines)])

    def plane(part: Sequence[Line]) -> Plane:
        return Plane(
            title=titled(context, "Discrimination over time", block), x=Axis(label=sentence(unit), ticks=x_ticks),
            y=Axis(label="Area under the ROC curve", ticks=linear_ticks(lowest - 0.05, 1.0, about=5)), lines=part,
            rules=[[(x_ticks[0], 0.5), (x_ticks[-1], 0.5)]], legend=len(lines) > 1, style=context.style, width=context.figure_width,
            description="Time-dependent area under the ROC curve.",
        )  # fmt: skip

    return _parted(
        context, block, lines, plane, f"Shaded or whiskers: {context.level_name(None)}. Dashed: no discrimination."
    )


def _model(value: Value) -> str:
    """The name of a model in a legend."""
    return sentence(str(value)) if value is not None else ""
