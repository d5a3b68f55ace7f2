"""The terms of a model, as values. A plain string is a column in its natural coding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Numeric:
    """A numeric column, optionally its natural logarithm, per `per` units."""

    variable: str
    per: float = 1.0
    log: bool = False


@dataclass(frozen=True, slots=True)
class Spline:
    """A numeric column as a natural (restricted) cubic spline.

    `knots` are how many (placed at Harrell's quantiles of the rows used), or where they are. `reference` is the value
    that effects are read against, `span` from where to where a curve is drawn (else the 1st to 99th percentile).
    """

    variable: str
    knots: int | tuple[float, ...] = 4
    reference: float | None = None
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Categorical:
    """A column as indicator variables of its levels against `reference` (default: the first level)."""

    variable: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Interaction:
    """The products of the columns of two terms (the main effects are terms of their own)."""

    left: str | Numeric | Spline | Categorical
    right: str | Numeric | Spline | Categorical


Term = str | Numeric | Spline | Categorical | Interaction


def variables_of(term: Term) -> tuple[str, ...]:
    """The columns of the table that a term reads."""
    if isinstance(term, str):
        return (term,)
    if isinstance(term, Interaction):
        return tuple(dict.fromkeys((*variables_of(term.left), *variables_of(term.right))))
    return (term.variable,)
