"""Who was treated: the binary treatment of a table as an array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import complete_rows, is_categorical, levels_in_order
from counterpulse.errors import InputError
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """The patients that are compared.

    Attributes
    ----------
    height : rows of the table
    rows : indices of the rows that have the treatment and every covariate, shape (n,)
    treated : shape (n,)
    """

    height: int
    rows: Codes
    treated: Mask

    @property
    def n_missing(self) -> int:
        """Rows left out for a missing value."""
        return self.height - len(self.rows)

    @property
    def n_treated(self) -> int:
        """How many are treated."""
        return int(self.treated.sum())

    @property
    def n_control(self) -> int:
        """How many are not."""
        return len(self.rows) - self.n_treated

    @property
    def status(self) -> Status:
        """Whether there is anybody to compare."""
        if not len(self.rows):
            return Status.NO_ROWS
        if not self.n_treated:
            return Status.NO_TREATED
        return Status.OK if self.n_control else Status.NO_CONTROLS

    def column(self, table: pl.DataFrame, name: str) -> pl.Series:
        """Pick a column in the rows used."""
        return table[name] if len(self.rows) == self.height else table[name].gather(self.rows)

    def spread(self, values: Floats, missing: float = 0.0) -> Floats:
        """Lay values of the units out over the table, shape (height,)."""
        if len(self.rows) == self.height:
            return values
        out = np.full(self.height, missing)
        out[self.rows] = values
        return out


def read_units(table: pl.DataFrame, *, treatment: str, needed: Sequence[str] = ()) -> Units:
    """Find the rows with treatment and covariates; of a text treatment the second level is the treated one.

    Raises
    ------
    InputError : a column is absent, or the treatment does not have two values
    """
    complete = complete_rows(table, [treatment, *needed])
    rows = np.flatnonzero(complete)
    column = table[treatment]
    if is_categorical(column):
        levels = list(column.dtype.categories) if isinstance(column.dtype, pl.Enum) else levels_in_order(column)
        levels = levels if len(levels) == 2 else levels_in_order(column)
        if len(levels) != 2:
            raise InputError(
                f"the treatment '{treatment}' has {len(levels)} levels; matching compares two, weighting more than two"
            )
        treated = (column.gather(rows).cast(pl.String) == levels[1]).to_numpy()
    else:
        treated = _zero_one(column, rows)
    return Units(height=table.height, rows=rows, treated=treated)


def _zero_one(column: pl.Series, rows: Codes) -> Mask:
    if not (column.dtype == pl.Boolean or column.dtype.is_numeric()):
        raise InputError(f"the treatment '{column.name}' is {column.dtype}; it is yes/no, 0/1 or has two levels")
    values = (column if len(rows) == len(column) else column.gather(rows)).cast(pl.Float64).to_numpy()
    treated: Mask = values == 1
    if not (treated | (values == 0)).all():
        raise InputError(f"the treatment '{column.name}' has numbers other than 0 and 1; recode it as yes/no or 0/1")
    return treated
