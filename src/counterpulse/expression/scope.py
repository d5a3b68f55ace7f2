"""What the names of an expression stand for, and what kind of value each part of it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from counterpulse.expression.nodes import (
    Arithmetic,
    Constant,
    Elapsed,
    Expression,
    Name,
    Negative,
)
from counterpulse.expression.text import number_text

SymbolKind = Literal["number", "yesno", "category", "ordinal", "date", "datetime", "text", "id", "condition"]
Kind = Literal["number", "yesno", "category", "ordinal", "date", "datetime", "time", "text", "id"]
Family = Literal["number", "yesno", "text", "moment", "clock"]

_TEXTS = frozenset({"category", "ordinal", "text", "id"})
_MOMENTS = frozenset({"date", "datetime"})


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name stands for.

    Parameters
    ----------
    name : str
        As rules write it (Unicode in composed form, NFC); also the column of the frame.
    kind : str
        What the column holds; integers are numbers, and ``condition`` is a derived rule or a population (Boolean).
    label, unit : str or None
        For the English; an absent label is the name.
    levels : mapping of code to label, or None
        Of a category or ordinal variable, in order. None: any code is accepted.
    """

    name: str
    kind: SymbolKind
    label: str | None = None
    unit: str | None = None
    levels: Mapping[str, str] | None = None

    def code(self, constant: Constant) -> str | None:
        """Find the code of the level that a constant names by code or label; None where there is no such level."""
        if self.levels is None:
            return constant.value if isinstance(constant.value, str) else None
        if constant.kind == "number":
            return self._numeric_code(constant)
        word = ("yes" if constant.value else "no") if constant.kind == "yesno" else constant.value
        if word in self.levels:
            return str(word)
        labeled = [code for code, label in self.levels.items() if label == word]
        return labeled[0] if len(labeled) == 1 else None

    def _numeric_code(self, constant: Constant) -> str | None:
        """Find a level coded 1, 2, 3 that is written as a number."""
        word = number_text(float(constant.value)) if isinstance(constant.value, float) else None
        return word if self.levels is not None and word in self.levels else None


Scope: TypeAlias = Mapping[str, Symbol]


def kind_of(node: Expression, scope: Scope) -> Kind:
    """Tell the kind of value a part of a checked expression has; a condition is a yes/no value."""
    match node:
        case Constant(kind):
            return kind
        case Name(name):
            held = scope[name].kind
            return "yesno" if held == "condition" else held
        case Negative() | Arithmetic() | Elapsed():
            return "number"
        case _:
            return "yesno"


def known_kind(node: Expression, scope: Scope) -> Kind | None:
    """Tell the kind of a part of an expression that is not checked yet; None for a name that stands for nothing."""
    return None if isinstance(node, Name) and node.name not in scope else kind_of(node, scope)


def described(kind: Kind) -> str:
    """Say a kind in words."""
    return {
        "number": "a number", "yesno": "a yes/no value", "category": "a category", "ordinal": "an ordinal category",
        "date": "a date", "datetime": "a date with time", "time": "a time of day", "text": "a text", "id": "an identifier",
    }[kind]  # fmt: skip


def family(left: Kind, right: Kind) -> Family | None:
    """How values of two kinds are compared; None where they cannot be."""
    kinds = {left, right}
    if kinds == {"number"}:
        return "number"
    if kinds == {"yesno"}:
        return "yesno"
    if kinds <= _TEXTS:
        return "text"
    if kinds <= _MOMENTS:
        return "moment"
    return "clock" if kinds == {"datetime", "time"} else None


def compared_as_days(left: Expression, right: Expression, scope: Scope) -> bool:
    """Whether a date stands on one side at least: then both count as whole calendar days."""
    return "date" in (kind_of(left, scope), kind_of(right, scope))


def leveled(node: Expression, scope: Scope) -> Symbol | None:
    """Find the category or ordinal variable that a node reads, if it is one."""
    symbol = scope.get(node.name) if isinstance(node, Name) else None
    return symbol if symbol is not None and symbol.kind in ("category", "ordinal") else None


def unit_of(node: Expression, scope: Scope) -> str | None:
    """Find the unit of a number; None where it has none, or where a product or quotient makes one that is not tracked."""
    match node:
        case Name(name) if name in scope:
            return scope[name].unit
        case Negative(operand):
            return unit_of(operand, scope)
        case Elapsed(unit):
            return unit
        case Arithmetic("+" | "-", left, right):
            return unit_of(left, scope) or unit_of(right, scope)
        case _:
            return None


_TIME_WORDS = {
    "min": "minutes", "minute": "minutes", "h": "hours", "hr": "hours", "hour": "hours", "d": "days", "day": "days",
    "wk": "weeks", "week": "weeks", "mo": "months", "month": "months", "y": "years", "yr": "years", "year": "years",
}  # fmt: skip


def same_unit(left: str | None, right: str | None) -> bool:
    """Whether two units agree; an absent unit agrees with any."""
    if left is None or right is None:
        return True
    one, other = ("".join(unit.split()) for unit in (left, right))
    return one == other or _TIME_WORDS.get(one, one) == _TIME_WORDS.get(other, other)
