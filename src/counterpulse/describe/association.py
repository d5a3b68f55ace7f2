"""How strongly the variables of a set hang together, two by two and each with all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.describe.columns import LevelColumn, NumericColumn, read_column
from counterpulse.errors import InputError

Floats = NDArray[np.float64]
Column = NumericColumn | LevelColumn

NUMERIC = ("pearson", "spearman")
SINGULAR = 1e-10  # the least eigenvalue of a correlation matrix whose columns depend on each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Two variables: the measure's name and its value, None where one of them does not vary.

    `smallest` is the least patient count behind it that is not zero: of the cells of two categories, of the levels of
    one; None for two numbers.
    """

    row: str
    column: str
    measure: str
    value: float | None
    smallest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceInflation:
    """How much larger the variance of a variable's coefficients is because of the others.

    `gvif` is the generalized factor of its `df` columns; `per_column` is gvif^(1 / (2 df)), which for one column is the
    factor by which the standard error grows. Both None where variables of the set determine one another, or it is constant.
    """

    variable: str
    df: int
    gvif: float | None
    per_column: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Associations:
    """Every pair in the order of the variables, and the variance inflation of each, of the `n` patients without a gap."""

    n: int
    pairs: tuple[Association, ...]
    inflation: tuple[VarianceInflation, ...]

    def tidy(self) -> pl.DataFrame:
        """One row a pair."""
        cells = [(item.row, item.column, item.measure, item.value, self.n) for item in self.pairs]
        schema = {
            "row": pl.String, "column": pl.String, "measure": pl.String, "value": pl.Float64, "n": pl.Int64,
        }  # fmt: skip
        return pl.DataFrame(cells, schema=schema, orient="row")


def associations(table: pl.DataFrame, *, variables: Sequence[str], numeric: str = "pearson") -> Associations:
    """Measure the association of every two variables in the patients who have a value of all.

    Two numbers: Pearson's or Spearman's correlation. A number and a yes/no: the point-biserial correlation, positive where
    the second level has the higher mean. A number and several levels: the correlation ratio, the root of the share of the
    variance between levels. Two categories: Cramér's V, without a correction.

    Parameters
    ----------
    table : one row a patient
    variables : numbers and columns with levels
    numeric : "pearson" or "spearman"

    Raises
    ------
    InputError
        A column that is not there or cannot be read, or an unknown word.

    References
    ----------
    Fox J, Monette G. Generalized collinearity diagnostics. J Am Stat Assoc 1992;87:178-83.
    doi:10.1080/01621459.1992.10475190
    """
    if numeric not in NUMERIC:
        raise InputError(f"correlation {numeric!r} is unknown; give one of {', '.join(NUMERIC)}")
    columns = {name: read_column(table, name) for name in variables}
    complete = np.logical_and.reduce(
        [np.ones(table.height, dtype=bool), *(column.known for column in columns.values())]
    )
    used = {name: _rows(column, complete) for name, column in columns.items()}
    pairs = tuple(_pair(one, other, used[one], used[other], numeric) for one, other in combinations(variables, 2))
    return Associations(n=int(complete.sum()), pairs=pairs, inflation=_inflation(used))


def _rows(column: Column, rows: NDArray[np.bool_]) -> Column:
    """A column of the rows alone, its levels those that occur."""
    if isinstance(column, NumericColumn):
        return NumericColumn(column.values[rows])
    present, codes = np.unique(column.codes[rows], return_inverse=True)
    levels = tuple(column.levels[code] for code in present)
    return LevelColumn(levels, codes.astype(np.int64), tuple(range(len(levels))))


def _pair(row: str, column: str, one: Column, other: Column, numeric: str) -> Association:
    if isinstance(one, LevelColumn) and isinstance(other, LevelColumn):
        value, smallest = _cramer(one, other)
        return Association(row=row, column=column, measure="Cramér's V", value=value, smallest=smallest)
    if isinstance(one, NumericColumn) and isinstance(other, NumericColumn):
        ranked = numeric == "spearman"
        x, y = (_ranks(part.values) if ranked else part.values for part in (one, other))
        return Association(row=row, column=column, measure=numeric, value=_correlation(x, y))
    number, levels = (one, other) if isinstance(one, NumericColumn) else (other, one)
    assert isinstance(number, NumericColumn)
    assert isinstance(levels, LevelColumn)
    smallest = int(np.bincount(levels.codes).min()) if len(levels.codes) else None
    if len(levels.levels) <= 2:
        value = _correlation(number.values, levels.codes.astype(np.float64))
        return Association(row=row, column=column, measure="point-biserial", value=value, smallest=smallest)
    value = _correlation_ratio(number.values, levels)
    return Association(row=row, column=column, measure="correlation ratio", value=value, smallest=smallest)


