"""The Kaplan-Meier estimate of survival, by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.counted_rows import count_rows
from counterpulse.survival.cox_data import cluster_codes
from counterpulse.survival.curve_interval import INTERVALS, CurveInterval
from counterpulse.survival.follow_up import (
    ColumnOrArray,
    FollowUp,
    Indices,
    column_names,
    read_follow_up,
    with_column,
)
from counterpulse.survival.survival_curve import SurvivalCurve, survival_curve

EVERYBODY = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class KaplanMeier:
    """Survival curves, one a group, in the order of the levels."""

    curves: tuple[SurvivalCurve, ...]
    by: str | None
    n_missing: int
    status: Status
    provenance: Provenance

    def __iter__(self) -> Iterator[SurvivalCurve]:
        return iter(self.curves)

    def curve(self, group: str) -> SurvivalCurve:
        """Find the curve of a group by its label."""
        for curve in self.curves:
            if curve.group == group:
                return curve
        raise InputError(f"there is no group '{group}'; there are {', '.join(curve.group for curve in self.curves)}")

    def at(self, times: float | Sequence[float]) -> tuple[Estimate, ...]:
        """S(t) of every group at each time, with its interval."""
        wanted = [times] if isinstance(times, (int, float)) else times
        return tuple(curve.at(float(time)) for curve in self.curves for time in wanted)

    def quantile(self, p: float = 0.5) -> tuple[Estimate, ...]:
        """The time by which a part `p` of each group has had the event (the median by default)."""
        if not 0 < p < 1:
            raise InputError("a quantile lies between 0 and 1, such as 0.5 for the median")
        return tuple(curve.quantile(p) for curve in self.curves)

    def restricted_mean(self, tau: float) -> tuple[Estimate, ...]:
        """Mean time lived within `tau`, by group."""
        return tuple(curve.restricted_mean(tau) for curve in self.curves)

    def numbers_at_risk(self, times: Sequence[float]) -> dict[str, list[str | float]]:
        """Columns of a "numbers-at-risk" block: group, time, at risk, events and censorings so far."""
        at = np.asarray(times, dtype=np.float64)
        columns: dict[str, list[str | float]] = {
            name: [] for name in ("group", "time", "at_risk", "cumulative_events", "cumulative_censored")
        }
        for curve in self.curves:
            columns["group"] += [curve.group] * len(at)
            for name, values in zip(list(columns)[1:], (at, *curve.numbers_at_risk(at)), strict=True):
                columns[name] += values.tolist()
        return columns

    def curve_columns(self) -> dict[str, list[str | float | None]]:
        """Columns of a "survival-curve" block; what is undefined is None."""
        frame = self._frame()
        return {name: frame[name].to_list() for name in frame.columns}

    def estimates(self) -> tuple[Estimate, ...]:
        """The median of every group."""
        return self.quantile(0.5)

    def tidy(self) -> pl.DataFrame:
        """One row a group: the median survival time."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row a group: counts and person-time."""
        return pl.DataFrame(
            {
                "group": [curve.group for curve in self.curves],
                "n": [curve.n for curve in self.curves],
                "events": [curve.n_events for curve in self.curves],
                "person_time": [curve.person_time for curve in self.curves],
                "n_missing": [self.n_missing] * len(self.curves),
            }
        )

    def _frame(self) -> pl.DataFrame:
        names = (
            ("time", "time"), ("estimate", "survival"), ("conf_low", "low"), ("conf_high", "high"),
            ("std_error", "std_error"), ("at_risk", "at_risk"), ("events", "events"), ("censored", "censored"),
        )  # fmt: skip
        columns = {
            name: np.concatenate([getattr(curve, source) for curve in self.curves] or [np.zeros(0)])
            for name, source in names
        }
        groups = [curve.group for curve in self.curves for _ in range(len(curve.time))]
        frame = pl.DataFrame({"group": pl.Series(groups, dtype=pl.String), **columns})
        return frame.with_columns(pl.when(pl.col(pl.Float64).is_finite()).then(pl.col(pl.Float64)))


def kaplan_meier(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    by: ColumnOrArray | None = None,
    interval: CurveInterval = "log",
    weights: ColumnOrArray | None = None,
    cluster: ColumnOrArray | None = None,
    start: str | None = None,
    level: float = 0.95,
) -> KaplanMeier:
    """Estimate survival curves by the product-limit method.

    Parameters
    ----------
    table : one row a patient (or an interval at risk, with `start`)
    time, event : end of follow-up, and whether it is the event (yes/no, 0/1, or 1/2 where 2 is the event)
    by : column(s) or array of the group
    interval : scale of the pointwise intervals
    weights : column or array; whole numbers count people, others are weights with a jackknife variance
    cluster : column(s) or array of what holds rows that belong together (a matched pair, the intervals of a patient): robust
        variance, the infinitesimal jackknife by cluster, also of weights that are whole numbers
    start : begin of observation, for late entry
    level : of intervals

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, an unknown interval

    Notes
    -----
    Assumes censoring independent of the event within a group. Someone censored at a time of death is at risk at it. A robust
    variance takes the weights as known, and needs 10 clusters in a group.

    References
    ----------
    Kaplan and Meier 1958 (doi:10.1080/01621459.1958.10501452); variance: Greenwood 1926; weighted: Xie and Liu 2005
    (doi:10.1002/sim.2174)
    """
    check_interval(interval, level)
    follow_up = read_follow_up(
        with_column(table, "cluster", cluster), time=time, event=event, start=start, weights=weights, groups=by,
        also_complete=column_names(cluster, "cluster"),
    )  # fmt: skip
    clusters, _ = cluster_codes(table, cluster, follow_up.rows)
    curves = tuple(curves_of(follow_up, interval=interval, level=level, clusters=clusters))
    status = Status.OK if len(follow_up.time) else Status.NO_ROWS
    if status is Status.OK and not follow_up.event.any():
        status = Status.NO_EVENTS
    return KaplanMeier(
        curves=curves, by=by if isinstance(by, str) else None, n_missing=follow_up.n_missing, status=status,
        provenance=Provenance(
            method="Kaplan-Meier estimate",
            choices=(
                Choice("interval", interval, "default" if interval == "log" else "given", "borgan-liestol-1990"),
                *(() if cluster is None else (Choice("variance", "robust", "derived"),)),
            ),
            citations=(
                "kaplan-meier-1958", "greenwood-1926", "brookmeyer-crowley-1982", *(("xie-liu-2005",) if weights is not None else ()),
            ),
        ),
    )  # fmt: skip


def check_interval(interval: str, level: float) -> None:
    """Refuse an unknown kind of interval and an impossible level."""
    if interval not in INTERVALS:
        raise InputError(f"interval={interval!r} is not known; use {', '.join(INTERVALS)}")
    if not 0 < level < 1:
        raise InputError("'level' lies between 0 and 1, such as 0.95")


def curves_of(
    follow_up: FollowUp, *, interval: CurveInterval, level: float, clusters: Indices | None = None
) -> Iterator[SurvivalCurve]:
    """The curve of each group; one sort serves all groups. `clusters` are codes of the rows, shape (n,)."""
    rows = count_rows(follow_up, clusters=clusters)
    for code, label in enumerate(follow_up.labels or (EVERYBODY,)):
        own = rows if follow_up.groups is None else rows.at(np.flatnonzero(rows.groups == code))
        yield survival_curve(own, group=label, interval=interval, level=level)
