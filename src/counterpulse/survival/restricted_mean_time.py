"""Restricted mean survival time compared between groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import hypot, isfinite, log, nan, sqrt

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value, normal_two_sided
from counterpulse.results.estimate import At, Estimate, Interval, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.curve_covariance import curve_covariance, influence_on_restricted_mean
from counterpulse.survival.follow_up import ColumnOrArray, Floats
from counterpulse.survival.kaplan_meier_curves import KaplanMeier, kaplan_meier
from counterpulse.survival.survival_curve import SurvivalCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedMean:
    """Restricted mean survival time.

    Attributes
    ----------
    groups : the mean of every group
    differences, ratios : every other group against the first; ratios on the log scale
    curves : the Kaplan-Meier curves they are areas under
    """

    groups: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]
    ratios: tuple[Estimate, ...]
    tau: float
    curves: KaplanMeier
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Differences, then ratios, then the means of the groups."""
        return (*self.differences, *self.ratios, *self.groups)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row a group: counts and person-time."""
        return self.curves.glance()


def restricted_mean(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    by: ColumnOrArray,
    tau: float,
    start: str | None = None,
    weights: ColumnOrArray | None = None,
    cluster: ColumnOrArray | None = None,
    level: float = 0.95,
) -> RestrictedMean:
    """Compare the mean time lived within `tau` between groups; the first group is the reference.

    Parameters
    ----------
    table : one row a patient
    time, event : end of follow-up, and whether it is the event (yes/no, 0/1, or 1/2 where 2 is the event)
    by : column(s) or array of the group
    tau : horizon, in the unit of `time`; not beyond the follow-up of any group
    start : begin of observation, for late entry
    weights, cluster : as for `kaplan_meier`; clusters such as matched pairs may lie across groups
    level : of intervals

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, tau not above zero

    Notes
    -----
    Means are areas under the Kaplan-Meier curves, with the Greenwood plug-in variance; nothing is assumed about hazards. With
    clusters, and with weights that are not whole numbers, the variance is the infinitesimal jackknife, which takes the
    weights as known.

    References
    ----------
    Royston and Parmar 2013 (doi:10.1186/1471-2288-13-152)
    """
    if not tau > 0:
        raise InputError("'tau' is above zero, in the unit of the follow-up time")
    curves = kaplan_meier(
        table, time=time, event=event, by=by, start=start, weights=weights, cluster=cluster, level=level
    )
    groups = curves.restricted_mean(float(tau))
    robust = curve_covariance(
        table, curves, influence_on_restricted_mean, float(tau), time=time, event=event, by=by, start=start, weights=weights,
        cluster=cluster,
    )  # fmt: skip
    if robust is not None:
        groups = tuple(map(_with_error, groups, curves, np.diag(robust)))
    shared = np.zeros(len(groups)) if robust is None else robust[0]
    return RestrictedMean(
        groups=groups,
        differences=tuple(_difference(groups[0], one, float(both), tau, level) for one, both in _others(groups, shared)),
        ratios=tuple(_ratio(groups[0], one, float(both), tau, level) for one, both in _others(groups, shared)),
        tau=float(tau), curves=curves,
        provenance=Provenance(
            method="restricted mean survival time",
            choices=(Choice("tau", float(tau), "given"), *(() if robust is None else (Choice("variance", "robust", "derived"),))),
            citations=(
                "royston-parmar-2013", "kaplan-meier-1958", "greenwood-1926", *(() if weights is None else ("xie-liu-2005",)),
            ),
        ),
    )  # fmt: skip


def _others(groups: tuple[Estimate, ...], shared: Floats) -> Iterator[tuple[Estimate, float]]:
    """Every group but the first with the covariance it has with the first."""
    return zip(groups[1:], shared[1:].tolist(), strict=True)


def _with_error(mean: Estimate, curve: SurvivalCurve, variance: float) -> Estimate:
    """Put a robust variance beside a mean that has none."""
    if mean.status is not Status.OK or curve.counted:
        return mean
    if curve.uncertainty is not Status.OK:
        return replace(mean, status=curve.uncertainty)
    error = sqrt(variance)
    reach = critical_value(curve.level) * error
    interval = Interval(mean.value - reach, mean.value + reach, curve.level, "plain") if error > 0 else None
    return replace(mean, std_error=error, interval=interval)


def error_of_difference(first: float, second: float, shared: float) -> float:
    """The standard error of a difference of two values from theirs and their covariance."""
    if shared == 0:
        return hypot(first, second)
    return sqrt(max(first * first + second * second - 2 * shared, 0.0))


def _difference(reference: Estimate, other: Estimate, shared: float, tau: float, level: float) -> Estimate:
    error = error_of_difference(other.std_error or 0.0, reference.std_error or 0.0, shared)
    return compared(
        reference, other, other.value - reference.value, error,
        measure="restricted mean survival time difference", scale="identity", time=tau, level=level,
    )  # fmt: skip


def _ratio(reference: Estimate, other: Estimate, shared: float, tau: float, level: float) -> Estimate:
    value, error = nan, nan
    if reference.value > 0 and other.value > 0:
        value = log(other.value / reference.value)
        error = error_of_difference(
            (other.std_error or 0.0) / other.value, (reference.std_error or 0.0) / reference.value,
            shared / (other.value * reference.value),
        )  # fmt: skip
    return compared(
        reference,
        other,
        value,
        error,
        measure="restricted mean survival time ratio",
        scale="log",
        time=tau,
        level=level,
    )


def compared(
    reference: Estimate, other: Estimate, value: float, std_error: float, *, measure: str, scale: Scale, time: float,
    level: float,
) -> Estimate:  # fmt: skip
    """An estimate of another group against a reference group, with its Wald interval and test.

    A group in which nobody, or everybody, had the event has no variance to go by, nor have pairs that all fare alike; it is not
    certain, so there is no interval then.
    """
    status = next((one.status for one in (reference, other) if one.status is not Status.OK), Status.OK)
    without = std_error == 0 or not all((one.std_error or 0.0) > 0 for one in (reference, other))
    if status is Status.OK and without:
        status = Status.NO_GROUP_VARIANCE if isfinite(value) else Status.UNDEFINED
    term = {"term": other.term, "reference": reference.term, "measure": measure, "scale": scale, "at": At(time)}
    if status is not Status.OK:
        return Estimate(**term, value=value if status is Status.NO_GROUP_VARIANCE else nan, status=status)  # type: ignore[arg-type]
    reach = critical_value(level) * std_error
    return Estimate(
        term=other.term, reference=reference.term, measure=measure, scale=scale, at=At(time), value=value,
        std_error=std_error, interval=Interval(value - reach, value + reach, level, "wald"),
        statistic=value / std_error, statistic_name="z", p_value=normal_two_sided(value / std_error),
    )  # fmt: skip
