"""Subgroups: a forest plot with one interaction test a variable, and never a P value a stratum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.report.chapters.context import PRINTED, Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.results.estimate_notes import footnotes_of, marks_of
from counterpulse.report.chapters.results.group_heads import group_heads
from counterpulse.report.chapters.wording import anchor
from counterpulse.report.document import Block, Cell, Column, Footnote, Row, Table
from counterpulse.report.figures.forest import Forest, ForestRow, forest_scenes
from counterpulse.report.measures import measure_of
from counterpulse.results import Estimate, EstimateRow, GroupCount

CAUTION = (
    "Subgroup estimates are less precise than the overall one. Judge a difference between strata by the test of "
    "interaction, never by whether an interval of a single stratum includes the null."
)


def subgroup_blocks(context: Context, analysis: str) -> list[Block]:
    """The forest plot and the same numbers as a table."""
    rows = [row for row in context.rows(analysis) if row.subgroup is not None]
    found: list[Block] = []
    for question in dict.fromkeys(map(_question, rows)):
        found += _forest(context, analysis, [row for row in rows if _question(row) == question])
    return found


def _question(row: EstimateRow) -> tuple[str | None, ...]:
    """What a row estimates, whatever the stratum."""
    return row.model, row.outcome, row.estimate.term, row.estimate.measure


def _forest(context: Context, analysis: str, rows: Sequence[EstimateRow]) -> list[Block]:
    first = rows[0]
    measure = measure_of(first.estimate.measure)
    tests = _tests(context, first)
    whole = [row for row in context.rows(analysis) if row.subgroup is None and row.role != "covariate"]
    overall = next((row for row in whole if _question(row) == _question(first)), None)
    levels = [level for level in (first.estimate.term, first.estimate.reference) if level is not None]
    drawn = [_row(context, overall, "All patients", levels, overall=True)] if overall else []
    for variable in dict.fromkeys(row.subgroup.variable for row in rows if row.subgroup):
        drawn.append(ForestRow(label=_heading(context, variable), bold=True, p=_p(context, tests.get(variable))))
        strata = [row for row in rows if row.subgroup and row.subgroup.variable == variable]
        drawn += [_row(context, row, _stratum(context, row), levels) for row in strata]
    treated, reference = (context.group(level) for level in levels) if len(levels) == 2 else ("", "")
    lower_first = first.better != "higher"
    counted = "events/n" if any(count.events is not None for count in first.groups) else "n"
    forest = Forest(
        title=f"Subgroups: {context.outcome_label(first.outcome)}"
        + (f": {treated} {context.style.versus} {reference}" if len(context.plan.groups) > 2 else ""),
        columns=[f"{context.group(level)}, {counted}" for level in levels],
        effect_label=f"{measure.title} ({context.level_name(first)})",
        p_label=f"{context.style.p.letter} for interaction",
        rows=drawn,
        axis_label=f"{measure.title}{' (log scale)' if measure.kind == 'ratio' else _unit(context, first)}",
        ratio=measure.kind == "ratio",
        left=f"Favors {treated if lower_first else reference}" if first.better else f"Lower with {treated}",
        right=f"Favors {reference if lower_first else treated}" if first.better else f"Higher with {treated}",
        style=context.style,
    )
    id_ = anchor(
        "-".join(["subgroups", analysis, *([first.model] if first.model else []), first.outcome, first.estimate.term])
    )
    caption = f"Diamond: all patients. Arrow: the interval leaves the axis. {CAUTION}"
    pictures = [
        figure(context, scene, id=f"{id_}-{k}" if k > 1 else id_, caption=caption)
        for k, scene in enumerate(forest_scenes(forest), start=1)
    ]
    in_order = [*([overall] if overall else []), *_in_order(rows)]
    of = context.style.events_of if counted == "events/n" else "n"
    groups, over = group_heads([context.group(level) for level in levels], of)
    tail = (Column(Cell(head)) for head in (forest.effect_label, forest.p_label))
    table = Table(
        id=f"{id_}-table",
        label=context.counter.supplement(),
        title=forest.title,
        columns=(Column(Cell("Subgroup"), "left"), *groups, *tail),
        spanners=over,
        rows=tuple(_table_rows(forest, in_order, marks_of(in_order))),
        footnotes=(*(Footnote("", words) for words in _continuous(context, first)), *footnotes_of(context, in_order)),
    )
    return [*pictures, table]


def _unit(context: Context, row: EstimateRow) -> str:
    return f", {context.unit(row)}" if context.unit(row) else ""


def _interactions(context: Context, first: EstimateRow, *, continuous: bool) -> list[Estimate]:
    """The interaction tests that belong to a forest, of variables as cut or as numbers."""
    return [
        row.estimate
        for row in context.rows(first.analysis)
        if row.estimate.measure == "interaction"
        and (row.model, row.outcome) == (first.model, first.outcome)
        and (row.estimate.term == "continuous") is continuous
    ]


def _tests(context: Context, first: EstimateRow) -> dict[str, float | None]:
    return {str(test.variable): test.p_value for test in _interactions(context, first, continuous=False)}


def _continuous(context: Context, first: EstimateRow) -> list[str]:
    return [
        f"{context.variable(str(test.variable))} as a continuous variable: {context.style.p.letter} for interaction {_p(context, test.p_value)}."
        for test in _interactions(context, first, continuous=True)
    ]


def _p(context: Context, value: float | None) -> str:
    return context.p(value).text


def _heading(context: Context, variable: str) -> str:
    planned = context.plan.subgroups
    label = next((item.label for item in planned.by if item.variable == variable), None) if planned else None
    known = context.plan.variables.get(variable)
    unit = f", {known.unit}" if known and known.unit else ""
    return f"{label or context.variable(variable)}{unit}"


def _stratum(context: Context, row: EstimateRow) -> str:
    if row.subgroup is None:
        return ""
    level = context.level(row.subgroup.variable, row.subgroup.level)
    return level.replace(">=", "≥").replace("<=", "≤")


def _row(context: Context, row: EstimateRow, label: str, levels: Sequence[str], *, overall: bool = False) -> ForestRow:
    counts = {count.group: count for count in row.groups}
    known = row.estimate.status in PRINTED and row.estimate.value == row.estimate.value
    value, low, high = context.scaled(row) if known else (None, None, None)
    return ForestRow(
        label=label,
        indent=0 if overall else 1,
        bold=overall,
        cells=[_counted(context, counts.get(level)) for level in levels],
        estimate=value,
        low=low,
        high=high,
        effect=context.effect(row),
        diamond=overall,
    )


def _counted(context: Context, count: GroupCount | None) -> str:
    if count is None:
        return ""
    n = context.count(count.n)
    return n if count.events is None else f"{context.count(count.events)}/{n}"


def _table_rows(forest: Forest, rows: Sequence[EstimateRow], marks: Mapping[str, tuple[str, ...]]) -> Iterator[Row]:
    """The forest plot's numbers, each with its result."""
    estimates = iter(rows)
    for row in forest.rows:
        if not row.cells and not row.effect:
            yield Row((Cell(row.label), *(Cell() for _ in forest.columns), Cell(), Cell(row.p)), strong=True)
        else:
            estimate = next(estimates)
            effect = Cell(row.effect, estimate.id, marks.get(estimate.id, ()))
            yield Row((Cell(row.label), *(Cell(cell) for cell in row.cells), effect, Cell(row.p)), indent=row.indent)


def _in_order(rows: Sequence[EstimateRow]) -> list[EstimateRow]:
    variables = dict.fromkeys(row.subgroup.variable for row in rows if row.subgroup)
    return [row for variable in variables for row in rows if row.subgroup and row.subgroup.variable == variable]
