"""Balance over several versions of a table, as multiple imputation makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.propensity.balance import BalanceTable
from counterpulse.results.block import Block, Cell
from counterpulse.results.provenance import Choice, Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledBalance:
    """Standardized differences over versions of a table.

    Attributes
    ----------
    table : one row for each variable, level and sample: `smd`, the mean over versions; `smd_max`, the largest absolute
        one; `variance_ratio` and `ks`, means. A difference that is undefined in a version is undefined
    versions : how many
    """

    table: pl.DataFrame = field(repr=False)
    versions: int
    provenance: Provenance

    def tidy(self) -> pl.DataFrame:
        """One row for each variable, level and sample."""
        return self.table

    def block(self, *, id: str, analysis: str) -> Block:
        """The table as a block of kind "balance"."""
        names = ("variable", "level", "sample", "smd", "smd_max", "denominator", "variance_ratio", "ks")
        columns: dict[str, list[Cell]] = {name: self.table[name].to_list() for name in names}
        return Block(id=id, analysis=analysis, kind="balance", columns=columns)


def balance_over(tables: Sequence[BalanceTable]) -> PooledBalance:
    """Put together the balance of each imputed table.

    Parameters
    ----------
    tables : of the same covariates and samples, in the same way

    Raises
    ------
    InputError : there is none, or they compare different things
    """
    frames = [table.tidy() for table in tables]
    keys = ["variable", "level", "sample", "denominator"]
    if not frames or any(not frame.select(keys).equals(frames[0].select(keys)) for frame in frames):
        raise InputError("balance is put together of one table or more, all of the same covariates and samples")
    stacked = {
        name: np.array([frame[name].fill_null(np.nan).to_numpy() for frame in frames])
        for name in ("smd", "variance_ratio", "ks")
    }
    means = [pl.Series(name, values.mean(axis=0)).fill_nan(None) for name, values in stacked.items()]
    largest = pl.Series("smd_max", np.abs(stacked["smd"]).max(axis=0)).fill_nan(None)
    provenance = Provenance(
        method="balance", choices=(Choice("versions", len(frames), "derived"),), citations=("austin-2009",)
    )
    return PooledBalance(
        table=frames[0].select(keys).with_columns(*means, largest), versions=len(frames), provenance=provenance
    )
