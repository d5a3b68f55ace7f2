"""Where the propensity scores of the groups overlap: histograms before and after adjustment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.propensity.balance import UNADJUSTED
from counterpulse.propensity.score import PropensityScore
from counterpulse.propensity.treatment import Units
from counterpulse.results.block import Block, Cell
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

BINS = 20
"""Bins of equal width from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How the propensity score is distributed in each group, before and after adjustment.

    Attributes
    ----------
    table : columns sample, group, low, high, share; the (weighted) part of the group whose score lies in a bin. A group
        without weight has no rows
    ranges : columns sample, group, lowest, highest; of the scores of who counts
    of : the treatment that the score is the probability of
    status : OK, or why there is no score
    """

    table: pl.DataFrame = field(repr=False)
    ranges: pl.DataFrame = field(repr=False)
    of: str
    status: Status
    provenance: Provenance

    def tidy(self) -> pl.DataFrame:
        """One row for each sample, group and bin."""
        return self.table

    def glance(self) -> pl.DataFrame:
        """The range of the scores by sample and group."""
        return self.ranges

    def block(self, *, id: str, analysis: str) -> Block:
        """The histograms as a block of kind "overlap"."""
        columns: dict[str, list[Cell]] = {name: self.table[name].to_list() for name in self.table.columns}
        return Block(id=id, analysis=analysis, kind="overlap", columns=columns)


def overlap(score: PropensityScore) -> Overlap:
    """Show the scores of the treated and of the controls, before any adjustment.

    Parameters
    ----------
    score : as estimated or given

    Returns
    -------
    Overlap : shares of each group in 20 bins of the score from 0 to 1. `Matching.overlap` and `Weighting.overlap` show
        the adjusted sample beside it
    """
    unadjusted = [(UNADJUSTED, np.ones(len(score.units.rows)))]
    return two_histograms(score.probability, score.units, unadjusted, of=score.treatment, status=score.status)


def two_histograms(
    chance: Floats, units: Units, samples: Sequence[tuple[str, Floats]], *, of: str, status: Status
) -> Overlap:
    """Share the weight of the treated and of the controls among the bins, as `histograms` does."""
    groups = [("treated", units.treated), ("control", ~units.treated)]
    return histograms(chance, groups, samples, of=of, status=status)


def histograms(
    chance: Floats,
    groups: Sequence[tuple[str, Mask]],
    samples: Sequence[tuple[str, Floats]],
    *,
    of: str,
    status: Status,
) -> Overlap:
    """Share the weight of each group in each sample among the bins.

    Parameters
    ----------
    chance : the score, shape (n,); empty where there is none
    groups, samples : names with who belongs to them, and with their weights; shape (n,) each
    """
    edges = np.linspace(0, 1, BINS + 1)
    rows: list[tuple[str, str, float, float, float]] = []
    ranges: list[tuple[str, str, float, float]] = []
    for sample, weights in samples if len(chance) else ():
        for group, mine in groups:
            counts = mine & (weights > 0)
            if not counts.any():
                continue
            total, _ = np.histogram(chance[counts], bins=edges, weights=weights[counts])
            share = (total / total.sum()).tolist()
            rows += [(sample, group, *bin) for bin in zip(edges[:-1].tolist(), edges[1:].tolist(), share, strict=True)]
            ranges.append((sample, group, float(chance[counts].min()), float(chance[counts].max())))
    text = {"sample": pl.String, "group": pl.String}
    return Overlap(
        table=pl.DataFrame(rows, schema={**text, "low": pl.Float64, "high": pl.Float64, "share": pl.Float64}, orient="row"),
        ranges=pl.DataFrame(ranges, schema={**text, "lowest": pl.Float64, "highest": pl.Float64}, orient="row"),
        of=of, status=status,
        provenance=Provenance("overlap of propensity scores", (Choice("bins", BINS, "default"),), ("rosenbaum-rubin-1983",)),
    )  # fmt: skip
