"""Everything that is wrong with an expression, at once, against what its names stand for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from counterpulse.expression.comparisons import between_problems, comparison_problems
from counterpulse.expression.nodes import (
    Arithmetic,
    Between,
    Comparison,
    Constant,
    Elapsed,
    Expression,
    Junction,
    Membership,
    Name,
    Negative,
    Not,
    Span,
    children,
    names,
    walk,
)
from counterpulse.expression.problem import Problem
from counterpulse.expression.scope import Kind, Scope, described, known_kind, same_unit, unit_of
from counterpulse.expression.text import to_text
from counterpulse.source import did_you_mean

Expect = Literal["condition", "number", "date", "any"]

_CONDITION = ("a condition, such as age >= 18 or iabp = yes", "compare it with a value")
_NUMBER = ("a number, such as age or weight / 2", "use number columns and numbers only")
_DATE = ("a date or a date with time", "use a date column")
_EXPECTED: dict[Expect, tuple[frozenset[Kind], tuple[str, str]]] = {
    "condition": (frozenset({"yesno"}), _CONDITION),
    "number": (frozenset({"number"}), _NUMBER),
    "date": (frozenset({"date", "datetime"}), _DATE),
}
_FINE_UNITS = ("minutes", "hours")


def check(expression: Expression, scope: Scope, *, expect: Expect = "condition") -> tuple[Problem, ...]:
    """Check an expression against what its names stand for.

    Parameters
    ----------
    expression : Expression
        What `parse` returned.
    scope : mapping of name to Symbol
    expect : {"condition", "number", "date", "any"}
        What the whole must be where it stands.

    Returns
    -------
    tuple of Problem
        Errors and warnings in the order of the text; empty when there is nothing to say.
    """
    problems = [problem for node, _ in walk(expression) for problem in _problems_of(node, scope)]
    if expect != "any":
        kinds, (allowed, remedy) = _EXPECTED[expect]
        problems.extend(_unless(expression, kinds, scope, "E409", allowed, remedy))
    if not names(expression):
        problems.append(
            Problem("W452", expression.span, "no column is read: the same for everybody", remedy="name a column")
        )
    problems.extend(_open_spans(expression))
    return tuple(sorted(problems, key=lambda problem: problem.span.start))


def _problems_of(node: Expression, scope: Scope) -> Iterator[Problem]:
    match node:
        case Name():
            yield from _name_problems(node, scope)
        case Negative() | Arithmetic():
            yield from _arithmetic_problems(node, scope)
        case Elapsed():
            yield from _elapsed_problems(node, scope)
        case Comparison(operator, left, right):
            yield from comparison_problems(left, right, scope, node.span, ordering=operator not in ("=", "!="))
        case Between():
            yield from between_problems(node, scope)
        case Membership(value, items):
            for item in items:
                yield from comparison_problems(value, item, scope, item.span, ordering=False)
        case Not() | Junction():
            for part in children(node):
                yield from _unless(part, _EXPECTED["condition"][0], scope, "E409", *_CONDITION)
        case _:
            return


def _unless(
    node: Expression, kinds: frozenset[Kind], scope: Scope, code: str, allowed: str, remedy: str
) -> Iterator[Problem]:
    kind = known_kind(node, scope)
    if kind is not None and kind not in kinds:
        yield Problem(code, node.span, f"{to_text(node)} is {described(kind)}", allowed, remedy)


def _name_problems(node: Name, scope: Scope) -> Iterator[Problem]:
    if node.name in scope:
        return
    remedy = did_you_mean(node.name, list(scope))
    if any(symbol.levels and node.name in symbol.levels for symbol in scope.values()):
        remedy = f'a level is written in quotes: "{node.name}"'
    elif node.name.lower() in ("yes", "no", "true", "false"):
        remedy = f"write {node.name.lower()} in small letters"
    yield Problem(
        "E402",
        node.span,
        f"{node.name} is no column and no derived variable",
        "names of the dictionary, of variables: and of populations:",
        remedy or "look it up in the dictionary, or define it under variables:",
    )


def _arithmetic_problems(node: Negative | Arithmetic, scope: Scope) -> Iterator[Problem]:
    operands = (node.operand,) if isinstance(node, Negative) else (node.left, node.right)
    for operand in operands:
        allowed, remedy = _NUMBER
        if known_kind(operand, scope) in ("date", "datetime"):
            remedy = "for a length of time write days from a to b"
        yield from _unless(operand, _EXPECTED["number"][0], scope, "E406", allowed, remedy)
    if isinstance(node, Arithmetic) and node.operator in ("+", "-"):
        left, right = unit_of(node.left, scope), unit_of(node.right, scope)
        if not same_unit(left, right):
            yield Problem(
                "E410", node.span, f"units differ: {left} and {right}", "one unit", "multiply one by the factor"
            )


def _elapsed_problems(node: Elapsed, scope: Scope) -> Iterator[Problem]:
    for end in (node.start, node.end):
        yield from _unless(end, _EXPECTED["date"][0], scope, "E407", *_DATE)
        if known_kind(end, scope) == "date" and node.unit in _FINE_UNITS:
            yield Problem(
                "E408",
                end.span,
                f"{to_text(end)} is a date without a time of day: {node.unit} cannot be told",
                "dates with time; days, weeks, months and years also from dates",
                "write days, or use a column with the time",
            )


def _open_spans(expression: Expression) -> Iterator[Problem]:
    """Warn of ``days from a to b <= 30`` where nothing keeps the end from lying before the start."""
    limits = [limit for node, _ in walk(expression) if (limit := _limit(node)) is not None]
    closed = [elapsed for elapsed, upper, _, _ in limits if not upper]
    for elapsed, upper, bound, span in limits:
        if upper and isinstance(bound.value, float) and bound.value > 0 and elapsed not in closed:
            yield Problem(
                "W451",
                span,
                f"negative {elapsed.unit} pass too: the second date may come before the first",
                "a span with both ends",
                f"write {to_text(elapsed)} between 0 and {to_text(bound)}",
            )


def _limit(node: Expression) -> tuple[Elapsed, bool, Constant, Span] | None:
    """Find the span of time that a comparison limits, whether from above, and the limit."""
    match node:
        case Comparison(("<" | "<=" | ">" | ">=") as operator, Elapsed() as elapsed, Constant() as bound):
            return elapsed, operator in ("<", "<="), bound, node.span
        case Comparison(("<" | "<=" | ">" | ">=") as operator, Constant() as bound, Elapsed() as elapsed):
            return elapsed, operator in (">", ">="), bound, node.span
        case _:
            return None
