"""A ladder of models and a screen of predictors, each as one table."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.data.terms import Interaction, Term, variables_of
from counterpulse.protocol.plan import PlannedModel
from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import text_row, without_columns
from counterpulse.report.chapters.context import SCREEN, Context
from counterpulse.report.chapters.results.estimate_notes import footnotes_of, marks_of
from counterpulse.report.chapters.speech import in_written_order
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Cell, Footnote, Row, Table, columns_of
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import AnalysisRecord, EstimateRow

ONE_BY_ONE = "Each predictor is in a model of its own: nothing here is adjusted for another, and no row is an effect."
LADDER = "The models differ in what they adjust for. The estimate of the main model is the one that counts."


def ladder(context: Context, analysis: str) -> tuple[PlannedModel, ...]:
    """The models of an analysis in the order of the protocol, where there are several."""
    planned = context.planned(analysis)
    if planned is None or len(planned.models) < 2:
        return ()
    return in_written_order(context.plan, planned)


def main_model(context: Context, analysis: str) -> str | None:
    """The name of the model whose estimate counts, where there are several."""
    planned = context.planned(analysis)
    return planned.models[0].name if planned is not None and len(planned.models) > 1 else None


def counts(context: Context, row: EstimateRow) -> bool:
    """Whether an estimate answers the question of its analysis: of the main model, and of no screen."""
    if row.model == SCREEN:
        return False
    names = {model.name for model in ladder(context, row.analysis)}
    return row.model not in names or row.model == main_model(context, row.analysis)


def ladder_table(context: Context, record: AnalysisRecord) -> list[DocumentBlock]:
    """The comparison in each model of a ladder."""
    models = ladder(context, record.id)
    names = [model.name for model in models]
    rows = [row for row in context.rows(record.id) if row.model in names and _compares(row)]
    if not rows:
        return []
    marked = marks_of(rows)
    body: list[Row] = []
    for question in dict.fromkeys(map(_question, rows)):
        asked = [row for row in rows if _question(row) == question]
        body.append(text_row([_question_words(context, asked[0])], strong=True))
        for model in models:
            for row in (item for item in asked if item.model == model.name):
                body.append(_ladder_row(context, row, model, marked.get(row.id, ())))
    heads = ("Model", "Adjusted for", "n", "Events", f"Estimate\n({_level(context, rows)})", context.style.p_head)
    table = Table(
        id=f"models-{record.id}",
        label=context.counter.table(),
        title=f"The models of {record.id}: {record.label}",
        columns=columns_of(heads, words=2),
        rows=tuple(body),
        footnotes=(Footnote("", LADDER), *footnotes_of(context, rows)),
    )
    return [without_columns(table, of=(context.style.p_head, "Events"))]


def _compares(row: EstimateRow) -> bool:
    known = row.role != "covariate" and row.subgroup is None and row.estimate.reference is not None
    return known and measure_of(row.estimate.measure).contrasts


def _question(row: EstimateRow) -> tuple[object, ...]:
    return row.outcome, row.estimate.measure, row.estimate.term, row.estimate.at


def _question_words(context: Context, row: EstimateRow) -> str:
    item = row.estimate
    several = len(context.plan.groups) > 2
    versus = f", {context.group(item.term)} {context.style.versus} {context.group(item.reference)}" if several else ""
    at = f" {context.at(item)}" if item.at else ""
    unit = f", {context.unit(row)}" if context.unit(row) else ""
    return f"{context.outcome_label(row.outcome)}: {measure_of(item.measure).words}{at}{unit}{versus}"


def _ladder_row(context: Context, row: EstimateRow, model: PlannedModel, marks: tuple[str, ...]) -> Row:
    main = model.name == main_model(context, row.analysis)
    cells = (
        Cell(f"{model.name} (main model)" if main else model.name), Cell(_adjusted_for(context, model)),
        Cell(context.count(row.n), f"{row.id}.n"), Cell(EM_DASH if row.events is None else context.count(row.events), f"{row.id}.events"),
        Cell(context.effect(row), row.id, marks), context.p(context.tested(row), f"{row.id}.p"),
    )  # fmt: skip
    return Row(cells, indent=1)


def _adjusted_for(context: Context, model: PlannedModel) -> str:
    names = [_term(context, term) for term in model.terms]
    if model.selection is not None:
        names += [_term(context, term) for term in model.selection.keep]
        names.append(f"selected from {len(model.selection.candidates)} candidates ({model.selection.method})")
    return ", ".join(dict.fromkeys(names)) or "nothing"


def _term(context: Context, term: Term) -> str:
    names = " x ".join(context.variable(name) for name in variables_of(term))
    return f"{names} (interaction)" if isinstance(term, Interaction) else names


def _level(context: Context, rows: Sequence[EstimateRow]) -> str:
    return context.level_name(next((row for row in rows if row.estimate.interval), None))


# -- screen ------------------------------------------------------------------------------------------------------------


def screen_table(context: Context, record: AnalysisRecord) -> list[DocumentBlock]:
    """Predictors, each in a model of its own."""
    rows = [row for row in context.rows(record.id) if row.model == SCREEN and row.subgroup is None]
    if not rows:
        return []
    marked = marks_of(rows)
    body: list[Row] = []
    for outcome in dict.fromkeys(row.outcome for row in rows):
        own = [row for row in rows if row.outcome == outcome]
        if len({row.outcome for row in rows}) > 1:
            body.append(text_row([context.outcome_label(outcome)], strong=True))
        for variable in dict.fromkeys(_variable(row) for row in own):
            body += _predictor(context, variable, [row for row in own if _variable(row) == variable], marked)
    words = dict.fromkeys(measure_of(row.estimate.measure).title for row in rows)
    effect = f"{' or '.join(words)}\n({_level(context, rows)})"
    counted = sentence(context.style.events_of) if any(row.events is not None for row in rows) else "n"
    heads = ("Predictor", "Level", counted, effect, context.style.p_head)
    table = Table(
        id=f"screen-{record.id}",
        label=context.counter.table(),
        title=f"Predictors one by one, {record.id}: {record.label}",
        columns=columns_of(heads, words=2),
        rows=tuple(body),
        footnotes=(Footnote("", ONE_BY_ONE), *footnotes_of(context, rows)),
    )
    return [without_columns(table, of=(context.style.p_head, "Level"))]


def _variable(row: EstimateRow) -> str:
    return row.estimate.variable or row.estimate.term


def _predictor(
    context: Context, variable: str, rows: Sequence[EstimateRow], marks: dict[str, tuple[str, ...]]
) -> list[Row]:
    first = rows[0].estimate
    leveled = first.reference is not None and first.term != variable
    found = _reference_rows(context, variable, rows[0]) if leveled else []
    for row in rows:
        item = row.estimate
        numeric = item.reference is None or item.term == variable
        name = context.variable(variable, unit=numeric and not item.unit)
        level = "" if numeric else context.level(variable, item.term)
        words = _counted(context, row, item.term if leveled and not numeric else None)
        counted = Cell(words, f"{row.id}.n" if words else None)
        test = measure_of(item.measure).kind == "test"
        cells = (
            Cell("" if found else name), Cell(f"per {item.unit}" if numeric and item.unit else level), counted,
            Cell(context.style.blank if test else context.effect(row), row.id, marks.get(row.id, ())),
            context.p(context.tested(row), f"{row.id}.p"),
        )  # fmt: skip
        found.append(Row(cells))
    return found


def _reference_rows(context: Context, variable: str, row: EstimateRow) -> list[Row]:
    """The level that the others are compared with; where levels have no counts, those of the model stand above them."""
    item = row.estimate
    printed = numbers.reference(measure_of(item.measure).null or 0.0, context.places(row), context.style)
    level, name = context.level(variable, str(item.reference)), context.variable(variable)
    own = _counted(context, row, item.reference)
    tail = (Cell(printed), Cell(context.style.blank))
    if own:
        return [Row((Cell(name), Cell(level), Cell(own), *tail))]
    head = (Cell(name), Cell(), Cell(_counted(context, row, None), f"{row.id}.n"), Cell(), Cell())
    return [Row(head), Row((Cell(), Cell(level), Cell(), *tail))]


def _counted(context: Context, row: EstimateRow, level: str | None) -> str:
    """Events and patients of a level, nothing where they are not known; without a level those of the model."""
    if level is None:
        known = [(row.n, row.events)]
    else:
        known = [(item.n, item.events) for item in row.groups if item.group == level]
    texts = [
        context.count(n) if row.events is None else f"{context.count(events)}/{context.count(n)}" for n, events in known
    ]
    return "".join(texts[:1])
