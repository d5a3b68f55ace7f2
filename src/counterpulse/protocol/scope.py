"""What the rules of a protocol may name: the dictionary's variables, the derived ones, the populations."""

from __future__ import annotations

from typing import Literal

from counterpulse.data.dictionary import Dictionary
from counterpulse.data.scope import scope_of
from counterpulse.expression.scope import Symbol
from counterpulse.protocol.nodes import DerivedVariable, ProtocolNode

DerivedKind = Literal["yesno", "category", "number"]


def study_scope(nodes: ProtocolNode, dictionary: Dictionary, *, populations: bool = True) -> dict[str, Symbol]:
    """Name every symbol a rule may use; a rule of eligibility may not use populations."""
    scope = dict(scope_of(dictionary))
    for name, variable in nodes.variables.items():
        if name in dictionary:  # an error of its own
            continue
        kind = derived_kind(variable)
        levels = derived_levels(variable) if kind == "category" else None
        scope[name] = Symbol(name=name, kind=kind, label=variable.label or name, unit=variable.unit, levels=levels)
    for name, population in nodes.populations.items() if populations else ():
        scope[name] = Symbol(name=name, kind="condition", label=population.label or name)
    return scope


def derived_kind(node: DerivedVariable) -> DerivedKind:
    """Tell the dictionary type of a derived variable."""
    if node.rule is not None or node.take == "any":
        return "yesno"
    return "category" if node.cases is not None else "number"


def derived_levels(node: DerivedVariable) -> dict[str, str]:
    """List the levels of a variable derived by cases, in order, with their labels."""
    written = [case.otherwise if case.when is None else case.value for case in node.cases or ()]
    labels = node.levels or {}
    return {level: labels.get(level, level) for level in dict.fromkeys(filter(None, written))}
