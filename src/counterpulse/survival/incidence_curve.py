"""The Aalen-Johansen curves of one group, as arrays: what happened to whom by when, where several things can happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import Literal

import numpy as np

from counterpulse.results.estimate import At, Estimate, Interval
from counterpulse.results.status import Status
from counterpulse.survival.curve_interval import CurveInterval, curve_interval
from counterpulse.survival.follow_up import Floats, Indices
from counterpulse.survival.survival_curve import EXACT

IncidenceVariance = Literal["delta", "aalen"]
MEASURE = "cumulative incidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceCurve:
    """Cumulative incidences of one group at its k distinct times of an event or of censoring, for c causes.

    Attributes
    ----------
    group : label
    causes : names of the causes, in the order of the second axis
    n : rows
    n_events : of each cause, shape (c,)
    time : shape (k,)
    at_risk : followed at least to the time and free of every cause before it, shape (k,)
    events : of each cause at the time, shape (k, c)
    censored : shape (k,)
    survival : free of every cause just after the time, shape (k,)
    incidence : had the cause by the time, shape (k, c); with `survival` they sum to one
    std_error, low, high : of `incidence`, shape (k, c)
    """

    group: str
    causes: tuple[str, ...]
    n: int
    n_events: tuple[int, ...]
    time: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    survival: Floats
    incidence: Floats
    std_error: Floats
    low: Floats
    high: Floats
    interval: CurveInterval
    level: float
    end_of_follow_up: float

    def at(self, cause: str, time: float) -> Estimate:
        """Cumulative incidence of a cause by a time, with its pointwise interval."""
        base = {"term": self.group, "measure": MEASURE, "at": At(time)}
        if self.n == 0:
            return Estimate(**base, value=nan, status=Status.EMPTY_GROUP)  # type: ignore[arg-type]
        if time > self.end_of_follow_up and self.survival[-1] > EXACT:
            return Estimate(**base, value=nan, status=Status.BEYOND_FOLLOW_UP)  # type: ignore[arg-type]
        i, c = int(np.searchsorted(self.time, time, side="right")) - 1, self.causes.index(cause)
        if i < 0 or self.incidence[i, c] == 0:
            return Estimate(**base, value=0.0, std_error=0.0)  # type: ignore[arg-type]
        return Estimate(
            term=self.group, measure=MEASURE, at=At(time), value=float(self.incidence[i, c]),
            std_error=float(self.std_error[i, c]),
            interval=Interval(float(self.low[i, c]), float(self.high[i, c]), self.level, self.interval),
        )  # fmt: skip

    def quantile(self, cause: str, p: float = 0.5) -> Estimate:
        """The time by which a part `p` of the group has had the cause; its interval inverts the pointwise limits.

        A curve that runs exactly at p gives the middle of that stretch. The group that is counted are all, also those
        whom another cause took: the curve may never reach p, and then the quantile is not reached.
        """
        c = self.causes.index(cause)
        value, low, high = (self._crossing(curve[:, c], p) for curve in (self.incidence, self.high, self.low))
        status = Status.EMPTY_GROUP if self.n == 0 else Status.OK if isfinite(value) else Status.NOT_REACHED
        return Estimate(
            term=self.group, measure="median time" if p == 0.5 else f"time quantile {p:g}", value=value, status=status,
            interval=Interval(low, high, self.level, self.interval) if self.n else None,
        )  # fmt: skip

    def _crossing(self, curve: Floats, p: float) -> float:
        above = np.flatnonzero(curve >= p - EXACT)
        if not len(above):
            return nan
        i = int(above[0])
        if curve[i] > p + EXACT:
            return float(self.time[i])
        higher = np.flatnonzero(curve > curve[i] + EXACT)
        return float(self.time[i] + self.time[higher[0] if len(higher) else -1]) / 2

    def numbers_at_risk(self, times: Floats) -> Floats:
        """Those still followed and free of every cause at each time; of the shape of `times`."""
        return np.append(self.at_risk, 0.0)[np.searchsorted(self.time, times, side="left")]


def incidence_curve(
    time: Floats, cause: Indices, start: Floats | None, *, causes: tuple[str, ...], group: str,
    variance: IncidenceVariance, interval: CurveInterval, level: float,
) -> IncidenceCurve:  # fmt: skip
    """Estimate the curves from rows sorted by time.

    Parameters
    ----------
    time : end of follow-up, ascending, shape (n,)
    cause : 0 censored, 1 the first of `causes`, and so on, shape (n,)
    start : begin of observation, shape (n,), or None
    """
    c = len(causes)
    distinct, where = np.unique(time, return_inverse=True)
    k = len(distinct)
    counted = np.bincount(where * (c + 1) + cause, minlength=k * (c + 1)).reshape(k, c + 1).astype(np.float64)
    leaving, events = counted.sum(axis=1), counted[:, 1:]
    at_risk = np.cumsum(leaving[::-1])[::-1].copy()
    if start is not None:
        at_risk -= len(start) - np.searchsorted(np.sort(start), distinct, side="left")
    total = events.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(at_risk[:, None] > 0, events / at_risk[:, None], 0.0)
        survival: Floats = np.cumprod(np.where(total > 0, (at_risk - total) / at_risk, 1.0), dtype=np.float64)
    before = np.append(1.0, survival[:-1]) if k else survival
    incidence = np.cumsum(before[:, None] * hazard, axis=0)
    error = np.sqrt(np.maximum(VARIANCES[variance](at_risk, events, before, incidence), 0.0))
    low, high = curve_interval(incidence, error, kind=interval, level=level)
    return IncidenceCurve(
        group=group, causes=causes, n=len(time), n_events=tuple(int(count) for count in events.sum(axis=0)),
        time=distinct, at_risk=at_risk, events=events, censored=counted[:, 0], survival=survival, incidence=incidence,
        std_error=error, low=low, high=high, interval=interval, level=level,
        end_of_follow_up=float(distinct[-1]) if k else nan,
    )  # fmt: skip


def _delta(n: Floats, events: Floats, before: Floats, incidence: Floats) -> Floats:
    """The delta method on multinomial steps: Greenwood's variance where there is one cause; shape (k, c)."""
    d = events.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where((d > 0) & (n > d), d / (n * (n - d)), 0.0)
        own = np.where(n[:, None] > 0, before[:, None] ** 2 * events * (n[:, None] - events) / n[:, None] ** 3, 0.0)
        cross = np.where(n[:, None] > 0, before[:, None] * events / n[:, None] ** 2, 0.0)
    return _gathered(np.broadcast_to(spread[:, None], own.shape), own, cross, incidence)


