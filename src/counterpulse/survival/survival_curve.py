"""The product-limit curve of one group, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np

from counterpulse.numerics.distributions import critical_value
from counterpulse.results.coefficients import TOO_FEW
from counterpulse.results.estimate import At, Estimate, Interval
from counterpulse.results.status import Status
from counterpulse.survival.counted_rows import CountedRows
from counterpulse.survival.curve_interval import CurveInterval, curve_interval
from counterpulse.survival.follow_up import Floats, Indices
from counterpulse.survival.risk_sets import segmented_cumsum

EXACT = 2.0**-26
"""A curve this close to the level of a quantile lies on it: 0.5 reached by rounding is 0.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """The Kaplan-Meier curve of one group at its distinct times of event or censoring, shape (k,).

    Attributes
    ----------
    group : label
    n, n_events : rows and events
    person_time : total time at risk
    time, at_risk, events, censored : at_risk counts those followed at least to the time; weighted where rows are
    survival : S(t), just after the time
    variance : of log S(t) (Greenwood's sum), or of S(t) over S(t)^2 with clusters or weights that are not whole numbers
    uncertainty : why there is no standard error, or OK
    counted : whether weights are numbers of people, and rows independent
    std_error : of S(t)
    low, high : pointwise interval of S(t)
    """

    group: str
    n: int
    n_events: int
    person_time: float
    time: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    survival: Floats
    variance: Floats
    std_error: Floats
    low: Floats
    high: Floats
    interval: CurveInterval
    level: float
    end_of_follow_up: float
    counted: bool = True
    uncertainty: Status = Status.OK

    def position(self, time: float) -> int:
        """Index of the last distinct time at or before `time`, -1 before the first."""
        return int(np.searchsorted(self.time, time, side="right")) - 1

    def at(self, time: float) -> Estimate:
        """S(t) with its pointwise interval; there is none before the first event and after the last patient's, when there is no variance."""
        i = self.position(time)
        base = {"term": self.group, "measure": "survival", "at": At(time)}
        if self.n == 0:
            return Estimate(**base, value=nan, status=Status.EMPTY_GROUP)  # type: ignore[arg-type]
        if time > self.end_of_follow_up and self.survival[-1] > 0:
            return Estimate(**base, value=nan, status=Status.BEYOND_FOLLOW_UP)  # type: ignore[arg-type]
        value, error, low, high = (1.0, 0.0, 1.0, 1.0) if i < 0 else self._row(i)
        if self.uncertainty is not Status.OK:
            return Estimate(**base, value=value, status=self.uncertainty)  # type: ignore[arg-type]
        return Estimate(
            term=self.group, measure="survival", at=At(time), value=value, std_error=error,
            interval=Interval(low, high, self.level, self.interval) if error > 0 else None,
        )  # fmt: skip

    def _row(self, i: int) -> tuple[float, float, float, float]:
        return float(self.survival[i]), float(self.std_error[i]), float(self.low[i]), float(self.high[i])

    def quantile(self, p: float) -> Estimate:
        """The time by which a part `p` has had the event; its interval inverts the pointwise limits of the curve.

        A curve that runs exactly at 1 - p gives the middle of that stretch (Brookmeyer and Crowley 1982).
        """
        value = self._crossing(self.survival, p)
        low, high = self._crossing(self.low, p), self._crossing(self.high, p)
        measure = "median survival time" if p == 0.5 else f"survival time quantile {p:g}"
        status = Status.EMPTY_GROUP if self.n == 0 else self.uncertainty if isfinite(value) else Status.NOT_REACHED
        known = self.n > 0 and self.uncertainty is Status.OK
        return Estimate(
            term=self.group, measure=measure, value=value, status=status,
            interval=Interval(low, high, self.level, self.interval) if known else None,
        )  # fmt: skip

    def _crossing(self, curve: Floats, p: float) -> float:
        below = np.flatnonzero(curve <= 1 - p + EXACT)
        if not len(below):
            return nan
        i = int(below[0])
        if curve[i] < 1 - p - EXACT:
            return float(self.time[i])
        lower = np.flatnonzero(curve < curve[i] - EXACT)
        return float(self.time[i] + self.time[lower[0] if len(lower) else -1]) / 2

    def restricted_mean(self, tau: float) -> Estimate:
        """Mean time lived within `tau`: the area under the curve, with the Greenwood plug-in variance.

        Clusters, and weights that are not whole numbers, give the mean without a standard error.
        """
        base = {"term": self.group, "measure": "restricted mean survival time", "at": At(tau)}
        if self.n == 0:
            return Estimate(**base, value=nan, status=Status.EMPTY_GROUP)  # type: ignore[arg-type]
        if tau > self.end_of_follow_up and self.survival[-1] > 0:
            return Estimate(**base, value=nan, status=Status.BEYOND_FOLLOW_UP)  # type: ignore[arg-type]
        until = int(np.searchsorted(self.time, tau, side="right"))
        knots = np.concatenate(([0.0], self.time[:until], [tau]))
        areas = np.diff(knots) * np.concatenate(([1.0], self.survival[:until]))
        later = np.cumsum(areas[::-1])[::-1][1:]
        mean = float(areas.sum())
        if not self.counted:
            return Estimate(**base, value=mean)  # type: ignore[arg-type]
        with np.errstate(invalid="ignore"):
            steps = np.diff(self.variance[:until], prepend=0.0)
        error = float(np.sqrt(np.sum(later**2 * np.where(later > 0, steps, 0.0))))
        reach = critical_value(self.level) * error
        return Estimate(
            term=self.group, measure="restricted mean survival time", at=At(tau), value=mean, std_error=error,
            interval=Interval(mean - reach, mean + reach, self.level, "plain") if error > 0 else None,
        )  # fmt: skip

    def numbers_at_risk(self, times: Floats) -> tuple[Floats, Floats, Floats]:
        """Those still followed at each time, and the events and censorings up to it; each of the shape of `times`."""
        start = np.searchsorted(self.time, times, side="left")
        upto = np.searchsorted(self.time, times, side="right")
        events = np.concatenate(([0.0], np.cumsum(self.events)))[upto]
        censored = np.concatenate(([0.0], np.cumsum(self.censored)))[upto]
        return np.append(self.at_risk, 0.0)[start], events, censored


