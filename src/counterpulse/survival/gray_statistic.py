"""Gray's test that the cumulative incidences of one cause are equal between groups.

Every group k has its Kaplan-Meier curve S of being free of every cause, its Aalen-Johansen curve F of the cause, and Y at
risk. The subdistribution hazard is estimated by dN / R with R = Y (1 - F(t-)) / S(t-): R patients would be at risk if those
whom another cause took had stayed. The score of a group is the sum of L (dN_k - R_k dN. / R.), with the weight
L = (1 - F0(t-)) ** rho of the pooled curve F0. Its variance counts what every patient's fate changes in dN, in F and in S,
through the martingales of the cause and of the others. docs/explanation/gray-test.md derives it, ties included.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.survival.causes import CODES, OF_CAUSE, cause_position, read_causes
from counterpulse.survival.curve_test import CurveTest, quadratic_form, status_of_test
from counterpulse.survival.follow_up import (
    ColumnOrArray,
    Floats,
    Indices,
    column_names,
    group_codes,
    read_follow_up,
    time_order,
    with_column,
)

TIES_HELD = (
    "more events fall on one time than the patients at risk there are worth, so the variance of these ties is held at 0; R's cmprsk "
    "lets it be negative and differs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayTest(CurveTest):
    """A test that all groups have the same cumulative incidence of a cause.

    Attributes
    ----------
    cause : the cause that is compared
    expected : events if all groups had the pooled subdistribution hazard
    notes : `TIES_HELD`, where that is so
    """

    cause: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counts:
    """Rows of one stratum at its m distinct times of an event, by group; each of shape (m, k)."""

    at_risk: Floats
    events: Floats
    others: Floats


def gray_test(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    by: ColumnOrArray,
    cause: str | int | None = None,
    rho: float = 0,
    strata: ColumnOrArray | None = None,
) -> GrayTest:
    """Compare the cumulative incidence of one cause between groups while other causes can come before it.

    Parameters
    ----------
    table : one row a patient
    time : end of follow-up (numeric, not negative)
    event : what ended it: a category whose first level is censoring, or whole numbers of which 0 is censoring
    by : column(s) or array of the group
    cause : the level (or number) of the cause of interest; default the first after censoring
    rho : weight of a time is 1 - F(t-) to this power, F the pooled cumulative incidence
    strata : column(s) or array; the comparison is made within strata

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, an unknown cause, a negative rho

    Notes
    -----
    Unlike the log-rank test of the cause, which compares cause-specific hazards, this compares how many have had the cause:
    a group in which the competing cause is frequent has fewer. Assumes that censoring is independent of the causes within a
    group; its distribution may differ between groups. An event and a censoring at one time: the event came first.

    References
    ----------
    Gray 1988 (doi:10.1214/aos/1176350951)
    """
    if rho < 0:
        raise InputError("rho is not negative: 0 weights all times alike, 1 the early ones more")
    codes, named = read_causes(table, event)
    position = cause_position(named, cause)
    table = with_column(table, "strata", strata).with_columns(codes, pl.lit(value=False).alias(OF_CAUSE))
    also = column_names(strata, "strata")
    follow_up = read_follow_up(table, time=time, event=OF_CAUSE, groups=by, also_complete=[*also, CODES])
    if follow_up.groups is None:
        raise InputError("'by' names the column of the groups to compare")
    k = len(follow_up.labels)
    order, times, _ = time_order(follow_up)
    ended, groups = codes.to_numpy()[follow_up.rows].astype(np.intp)[order], follow_up.groups[order]
    kinds = np.where(ended == 0, 0, np.where(ended == position, 1, 2))
    stratum = group_codes(table, also, follow_up.rows)[0][order] if also else np.zeros(len(times), dtype=np.intp)
    observed, expected, covariance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    held = False
    for code in np.unique(stratum):
        own = stratum == code
        parts = _compare(_count(times[own], kinds[own], groups[own], k), float(rho))
        held |= parts[3]
        observed, expected, covariance = observed + parts[0], expected + parts[1], covariance + parts[2]
    statistic, df = quadratic_form(observed - expected, covariance)
    status = status_of_test(k, int((kinds == 1).sum()), rows=len(times), statistic=statistic)
    return GrayTest(
        groups=follow_up.labels, n=tuple(np.bincount(groups, minlength=k).tolist()),
        observed=tuple(observed.tolist()), expected=tuple(expected.tolist()), covariance=covariance,
        statistic=statistic if status is Status.OK else nan, statistic_name="chi-squared", df=float(df),
        p_value=chi_squared_tail(statistic, df) if status is Status.OK else nan, rho=float(rho),
        n_missing=follow_up.n_missing, status=status, cause=named[position - 1],
        notes=(TIES_HELD,) if held else (),
        provenance=Provenance(
            method="Gray's test",
            choices=(Choice("rho", float(rho), "default" if rho == 0 else "given", "gray-1988"),),
            citations=("gray-1988",),
        ),
    )  # fmt: skip


def _count(time: Floats, kind: Indices, group: Indices, k: int) -> _Counts:
    """Count rows in rising time: 0 censored, 1 the cause of interest, 2 another."""
    moments = np.unique(time[kind > 0])
    m = len(moments)
    passed = np.searchsorted(moments, time, side="right")

    def tally(rows: Indices | slice) -> Floats:
        cells = passed[rows] * k + group[rows]
        counts: Floats = np.bincount(cells, minlength=(m + 1) * k).astype(np.float64)
        return counts.reshape(m + 1, k)[1:]

    followed = np.cumsum(tally(slice(None))[::-1], axis=0)[::-1]
    return _Counts(followed, tally(np.flatnonzero(kind == 1)), tally(np.flatnonzero(kind == 2)))


def _compare(counts: _Counts, rho: float) -> tuple[Floats, Floats, Floats, bool]:
    """Weighted observed and expected events of each group, the covariance of their difference, and whether ties were held."""
    at_risk, events, others = counts.at_risk, counts.events, counts.others
    there = at_risk > 0
    people = np.where(there, at_risk, 1.0)
    free = np.where(there, 1 - (events + others) / people, 1.0).cumprod(axis=0)
    free_before = _before(free, 1.0)
    incidence_before = _before((free_before * events / people).cumsum(axis=0), 0.0)
    uncensored = np.divide(at_risk, free_before, out=np.zeros_like(at_risk), where=there)
    risk_set = uncensored * (1 - incidence_before)
    all_events, everybody = events.sum(axis=1), uncensored.sum(axis=1)
    rise = all_events / everybody
    pooled = np.minimum(np.cumsum(rise), 1.0)
    pooled_before = _before(pooled, 0.0)
    weight = (1 - pooled_before) ** rho
    expected = (weight * all_events / risk_set.sum(axis=1)) @ risk_set
    hazard = np.divide(rise, 1 - pooled_before, out=np.zeros_like(rise), where=pooled_before < 1)
    part = uncensored / everybody[:, None]
    covariance, held = np.zeros((at_risk.shape[1], at_risk.shape[1])), False
    several = (all_events > 1) & (there.sum(axis=1) > 1)
    for r in range(at_risk.shape[1]):
        own = np.where(np.arange(part.shape[1]) == r, 1.0, 0.0) - part
        direct = own * (weight * uncensored[:, r])[:, None]
        later = _later(direct * hazard[:, None])
        ratio = np.divide(1 - pooled, free[:, r], out=np.zeros_like(pooled), where=free[:, r] > 0)
        of_event = direct + (1 - ratio)[:, None] * later
        of_other = -ratio[:, None] * later
        inverse = np.divide(1.0, uncensored[:, r], out=np.zeros_like(rise), where=there[:, r])
        people = everybody * free_before[:, r]
        held |= bool((several & there[:, r] & (people < all_events)).any())
        tied = _tied(all_events, people)
        covariance += of_event.T @ (of_event * (tied * rise * inverse)[:, None])
        tied = _tied(others[:, r], at_risk[:, r])
        covariance += of_other.T @ (of_other * (tied * others[:, r] * inverse**2)[:, None])
    return weight @ events, expected, covariance, held


def _before(values: Floats, start: float) -> Floats:
    """What a right-continuous function was just before each time."""
    return np.concatenate((np.full_like(values[:1], start), values[:-1]))


def _later(increments: Floats) -> Floats:
    """Sums of what comes after each time, along the first axis."""
    return np.cumsum(increments[::-1], axis=0)[::-1] - increments


def _tied(events: Floats, people: Floats) -> Floats:
    """Variance of drawing so many events at once, over that of drawing them one by one."""
    return np.divide(
        np.maximum(people - events, 0.0),
        people - 1,
        out=np.where(events > 1, 0.0, 1.0),
        where=(events > 1) & (people > 1),
    )
