"""Calibration of the predicted risk of an event by a time, where some patients are censored before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

import numpy as np
import polars as pl

from counterpulse.data.terms import Spline, Term
from counterpulse.errors import InputError
from counterpulse.results.estimate import At, Estimate
from counterpulse.results.predictions import CurvePoint, check_risks, curve_grid, distances, no_distances, tenths
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.survival.cox_model import cox
from counterpulse.survival.follow_up import Floats, read_follow_up
from counterpulse.survival.kaplan_meier_curves import kaplan_meier
from counterpulse.survival.predicted_risk import risk_at_time

KNOTS = 3
SLOPE, RATIO = "calibration slope", "expected/observed ratio"
COLUMN = "log cumulative hazard"
NO_LOG = "A predicted risk is exactly 0 or 1, which has no complementary log-log."


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationAtTime:
    """How predicted risks by a time agree with observed ones.

    Attributes
    ----------
    ratio : mean predicted over Kaplan-Meier risk, on the log scale
    slope : of the complementary log-log of the predicted risk in a Cox model; 1 is ideal
    index, median, ninth : mean, median and 90th percentile of the distance from the smooth curve (ICI, E50, E90)
    curve : the smooth curve, without limits; groups : tenths of the patients with Kaplan-Meier risks
    """

    ratio: Estimate
    slope: Estimate
    index: Estimate
    median: Estimate
    ninth: Estimate
    curve: tuple[CurvePoint, ...]
    groups: tuple[CurvePoint, ...]

    def estimates(self) -> tuple[Estimate, ...]:
        """Every number."""
        return (self.slope, self.ratio, self.index, self.median, self.ninth)


def calibration_at_time(
    table: pl.DataFrame, *, time: str, event: str, risk: str, at: float, unit: str | None = None, level: float = 0.95
) -> CalibrationAtTime:
    """Compare predicted with observed risks of the event by a time.

    Parameters
    ----------
    table : one row a patient, observed from time zero
    time, event : as for `cox`
    risk : column with the predicted probability of the event by `at`
    unit : of the time, to be printed

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, risks outside 0 to 1

    Notes
    -----
    The smooth curve is a Cox model on a natural cubic spline (3 knots) of log(-log(1 - risk)), read at `at`. The
    interval of the ratio takes the predictions as known.

    References
    ----------
    Austin, Harrell and van Klaveren 2020 (doi:10.1002/sim.8570)
    """
    follow_up = read_follow_up(table, time=time, event=event, also_complete=[risk])
    used, when = table[follow_up.rows].select(time, event, risk), At(at, unit)
    p = used[risk].cast(pl.Float64).to_numpy()
    check_risks(p)
    if not len(p) or not (follow_up.event & (follow_up.time <= at)).any():
        return _nothing(Status.NO_EVENTS if len(p) else Status.NO_ROWS, when)
    observed = kaplan_meier(used, time=time, event=event, level=level).curves[0].at(at)
    if observed.status is not Status.OK:
        return _nothing(observed.status, when)
    risk_observed = 1 - observed.value
    ratio = wald_estimate(
        RATIO, log(float(p.mean()) / risk_observed), float(observed.std_error or 0) / risk_observed, level, scale="log", at=when,
    ) if p.any() else no_estimate(RATIO, Status.UNDEFINED, scale="log", at=when)  # fmt: skip
    found = replace(_nothing(Status.UNDEFINED, when), ratio=ratio, groups=_groups(used, p, time, event, at, level))
    if ((p == 0) | (p == 1)).any():
        return replace(found, slope=no_estimate(SLOPE, Status.UNDEFINED, at=when, notes=(NO_LOG,)))
    (index, median, ninth), curve = _smooth(used, p, time, event, when)
    return replace(
        found, slope=_slope(used, p, time, event, level, when), index=index, median=median, ninth=ninth, curve=curve
    )


def _nothing(status: Status, when: At) -> CalibrationAtTime:
    index, median, ninth = no_distances(status, at=when)
    return CalibrationAtTime(
        ratio=no_estimate(RATIO, status, scale="log", at=when), slope=no_estimate(SLOPE, status, at=when), index=index,
        median=median, ninth=ninth, curve=(), groups=(),
    )  # fmt: skip


def _transformed(p: Floats) -> Floats:
    logs: Floats = np.log(-np.log1p(-p))
    return logs


def _slope(used: pl.DataFrame, p: Floats, time: str, event: str, level: float, when: At) -> Estimate:
    fit = cox(used.with_columns(pl.Series(COLUMN, _transformed(p))), time=time, event=event, terms=[COLUMN])
    status = fit.parameters.statuses[0]
    if status is not Status.OK:
        return no_estimate(SLOPE, status, at=when)
    return wald_estimate(SLOPE, float(fit.coefficients[0]), float(np.sqrt(fit.covariance[0, 0])), level, at=when)


def _smooth(
    used: pl.DataFrame, p: Floats, time: str, event: str, when: At
) -> tuple[tuple[Estimate, Estimate, Estimate], tuple[CurvePoint, ...]]:
    terms: list[Term] = [Spline(COLUMN, KNOTS)]
    try:
        fit = cox(used.with_columns(pl.Series(COLUMN, _transformed(p))), time=time, event=event, terms=terms)
    except InputError:
        return no_distances(Status.FEW_VALUES, at=when), ()
    if fit.status is not Status.OK:
        return no_distances(fit.status, at=when), ()
    everybody = risk_at_time(fit, pl.DataFrame({COLUMN: _transformed(p)}), when.time)
    grid = curve_grid(p)
    along = risk_at_time(fit, pl.DataFrame({COLUMN: _transformed(grid)}), when.time)
    curve = tuple(
        CurvePoint(predicted=float(a), observed=float(b), low=np.nan, high=np.nan)
        for a, b in zip(grid, along, strict=True)
    )
    return distances(np.abs(everybody - p), at=when), curve


def _groups(used: pl.DataFrame, p: Floats, time: str, event: str, at: float, level: float) -> tuple[CurvePoint, ...]:
    found = []
    for rows in tenths(p):
        observed = kaplan_meier(used[rows], time=time, event=event, level=level, interval="log-log").curves[0].at(at)
        if observed.status is Status.OK and observed.interval is not None:
            found.append(
                CurvePoint(
                    predicted=float(p[rows].mean()), observed=1 - observed.value, low=1 - observed.interval.high,
                    high=1 - observed.interval.low, n=len(rows),
                )
            )  # fmt: skip
    return tuple(found)
