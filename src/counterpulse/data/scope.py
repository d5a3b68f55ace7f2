"""What rules may name: the variables of a dictionary."""

from __future__ import annotations

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.expression.scope import Scope, Symbol


def scope_of(dictionary: Dictionary) -> Scope:
    """The symbols of a dictionary, one a variable, by name."""
    return {variable.name: symbol_of(variable) for variable in dictionary}


def symbol_of(variable: Variable) -> Symbol:
    """What a rule needs to know of a variable; the codes of a yes/no variable are already yes and no."""
    return Symbol(
        name=variable.name,
        kind="number" if variable.type == "integer" else variable.type,
        label=variable.label,
        unit=variable.unit,
        levels=None if variable.type == "yesno" or variable.more_levels else variable.levels,
    )
