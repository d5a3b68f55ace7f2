"""Figures in a plane: effect curves, penalties, centers."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import count_text, known, number_text, titled, where
from counterpulse.report.chapters.blocks.plane_parts import (
    Rows,
    line_of,
    made,
    points_of,
    rows_by,
    share_ticks,
    values_of,
)
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Figure
from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.xy import Axis, Line, Plane, Point
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

FARTHEST = log(6)
"""How far an interval may stretch the axis of a ratio beyond the estimates; beyond it the band is cut."""


def effect_curves(context: Context, block: Block) -> list[Figure]:
    """The effect of each value of a number against its reference."""
    parts = rows_by(block, "variable")
    drawn = [_effect(context, block, rows, several=len(parts) > 1) for rows in parts.values()]
    return [picture for picture in drawn if picture is not None]


def _effect(context: Context, block: Block, rows: Rows, *, several: bool) -> Figure | None:
    measure = measure_of(str(rows[0]["measure"]))
    ratio = measure.kind == "ratio"
    line = line_of("", rows, "value", "estimate")
    if ratio:
        line = _positive(line)
    if len(line.points) < 2:
        return None
    name, reference, null = str(rows[0]["variable"]), known(rows[0]["reference"]), measure.null or 0.0
    x_ticks = linear_ticks(min(x for x, _ in line.points), max(x for x, _ in line.points))
    x = Axis(label=sentence(context.variable(name, unit=True)), ticks=x_ticks)
    y = _effect_axis(line, ratio=ratio, null=null, label=measure.title)
    rules: list[list[Point]] = [[(x_ticks[0], null), (x_ticks[-1], null)]]
    if reference is not None:
        rules.append([(reference, y.ticks[0]), (reference, y.ticks[-1])])
    words = "" if reference is None else f" Ring: the reference, {_plain(context, reference)}{_unit(context, name)}."
    plane = Plane(
        title=_effect_title(context, block, measure.title, name), x=x, y=y, lines=[line], rules=rules,
        dots=[(reference, null)] if reference is not None else [], legend=False, style=context.style, width=context.figure_width,
        description=f"{measure.title} against {context.variable(name)}.{words}",
    )  # fmt: skip
    caption = f"Shaded: {context.level_name(None)}, point by point.{words}{' Logarithmic axis.' if ratio else ''}"
    if any(end is not None and end > y.ticks[-1] for end in line.high):
        caption += " The band is cut where it leaves the axis."
    return made(context, block, plane, caption, *([name] if several else []))


def _effect_title(context: Context, block: Block, effect: str, variable: str) -> str:
    """The effect and the variable, then the analysis and the outcome; the variable stands once."""
    place = where(context, block).removesuffix(f", {context.variable(variable)}")
    return f"{effect} by {inside(context.variable(variable))}{f': {place}' if place else ''}"


def _unit(context: Context, name: str) -> str:
    variable = context.plan.variables.get(name)
    return f" {variable.unit}" if variable is not None and variable.unit else ""


def _plain(context: Context, value: float) -> str:
    return f"{value:.6g}".replace(".", context.style.decimal_mark)


def _positive(line: Line) -> Line:
    """Without what a logarithmic axis cannot show."""
    kept = [k for k, (_, y) in enumerate(line.points) if y > 0]
    return Line(
        label=line.label, points=[line.points[k] for k in kept],
        low=[_above_zero(line.low[k]) for k in kept], high=[line.high[k] for k in kept],
    )  # fmt: skip


def _above_zero(value: float | None) -> float | None:
    return None if value is None else max(value, 1e-12)


def _effect_axis(line: Line, *, ratio: bool, null: float, label: str) -> Axis:
    estimates = [*values_of([line], intervals=False), null]
    everything = [*values_of([line]), null]
    if not ratio:
        return Axis(label=label, ticks=linear_ticks(min(everything), max(everything)))
    low = max(min(everything), min(estimates) * exp(-FARTHEST))
    high = min(max(everything), max(estimates) * exp(FARTHEST))
    ticks = log_ticks(low, high)
    return Axis(
        label=f"{label} (log scale)",
        ticks=ticks if len(ticks) > 1 else (ticks[0] / 2, ticks[0], ticks[0] * 2),
        log=True,
    )


def lasso_paths(context: Context, block: Block) -> list[Figure]:
    """The cross-validated deviance by penalty, with the number of covariates over the axis."""
    rows = [row for row in block.rows() if (known(row["penalty"]) or 0) > 0 and known(row["deviance"]) is not None]
    if len(rows) < 2:
        return []
    rows.sort(key=lambda row: known(row["penalty"]) or 0.0)
    penalties = [known(row["penalty"]) or 0.0 for row in rows]
    deviances = [known(row["deviance"]) or 0.0 for row in rows]
    errors = [known(row["std_error"]) for row in rows]
    line = Line(
        label="", points=list(zip(penalties, deviances, strict=True)),
        low=[None if e is None else d - e for d, e in zip(deviances, errors, strict=True)],
        high=[None if e is None else d + e for d, e in zip(deviances, errors, strict=True)],
    )  # fmt: skip
    ticks = log_ticks(penalties[0], penalties[-1])
    chosen = [known(row["penalty"]) or 0.0 for row in rows if row["chosen"] not in (None, "", "no")]
    y_ticks = linear_ticks(min(values_of([line])), max(values_of([line])), about=5)
    plane = Plane(
        title=titled(context, "Choice of the penalty", block), x=Axis(label="Penalty (log scale)", ticks=ticks, log=True),
        y=Axis(label="Cross-validated deviance", ticks=y_ticks), lines=[line],
        rules=[[(at, y_ticks[0]), (at, y_ticks[-1])] for at in chosen], legend=False,
        above=[count_text(context, _nearest(rows, tick)["nonzero"]) for tick in ticks], above_label="Covariates in the model",
        style=context.style, width=context.figure_width, description="Cross-validated deviance by penalty of the lasso.",
    )  # fmt: skip
    return [made(context, block, plane, "Shaded: one standard error. Dashed: the penalty that was taken.")]


def _nearest(rows: Rows, tick: float) -> dict[str, Value]:
    return min(rows, key=lambda row: abs(log(known(row["penalty"]) or 1.0) - log(tick)))


# -- centers -----------------------------------------------------------------------------------------------------------

LIMITS = (("95%", ("low_95", "high_95")), ("99.8%", ("low_998", "high_998")))


def center_funnels(context: Context, block: Block) -> list[Figure]:
    """The risk in each center against its size, within the control limits around the risk overall."""
    rows = sorted(
        (row for row in block.rows() if known(row["n"]) and known(row["risk"]) is not None),
        key=lambda row: known(row["n"]) or 0.0,
    )
    drawn = [row for row in rows if known(row["low_95"]) is not None]
    if not drawn:
        return []
    centers = line_of("A center", drawn, "n", "risk", marks=True, names=[_outside(row) for row in drawn])
    lines = [centers]
    for label, ends in LIMITS:
        for k, end in enumerate(ends):
            points = list(dict.fromkeys(point for point, _ in points_of(drawn, "n", end)))
            words = f"{label.replace('.', context.style.decimal_mark)} control limits"
            lines.append(Line(label="" if k else words, points=points, dashed=label == "99.8%"))
    overall = known(drawn[0]["overall"])
    highest = max(y for line in lines for _, y in line.points)
    x_ticks = linear_ticks(0.0, known(drawn[-1]["n"]) or 1.0)
    plane = Plane(
        title=titled(context, "Centers compared", block), x=Axis(label="Patients of the center", ticks=x_ticks),
        y=Axis(label="Risk, %", ticks=share_ticks(highest), percent=True), lines=_same_look(lines),
        rules=[] if overall is None else [[(0.0, overall), (x_ticks[-1], overall)]], style=context.style, width=context.figure_width,
        description=f"Risk by size of {len(drawn)} centers.",
    )  # fmt: skip
    caption = (
        f"Dashed: all centers together, {numbers.number(100 * overall, 1, context.style) if overall is not None else EM_DASH}%. "
        "Limits: exact binomial, of a center whose risk is that of all. Named: centers beyond the 95% limits, of which one in "
        "twenty is to be expected by chance. Crude risks: centers differ in their patients."
    )
    return [made(context, block, plane, caption)]


def _same_look(lines: Sequence[Line]) -> list[Line]:
    """The upper and lower limit as one line, so that both have one look."""
    found: list[Line] = []
    for line in lines:
        if line.label or not found:
            found.append(line)
        else:
            found.append(Line(label="", points=line.points, dashed=line.dashed, twin=True))
    return found


def _outside(row: dict[str, Value]) -> str:
    """The name of a center beyond its 95% limits."""
    risk, low, high = known(row["risk"]) or 0.0, known(row["low_95"]) or 0.0, known(row["high_95"])
    return str(row["center"]) if risk < low or (high is not None and risk > high) else ""


def center_rows(context: Context, block: Block) -> list[list[str]]:
    """The numbers of the centers as texts."""
    return [
        [
            str(row["center"]), count_text(context, row["n"]), count_text(context, row["events"]), _percent(context, row["risk"]),
            *(_limits(context, row[low], row[high]) for _, (low, high) in LIMITS),
        ]
        for row in block.rows()
    ]  # fmt: skip


def _limits(context: Context, low: Value, high: Value) -> str:
    return EM_DASH if known(low) is None else f"{_percent(context, low)} to {_percent(context, high)}"


def _percent(context: Context, value: Value) -> str:
    found = known(value)
    return EM_DASH if found is None else number_text(context, 100 * found, 1)
