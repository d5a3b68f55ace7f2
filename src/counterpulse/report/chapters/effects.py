"""Tables of estimates: all analyses side by side, then each analysis with everything it gave."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from string import ascii_lowercase

from counterpulse.report import numbers
from counterpulse.report.chapters.context import CHANGED, EM_DASH, PRINTED, Context, changed_groups
from counterpulse.report.chapters.methods import done
from counterpulse.report.chapters.models import counts, ladder_table, screen_table
from counterpulse.report.chapters.predictions import is_prediction, prediction_table
from counterpulse.report.chapters.renderers import rendered
from counterpulse.report.chapters.subgroups import subgroup_blocks
from counterpulse.report.chapters.wording import proper, sentence
from counterpulse.report.document import Block, Cell, Column, Footnote, Paragraph, Row, Run, Section, Table
from counterpulse.report.measures import measure_of
from counterpulse.results import AnalysisRecord, EstimateRow, GroupCount, Status

Marks = dict[str, tuple[str, ...]]

ROLES = {
    "primary": "Primary analysis",
    "secondary": "Secondary analyses",
    "sensitivity": "Sensitivity analyses",
    "exploratory": "Exploratory analyses",
}
DESCRIPTION, PER_PARAMETER = "description", ("events-per-parameter",)
COEFFICIENT = "coefficient"
"""A column of a spline, which says nothing alone: the curve and the tests of its variable do."""
WITHHELD = "No P value: no adjustment of secondary analyses for multiplicity was planned."
AFTER_DATA = "planned after the data were seen"
PLANNED = {"after-data": AFTER_DATA, "registered": "registered", "stated": ""}


def results_section(context: Context) -> Section:
    """All effects in one table, then a section an analysis."""
    blocks: list[Block] = []
    if any(_main(context, record.id) for record in context.result.analyses):
        blocks.append(_summary(context))
    blocks += rendered(context, DESCRIPTION, only=PER_PARAMETER)
    return Section(
        id="results",
        title="Results",
        blocks=tuple(blocks),
        sections=tuple(_analysis(context, record) for record in context.result.analyses),
    )


def _main(context: Context, analysis: str) -> list[EstimateRow]:
    """The first measure of each outcome and model of an analysis, one row a compared group."""
    first: dict[tuple[str, str | None], str] = {}
    found = []
    for row in context.rows(analysis):
        if row.role == "covariate" or row.subgroup is not None or not counts(context, row):
            continue
        if not measure_of(row.estimate.measure).contrasts:
            continue
        if not context.compares_groups(row):
            continue
        if first.setdefault((row.outcome, row.model), row.estimate.measure) == row.estimate.measure:
            found.append(row)
    return found


def _summary(context: Context) -> Table:
    used = [row for record in context.result.analyses for row in _main(context, record.id)]
    marks = _marks(used)
    rows: list[Row] = []
    for role, title in ROLES.items():
        records = [record for record in context.result.analyses if record.role == role and _main(context, record.id)]
        if records:
            rows.append(Row((Cell(title),), strong=True))
        for record in records:
            rows += [_summary_row(context, record, row, marks) for row in _main(context, record.id)]
    return Table(
        id="all-analyses",
        label=context.counter.table(),
        title="The comparison in every analysis",
        columns=(
            Column(Cell("Analysis"), "left"), Column(Cell("Outcome"), "left"),
            *(Column(Cell(f"{group.label}\nevents/n")) for group in context.plan.groups),
            Column(Cell("Measure"), "left"), Column(Cell(f"Estimate\n({_level(context, used)})")), Column(Cell("P value")),
        ),
        rows=tuple(rows),
        footnotes=_footnotes(context, used),
        wide=True,
    )  # fmt: skip


def _summary_row(context: Context, record: AnalysisRecord, row: EstimateRow, marks: Marks) -> Row:
    model = f" ({row.model})" if row.model else ""
    words = ", ".join(filter(None, (_contrast(context, row), AFTER_DATA if row.planned == "after-data" else "")))
    head = f"{record.id}. {record.label}{model}" + (f"; {words}" if words else "")
    return Row(
        (
            Cell(head), Cell(context.outcome_label(row.outcome)),
            *_group_cells(context, row, percent=False), Cell(_adjustment(context, row)),
            Cell(context.effect(row), row.id, marks.get(row.id, ())), context.p(context.tested(row), f"{row.id}.p"),
        ),
        indent=1,
    )  # fmt: skip


def _adjustment(context: Context, row: EstimateRow) -> str:
    """The measure, whether it is adjusted, and its unit."""
    planned, words = context.planned(row.analysis), measure_of(row.estimate.measure).words
    unit = f", {context.unit(row)}" if context.unit(row) else ""
    return f"{words}{unit}" if planned is None else f"{'Adjusted' if planned.adjusted else 'Unadjusted'} {words}{unit}"


def _contrast(context: Context, row: EstimateRow) -> str:
    """Which groups, where there are more than two."""
    if len(context.plan.groups) <= 2:
        return ""
    return f"{context.group(row.estimate.term)} vs {context.group(row.estimate.reference)}"


def _group_cells(context: Context, row: EstimateRow, *, percent: bool) -> list[Cell]:
    counts = {count.group: count for count in row.groups}
    return [_group_cell(context, row, counts.get(group.level), percent=percent) for group in context.plan.groups]


def _group_cell(context: Context, row: EstimateRow, count: GroupCount | None, *, percent: bool) -> Cell:
    if count is None:
        return Cell(EM_DASH)
    id_ = f"{row.id}.{count.group}"
    if count.events is None:
        outcome = context.outcome(row.outcome)
        counted = outcome is not None and outcome.kind in ("binary", "time-to-event")
        hidden = counted and bool(context.plan.protocol.privacy.small_cells)
        return Cell(f"{EM_DASH}/{context.count(count.n)}" if hidden else context.count(count.n), id_)
    if percent and not _timed(context, row) and count.n:
        return Cell(numbers.count_of(count.events, count.n, context.style), id_)
    return Cell(f"{context.count(count.events)}/{context.count(count.n)}", id_)


def _level(context: Context, rows: Sequence[EstimateRow]) -> str:
    """The interval's name, or that the rows differ."""
    names = {context.level_name(row) for row in rows if row.estimate.interval} or {context.level_name(None)}
    return names.pop() if len(names) == 1 else "CI"


