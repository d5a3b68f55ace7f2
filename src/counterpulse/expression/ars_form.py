"""An expression as a where-clause of the CDISC Analysis Results Standard (v1.0): conditions under AND, OR and NOT.

A condition there compares one variable of one dataset with values written as texts. ``is missing`` becomes EQ with no
value, ``is known`` NE with no value; a day compared with a date with time becomes its first and last second. What the standard cannot say (calculations, spans of time, times of day, two columns) becomes a
flag: a variable named by the rule's canonical text, EQ yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from counterpulse.expression.bind import bind
from counterpulse.expression.nodes import (
    MIRRORED,
    Between,
    Comparison,
    ComparisonOperator,
    Constant,
    Expression,
    Junction,
    Known,
    Membership,
    Name,
    Not,
    join,
)
from counterpulse.expression.problem import ExpressionError
from counterpulse.expression.scope import Scope, kind_of
from counterpulse.expression.text import constant_text, to_text

_COMPARATORS: dict[ComparisonOperator, str] = {"=": "EQ", "!=": "NE", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}
WhereClause = dict[str, Any]


def to_ars(expression: Expression, scope: Scope, *, dataset: str = "ADSL") -> WhereClause:
    """Write a condition as a nested where-clause.

    Parameters
    ----------
    expression : Expression
        A condition.
    scope : mapping of name to Symbol
    dataset : str
        The analysis dataset that holds the variables.

    Returns
    -------
    dict
        ``{"level", "order", "condition": {"dataset", "variable", "comparator", "value"}}`` or
        ``{"level", "order", "compoundExpression": {"logicalOperator", "whereClauses"}}``; see
        https://github.com/cdisc-org/analysis-results-standard

    Raises
    ------
    ExpressionError
        When `check` finds an error, or the expression is no condition.
    """
    bound = bind(expression, scope)
    if kind_of(bound, scope) != "yesno":
        raise ExpressionError("not a condition", expression.span, "a condition, such as age >= 18", code="E409")
    return _clause(_by_seconds(bound, scope), dataset, 1, 1)


def _by_seconds(node: Expression, scope: Scope) -> Expression:
    """Write comparisons of a date with time and a day by the first and last second of the day."""
    match node:
        case Junction(word, parts):
            return join(word, [_by_seconds(part, scope) for part in parts])
        case Not(operand):
            return Not(_by_seconds(operand, scope))
        case Comparison(operator, Constant() as constant, Name() as name):
            return _by_seconds(Comparison(MIRRORED[operator], name, constant), scope)
        case Comparison(operator, Name(name), Constant("date", date() as day)) if scope[name].kind == "datetime":
            return _day(operator, node.left, day)
        case Between(Name() as value, low, high):
            ends = (Comparison(">=", value, low), Comparison("<=", value, high))
            return join("and", [_by_seconds(end, scope) for end in ends])
        case Membership(Name(name) as value, items, negated) if scope[name].kind == "datetime":
            days = [_by_seconds(Comparison("=", value, item), scope) for item in items]
            found = join("or", days) if len(days) > 1 else days[0]
            return Not(found) if negated else found
        case _:
            return node


def _day(operator: ComparisonOperator, left: Expression, day: date) -> Expression:
    first = Constant("datetime", datetime.combine(day, time(0, 0, 0)))
    last = Constant("datetime", datetime.combine(day, time(23, 59, 59)))
    within = join("and", [Comparison(">=", left, first), Comparison("<=", left, last)])
    if operator == "=":
        return within
    if operator == "!=":
        return Not(within)
    return Comparison(operator, left, first if operator in ("<", ">=") else last)


def _clause(node: Expression, dataset: str, level: int, order: int) -> WhereClause:
    place: WhereClause = {"level": level, "order": order}
    match node:
        case Junction(word, parts):
            return place | _compound(word.upper(), parts, dataset, level)
        case Not(operand):
            return place | _compound("NOT", (operand,), dataset, level)
        case _:
            variable, comparator, values = _condition(node)
            condition = {"dataset": dataset, "variable": variable, "comparator": comparator, "value": values}
            return place | {"condition": condition}


def _compound(operator: str, parts: Sequence[Expression], dataset: str, level: int) -> WhereClause:
    clauses = [_clause(part, dataset, level + 1, number) for number, part in enumerate(parts, start=1)]
    return {"compoundExpression": {"logicalOperator": operator, "whereClauses": clauses}}


def _condition(node: Expression) -> tuple[str, str, list[str]]:
    match node:
        case Name(name):
            return name, "EQ", ["yes"]
        case Comparison(operator, Name(name), Constant() as constant) if constant.kind != "time":
            return name, _COMPARATORS[operator], [_value(constant)]
        case Membership(Name(name), items, negated):
            return name, "NOTIN" if negated else "IN", [_value(item) for item in items]
        case Known(Name(name), known):
            return name, "NE" if known else "EQ", []
        case _:
            return to_text(node), "EQ", ["yes"]


def _value(constant: Constant) -> str:
    return constant.value if isinstance(constant.value, str) else constant_text(constant)
