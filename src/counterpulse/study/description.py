"""What the protocol's `describe` asks for, and how much each model is asked of its events, as blocks of the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from counterpulse import describe
from counterpulse.data.design import INTERCEPT, complete_rows, learn, level_text
from counterpulse.data.terms import Term, variables_of
from counterpulse.describe import EventsPerParameter
from counterpulse.protocol.nodes import DescriptionNode, ProtocolNode
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedModel, PlannedOutcome, PlannedSelection
from counterpulse.results import Block, Cell, EstimateRow, Notice
from counterpulse.results.block import KINDS
from counterpulse.source import did_you_mean
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.answers.selection import REPEATED
from counterpulse.study.catalog import METHODS
from counterpulse.study.methods.by_type import chosen
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.planning.drafts import Desk

ANALYSIS = "description"
MISSING = "(missing)"
SCREEN = "screen"
NUMBERS = ("number", "integer")
LEVELS = ("category", "ordinal", "yesno", "condition")
Names = Sequence[tuple[YamlPath, str]]


def lint_description(desk: Desk) -> None:
    """Refuse names in `describe` that are not there, or are not of the kind that can be described."""
    node = desk.nodes.describe
    if node is None:
        return
    crosstabs = [
        (("describe", "crosstabs", index, key), name)
        for index, table in enumerate(node.crosstabs)
        for key, name in (("rows", table.rows), ("columns", table.columns))
    ]
    numbers = [(("describe", "distributions", index), name) for index, name in enumerate(node.distributions)]
    _refuse(desk, numbers, NUMBERS, "a number")
    _refuse(desk, crosstabs, LEVELS, "yes/no or a category")
    _refuse(desk, _correlated(desk), (*NUMBERS, *LEVELS), "a number, yes/no or a category")
    _refuse_centers(desk, node)


def _correlated(desk: Desk) -> Names:
    """The names of `correlation` where they were written; a set of confounders that is not there is refused."""
    asked = desk.nodes.describe.correlation if desk.nodes.describe is not None else None
    if isinstance(asked, str) and asked not in desk.nodes.confounders:
        desk.refuse(
            ("describe", "correlation"), "E690", f"there is no set of confounders '{asked}'",
            ", ".join(desk.nodes.confounders) or "a list of variables",
            did_you_mean(asked, list(desk.nodes.confounders)) or "define it under confounders",
        )  # fmt: skip
        return ()
    path: YamlPath = ("describe", "correlation")
    return [(path if isinstance(asked, str) else (*path, k), name) for k, name in enumerate(correlated(desk.nodes))]


def _refuse(desk: Desk, names: Names, kinds: tuple[str, ...], allowed: str) -> None:
    for path, name in names:
        known = desk.variables.get(name)
        if known is None:
            desk.refuse(
                path, "E690", f"there is no variable '{name}' to describe", "a column of the dictionary or a derived variable",
                did_you_mean(name, list(desk.variables)) or "correct its spelling",
            )  # fmt: skip
        elif known.kind not in kinds:
            desk.refuse(
                path, "E691", f"'{name}' is of type {known.kind}, which is not described here", allowed,
                "name another variable, or derive one under `variables`",
            )  # fmt: skip


def _refuse_centers(desk: Desk, node: DescriptionNode) -> None:
    if node.centers is None:
        return
    outcome = desk.outcomes.get(node.centers)
    if outcome is None or outcome.kind != "binary":
        seen = (
            f"'{node.centers}' is no outcome" if outcome is None else f"the outcome '{node.centers}' is {outcome.kind}"
        )
        binary = ", ".join(name for name, item in desk.outcomes.items() if item.kind == "binary")
        desk.refuse(
            ("describe", "centers"), "E692", f"{seen}: a funnel plot compares risks between centers",
            f"a binary outcome{f': {binary}' if binary else ''}", "name a binary outcome",
        )  # fmt: skip
    if desk.nodes.data.site is None:
        desk.refuse(
            ("describe", "centers"), "E693", "centers are compared, but the data name no column of centers",
            "data: {site: COLUMN}", "name the column of the centers under data",
        )  # fmt: skip


def correlated(nodes: ProtocolNode) -> tuple[str, ...]:
    """The variables whose association is described, each once."""
    asked = nodes.describe.correlation if nodes.describe is not None else None
    items = nodes.confounders.get(asked, ()) if isinstance(asked, str) else asked or ()
    names = [item if isinstance(item, str) else item.variable for item in items]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def description_text(nodes: ProtocolNode) -> Iterator[str]:
    """The lines of the plan."""
    node = nodes.describe
    if node is None:
        return
    yield "Described beyond Table 1, without a test"
    if node.distributions:
        yield f"  distributions: {', '.join(node.distributions)}; bins by Freedman and Diaconis, at most 30, the outer ones open"
    for table in node.crosstabs:
        yield f"  crosstab: {table.rows} by {table.columns}, missing values counted"
    if node.missingness:
        yield "  missing values: by variable and group, by pattern, and the rows that each analysis loses"
    if node.correlation:
        yield f"  association: {', '.join(correlated(nodes))}; with variance inflation factors"
    if node.centers:
        yield f"  centers: {node.centers} by {nodes.data.site}, exact binomial limits of 95% and 99.8% around the risk overall"


def describe_cohort(plan: Plan, cohort: Cohort) -> tuple[Block, ...]:
    """The blocks that `describe` asks for, of the eligible patients in the compared groups."""
    node = plan.protocol.describe
    if node is None:
        return ()
    frame = _compared(plan, cohort.frame)
    blocks = [_distribution(frame, name, plan.group_variable) for name in node.distributions]
    blocks += [_crosstab(frame, table.rows, table.columns) for table in node.crosstabs]
    blocks += _missing(plan, cohort, frame) if node.missingness else []
    blocks += _association(frame, correlated(plan.protocol)) if node.correlation else []
    if node.centers is not None and plan.protocol.data.site is not None:
        blocks.append(_funnel(plan, frame, node.centers, plan.protocol.data.site))
    return tuple(blocks)


def _compared(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The patients of Table 1: those in a compared group."""
    return frame if plan.group_variable is None else frame.filter(pl.col(plan.group_variable).is_not_null())


