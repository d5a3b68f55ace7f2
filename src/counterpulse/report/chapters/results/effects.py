"""Tables of estimates: all analyses side by side, then each analysis with what else it gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import without_columns
from counterpulse.report.chapters.blocks.kinds import ELSEWHERE
from counterpulse.report.chapters.blocks.renderers import rendered
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.methods.balancing_words import balances
from counterpulse.report.chapters.results.comparability import comparability
from counterpulse.report.chapters.results.estimate_notes import Marks, footnotes_of, marks_of
from counterpulse.report.chapters.results.group_heads import group_heads
from counterpulse.report.chapters.results.immortal_time_section import immortal_time_section
from counterpulse.report.chapters.results.models import counts, ladder_table, screen_table
from counterpulse.report.chapters.results.predictions import is_prediction, prediction_table
from counterpulse.report.chapters.results.results_words import results_paragraphs
from counterpulse.report.chapters.results.subgroups import subgroup_blocks
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Block, Cell, Column, Footnote, Row, Section, Table
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import AnalysisRecord, EstimateRow, GroupCount

ROLES = {
    "primary": "Primary analysis",
    "secondary": "Secondary analyses",
    "sensitivity": "Sensitivity analyses",
    "exploratory": "Exploratory analyses",
}
DESCRIPTION, PER_PARAMETER = "description", ("events-per-parameter",)
COEFFICIENT = "coefficient"
"""A column of a spline, which says nothing alone: the curve and the tests of its variable do."""
AFTER_DATA = "planned after the data were seen"


def results_section(context: Context) -> Section:
    """The results in words, all effects in one table, then a section an analysis."""
    blocks: list[Block] = [*results_paragraphs(context)]
    if any(_main(context, record.id) for record in context.result.analyses):
        blocks.append(_summary(context))
    blocks += rendered(context, DESCRIPTION, only=PER_PARAMETER)
    return Section(
        id="results",
        title="Results",
        blocks=tuple(blocks),
        sections=tuple(_sections(context)),
    )


def _sections(context: Context) -> Iterator[Section]:
    """A section an analysis, and what the primary one would be under other plans for immortal time after it."""
    records = context.result.analyses
    last = max((k for k, record in enumerate(records) if record.role == "primary"), default=len(records) - 1)
    for k, record in enumerate(records):
        section = _analysis(context, record)
        if section.blocks:
            yield section
        if k == last and (beside := immortal_time_section(context)) is not None:
            yield beside


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
    marks = marks_of(used)
    late = () if all(row.planned == "after-data" for row in used) else (AFTER_DATA,)
    rows: list[Row] = []
    for role, title in ROLES.items():
        records = [record for record in context.result.analyses if record.role == role and _main(context, record.id)]
        if records:
            rows.append(Row((Cell(title),), strong=True))
        for record in records:
            for row in _main(context, record.id):
                rows.append(_summary_row(context, record, row, marks, late if row.planned == "after-data" else ()))
    groups, over = group_heads([group.label for group in context.plan.groups], _counted(context, used))
    table = Table(
        id="all-analyses",
        label=context.counter.table(),
        title="The comparison in every analysis",
        columns=(
            Column(Cell("Analysis"), "left"), *groups,
            Column(Cell("Measure"), "left"), Column(Cell(f"Estimate\n({_level(context, used)})")), Column(Cell(context.style.p_head)),
        ),
        rows=tuple(rows),
        spanners=over,
        footnotes=(*_planned_late(used), *_without_percentage(context, used), *footnotes_of(context, used)),
    )  # fmt: skip
    return without_columns(table, of=(context.style.p_head,))


def _planned_late(rows: Sequence[EstimateRow]) -> tuple[Footnote, ...]:
    """Which analyses were planned after the data were seen: those marked, or all."""
    late = [row for row in rows if row.planned == "after-data"]
    if not late:
        return ()
    if len(late) == len(rows):
        return (Footnote("", f"Every analysis was {AFTER_DATA}."),)
    return (Footnote(AFTER_DATA, f"{sentence(AFTER_DATA)}."),)


def _without_percentage(context: Context, rows: Sequence[EstimateRow]) -> tuple[Footnote, ...]:
    """Why some counts have no percentage beside others that have one."""
    counted = [row for row in rows if any(count.events is not None for count in row.groups)]
    mixed = len({context.has_risks(row) for row in counted}) > 1
    return (Footnote("", "Where follow-up differs between patients, counts have no percentage."),) if mixed else ()


def _summary_row(
    context: Context, record: AnalysisRecord, row: EstimateRow, marks: Marks, late: tuple[str, ...]
) -> Row:
    model = f" ({row.model})" if row.model else ""
    versus = f"; {words}" if (words := _contrast(context, row)) else ""
    return Row(
        (
            Cell(f"{record.id}. {record.label}{_outcome(context, record, row)}{model}{versus}", notes=late),
            *_group_cells(context, row), Cell(_adjustment(context, row)),
            Cell(context.effect(row), row.id, marks.get(row.id, ())), context.p(context.tested(row), f"{row.id}.p"),
        ),
        indent=1,
    )  # fmt: skip


def _outcome(context: Context, record: AnalysisRecord, row: EstimateRow) -> str:
    """The outcome, where the label of its analysis does not name it."""
    outcome = context.outcome_label(row.outcome)
    return "" if outcome.casefold() in record.label.casefold() else f": {inside(outcome)}"


def _adjustment(context: Context, row: EstimateRow) -> str:
    """The measure, whether it is adjusted, and its unit."""
    planned, words = context.planned(row.analysis), measure_of(row.estimate.measure).words
    unit = f", {context.unit(row)}" if context.unit(row) else ""
    if planned is None:
        return f"{words}{unit}"
    if planned.balancing is not None:
        adjusted = ", adjusted" if planned.adjusted else ""
        return f"{sentence(words)}{unit}, {balances(planned)} patients{adjusted}"
    return f"{'Adjusted' if planned.adjusted else 'Unadjusted'} {words}{unit}"


def _contrast(context: Context, row: EstimateRow) -> str:
    """Which groups, where there are more than two."""
    if len(context.plan.groups) <= 2:
        return ""
    return f"{context.group(row.estimate.term)} {context.style.versus} {context.group(row.estimate.reference)}"


def _group_cells(context: Context, row: EstimateRow) -> list[Cell]:
    counts = {count.group: count for count in row.groups}
    return [_group_cell(context, row, counts.get(group.level)) for group in context.plan.groups]


def _group_cell(context: Context, row: EstimateRow, count: GroupCount | None) -> Cell:
    if count is None:
        return Cell(context.style.blank)
    id_ = f"{row.id}.{count.group}"
    if count.events is None:
        hidden = context.has_events(row) and bool(context.plan.protocol.privacy.small_cells)
        return Cell(f"{EM_DASH}/{context.count(count.n)}" if hidden else context.count(count.n), id_)
    if context.has_risks(row) and count.n:
        return Cell(numbers.count_of(count.events, count.n, context.style), id_)
    return Cell(f"{context.count(count.events)}/{context.count(count.n)}", id_)


def _level(context: Context, rows: Sequence[EstimateRow]) -> str:
    """The interval's name, or that the rows differ."""
    names = {context.level_name(row) for row in rows if row.estimate.interval} or {context.level_name(None)}
    return names.pop() if len(names) == 1 else "CI"


