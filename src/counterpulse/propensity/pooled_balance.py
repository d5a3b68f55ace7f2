"""Balance over several versions of a table, as multiple imputation makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.propensity.balance import BalanceTable, sizes_block
from counterpulse.results.block import KINDS, Block, Cell
from counterpulse.results.provenance import Choice, Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledBalance:
    """Standardized differences over versions of a table.

    Attributes
    ----------
    table : one row for each variable, level and sample: `smd`, the mean over versions; `smd_max`, the largest absolute
        one; all else are means. A difference that is undefined in a version is undefined
    sizes : patients and effective sample sizes by sample and group, means over versions
    versions : how many
    """

    table: pl.DataFrame = field(repr=False)
    sizes: pl.DataFrame = field(repr=False)
    versions: int
    provenance: Provenance

    def tidy(self) -> pl.DataFrame:
        """One row for each variable, level and sample."""
        return self.table

    def block(self, *, id: str, analysis: str) -> Block:
        """The table as a block of kind "balance"."""
        names = tuple(KINDS["balance"])
        columns: dict[str, list[Cell]] = {name: self.table[name].to_list() for name in names}
        return Block(id=id, analysis=analysis, kind="balance", columns=columns)

    def effective_sizes(self, *, id: str, analysis: str) -> Block:
        """Mean numbers of patients and effective sample sizes as a block of kind "effective-size"."""
        return sizes_block(self.sizes, id=id, analysis=analysis)


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
        for name in ("smd", "mean_treated", "mean_control", "variance_ratio", "ks")
    }
    means = [pl.Series(name, values.mean(axis=0)).fill_nan(None) for name, values in stacked.items()]
    largest = pl.Series("smd_max", np.abs(stacked["smd"]).max(axis=0)).fill_nan(None)
    provenance = Provenance(
        method="balance", choices=(Choice("versions", len(frames), "derived"),), citations=("austin-2009",)
    )
    sizes = [table.glance() for table in tables]
    mean_sizes = {name: np.mean([frame[name].to_numpy() for frame in sizes], axis=0) for name in ("n", "effective")}
    return PooledBalance(
        table=frames[0].select(keys).with_columns(*means, largest),
        sizes=sizes[0].with_columns(**{name: pl.Series(name, mean) for name, mean in mean_sizes.items()}),
        versions=len(frames), provenance=provenance,
    )  # fmt: skip
