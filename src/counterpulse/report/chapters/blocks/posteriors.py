"""A Bayesian meta-analysis: the densities of the effect, of a new study's effect and of the heterogeneity, and their summary."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    known,
    number_text,
    outcome_in,
    published_table,
    text_row,
    titled,
    without_columns,
)
from counterpulse.report.chapters.blocks.plane_parts import measure_in
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.document import Figure, Table
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import FAINT, INK
from counterpulse.report.figures.small_panels import SmallLine, SmallPanel, SmallPanels, small_panel_scenes
from counterpulse.report.measures import Measure
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]
PARAMETERS = {"effect": "Pooled effect", "prediction": "Effect of a new study", "heterogeneity": "Heterogeneity (τ)"}
HETEROGENEITY = "heterogeneity"
SEEN = 0.004
"""The share of a density's height below which it is not drawn at the ends."""
POSTERIOR = SmallLine(points=(), color=COLORS[0], width=1.5)
PRIOR = SmallLine(points=(), color=INK, width=0.9, dash=(3, 2.2))
NULL = SmallLine(points=(), color=FAINT, width=0.7)


def posteriors(context: Context, block: Block) -> list[Figure]:
    """The densities, a row of panels a prior, each with its prior."""
    measure = measure_in(block)
    rows = [row for row in block.rows() if known(row["value"]) is not None and known(row["density"]) is not None]
    priors = list(dict.fromkeys(row["prior"] for row in rows))
    panels = [
        panel
        for prior in priors for parameter in PARAMETERS
        if (panel := _panel(context, [row for row in rows if (row["prior"], row["parameter"]) == (prior, parameter)], measure, several=len(priors) > 1))
    ]  # fmt: skip
    if not panels:
        return []
    asked = {str(row["parameter"]) for row in rows if known(row["prior_density"]) is not None}
    legend = [("Posterior", POSTERIOR), *([("Prior", PRIOR)] if asked else []), *([("No effect", NULL)] if measure.null is not None else [])]  # fmt: skip
    drawing = SmallPanels(
        title=titled(context, "Posterior distributions", block), panels=panels, x_label=_unit(measure), y_label="Density", legend=legend,
        y_ticks=False, together=_together(rows), width=context.figure_width, style=context.style,
    )  # fmt: skip
    caption = "The higher a curve, the more plausible the value. Only the shapes are comparable: each panel has a scale of its own."
    return [
        figure(context, scene, id=block_anchor(block, *([str(k)] if k > 1 else [])), caption=caption)
        for k, scene in enumerate(small_panel_scenes(drawing), start=1)
    ]


def _together(rows: Sequence[Row]) -> int:
    return len([name for name in PARAMETERS if any(row["parameter"] == name for row in rows)])


def _unit(measure: Measure) -> str:
    """The measure with the scale of the axis, and what τ is; measures of other scales stand as they were estimated."""
    scale = {"ratio": " (log scale)", "points": ", percentage points", "difference": ""}.get(
        measure.kind, " on the scale of estimation"
    )
    return f"{measure.title}{scale}; τ: standard deviation of {_log(measure)}effects between studies"


def _log(measure: Measure) -> str:
    return "log " if measure.kind == "ratio" else ""


def _shown(value: float, parameter: str, measure: Measure) -> float:
    """A value as it was estimated, on the scale that a reader reads: logarithms of ratios as ratios, differences in points."""
    if measure.kind == "points":
        return numbers.hundredfold(value)
    return exp(min(value, 700.0)) if measure.kind == "ratio" and parameter != HETEROGENEITY else value