def _analysis(context: Context, record: AnalysisRecord) -> Section:
    blocks: list[Block] = comparability(context, record)
    rows = [row for row in context.rows(record.id) if counts(context, row) and row.subgroup is None]
    effects = [row for row in rows if row.role != "covariate" and _tabled(row)]
    if _more_than_the_first(context, record, effects):
        blocks.append(_effects(context, record, effects))
    for table in (ladder_table, screen_table, prediction_table):
        blocks += table(context, record)
    blocks += rendered(context, record.id, but=ELSEWHERE)
    blocks += subgroup_blocks(context, record.id)
    covariates = [row for row in rows if row.role == "covariate" and row.estimate.measure != COEFFICIENT]
    if covariates:
        blocks.append(_covariates(context, record, covariates))
    role = ROLES.get(record.role, record.role.capitalize()).removesuffix(" analyses").removesuffix(" analysis")
    return Section(
        id=f"analysis-{record.id}", title=f"{record.id}. {record.label} ({role.lower()})", blocks=tuple(blocks)
    )


def _more_than_the_first(context: Context, record: AnalysisRecord, effects: Sequence[EstimateRow]) -> bool:
    """Whether an analysis has estimates, or P values, that the table of all analyses does not print."""
    main = {row.id for row in _main(context, record.id)}
    return any(row.id not in main or row.p_adjusted is not None for row in effects)


def _tabled(row: EstimateRow) -> bool:
    """Whether the table of estimates holds a row, and no other does."""
    return row.estimate.measure != "interaction" and not is_prediction(row)


def _effects(context: Context, record: AnalysisRecord, rows: Sequence[EstimateRow]) -> Table:
    adjusted = any(row.p_adjusted is not None for row in rows)
    tested = any(context.tested(row) is not None for row in rows)
    grouped = any(row.groups for row in rows)
    marks = marks_of(rows)
    body: list[Row] = []
    heading: tuple[str, str | None] | None = None
    for row in rows:
        if (row.outcome, row.model) != heading:
            heading = (row.outcome, row.model)
            body.append(
                Row((Cell(context.outcome_label(row.outcome) + (f" ({row.model})" if row.model else "")),), strong=True)
            )
        body.append(_effect_row(context, row, marks, grouped=grouped, tested=tested, adjusted=adjusted))
    labels = [group.label for group in context.plan.groups] if grouped else []
    groups, over = group_heads(labels, _counted(context, rows))
    heads = [Column(Cell("Outcome and measure"), "left"), *groups]
    heads.append(Column(Cell(f"Estimate\n({_level(context, rows)})")))
    heads += [Column(Cell(context.style.p_head))] if tested else []
    heads += [Column(Cell(f"Adjusted {context.style.p_head}"))] if adjusted else []
    return Table(
        id=f"estimates-{record.id}",
        label=context.counter.table(),
        title=f"Estimates of {record.id}: {record.label}",
        columns=tuple(heads),
        rows=tuple(body),
        spanners=over,
        footnotes=footnotes_of(context, rows, multiplicity=adjusted),
    )