def _block(kind: str, lines: Iterable[tuple[Cell, ...]], *names: str) -> Block:
    rows = tuple(lines)
    columns = {name: tuple(row[index] for row in rows) for index, name in enumerate(KINDS[kind])}
    return Block(id=".".join((ANALYSIS, *names, kind)), analysis=ANALYSIS, kind=kind, columns=columns)


def _distribution(frame: pl.DataFrame, name: str, by: str | None) -> Block:
    found = describe.distribution(frame, variable=name, by=by)
    lines = ((name, bin_.group, bin_.low, bin_.high, bin_.n, bin_.percent) for bin_ in found.bins)
    return _block("distribution", lines, name)


def _crosstab(frame: pl.DataFrame, rows: str, columns: str) -> Block:
    found = describe.crosstab(frame, rows=rows, columns=columns)
    lines = (
        (
            rows, MISSING if cell.row is None else cell.row, columns, MISSING if cell.column is None else cell.column,
            cell.n, cell.row_percent, cell.column_percent,
        )
        for cell in found.cells
    )  # fmt: skip
    return _block("crosstab", lines, rows, columns)


def _missing(plan: Plan, cohort: Cohort, frame: pl.DataFrame) -> list[Block]:
    """Missing values of every variable in use, their patterns, and the rows that each analysis loses."""
    terms = [name for analysis in plan.analyses for term in analysis.every_term for name in variables_of(term)]
    tabled = plan.table_one.variables if plan.table_one is not None else ()
    wanted = [name for name in dict.fromkeys([*tabled, *terms]) if name in frame.columns]
    shares = describe.missingness(frame, variables=wanted, by=plan.group_variable)
    patterns = describe.missing_patterns(frame, variables=wanted) if frame.height else ()
    lines = (
        (index, name, "yes" if name in pattern.missing else "no", pattern.n, pattern.percent)
        for index, pattern in enumerate(patterns, start=1)
        for name in wanted
    )
    return [
        _block("missingness", ((row.variable, row.group, row.n, row.missing, row.percent) for row in shares.rows)),
        _block("missing-pattern", lines),
        _block("rows-lost", (line for analysis in plan.analyses for line in _lost(plan, cohort, analysis))),
    ]


