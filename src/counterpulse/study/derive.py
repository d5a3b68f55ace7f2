"""The columns a study needs beyond those of its table: derived variables, compared groups, populations."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from counterpulse.data.applicability import applicable
from counterpulse.data.design import level_text
from counterpulse.data.patient_table import PatientTable
from counterpulse.expression import Scope, evaluation_order, names, parse, to_polars
from counterpulse.protocol.nodes import DerivedVariable, ProtocolNode
from counterpulse.protocol.scope import derived_levels


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


def derive_variables(frame: pl.DataFrame, nodes: ProtocolNode, scope: Scope) -> pl.DataFrame:
    """The frame with every derived variable, in an order that lets one build on another."""
    for name in evaluation_order({name: reads(node) for name, node in nodes.variables.items()}):
        if name in nodes.variables:
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


def _derived(node: DerivedVariable, scope: Scope) -> pl.Expr:
    if node.rule is not None:
        return condition(node.rule, scope)
    if node.value is not None:
        return to_polars(parse(node.value), scope).cast(pl.Float64)
    return _by_cases(node, scope)


def _by_cases(node: DerivedVariable, scope: Scope) -> pl.Expr:
    """The first case that is true; `otherwise` where every case is false; unknown as soon as a case before is unknown."""
    cases = node.cases or ()
    otherwise = next((case.otherwise for case in cases if case.when is None), None)
    kind = pl.Enum(list(derived_levels(node)))
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
