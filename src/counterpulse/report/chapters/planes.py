"""Figures of curves in a plane: effect curves, calibration, ROC, decision curves, penalties, centers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import exp, log

from counterpulse.report import numbers
from counterpulse.report.chapters.block_tables import block_anchor, count_text, known, number_text, titled, where
from counterpulse.report.chapters.context import EM_DASH, Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Figure
from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.xy import Axis, Line, Plane, Point, draw_plane
from counterpulse.report.measures import measure_of
from counterpulse.results import Block
from counterpulse.results import Cell as Value

FARTHEST = log(6)
"""How far an interval may stretch the axis of a ratio beyond the estimates; beyond it the band is cut."""
MOST_MODELS = 6
TREAT = {"all": "Treat everybody", "none": "Treat nobody"}
Rows = Sequence[dict[str, Value]]


def _made(context: Context, block: Block, plane: Plane, caption: str, *more: str) -> Figure:
    return figure(context, draw_plane(plane), id=block_anchor(block, *more), caption=caption)


def _by(block: Block, name: str) -> dict[Value, list[dict[str, Value]]]:
    """The rows by a column, in the order in which its values stand."""
    parts: dict[Value, list[dict[str, Value]]] = {}
    for row in block.rows():
        parts.setdefault(row[name], []).append(row)
    return parts


def _points(rows: Rows, x: str, y: str) -> list[tuple[Point, dict[str, Value]]]:
    found = []
    for row in rows:
        here = known(row[x]), known(row[y])
        if here[0] is not None and here[1] is not None:
            found.append(((here[0], here[1]), row))
    return found


def _line(label: str, rows: Rows, x: str, y: str, *, marks: bool = False, names: Sequence[str] = ()) -> Line:
    points = _points(rows, x, y)
    return Line(
        label=label,
        points=[point for point, _ in points],
        low=[known(row.get("conf_low")) for _, row in points],
        high=[known(row.get("conf_high")) for _, row in points],
        marks=marks,
        names=names,
    )


def _values(lines: Iterable[Line], *, intervals: bool = True) -> list[float]:
    found = [y for line in lines for _, y in line.points]
    ends = [end for line in lines for end in (*line.low, *line.high) if end is not None] if intervals else []
    return [*found, *ends]


def _model(value: Value) -> str:
    return str(value) if value is not None else ""


# -- effects -----------------------------------------------------------------------------------------------------------


def effect_curves(context: Context, block: Block) -> list[Figure]:
    """The effect of each value of a number against its reference."""
    parts = _by(block, "variable")
    drawn = [_effect(context, block, rows, several=len(parts) > 1) for rows in parts.values()]
    return [picture for picture in drawn if picture is not None]


def _effect(context: Context, block: Block, rows: Rows, *, several: bool) -> Figure | None:
    measure = measure_of(str(rows[0]["measure"]))
    ratio = measure.kind == "ratio"
    line = _line("", rows, "value", "estimate")
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
        dots=[(reference, null)] if reference is not None else [], legend=False, decimal_mark=context.style.decimal_mark,
        description=f"{measure.title} against {context.variable(name)}.{words}",
    )  # fmt: skip
    caption = f"Shaded: {context.level_name(None)}, point by point.{words}{' Logarithmic axis.' if ratio else ''}"
    if any(end is not None and end > y.ticks[-1] for end in line.high):
        caption += " The band is cut where it leaves the axis."
    return _made(context, block, plane, caption, *([name] if several else []))


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
    estimates = [*_values([line], intervals=False), null]
    everything = [*_values([line]), null]
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


# -- predictions -------------------------------------------------------------------------------------------------------


def calibration_curves(context: Context, block: Block) -> list[Figure]:
    """Predicted against observed risk, smoothed and by tenths, one figure a model."""
    found = []
    for model, rows in _by(block, "model").items():
        smooth = [row for row in rows if row["n"] is None and row["kind"] != "decile"]
        tenths = [row for row in rows if row not in smooth]
        lines = [_line("Smoothed", smooth, "predicted", "observed")] if smooth else []
        lines += [_line("Tenths of the patients", tenths, "predicted", "observed", marks=True)] if tenths else []
        lines = [line for line in lines if line.points]
        if not lines:
            continue
        everything = [*_values(lines), *(x for line in lines for x, _ in line.points)]
        ticks = _share_ticks(max(everything))
        plane = Plane(
            title=titled(context, f"Calibration{_named(model)}", block),
            x=Axis(label="Predicted risk, %", ticks=ticks, percent=True), y=Axis(label="Observed risk, %", ticks=ticks, percent=True),
            lines=lines, rules=[[(0.0, 0.0), (ticks[-1], ticks[-1])]], square=True, decimal_mark=context.style.decimal_mark,
            description="Observed against predicted risk.",
        )  # fmt: skip
        caption = f"Dashed diagonal: perfect agreement. Shaded and whiskers: {context.level_name(None)}."
        found.append(_made(context, block, plane, caption, *([str(model)] if model else [])))
    return found


def _named(model: Value) -> str:
    return f" of {model}" if model else ""


def _share_ticks(highest: float) -> tuple[float, ...]:
    """From none to a round share that is not below the highest, at most all."""
    return tuple(tick / 100 for tick in linear_ticks(0.0, 100 * min(max(highest, 0.01), 1.0), about=5))


def roc_curves(context: Context, block: Block) -> list[Figure]:
    """Sensitivity against 1 - specificity, at most six models a figure."""
    lines = []
    for model, rows in _by(block, "model").items():
        points = sorted((1 - x, y) for (x, y), _ in _points(rows, "specificity", "sensitivity"))
        lines.append(Line(label=_model(model), points=[(0.0, 0.0), *points, (1.0, 1.0)]))
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

    def plane(part: Sequence[Line]) -> Plane:
        return Plane(
            title=titled(context, "Receiver operating characteristic", block),
            x=Axis(label="1 \N{MINUS SIGN} specificity, %", ticks=ticks, percent=True),
            y=Axis(label="Sensitivity, %", ticks=ticks, percent=True),
            lines=part, rules=[[(0.0, 0.0), (1.0, 1.0)]], square=True, legend=len(lines) > 1,
            description=f"Sensitivity against 1 - specificity of {', '.join(line.label or 'the model' for line in part)}.",
        )  # fmt: skip

    return _parted(context, block, lines, plane, "Dashed diagonal: no discrimination.")


def _parted(
    context: Context, block: Block, lines: Sequence[Line], plane: Callable[[Sequence[Line]], Plane], caption: str
) -> list[Figure]:
    starts = range(0, len(lines), MOST_MODELS)
    return [
        _made(context, block, plane(lines[k : k + MOST_MODELS]), caption, *([str(k // MOST_MODELS + 1)] if k else []))
        for k in starts
    ]


def decision_curves(context: Context, block: Block) -> list[Figure]:
    """Net benefit over the threshold, against treating everybody and nobody."""
    lines = []
    for model, rows in _by(block, "model").items():
        strategy = str(model).lower().removeprefix("treat ").strip() if model else ""
        points = [point for point, _ in _points(rows, "threshold", "net_benefit")]
        lines.append(
            Line(label=TREAT.get(strategy, _model(model) or "The model"), points=points, dashed=strategy == "none")
        )
    models = [line for line in lines if line.points and not line.dashed]
    if not models:
        return []
    x_ticks = _share_ticks(max(x for line in lines for x, _ in line.points))
    if not any(line.dashed for line in lines):
        lines.append(Line(label=TREAT["none"], points=[(x_ticks[0], 0.0), (x_ticks[-1], 0.0)], dashed=True))
    highest = max(y for line in models for _, y in line.points)
    lowest = max(min(y for line in models for _, y in line.points), -max(highest, 0.01) / 3)
    y_ticks = linear_ticks(lowest, max(highest, 0.01))
    lines = [replace(line, points=[(x, y) for x, y in line.points if y >= y_ticks[0]]) for line in lines]
    plane = Plane(
        title=titled(context, "Decision curve", block), x=Axis(label="Threshold of risk, %", ticks=x_ticks, percent=True),
        y=Axis(label="Net benefit", ticks=y_ticks), lines=lines,
        decimal_mark=context.style.decimal_mark, description="Net benefit by threshold.",
    )  # fmt: skip
    caption = "Net benefit: true positives a patient, less false positives weighted by the odds of the threshold. Curves end where they leave the plot."
    return [_made(context, block, plane, caption)]


def time_dependent_aucs(context: Context, block: Block) -> list[Figure]:
    """The area under the time-dependent ROC curve by time."""
    lines = [_line(_model(model), rows, "time", "estimate") for model, rows in _by(block, "model").items()]
    lines = [
        Line(label=line.label, points=line.points, low=line.low, high=line.high, marks=len(line.points) < 3) for line in lines if line.points
    ]  # fmt: skip
    if not lines:
        return []
    times = [x for line in lines for x, _ in line.points]
    x_ticks = linear_ticks(min([0.0, *times]), max(times))
    outcome = next((item for name, item in context.plan.outcomes.items() if f".{name}." in f"{block.id}."), None)
    unit = outcome.time_unit if outcome is not None and outcome.time_unit else "time"
    lowest = min([0.5, *_values(lines)])

    def plane(part: Sequence[Line]) -> Plane:
        return Plane(
            title=titled(context, "Discrimination over time", block), x=Axis(label=sentence(unit), ticks=x_ticks),
            y=Axis(label="Area under the ROC curve", ticks=linear_ticks(lowest, 1.0, about=5)), lines=part,
            rules=[[(x_ticks[0], 0.5), (x_ticks[-1], 0.5)]], legend=len(lines) > 1, decimal_mark=context.style.decimal_mark,
            description="Time-dependent area under the ROC curve.",
        )  # fmt: skip

    return _parted(
        context, block, lines, plane, f"Shaded or whiskers: {context.level_name(None)}. Dashed: no discrimination."
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
    y_ticks = linear_ticks(min(_values([line])), max(_values([line])), about=5)
    plane = Plane(
        title=titled(context, "Choice of the penalty", block), x=Axis(label="Penalty (log scale)", ticks=ticks, log=True),
        y=Axis(label="Cross-validated deviance", ticks=y_ticks), lines=[line],
        rules=[[(at, y_ticks[0]), (at, y_ticks[-1])] for at in chosen], legend=False,
        above=[count_text(context, _nearest(rows, tick)["nonzero"]) for tick in ticks], above_label="Covariates in the model",
        decimal_mark=context.style.decimal_mark, description="Cross-validated deviance by penalty of the lasso.",
    )  # fmt: skip
    return [_made(context, block, plane, "Shaded: one standard error. Dashed: the penalty that was taken.")]


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
    centers = _line("A center", drawn, "n", "risk", marks=True, names=[_outside(row) for row in drawn])
    lines = [centers]
    for label, ends in LIMITS:
        for k, end in enumerate(ends):
            points = list(dict.fromkeys(point for point, _ in _points(drawn, "n", end)))
            lines.append(Line(label="" if k else f"{label} control limits", points=points, dashed=label == "99.8%"))
    overall = known(drawn[0]["overall"])
    highest = max(y for line in lines for _, y in line.points)
    x_ticks = linear_ticks(0.0, known(drawn[-1]["n"]) or 1.0)
    plane = Plane(
        title=titled(context, "Centers compared", block), x=Axis(label="Patients of the center", ticks=x_ticks),
        y=Axis(label="Risk, %", ticks=_share_ticks(highest), percent=True), lines=_same_look(lines),
        rules=[] if overall is None else [[(0.0, overall), (x_ticks[-1], overall)]], decimal_mark=context.style.decimal_mark,
        description=f"Risk by size of {len(drawn)} centers.",
    )  # fmt: skip
    caption = (
        f"Dashed: all centers together, {numbers.number(100 * overall, 1, context.style) if overall is not None else EM_DASH}%. "
        "Limits: exact binomial, of a center whose risk is that of all. Named: centers beyond the 95% limits, of which one in "
        "twenty is to be expected by chance. Crude risks: centers differ in their patients."
    )
    return [_made(context, block, plane, caption)]


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
