"""What the rules of a protocol may name: the dictionary's variables, the derived ones, the populations."""

from __future__ import annotations

from typing import Literal

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.data.scope import scope_of
from counterpulse.expression.scope import Symbol
from counterpulse.protocol.nodes import DerivedVariable, Outcome, ProtocolNode

DerivedKind = Literal["yesno", "category", "ordinal", "number"]


def study_scope(nodes: ProtocolNode, dictionary: Dictionary, *, populations: bool = True) -> dict[str, Symbol]:
    """Name every symbol a rule may use; a rule of eligibility may not use populations."""
    scope = dict(scope_of(dictionary))
    for name, variable in nodes.variables.items():
        if name in dictionary:  # an error of its own
            continue
        kind = derived_kind(variable, dictionary)
        levels = (derived_levels(variable, dictionary) or None) if kind in ("category", "ordinal") else None
        unit = derived_unit(variable, dictionary)
        scope[name] = Symbol(name=name, kind=kind, label=variable.label or name, unit=unit, levels=levels)
    for name, population in nodes.populations.items() if populations else ():
        scope[name] = Symbol(name=name, kind="condition", label=population.label or name)
    return scope


def measured_column(node: DerivedVariable | Outcome, dictionary: Dictionary) -> Variable | None:
    """Find the column of a related table that a variable or an outcome is taken from."""
    table = dictionary.tables.get(node.table or "")
    return table.variables.get(node.column or "") if table is not None else None


def derived_kind(node: DerivedVariable, dictionary: Dictionary) -> DerivedKind:
    """Tell the dictionary type of a derived variable; a measurement keeps that of its column."""
    if node.rule is not None or node.take == "any":
        return "yesno"
    if node.cases is not None:
        return "number" if node.type == "number" else "category"
    column = measured_column(node, dictionary)
    if column is None or node.take in ("count", "mean"):
        return "number"
    return column.type if column.type in ("yesno", "category", "ordinal") else "number"


def derived_levels(node: DerivedVariable, dictionary: Dictionary) -> dict[str, str]:
    """List the levels of a derived category, in order, with their labels."""
    column = measured_column(node, dictionary)
    if node.type == "number":
        return {}
    return dict(column.levels or {}) if column is not None else case_levels(node)


def case_levels(node: DerivedVariable) -> dict[str, str]:
    """List the values of the cases of a derived variable, in order, with their labels."""
    written = [case.otherwise if case.when is None else case.value for case in node.cases or ()]
    labels = node.levels or {}
    return {level: labels.get(level, level) for level in dict.fromkeys(filter(None, written))}


def derived_unit(node: DerivedVariable, dictionary: Dictionary) -> str | None:
    """Tell the unit of a derived variable: as said, else that of the column it is taken from."""
    column = measured_column(node, dictionary)
    return node.unit or (column.unit if column is not None and node.take not in ("any", "count") else None)
