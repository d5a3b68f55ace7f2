"""An expression as one polars expression, three-valued: a missing value is unknown, and so is what hangs on it.

Conventions. Null and NaN are unknown; ``and``, ``or`` and ``not`` follow Kleene; a division by zero is unknown.
A date compared with a date with time counts as its whole day. ``days from a to b`` counts calendar days as soon as one of
the two is a date, and exact fractions of 24 hours where both have a time; weeks are days / 7. ``months`` are calendar
months (the day of the month reached again, the last day where a month is too short) plus the elapsed fraction of the
next; ``years`` are months / 12, so that a birthday is a whole number of years.
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Sequence
from datetime import date, datetime, time

import numpy as np
import polars as pl

from counterpulse.expression.bind import bind
from counterpulse.expression.nodes import (
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
from counterpulse.expression.scope import Scope, compared_as_days, family, kind_of, leveled

_COMPARE: dict[ComparisonOperator, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": operators.eq, "!=": operators.ne, "<": operators.lt, "<=": operators.le, ">": operators.gt, ">=": operators.ge,
}  # fmt: skip
MICROSECONDS = {"minutes": 60_000_000, "hours": 3_600_000_000, "days": 86_400_000_000, "weeks": 604_800_000_000}


def to_polars(expression: Expression, scope: Scope) -> pl.Expr:
    """Compile an expression for frames whose columns are named and typed as the scope says.

    Parameters
    ----------
    expression : Expression
    scope : mapping of name to Symbol
        number: Float64 or Int64; yesno and condition: Boolean; category and ordinal: Enum of the codes or String;
        date: Date; datetime: Datetime; text and id: String.

    Returns
    -------
    polars.Expr
        Boolean for a condition (null where unknown), Float64 for a number, otherwise the type of the column. An
        expression that reads no column has length 1.

    Raises
    ------
    ExpressionError
        When `check` finds an error.
    """
    return _compile(bind(expression, scope), scope)


def _compile(node: Expression, scope: Scope) -> pl.Expr:
    match node:
        case Constant(_, value):
            return _constant(value)
        case Name(name):
            return _column(name, scope)
        case Negative(operand):
            return -_compile(operand, scope)
        case Arithmetic():
            return _arithmetic(node, scope)
        case Elapsed():
            return _elapsed(node, scope)
        case _:
            return _condition(node, scope)


def _condition(node: Expression, scope: Scope) -> pl.Expr:
    match node:
        case Comparison(operator, left, right):
            return _compare(operator, left, right, scope)
        case Between(value, low, high):
            return _compare(">=", value, low, scope) & _compare("<=", value, high, scope)
        case Membership(value, items, negated):
            found = pl.any_horizontal([_compare("=", value, item, scope) for item in items])
            return ~found if negated else found
        case Known(operand, known):
            inner = _compile(operand, scope)
            return inner.is_not_null() if known else inner.is_null()
        case Not(operand):
            return ~_compile(operand, scope)
        case Junction(word, parts):
            joined = pl.all_horizontal if word == "and" else pl.any_horizontal
            return joined([_compile(part, scope) for part in parts])
        case _:
            raise AssertionError(f"{type(node).__name__} is no condition")


def _constant(value: float | str | bool | date | datetime | time) -> pl.Expr:
    if isinstance(value, datetime):
        return pl.lit(value, dtype=pl.Datetime("us"))
    return pl.lit(value)


def _column(name: str, scope: Scope) -> pl.Expr:
    column = pl.col(name)
    match scope[name].kind:
        case "number":
            return column.cast(pl.Float64).fill_nan(None)
        case "category" | "ordinal" | "text" | "id":
            return column.cast(pl.String)
        case "datetime":
            return column.cast(pl.Datetime("us"))
        case _:
            return column


def _arithmetic(node: Arithmetic, scope: Scope) -> pl.Expr:
    """What is not a number is unknown; said once of the whole, for polars writes what it fills twice."""
    return _unfilled(node, scope).fill_nan(None)


def _unfilled(node: Arithmetic, scope: Scope) -> pl.Expr:
    left, right = (
        _unfilled(side, scope) if isinstance(side, Arithmetic) else _compile(side, scope)
        for side in (node.left, node.right)
    )
    match node.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return pl.when(right != 0).then(_quotient(left, right))


def _quotient(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Divide with correct rounding: polars multiplies by the reciprocal of a constant, and 3 / 10 is then not 0.3."""
    return pl.map_batches([left, right], _divided, return_dtype=pl.Float64, is_elementwise=True)


