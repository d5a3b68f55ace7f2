"""The canonical text of an expression: what the protocol's digest is taken of."""

from __future__ import annotations

from datetime import date, datetime, time

from counterpulse.expression.nodes import (
    Arithmetic,
    Between,
    Comparison,
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

OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, PRIMARY = range(1, 9)
_LARGEST_PLAIN = 1e15  # integers below print without exponent


def precedence(node: Expression) -> int:
    """How tightly a node holds together; brackets are needed inside anything tighter."""
    match node:
        case Junction(word):
            return OR if word == "or" else AND
        case Not():
            return NOT
        case Comparison() | Between() | Membership() | Known():
            return COMPARISON
        case Arithmetic(operator):
            return SUM if operator in "+-" else PRODUCT
        case Negative():
            return UNARY
        case Constant("number", value) if isinstance(value, float) and value < 0:
            return UNARY
        case _:
            return PRIMARY


def to_text(expression: Expression) -> str:
    """Write an expression in its one canonical form: ``parse(to_text(e)) == e``, whatever the spacing it was written in."""
    match expression:
        case Constant():
            return constant_text(expression)
        case Name(name):
            return name
        case Negative(operand):
            return f"-{_within(operand, UNARY)}"
        case Arithmetic(operator, left, right):
            level = precedence(expression)
            return f"{_within(left, level)} {operator} {_within(right, level + 1)}"
        case Elapsed(unit, start, end):
            return f"{unit} from {_within(start, PRIMARY)} to {_within(end, PRIMARY)}"
        case _:
            return _condition_text(expression)


def _condition_text(expression: Expression) -> str:
    match expression:
        case Comparison(operator, left, right):
            return f"{_within(left, SUM)} {operator} {_within(right, SUM)}"
        case Between(value, low, high):
            return f"{_within(value, SUM)} between {_within(low, SUM)} and {_within(high, SUM)}"
        case Membership(value, items, negated):
            listed = ", ".join(constant_text(item) for item in items)
            return f"{_within(value, SUM)} {'not in' if negated else 'in'} ({listed})"
        case Known(operand, known):
            return f"{_within(operand, SUM)} is {'known' if known else 'missing'}"
        case Not(operand):
            return f"not {_within(operand, NOT)}"
        case Junction(word, parts):
            return f" {word} ".join(_within(part, precedence(expression) + 1) for part in parts)
        case _:
            raise AssertionError(f"{type(expression).__name__} is no condition")


def _within(node: Expression, level: int) -> str:
    text = to_text(node)
    return text if precedence(node) >= level else f"({text})"


def constant_text(constant: Constant) -> str:
    """Write a constant as it stands in a rule."""
    value = constant.value
    if constant.kind == "yesno":
        return "yes" if value else "no"
    if isinstance(value, str):
        quote = "'" if '"' in value and "'" not in value else '"'
        return f"{quote}{value.replace(quote, quote * 2)}{quote}"
    return moment_text(value) if isinstance(value, date | time) else number_text(float(value))


def number_text(value: float) -> str:
    """Write a number without a superfluous point or exponent."""
    return str(int(value)) if value.is_integer() and abs(value) < _LARGEST_PLAIN else repr(value)


def moment_text(value: date | time) -> str:
    """Write a date, datetime or time; seconds only where they are not zero."""
    if isinstance(value, datetime | time):
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    return value.isoformat()
