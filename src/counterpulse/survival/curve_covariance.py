"""Robust covariance of what is read off Kaplan-Meier curves, also between groups that share clusters such as matched pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from counterpulse.survival.counted_rows import CountedRows, count_rows
from counterpulse.survival.cox_data import cluster_codes
from counterpulse.survival.follow_up import ColumnOrArray, Floats, Indices, column_names, read_follow_up, with_column
from counterpulse.survival.kaplan_meier_curves import KaplanMeier
from counterpulse.survival.survival_curve import SurvivalCurve

Influence = Callable[[CountedRows, SurvivalCurve, float], Floats]
"""Of each row of a group on a quantity of its curve at a time, shape (n,)."""


def curve_covariance(
    table: pl.DataFrame, curves: KaplanMeier, influence: Influence, at: float, *, time: str, event: str, by: ColumnOrArray,
    start: str | None, weights: ColumnOrArray | None, cluster: ColumnOrArray | None,
) -> Floats | None:  # fmt: skip
    """The infinitesimal jackknife, by row or by cluster, of one quantity of every curve.

    Parameters
    ----------
    curves : as estimated from the same columns
    influence : `influence_on_survival` or `influence_on_restricted_mean`
    at : the time it is taken at

    Returns
    -------
    NDArray or None : shape (groups, groups); None where rows, or people that weights count, are independent and Greenwood's
        variance holds
    """
    if all(curve.counted for curve in curves):
        return None
    follow_up = read_follow_up(
        with_column(table, "cluster", cluster), time=time, event=event, start=start, weights=weights, groups=by,
        also_complete=column_names(cluster, "cluster"),
    )  # fmt: skip
    codes, _ = cluster_codes(table, cluster, follow_up.rows)
    codes = np.arange(len(follow_up.time)) if codes is None else codes
    rows = count_rows(follow_up, clusters=codes)
    sums = np.zeros((int(codes.max(initial=-1)) + 1, len(curves.curves)))
    for group, curve in enumerate(curves):
        own = rows.at(np.flatnonzero(rows.groups == group))
        clusters = codes if own.clusters is None else own.clusters
        sums[:, group] = np.bincount(clusters, weights=influence(own, curve, at), minlength=len(sums))
    covariance: Floats = sums.T @ sums
    return covariance


def influence_on_survival(rows: CountedRows, curve: SurvivalCurve, time: float) -> Floats:
    """Of each row on S(t): S(t) times its weight times c(min(t, end)) - c(start), less 1/(Y - d) at an own event up to t."""
    i = curve.position(time)
    if i < 0 or curve.survival[i] == 0:
        return np.zeros(len(rows.time))
    path = _paths(rows, curve)
    level = np.where(path.end <= i + 1, path.after, path.sums[i + 1]) - path.before
    return np.where(path.begin <= i + 1, curve.survival[i] * path.weights * level, 0.0)


def influence_on_restricted_mean(rows: CountedRows, curve: SurvivalCurve, tau: float) -> Floats:
    """Of each row on the area under the curve up to `tau`: the integral of its influence on S.

    Between the last distinct time before a late entry and the entry c does not move, so the integral may begin there.
    """
    path = _paths(rows, curve)
    knots = np.minimum(np.concatenate(([0.0], curve.time, [np.inf])), tau)
    areas = np.diff(knots) * np.concatenate(([1.0], curve.survival))
    area, moved = (np.concatenate(([0.0], np.cumsum(part))) for part in (areas, areas * path.sums))
    begin, end = path.begin, path.end
    while_followed = moved[end] - moved[begin] - path.before * (area[end] - area[begin])
    afterwards = (path.after - path.before) * (area[-1] - area[end])
    influence: Floats = path.weights * (while_followed + afterwards)
    return influence


@dataclass(frozen=True, slots=True)
class _Paths:
    """How Greenwood's sum c moves while each row is followed.

    Attributes
    ----------
    sums : c before the first distinct time and at each, shape (k + 1,)
    begin, end : of each row, how many distinct times there are up to its start, and up to its end; shape (n,)
    before, after : of each row, c at its start, and at its end with what its own event takes away; shape (n,)
    weights : shape (n,)
    """

    sums: Floats
    begin: Indices
    end: Indices
    before: Floats
    after: Floats
    weights: Floats


def _paths(rows: CountedRows, curve: SurvivalCurve) -> _Paths:
    left, died = curve.at_risk - curve.events, (curve.events > 0) & (curve.survival > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(died, curve.events / (curve.at_risk * left), 0.0)
        gone = np.where(died, 1 / left, 0.0)
    sums = np.concatenate(([0.0], np.cumsum(steps)))
    end = np.searchsorted(curve.time, rows.time) + 1
    begin = np.zeros_like(end) if rows.start is None else np.searchsorted(curve.time, rows.start, side="right")
    return _Paths(
        sums=sums, begin=begin, end=end, before=sums[begin], after=sums[end] - np.where(rows.event, gone[end - 1], 0.0),
        weights=np.ones(len(end)) if rows.weights is None else rows.weights,
    )  # fmt: skip
