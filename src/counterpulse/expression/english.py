"""An expression as a sentence of the methods section, in labels and units."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.expression.bind import bind
from counterpulse.expression.nodes import (
    MIRRORED,
    OPPOSITE,
    Arithmetic,
    Between,
    Comparison,
    ComparisonOperator,
    Constant,
    Elapsed,
    Expression,
    Junction,
    Known,
    Membership,
    Name,
    Negative,
    Not,
)
from counterpulse.expression.scope import Kind, Scope, compared_as_days, kind_of, leveled, unit_of
from counterpulse.expression.text import moment_text, number_text, precedence

_SYMBOLS: dict[ComparisonOperator, str] = {"=": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_SPANS: dict[ComparisonOperator, str] = {
    "=": "is", "!=": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least",
}  # fmt: skip
_MOMENTS: dict[ComparisonOperator, str] = {
    "=": "is on", "!=": "is not on", "<": "is before", "<=": "is on or before", ">": "is after", ">=": "is on or after",
}  # fmt: skip
_INSTANTS: dict[ComparisonOperator, str] = {
    "=": "is at", "!=": "is not at", "<": "is before", "<=": "is at or before", ">": "is after", ">=": "is at or after",
}  # fmt: skip
_ARITHMETIC = {"+": "+", "-": "−", "*": "×", "/": "/"}


def to_english(expression: Expression, scope: Scope) -> str:
    """Say an expression in words.

    Labels stand as the dictionary writes them, except that a label which is the name with a capital is written small
    ("age"). Numbers take the unit of what they are compared with; brackets stand only where they are needed.

    Raises
    ------
    ExpressionError
        When `check` finds an error.
    """
    return _say(_positive(bind(expression, scope)), scope)


def _positive(node: Expression) -> Expression:
    """Turn ``not`` before a comparison into its opposite; unknown stays unknown in both."""
    match node:
        case Junction(_, parts):
            return replace(node, parts=tuple(_positive(part) for part in parts))
        case Not(Not(operand)):
            return _positive(operand)
        case Not(Comparison(operator) as inner):
            return _positive(replace(inner, operator=OPPOSITE[operator]))
        case Comparison("!=", left, Constant("yesno", value) as constant):
            return Comparison("=", left, replace(constant, value=not value))
        case Not(Membership() as inner):
            return replace(inner, negated=not inner.negated)
        case Not(Known() as inner):
            return replace(inner, known=not inner.known)
        case Not(operand):
            return replace(node, operand=_positive(operand))
        case _:
            return node


def _say(node: Expression, scope: Scope) -> str:
    match node:
        case Name(name) if scope[name].kind == "yesno":
            return f"{_label(name, scope)} is yes"
        case Name(name) if scope[name].kind == "condition":
            return f"{_label(name, scope)} holds"
        case Junction(word, parts):
            tight = precedence(node)
            return f" {word} ".join(_bracketed(part, scope, precedence(part) <= tight) for part in parts)
        case Not(operand):
            return _say_not(operand, scope)
        case Known(operand, known):
            return f"{_value(operand, scope)} is {'known' if known else 'missing'}"
        case Comparison() | Between() | Membership():
            return _say_test(node, scope)
        case _:
            return _value(node, scope)


def _say_not(operand: Expression, scope: Scope) -> str:
    match operand:
        case Name(name):
            return f"{_label(name, scope)} {'is no' if scope[name].kind == 'yesno' else 'does not hold'}"
        case Between():
            return _say(operand, scope).replace(" is between ", " is not between ", 1)
        case _:
            return f"not ({_say(operand, scope)})"


def _bracketed(node: Expression, scope: Scope, brackets: bool) -> str:
    return f"({_say(node, scope)})" if brackets else _say(node, scope)


def _say_test(node: Comparison | Between | Membership, scope: Scope) -> str:
    match node:
        case Comparison(operator, Constant() as constant, other) if not isinstance(other, Constant):
            return _say_test(Comparison(MIRRORED[operator], other, constant), scope)
        case Comparison(operator, left, right):
            verb = _verb(operator, left, right, scope)
            return f"{_subject(left, right, scope)} {verb} {_object(right, left, scope)}"
        case Between(value, low, high):
            ends = [_object(end, value, scope) for end in (low, high)]
            if unit := _shared_unit(value, low, high, scope):
                ends[0] = ends[0].removesuffix(f" {unit}")
            return f"{_subject(value, low, scope)} is between {ends[0]} and {ends[1]}"
        case Membership(value, items, negated):
            listed = _listed([_object(item, value, scope) for item in items], "nor" if negated else "or")
            no = "" if not negated else "not " if len(items) == 1 else "neither "
            return f"{_subject(value, items[0], scope)} is {no}{listed}"


def _listed(words: list[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _verb(operator: ComparisonOperator, left: Expression, right: Expression, scope: Scope) -> str:
    kinds: set[Kind] = {kind_of(left, scope), kind_of(right, scope)}
    if isinstance(left, Elapsed) or "ordinal" in kinds:
        return _SPANS[operator]
    if kinds == {"number"}:
        return _SYMBOLS[operator]
    if "date" in kinds:
        return _MOMENTS[operator]
    return _INSTANTS[operator] if "datetime" in kinds else _SPANS[operator]


def _subject(node: Expression, other: Expression, scope: Scope) -> str:
    words = _value(node, scope)
    return f"the time of day of {words}" if kind_of(other, scope) == "time" else words


def _object(node: Expression, other: Expression, scope: Scope) -> str:
    """Say the second side of a comparison: a level by its label, a number with its unit."""
    symbol = leveled(other, scope)
    if not isinstance(node, Constant):
        return _value(node, scope)
    if symbol is not None and symbol.levels is not None and isinstance(node.value, str):
        return symbol.levels[node.value]
    unit = unit_of(other, scope) if node.kind == "number" else None
    if isinstance(other, Elapsed) and node.value == 1.0:
        unit = other.unit.removesuffix("s")
    return f"{_value(node, scope)} {unit}" if unit else _value(node, scope)


def _shared_unit(value: Expression, low: Expression, high: Expression, scope: Scope) -> str | None:
    constants = isinstance(low, Constant) and isinstance(high, Constant)
    return unit_of(value, scope) if constants else None


def _value(node: Expression, scope: Scope) -> str:
    match node:
        case Constant():
            return _constant(node)
        case Name(name):
            return _label(name, scope)
        case Negative(operand):
            return f"−{_factor(operand, precedence(node), scope)}"
        case Arithmetic(operator, left, right):
            level = precedence(node)
            return f"{_factor(left, level, scope)} {_ARITHMETIC[operator]} {_factor(right, level + 1, scope)}"
        case Elapsed(_, start, end):
            days = " in calendar days" if compared_as_days(start, end, scope) and node.unit in ("days", "weeks") else ""
            return f"the time from {_value(start, scope)} to {_value(end, scope)}{days}"
        case _:
            return f"({_say(node, scope)})"


def _factor(node: Expression, level: int, scope: Scope) -> str:
    words = _value(node, scope)
    if isinstance(node, Elapsed):
        return f"({words} in {node.unit})"
    return f"({words})" if precedence(node) < level else words


def _constant(constant: Constant) -> str:
    value = constant.value
    if constant.kind == "yesno":
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"“{value}”"
    if constant.kind == "number" and isinstance(value, float | int):
        return number_text(float(value)).replace("-", "−")
    return moment_text(value).replace("T", " ")  # type: ignore[arg-type]  # a date, datetime or time is left


def _label(name: str, scope: Scope) -> str:
    label = scope[name].label or name
    return label.lower() if label.lower() == name.replace("_", " ") and label == label.capitalize() else label