def _analysis(context: Context, record: AnalysisRecord) -> Section:
    planned = context.planned(record.id)
    cites = context.cite(*record.citations)
    note = PLANNED.get(planned.planned, "") if planned else ""
    runs = [Run(done(record, planned), cites=cites)]
    if note:
        runs.append(Run(f" This analysis was {note}."))
    blocks: list[Block] = [Paragraph(tuple(runs))]
    rows = [row for row in context.rows(record.id) if counts(context, row) and row.subgroup is None]
    effects = [row for row in rows if row.role != "covariate" and _tabled(row)]
    if effects:
        blocks.append(_effects(context, record, effects))
    for table in (ladder_table, screen_table, prediction_table):
        blocks += table(context, record, partial(_footnotes, context), _marks)
    blocks += rendered(context, record.id)
    blocks += subgroup_blocks(context, record.id)
    covariates = [row for row in rows if row.role == "covariate" and row.estimate.measure != COEFFICIENT]
    if covariates:
        blocks.append(_covariates(context, record, covariates))
    role = ROLES.get(record.role, record.role.capitalize()).removesuffix(" analyses").removesuffix(" analysis")
    return Section(
        id=f"analysis-{record.id}", title=f"{record.id}. {record.label} ({role.lower()})", blocks=tuple(blocks)
    )


def _tabled(row: EstimateRow) -> bool:
    """Whether the table of estimates holds a row, and no other does."""
    return row.estimate.measure != "interaction" and not is_prediction(row)