def _correlation(x: Floats, y: Floats) -> float | None:
    if len(x) < 2 or x.min() == x.max() or y.min() == y.max():
        return None
    x, y = ((part - part.mean()) / np.abs(part - part.mean()).max() for part in (x, y))
    return float(np.clip(x @ y / sqrt(float(x @ x) * float(y @ y)), -1.0, 1.0))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, ties at their mean."""
    return np.asarray(pl.Series(values).rank("average").to_numpy(), dtype=np.float64)


def _correlation_ratio(values: Floats, levels: LevelColumn) -> float | None:
    if len(values) < 2 or values.min() == values.max():
        return None
    centered = values - values.mean()
    sizes = np.bincount(levels.codes)
    means = np.bincount(levels.codes, weights=centered) / sizes
    return float(np.clip(sqrt(float(sizes @ means**2) / float(centered @ centered)), 0.0, 1.0))


def _cramer(one: LevelColumn, other: LevelColumn) -> tuple[float | None, int | None]:
    height, width = len(one.levels), len(other.levels)
    if min(height, width) == 0:
        return None, None
    counts = np.bincount(one.codes * width + other.codes, minlength=height * width).reshape(height, width).astype(float)
    smallest = int(counts[counts > 0].min())
    if min(height, width) < 2:
        return None, smallest
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    return min(sqrt(chi_squared / (counts.sum() * (min(height, width) - 1))), 1.0), smallest


def _inflation(used: dict[str, Column]) -> tuple[VarianceInflation, ...]:
    """Generalized variance inflation factors, from determinants of the correlation matrix of all columns."""
    parts = {name: matrix for name, column in used.items() if _varies(matrix := _matrix(column))}
    own = _places(parts)
    correlation = _correlations(parts)
    solvable = correlation is not None and float(np.linalg.eigvalsh(correlation)[0]) > SINGULAR
    found = []
    for name in used:
        df = len(own.get(name, ()))
        factor = _log_factor(correlation, own[name]) if df and solvable and correlation is not None else None
        found.append(
            VarianceInflation(
                variable=name,
                df=df,
                gvif=None if factor is None else exp(factor),
                per_column=None if factor is None else exp(factor / (2 * df)),
            )
        )
    return tuple(found)


def _varies(matrix: Floats) -> bool:
    return bool(matrix.size) and bool((matrix.min(axis=0) < matrix.max(axis=0)).all())


def _places(parts: dict[str, Floats]) -> dict[str, NDArray[np.intp]]:
    """Which columns of the whole matrix belong to each variable."""
    ends = np.cumsum([0, *(part.shape[1] for part in parts.values())])
    return {name: np.arange(first, last) for name, first, last in zip(parts, ends[:-1], ends[1:], strict=True)}


def _correlations(parts: dict[str, Floats]) -> Floats | None:
    if not parts:
        return None
    stacked = np.column_stack(list(parts.values()))
    centered = stacked - stacked.mean(axis=0)
    scaled = centered / np.sqrt((centered**2).sum(axis=0))
    return np.asarray(scaled.T @ scaled)


def _log_factor(matrix: Floats, own: NDArray[np.intp]) -> float:
    others = np.setdiff1d(np.arange(len(matrix)), own)
    whole, alone, rest = (
        float(np.linalg.slogdet(part).logabsdet)
        for part in (matrix, matrix[np.ix_(own, own)], matrix[np.ix_(others, others)])
    )
    return alone + rest - whole


def _matrix(column: Column) -> Floats:
    """The columns of a variable in a model: itself, or an indicator of every level but the first."""
    if isinstance(column, NumericColumn):
        return column.values[:, None]
    return np.asarray(column.codes[:, None] == np.arange(1, len(column.levels))[None, :], dtype=np.float64)
