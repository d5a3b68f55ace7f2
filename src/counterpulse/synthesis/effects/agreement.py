"""How far two extractions of the same papers agree: Cohen's kappa, agreement by column, and every discrepancy."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.results import Estimate, Interval, Provenance, Status
from counterpulse.synthesis.effects.effect_rows import chosen
from counterpulse.synthesis.effects.printed_rows import Floats
from counterpulse.synthesis.pooling.asked import check_level, check_word

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Agreement beyond chance of two raters.

    Attributes
    ----------
    estimate : kappa with its large-sample interval; Status UNDEFINED where chance alone agrees on everything
    observed, expected : proportions agreeing (weighted), seen and by chance
    n : pairs compared, without those of which one is missing
    """

    estimate: Estimate
    observed: float
    expected: float
    n: int
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Kappa as the one estimate."""
        return (self.estimate,)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A cell that the two extractions fill differently; `row` counts from 1."""

    row: int
    key: object
    column: str
    first: object
    second: object


@dataclass(frozen=True, slots=True)
class ColumnAgreement:
    """Cells of a column in which both extractions say the same (both missing counts as agreement)."""

    column: str
    agreeing: int
    n: int

    @property
    def proportion(self) -> float:
        """Proportion of cells agreeing."""
        return self.agreeing / self.n if self.n else nan


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two extractions compared, column by column and cell by cell."""

    columns: tuple[ColumnAgreement, ...]
    discrepancies: tuple[Discrepancy, ...]
    only_first: tuple[object, ...]
    only_second: tuple[object, ...]


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    categories: Sequence[Hashable] | None = None,
    weights: str = "none",
    level: float = 0.95,
) -> Kappa:
    """Cohen's kappa of two raters with the large-sample interval of Fleiss, Cohen and Everitt (1969).

    Parameters
    ----------
    first, second : ratings of the same rows, shape (n,); pairs with None are left out
    categories : in their order; needed for weights, else those seen
    weights : "none", "linear" or "quadratic" in the distance of ordered categories
    level : confidence level

    Raises
    ------
    InputError
        Unequal lengths, no pair, a rating outside the categories, or weights without an order.

    References
    ----------
    Cohen 1960, doi:10.1177/001316446002000104; Fleiss 1969, doi:10.1037/h0028106.
    """
    check_level(level)
    check_word(weights, "weights", ("none", "linear", "quadratic"))
    if weights != "none" and categories is None:
        raise InputError("weighted kappa needs the order of the categories; give categories from lowest to highest")
    table = _cross_table(first, second, categories)
    n = int(table.sum())
    shares, agreement = table / n, _agreement_weights(len(table), weights)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float((agreement * shares).sum()), float(rows @ agreement @ columns)
    provenance = Provenance("Cohen's kappa", (chosen("weights", weights, "none"),), ("cohen-1960", "fleiss-1969"))
    if expected >= 1 - 1e-12:
        estimate = Estimate(term="kappa", measure="kappa", value=nan, status=Status.UNDEFINED)
        return Kappa(estimate=estimate, observed=observed, expected=expected, n=n, provenance=provenance)
    kappa = (observed - expected) / (1 - expected)
    error = _standard_error(shares, agreement, kappa, expected, n)
    reach = critical_value(level) * error
    interval = Interval(max(kappa - reach, -1.0), min(kappa + reach, 1.0), level, "wald")
    estimate = Estimate(term="kappa", measure="kappa", value=kappa, std_error=error, interval=interval)
    return Kappa(estimate=estimate, observed=observed, expected=expected, n=n, provenance=provenance)


def compare_extractions(first: pl.DataFrame, second: pl.DataFrame, *, key: str) -> Agreement:
    """Compare two extraction tables by the column that names a row; numbers that are equal agree whatever their type.

    Parameters
    ----------
    first, second : tables with the same columns in any order
    key : column with one value a row, the same in both

    Raises
    ------
    InputError
        Different columns, no such key, or a key that repeats.
    """
    if set(first.columns) != set(second.columns):
        differing = sorted(set(first.columns) ^ set(second.columns))
        raise InputError(f"the extractions have different columns ({', '.join(differing)}); give both the same")
    for table in (first, second):
        _check_key(table, key)
    others = {row[key]: row for row in second.iter_rows(named=True)}
    mine = {row[key]: (number, row) for number, row in enumerate(first.iter_rows(named=True), start=1)}
    shared = [name for name in mine if name in others]
    compared = [column for column in first.columns if column != key]
    found = tuple(
        Discrepancy(mine[name][0], name, column, mine[name][1][column], others[name][column])
        for name in shared
        for column in compared
        if not _same(mine[name][1][column], others[name][column])
    )
    columns = tuple(
        ColumnAgreement(column, len(shared) - sum(one.column == column for one in found), len(shared))
        for column in compared
    )
    only_first, only_second = (
        (name for name in mine if name not in others),
        (name for name in others if name not in mine),
    )
    return Agreement(columns, found, tuple(only_first), tuple(only_second))


def _cross_table(
    first: Sequence[Hashable], second: Sequence[Hashable], categories: Sequence[Hashable] | None
) -> Floats:
    if len(first) != len(second):
        raise InputError(f"{len(first)} and {len(second)} ratings; give both raters' ratings of the same rows")
    pairs = [(one, other) for one, other in zip(first, second, strict=True) if one is not None and other is not None]
    if not pairs:
        raise InputError("no row is rated by both; kappa needs one pair or more")
    seen = list(dict.fromkeys(rating for pair in pairs for rating in pair))
    places = {category: place for place, category in enumerate(seen if categories is None else categories)}
    if not set(seen) <= set(places):
        raise InputError("a rating is none of the categories; give every category in order")
    table = np.zeros((len(places), len(places)))
    for one, other in pairs:
        table[places[one], places[other]] += 1
    return table


def _agreement_weights(size: int, weights: str) -> Floats:
    if weights == "none":
        return np.eye(size)
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(size - 1, 1)
    return 1.0 - (distance if weights == "linear" else distance**2)


def _standard_error(shares: Floats, agreement: Floats, kappa: float, expected: float, n: int) -> float:
    by_row, by_column = agreement @ shares.sum(axis=0), shares.sum(axis=1) @ agreement
    terms = agreement - np.add.outer(by_row, by_column) * (1 - kappa)
    variance = (shares * terms**2).sum() - (kappa - expected * (1 - kappa)) ** 2
    return sqrt(max(float(variance), 0.0) / n) / (1 - expected)


def _check_key(table: pl.DataFrame, key: str) -> None:
    if key not in table.columns:
        raise InputError(f"there is no column {key!r}; name the column that tells the rows apart")
    if table[key].is_duplicated().any() or table[key].null_count():
        raise InputError(f"column {key!r} repeats or lacks a value; it must name every row once")


def _same(one: object, other: object) -> bool:
    """Equal values; text is compared without surrounding space."""
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    both_nan = one != one and other != other
    return both_nan or one == other
