"""The small language of rules: read once, checked against the dictionary, compiled to every form a study needs.

Source spans are offsets into the text from 0; `Problem.finding` moves them into the file.
"""

from counterpulse.expression.ars_form import to_ars
from counterpulse.expression.check import Expect, check
from counterpulse.expression.english import to_english
from counterpulse.expression.nodes import Expression, Span, names
from counterpulse.expression.order import CircularDefinitionError, evaluation_order
from counterpulse.expression.parse import parse
from counterpulse.expression.polars_form import to_polars
from counterpulse.expression.problem import ExpressionError, Problem
from counterpulse.expression.r_form import R_FUNCTIONS, r_name, r_text, to_r
from counterpulse.expression.scope import Scope, Symbol, SymbolKind
from counterpulse.expression.text import to_text

__all__ = [
    "R_FUNCTIONS", "CircularDefinitionError", "Expect", "Expression", "ExpressionError", "Problem", "Scope", "Span",
    "Symbol", "SymbolKind", "check", "evaluation_order", "names", "parse", "r_name", "r_text", "to_ars", "to_english",
    "to_polars", "to_r", "to_text",
]  # fmt: skip