def _aalen(n: Floats, events: Floats, before: Floats, incidence: Floats) -> Floats:
    """Aalen's (1978) variance: the cause and all others are independent counting processes, ties by sampling; shape (k, c)."""
    d = events.sum(axis=1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        after = np.where(n[:, None] > d, n[:, None] / (n[:, None] - d), 0.0)

        def of_hazard(count: Floats) -> Floats:
            untied = np.where(count > 1, 1 - (count - 1) / (n[:, None] - 1), 1.0)
            return np.where(count > 0, untied * count / n[:, None] ** 2, 0.0)

        own, others = of_hazard(events), of_hazard(d - events)
    S = before[:, None]
    return _gathered(after**2 * (own + others), S**2 * own, S * after * own, incidence)


VARIANCES: Mapping[str, Callable[[Floats, Floats, Floats, Floats], Floats]] = {"delta": _delta, "aalen": _aalen}


def _gathered(spread: Floats, own: Floats, cross: Floats, F: Floats) -> Floats:
    """Sum over times up to t of ``(F(t) - F(s))^2 spread + own - 2 (F(t) - F(s)) cross``, as cumulative sums."""

    def summed(values: Floats) -> Floats:
        return np.cumsum(values, axis=0)

    squares = F**2 * summed(spread) - 2 * F * summed(F * spread) + summed(F**2 * spread)
    total: Floats = squares + summed(own) - 2 * (F * summed(cross) - summed(F * cross))
    return total
