"""What is missing: by variable and group, and the rows that each model loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.describe.columns import read_levels
from counterpulse.errors import InputError

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRow:
    """Missing values of one variable in one group (None: everybody); `percent` is None in an empty group."""

    variable: str
    group: str | None
    n: int
    missing: int
    percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missingness:
    """Missing values by variable and group; `complete` counts the patients who miss none of the variables."""

    rows: tuple[MissingRow, ...]
    n: int
    complete: int

    def tidy(self) -> pl.DataFrame:
        """One row a variable and group."""
        cells = [(row.variable, row.group, row.n, row.missing, row.percent) for row in self.rows]
        schema = {
            "variable": pl.String, "group": pl.String, "n": pl.Int64, "missing": pl.Int64, "percent": pl.Float64,
        }  # fmt: skip
        return pl.DataFrame(cells, schema=schema, orient="row")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsLost:
    """Rows that a model loses to missing values; `by_variable` counts those that each variable misses."""

    model: str
    n: int
    complete: int
    lost: int
    by_variable: Mapping[str, int]


def missingness(table: pl.DataFrame, *, variables: Sequence[str], by: str | None = None) -> Missingness:
    """Count missing values (null, or NaN of a float) by variable, in each group and in all.

    Parameters
    ----------
    table : one row a patient
    variables : columns of any type
    by : column of the groups

    Raises
    ------
    InputError
        A column that is not there.
    """
    parts: list[tuple[str | None, Mask]] = []
    if by is not None:
        groups = read_levels(table, by)
        parts = [(level, groups.codes == code) for code, level in enumerate(groups.levels)]
    parts.append((None, np.ones(table.height, dtype=bool)))
    missing = {variable: is_missing(table, variable) for variable in variables}
    rows = tuple(_row(name, group, mask, missing[name]) for name in variables for group, mask in parts)
    return Missingness(rows=rows, n=table.height, complete=table.height - _any_missing(missing, table.height))


def rows_lost(table: pl.DataFrame, models: Mapping[str, Sequence[str]]) -> tuple[RowsLost, ...]:
    """Count, for each model, the rows that miss one of its variables.

    Parameters
    ----------
    table : one row a patient
    models : the columns that each model reads, by its name

    Raises
    ------
    InputError
        A column that is not there.
    """
    losses = []
    for model, variables in models.items():
        missing = {variable: is_missing(table, variable) for variable in variables}
        lost = _any_missing(missing, table.height)
        losses.append(
            RowsLost(
                model=model,
                n=table.height,
                complete=table.height - lost,
                lost=lost,
                by_variable={variable: int(mask.sum()) for variable, mask in missing.items()},
            )
        )
    return tuple(losses)


def is_missing(table: pl.DataFrame, variable: str) -> Mask:
    """Which rows have no value, shape (rows,)."""
    if variable not in table.columns:
        raise InputError(f"there is no column {variable!r} in the table; check its spelling")
    series = table[variable]
    blank = series.is_null()
    if series.dtype.is_float():
        blank = blank | series.is_nan().fill_null(False)
    return blank.to_numpy().astype(bool)


def _row(variable: str, group: str | None, mask: Mask, missing: Mask) -> MissingRow:
    n, blank = int(mask.sum()), int((mask & missing).sum())
    return MissingRow(variable=variable, group=group, n=n, missing=blank, percent=100 * blank / n if n else None)


def _any_missing(missing: Mapping[str, Mask], n: int) -> int:
    return int(np.logical_or.reduce([np.zeros(n, dtype=bool), *missing.values()]).sum())
