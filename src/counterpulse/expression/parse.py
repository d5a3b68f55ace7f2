"""Tokens to a tree, by precedence climbing: or, and, not, comparisons, + -, * /, unary minus."""

from __future__ import annotations

from typing import NoReturn, get_args

from counterpulse.expression.nodes import (
    TIME_UNITS,
    Arithmetic,
    ArithmeticOperator,
    Between,
    Comparison,
    ComparisonOperator,
    Constant,
    Elapsed,
    Expression,
    Known,
    Membership,
    Name,
    Not,
    Span,
    join,
    negate,
    walk,
)
from counterpulse.expression.problem import ExpressionError
from counterpulse.expression.tokens import WORDS, Token, tokenize

DEEPEST = 100  # levels of a tree; far above what a person writes, far below what would exhaust the stack
_DEEPEST_NESTING = 90  # a bracket counts three

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _UNARY = range(1, 8)
_COMPARISONS: tuple[ComparisonOperator, ...] = get_args(ComparisonOperator)
_ARITHMETIC: dict[str, tuple[ArithmeticOperator, int]] = {
    "+": ("+", _SUM), "-": ("-", _SUM), "*": ("*", _PRODUCT), "/": ("/", _PRODUCT),
}  # fmt: skip
_TESTS = (*_COMPARISONS, "between", "in", "is")
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
_VALUE = "a name, a number, a date, a quoted text, yes, no, or days from … to …"
_FUNCTIONS = {
    "missing": "write x is missing", "isna": "write x is missing", "is_null": "write x is missing",
    "known": "write x is known", "between": "write x between 1 and 5", "not": "write not x",
    "sqrt": "square both sides", "datediff": "write days from a to b",
}  # fmt: skip
_UNSUITABLE = {
    "null": "is missing", "na": "is missing", "blank": "is missing", "empty": "is missing", "unknown": "is missing",
    "not": "is missing (for: is not known) or is known (for: is not missing)",
}  # fmt: skip


def parse(text: str) -> Expression:
    """Read an expression.

    Parameters
    ----------
    text : str
        For example ``age >= 18 and not pregnant = yes``.

    Returns
    -------
    Expression
        A tree of frozen nodes with their places in the text.

    Raises
    ------
    ExpressionError
        With the place, what is allowed there and one thing to do. No other exception is raised, whatever the text.
    """
    if not text.strip():
        raise ExpressionError("an empty rule", Span(0, len(text)), _VALUE, "write a rule, as in age >= 18")
    reader = _Reader(tokenize(text))
    expression = reader.expression(_OR)
    if reader.token.kind != "end":
        reader.refuse_rest()
    if any(depth > DEEPEST for _, depth in walk(expression)):
        raise ExpressionError(
            "a rule too deep to follow", expression.span, remedy="derive parts of it under variables:"
        )
    return expression