def _lost(plan: Plan, cohort: Cohort, analysis: PlannedAnalysis) -> Iterator[tuple[Cell, ...]]:
    """The rows an analysis loses to each variable, and (variable None) to any of them."""
    member = cohort.populations[analysis.population]
    frame = _compared(plan, cohort.frame.filter(pl.Series(member)))
    names = tuple(dict.fromkeys(name for term in _needed(analysis) for name in variables_of(term)))
    for outcome in analysis.outcomes:
        planned = plan.outcomes.get(outcome)
        columns = () if planned is None else columns_of(outcome, planned.kind)
        if not columns or not {*columns, *names} <= set(frame.columns):
            continue
        (lost,) = describe.rows_lost(frame, {analysis.id: (*columns, *names)})
        percent = 100 / lost.n if lost.n else 0.0
        yield (analysis.id, outcome, None, lost.n, lost.lost, percent * lost.lost)
        unknown = lost.n - int(complete_rows(frame, columns).sum())
        for name, count in ((outcome, unknown), *((name, lost.by_variable[name]) for name in names)):
            if count:
                yield (analysis.id, outcome, name, lost.n, count, percent * count)


def _needed(analysis: PlannedAnalysis) -> tuple[Term, ...]:
    """The terms whose values the score and the main model need, and those of the whole ladder where all models use the same rows."""
    own = PlannedModel(name="", terms=analysis.terms, selection=analysis.selection)
    models = (own, *(analysis.models if analysis.same_rows else ()))
    score = () if analysis.balancing is None else analysis.balancing.terms
    return tuple(dict.fromkeys((*score, *(term for model in models for term in model.every_term))))


def _association(frame: pl.DataFrame, names: tuple[str, ...]) -> list[Block]:
    found = describe.associations(frame, variables=names)
    pairs = ((item.row, item.column, item.value, item.measure, found.n, item.smallest) for item in found.pairs)
    factors = ((item.variable, item.df, item.gvif, item.per_column) for item in found.inflation)
    return [_block("correlation", pairs), _block("variance-inflation", factors)]


def _funnel(plan: Plan, frame: pl.DataFrame, outcome: str, site: str) -> Block:
    """Centers go by the level the dictionary knows, else by a number from the largest on."""
    known = plan.variables[site].levels if site in plan.variables else {}
    funnel = describe.center_funnel(
        frame.with_columns(level_text(frame[site]).alias(site)), center=site, outcome=outcome
    )
    lines = (
        (
            center.center if center.center in known else str(number), center.n, center.events, center.risk, funnel.overall,
            center.low_95, center.high_95, center.low_998, center.high_998,
        )
        for number, center in enumerate(funnel.centers, start=1)
    )  # fmt: skip
    return _block("center-funnel", lines, outcome)


# -- events per parameter ----------------------------------------------------------------------------------------------


