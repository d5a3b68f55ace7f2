"""The columns a study needs beyond those of its table: derived variables, compared groups, populations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import polars as pl

from counterpulse.data.applicability import applicable
from counterpulse.data.convert import plain_text
from counterpulse.data.design import level_text
from counterpulse.data.patient_table import PatientTable
from counterpulse.data.queries import ask, together
from counterpulse.data.table_reader import id_variable
from counterpulse.errors import InputError
from counterpulse.expression import Scope, evaluation_order, names, parse, to_polars
from counterpulse.protocol.nodes import CountedTime, DerivedVariable, ProtocolNode
from counterpulse.protocol.scope import case_levels
from counterpulse.protocol.window import TimeWindow
from counterpulse.protocol.words import HOURS, UNITS
from counterpulse.source import Finding, Location
from counterpulse.study.patients.measurements import AT, PATIENT, Linked, hours_since, in_window, link, take
from counterpulse.study.request import time_column


def settle_not_applicable(table: PatientTable) -> pl.DataFrame:
    """The frame in which a yes/no question that does not arise for a patient is answered no: it is not missing."""
    settled = [
        pl.when(pl.col(variable.name).is_null() & ~pl.lit(applicable(table, variable.name)))
        .then(False)
        .otherwise(pl.col(variable.name))
        .alias(variable.name)
        for variable in table.dictionary
        if variable.type == "yesno" and variable.applies_if is not None
    ]
    return table.frame.with_columns(settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What the related tables hold for the study.

    Attributes
    ----------
    columns : the variables taken from them, one value a patient
    repeated : of each repeated outcome its value, its time in hours since time zero, and the row of the patient
    findings, queries : values that stand at one time and differ, windows without any measurement
    """

    columns: tuple[pl.Series, ...] = ()
    repeated: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...] = ()
    queries: pl.DataFrame


def take_measurements(table: PatientTable, nodes: ProtocolNode) -> Measurements:
    """Read the related tables: the only place that does.

    Raises
    ------
    InputError : the patients come without a related table of the protocol
    """
    if missing := sorted(set(nodes.tables) - set(table.related)):
        raise InputError(f"the patients come without their table {missing[0]}; read them with `study.read_study`, "
                         "or add it with `data.with_related`")  # fmt: skip
    linked = {name: _linked(table, nodes, name) for name in nodes.tables}
    columns, findings, queries = [], list[Finding](), list[pl.DataFrame]()
    for name, node in nodes.variables.items():
        if node.table is None:
            continue
        window = None if node.window is None else TimeWindow.read(node.window)
        rows = linked[node.table]
        taken = take(rows, node.column, str(node.take), window, if_tied=node.if_tied)
        columns.append(taken.values.alias(name))
        where = Location(PurePath(nodes.tables[node.table].file).name)
        if taken.tied.height:
            findings.append(_tie(name, node, taken.tied, where))
            queries.append(_tie_queries(table, nodes, str(node.column), taken.tied, where.file))
        if in_window(rows, node.column, window).is_empty():
            findings.append(_nobody_measured(name, node.window, where))
    repeated = {}
    for name, outcome in nodes.outcomes.items():
        if outcome.table is not None:
            repeated[name] = _repeated(linked[outcome.table], name, str(outcome.column), outcome.window)
            if repeated[name].is_empty():
                where = Location(PurePath(nodes.tables[outcome.table].file).name)
                findings.append(_nobody_measured(name, outcome.window, where))
    return Measurements(columns=tuple(columns), repeated=repeated, findings=tuple(findings), queries=together(queries))


def derive_variables(frame: pl.DataFrame, nodes: ProtocolNode, scope: Scope) -> pl.DataFrame:
    """The frame with every derived variable, in an order that lets one build on another.

    Those that are taken from a related table are in the frame already.
    """
    for name in evaluation_order({name: reads(node) for name, node in nodes.variables.items()}):
        if name in nodes.variables and nodes.variables[name].table is None:
            frame = frame.with_columns(_derived(nodes.variables[name], scope).alias(name))
    return frame


def derive_populations(frame: pl.DataFrame, nodes: ProtocolNode, scope: Scope) -> pl.DataFrame:
    """The frame with a true/false/unknown column for each population."""
    for name in evaluation_order({name: set(names(parse(node.rule))) for name, node in nodes.populations.items()}):
        if name in nodes.populations:
            frame = frame.with_columns(condition(nodes.populations[name].rule, scope).alias(name))
    return frame


def condition(rule: str, scope: Scope) -> pl.Expr:
    """A rule as a three-valued expression."""
    return to_polars(parse(rule), scope)


def recode_groups(frame: pl.DataFrame, nodes: ProtocolNode) -> pl.DataFrame:
    """The group column as an enum of the compared levels, the reference first; anyone else is null."""
    if nodes.groups is None:
        return frame
    reference = nodes.groups.reference_level
    levels = [reference, *nodes.groups.treated]
    text = level_text(frame[nodes.groups.variable])
    compared = text.set(~text.is_in(levels), None) if text.len() else text
    return frame.with_columns(compared.cast(pl.Enum(levels)).alias(nodes.groups.variable))