def _effects(context: Context, record: AnalysisRecord, rows: Sequence[EstimateRow]) -> Table:
    adjusted = any(row.p_adjusted is not None for row in rows)
    tested = any(context.tested(row) is not None for row in rows)
    grouped = any(row.groups for row in rows)
    marks = _marks(rows)
    body: list[Row] = []
    heading: tuple[str, str | None] | None = None
    for row in rows:
        if (row.outcome, row.model) != heading:
            heading = (row.outcome, row.model)
            body.append(
                Row((Cell(context.outcome_label(row.outcome) + (f" ({row.model})" if row.model else "")),), strong=True)
            )
        body.append(_effect_row(context, row, marks, grouped=grouped, tested=tested, adjusted=adjusted))
    heads = [Column(Cell("Outcome and measure"), "left")]
    if grouped:
        heads += [Column(Cell(f"{group.label}\n{_counted(context, rows)}")) for group in context.plan.groups]
    heads.append(Column(Cell(f"Estimate\n({_level(context, rows)})")))
    heads += [Column(Cell("P value"))] if tested else []
    heads += [Column(Cell("Adjusted P value"))] if adjusted else []
    return Table(
        id=f"estimates-{record.id}",
        label=context.counter.table(),
        title=f"Estimates of {record.id}: {record.label}",
        columns=tuple(heads),
        rows=tuple(body),
        footnotes=_footnotes(context, rows, multiplicity=adjusted),
    )


def _timed(context: Context, row: EstimateRow) -> bool:
    """Whether follow-up differs between patients, so that events by patients are not a risk."""
    outcome = context.outcome(row.outcome)
    return outcome is not None and outcome.kind == "time-to-event"


def _counted(context: Context, rows: Sequence[EstimateRow]) -> str:
    if all(count.events is None for row in rows for count in row.groups):
        return "n"
    return "events/n" if any(_timed(context, row) for row in rows) else "events/n (%)"


def _effect_row(
    context: Context, row: EstimateRow, marks: Marks, *, grouped: bool, tested: bool, adjusted: bool
) -> Row:
    cells = [Cell(_measure_words(context, row))]
    if grouped:
        cells += _group_cells(context, row, percent=True)
    printed = context.effect(row) if measure_of(row.estimate.measure).kind != "test" else EM_DASH
    cells.append(Cell(printed, row.id, marks.get(row.id, ())))
    if tested:
        cells.append(context.p(context.tested(row), f"{row.id}.p"))
    if adjusted:
        cells.append(context.p(row.p_adjusted, f"{row.id}.p-adjusted"))
    return Row(tuple(cells), indent=1)


def _measure_words(context: Context, row: EstimateRow) -> str:
    """The measure, of whom, when, and in which unit."""
    item, measure = row.estimate, measure_of(row.estimate.measure)
    words = measure.title
    if item.variable in context.plan.variables and item.variable != context.plan.group_variable:
        return f"{words}, {_term(context, row)}"
    if row.estimand is not None and measure.contrasts:
        words += f", {row.estimand.kind}"
    if measure.kind == "test":
        words = f"{sentence(item.term)} test ({item.statistic_name})" if item.statistic_name else words
    elif item.reference is None and item.term:
        words += f", {context.group(item.term)}" if item.term != item.measure else ""
    elif len(context.plan.groups) > 2:
        words += f", {_contrast(context, row)}"
    if item.at is not None:
        words += f", at {item.at.time:g} {item.at.unit or ''}".rstrip()
    unit = context.unit(row)
    return f"{words}, {unit}" if unit else words


def _covariates(context: Context, record: AnalysisRecord, rows: Sequence[EstimateRow]) -> Table:
    body: list[Row] = []
    marks = _marks(rows)
    heading = None
    for row in rows:
        if (row.outcome, row.model) != heading:
            heading = (row.outcome, row.model)
            body.append(
                Row((Cell(context.outcome_label(row.outcome) + (f" ({row.model})" if row.model else "")),), strong=True)
            )
        cells = (
            Cell(_term(context, row)), Cell(measure_of(row.estimate.measure).words),
            Cell(context.effect(row), row.id, marks.get(row.id, ())), context.p(context.tested(row), f"{row.id}.p"),
        )  # fmt: skip
        body.append(Row(cells, indent=1))
    caution = "Covariates are in the model to adjust the comparison; their own coefficients are not effects of the covariates."
    return Table(
        id=f"covariates-{record.id}",
        label=context.counter.supplement(),
        title=f"Covariates of {record.id}",
        columns=(
            Column(Cell("Covariate"), "left"), Column(Cell("Measure"), "left"),
            Column(Cell(f"Estimate\n({_level(context, rows)})")), Column(Cell("P value")),
        ),
        rows=tuple(body),
        footnotes=(Footnote("", caution), *_footnotes(context, rows)),
    )  # fmt: skip


