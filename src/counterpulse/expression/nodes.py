"""The tree an expression becomes. Spans say where in the text each node stood; they do not count for equality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal, NamedTuple, TypeAlias

ConstantKind = Literal["number", "text", "yesno", "date", "datetime", "time"]
ArithmeticOperator = Literal["+", "-", "*", "/"]
ComparisonOperator = Literal["=", "!=", "<", "<=", ">", ">="]
TimeUnit = Literal["minutes", "hours", "days", "weeks", "months", "years"]

TIME_UNITS: tuple[TimeUnit, ...] = ("minutes", "hours", "days", "weeks", "months", "years")

OPPOSITE: dict[ComparisonOperator, ComparisonOperator] = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
MIRRORED: dict[ComparisonOperator, ComparisonOperator] = {
    "=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
}  # fmt: skip


class Span(NamedTuple):
    """Offsets into the text of the expression, counted from 0; `end` is exclusive."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the rule. `kind` counts for equality, so that yes is not 1."""

    kind: ConstantKind
    value: float | str | bool | date | datetime | time
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A column, a derived variable or a population."""

    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """``-x``. The parser folds a negated number into the number."""

    operand: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left + right`` and the like."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Elapsed:
    """``days from start to end``; negative where the end is before the start."""

    unit: TimeUnit
    start: Expression
    end: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left >= right`` and the like."""

    operator: ComparisonOperator
    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Between:
    """``value between low and high``, both ends included."""

    value: Expression
    low: Expression
    high: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Membership:
    """``value in (…)`` or ``value not in (…)``."""

    value: Expression
    items: tuple[Constant, ...]
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """``operand is known``, or ``operand is missing`` where `known` is false. Never unknown itself."""

    operand: Expression
    known: bool = True
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """``not operand``."""

    operand: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Junction:
    """``a and b and c`` or ``a or b or c``; two parts or more, none of them a junction of the same word."""

    word: Literal["and", "or"]
    parts: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expression: TypeAlias = (
    Constant
    | Name
    | Negative
    | Arithmetic
    | Elapsed
    | Comparison
    | Between
    | Membership
    | Known
    | Not
    | Junction
)  # fmt: skip


def join(word: Literal["and", "or"], parts: Sequence[Expression], span: Span = NOWHERE) -> Junction:
    """Join parts by ``and`` or ``or``; junctions of the same word among them are flattened."""
    flat: list[Expression] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Junction) and part.word == word else (part,))
    return Junction(word, tuple(flat), span)


def negate(operand: Expression, span: Span = NOWHERE) -> Negative | Constant:
    """``-operand``; a number takes the sign itself."""
    if isinstance(operand, Constant) and operand.kind == "number" and isinstance(operand.value, float):
        return Constant("number", 0.0 - operand.value, span)
    return Negative(operand, span)


def children(node: Expression) -> tuple[Expression, ...]:
    """Return the parts of a node, in the order of the text."""
    match node:
        case Constant() | Name():
            return ()
        case Negative(operand) | Known(operand) | Not(operand):
            return (operand,)
        case Arithmetic(_, left, right) | Comparison(_, left, right) | Elapsed(_, left, right):
            return (left, right)
        case Between(value, low, high):
            return (value, low, high)
        case Membership(value, items):
            return (value, *items)
        case Junction(_, parts):
            return parts


def walk(expression: Expression) -> Iterator[tuple[Expression, int]]:
    """Every node with its depth (the root has depth 1), each before its parts, in the order of the text."""
    waiting = [(expression, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in reversed(children(node)))


def names(expression: Expression) -> dict[str, tuple[Span, ...]]:
    """Find the names an expression reads, in the order of first use, each with every place it stands."""
    found: dict[str, tuple[Span, ...]] = {}
    for node, _ in walk(expression):
        if isinstance(node, Name):
            found[node.name] = (*found.get(node.name, ()), node.span)
    return found