def survival_curve(rows: CountedRows, *, group: str, interval: CurveInterval, level: float) -> SurvivalCurve:
    """Estimate the curve from the rows of a group.

    With whole-number weights a row counts as that many people; with others, and with clusters, the variance is the
    infinitesimal jackknife.
    """
    time, event, start, count = rows.time, rows.event, rows.start, rows.count
    weights = count if rows.weights is None else rows.weights
    first = np.flatnonzero(np.diff(time, prepend=-1.0) != 0) if len(time) else np.zeros(0, dtype=np.intp)
    counted = rows.clusters is None and (weights is None or bool(np.all(weights == np.floor(weights))))
    few = rows.clusters is not None and 0 < len(np.unique(rows.clusters)) < TOO_FEW
    died = event.astype(np.float64) if weights is None else event * weights
    left = np.ones(len(time)) if weights is None else weights
    events = np.add.reduceat(died, first) if len(first) else died
    leaving = np.add.reduceat(left, first) if len(first) else left
    at_risk = np.cumsum(leaving[::-1])[::-1].copy()
    distinct = time[first]
    if start is not None:
        at_risk -= _not_yet(start, left, distinct)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival: Floats = np.cumprod(np.where(events > 0, (at_risk - events) / at_risk, 1.0), dtype=np.float64)
        survival[np.minimum.accumulate(np.where(events >= at_risk * (1 - 1e-14), 0.0, 1.0)) == 0] = 0.0
        hazard_variance = np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0)
        variance = np.cumsum(hazard_variance)
        if not counted:
            variance = (
                np.full_like(variance, nan) if few else _jackknife(rows, left, variance, at_risk - events, distinct)
            )
        error = survival * np.sqrt(variance)
    low, high = curve_interval(survival, error, kind=interval, level=level)
    return SurvivalCurve(
        group=group, n=len(time) if count is None else int(count.sum()),
        n_events=int(event.sum() if count is None else count[event].sum()), person_time=float(
            left @ time if start is None else left @ (time - start)
        ),
        time=distinct, at_risk=at_risk, events=events, censored=leaving - events, survival=survival,
        variance=variance, std_error=error, low=low, high=high, interval=interval, level=level,
        end_of_follow_up=float(time[-1]) if len(time) else nan, counted=counted,
        uncertainty=Status.FEW_CLUSTERS if few else Status.OK,
    )  # fmt: skip


def _not_yet(start: Floats, weight: Floats, times: Floats) -> Floats:
    """Weight of the rows whose observation begins at or after each time."""
    order = np.argsort(start, kind="stable")
    total = np.concatenate((np.cumsum(weight[order][::-1])[::-1], [0.0]))
    return total[np.searchsorted(start[order], times, side="left")]


def _jackknife(rows: CountedRows, weights: Floats, greenwood: Floats, survivors: Floats, distinct: Floats) -> Floats:
    """Sum over clusters of the squared influence on log S(t) at every distinct time; every row its own cluster if None.

    The influence of a row is 0 before it starts, c(t) - c(start) while it is followed, c being Greenwood's sum, and then what
    it was at the end, less 1/(n - d) at an own event. So that of a cluster is a + b c(t) with a and b that change only when
    one of its rows starts or ends.
    """
    n = len(rows.time)
    own = np.searchsorted(distinct, rows.time)
    begin = np.zeros(n, dtype=np.intp) if rows.start is None else np.searchsorted(distinct, rows.start, side="right")
    c_start = np.append(0.0, greenwood)[begin]
    with np.errstate(divide="ignore", invalid="ignore"):
        c_end = greenwood[own] - np.where(rows.event, 1 / survivors[own], 0.0)
    c_end = np.where(np.isfinite(c_end), c_end, 0.0)
    codes = np.arange(n) if rows.clusters is None else rows.clusters
    cluster = np.concatenate((codes, codes))
    at = np.concatenate((begin, own))
    order = np.lexsort((at, cluster))
    first = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    a = segmented_cumsum(np.concatenate((-weights * c_start, weights * c_end))[order], first)
    b = segmented_cumsum(np.concatenate((weights, -weights))[order], first)
    k = len(distinct)
    constant, linear, square = (
        np.cumsum(np.bincount(at[order], weights=_steps(values, first), minlength=k + 1)[:k]) for values in (a * a, a * b, b * b)
    )  # fmt: skip
    total: Floats = constant + 2 * greenwood * linear + greenwood**2 * square
    return total


def _steps(values: Floats, first: Indices) -> Floats:
    """Differences of the values of one cluster after the other, each from 0."""
    steps = np.diff(values, prepend=0.0)
    steps[first] = values[first]
    return steps
