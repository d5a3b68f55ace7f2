"""Balance of covariates before and after matching or weighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.describe.columns import NumericColumn, read_column
from counterpulse.errors import InputError
from counterpulse.numerics.blocks import map_blocks
from counterpulse.propensity.covariate_balance import (
    DENOMINATORS,
    Comparison,
    Denominator,
    compare_numbers,
    compare_shares,
    share_weights,
)
from counterpulse.propensity.covariate_products import with_products
from counterpulse.propensity.treatment import Units
from counterpulse.results.block import Block, Cell
from counterpulse.results.estimate import finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Binary = Literal["standardized", "raw"]

PROPENSITY, PROGNOSTIC = "propensity score", "prognostic score"
UNADJUSTED = "unadjusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """One variable, or one level of it, in one sample.

    Attributes
    ----------
    smd : treated minus control, in the denominator's standard deviations (raw for proportions where asked for); None
        where nothing varies, see `status`
    mean_treated, mean_control : means or proportions
    variance_ratio : treated over control, None for proportions
    ks : the largest difference of the cumulative distributions
    """

    variable: str
    level: str | None
    sample: str
    smd: float | None
    denominator: str
    mean_treated: float
    mean_control: float
    variance_ratio: float | None
    ks: float
    status: Status = Status.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """Patients of a group that count in a sample, and the effective number, (sum w)^2 / sum w^2."""

    sample: str
    group: str
    n: int
    effective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTable:
    """Standardized differences, variance ratios and Kolmogorov-Smirnov distances, before and after.

    Attributes
    ----------
    rows : by variable and level, the unadjusted sample first
    sizes : patients and effective sample sizes
    denominator : whose standard deviation, always of the unadjusted sample
    """

    rows: tuple[BalanceRow, ...] = field(repr=False)
    sizes: tuple[SampleSize, ...]
    denominator: str
    provenance: Provenance

    def largest(self, sample: str) -> float:
        """The largest absolute standardized difference in a sample; infinite where one is undefined."""
        found = [row for row in self.rows if row.sample == sample]
        return max((np.inf if row.smd is None else abs(row.smd) for row in found), default=0.0)

    def tidy(self) -> pl.DataFrame:
        """One row for each variable, level and sample."""
        names = (
            "variable",
            "level",
            "sample",
            "smd",
            "denominator",
            "mean_treated",
            "mean_control",
            "variance_ratio",
            "ks",
        )
        text = {"variable", "level", "sample", "denominator"}
        schema = {name: pl.String if name in text else pl.Float64 for name in names}
        return pl.DataFrame(
            [[getattr(row, name) for name in names] + [row.status.code] for row in self.rows],
            schema={**schema, "status": pl.String}, orient="row",
        )  # fmt: skip

    def glance(self) -> pl.DataFrame:
        """Patients and effective sample sizes by sample and group."""
        return pl.DataFrame(
            [(size.sample, size.group, size.n, size.effective) for size in self.sizes],
            schema={"sample": pl.String, "group": pl.String, "n": pl.Int64, "effective": pl.Float64}, orient="row",
        )  # fmt: skip

    def block(self, *, id: str, analysis: str) -> Block:
        """The table as a block of kind "balance"."""
        columns: dict[str, list[Cell]] = {
            "variable": [row.variable for row in self.rows], "level": [row.level for row in self.rows],
            "sample": [row.sample for row in self.rows], "smd": [row.smd for row in self.rows],
            "smd_max": [None] * len(self.rows), "denominator": [row.denominator for row in self.rows],
            "mean_treated": [finite_or_none(row.mean_treated) for row in self.rows],
            "mean_control": [finite_or_none(row.mean_control) for row in self.rows],
            "variance_ratio": [row.variance_ratio for row in self.rows], "ks": [finite_or_none(row.ks) for row in self.rows],
        }  # fmt: skip
        return Block(id=id, analysis=analysis, kind="balance", columns=columns)

    def effective_sizes(self, *, id: str, analysis: str) -> Block:
        """Patients and effective sample sizes as a block of kind "effective-size"."""
        return sizes_block(self.glance(), id=id, analysis=analysis)


def sizes_block(sizes: pl.DataFrame, *, id: str, analysis: str) -> Block:
    """Lay out columns sample, group, n and effective as a block."""
    columns: dict[str, list[Cell]] = {name: sizes[name].to_list() for name in sizes.columns}
    return Block(id=id, analysis=analysis, kind="effective-size", columns=columns)


def balance_table(
    table: pl.DataFrame, *, units: Units, covariates: Sequence[str], weights: Floats, sample: str,
    denominator: Denominator, binary: Binary = "standardized", score: ArrayLike | None = None,
    prognostic: ArrayLike | None = None, products: bool = False,
) -> BalanceTable:  # fmt: skip
    """Compare treated and control patients before and after adjustment.

    Parameters
    ----------
    units : who is compared
    covariates : columns; numbers, yes/no or levels. Of patients without a value a covariate does not speak
    weights : after adjustment, shape (rows,); 0 for who is left out
    sample : what the adjusted sample is called
    denominator : standard deviation of the "treated" (ATT), the "control" (ATC), the root of the mean of the two
        variances ("pooled", ATE), or of everybody, weighted ("weighted", overlap and matching weights)
    binary : whether differences of proportions are divided by a standard deviation
    score, prognostic : compared too, shape (rows,)
    products : compare squares and products of the numeric covariates too, from their means among everybody

    References
    ----------
    Austin 2009, doi:10.1002/sim.3697
    """
    if denominator not in DENOMINATORS:
        raise InputError(f"the denominator {denominator!r} is not known; it is one of {', '.join(DENOMINATORS)}")
    if binary not in get_args(Binary):
        raise InputError(f"binary={binary!r} is not known; it is 'standardized' or 'raw'")
    if products:
        table, covariates = with_products(table, covariates, units.rows)
    whose = units.rows, units.treated
    adjusted = np.asarray(weights, dtype=np.float64)[units.rows]
    if denominator == "weighted" and not adjusted.any():
        denominator = "pooled"
    both = ((UNADJUSTED, np.ones(len(units.rows))), (sample, adjusted))
    present = [(name, values) for name, values in both if _has_both(values, units)]
    weighings = [share_weights(values, units.treated) for _, values in present]
    scores = {PROPENSITY: score, PROGNOSTIC: prognostic}
    names = [*covariates, *(name for name, values in scores.items() if values is not None)]

    def rows_of(name: str) -> list[BalanceRow]:
        given = scores.get(name)
        column = read_column(table, name) if given is None else NumericColumn(np.asarray(given, dtype=np.float64))
        found: list[tuple[str | None, list[Comparison]]]
        if isinstance(column, NumericColumn):
            found = [(None, compare_numbers(column.values[whose[0]], whose[1], weighings, adjusted, denominator))]
        else:
            codes = column.codes[whose[0]]
            shares = compare_shares(codes, len(column.levels), whose[1], weighings, adjusted, denominator)
            found = [(column.levels[level], shares[level]) for level in column.shown]
        return [
            _row(name, level, label, comparison, denominator, binary)
            for level, comparisons in found
            for (label, _), comparison in zip(present, comparisons, strict=True)
        ]

    rows = chain.from_iterable(map_blocks(rows_of, names, rows=len(units.rows)) if present else ())
    return BalanceTable(
        rows=tuple(rows), sizes=_sizes(both, units), denominator=denominator,
        provenance=Provenance(
            method="balance", citations=("austin-2009",),
            choices=(Choice("denominator", denominator, "derived", "austin-2009"), Choice("binary", binary, "default" if binary == "standardized" else "given")),
        ),
    )  # fmt: skip


def effective_size(weights: Floats) -> float:
    """``(sum w)^2 / sum w^2``: how many patients of equal weight tell as much; 0 where nobody has a weight."""
    top = float(np.max(np.abs(weights), initial=0.0))
    if not top > 0:
        return 0.0
    scaled = weights / top
    return float(scaled.sum() ** 2 / (scaled @ scaled))


def _has_both(weights: Floats, units: Units) -> bool:
    return bool(len(weights) and weights[units.treated].sum() > 0 and weights[~units.treated].sum() > 0)


def _sizes(samples: Sequence[tuple[str, Floats]], units: Units) -> tuple[SampleSize, ...]:
    return tuple(
        SampleSize(
            sample=label, group=group, n=int(np.count_nonzero(weights[side])), effective=effective_size(weights[side])
        )
        for label, weights in samples
        for group, side in (("treated", units.treated), ("control", ~units.treated))
    )


def _row(
    name: str, level: str | None, sample: str, found: Comparison, denominator: Denominator, binary: Binary
) -> BalanceRow:
    raw = binary == "raw" and found.variance_ratio is None
    smd = found.mean_treated - found.mean_control if raw else found.standardized
    return BalanceRow(
        variable=name, level=level, sample=sample, smd=smd, denominator="none" if raw else denominator,
        mean_treated=found.mean_treated, mean_control=found.mean_control, variance_ratio=found.variance_ratio,
        ks=found.ks, status=Status.ZERO_VARIANCE if smd is None else Status.OK,
    )  # fmt: skip
