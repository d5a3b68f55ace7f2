"""Text to tokens: numbers, dates, times, quoted texts, names, words and operators."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from counterpulse.expression.nodes import Span
from counterpulse.expression.problem import ExpressionError

TokenKind = Literal["number", "text", "date", "datetime", "time", "name", "word", "operator", "end"]
WORDS = frozenset({"and", "or", "not", "in", "is", "between", "yes", "no", "true", "false"})
OPERATORS = ("<=", ">=", "!=", "<>", "=", "<", ">", "+", "-", "*", "/", "(", ")", ",")

_STRAIGHT = "use straight quotes, as in \"B\" or 'B'"
_NO_POWER = "write a power as a product, as in height * height"
REFUSED = {
    "==": "write =",
    "=>": "write >=",
    "=<": "write <=",
    "&&": "write and",
    "&": "write and",
    "||": "write or",
    "|": "write or",
    "!": "write not",
    "~": "write not",
    "**": _NO_POWER,
    "^": _NO_POWER,
    "≥": "write >=",
    "≤": "write <=",
    "≠": "write !=",
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    "−": "write - (the hyphen)",
    "–": "write - (the hyphen)",
    ".": "names hold letters, digits and underscores, and a decimal number begins with a digit, as in 0.5",
    "%": "write the number without its unit; the dictionary holds the unit",
    "[": "write a list in round brackets, as in (\"B\", \"C\")",
    "]": "write a list in round brackets, as in (\"B\", \"C\")",
    "{": "use round brackets",
    "}": "use round brackets",
    ";": "write one rule; join its parts by and, or",
    ":": "write a time of day as 08:30",
    "`": "write the name without marks; give it a name of letters, digits and underscores in the dictionary",
} | dict.fromkeys("“”„‟‘’‚«»″′", _STRAIGHT)  # fmt: skip

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_DATETIME = re.compile(rf"({_DATE.pattern})(?:T|[ ]+)({_TIME.pattern})")
_OTHER_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{4}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"
)
_OTHER_TIME = re.compile(r"[0-9]+:[0-9]+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TEXT = {quote: re.compile(rf"{quote}((?:[^{quote}]|{quote}{quote})*){quote}") for quote in "\"'"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; `value` is what a number, date, time or quoted text stands for."""

    kind: TokenKind
    text: str
    span: Span
    value: float | str | date | datetime | time | None = None


def tokenize(text: str) -> tuple[Token, ...]:
    """Split a text into tokens; the last is the end.

    Raises
    ------
    ExpressionError
        For a character outside the language, an unclosed quote, an impossible date or time.
    """
    return (*_tokens(text), Token("end", "the end", Span(len(text), len(text))))


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
            continue
        if character in "0123456789":
            token = _number_or_moment(text, at)
        elif character in _TEXT:
            token = _quoted(text, at)
        elif character.isidentifier():
            token = _name(text, at)
        else:
            token = _operator(text, at)
        yield token
        at = token.span.end


def _number_or_moment(text: str, at: int) -> Token:
    for read in (_moment, _number):
        if token := read(text, at):
            _ends_cleanly(text, token)
            return token
    raise AssertionError("a digit begins a number")


def _moment(text: str, at: int) -> Token | None:
    try:
        if found := _DATETIME.match(text, at):
            both = f"{found[1]}T{found[2]}"
            return Token("datetime", found[0], Span(*found.span()), datetime.fromisoformat(both))
        if found := _DATE.match(text, at):
            return Token("date", found[0], Span(*found.span()), date.fromisoformat(found[0]))
        if found := _TIME.match(text, at):
            return Token("time", found[0], Span(*found.span()), time.fromisoformat(found[0]))
    except ValueError:
        raise ExpressionError(
            "there is no such date or time",
            Span(*found.span()) if found else Span(at, at),
            remedy="look at the calendar",
        ) from None
    _refuse_other_moments(text, at)
    return None


def _refuse_other_moments(text: str, at: int) -> None:
    if found := _OTHER_DATE.match(text, at):
        raise ExpressionError(
            "a date in another format",
            Span(*found.span()),
            "year-month-day, as in 2017-01-31",
            "write year, month, day",
        )
    if found := _OTHER_TIME.match(text, at):
        raise ExpressionError(
            "a time in another format", Span(*found.span()), "two digits each, as in 08:30", "write 08:30"
        )


def _number(text: str, at: int) -> Token | None:
    found = _NUMBER.match(text, at)
    if found is None:
        return None
    span = Span(*found.span())
    value = float(found[0])
    if math.isinf(value):
        raise ExpressionError("a number too large to hold", span, "numbers up to 1e308", "write a smaller number")
    return Token("number", found[0], span, value)


def _ends_cleanly(text: str, token: Token) -> None:
    """Refuse a number or date that runs into letters, a dot, a colon or more digits."""
    rest = text[token.span.end : token.span.end + 1]
    if rest and (_continues_name(rest) or rest in ".:"):
        remedy = "write the number without its unit; the dictionary holds the unit"
        if rest in ".:" or token.kind != "number":
            remedy = "write 0.5, 2017-01-31, 08:30 or 2017-01-31T08:30"
        raise ExpressionError(
            f"a {token.kind} runs into {rest!r}",
            Span(token.span.start, token.span.end + 1),
            "a space or an operator",
            remedy,
        )


def _quoted(text: str, at: int) -> Token:
    quote = text[at]
    found = _TEXT[quote].match(text, at)
    if found is None:
        raise ExpressionError("a quote that is not closed", Span(at, len(text)), remedy=f"close it with {quote}")
    return Token("text", found[0], Span(*found.span()), found[1].replace(quote * 2, quote))


def _continues_name(character: str) -> bool:
    return ("a" + character).isidentifier() and character != "·"


def _name(text: str, at: int) -> Token:
    end = at + 1
    while end < len(text) and _continues_name(text[end]):
        end += 1
    name = unicodedata.normalize("NFC", text[at:end])
    return Token("word" if name in WORDS else "name", name, Span(at, end))


def _operator(text: str, at: int) -> Token:
    for length in (2, 1):
        piece = text[at : at + length]
        span = Span(at, at + len(piece))
        if piece in REFUSED:
            raise ExpressionError(f"{piece} is not part of the language", span, remedy=REFUSED[piece])
        if piece in OPERATORS:
            return Token("operator", "!=" if piece == "<>" else piece, span)
    raise ExpressionError(
        f"the character {text[at]!r} is not part of the language",
        Span(at, at + 1),
        "names, numbers, dates, quoted texts, + - * / = != < <= > >= ( ) and words such as and, or, not",
        "remove it",
    )
