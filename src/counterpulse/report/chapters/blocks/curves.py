"""Survival figures: a curve block with its numbers at risk becomes one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import groups_in_order, known
from counterpulse.report.chapters.context import PRINTED, Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import anchor, inside, proper, sentence
from counterpulse.report.document import Figure
from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.kaplan_meier import MOST_BANDS, Curve, CurveFigure, RiskRow, draw_curves
from counterpulse.report.figures.lettering import tick_texts
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block, Cell, EstimateRow

OF_INCIDENCE = ("aalen-johansen", "fine-gray")
"""Methods whose contrasts belong to a curve of incidence."""
COMPETING = " Patients with a competing event stay in the denominator: they can no longer have this event."
UPWARD = " Drawn upward, as one minus event-free survival, because events are few."
RARE = 0.7
"""Where every curve of survival stays above this, events are drawn upward on an axis that shows them (Pocock, Lancet
2002;359:1686-1689, doi:10.1016/S0140-6736(02)08594-X)."""
MOST_CENSORED = 60
"""Times of censoring a group up to which each has its mark; more would hide the curve."""


def curve_figures(context: Context, block: Block) -> list[Figure]:
    """The figure of a block of curves; one for each cause where there are several."""
    causes = list(dict.fromkeys(block.columns.get("cause", ())))
    if len(causes) < 2:
        return [_figure(context, block, str(causes[0]) if causes and causes[0] is not None else "")]
    return [_figure(context, _of_cause(block, cause), str(cause), str(cause)) for cause in causes]


def _of_cause(block: Block, cause: Cell) -> Block:
    rows = [row for row in block.rows() if row["cause"] == cause]
    return replace(block, columns={name: tuple(row[name] for row in rows) for name in block.columns})


def _own(context: Context, outcome: str, cause: str) -> bool:
    """Whether a cause is the outcome itself, and not what competes with it."""
    return cause in ("", "event", outcome, context.outcome_label(outcome))


def _cause(context: Context, outcome: str, cause: str) -> str:
    """What is added to the title for a cause that is not the outcome itself."""
    if _own(context, outcome, cause):
        return ""
    if cause == "competing":
        return ": the competing event"
    return f": {context.outcome_label(cause) if cause in context.plan.outcomes else context.variable(cause)}"


def _figure(context: Context, block: Block, cause: str = "", *more: str) -> Figure:
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
    given = block.kind == "cumulative-incidence"
    upward = not given and _rare(block)
    block = _upward(block) if upward else block
    incidence = given or upward
    levels = groups_in_order(context, block.columns["group"])
    planned = context.outcome(outcome)
    ticks = _ticks(block, risk)
    end = _end(block, ticks, planned.horizon if planned else None)
    variant = "".join(f", {part.replace('-', ' ')}" for part in stem.split(".")[1:] if part != outcome)
    marked = not given and _few_censored(block)
    drawing = CurveFigure(
        title=f"{'Cumulative incidence' if incidence else 'Event-free survival'}: {label}{_cause(context, outcome, cause)}{variant}",
        curves=[_curve(context, block, level, end, marked=marked) for level in levels],
        end=end,
        ticks=ticks,
        tick_labels=tick_texts(ticks, context.style),
        x_label=_time_label(context, planned.time_unit if planned else None),
        y_label="Cumulative incidence, %" if incidence else "Event-free survival, %",
        origin=0.0 if incidence else 1.0,
        at_risk=[_risk_row(context, risk, level, ticks, incidence=given) for level in levels] if risk else (),
        note=_note(context, block, stem) if not given or _own(context, outcome, cause) else "",
        top=_top(block) if incidence else 1.0,
        width=context.figure_width,
        style=context.style,
    )
    return figure(
        context,
        draw_curves(drawing),
        id=anchor("-".join((f"curve-{block.id.replace('.', '-')}", *more))),
        caption=_caption(context, drawing, marked=marked) + (COMPETING if given else UPWARD if upward else ""),
    )


def _rare(block: Block) -> bool:
    """Whether a curve of survival stays high in every group."""
    heights = _values(block, "estimate")
    return bool(heights) and min(heights) > RARE


def _values(block: Block, *names: str) -> list[float]:
    """What is known of some columns."""
    return [value for name in names for cell in block.columns[name] if (value := known(cell)) is not None]


def _upward(block: Block) -> Block:
    """A curve of survival as one of those with the event."""

    def turned(name: str) -> tuple[Cell, ...]:
        return tuple(None if (value := known(cell)) is None else 1 - value for cell in block.columns[name])

    changed = {"estimate": turned("estimate"), "conf_low": turned("conf_high"), "conf_high": turned("conf_low")}
    return replace(block, columns={**block.columns, **changed})


def _few_censored(block: Block) -> bool:
    """Whether some times of censoring are known, and so few in each group that every one can have its mark."""
    times: dict[Cell, int] = {}
    for row in block.rows():
        if (known(row.get("censored")) or 0) > 0:
            times[row["group"]] = times.get(row["group"], 0) + 1
    return bool(times) and max(times.values()) <= MOST_CENSORED


def _top(block: Block) -> float:
    """The highest tick of an axis of incidence: round, and not far above the curves."""
    highest = max(_values(block, "estimate", "conf_high"), default=1.0)
    return min(1.0, linear_ticks(0.0, 100 * max(highest, 0.01), about=5)[-1] / 100)


def _curve(context: Context, block: Block, level: str | None, end: float, *, marked: bool) -> Curve:
    rows = [row for row in block.rows() if row["group"] == level]
    times = [float(time) if (time := known(row["time"])) is not None else 0.0 for row in rows]
    return Curve(
        label=context.group(level),
        times=times,
        values=[known(row["estimate"]) for row in rows],
        low=[known(row["conf_low"]) for row in rows],
        high=[known(row["conf_high"]) for row in rows],
        reaches=min(max(times, default=0.0), end),
        censored=[
            time for time, row in zip(times, rows, strict=True) if marked and (known(row.get("censored")) or 0) > 0
        ],
    )


def _ticks(block: Block, risk: Block | None) -> tuple[float, ...]:
    if risk is not None:
        times = sorted(set(_values(risk, "time")))
        if len(times) > 1:
            return tuple(times)
    return linear_ticks(0.0, max(_values(block, "time"), default=1.0))


def _end(block: Block, ticks: Sequence[float], horizon: float | None) -> float:
    """Where the axis ends: at the horizon, or where the last curve does."""
    last = max(_values(block, "time"), default=0.0)
    return max(ticks[-1], last if horizon is None else horizon)


def _risk_row(
    context: Context, risk: Block, level: str | None, ticks: Sequence[float], *, incidence: bool = False
) -> RiskRow:
    """The counts of a group; beside an incidence the events are those of every cause."""
    rows = {row["time"]: row for row in risk.rows() if row["group"] == level}

    def counts(column: str) -> list[str]:
        found = [known(rows[tick][column]) if tick in rows else None for tick in ticks]
        return [EM_DASH if value is None else _count(context, value) for value in found]

    if context.plan.protocol.report.figures.risk_table == "at-risk":
        return RiskRow(context.group(level), counts("at_risk"))
    columns = (("Censored", "cumulative_censored"), ("Any event" if incidence else "Events", "cumulative_events"))
    further = [(words, found) for words, column in columns if set(found := counts(column)) != {EM_DASH}]
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
    if block.kind == "cumulative-incidence":
        rows = [row for row in rows if row.method in OF_INCIDENCE]
    parts = []
    contrast = next((row for row in rows if _is_contrast(row)), None)
    if contrast is not None and len(context.plan.groups) == 2:
        item = contrast.estimate
        at = f" {context.at(item)}" if item.at else ""
        unit = f" {context.unit(contrast)}" if context.unit(contrast) else ""
        value, _, rest = context.effect(contrast).partition(" (")
        parts.append(
            f"{measure_of(item.measure).title}{at} {value}{unit} ({context.level_name(contrast)}{context.style.after_level} {rest}"
        )
    tests = [row for row in rows if row.estimate.measure == "test of curves"]
    source = next((row for row in (*tests, contrast) if row is not None and context.tested(row) is not None), None)
    p = context.tested(source) if source is not None else None
    if source is not None and p is not None and p == p:
        name = f"{proper(source.estimate.term)} " if source in tests else ""
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


def _caption(context: Context, drawing: CurveFigure, *, marked: bool) -> str:
    parts = [
        f"Shaded: {context.level_name(None)}, point by point."
        if len(drawing.curves) <= MOST_BANDS
        else "Intervals are not drawn."
    ]
    if marked:
        parts.append("Upright marks: censored.")
    if drawing.at_risk:
        parts.append("Numbers at risk: patients under observation just before each time.")
    if any(row.further for row in drawing.at_risk):
        parts.append("Censored and events: up to each time.")
    if smallest := context.plan.protocol.privacy.small_cells:
        parts.append(
            f"Steps of fewer than {smallest} events are joined, and a curve ends at the last step that is shown."
        )
    return " ".join(parts)
