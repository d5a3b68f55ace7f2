"""Studies put together: the forest plot with its subtotals and total, and the funnel plot."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.bias import Lights, lights_beside
from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    known,
    number_text,
    outcome_in,
    published,
    titled,
)
from counterpulse.report.chapters.blocks.plane_parts import axis_label, measure_in
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.document import Figure
from counterpulse.report.figures.funnel import Funnel, FunnelStudy, draw_funnel
from counterpulse.report.figures.study_forest import Role, StudyForest, StudyRow, study_forest_scenes
from counterpulse.report.measures import Measure
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]
ROLES: dict[Value, Role] = {"subtotal": "subtotal", "total": "total", "prediction": "prediction", "difference": "words"}
NAMES = {"subtotal": "Subtotal", "total": "Total", "prediction": "Prediction interval"}
OVERALL = ("total", "prediction", "difference")
JAMA = "jama"


# -- forest ------------------------------------------------------------------------------------------------------------


def study_forests(context: Context, block: Block) -> list[Figure]:
    """The forest plot of the studies, on several pages where there are many."""
    if not block.rows():
        return []
    measure = measure_in(block)
    labels = [group.label for group in context.plan.groups[:2]]
    left, right = sides(context, block)
    lights = lights_beside(context, _studies(block), outcome_in(context, block))
    forest = StudyForest(
        title=titled(context, "Studies", block),
        groups=[*labels, *("Treated", "Reference")[len(labels) :]],
        effect_label=f"{measure.title} ({context.level_name(None)})",
        axis_label=axis_label(measure),
        rows=[_lit(row, lights) for row in _rows(context, block, measure)],
        ratio=measure.kind == "ratio",
        layout="jama" if context.style.name == JAMA else "revman",
        style=context.style,
        domains=lights.columns if lights else (),
        left=left,
        right=right,
    )
    caption = "Squares: studies, their area by weight. Diamonds: pooled estimates. Arrow: the interval leaves the axis."
    if any(row["role"] == "prediction" for row in block.rows()):
        caption += " Bar: where the effect of a new study would lie."
    caption += " Lights: judgments of bias; a blank: not judged." if lights else ""
    return [
        figure(context, scene, id=block_anchor(block, *([str(k)] if k > 1 else [])), caption=caption)
        for k, scene in enumerate(study_forest_scenes(forest), start=1)
    ]


def _studies(block: Block) -> list[str]:
    return [str(row["study"]) for row in block.rows() if row["role"] == "study"]


def _lit(row: StudyRow, lights: Lights | None) -> StudyRow:
    """A study with the lights that stand beside it."""
    if lights is None or row.role != "study":
        return row
    return replace(row, lights=lights.levels.get(row.label, ()))


def sides(context: Context, block: Block) -> tuple[str, str]:
    """Whom each side of the null favors, by what is better for the outcome."""
    labels = [group.label for group in context.plan.groups[:2]]
    outcome = outcome_in(context, block)
    better = context.plan.outcomes[outcome].better if outcome else None
    single = "measure" in block.columns and not measure_in(block).contrasts
    if len(labels) != 2 or single:
        return "", ""
    first, second = labels if better != "higher" else (labels[1], labels[0])
    if better is None:
        return f"Lower with {labels[0]}", f"Higher with {labels[0]}"
    return f"Favors {first}", f"Favors {second}"


def _rows(context: Context, block: Block, measure: Measure) -> list[StudyRow]:
    """Studies under the headings of their subgroups, then what was pooled over all."""
    rows = block.rows()
    found: list[StudyRow] = []
    within = [row for row in rows if row["role"] not in OVERALL or row["subgroup"] is not None]
    for subgroup in dict.fromkeys(row["subgroup"] for row in within):
        if subgroup is not None:
            found.append(StudyRow(label=str(subgroup), role="heading"))
        for row in within:
            if row["subgroup"] == subgroup:
                found += _printed(context, row, measure)
    for row in rows:
        if row not in within:
            found += _printed(context, row, measure)
    return found


def _printed(context: Context, row: Row, measure: Measure) -> list[StudyRow]:
    """A row with its numbers, and under a pooled one its heterogeneity."""
    role = ROLES.get(row["role"], "study")
    if role == "words":
        return [StudyRow(label=_tests(context, row, "Test for subgroup differences"), role="words")]
    value, low, high = (_scaled(row[name], measure) for name in ("estimate", "conf_low", "conf_high"))
    weight = known(row["weight"])
    line = StudyRow(
        label=NAMES.get(role, "") or str(row["study"] or ""),
        role=role,
        counts=[_counts(context, row, "1"), _counts(context, row, "2")],
        estimate=value if role != "prediction" else None,
        low=low,
        high=high,
        effect=_effect(context, role, value, low, high, measure),
        weight=weight,
        weight_text="" if weight is None else number_text(context, 100 * weight, 1),
    )
    words = _tests(context, row, "Heterogeneity") if role in ("subtotal", "total") else ""
    return [line, *([StudyRow(label=words, role="words")] if words else [])]


def _scaled(value: Value, measure: Measure) -> float | None:
    found = known(value)
    if found is None or (measure.kind == "ratio" and found < 0):
        return None
    return numbers.hundredfold(found) if measure.kind in ("points", "probability") else found


def _counts(context: Context, row: Row, group: str) -> tuple[str, str]:
    events, n = row[f"events_{group}"], row[f"n_{group}"]
    if known(n) is None:
        return "", ""
    return published(context, events) if known(events) is not None else "", published(context, n)


def _effect(
    context: Context, role: Role, value: float | None, low: float | None, high: float | None, measure: Measure
) -> str:
    """The estimate as printed; a prediction interval alone; words where there is none."""
    if role == "prediction":
        known_ends = low is not None or high is not None
        return f"({numbers.interval(low, high, measure.places, context.style)})" if known_ends else ""
    if value is None:
        return "Not estimable"
    return numbers.estimate(value, low, high, context.style, places=measure.places, null=measure.null)


def _tests(context: Context, row: Row, about: str) -> str:
    """The line under a pooled estimate: variance between studies, Q with its P value, I-squared."""
    parts = []
    tau, q, df, share, p = (known(row[name]) for name in ("tau_squared", "q", "df", "i_squared", "p_value"))
    if tau is not None:
        parts.append(f"τ² = {number_text(context, tau, 3)}")
    if q is not None:
        test = ", ".join(
            [*([f"df = {number_text(context, df, 0)}"] if df is not None else []), *([numbers.p_phrase(p, context.style)] if p is not None else [])]
        )  # fmt: skip
        parts.append(f"Q = {number_text(context, q, 2)}{f' ({test})' if test else ''}")
    elif p is not None:
        parts.append(numbers.p_phrase(p, context.style))
    if share is not None:
        parts.append(f"I² = {number_text(context, 100 * share, 0)}%")
    return f"{about}: {'; '.join(parts)}" if parts else ""


# -- funnel ------------------------------------------------------------------------------------------------------------


def _pooled(block: Block, *, imputed: bool) -> float | None:
    """The pooled estimate: of the studies, or with those that were filled in."""
    values = (known(row["pooled"]) for row in block.rows() if (row["imputed"] == "yes") is imputed)
    return next((value for value in values if value is not None), None)


def funnel_figures(context: Context, block: Block) -> list[Figure]:
    """Each study's estimate against its standard error."""
    measure = measure_in(block)
    factor = 100.0 if measure.kind in ("points", "probability") else 1.0
    bent = measure.kind not in ("ratio", "points", "difference")
    studies = [
        FunnelStudy(
            label=str(row["study"]), estimate=factor * estimate, std_error=error if bent else factor * error,
            imputed=row["imputed"] == "yes",
        )
        for row in block.rows()
        if (estimate := known(row["estimate"])) is not None and (error := known(row["std_error"])) is not None
    ]  # fmt: skip
    pooled, filled = (_pooled(block, imputed=imputed) for imputed in (False, True))
    ratio = measure.kind == "ratio"
    error_of = "on the scale of estimation" if bent else f"of the {'logarithm' if ratio else 'estimate'}"
    scene = draw_funnel(
        Funnel(
            title=titled(context, "Funnel plot", block),
            studies=studies,
            x_label=axis_label(measure),
            y_label=f"Standard error {error_of}",
            ratio=ratio,
            pooled=None if pooled is None else factor * pooled,
            filled=None if filled in (None, pooled) else factor * (filled or 0.0),
            limits=not bent,
            contours=measure.null is not None,
            width=context.figure_width,
            style=context.style,
        )
    )
    if scene is None:
        return []
    caption = "Shades: where a study's own P value lies." if measure.null is not None else ""
    if any(study.imputed for study in studies):
        caption += " Rings: studies filled in to make the plot symmetric; nobody observed them."
    caption += (
        " Asymmetry has other causes than unpublished studies: quality, heterogeneity, the measure itself, chance."
    )
    return [figure(context, scene, id=block_anchor(block), caption=caption.strip())]
