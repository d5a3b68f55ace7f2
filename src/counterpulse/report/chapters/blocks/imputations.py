"""How missing values were filled in: the variables, what each was imputed from, whether the chains mixed, what came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    count_text,
    known,
    make_table,
    number_text,
    text_row,
    titled,
)
from counterpulse.report.chapters.blocks.plane_parts import rows_by
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Figure, Table
from counterpulse.report.figures.dot_grid import DotGrid, dot_grid_scenes
from counterpulse.report.figures.palette import COLORS
from counterpulse.report.figures.scene import INK, Scene
from counterpulse.report.figures.small_panels import SmallLine, SmallPanel, SmallPanels, small_panel_scenes
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block, Status
from counterpulse.results import Cell as Value

LARGEST_REDUCTION = 1.1
METHODS = {
    "pmm": "Predictive mean matching",
    "normal": "Bayesian linear regression",
    "logistic": "Logistic regression",
    "polytomous": "Multinomial logistic regression",
    "ordered": "Ordinal logistic regression",
    "random-intercept": "Linear regression with random intercepts of centers",
    "passive": "Computed from other variables",
}
STATES = {status.code: status for status in Status}
CHAIN, OBSERVED, IMPUTED = COLORS[0], INK, COLORS[0]
Row = dict[str, Value]


def _pages(context: Context, block: Block, scenes: Iterable[Scene], caption: str) -> list[Figure]:
    """One figure a page of panels; the caption stands under each."""
    return [
        figure(context, scene, id=block_anchor(block, *([str(k)] if k > 1 else [])), caption=caption)
        for k, scene in enumerate(scenes, start=1)
    ]


# -- variables ---------------------------------------------------------------------------------------------------------


def imputed_variables(context: Context, block: Block) -> list[Table]:
    """A row a variable: missing values, how it was imputed, whether the chains mixed."""
    lines = block.rows()
    if not lines:
        return []
    problems = {str(row["variable"]): found for row in lines if (found := _problem(row))}
    reductions = any(known(row[name]) is not None for row in lines for name in ("scale_mean", "scale_sd"))
    heads = ["Variable", "Method", "Missing values", "Missing, %"]
    heads += ["Scale reduction, mean", "Scale reduction, SD"] if reductions else []
    heads += ["Remark"] if problems else []
    rows = [
        text_row(
            [
                sentence(context.variable(str(row["variable"]))),
                METHODS.get(str(row["method"]), sentence(str(row["method"] or EM_DASH))),
                count_text(context, row["missing"]), number_text(context, row["percent"], 1),
                *((number_text(context, row["scale_mean"], 2), number_text(context, row["scale_sd"], 2)) if reductions else ()),
                *((problems.get(str(row["variable"]), ""),) if problems else ()),
            ],
            result=block.id,
        )
        for row in lines
    ]  # fmt: skip
    notes = []
    if reductions:
        most = number_text(context, LARGEST_REDUCTION, 1)
        notes.append(
            "Scale reduction: the spread of the imputed values over all chains relative to that within chains; near 1 the chains "
            f"agree, above {most} they had not yet mixed."
        )
    notes += [f"{_short(code)}: {STATES[code].text}" for code in dict.fromkeys(_codes(lines))]
    table = make_table(
        context, id=block_anchor(block), title=titled(context, "Imputed variables", block), heads=heads, rows=rows,
        notes=notes, left=2,
    )  # fmt: skip
    return [table]


def _codes(lines: Sequence[Row]) -> list[str]:
    return [str(row["status"]) for row in lines if _problem(row)]


def _problem(row: Row) -> str:
    """What is wrong with the imputation of a variable, in two words."""
    code = str(row["status"] or "")
    return "" if code in ("", Status.OK.code) or code not in STATES else _short(code)


def _short(code: str) -> str:
    return sentence(code.removeprefix("imputation-").replace("-", " "))


def predictor_matrix(context: Context, block: Block) -> list[Figure]:
    """What each variable was imputed from, as a grid of dots."""
    imputed, predictors = (list(dict.fromkeys(map(str, block.columns[name]))) for name in ("imputed", "predictor"))
    if not imputed:
        return []
    dots = {
        (imputed.index(str(row["imputed"])), predictors.index(str(row["predictor"])))
        for row in block.rows()
        if row["used"] not in (None, "", "no", "0")
    }
    grid = DotGrid(
        title=titled(context, "Predictors of the imputation", block), rows=[_label(context, name) for name in imputed],
        columns=[_label(context, name) for name in predictors], dots=dots, width=context.figure_width,
    )  # fmt: skip
    caption = "Rows: imputed variables. A dot: the variable of the column served to impute it."
    return _pages(context, block, dot_grid_scenes(grid), caption)


def _label(context: Context, name: str) -> str:
    outcome, _, part = name.rstrip(".").partition(".")
    if outcome in context.plan.outcomes:
        return f"{context.outcome_label(outcome)}{f', {part}' if part else ''}"
    return sentence(context.variable(name))


# -- chains ------------------------------------------------------------------------------------------------------------


def traces(context: Context, block: Block) -> list[Figure]:
    """Mean and standard deviation of the imputed values by iteration, a line a chain."""
    panels = []
    for name, rows in rows_by(block, "variable").items():
        for what, words in (("mean", "mean"), ("sd", "SD")):
            lines = [
                SmallLine(points=points, color=CHAIN)
                for chain in dict.fromkeys(row["imputation"] for row in rows)
                if (points := _points([row for row in rows if row["imputation"] == chain], "iteration", what))
            ]
            if lines:
                ends = [y for line in lines for _, y in line.points[-1:]]
                said = f"{len(lines)} chains end between {number_text(context, min(ends), 2)} and {number_text(context, max(ends), 2)}"
                panels.append(SmallPanel(head=f"{_label(context, str(name))}: {words}", lines=lines, described=said))
    if not panels:
        return []
    drawn = SmallPanels(
        title=titled(context, "Chains of the imputation", block), panels=panels, x_label="Iteration", together=2,
        width=context.figure_width, style=context.style,
    )  # fmt: skip
    caption = (
        "Mean and standard deviation of the imputed values; each line is the chain of one imputed table. Chains that mixed cross "
        "each other without a trend. Of a category: the position of its level."
    )
    return _pages(context, block, small_panel_scenes(drawn), caption)


def _points(rows: Sequence[Row], x: str, y: str) -> list[tuple[float, float]]:
    found = []
    for row in rows:
        here = known(row[x]), known(row[y])
        if here[0] is not None and here[1] is not None:
            found.append((here[0], here[1]))
    return sorted(found)


# -- densities ---------------------------------------------------------------------------------------------------------


def densities(context: Context, block: Block) -> list[DocumentBlock]:
    """Observed against imputed values: densities of numbers, shares of levels."""
    return [*_density_figures(context, block), *_shares(context, block)]


def _density_figures(context: Context, block: Block) -> list[Figure]:
    panels = []
    for name, rows in rows_by(block, "variable").items():
        of: dict[Value, list[Row]] = {}
        for row in rows:
            if row["level"] is None:
                of.setdefault(row["imputation"], []).append(row)
        lines = [
            SmallLine(points=points, color=IMPUTED if k else OBSERVED, width=0.5 if k else 1.8)
            for k, part in sorted(of.items(), key=lambda pair: known(pair[0]) or 0.0)
            if (points := _points(part, "value", "density"))
        ]
        if lines:
            said = f"the observed values and {sum(line.color == IMPUTED for line in lines)} sets of imputed ones"
            head = sentence(context.variable(str(name), unit=True))
            panels.append(SmallPanel(head=head, lines=[*lines[1:], *lines[:1]], described=said, from_zero=True))
    if not panels:
        return []
    drawn = SmallPanels(
        title=titled(context, "Observed and imputed values", block), panels=panels, x_label="Value", y_label="Density",
        legend=(
            ("Observed", SmallLine(points=(), color=OBSERVED, width=1.8)),
            ("Imputed, a line a table", SmallLine(points=(), color=IMPUTED, width=0.5)),
        ),
        y_ticks=False,
        width=context.figure_width, style=context.style,
    )  # fmt: skip
    caption = (
        "Densities by Gaussian kernels with the bandwidth of the observed values. Imputed values may differ from observed ones "
        "where the patients do whose values are missing."
    )
    if context.plan.protocol.privacy.small_cells:
        caption += " Tails that rest on few patients are not drawn."
    return _pages(context, block, small_panel_scenes(drawn), caption)


def _shares(context: Context, block: Block) -> list[Table]:
    """The levels of imputed categories."""
    parts: dict[tuple[str, str], dict[bool, list[float]]] = {}
    for row in block.rows():
        share = known(row["density"])
        if row["level"] is not None and share is not None:
            key = str(row["variable"]), str(row["level"])
            parts.setdefault(key, {}).setdefault(bool(known(row["imputation"])), []).append(100 * share)
    if not parts:
        return []
    rows, heading = [], ""
    for (name, level), shares in parts.items():
        if name != heading:
            heading = name
            rows.append(text_row([_label(context, name)], strong=True))
        observed, imputed = shares.get(False, []), shares.get(True, [])
        cells = [context.level(name, level), *(number_text(context, _mean(part), 1) for part in (observed, imputed))]
        ends = [number_text(context, end(imputed), 1) for end in (min, max)] if imputed else []
        rows.append(text_row([*cells, f"{ends[0]} to {ends[1]}" if ends else EM_DASH], result=block.id, indent=1))
    table = make_table(
        context, id=f"{block_anchor(block)}-levels", title=titled(context, "Observed and imputed levels", block),
        heads=["Variable", "Observed, %", "Imputed, mean %", "Imputed, range over tables"], rows=rows,
    )  # fmt: skip
    return [table]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
