"""The columns of a frame as the room describes them: numbers, or levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError

YES = "yes"
"""The one level shown of a Boolean variable."""


@dataclass(frozen=True, slots=True, eq=False)
class NumericColumn:
    """Values of shape (patients,); nan is missing."""

    values: NDArray[np.float64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which patients have a value."""
        return ~np.isnan(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class LevelColumn:
    """Codes into `levels`, shape (patients,); -1 is missing. `shown` are the levels that get a row."""

    levels: tuple[str, ...]
    codes: NDArray[np.int64]
    shown: tuple[int, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which patients have a level."""
        return self.codes >= 0


def read_column(table: pl.DataFrame, name: str) -> NumericColumn | LevelColumn:
    """A column as numbers (integer, float, decimal) or levels (Boolean, text, Enum, Categorical); NaN is missing.

    Raises
    ------
    InputError
        A column that is not there, of a type that Table 1 does not summarize, or with infinite values.
    """
    series = _series(table, name)
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        values = series.cast(pl.Float64).to_numpy(allow_copy=True).astype(np.float64)
        if np.isinf(values).any():
            raise InputError(f"column {name!r} has infinite values; correct them or make them missing")
        return NumericColumn(values)
    return read_levels(table, name)


def read_levels(table: pl.DataFrame, name: str) -> LevelColumn:
    """A column as levels: an Enum in its order, anything else sorted; Booleans are "no" and "yes".

    Raises
    ------
    InputError
        A column that is not there, or of a type without levels.
    """
    series = _series(table, name)
    dtype = series.dtype
    if dtype == pl.Boolean:
        return LevelColumn(("no", YES), _codes(series.cast(pl.Int64)), (1,))
    if isinstance(dtype, pl.Enum):
        levels = tuple(dtype.categories.to_list())
        return LevelColumn(levels, _codes(series.to_physical().cast(pl.Int64)), tuple(range(len(levels))))
    if not (dtype in (pl.String, pl.Categorical) or dtype.is_integer() or dtype == pl.Null):
        raise InputError(
            f"column {name!r} is of type {dtype}; it has no levels: give yes/no, text, whole numbers or a category"
        )
    distinct = series.drop_nulls().unique()
    ordered = (distinct.cast(pl.String) if dtype == pl.Categorical else distinct).sort()
    levels = tuple(str(level) for level in ordered)
    codes = series.cast(pl.String).cast(pl.Enum(levels)).to_physical().cast(pl.Int64)
    return LevelColumn(levels, _codes(codes), tuple(range(len(levels))))


def _series(table: pl.DataFrame, name: str) -> pl.Series:
    if name not in table.columns:
        raise InputError(f"there is no column {name!r} in the table; check its spelling")
    return table[name]


def _codes(series: pl.Series) -> NDArray[np.int64]:
    return series.fill_null(-1).to_numpy().astype(np.int64)
