"""How firmly conclusions stand: tipping points, all specifications, and how analyses do where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    count_text,
    known,
    make_table,
    number_text,
    text_row,
    titled,
    where,
)
from counterpulse.report.chapters.blocks.plane_parts import effect_axis, line_of, made, values_of
from counterpulse.report.chapters.blocks.printed_estimate import printed, scaled
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Figure, Table
from counterpulse.report.figures.axes import linear_ticks
from counterpulse.report.figures.specifications import SpecificationFigure, Specified, draw_specifications
from counterpulse.report.figures.xy import Axis, Plane, Point
from counterpulse.report.measures import Measure, measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]


def _title_of(measure: Measure, unit: str = "") -> str:
    return f"{measure.title}, percentage points" if measure.kind == "points" else f"{measure.title}{unit}"


# -- tipping points ----------------------------------------------------------------------------------------------------


def tipping_points(context: Context, block: Block) -> list[Figure]:
    """The effect by how far imputed values are shifted, with the shift that changes what the interval says."""
    measure = measure_of(str(next(iter(block.columns["measure"]), "")))
    null = measure.null
    rows: list[Row] = [
        row | dict(zip(("estimate", "conf_low", "conf_high"), scaled(row, measure), strict=True))
        for row in block.rows()
    ]
    rows.sort(key=lambda row: known(row["delta"]) or 0.0)
    line = line_of("", rows, "delta", "estimate")
    if len(line.points) < 2 or null is None:
        return []
    variable = str(block.columns["variable"][0])
    x_ticks = linear_ticks(line.points[0][0], line.points[-1][0])
    y = effect_axis([*values_of([line]), null], measure)
    turns = _turns(rows, null)
    rules: list[list[Point]] = [[(x_ticks[0], null), (x_ticks[-1], null)]]
    rules += [[(at, y.ticks[0]), (at, y.ticks[-1])] for at in turns]
    said = _turned(context, turns, variable)
    plane = Plane(
        title=_tipping_title(context, block, variable),
        x=Axis(label=f"Shift of imputed {inside(context.variable(variable))}{_unit(context, variable)}", ticks=x_ticks),
        y=y, lines=[line], rules=rules, legend=False, style=context.style, width=context.figure_width,
        dots=[point for point in line.points if point[0] == 0.0],
        description=f"{measure.title} by shift of imputed values. {said}",
    )  # fmt: skip
    caption = (
        f"Every imputed value of {inside(context.variable(variable))} was moved by the shift before the analysis. Ring: no shift, "
        f"the analysis as planned. Shaded: {context.level_name(None)}. {said} Whether such a shift is plausible is a clinical question."
    )
    return [made(context, block, plane, caption)]


def tipping_table(context: Context, blocks: Sequence[Block]) -> list[Table]:
    """Where each of several analyses tips, a row a block."""
    rows = [text_row(cells, result=block.id) for block in blocks if (cells := _tipping_cells(context, block))]
    if not rows:
        return []
    table = make_table(
        context, id="tipping-points-table", title="Tipping points of the other analyses",
        heads=["Analysis", "Shifted", "Shifts tried", f"Without a shift ({context.level_name(None)})", "Tipping point"], rows=rows,
        notes=["Tipping point: the first shift tried at which the interval says something else about no effect."], left=2,
    )  # fmt: skip
    return [table]


def _tipping_cells(context: Context, block: Block) -> list[str]:
    """The analysis, what was shifted and how far, the planned answer, the tipping points; nothing where no effect has no value."""
    lines = sorted(block.rows(), key=lambda row: known(row["delta"]) or 0.0)
    measure = measure_of(str(lines[0]["measure"])) if lines else None
    if measure is None or measure.null is None:
        return []
    variable = str(lines[0]["variable"])
    main = next((row for row in lines if known(row["delta"]) == 0.0), None)
    turns = _turns(lines, measure.null)
    return [
        where(context, block).removesuffix(f", {context.variable(variable)}"),
        f"{context.variable(variable)}{_unit(context, variable)}",
        " to ".join(_signed(context, known(row["delta"]) or 0.0) for row in (lines[0], lines[-1])),
        EM_DASH if main is None else f"{measure.words} {printed(context, main, measure)}",
        " and ".join(_signed(context, at) for at in turns) or "none",
    ]


def _signed(context: Context, delta: float) -> str:
    return f"{'+' if delta > 0 else ''}{numbers.as_written(delta, context.style)}"


def _tipping_title(context: Context, block: Block, variable: str) -> str:
    """The variable stands once."""
    place = where(context, block).removesuffix(f", {context.variable(variable)}")
    return f"Tipping point of {inside(context.variable(variable))}{f': {place}' if place else ''}"


def _side(row: Row, null: float) -> int | None:
    """Whether an interval lies above (1) or below (-1) no effect, or includes it (0)."""
    low, high = known(row["conf_low"]), known(row["conf_high"])
    return None if low is None or high is None else 1 if low > null else -1 if high < null else 0


def _turns(rows: Sequence[Row], null: float) -> list[float]:
    """The first shifts up and down from none whose interval says something else."""
    sides = [(known(row["delta"]) or 0.0, side) for row in rows if (side := _side(row, null)) is not None]
    main = next((side for delta, side in sides if delta == 0.0), None)
    if main is None:
        return []
    found = []
    for part in (sides[::-1], sides):
        sign = -1 if part is not sides else 1
        turned = next((delta for delta, side in part if delta * sign > 0 and side != main), None)
        found += [] if turned is None else [turned]
    return sorted(found)


def _turned(context: Context, turns: Sequence[float], variable: str) -> str:
    if not turns:
        return "No shift that was tried changes whether the interval includes no effect."
    unit = _unit(context, variable).removeprefix(",")
    shifts = " and ".join(f"{_signed(context, at)}{unit}" for at in turns)
    return f"Dashed upright: the tipping point, the first shift tried at which the interval says something else ({shifts})."


def _unit(context: Context, name: str) -> str:
    variable = context.plan.variables.get(name)
    return f", {variable.unit}" if variable is not None and variable.unit else ""


# -- specifications ----------------------------------------------------------------------------------------------------


def specification_curves(context: Context, block: Block) -> list[Figure]:
    """Every combination of choices in order of its estimate."""
    choices = list(dict.fromkeys(map(str, block.columns["choice"])))
    parts: dict[Value, list[Row]] = {}
    for row in block.rows():
        parts.setdefault(row["specification"], []).append(row)
    if not parts:
        return []
    measure = measure_of(str(block.columns["measure"][0]))
    drawn = []
    for rows in parts.values():
        options = {str(row["choice"]): str(row["option"]) for row in rows}
        value, low, high = scaled(rows[0], measure)
        drawn.append(
            Specified(
                options=[options.get(choice, "") for choice in choices], estimate=value, low=low, high=high,
                main=rows[0]["main"] == "yes",
            )
        )  # fmt: skip
    ratio = measure.kind == "ratio"
    scene = draw_specifications(
        SpecificationFigure(
            title=titled(context, "Specification curve", block), choices=choices, specifications=drawn,
            y_label=f"{measure.title} (log scale)" if ratio else _title_of(measure), ratio=ratio, width=context.figure_width,
            style=context.style,
        )
    )  # fmt: skip
    failed = sum(item.estimate is None for item in drawn)
    caption = (
        f"{context.count(len(drawn)) if len(drawn) > 20 else len(drawn)} combinations of choices in order of their estimates, with {context.level_name(None)}; below, the choices "
        f"of each. All rest on the same {'studies' if context.plan.review is not None else 'patients'}: how many agree is no test."
    )
    if failed:
        caption += f" {failed} could not be estimated, or {'are' if failed > 1 else 'is'} not shown."
    return [figure(context, scene, id=block_anchor(block), caption=caption)]


# -- operating characteristics -----------------------------------------------------------------------------------------


def operating_characteristics(context: Context, block: Block) -> list[Table]:
    """Bias, coverage and power where the truth is known, each with its Monte Carlo error."""
    rows, heading = [], None
    for line in block.rows():
        if line["scenario"] != heading:
            heading = line["scenario"]
            rows.append(text_row([sentence(str(heading))], strong=True))
        measure = measure_of(str(line["measure"]))
        name = f"{context.outcome_label(str(line['outcome']))}: {measure.words}"
        rows.append(
            text_row(
                [
                    name, _natural(context, line["truth"], measure), _natural(context, line["mean"], measure),
                    _with_error(context, line["bias"], line["bias_error"], 3),
                    number_text(context, line["empirical_error"], 3), number_text(context, line["mean_std_error"], 3),
                    _with_error(context, line["coverage"], line["coverage_error"], 1, factor=100),
                    _with_error(context, line["power"], line["power_error"], 1, factor=100),
                    f"{count_text(context, line['replicates'])} ({line['failed']})",
                ],
                result=block.id, indent=1,
            )
        )  # fmt: skip
    if not rows:
        return []
    table = make_table(
        context, id=block_anchor(block), title=titled(context, "Operating characteristics", block),
        heads=["Outcome and measure", "Truth", "Mean", "Bias", "SD of estimates", "Mean standard error", "Coverage, %", "Power, %", "Replicates (failed)"],
        rows=rows, wide=True,
        notes=[
            "In simulated studies whose truth is known. In parentheses: the Monte Carlo standard error. Truth and mean are as a reader reads "
            "them (of a ratio the geometric mean); bias and errors are on the scale of estimation (of a ratio its logarithm). Without "
            "an effect, power is the type I error."
        ],
    )  # fmt: skip
    return [table]


def _natural(context: Context, value: Value, measure: Measure) -> str:
    found = known(value)
    points = measure.kind in ("points", "probability")
    return number_text(context, numbers.hundredfold(found) if points and found is not None else found, measure.places)


def _with_error(context: Context, value: Value, error: Value, places: int, *, factor: float = 1.0) -> str:
    found, wrong = known(value), known(error)
    if found is None:
        return EM_DASH
    printed_error = "" if wrong is None else f" ({number_text(context, factor * wrong, places)})"
    return f"{number_text(context, factor * found, places)}{printed_error}"
