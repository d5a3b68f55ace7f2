"""Squares and products of numeric covariates, whose balance tells whether spreads and correlations agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.describe.columns import NumericColumn, read_column


def with_products(table: pl.DataFrame, names: Sequence[str], rows: NDArray[np.intp]) -> tuple[pl.DataFrame, list[str]]:
    """Add the squares of numeric columns and the products of every two, centered at their means in `rows`.

    Returns
    -------
    the table with the columns "age squared", "age × lactate" and so on, and the names of all to be compared; a square of
    two values says no more than its column, and is left out
    """
    centered: dict[str, NDArray[np.float64]] = {}
    for name in names:
        column = read_column(table, name)
        known = column.values[rows] if isinstance(column, NumericColumn) else np.empty(0)
        known = known[~np.isnan(known)]
        if isinstance(column, NumericColumn) and len(known):
            centered[name] = column.values - known.mean()
    made = {
        f"{name} squared": values**2
        for name, values in centered.items()
        if len(np.unique(values[~np.isnan(values)])) > 2
    }
    made |= {f"{one} × {other}": centered[one] * centered[other] for one, other in combinations(centered, 2)}
    return table.with_columns(pl.Series(name, values) for name, values in made.items()), [*names, *made]
