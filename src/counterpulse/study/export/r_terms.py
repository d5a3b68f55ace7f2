"""The terms of a model as R reads them: the columns to prepare, the formula, the names of the coefficients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline, Term, variables_of
from counterpulse.expression import r_name, r_text

LEVELED = ("category", "ordinal", "text", "id")


def prepared(terms: Iterable[Term], kinds: dict[str, str]) -> Iterator[str]:
    """The lines that bring the columns of the terms into the form a formula needs."""
    seen: set[str] = set()
    for term in (part for item in terms for part in _parts(item)):
        line = _prepare(term, kinds)
        if line and line not in seen:
            seen.add(line)
            yield line


def formula(terms: Sequence[Term]) -> str:
    """The right side of a formula."""
    return " + ".join(_in_formula(term) for term in terms) or "1"


def coefficient(variable: str, term: str, kinds: dict[str, str], terms: Sequence[Term]) -> str:
    """The name that R gives the coefficient of a variable (or of a product) at a level."""
    if ":" in variable and variable not in kinds:
        pairs = zip(variable.split(":"), term.split(":"), strict=True)
        return ":".join(coefficient(one, other, kinds, terms) for one, other in pairs)
    own = next((part for item in terms for part in _parts(item) if variables_of(part)[0] == variable), variable)
    if isinstance(own, Numeric) and _scaled(own):
        return _scaled_name(own)
    if isinstance(own, Spline):
        return f"{variable}_s{term.count(chr(39)) + 1}"
    return f"{variable}{term}" if is_leveled(own, kinds) else variable


def is_leveled(term: Term, kinds: dict[str, str]) -> bool:
    """Whether a term is coded by levels: a column of text by itself, anything when it is named so."""
    return isinstance(term, Categorical) or (isinstance(term, str) and kinds.get(term) in LEVELED)


def _parts(term: Term) -> tuple[str | Numeric | Spline | Categorical, ...]:
    return (term.left, term.right) if isinstance(term, Interaction) else (term,)


def _prepare(term: str | Numeric | Spline | Categorical, kinds: dict[str, str]) -> str:
    name = variables_of(term)[0]
    column = f"d${r_name(name)}"
    if isinstance(term, Categorical):
        relevel = f", ref = {r_text(term.reference)}" if term.reference is not None else None
        line = f"{column} <- droplevels(as.factor({'' if kinds.get(name) in LEVELED else 'level_text('}{column}{'' if kinds.get(name) in LEVELED else ')'}))"
        return line if relevel is None else f"{line}; {column} <- relevel({column}{relevel})"
    if isinstance(term, Numeric) and _scaled(term):
        inner = f"log({column})" if term.log else column
        return f"d${r_name(_scaled_name(term))} <- {inner}{'' if term.per == 1 else f' / {term.per!r}'}"
    if isinstance(term, Spline):
        knots = f"{term.knots}" if isinstance(term.knots, int) else f"c({', '.join(map(repr, term.knots))})"
        return f"d[spline_names({r_text(name)}, {knots})] <- spline_columns({column}, {knots})"
    if isinstance(term, str) and kinds.get(term) == "yesno":
        return f"{column} <- as.numeric({column})"
    return ""


def _in_formula(term: Term) -> str:
    if isinstance(term, Interaction):
        return ":".join(
            f"({_in_formula(side)})" if isinstance(side, Spline) else _in_formula(side)
            for side in (term.left, term.right)
        )
    if isinstance(term, Numeric) and _scaled(term):
        return r_name(_scaled_name(term))
    if isinstance(term, Spline):
        count = term.knots if isinstance(term.knots, int) else len(term.knots)
        return " + ".join(r_name(f"{term.variable}_s{number}") for number in range(1, count))
    return r_name(variables_of(term)[0])


def _scaled(term: Numeric) -> bool:
    return term.log or term.per != 1


def _scaled_name(term: Numeric) -> str:
    return f"{'log_' if term.log else ''}{term.variable}{'' if term.per == 1 else '_per_' + f'{term.per:g}'.replace('.', '_')}"