def reads(node: DerivedVariable) -> set[str]:
    """The names that the definition of a derived variable reads."""
    rules = [node.rule, node.value, *(case.when for case in node.cases or ())]
    return {name for rule in rules if rule is not None for name in names(parse(rule))}


def columns_read(nodes: ProtocolNode, rules: Iterable[str | None]) -> set[str]:
    """Every name that rules read, those behind derived variables and populations too."""
    todo = [name for rule in rules if rule is not None for name in names(parse(rule))]
    seen = set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += reads(nodes.variables[name]) if name in nodes.variables else []
            todo += names(parse(nodes.populations[name].rule)) if name in nodes.populations else []
    return seen


def patient_ids(table: PatientTable, nodes: ProtocolNode) -> pl.Series | None:
    """The ids of the patients as text, if the table has ids."""
    name = id_variable(table.dictionary, nodes.data.id)
    return None if name is None else plain_text(table.frame[name])


def _linked(table: PatientTable, nodes: ProtocolNode, name: str) -> Linked:
    node, related = nodes.tables[name], table.related[name]
    patients = pl.DataFrame({"id": patient_ids(table, nodes)})
    unit = None
    if isinstance(nodes.time_zero, CountedTime):
        time = table.dictionary.tables[name].variables.get(node.time or "")
        unit = UNITS.get((time.unit or "").lower(), "hours") if time is not None else "hours"
    else:
        patients = patients.with_columns(table.frame[str(nodes.time_zero)].alias("zero"))
    return link(related, plain_text(related[node.id]), patients, time=node.time, unit=unit)


def _repeated(linked: Linked, name: str, column: str, window: str | None) -> pl.DataFrame:
    rows = in_window(linked, column, None if window is None else TimeWindow.read(window))
    hours = hours_since(linked, HOURS).cast(pl.Float64)
    known = rows.with_columns(hours.alias(time_column(name))).filter(pl.col(time_column(name)).is_not_null())
    return known.select(PATIENT, pl.col(column).cast(pl.Float64).alias(name), time_column(name))


def _tie(name: str, node: DerivedVariable, tied: pl.DataFrame, where: Location) -> Finding:
    count = tied[PATIENT].n_unique()
    who = f"{count} patient{'' if count == 1 else 's'}"
    seen = f"'{name}': for {who} the {node.take} time of '{node.column}' holds several values that differ"
    if node.if_tied is not None:
        how = node.if_tied.replace("-", " ")
        return Finding(code="W540", where=where, seen=f"{seen}; the {how} of them was taken (if_tied)",
                       remedy="look at these rows at the source")  # fmt: skip
    return Finding(
        code="E540", where=where, seen=seen, allowed="one value, or if_tied: mean, max, min, first-row, last-row",
        remedy="correct the rows, or say under `variables` which value counts with `if_tied`",
    )  # fmt: skip


def _tie_queries(table: PatientTable, nodes: ProtocolNode, column: str, tied: pl.DataFrame, file: str) -> pl.DataFrame:
    ids = patient_ids(table, nodes)
    assert ids is not None
    everywhere = pl.repeat(True, tied.height, dtype=pl.Boolean, eager=True)
    questions = ask(
        everywhere, "", variable=column, file=file, rows=pl.repeat(None, tied.height, dtype=pl.Int64, eager=True),
        ids=ids.gather(tied[PATIENT]), values=level_text(tied[column]),
    )  # fmt: skip
    when = pl.Series("question", tied[AT].cast(pl.String))
    text = pl.lit("Several values that differ stand at ") + when + pl.lit(". Which one holds?")
    return questions.with_columns(text.alias("question"))


def _nobody_measured(name: str, window: str | None, where: Location) -> Finding:
    when = f"in the window {TimeWindow.read(window)}" if window is not None else "at any time"
    return Finding(
        code="W545", where=where, seen=f"'{name}': no patient has a measurement {when}",
        remedy="widen the window, or check the times and ids of the table",
    )  # fmt: skip


def _derived(node: DerivedVariable, scope: Scope) -> pl.Expr:
    if node.rule is not None:
        return condition(node.rule, scope)
    if node.value is not None:
        return to_polars(parse(node.value), scope).cast(pl.Float64)
    cases = _by_cases(node, scope)
    return cases.cast(pl.String).cast(pl.Float64) if node.type == "number" else cases


def _by_cases(node: DerivedVariable, scope: Scope) -> pl.Expr:
    """The first case that is true; `otherwise` where every case is false; unknown as soon as a case before is unknown."""
    cases = node.cases or ()
    otherwise = next((case.otherwise for case in cases if case.when is None), None)
    kind = pl.Enum(list(case_levels(node)))
    result = pl.lit(otherwise, dtype=pl.String)
    for case in reversed([case for case in cases if case.when is not None]):
        assert case.when is not None
        rule = condition(case.when, scope)
        result = (
            pl.when(rule.is_null())
            .then(pl.lit(None, dtype=pl.String))
            .when(rule)
            .then(pl.lit(case.value))
            .otherwise(result)
        )
    return result.cast(kind)


def levels_of(kind: str, levels: Mapping[str, str] | None) -> dict[str, str]:
    """The levels of a variable with their labels; a yes/no has two."""
    return {"no": "No", "yes": "Yes"} if kind == "yesno" else dict(levels or {})