def _counted(context: Context, rows: Sequence[EstimateRow]) -> str:
    """What stands under a group: its patients, events of patients, and their percentage where all were followed as long."""
    if all(count.events is None for row in rows for count in row.groups):
        return "n"
    of = context.style.events_of
    return f"{of} (%)" if any(context.has_risks(row) for row in rows) else of


def _effect_row(
    context: Context, row: EstimateRow, marks: Marks, *, grouped: bool, tested: bool, adjusted: bool
) -> Row:
    cells = [Cell(_measure_words(context, row))]
    if grouped:
        cells += _group_cells(context, row)
    printed = context.effect(row) if measure_of(row.estimate.measure).kind != "test" else context.style.blank
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
        words += f", {context.at(item)}"
    unit = context.unit(row)
    return f"{words}, {unit}" if unit else words


def _covariates(context: Context, record: AnalysisRecord, rows: Sequence[EstimateRow]) -> Table:
    body: list[Row] = []
    marks = marks_of(rows)
    titles = list(dict.fromkeys(measure_of(row.estimate.measure).title for row in rows))
    for outcome, model in dict.fromkeys((row.outcome, row.model) for row in rows):
        body.append(Row((Cell(context.outcome_label(outcome) + (f" ({model})" if model else "")),), strong=True))
        own = [row for row in rows if (row.outcome, row.model) == (outcome, model)]
        for key in dict.fromkeys(map(_covariate, own)):
            body += _covariate_rows(
                context, [row for row in own if _covariate(row) == key], marks, several=len(titles) > 1
            )
    caution = "Covariates are in the model to adjust the comparison; their own coefficients are not effects of the covariates."
    table = Table(
        id=f"covariates-{record.id}",
        label=context.counter.supplement(),
        title=f"Covariates of {record.id}",
        columns=(
            Column(Cell("Covariate"), "left"), *([Column(Cell("Measure"), "left")] if len(titles) > 1 else []),
            Column(Cell(f"{'Estimate' if len(titles) > 1 else titles[0]}\n({_level(context, rows)})")),
            Column(Cell(context.style.p_head)),
        ),
        rows=tuple(body),
        footnotes=(Footnote("", caution), *footnotes_of(context, rows)),
    )  # fmt: skip
    return without_columns(table, of=(context.style.p_head,))


def _covariate(row: EstimateRow) -> tuple[object, ...]:
    """What a covariate's rows have in common: those of one are the levels of one variable."""
    item = row.estimate
    variable = item.variable or item.term
    levels = item.reference is not None and variable != item.term
    return (variable, item.reference, item.measure) if levels else (variable, item.term, item.measure, row.id)


def _covariate_rows(context: Context, rows: Sequence[EstimateRow], marks: Marks, *, several: bool) -> list[Row]:
    """A number or a yes/no in one row; several levels under their variable, the reference first.

    With `several` measures in the table, each row names its own.
    """
    first = rows[0].estimate
    variable = first.variable or first.term
    planned = context.plan.variables.get(variable)
    single = first.reference is None or variable == first.term or (planned is not None and planned.kind == "yesno")
    measure = measure_of(first.measure)

    def line(name: str, words: str, *cells: Cell, indent: int) -> Row:
        return Row((Cell(name), *([Cell(words)] if several else []), *cells), indent=indent)

    found = []
    if not single:
        reference = numbers.reference(measure.null or 0.0, context.places(rows[0]), context.style)
        level = context.level(variable, str(first.reference))
        found.append(line(context.variable(variable), measure.words, Cell(), Cell(), indent=1))
        found.append(line(level, "", Cell(reference), Cell(context.style.blank), indent=2))
    for row in rows:
        name = _term(context, row) if single else context.level(variable, row.estimate.term)
        effect = Cell(context.effect(row), row.id, marks.get(row.id, ()))
        p = context.p(context.tested(row), f"{row.id}.p")
        found.append(line(name, measure.words if single else "", effect, p, indent=1 if single else 2))
    return found


def _term(context: Context, row: EstimateRow) -> str:
    item = row.estimate
    variable = item.variable or item.term
    if item.reference is None or variable == item.term:
        unit = f", per {item.unit}" if item.unit else ""
        return f"{context.variable(variable, unit=not unit)}{unit}"
    level, reference = (context.level(variable, code) for code in (item.term, item.reference))
    return f"{context.variable(variable)}: {level} {context.style.versus} {reference}"
