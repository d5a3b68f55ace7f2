"""What a Cox model is asked, and the table as the sorted arrays it works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from counterpulse.data.design import Design, build_design
from counterpulse.data.terms import Term, variables_of
from counterpulse.numerics.linear_algebra import center_and_scale
from counterpulse.survival.follow_up import (
    Bools,
    ColumnOrArray,
    Floats,
    Indices,
    column_names,
    read_follow_up,
    with_column,
)
from counterpulse.survival.risk_sets import RiskSets, SortedRows, make_risk_sets, sort_rows

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxRequest:
    """What was asked: the table and the columns of the model."""

    table: pl.DataFrame
    time: str
    event: str
    terms: tuple[Term, ...]
    start: str | None
    ties: Ties
    strata: ColumnOrArray | None
    weights: ColumnOrArray | None
    cluster: ColumnOrArray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxData:
    """Rows sorted into risk sets, with covariates centered and scaled (by 1 where they are constant).

    `clusters` holds the code of the cluster of each sorted row, or None.
    """

    rows: SortedRows
    sets: RiskSets
    design: Design
    center: Floats
    scale: Floats
    constant: Bools
    strata: tuple[str, ...]
    clusters: Indices | None
    n_clusters: int
    n_missing: int


def prepare(request: CoxRequest) -> CoxData:
    """Read the table into sorted, complete rows and a scaled design; the only matrix of its size is the design's.

    What needs much memory for a moment comes before that matrix.
    """
    rows, used, strata, n_missing = _sorted_rows(request)
    sets = make_risk_sets(rows)
    clusters, n_clusters = cluster_codes(request.table, request.cluster, used)
    design = build_design(request.table, request.terms, intercept=False, rows=used)
    center, scale = center_and_scale(design.X) if sets.n else _unscaled(design)
    return CoxData(
        rows=rows, sets=sets, design=design, center=center, scale=np.where(scale > 0, scale, 1.0),
        constant=scale == 0, strata=strata, clusters=clusters, n_clusters=n_clusters, n_missing=n_missing,
    )  # fmt: skip


def _sorted_rows(request: CoxRequest) -> tuple[SortedRows, Indices, tuple[str, ...], int]:
    """Sorted rows, their indices into the table, labels of the strata, and how many rows are left out."""
    clustered = with_column(request.table, "cluster", request.cluster)
    needed = [name for term in request.terms for name in variables_of(term)] + column_names(request.cluster, "cluster")
    follow_up = read_follow_up(
        clustered, time=request.time, event=request.event, start=request.start, weights=request.weights,
        groups=request.strata, also_complete=needed,
    )  # fmt: skip
    rows, order = sort_rows(follow_up)
    return rows, follow_up.rows[order], follow_up.labels, follow_up.n_missing


def _unscaled(design: Design) -> tuple[Floats, Floats]:
    p = len(design.columns)
    return np.zeros(p), np.ones(p)


def cluster_codes(table: pl.DataFrame, cluster: ColumnOrArray | None, rows: Indices) -> tuple[Indices | None, int]:
    """Codes of the clusters of these rows of the table, shape (n,), and their number; None without clusters."""
    names = column_names(cluster, "cluster")
    if not names:
        return None, 0
    table = with_column(table, "cluster", cluster).select(names)
    labels = (table[names[0]] if len(names) == 1 else table.select(pl.struct(names)).to_series()).gather(rows)
    if labels.dtype.is_numeric():
        distinct = labels.unique().sort()
        return np.searchsorted(distinct.to_numpy(), labels.to_numpy()), len(distinct)
    codes = (labels.rank("dense") - 1).cast(pl.Int64).to_numpy()
    return codes, int(codes.max(initial=-1)) + 1