def _term(context: Context, row: EstimateRow) -> str:
    item = row.estimate
    variable = item.variable or item.term
    if item.reference is None or variable == item.term:
        unit = f", per {item.unit}" if item.unit else ""
        return f"{context.variable(variable, unit=not unit)}{unit}"
    level, reference = (context.level(variable, code) for code in (item.term, item.reference))
    return f"{context.variable(variable)}: {level} vs {reference}"


def _failures(rows: Sequence[EstimateRow]) -> dict[Status, str]:
    """A letter for each reason why an estimate is not printed."""
    reasons = dict.fromkeys(row.estimate.status for row in rows if row.estimate.status not in PRINTED)
    return dict(zip(reasons, ascii_lowercase, strict=False))


def _marks(rows: Sequence[EstimateRow]) -> Marks:
    """The marks of each estimate that is not printed."""
    letters = _failures(rows)
    return {row.id: (letters[row.estimate.status],) for row in rows if row.estimate.status in letters}


def _footnotes(context: Context, rows: Sequence[EstimateRow], *, multiplicity: bool = False) -> tuple[Footnote, ...]:
    notes = [Footnote("", words)] if (words := _abbreviations(context, rows)) else []
    if any(changed_groups(row) for row in rows):
        notes.append(Footnote("", CHANGED))
    if any(context.withheld(row) for row in rows):
        notes.append(Footnote("", WITHHELD))
    if multiplicity:
        used = {planned.multiplicity for row in rows if (planned := context.planned(row.analysis)) is not None}
        methods = " and ".join(sorted(name.capitalize() for name in used))
        notes.append(Footnote("", f"Adjusted P value: by the method of {methods}."))
    notes += [Footnote("", words) for words in _degrees_of_freedom(context, rows)]
    notes += [Footnote(mark, status.text) for status, mark in _failures(rows).items()]
    notes += [Footnote("", note) for note in dict.fromkeys(note for row in rows for note in row.estimate.notes)]
    return tuple(notes)


def _degrees_of_freedom(context: Context, rows: Sequence[EstimateRow]) -> list[str]:
    """Where intervals and P values of clustered patients rest on Student's t, how many degrees of freedom it has."""
    found: dict[str, None] = {}
    for row in rows:
        item = row.estimate
        if row.clusters is None or item.df is None or item.statistic_name != "t":
            continue
        df = numbers.number(item.df, 0 if item.df == round(item.df) else 1, context.style)
        clusters = (
            "few clusters" if context.count(row.clusters) == EM_DASH else f"{context.count(row.clusters)} clusters"
        )
        found[f"{row.analysis}: interval and P value by Student's t with {df} degrees of freedom ({clusters})."] = None
    return list(found)


def _abbreviations(context: Context, rows: Sequence[EstimateRow]) -> str:
    used = {"CI": "confidence interval"} if any(row.estimate.interval for row in rows) else {}
    if any("rmst" in row.estimate.measure for row in rows):
        used["RMST"] = "restricted mean survival time"
    if any("NE)" in context.effect(row) for row in rows):
        used["NE"] = "not estimable"
    kinds = sorted({proper(row.estimate.interval.kind) for row in rows if row.estimate.interval})
    listed = "; ".join(f"{short}, {words}" for short, words in sorted(used.items()))
    made = f" Interval methods: {', '.join(kinds)}." if kinds else ""
    return f"{listed}.{made}" if listed else made.strip()
