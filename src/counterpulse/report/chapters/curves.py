"""Survival figures: a curve block with its numbers at risk becomes one picture."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.context import PRINTED, Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import anchor, inside, sentence
from counterpulse.report.document import Figure
from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.kaplan_meier import MOST_BANDS, Curve, CurveFigure, RiskRow, draw_curves
from counterpulse.report.measures import measure_of
from counterpulse.results import Block, Cell, EstimateRow

KINDS = ("survival-curve", "cumulative-incidence")


def curve_figures(context: Context, analysis: str) -> list[Figure]:
    """A figure for each curve of an analysis."""
    blocks = [block for block in context.result.blocks if block.analysis == analysis and block.kind in KINDS]
    return [_figure(context, block) for block in blocks]


def _figure(context: Context, block: Block) -> Figure:
    stem = block.id.rsplit(".", 1)[0]
    risk = next(
        (
            other for other in context.result.blocks
            if other.kind == "numbers-at-risk" and other.analysis == block.analysis and other.id.rsplit(".", 1)[0] == stem
        ),
        None,
    )  # fmt: skip
    outcome = next((name for name in context.plan.outcomes if f".{name}." in f"{block.id}."), "")
    label = context.outcome_label(outcome) if outcome else block.id
    incidence = block.kind == "cumulative-incidence"
    levels = _levels(context, block)
    planned = context.outcome(outcome)
    ticks = _ticks(block, risk)
    end = _end(block, ticks, planned.horizon if planned else None)
    variant = "".join(f", {part.replace('-', ' ')}" for part in stem.split(".")[1:] if part != outcome)
    drawing = CurveFigure(
        title=f"{'Cumulative incidence' if incidence else 'Event-free survival'}: {label}{variant}",
        curves=[_curve(context, block, level, end) for level in levels],
        end=end,
        ticks=ticks,
        tick_labels=[f"{tick:g}" for tick in ticks],
        x_label=_time_label(context, planned.time_unit if planned else None),
        y_label="Cumulative incidence, %" if incidence else "Event-free survival, %",
        origin=0.0 if incidence else 1.0,
        at_risk=[_risk_row(context, risk, level, ticks) for level in levels] if risk else (),
        note=_note(context, block, stem),
    )
    return figure(
        context,
        draw_curves(drawing),
        id=anchor(f"curve-{block.id.replace('.', '-')}"),
        caption=_caption(context, levels, risk),
    )


def _levels(context: Context, block: Block) -> list[str | None]:
    """The groups of a curve, in the plan's order."""
    seen = list(dict.fromkeys(None if group is None else str(group) for group in block.columns["group"]))
    order = [group.level for group in context.plan.groups]
    return sorted(seen, key=lambda level: order.index(level) if level in order else len(order))


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) and cell == cell else None


def _curve(context: Context, block: Block, level: str | None, end: float) -> Curve:
    rows = [row for row in block.rows() if row["group"] == level]
    times = [float(time) if (time := _number(row["time"])) is not None else 0.0 for row in rows]
    return Curve(
        label=context.group(level),
        times=times,
        values=[_number(row["estimate"]) for row in rows],
        low=[_number(row["conf_low"]) for row in rows],
        high=[_number(row["conf_high"]) for row in rows],
        reaches=min(max(times, default=0.0), end),
    )


def _ticks(block: Block, risk: Block | None) -> tuple[float, ...]:
    if risk is not None:
        times = sorted({time for cell in risk.columns["time"] if (time := _number(cell)) is not None})
        if len(times) > 1:
            return tuple(times)
    return linear_ticks(
        0.0, max((time for cell in block.columns["time"] if (time := _number(cell)) is not None), default=1.0)
    )


def _end(block: Block, ticks: Sequence[float], horizon: float | None) -> float:
    """Where the axis ends: at the horizon, or where the last curve does."""
    last = max((time for cell in block.columns["time"] if (time := _number(cell)) is not None), default=0.0)
    return max(ticks[-1], last if horizon is None else horizon)


def _risk_row(context: Context, risk: Block, level: str | None, ticks: Sequence[float]) -> RiskRow:
    rows = {row["time"]: row for row in risk.rows() if row["group"] == level}

    def counts(column: str) -> list[str]:
        found = [_number(rows[tick][column]) if tick in rows else None for tick in ticks]
        return ["" if value is None else _count(context, value) for value in found]

    further = [
        (words, found)
        for words, column in (("Events", "cumulative_events"), ("Censored", "cumulative_censored"))
        if any(found := counts(column))
    ]
    return RiskRow(context.group(level), counts("at_risk"), further)


def _count(context: Context, value: float) -> str:
    """A count, or a sum of weights with one decimal."""
    return numbers.number(value, 0 if value.is_integer() else 1, context.style)


def _time_label(context: Context, unit: str | None) -> str:
    origin = context.plan.time_zero
    words = sentence(unit or "time")
    return f"{words} since {inside(origin)}" if origin else words


def _note(context: Context, block: Block, stem: str) -> str:
    """The comparison that belongs to the curve: a ratio or difference, and the test."""
    rows = [row for row in context.rows(block.analysis) if row.id.startswith(f"{stem}.") and row.role != "covariate"]
    parts = []
    contrast = next((row for row in rows if _is_contrast(row)), None)
    if contrast is not None and len(context.plan.groups) == 2:
        item = contrast.estimate
        at = f" at {item.at.time:g} {item.at.unit or ''}".rstrip() if item.at else ""
        unit = f" {context.unit(contrast)}" if context.unit(contrast) else ""
        value, _, rest = context.effect(contrast).partition(" (")
        parts.append(
            f"{measure_of(item.measure).title}{at} {value}{unit} ({context.level_name(contrast)}{context.style.after_level} {rest}"
        )
    tests = [row for row in rows if row.estimate.measure == "test of curves"]
    source = next((row for row in (*tests, contrast) if row is not None and context.tested(row) is not None), None)
    p = context.tested(source) if source is not None else None
    if source is not None and p is not None and p == p:
        name = f"{source.estimate.term} " if source in tests else ""
        parts.append(f"{name}{numbers.p_phrase(p, context.style)}")
    return "; ".join(parts)


def _is_contrast(row: EstimateRow) -> bool:
    measure = measure_of(row.estimate.measure)
    return (
        measure.contrasts
        and row.estimate.reference is not None
        and row.estimate.status in PRINTED
        and row.subgroup is None
    )


def _caption(context: Context, levels: Sequence[str | None], risk: Block | None) -> str:
    bands = (
        f"Shaded: {context.level_name(None)}, point by point. "
        if len(levels) <= MOST_BANDS
        else "Intervals are not drawn. "
    )
    at_risk = "Numbers at risk: patients under observation just before each time. " if risk else ""
    return f"{bands}{at_risk}".strip()
