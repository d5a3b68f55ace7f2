"""An expression as R: logical NA is R's own unknown, so `&`, `|` and `!` follow Kleene as they stand.

The code reads the columns of a data frame (``with(table, …)``): numbers numeric, yes/no logical, categories character or
factor, dates Date, dates with time POSIXct in UTC. Months and years call the functions of `R_FUNCTIONS`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

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
from counterpulse.expression.text import number_text

R_FUNCTIONS = """\
plus_months <- function(moment, months) {
  day <- as.POSIXlt(moment, tz = "UTC")
  month <- day$mon + months
  year <- day$year + 1900 + month %/% 12
  first <- as.Date(sprintf("%04d-%02d-01", as.integer(year), as.integer(month %% 12 + 1)))
  following <- as.Date(sprintf("%04d-%02d-01", as.integer(year + (month + 1) %/% 12 - month %/% 12), as.integer((month + 1) %% 12 + 1)))
  last <- as.integer(following - first)
  as.numeric(first + pmin(day$mday, last) - 1) * 86400 + as.numeric(moment) %% 86400
}
months_between_known <- function(from, to) {
  apart <- (as.POSIXlt(to, tz = "UTC")$year - as.POSIXlt(from, tz = "UTC")$year) * 12 +
    as.POSIXlt(to, tz = "UTC")$mon - as.POSIXlt(from, tz = "UTC")$mon
  whole <- apart - (plus_months(from, apart) > as.numeric(to))
  reached <- plus_months(from, whole)
  whole + (as.numeric(to) - reached) / (plus_months(from, whole + 1) - reached)
}
months_between <- function(from, to) {
  seconds <- function(x) as.POSIXct(if (inherits(x, "Date")) as.numeric(x) * 86400 else as.numeric(x), origin = "1970-01-01", tz = "UTC")
  n <- max(length(from), length(to))
  from <- rep_len(seconds(from), n)
  to <- rep_len(seconds(to), n)
  result <- rep(NA_real_, n)
  known <- !is.na(from) & !is.na(to)
  forward <- known & from <= to
  backward <- known & from > to
  result[forward] <- months_between_known(from[forward], to[forward])
  result[backward] <- -months_between_known(to[backward], from[backward])
  result
}
"""

_SYNTACTIC = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*)")
_RESERVED = frozenset(
    ["if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "Inf", "NaN", "NA", "T", "F"]
) | {"NA_integer_", "NA_real_", "NA_character_"}  # fmt: skip
_UNITS = {"minutes": "mins", "hours": "hours", "days": "days", "weeks": "weeks"}


def to_r(expression: Expression, scope: Scope) -> str:
    """Write an expression as R code.

    Returns
    -------
    str
        Code to evaluate inside a data frame; `R_FUNCTIONS` defines ``months_between`` for months and years.

    Raises
    ------
    ExpressionError
        When `check` finds an error.
    """
    return _code(bind(expression, scope), scope)


def _code(node: Expression, scope: Scope) -> str:
    match node:
        case Constant():
            return _constant(node)
        case Name(name):
            column = r_name(name)
            return f"as.character({column})" if leveled(node, scope) else column
        case Negative(operand):
            return f"-{_grouped(operand, scope)}"
        case Arithmetic("/", left, right):
            divisor = _grouped(right, scope)
            if isinstance(right, Constant) and right.value != 0:
                return f"{_grouped(left, scope)} / {divisor}"
            return f"{_grouped(left, scope)} / ifelse({divisor} == 0, NA, {divisor})"
        case Arithmetic(operator, left, right):
            return f"{_grouped(left, scope)} {operator} {_grouped(right, scope)}"
        case Elapsed():
            return _elapsed(node, scope)
        case _:
            return _condition(node, scope)


def _condition(node: Expression, scope: Scope) -> str:
    match node:
        case Comparison(operator, left, right):
            return _compare(operator, left, right, scope)
        case Between(value, low, high):
            return f"({_compare('>=', value, low, scope)}) & ({_compare('<=', value, high, scope)})"
        case Membership(value, items, negated):
            found = " | ".join(_compare("=", value, item, scope) for item in items)
            return f"!({found})" if negated else found
        case Known(operand, known):
            return f"{'!' if known else ''}is.na({_code(operand, scope)})"
        case Not(operand):
            return f"!{_grouped(operand, scope)}"
        case Junction(word, parts):
            return f" {'&' if word == 'and' else '|'} ".join(_grouped(part, scope) for part in parts)
        case _:
            raise AssertionError(f"{type(node).__name__} is no condition")


def _grouped(node: Expression, scope: Scope) -> str:
    """Put brackets around all but names and constants: R's precedence differs from ours."""
    code = _code(node, scope)
    plain = isinstance(node, Name) or (isinstance(node, Constant) and not code.startswith("-"))
    return code if plain else f"({code})"


def _compare(operator: ComparisonOperator, left: Expression, right: Expression, scope: Scope) -> str:
    sign = "==" if operator == "=" else operator
    one, other = _grouped(left, scope), _grouped(right, scope)
    match family(kind_of(left, scope), kind_of(right, scope)):
        case "moment" if compared_as_days(left, right, scope):
            one, other = _day(left, scope), _day(right, scope)
        case "clock":
            one, other = _seconds(left, scope), _seconds(right, scope)
        case "text" if operator not in ("=", "!="):
            one, other = (_rank(code, left, right, scope) for code in (one, other))
        case _:
            pass
    return f"{one} {sign} {other}"


def _day(node: Expression, scope: Scope) -> str:
    code = _code(node, scope)
    return code if kind_of(node, scope) == "date" else f'as.Date({code}, tz = "UTC")'


def _seconds(node: Expression, scope: Scope) -> str:
    """Count the seconds since midnight; a time of day is written as their number already."""
    return _code(node, scope) if isinstance(node, Constant) else f"(as.numeric({_code(node, scope)}) %% 86400)"


def _rank(code: str, left: Expression, right: Expression, scope: Scope) -> str:
    symbol = leveled(left, scope) or leveled(right, scope)
    codes = ", ".join(r_text(level) for level in (symbol.levels or () if symbol is not None else ()))
    return f"match({code}, c({codes}))"


def _elapsed(node: Elapsed, scope: Scope) -> str:
    whole_days = compared_as_days(node.start, node.end, scope)
    if whole_days:
        start, end = _day(node.start, scope), _day(node.end, scope)
    else:
        start, end = _code(node.start, scope), _code(node.end, scope)
    if node.unit in ("months", "years"):
        months = f"months_between({start}, {end})"
        return months if node.unit == "months" else f"{months} / 12"
    if whole_days:
        return f"as.numeric({end} - {start})" + (" / 7" if node.unit == "weeks" else "")
    return f'as.numeric(difftime({end}, {start}, units = "{_UNITS[node.unit]}"))'


def _constant(constant: Constant) -> str:
    value = constant.value
    if constant.kind == "yesno":
        return "TRUE" if value else "FALSE"
    match value:
        case str():
            return r_text(value)
        case datetime():
            return f'as.POSIXct("{value:%Y-%m-%d %H:%M:%S}", tz = "UTC")'
        case date():
            return f'as.Date("{value:%Y-%m-%d}")'
        case time():
            return str(value.hour * 3600 + value.minute * 60 + value.second)
        case _:
            return number_text(value)


def r_text(value: str) -> str:
    """Write a text as an R string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def r_name(name: str) -> str:
    """Write a name as R reads it, in backticks where it must be."""
    return name if _SYNTACTIC.fullmatch(name) and name not in _RESERVED else f"`{name}`"