class _Reader:
    """The tokens and how far they are read."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def following(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def sees(self, *texts: str) -> bool:
        return self.token.kind in ("word", "operator") and self.token.text in texts

    def sees_name(self, *names: str) -> bool:
        return self.token.kind == "name" and self.token.text in names

    def since(self, start: int) -> Span:
        return Span(start, self.tokens[self.at - 1].span.end)

    # Levels of precedence

    def expression(self, level: int) -> Expression:
        self.depth += 1
        if self.depth > _DEEPEST_NESTING:
            raise ExpressionError("too many brackets or signs within each other", self.token.span, remedy="write fewer")
        try:
            if level <= _AND:
                return self.junction(level)
            return self.negation_or_test() if level <= _COMPARISON else self.arithmetic(level)
        finally:
            self.depth -= 1

    def junction(self, level: int) -> Expression:
        start = self.token.span.start
        parts = [self.expression(level + 1)]
        word = "or" if level == _OR else "and"
        while self.sees(word):
            self.take()
            parts.append(self.expression(level + 1))
        return join("or" if level == _OR else "and", parts, self.since(start)) if len(parts) > 1 else parts[0]

    def negation_or_test(self) -> Expression:
        start = self.token.span.start
        if self.sees("not"):
            self.take()
            return Not(self.expression(_NOT), self.since(start))
        left = self.arithmetic(_SUM)
        if not (self.sees(*_TESTS) or (self.sees("not") and self.following.text in ("in", "between"))):
            return left
        test = self.test(left, start)
        if self.sees(*_TESTS):
            raise ExpressionError(
                "two comparisons in a row",
                self.token.span,
                "and, or, or the end of the rule",
                "for a range write x between 18 and 75; otherwise join the comparisons by and",
            )
        return test

    def test(self, left: Expression, start: int) -> Expression:
        token = self.take()
        if token.text == "between":
            return self.between(left, start)
        if token.text == "is":
            return self.known(left, start)
        if token.text == "in":
            return Membership(left, self.items(), False, self.since(start))
        if token.text == "not":
            if self.take().text == "between":
                raise ExpressionError("not before between", token.span, remedy="write not x between 1 and 5")
            return Membership(left, self.items(), True, self.since(start))
        operator = next(operator for operator in _COMPARISONS if operator == token.text)
        right = self.arithmetic(_SUM)
        return Comparison(operator, left, right, self.since(start))

    def between(self, value: Expression, start: int) -> Between:
        low = self.arithmetic(_SUM)
        if not self.sees("and"):
            raise ExpressionError(
                "between without its and", self.token.span, "x between 18 and 75", "write both ends, joined by and"
            )
        self.take()
        high = self.arithmetic(_SUM)
        return Between(value, low, high, self.since(start))

    def known(self, operand: Expression, start: int) -> Known:
        token = self.take()
        if token.text not in ("known", "missing"):
            suitable = _UNSUITABLE.get(token.text.lower())
            remedy = f"write {suitable}" if suitable else "for a value write = instead of is"
            raise ExpressionError(
                f"is cannot be followed by {_shown(token)}", token.span, "is known, is missing", remedy
            )
        return Known(operand, token.text == "known", self.since(start))

    def items(self) -> tuple[Constant, ...]:
        if not self.sees("("):
            raise ExpressionError(
                "in needs a list",
                self.token.span,
                'a list in round brackets, as in ("B", "C")',
                "put the values in brackets",
            )
        self.take()
        items = [self.item()]
        while self.sees(","):
            self.take()
            items.append(self.item())
        if not self.sees(")"):
            raise ExpressionError(
                f"a list is not followed by {_shown(self.token)}",
                self.token.span,
                "a comma or )",
                "write a comma or close the list",
            )
        self.take()
        return tuple(items)

    def item(self) -> Constant:
        token = self.token
        value = self.arithmetic(_UNARY) if token.kind != "name" and not self.sees("(", ")", ",") else None
        if isinstance(value, Constant):
            return value
        remedy = f'a level is written in quotes: "{token.text}"' if token.kind == "name" else "write a value here"
        raise ExpressionError("a list holds values", token.span, "quoted levels, numbers, dates, yes, no", remedy)

    def arithmetic(self, level: int) -> Expression:
        start = self.token.span.start
        left = self.sign_or_value()
        while self.token.kind == "operator" and self.token.text in _ARITHMETIC:
            operator, power = _ARITHMETIC[self.token.text]
            if power < level:
                break
            self.take()
            right = self.arithmetic(power + 1)
            left = Arithmetic(operator, left, right, self.since(start))
        return left

    def sign_or_value(self) -> Expression:
        start = self.token.span.start
        if not self.sees("-"):
            return self.value()
        self.take()
        operand = self.expression(_UNARY)
        return negate(operand, self.since(start))

    # Values

    def value(self) -> Expression:
        token = self.token
        if self.sees("("):
            return self.bracket()
        if token.kind == "name":
            return self.name()
        if self.sees(*_YES_NO):
            self.take()
            return Constant("yesno", _YES_NO[token.text], token.span)
        if token.value is not None and token.kind in ("number", "text", "date", "datetime", "time"):
            self.take()
            return Constant(token.kind, token.value, token.span)
        self.refuse_value()

    def bracket(self) -> Expression:
        opening = self.take()
        inner = self.expression(_OR)
        if self.sees(")"):
            self.take()
            return inner
        if self.token.kind == "end":
            raise ExpressionError("a bracket that is not closed", opening.span, remedy="close it with )")
        self.refuse_rest()

    def name(self) -> Expression:
        token = self.take()
        unit = next((unit for unit in TIME_UNITS if unit == token.text), None)
        if unit is not None and self.sees_name("from"):
            self.take()
            return self.elapsed(unit, token.span.start)
        if self.sees_name("from") and f"{token.text}s" in TIME_UNITS:
            raise ExpressionError(f"{token.text} from", token.span, ", ".join(TIME_UNITS), f"write {token.text}s from")
        if self.sees("("):
            remedy = _FUNCTIONS.get(token.text.lower(), "write it with + - * /, or derive a column before")
            raise ExpressionError(f"{token.text}(…): the language has no functions", token.span, _VALUE, remedy)
        return Name(token.text, token.span)

    def elapsed(self, unit: str, start: int) -> Elapsed:
        first = self.value()
        if not self.sees_name("to"):
            raise ExpressionError(
                f"{unit} from … needs its to", self.token.span, f"{unit} from a to b", "write both dates, joined by to"
            )
        self.take()
        second = self.value()
        return Elapsed(next(known for known in TIME_UNITS if known == unit), first, second, self.since(start))

    # What cannot stand where it stands

    def refuse_value(self) -> NoReturn:
        token = self.token
        remedy = "write a value here"
        if self.sees(")"):
            remedy = "remove the bracket, or write something before it"
        elif self.sees("not"):
            remedy = "put not and what it negates in brackets"
        elif self.sees("=") and self.at and self.tokens[self.at - 1].text in ("=", "<", ">", "!="):
            remedy = "write one comparison sign without spaces, as in >="
        raise ExpressionError(f"{_shown(token)} stands where a value belongs", token.span, _VALUE, remedy)

    def refuse_rest(self) -> NoReturn:
        token = self.token
        remedy = "write and, or, a comparison or an operator before it"
        if self.sees(")"):
            remedy = "remove the bracket: none is open"
        elif self.sees(","):
            remedy = 'a decimal is written 0.5; commas stand only in lists, as in x in ("B", "C")'
        elif self.sees("not"):
            remedy = "write and not, or not in"
        elif token.text.lower() in WORDS and token.kind == "name":
            remedy = f"write {token.text.lower()} in small letters"
        elif self.sees_name("from") and self.at:
            remedy = f"a span of time is written in {', '.join(TIME_UNITS)}, as in days from a to b"
        raise ExpressionError(
            f"{_shown(token)} cannot stand here", token.span, "and, or, + - * /, a comparison", remedy
        )


def _shown(token: Token) -> str:
    return token.text if token.kind in ("end", "word", "operator") else f"the {token.kind} {token.text}"
