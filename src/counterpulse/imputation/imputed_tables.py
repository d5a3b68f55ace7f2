"""Imputed versions of one table, with how they were made and whether the chains mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import level_text
from counterpulse.data.sample import TableSet
from counterpulse.errors import InputError
from counterpulse.imputation.mixing import mixing
from counterpulse.results.estimate import finite_or_none
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedTables:
    """The imputed tables of one run of chained equations.

    Attributes
    ----------
    tables : m samples of kind "imputed", each with all rows and columns of the table
    rows_imputed : rows of each imputed column that had no value
    methods : how each column was imputed
    predictor_matrix : one row an imputed column, one column a predictor, 1 where the one was imputed from the other
    visit : the order in which columns were imputed
    iterations : of each chain
    trace : variable, imputation, iteration, and mean and sd of the imputed values (of a category: position of its level)
    left_out : columns neither imputed nor used, and why; their missing values stay
    dependent : columns that are linear combinations of those before them; a slight ridge lets them stay
    unfinished : columns whose model did not converge in the last iteration of some chain
    provenance : choices and the works they rest on
    """

    tables: TableSet
    rows_imputed: Mapping[str, Index]
    methods: Mapping[str, str]
    predictor_matrix: pl.DataFrame
    visit: tuple[str, ...]
    iterations: int
    trace: pl.DataFrame
    left_out: Mapping[str, Status]
    dependent: tuple[str, ...]
    unfinished: tuple[str, ...]
    provenance: Provenance

    @property
    def m(self) -> int:
        """Imputed tables."""
        return len(self.tables.samples)

    def frames(self) -> tuple[pl.DataFrame, ...]:
        """Give the m imputed tables as frames."""
        return tuple(sample.frame for sample in self.tables.samples)

    @property
    def status(self) -> Status:
        """What became of the whole: the first of not converged, not mixed, or OK."""
        if self.unfinished:
            return Status.NOT_CONVERGED
        mixed = self.convergence()
        return Status.IMPUTATION_NOT_MIXED if (mixed["status"] != Status.OK.code).any() else Status.OK

    def convergence(self) -> pl.DataFrame:
        """Potential scale reduction of mean and sd of the imputed values over chains, the first iteration left out."""
        rows = [self._convergence_of(variable) for variable in self.trace["variable"].unique(maintain_order=True)]
        schema = {"variable": pl.String, "mean": pl.Float64, "sd": pl.Float64, "status": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _convergence_of(self, variable: str) -> tuple[str, float | None, float | None, str]:
        own = self.trace.filter(pl.col("variable") == variable).sort("imputation", "iteration")
        mean, sd = (mixing(own[what].to_numpy().reshape(self.m, self.iterations)[:, 1:]) for what in ("mean", "sd"))
        status = Status.OK if mean.mixed and sd.mixed else Status.IMPUTATION_NOT_MIXED
        status = Status.NOT_CONVERGED if variable in self.unfinished else status
        return variable, finite_or_none(mean.scale_reduction), finite_or_none(sd.scale_reduction), status.code

    def density(self, variable: str, *, points: int = 101) -> pl.DataFrame:
        """Density of the observed and of each table's imputed values of a number, or share of each level of a category.

        Returns
        -------
        variable, imputation (0 for the observed), value (or level) and density (or share)
        """
        if variable not in self.rows_imputed or self.methods[variable] == "passive":
            raise InputError(f"'{variable}' was not imputed; imputed are {', '.join(self.rows_imputed)}")
        frames = self.frames()
        changed = np.zeros(frames[0].height, dtype=bool)
        changed[self.rows_imputed[variable]] = True
        parts = [frames[0][variable].filter(~pl.Series(changed))]
        parts += [frame[variable].filter(pl.Series(changed)) for frame in frames]
        if self.methods[variable] in ("pmm", "normal", "random-intercept"):
            return _densities(variable, [part.cast(pl.Float64).to_numpy() for part in parts], points)
        return _shares(variable, parts)

    def glance(self) -> pl.DataFrame:
        """Describe the imputation as a whole in one row."""
        worst = [value for value in self.convergence()["mean"].to_list() if value is not None and isfinite(value)]
        return pl.DataFrame(
            {
                "n": self.tables.samples[0].frame.height, "m": self.m, "iterations": self.iterations,
                "columns_imputed": len(self.rows_imputed),
                "values_imputed": sum(len(rows) for rows in self.rows_imputed.values()),
                "columns_left_out": len(self.left_out), "worst_scale_reduction": max(worst, default=None),
                "status": self.status.code,
            },
            schema_overrides={"worst_scale_reduction": pl.Float64},
        )  # fmt: skip


def _densities(variable: str, parts: list[Floats], points: int) -> pl.DataFrame:
    """Gaussian kernels with Silverman's bandwidth of the observed values, on one grid."""
    observed = parts[0]
    quartiles = np.quantile(observed, (0.25, 0.75))
    spread = min(float(observed.std(ddof=1)), float(quartiles[1] - quartiles[0]) / 1.34 or np.inf)
    bandwidth = 0.9 * spread * len(observed) ** -0.2
    low, high = min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)
    grid = np.linspace(low - 3 * bandwidth, high + 3 * bandwidth, points)
    rows = []
    for imputation, part in enumerate(parts):
        kernel = np.exp(-(((grid[:, None] - part[None, :]) / bandwidth) ** 2) / 2)
        density = kernel.mean(axis=1) / (bandwidth * np.sqrt(2 * np.pi))
        rows += [(variable, imputation, value, height) for value, height in zip(grid, density, strict=True)]
    schema = {"variable": pl.String, "imputation": pl.Int64, "value": pl.Float64, "density": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _shares(variable: str, parts: list[pl.Series]) -> pl.DataFrame:
    levels = [str(level) for level in level_text(parts[0]).unique().sort()]
    rows = []
    for imputation, part in enumerate(parts):
        text = level_text(part)
        rows += [(variable, imputation, level, (text == level).sum() / len(text)) for level in levels]
    schema = {"variable": pl.String, "imputation": pl.Int64, "level": pl.String, "share": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
