"""What is wrong with a comparison: kinds, levels, order, units."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.expression.nodes import Between, Constant, Expression, Span
from counterpulse.expression.problem import Problem
from counterpulse.expression.scope import (
    Kind,
    Scope,
    Symbol,
    described,
    family,
    known_kind,
    leveled,
    same_unit,
    unit_of,
)
from counterpulse.expression.text import to_text
from counterpulse.source import did_you_mean

_MANY = 12  # levels printed in a message


def comparison_problems(
    left: Expression, right: Expression, scope: Scope, span: Span, *, ordering: bool
) -> Iterator[Problem]:
    """Say what is wrong with comparing two values, by order where `ordering`."""
    kinds = (known_kind(left, scope), known_kind(right, scope))
    if kinds[0] is None or kinds[1] is None:
        return
    symbols = (leveled(left, scope), leveled(right, scope))
    if symbols[0] is not None and isinstance(right, Constant):
        yield from _level_problems(symbols[0], right, ordering=ordering)
    elif symbols[1] is not None and isinstance(left, Constant):
        yield from _level_problems(symbols[1], left, ordering=ordering)
    elif (shared := family(kinds[0], kinds[1])) is None:
        yield _mismatch(left, right, (kinds[0], kinds[1]), span)
    elif shared == "text":
        yield from _text_problems(left, right, symbols, span, ordering=ordering)
    elif shared == "yesno" and ordering:
        yield Problem("E405", span, "yes and no have no order", "= and !=", "write = yes or = no")
    elif shared == "number":
        units = (unit_of(left, scope), unit_of(right, scope))
        if not same_unit(*units):
            seen = f"units differ: {units[0]} and {units[1]}"
            yield Problem("E410", span, seen, "one unit on both sides", "multiply one side by the factor")


def between_problems(node: Between, scope: Scope) -> Iterator[Problem]:
    """Say what is wrong with a range: each end as a comparison, and ends the wrong way round."""
    for end in (node.low, node.high):
        yield from comparison_problems(node.value, end, scope, end.span, ordering=True)
    if _reversed(node, scope):
        low, high = to_text(node.low), to_text(node.high)
        remedy = f"write between {high} and {low}"
        if isinstance(node.low, Constant) and node.low.kind == "time":
            value = to_text(node.value)
            remedy = f"for the night write ({value} >= {low} or {value} <= {high})"
        yield Problem("E411", node.span, f"nothing lies between {low} and {high}", "the lower end first", remedy)


def _reversed(node: Between, scope: Scope) -> bool:
    low, high = node.low, node.high
    if not (isinstance(low, Constant) and isinstance(high, Constant)):
        return False
    symbol = leveled(node.value, scope)
    if symbol is not None and symbol.levels is not None:
        codes, ends = list(symbol.levels), (symbol.code(low), symbol.code(high))
        return ends[0] is not None and ends[1] is not None and codes.index(ends[0]) > codes.index(ends[1])
    if "date" in (low.kind, high.kind):
        return str(low.value)[:10] > str(high.value)[:10] if {low.kind, high.kind} <= {"date", "datetime"} else False
    if low.kind != high.kind or low.kind in ("text", "yesno"):
        return False
    return bool(low.value > high.value)  # type: ignore[operator]  # of one kind, and ordered


def _level_problems(symbol: Symbol, constant: Constant, *, ordering: bool) -> Iterator[Problem]:
    if symbol.code(constant) is None:
        yield _no_such_level(symbol, constant)
    elif ordering and (symbol.kind != "ordinal" or symbol.levels is None):
        yield _no_order(f"{symbol.name} has no order", constant.span)


def _no_such_level(symbol: Symbol, constant: Constant) -> Problem:
    written = to_text(constant)
    if symbol.levels is None:
        remedy = f'write the code in quotes: "{written}"'
        return Problem(
            "E404", constant.span, f"{symbol.name} holds codes, {written} is none", "codes in quotes", remedy
        )
    codes = list(symbol.levels)
    shown = ", ".join(codes[:_MANY]) + (", …" if len(codes) > _MANY else "")
    word = str(constant.value) if isinstance(constant.value, str) else written
    return Problem(
        "E403",
        constant.span,
        f"{symbol.name} has no level {written}: levels are {shown}",
        "a code or a label of the dictionary",
        _nearest_level(symbol, word) or "write one of the levels",
    )


def _nearest_level(symbol: Symbol, word: str) -> str:
    by_word = {code.casefold(): code for code in symbol.levels or ()}
    for code, label in (symbol.levels or {}).items():
        by_word.setdefault(label.casefold(), code)
    folded = word.casefold()
    if folded in by_word:
        return f"did you mean {by_word[folded]}?"
    starting = {code for known, code in by_word.items() if folded and known.startswith(folded)}
    if len(starting) == 1:
        return f"did you mean {starting.pop()}?"
    suggestion = did_you_mean(folded, list(by_word))
    return next(
        (f"did you mean {code}?" for known, code in by_word.items() if suggestion == f"did you mean {known}?"), ""
    )


def _no_order(seen: str, span: Span) -> Problem:
    return Problem("E405", span, seen, "= and != and in (…)", "if its levels are ordered, make its type ordinal")


def _text_problems(
    left: Expression, right: Expression, symbols: tuple[Symbol | None, Symbol | None], span: Span, *, ordering: bool
) -> Iterator[Problem]:
    codes = [list(symbol.levels) for symbol in symbols if symbol is not None and symbol.levels is not None]
    if len(codes) == 2 and not set(codes[0]) & set(codes[1]):
        seen = f"{to_text(left)} and {to_text(right)} have no level in common"
        yield Problem("E403", span, seen, "columns with the same codes", "give both the same codes in the dictionary")
    elif ordering:
        ordinal = all(symbol is not None and symbol.kind == "ordinal" for symbol in symbols)
        if not ordinal or len(codes) != 2 or codes[0] != codes[1]:
            yield _no_order(f"{to_text(left)} and {to_text(right)} have no common order", span)


def _mismatch(left: Expression, right: Expression, kinds: tuple[Kind, Kind], span: Span) -> Problem:
    code = "E412" if "yesno" in kinds else "E404"
    seen = f"{to_text(left)} is {described(kinds[0])}, {to_text(right)} is {described(kinds[1])}"
    return Problem(code, span, seen, "two values of one kind", _remedy(left, right, set(kinds)))


def _remedy(left: Expression, right: Expression, kinds: set[Kind]) -> str:
    quoted = any(isinstance(side, Constant) and side.kind == "text" for side in (left, right))
    if "yesno" in kinds:
        return (
            "write yes or no, without quotes" if quoted or "number" in kinds else "only yes/no columns take yes and no"
        )
    if quoted and kinds & {"number", "date", "datetime"}:
        return "remove the quotes"
    if kinds == {"date", "time"}:
        return "use a column with the time of day"
    if kinds & {"date", "datetime"}:
        return "write a date as 2017-01-31; for a length of time write days from a to b"
    if kinds & {"text", "id"} and any(isinstance(side, Constant) for side in (left, right)):
        return "write the value in quotes"
    return "compare columns of one type; look at their types in the dictionary"