def _divided(sides: Sequence[pl.Series]) -> pl.Series:
    left, right = (side.cast(pl.Float64).to_numpy() for side in sides)
    with np.errstate(all="ignore"):
        return pl.Series(sides[0].name, left / right, nan_to_null=True)


def _compare(operator: ComparisonOperator, left: Expression, right: Expression, scope: Scope) -> pl.Expr:
    compare = _COMPARE[operator]
    one, other = _compile(left, scope), _compile(right, scope)
    match family(kind_of(left, scope), kind_of(right, scope)):
        case "moment" if compared_as_days(left, right, scope):
            return compare(one.cast(pl.Date), other.cast(pl.Date))
        case "clock":
            return compare(_clock(left, one, scope), _clock(right, other, scope))
        case "text" if operator not in ("=", "!="):
            ranks = _ranks(left, right, scope)
            return compare(_rank(one, ranks), _rank(other, ranks))
        case _:
            return compare(one, other)


def _clock(node: Expression, compiled: pl.Expr, scope: Scope) -> pl.Expr:
    return compiled.dt.time() if kind_of(node, scope) == "datetime" else compiled


def _ranks(left: Expression, right: Expression, scope: Scope) -> pl.Enum:
    symbol = leveled(left, scope) or leveled(right, scope)
    return pl.Enum(list(symbol.levels or ()) if symbol is not None else [])


def _rank(compiled: pl.Expr, ranks: pl.Enum) -> pl.Expr:
    """Find the place of a code among its levels; unknown for a code that is none of them."""
    return compiled.cast(ranks, strict=False).to_physical()


def _elapsed(node: Elapsed, scope: Scope) -> pl.Expr:
    start, end = _compile(node.start, scope), _compile(node.end, scope)
    if compared_as_days(node.start, node.end, scope):
        start, end = start.cast(pl.Date), end.cast(pl.Date)
    start, end = start.cast(pl.Datetime("us")), end.cast(pl.Datetime("us"))
    if node.unit == "months":
        return _months(start, end)
    if node.unit == "years":
        return _quotient(_months(start, end), pl.lit(12.0))
    return _quotient((end - start).dt.total_microseconds(), pl.lit(float(MICROSECONDS[node.unit])))


def _months(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Count calendar months between two moments, negative where the end comes first.

    Everything is told within the month of the later moment and its neighbors, in microseconds since the month began.
    """
    forward = end >= start
    first = pl.when(forward).then(start).otherwise(end)
    last = pl.when(forward).then(end).otherwise(start)
    apart = (last.dt.year() - first.dt.year()) * 12 + last.dt.month().cast(pl.Int32) - first.dt.month().cast(pl.Int32)
    here = _month_length(last.dt.truncate("1mo"))
    before, after = (_month_length(last.dt.truncate("1mo").dt.offset_by(step)) for step in ("-1mo", "1mo"))
    at, due = _since_month_began(last), _within(first, here)
    due_before, due_after = _within(first, before), _within(first, after)
    reached = at >= due
    passed = pl.when(reached).then(at - due).otherwise(at + before - due_before)
    length = pl.when(reached).then(here + due_after - due).otherwise(before + due - due_before)
    months = pl.when(reached).then(apart).otherwise(apart - 1) + _quotient(passed, length)
    return pl.when(forward).then(months).otherwise(-months)


def _month_length(month: pl.Expr) -> pl.Expr:
    return month.dt.days_in_month().cast(pl.Int64) * MICROSECONDS["days"]


def _since_month_began(moment: pl.Expr) -> pl.Expr:
    return (moment - moment.dt.truncate("1mo")).dt.total_microseconds()


def _within(moment: pl.Expr, length: pl.Expr) -> pl.Expr:
    """Place a moment in a month of another length: the same day and time, or the last day where the month is too short."""
    clock = (moment - moment.dt.truncate("1d")).dt.total_microseconds()
    return pl.min_horizontal(_since_month_began(moment), length - MICROSECONDS["days"] + clock)
