"""Survival at one time compared between groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, nan
from typing import Literal

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import normal_two_sided
from counterpulse.results.estimate import Estimate, Interval
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.curve_covariance import curve_covariance, influence_on_survival
from counterpulse.survival.curve_interval import CurveInterval
from counterpulse.survival.follow_up import ColumnOrArray
from counterpulse.survival.kaplan_meier_curves import KaplanMeier, kaplan_meier
from counterpulse.survival.restricted_mean_time import compared, error_of_difference

PointTest = Literal["plain", "log-log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalDifference:
    """Survival and risk at one time.

    Attributes
    ----------
    survival, risk : of every group, with the pointwise interval of its curve; risk is 1 - S(t)
    differences : risk of every other group less that of the first
    ratios : risk of every other group over that of the first, on the log scale
    """

    survival: tuple[Estimate, ...]
    risk: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]
    ratios: tuple[Estimate, ...]
    time: float
    curves: KaplanMeier
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Risk differences, then ratios, then the risk of the groups."""
        return (*self.differences, *self.ratios, *self.risk)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row a group: counts and person-time."""
        return self.curves.glance()


def survival_difference(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    by: ColumnOrArray,
    at: float,
    test: PointTest = "plain",
    interval: CurveInterval = "log",
    start: str | None = None,
    weights: ColumnOrArray | None = None,
    cluster: ColumnOrArray | None = None,
    level: float = 0.95,
) -> SurvivalDifference:
    """Compare the risk by a time between groups; the first group is the reference.

    Parameters
    ----------
    table : one row a patient
    time, event : end of follow-up, and whether it is the event (yes/no, 0/1, or 1/2 where 2 is the event)
    by : column(s) or array of the group
    at : the time, not beyond the follow-up of any group
    test : scale of the test; the difference and its Greenwood interval stay plain. "log-log" keeps its level better
    interval : scale of the interval of each group's risk
    start : begin of observation, for late entry
    weights, cluster : as for `kaplan_meier`; clusters such as matched pairs may lie across groups
    level : of intervals

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, an unknown test

    Notes
    -----
    The variance is Greenwood's; with clusters, and with weights that are not whole numbers, it is the infinitesimal
    jackknife, which takes the weights as known.

    References
    ----------
    Klein and others 2007 (doi:10.1002/sim.2864)
    """
    if test not in ("plain", "log-log"):
        raise InputError(f"test={test!r} is not known; use 'plain' or 'log-log'")
    if not at > 0:
        raise InputError("'at' is a time above zero, in the unit of the follow-up time")
    curves = kaplan_meier(
        table, time=time, event=event, by=by, start=start, weights=weights, cluster=cluster, interval=interval, level=level
    )  # fmt: skip
    survival = curves.at(float(at))
    robust = curve_covariance(
        table,
        curves,
        influence_on_survival,
        float(at),
        time=time,
        event=event,
        by=by,
        start=start,
        weights=weights,
        cluster=cluster,
    )
    shared = np.zeros(len(survival)) if robust is None else robust[0]
    others = list(zip(survival[1:], shared[1:].tolist(), strict=True))
    return SurvivalDifference(
        survival=survival, risk=tuple(map(risk_of, survival)),
        differences=tuple(_difference(survival[0], other, both, test, float(at), level) for other, both in others),
        ratios=tuple(_ratio(survival[0], other, both, float(at), level) for other, both in others), time=float(at), curves=curves,
        provenance=Provenance(
            method="difference of Kaplan-Meier risks",
            choices=(
                Choice("at", float(at), "given"),
                Choice("test", test, "default" if test == "plain" else "given", "klein-2007"),
                *(() if robust is None else (Choice("variance", "robust", "derived"),)),
            ),
            citations=("kaplan-meier-1958", "greenwood-1926", "klein-2007", *(() if weights is None else ("xie-liu-2005",))),
        ),
    )  # fmt: skip


def risk_of(survival: Estimate) -> Estimate:
    """The risk 1 - S(t) with the mirrored interval."""
    interval = survival.interval
    if interval is not None:
        interval = Interval(1 - interval.high, 1 - interval.low, interval.level, interval.kind)
    return replace(survival, measure="risk", value=1 - survival.value, interval=interval)


def _difference(
    reference: Estimate, other: Estimate, shared: float, test: PointTest, at: float, level: float
) -> Estimate:
    error = error_of_difference(reference.std_error or 0.0, other.std_error or 0.0, shared)
    plain = compared(
        reference, other, reference.value - other.value, error,
        measure="risk difference", scale="identity", time=at, level=level,
    )  # fmt: skip
    if test == "plain" or plain.status is not Status.OK:
        return plain
    statistic = _log_log_statistic(reference, other, shared)
    return replace(plain, statistic=statistic, p_value=normal_two_sided(statistic))


def _ratio(reference: Estimate, other: Estimate, shared: float, at: float, level: float) -> Estimate:
    """Ratio of risks on the log scale, by the delta method."""
    risks = (1 - reference.value, 1 - other.value)
    value, error = nan, nan
    if min(risks) > 0:
        value = log(risks[1] / risks[0])
        errors = (reference.std_error or 0.0) / risks[0], (other.std_error or 0.0) / risks[1]
        error = error_of_difference(*errors, shared / (risks[0] * risks[1]))
    elif reference.status is other.status is Status.OK:
        reference = replace(reference, status=Status.ZERO_CELL)
    return compared(reference, other, value, error, measure="risk ratio", scale="log", time=at, level=level)


def _log_log_statistic(reference: Estimate, other: Estimate, shared: float) -> float:
    """Difference of log(-log S) over its standard error; nan where a curve stands at 0 or 1."""
    if not (0 < reference.value < 1 and 0 < other.value < 1):
        return nan
    values, errors, slopes = [], [], []
    for one in (reference, other):
        values.append(log(-log(one.value)))
        slopes.append(1 / (one.value * log(one.value)))
        errors.append((one.std_error or 0.0) / abs(one.value * log(one.value)))
    return (values[1] - values[0]) / error_of_difference(errors[0], errors[1], shared * slopes[0] * slopes[1])
