"""The language's meaning, row by row, written as plainly as possible and without looking at the compiled form.

Unknown is None. A day is an interval of moments here (the program compares dates instead).
"""

import calendar
import math
from datetime import date, datetime, time, timedelta

from counterpulse.expression.nodes import (
    Arithmetic,
    Between,
    Comparison,
    Constant,
    Elapsed,
    Junction,
    Known,
    Membership,
    Name,
    Negative,
    Not,
)


def evaluate_slowly(node, row, scope):
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Name):
        return known_or_none(row[node.name])
    if isinstance(node, Negative):
        value = evaluate_slowly(node.operand, row, scope)
        return None if value is None else -value
    if isinstance(node, Arithmetic):
        return calculate(node.operator, *(evaluate_slowly(side, row, scope) for side in (node.left, node.right)))
    if isinstance(node, Elapsed):
        return elapsed(node.unit, *(evaluate_slowly(side, row, scope) for side in (node.start, node.end)))
    return condition_slowly(node, row, scope)


def condition_slowly(node, row, scope):
    if isinstance(node, Known):
        return (evaluate_slowly(node.operand, row, scope) is not None) == node.known
    if isinstance(node, Not):
        return negated(evaluate_slowly(node.operand, row, scope))
    if isinstance(node, Junction):
        return joined(node.word, [evaluate_slowly(part, row, scope) for part in node.parts])
    if isinstance(node, Comparison):
        return compared(node.operator, node.left, node.right, row, scope)
    if isinstance(node, Between):
        low = compared(">=", node.value, node.low, row, scope)
        high = compared("<=", node.value, node.high, row, scope)
        return joined("and", [low, high])
    if isinstance(node, Membership):
        found = joined("or", [compared("=", node.value, item, row, scope) for item in node.items])
        return negated(found) if node.negated else found
    raise AssertionError(node)


def known_or_none(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def negated(value):
    return None if value is None else not value


def joined(word, values):
    decisive = word == "or"
    if any(value is decisive for value in values):
        return decisive
    return None if any(value is None for value in values) else not decisive


def calculate(operator, left, right):
    if left is None or right is None:
        return None
    left, right = float(left), float(right)
    if operator == "/":
        return None if right == 0 else known_or_none(left / right)
    return known_or_none({"+": left + right, "-": left - right, "*": left * right}[operator])


def compared(operator, left, right, row, scope):
    one, other = evaluate_slowly(left, row, scope), evaluate_slowly(right, row, scope)
    one, other = coded(one, left, right, scope), coded(other, right, left, scope)
    if one is None or other is None:
        return None
    if isinstance(one, time) or isinstance(other, time):
        return by_order(operator, time_of(one), time_of(other))
    if isinstance(one, date):
        return moments_compared(operator, one, other)
    if isinstance(one, str) and operator not in ("=", "!="):
        levels = list(levels_of(left, scope) or levels_of(right, scope))
        one, other = levels.index(one), levels.index(other)
    return by_order(operator, one, other)


def coded(value, node, other, scope):
    """A constant that names a level becomes the code of the level."""
    levels = levels_of(other, scope)
    if not isinstance(node, Constant) or not levels or value in levels:
        return value
    return next(code for code, label in levels.items() if label == value)


def levels_of(node, scope):
    return scope[node.name].levels if isinstance(node, Name) else None


def by_order(operator, one, other):
    return {
        "=": one == other, "!=": one != other, "<": one < other,
        "<=": one <= other, ">": one > other, ">=": one >= other,
    }[operator]  # fmt: skip


def time_of(value):
    return value.time() if isinstance(value, datetime) else value


def is_day(value):
    return not isinstance(value, datetime)


def moments_compared(operator, one, other):
    if is_day(one) == is_day(other):
        return by_order(operator, one, other)
    if is_day(one):
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)
        return moments_compared(mirrored, other, one)
    begin = datetime(other.year, other.month, other.day)
    end = begin + timedelta(days=1)
    return {
        "=": begin <= one < end, "!=": not begin <= one < end, "<": one < begin,
        "<=": one < end, ">": one >= end, ">=": one >= begin,
    }[operator]  # fmt: skip


def elapsed(unit, start, end):
    if start is None or end is None:
        return None
    if is_day(start) or is_day(end):
        start, end = (datetime(moment.year, moment.month, moment.day) for moment in (start, end))
    if unit in ("months", "years"):
        return calendar_months(start, end) / (12 if unit == "years" else 1)
    seconds = {"minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}[unit]
    microseconds = (end - start) // timedelta(microseconds=1)
    return microseconds / (seconds * 1_000_000)


def calendar_months(start, end):
    if end < start:
        return -calendar_months(end, start)
    months = 0
    while months_later(start, months + 1) <= end:
        months += 1
    reached, following = months_later(start, months), months_later(start, months + 1)
    return months + (end - reached) / (following - reached)


def months_later(moment, months):
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
