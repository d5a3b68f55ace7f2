"""The log-rank test and its relatives."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.survival.counted_rows import CountedRows, count_rows
from counterpulse.survival.curve_test import CurveTest, quadratic_form, status_of_test
from counterpulse.survival.follow_up import (
    ColumnOrArray,
    Floats,
    Indices,
    column_names,
    group_codes,
    read_follow_up,
    with_column,
)
from counterpulse.survival.risk_sets import segmented_cumsum


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRankTest(CurveTest):
    """A test that the hazards of all groups are equal."""


def log_rank(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    by: ColumnOrArray,
    rho: float = 0,
    strata: ColumnOrArray | None = None,
    weights: ColumnOrArray | None = None,
) -> LogRankTest:
    """Compare survival between groups.

    Parameters
    ----------
    table : one row a patient
    time, event : end of follow-up, and whether it is the event (yes/no, 0/1, or 1/2 where 2 is the event)
    by : column(s) or array of the group
    rho : weight of a time is S(t-) to this power: 0 log-rank, 1 Peto and Peto's test
    strata : column(s) or array; the comparison is made within strata
    weights : column or array of weights that balance the groups (of inverse probability, say): the adjusted log-rank test.
        Weights of one are the log-rank test itself; a weight does not count as so many patients

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, negative rho or weights

    Notes
    -----
    With weights the variance is that of drawing who has the event from those at risk, given the weights: with
    p the weighted part of group 1 at risk, d (Y - d) / (Y (Y - 1)) times the sum over those at risk of (w (1[group 1] - p))^2.
    The weights are taken as known.

    References
    ----------
    Mantel 1966; Harrington and Fleming 1982 (doi:10.1093/biomet/69.3.553); Xie and Liu 2005 (doi:10.1002/sim.2174)
    """
    if rho < 0:
        raise InputError("rho is not negative: 0 for the log-rank test, 1 for Peto and Peto's")
    table = with_column(table, "strata", strata)
    also = column_names(strata, "strata")
    follow_up = read_follow_up(table, time=time, event=event, groups=by, weights=weights, also_complete=also)
    stratum = group_codes(table, also, follow_up.rows)[0] if also else None
    if follow_up.groups is None:
        raise InputError("'by' names the column of the groups to compare")
    k = len(follow_up.labels)
    observed, expected, covariance = _compare(count_rows(follow_up, stratum), k, float(rho))
    statistic, df = quadratic_form(observed - expected, covariance)
    status = status_of_test(k, int(follow_up.event.sum()), rows=len(follow_up.rows), statistic=statistic)
    return LogRankTest(
        groups=follow_up.labels, n=tuple(np.bincount(follow_up.groups, minlength=k).tolist()),
        observed=tuple(observed.tolist()), expected=tuple(expected.tolist()), covariance=covariance,
        statistic=statistic if status is Status.OK else nan, statistic_name="chi-squared", df=float(df),
        p_value=chi_squared_tail(statistic, df) if status is Status.OK else nan, rho=float(rho),
        n_missing=follow_up.n_missing, status=status,
        provenance=_provenance(float(rho), weighted=weights is not None),
    )  # fmt: skip


def _provenance(rho: float, *, weighted: bool) -> Provenance:
    method = "log-rank test" if rho == 0 else "Harrington-Fleming test"
    return Provenance(
        method=f"adjusted {method}" if weighted else method,
        choices=(Choice("rho", rho, "default" if rho == 0 else "given", "harrington-fleming-1982"),),
        citations=(
            "mantel-1966" if rho == 0 else "harrington-fleming-1982", *(("xie-liu-2005",) if weighted else ())
        ),
    )  # fmt: skip


def _compare(rows: CountedRows, k: int, rho: float) -> tuple[Floats, Floats, Floats]:
    """Sum observed and expected events and the hypergeometric covariance of k groups over times within strata."""
    if rows.strata is not None:
        rows = rows.at(np.argsort(rows.strata, kind="stable"))
    time, group, stratum = rows.time, rows.groups, rows.strata
    n = len(time)
    change = np.diff(time, prepend=-1.0) != 0
    strata = np.zeros(min(n, 1), dtype=np.intp)
    if stratum is not None:
        border = np.diff(stratum, prepend=-1) != 0
        change |= border
        strata = np.flatnonzero(border)
    first = np.flatnonzero(change)
    events = np.flatnonzero(rows.event)
    block = np.cumsum(change) - 1
    has_event = np.bincount(block[events], minlength=len(first)) > 0
    begin, m = first[has_event], int(has_event.sum())
    cell = (np.cumsum(has_event) - 1)[block[events]] * k + group[events]
    stop = np.append(strata[1:], n)[np.searchsorted(strata, begin, side="right") - 1]

    def over_risk_sets(values: Floats | None) -> Floats:
        sums = np.empty((m, k))
        for g in range(k):
            sums[:, g] = _between(group == g, values, begin, stop)
        return sums

    def over_events(values: Floats | None) -> Floats:
        some = None if values is None else values[events]
        return np.bincount(cell, weights=some, minlength=m * k).reshape(m, k).astype(np.float64)

    at_risk, died = over_risk_sets(rows.count), over_events(rows.count)
    total, deaths = at_risk.sum(axis=1), died.sum(axis=1)
    squares = at_risk
    if rows.weights is not None:
        at_risk, died, squares = (
            over_risk_sets(rows.weights), over_events(rows.weights), over_risk_sets(rows.weights**2)
        )  # fmt: skip
    weighted_deaths = died.sum(axis=1)
    weight = _weights(at_risk.sum(axis=1), weighted_deaths, np.searchsorted(begin, strata), rho)
    part = at_risk / at_risk.sum(axis=1)[:, None]
    expected = weight @ (weighted_deaths[:, None] * part)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(total > 1, weight**2 * deaths * (total - deaths) / (total * (total - 1)), 0.0)
    return weight @ died, expected, _covariance(part, squares, spread)


def _between(
    members: np.ndarray[tuple[int], np.dtype[np.bool_]], values: Floats | None, begin: Indices, stop: Indices
) -> Floats:
    """Sum values of a group's rows (or count them) from `begin` to before `stop`."""
    before = np.concatenate(([0.0], np.cumsum(members if values is None else members * values)))
    sums: Floats = before[stop] - before[begin]
    return sums


def _covariance(part: Floats, squares: Floats, spread: Floats) -> Floats:
    """Sum over times of spread times the sum over those at risk of v v', v being w times ([group = g] - part), all g."""
    cross = (part * spread[:, None]).T @ squares
    whole = (part * (spread * squares.sum(axis=1))[:, None]).T @ part
    covariance: Floats = np.diag(spread @ squares) - cross - cross.T + whole
    return covariance


def _weights(total: Floats, deaths: Floats, strata: Indices, rho: float) -> Floats:
    """S(t-) ** rho with the pooled curve of each stratum."""
    if rho == 0 or not len(total):
        return np.ones(len(total))
    with np.errstate(divide="ignore"):
        fall = np.log1p(-deaths / total)
    starts = np.unique(strata[strata < len(total)])
    before = np.zeros(len(total))
    before[1:] = segmented_cumsum(fall, starts)[:-1]
    before[starts] = 0.0
    weights: Floats = np.exp(rho * before)
    return weights