def _panel(context: Context, rows: Sequence[Row], measure: Measure, *, several: bool) -> SmallPanel | None:
    """A parameter with its prior, between the ends where its density can be seen."""
    if len(rows) < 2:
        return None
    parameter = str(rows[0]["parameter"])
    effect = parameter != HETEROGENEITY
    rows = sorted(rows, key=lambda row: known(row["value"]) or 0.0)
    highest = max(known(row["density"]) or 0.0 for row in rows)
    seen = [k for k, row in enumerate(rows) if (known(row["density"]) or 0.0) >= SEEN * highest]
    rows = rows[seen[0] : seen[-1] + 1]
    lines = []
    for name, look in (("prior_density", PRIOR), ("density", POSTERIOR)):
        points = [
            (_shown(value, parameter, measure), density)
            for row in rows
            if (value := known(row["value"])) is not None and (density := known(row[name])) is not None
        ]
        if len(points) > 1:
            lines.append(SmallLine(points=points, color=look.color, width=look.width, dash=look.dash))
    xs = [x for line in lines for x, _ in line.points]
    null = measure.null
    if effect and null is not None and xs and min(xs) <= null <= max(xs):
        lines.insert(0, SmallLine(points=[(null, 0.0), (null, highest)], color=NULL.color, width=NULL.width))
    peak = max(rows, key=lambda row: known(row["density"]) or 0.0)
    at = known(peak["value"]) or 0.0
    head = PARAMETERS[parameter] + (f", {rows[0]['prior']}" if several and rows[0]["prior"] else "")
    return SmallPanel(
        head=head, lines=lines, from_zero=True, log=effect and measure.kind == "ratio",
        described=f"highest at {number_text(context, _shown(at, parameter, measure), 2)}",
    )  # fmt: skip


# -- the summary -------------------------------------------------------------------------------------------------------


def posterior_summaries(context: Context, block: Block) -> list[Table]:
    """Medians and credible intervals under each prior, the planned one first and in bold."""
    measure = measure_in(block)
    rows = sorted(block.rows(), key=lambda row: row["main"] != "yes")
    if not rows:
        return []
    interval = context.level_name(None).replace("CI", "CrI")
    below = f"Probability below {_threshold(context, block, measure)}"
    body = [text_row(_cells(context, row, measure), result=block.id, strong=row["main"] == "yes") for row in rows]
    planned = ["In bold: the prior that was planned."] if any(row.strong for row in body) and not all(row.strong for row in body) else []  # fmt: skip
    table = published_table(
        context, id=block_anchor(block), title=titled(context, "Posterior distributions, summary", block),
        heads=["Prior of the heterogeneity", "Parameter", f"Median ({interval})", below], rows=body, left=2,
        notes=[*planned, f"Effects: {measure.words}. τ: the standard deviation of {_log(measure)}effects between studies. CrI: credible interval."],
    )  # fmt: skip
    return [without_columns(table, of=(below,))]


def _threshold(context: Context, block: Block, measure: Measure) -> str:
    """The value below which probabilities are told: that of the analysis, else no effect."""
    outcome = outcome_in(context, block)
    details = context.result.details.get(block.analysis, {})
    asked = {known(value) for key, value in details.items() if key.endswith(f"{outcome}.below")} - {None}
    value = asked.pop() if len(asked) == 1 else None
    if value is None:
        return "no effect" if measure.null is None else numbers.number(measure.null, 0, context.style)
    return numbers.as_written(numbers.hundredfold(value) if measure.kind == "points" else value, context.style)


def _cells(context: Context, row: Row, measure: Measure) -> list[str]:
    parameter = str(row["parameter"])
    effect = parameter != HETEROGENEITY
    points = measure.kind == "points" or (effect and measure.kind == "probability")
    middle, low, high = (
        None if found is None else numbers.hundredfold(found) if points else found
        for found in (known(row[name]) for name in ("median", "low", "high"))
    )
    text = EM_DASH
    if middle is not None:
        null, places = (measure.null, measure.places) if effect else (None, 2)
        text = numbers.estimate(middle, low, high, context.style, places=places, null=null)
    below = known(row["probability_below"])
    chance = EM_DASH if below is None or not effect else _chance(context, below)
    return [str(row["prior"] or EM_DASH), PARAMETERS.get(parameter, parameter), text, chance]


def _chance(context: Context, value: float) -> str:
    """A probability in percent that never reads as none or all."""
    if 0 < value < 0.001 or 0.999 < value < 1:
        return f"<{number_text(context, 0.1, 1)}%" if value < 0.5 else f">{number_text(context, 99.9, 1)}%"
    return f"{number_text(context, numbers.hundredfold(value), 1)}%"
