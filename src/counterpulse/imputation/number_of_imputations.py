"""How many imputed tables are enough."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import polars as pl
from polars import selectors

FEWEST = 20


def imputations_needed(table: pl.DataFrame, *, columns: Sequence[str] | None = None) -> int:
    """As many as the percentage of rows with a missing value, and 20 at least.

    Parameters
    ----------
    table : one row a patient
    columns : that are imputed and imputed from; all of the table by default

    References
    ----------
    White, Royston and Wood 2011, doi:10.1002/sim.4067.
    """
    used = table.select(columns if columns is not None else selectors.all())
    if used.height == 0 or used.width == 0:
        return FEWEST
    incomplete = used.select(selectors.float().fill_nan(None), ~selectors.float()).select(
        pl.any_horizontal(pl.all().is_null()).sum()
    )
    return max(FEWEST, ceil(100 * int(incomplete.item()) / used.height))
