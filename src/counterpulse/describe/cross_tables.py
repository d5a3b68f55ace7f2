"""Two categorical variables against each other, missing values counted as a level of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from counterpulse.describe.columns import LevelColumn, read_levels


@dataclass(frozen=True, slots=True, kw_only=True)
class CrosstabCell:
    """Patients with one level of each variable; a level None is a missing value. Percentages count missing values."""

    row: str | None
    column: str | None
    n: int
    row_percent: float | None
    column_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosstab:
    """Cells row by row. Missing values have a row or column only where there are any."""

    rows: str
    columns: str
    cells: tuple[CrosstabCell, ...]

    def tidy(self) -> pl.DataFrame:
        """One row a cell."""
        cells = [
            (self.rows, cell.row, self.columns, cell.column, cell.n, cell.row_percent, cell.column_percent)
            for cell in self.cells
        ]
        schema = {
            "row_variable": pl.String, "row": pl.String, "column_variable": pl.String, "column": pl.String, "n": pl.Int64,
            "row_percent": pl.Float64, "column_percent": pl.Float64,
        }  # fmt: skip
        return pl.DataFrame(cells, schema=schema, orient="row")


def crosstab(table: pl.DataFrame, *, rows: str, columns: str) -> Crosstab:
    """Count every pair of levels.

    Parameters
    ----------
    table : one row a patient
    rows, columns : columns with levels (yes/no, text, whole numbers, categories)

    Raises
    ------
    InputError
        A column that is not there, or of a type without levels.
    """
    down, across = read_levels(table, rows), read_levels(table, columns)
    height, width = len(down.levels) + 1, len(across.levels) + 1
    at = (down.codes % height) * width + across.codes % width  # a missing value, -1, is the last row or column
    counts = np.bincount(at, minlength=height * width).reshape(height, width)
    return Crosstab(
        rows=rows,
        columns=columns,
        cells=tuple(
            CrosstabCell(
                row=row, column=column, n=int(counts[i, j]), row_percent=_percent(counts[i, j], counts[i].sum()),
                column_percent=_percent(counts[i, j], counts[:, j].sum()),
            )
            for i, row in _levels(down, int(counts[-1].sum()))
            for j, column in _levels(across, int(counts[:, -1].sum()))
        ),
    )  # fmt: skip


def _levels(column: LevelColumn, missing: int) -> list[tuple[int, str | None]]:
    levels: list[tuple[int, str | None]] = list(enumerate(column.levels))
    return [*levels, (-1, None)] if missing else levels


def _percent(n: int, total: int) -> float | None:
    return 100 * float(n) / float(total) if total else None
