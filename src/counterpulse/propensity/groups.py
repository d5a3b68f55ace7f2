"""Two or more treatments of a table as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import complete_rows, is_categorical, levels_in_order
from counterpulse.errors import InputError
from counterpulse.propensity.treatment import Units, read_units
from counterpulse.results.status import Status

Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """The treatment each patient received.

    Attributes
    ----------
    height : rows of the table
    rows : indices of the rows used, shape (n,)
    codes : into `names`, shape (n,)
    names : the treatments; of two the second is "the treated"
    """

    height: int
    rows: Codes
    codes: Codes
    names: tuple[str, ...]

    @property
    def status(self) -> Status:
        """Whether every group has patients."""
        if not len(self.rows):
            return Status.NO_ROWS
        counts = np.bincount(self.codes, minlength=len(self.names))
        if len(self.names) == 2 and not counts.all():
            return Status.NO_CONTROLS if counts[1] else Status.NO_TREATED
        return Status.OK if counts.all() else Status.EMPTY_GROUP

    def code_of(self, name: str) -> int:
        """Find a treatment by its name."""
        if name not in self.names:
            raise InputError(f"{name!r} is not a treatment; the treatments are {', '.join(self.names)}")
        return self.names.index(name)

    def pair(self, treated: int, control: int) -> Units:
        """Two of the treatments, to be compared."""
        mine = (self.codes == treated) | (self.codes == control)
        return Units(height=self.height, rows=self.rows[mine], treated=self.codes[mine] == treated)


def read_groups(table: pl.DataFrame, *, treatment: str, needed: Sequence[str]) -> Groups:
    """Read a treatment of two values, or of the levels of a text column.

    Raises
    ------
    InputError : a column is absent, or the treatment cannot be used
    """
    complete = complete_rows(table, [treatment, *needed])
    column = table[treatment]
    levels = levels_in_order(column) if is_categorical(column) else []
    if len(levels) > 2:
        rows = np.flatnonzero(complete)
        codes = column.gather(rows).cast(pl.String).cast(pl.Enum(levels)).to_physical().cast(pl.Int64).to_numpy()
        return Groups(height=table.height, rows=rows, codes=codes.astype(np.intp), names=tuple(levels))
    units = read_units(table, treatment=treatment, needed=needed)
    names = tuple(levels) if len(levels) == 2 else ("control", "treated")
    return Groups(height=table.height, rows=units.rows, codes=units.treated.astype(np.intp), names=names)
