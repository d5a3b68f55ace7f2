"""The branching logic of REDCap as an `applies_if` of ours, where it says nothing but what ours can say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from counterpulse.data.dictionary import Variable
from counterpulse.data.scope import symbol_of
from counterpulse.data.written_values import parse_iso, parse_number
from counterpulse.expression.check import check
from counterpulse.expression.nodes import names
from counterpulse.expression.parse import parse
from counterpulse.expression.problem import ExpressionError
from counterpulse.expression.text import number_text

_COMPARISON = re.compile(
    r"""\[(?P<field>\w+)(?:\((?P<code>-?\w+)\))?\]\s*(?P<sign>=|<>|!=|<=|>=|<|>)\s*"""
    r"""(?P<value>'[^']*'|"[^"]*"|-?\d+(?:\.\d+)?)"""
)
_REST = re.compile(r"(?:\s|\(|\)|\band\b|\bor\b|\bnot\b|\x00\d+\x00)*")
_YES = {("=", "1"): "yes", ("=", "0"): "no", ("!=", "1"): "no", ("!=", "0"): "yes"}


def checkbox_name(field: str, code: str) -> str:
    """The column of one choice of a checkbox, as REDCap exports it."""
    return f"{field}___{code.lower().replace('-', '_')}"


def applies_if(logic: str, variables: Mapping[str, Variable]) -> str | None:
    """A branching logic as a rule over `variables` (by the name of the field); None where it cannot be said."""
    text = logic.replace("&&", " and ").replace("||", " or ")
    rules: list[str | None] = []

    def keep(found: re.Match[str]) -> str:
        rules.append(_comparison(found, variables))
        return f"\x00{len(rules) - 1}\x00"

    rest = _COMPARISON.sub(keep, text)
    rest = re.sub(r"\b(AND|OR|NOT)\b", lambda word: word[0].lower(), rest, flags=re.IGNORECASE)
    if not rules or None in rules or not _REST.fullmatch(rest):
        return None
    rule = re.sub(r"\x00(\d+)\x00", lambda number: str(rules[int(number[1])]), rest)
    rule = re.sub(r"\s+", " ", rule).strip()
    return rule if _holds(rule, variables) else None


def _holds(rule: str, variables: Mapping[str, Variable]) -> bool:
    scope = {variable.name: symbol_of(variable) for variable in variables.values()}
    try:
        read = parse(rule)
    except ExpressionError:
        return False
    return not check(read, scope) and set(names(read)) <= set(scope)


def _comparison(found: re.Match[str], variables: Mapping[str, Variable]) -> str | None:
    field = found["field"] if found["code"] is None else checkbox_name(found["field"], found["code"])
    variable = variables.get(field)
    if variable is None:
        return None
    name, sign, value = variable.name, found["sign"].replace("<>", "!="), found["value"].strip("'\"").strip()
    if not value and sign in ("=", "!="):
        return f"{name} is {'missing' if sign == '=' else 'known'}"
    if variable.type == "yesno":
        answer = _YES.get((sign, value))
        return None if answer is None else f"{name} = {answer}"
    written = _constant(variable, value, sign)
    return None if written is None else f"{name} {sign} {written}"


def _constant(variable: Variable, value: str, sign: str) -> str | None:
    """A value as our rules write it."""
    if variable.type in ("number", "integer"):
        number = parse_number(value)
        return None if number is None else number_text(number)
    if variable.type in ("date", "datetime"):
        return _moment(parse_iso(value))
    if sign not in ("=", "!=") or '"' in value:
        return None
    if variable.type == "category" and value not in (variable.levels or {}):
        return None
    return f'"{value}"'


def _moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    at_midnight = moment.time() == datetime.min.time()
    return moment.date().isoformat() if at_midnight else moment.isoformat(sep=" ", timespec="minutes")
