"""What is said about an expression: where in it, what was seen, what was allowed, one thing to do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from counterpulse.errors import InputError
from counterpulse.expression.nodes import NOWHERE, Span
from counterpulse.source import Finding, Location, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of an expression; `span` counts from 0 within its text.

    E401 it cannot be read · E402 unknown name · E403 unknown level · E404 kinds that cannot be compared · E405 no order ·
    E406 arithmetic on something other than numbers · E407 a span of something other than dates · E408 a date has no hours ·
    E409 not what is wanted here · E410 units differ · E411 bounds the wrong way round · E412 yes and no misused ·
    W451 negative spans pass · W452 no column is read.
    """

    code: str
    span: Span
    seen: str
    allowed: str = ""
    remedy: str = ""

    @property
    def severity(self) -> Severity:
        """Errors stop the run, warnings are printed and kept."""
        return "error" if self.code.startswith("E") else "warning"

    def finding(self, where: Location) -> Finding:
        """Make it a finding; `where` is the place in the file at which the text of the expression begins."""
        column = None if where.column is None else where.column + self.span.start
        place = replace(where, column=column, width=max(1, self.span.end - self.span.start))
        return Finding(code=self.code, where=place, seen=self.seen, allowed=self.allowed, remedy=self.remedy)


class ExpressionError(InputError):
    """An expression that cannot be read or used: `problem` says why and where."""

    def __init__(
        self, message: str, span: Span = NOWHERE, allowed: str = "", remedy: str = "", code: str = "E401"
    ) -> None:
        self.message, self.span, self.allowed, self.remedy = message, span, allowed, remedy
        self.problem = Problem(code, span, message, allowed, remedy)
        super().__init__("; ".join(part for part in (message, allowed and f"allowed: {allowed}", remedy) if part))

    @classmethod
    def of(cls, problem: Problem) -> ExpressionError:
        """Make the error that carries a problem."""
        return cls(problem.seen, problem.span, problem.allowed, problem.remedy, problem.code)
