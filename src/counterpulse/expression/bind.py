"""An expression bound to its scope: checked, and with every level named by its code."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.expression.check import check
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
from counterpulse.expression.problem import ExpressionError
from counterpulse.expression.scope import Scope, leveled


def bind(expression: Expression, scope: Scope) -> Expression:
    """Check an expression and replace labels of levels by their codes: the common start of every form.

    Raises
    ------
    ExpressionError
        The first error that `check` finds.
    """
    for problem in check(expression, scope, expect="any"):
        if problem.severity == "error":
            raise ExpressionError.of(problem)
    return _coded(expression, scope)


def _coded(node: Expression, scope: Scope) -> Expression:
    match node:
        case Constant() | Name():
            return node
        case Negative(operand) | Known(operand) | Not(operand):
            return replace(node, operand=_coded(operand, scope))
        case Elapsed(_, start, end):
            return replace(node, start=_coded(start, scope), end=_coded(end, scope))
        case Junction(_, parts):
            return replace(node, parts=tuple(_coded(part, scope) for part in parts))
        case Arithmetic(_, left, right):
            return replace(node, left=_coded(left, scope), right=_coded(right, scope))
        case _:
            return _coded_test(node, scope)


def _coded_test(node: Comparison | Between | Membership, scope: Scope) -> Expression:
    match node:
        case Comparison(_, left, right):
            return replace(node, left=_side(left, right, scope), right=_side(right, left, scope))
        case Between(value, low, high):
            bounds = (_side(low, value, scope), _side(high, value, scope))
            return replace(node, value=_coded(value, scope), low=bounds[0], high=bounds[1])
        case Membership(value, items):
            coded = tuple(_code(item, value, scope) for item in items)
            return replace(node, value=_coded(value, scope), items=coded)


def _side(node: Expression, other: Expression, scope: Scope) -> Expression:
    return _code(node, other, scope) if isinstance(node, Constant) else _coded(node, scope)


def _code(constant: Constant, other: Expression, scope: Scope) -> Constant:
    symbol = leveled(other, scope)
    code = symbol.code(constant) if symbol is not None else None
    return constant if code is None else Constant("text", code, constant.span)
