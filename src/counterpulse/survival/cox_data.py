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
    """Rows sorted into risk sets, with covariates centered and scaled (by 1 where they are constant)."""

    rows: SortedRows
    sets: RiskSets
    design: Design
    center: Floats
    scale: Floats
    constant: Bools
    strata: tuple[str, ...]
    n_missing: int


def prepare(request: CoxRequest) -> CoxData:
    """Read the table into sorted, complete rows and a scaled design; the only matrix of its size is the design's."""
    clustered = with_column(request.table, "cluster", request.cluster)
    needed = [name for term in request.terms for name in variables_of(term)] + column_names(request.cluster, "cluster")
    follow_up = read_follow_up(
        clustered, time=request.time, event=request.event, start=request.start, weights=request.weights,
        groups=request.strata, also_complete=needed,
    )  # fmt: skip
    rows, order = sort_rows(follow_up)
    design = build_design(request.table, request.terms, intercept=False, rows=follow_up.rows[order])
    center, scale = center_and_scale(design.X) if len(order) else _unscaled(design)
    return CoxData(
        rows=rows, sets=make_risk_sets(rows), design=design, center=center,
        scale=np.where(scale > 0, scale, 1.0), constant=scale == 0, strata=follow_up.labels, n_missing=follow_up.n_missing,
    )  # fmt: skip


def _unscaled(design: Design) -> tuple[Floats, Floats]:
    p = len(design.columns)
    return np.zeros(p), np.ones(p)


def clusters_of(request: CoxRequest, rows: Indices) -> tuple[Indices | None, int]:
    """Codes of the clusters of these rows of the table, shape (n,), and their number; None without clusters."""
    names = column_names(request.cluster, "cluster")
    if not names:
        return None, 0
    table = with_column(request.table, "cluster", request.cluster).select(names)
    labels = table[names[0]] if len(names) == 1 else table.select(pl.struct(names)).to_series()
    codes = labels.gather(rows).rank("dense").cast(pl.Int64).to_numpy() - 1
    return codes, int(codes.max(initial=-1)) + 1