def events_per_parameter(
    plan: Plan, cohort: Cohort, rows: Sequence[EstimateRow]
) -> tuple[tuple[Block, ...], tuple[Notice, ...]]:
    """How many events each model that ran has for a parameter, and a warning for each with fewer than ten."""
    found: dict[tuple[str, str, str | None], EventsPerParameter] = {}
    for analysis in plan.analyses:
        for row in rows:
            if row.analysis != analysis.id or not row.n or row.subgroup is not None or _repeats(row):
                continue
            outcome = plan.outcomes.get(row.outcome)
            terms = None if outcome is None else _terms(plan, analysis, outcome, row)
            key = (analysis.id, row.outcome, _model_name(row))
            if outcome is not None and terms is not None and key not in found:
                found[key] = _counted(cohort.frame, outcome, row, parameters_of(_compared(plan, cohort.frame), terms))
    lines = [(*key[:2], key[2], item.n, item.events, item.parameters, item.ratio) for key, item in found.items()]
    notices = tuple(_few(key, item) for key, item in found.items() if item.few)
    return ((_block("events-per-parameter", lines),) if lines else ()), notices


def _repeats(row: EstimateRow) -> bool:
    """Whether a row is the same model once more, with another interval."""
    return (row.model or "").endswith(REPEATED)


def _model_name(row: EstimateRow) -> str | None:
    return f"{SCREEN}: {row.estimate.variable}" if row.model == SCREEN else row.model


def _terms(plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, row: EstimateRow) -> tuple[Term, ...] | None:
    """What the model of a row estimates; None where its method is no model."""
    adjusted = analysis.adjusted or plan.group_variable is None
    method = METHODS.get(analysis.method)
    if analysis.method == "by-type":
        method = chosen(outcome.kind, adjusted=adjusted, clustered=analysis.clusters is not None)
    if method is None or not method.adjustable or analysis.estimator:
        return None
    if row.model == SCREEN:
        return tuple(term for term in analysis.screen if row.estimate.variable in variables_of(term))
    exposure = () if plan.group_variable is None else (plan.group_variable,)
    model = next((item for item in analysis.models if item.name == row.model), None)
    chosen_terms = analysis.terms if model is None else model.terms
    selection = analysis.selection if model is None else model.selection
    return tuple(dict.fromkeys((*exposure, *chosen_terms, *_candidates(selection))))


def _candidates(selection: PlannedSelection | None) -> tuple[Term, ...]:
    """A selection tries all its candidates, whatever it takes in the end."""
    return () if selection is None else (*selection.candidates, *selection.keep)


def parameters_of(frame: pl.DataFrame, terms: Sequence[Term]) -> int:
    """The coefficients of a model besides its intercept, with the levels that occur in the complete rows."""
    rows = np.flatnonzero(complete_rows(frame, [name for term in terms for name in variables_of(term)]))
    spec = learn(frame, terms, intercept=False, rows=rows)
    return sum(column.name != INTERCEPT for column in spec.columns)


def _counted(frame: pl.DataFrame, outcome: PlannedOutcome, row: EstimateRow, parameters: int) -> EventsPerParameter:
    n, events = row.n or 0, row.events or 0
    if outcome.kind == "binary":
        return describe.events_of_binary(n=n, events=events, parameters=parameters)
    if outcome.kind == "time-to-event":
        return describe.events_of_time(n=n, events=events, parameters=parameters)
    if outcome.kind == "ordinal" and outcome.name in frame.columns:
        counts = frame[outcome.name].drop_nulls().value_counts()["count"].to_list()
        return describe.events_of_levels(counts, parameters=parameters)
    return describe.events_of_number(n=n, parameters=parameters)


def _few(key: tuple[str, str, str | None], item: EventsPerParameter) -> Notice:
    analysis, outcome, model = key
    text = (
        f"{outcome}{f' ({model})' if model else ''}: fewer than ten events (of a number or a count: patients) for each of "
        f"{item.parameters} parameters (Peduzzi 1996). Ten is a rule of thumb, not a proof of enough or of too few (van "
        "Smeden 2016; Riley 2019): look for wide intervals and signs of separation, and consider fewer covariates or "
        "Firth's penalty."
    )
    return Notice("W690", analysis, text)
