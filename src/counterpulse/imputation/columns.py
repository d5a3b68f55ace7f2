"""Columns of a table as the numbers that imputation works on, and back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Index = NDArray[np.intp]
Kind = Literal["number", "binary", "nominal", "ordinal"]

FEW_LEVELS, LEAST_ROWS = 10, 3
"""Beyond so many levels, a column needs this many rows a level on average: else it is an identifier or free text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One column of the table.

    Attributes
    ----------
    name : of the column
    kind : a number, or what kind of category
    values : numbers, or positions in `levels`; nan where missing; shape (n,)
    levels : the observed levels in order, as polars holds them; () of a number
    observed, missing : rows with and without a value
    dtype : of the column in the table
    """

    name: str
    kind: Kind
    values: Floats
    levels: tuple[str | float | bool, ...]
    observed: Index
    missing: Index
    dtype: pl.DataType

    @property
    def width(self) -> int:
        """Columns that it takes as a predictor."""
        return max(1, len(self.levels) - 1)

    @property
    def status(self) -> Status:
        """Why it can neither be imputed nor help to impute, or OK."""
        if len(self.observed) == 0:
            return Status.ALL_MISSING
        first = self.values[self.observed[0]]
        return Status.CONSTANT if (self.values[self.observed] == first).all() else Status.OK

    def encode(self, values: Floats) -> Floats:
        """Make the predictor columns of completed values, one for each level but the first; shape (n, width)."""
        if len(self.levels) <= 2:
            return values[:, None]
        indicators: Floats = (values[:, None] == np.arange(1, len(self.levels))[None, :]).astype(np.float64)
        return indicators

    def decode(self, values: Floats) -> pl.Series:
        """Completed values as the table holds them; whole numbers stay so unless an imputed one is not whole."""
        if self.levels:
            levels = pl.Series(self.name, self.levels, dtype=self.dtype)
            return levels.gather(values.astype(np.int64))
        series = pl.Series(self.name, values)
        whole = self.dtype.is_integer() and bool((values == np.round(values)).all())
        return series.cast(self.dtype) if whole or self.dtype == pl.Float32 else series


def read_column(table: pl.DataFrame, name: str, *, ordered: Collection[str] = ()) -> Column:
    """Read a column; a number that is only 0 or 1 is binary, and so is a category with two observed levels.

    Raises
    ------
    InputError : the column is absent, infinite somewhere, or of a type that cannot be imputed
    """
    if name not in table.columns:
        raise InputError(f"the table has no column '{name}' to impute from; it has {', '.join(table.columns)}")
    series = table[name]
    if series.dtype.is_numeric():
        return _number(name, series)
    if series.dtype == pl.Boolean or series.dtype in (pl.String, pl.Categorical) or isinstance(series.dtype, pl.Enum):
        return _category(name, series, name in ordered)
    raise InputError(
        f"column '{name}' is of type {series.dtype}; imputation takes numbers, yes/no and categories: leave it out of "
        "`columns`, or make a number of it (days since time zero)"
    )


def _number(name: str, series: pl.Series) -> Column:
    values = series.cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
    if np.isinf(values).any():
        raise InputError(f"column '{name}' has infinite values; make them missing or mend the rule that derives them")
    known = values[~np.isnan(values)]
    if len(known) and np.isin(known, (0.0, 1.0)).all() and known.min() < known.max():
        return _column(name, "binary", values, (0, 1), series.dtype)
    return _column(name, "number", values, (), series.dtype)


def _category(name: str, series: pl.Series, ordered: bool) -> Column:
    known = set(series.drop_nulls().unique())
    listed = series.dtype.categories.to_list() if isinstance(series.dtype, pl.Enum) else sorted(known)
    levels = tuple(level for level in listed if level in known)
    rows = series.len() - series.null_count()
    if len(levels) > FEW_LEVELS and rows < LEAST_ROWS * len(levels):
        raise InputError(
            f"column '{name}' has {len(levels)} levels in {rows} rows, as an identifier or free text has; leave it out of "
            "`columns`, or merge levels"
        )
    codes = {level: float(position) for position, level in enumerate(levels)}
    values = series.replace_strict(codes, default=None, return_dtype=pl.Float64).fill_null(float("nan"))
    kind: Kind = "binary" if len(levels) <= 2 else "ordinal" if ordered else "nominal"
    return _column(name, kind, values.to_numpy().copy(), levels, series.dtype)


def _column(
    name: str, kind: Kind, values: Floats, levels: tuple[str | float | bool, ...], dtype: pl.DataType
) -> Column:
    blank = np.isnan(values)
    return Column(
        name=name, kind=kind, values=values, levels=levels, observed=np.flatnonzero(~blank),
        missing=np.flatnonzero(blank), dtype=dtype,
    )  # fmt: skip
