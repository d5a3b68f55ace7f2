"""The Aalen-Johansen estimate of cumulative incidence, by group and cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import hypot, nan

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.results.block import Block, Cell
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.causes import CODES, read_causes
from counterpulse.survival.curve_interval import CurveInterval
from counterpulse.survival.follow_up import ColumnOrArray, Indices, read_follow_up, time_order
from counterpulse.survival.incidence_curve import MEASURE, VARIANCES, IncidenceCurve, IncidenceVariance, incidence_curve
from counterpulse.survival.kaplan_meier_curves import EVERYBODY, check_interval
from counterpulse.survival.restricted_mean_time import compared

OBSERVED = "observed."


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeIncidence:
    """Cumulative incidences, one curve a group and cause, the groups in the order of their levels."""

    curves: tuple[IncidenceCurve, ...]
    causes: tuple[str, ...]
    n_missing: int
    rows_used: Indices
    status: Status
    provenance: Provenance

    def __iter__(self) -> Iterator[IncidenceCurve]:
        return iter(self.curves)

    def curve(self, group: str) -> IncidenceCurve:
        """Find the curves of a group by its label."""
        for curve in self.curves:
            if curve.group == group:
                return curve
        raise InputError(f"there is no group '{group}'; there are {', '.join(curve.group for curve in self.curves)}")

    def at(self, time: float, cause: str | None = None) -> tuple[Estimate, ...]:
        """Cumulative incidence of a cause (the first by default) in every group by a time."""
        return tuple(curve.at(self._cause(cause), float(time)) for curve in self.curves)

    def quantile(self, p: float = 0.5, cause: str | None = None) -> tuple[Estimate, ...]:
        """The time by which a part `p` of each group has had a cause (the first, and the median, by default)."""
        if not 0 < p < 1:
            raise InputError("a quantile lies between 0 and 1, such as 0.5 for the median")
        return tuple(curve.quantile(self._cause(cause), p) for curve in self.curves)

    def differences(
        self, time: float, cause: str | None = None, *, reference: str | None = None
    ) -> tuple[Estimate, ...]:
        """Cumulative incidence by a time in every other group less that in the reference (the first by default)."""
        return self._contrasts(time, cause, reference, ratio=False)

    def ratios(self, time: float, cause: str | None = None, *, reference: str | None = None) -> tuple[Estimate, ...]:
        """Cumulative incidence by a time in every other group over that in the reference, on the log scale."""
        return self._contrasts(time, cause, reference, ratio=True)

    def estimates(self) -> tuple[Estimate, ...]:
        """The median time to the first cause in every group."""
        return self.quantile()

    def tidy(self) -> pl.DataFrame:
        """One row a group: the median time to the first cause."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row a group and cause: counts."""
        return pl.DataFrame(
            [
                {"group": curve.group, "cause": cause, "n": curve.n, "events": count, "n_missing": self.n_missing}
                for curve in self.curves
                for cause, count in zip(curve.causes, curve.n_events, strict=True)
            ]
        )

    def columns(self) -> dict[str, list[Cell]]:
        """Columns of a "cumulative-incidence" block; what is undefined is None."""
        names = ("group", "cause", "time", "estimate", "conf_low", "conf_high", "std_error", "at_risk", "events")
        found: dict[str, list[Cell]] = {name: [] for name in names}
        for curve in self.curves:
            for c, cause in enumerate(curve.causes):
                k = len(curve.time)
                found["group"] += [curve.group] * k
                found["cause"] += [cause] * k
                values = (curve.time, curve.incidence[:, c], curve.low[:, c], curve.high[:, c], curve.std_error[:, c],
                          curve.at_risk, curve.events[:, c])  # fmt: skip
                for name, column in zip(names[2:], values, strict=True):
                    found[name] += [finite_or_none(value) for value in column.tolist()]
        return found

    def block(self, *, id: str, analysis: str) -> Block:
        """What a figure draws."""
        columns = {name: tuple(column) for name, column in self.columns().items()}
        return Block(id=id, analysis=analysis, kind="cumulative-incidence", columns=columns)

    def _cause(self, cause: str | None) -> str:
        if cause is None:
            return self.causes[0]
        if cause not in self.causes:
            raise InputError(f"there is no cause '{cause}'; there are {', '.join(self.causes)}")
        return cause

    def _contrasts(self, time: float, cause: str | None, reference: str | None, *, ratio: bool) -> tuple[Estimate, ...]:
        found = {curve.group: curve.at(self._cause(cause), float(time)) for curve in self.curves}
        if not found:
            return ()
        first = reference or next(iter(found))
        if first not in found:
            raise InputError(f"there is no group '{first}'; there are {', '.join(found)}")
        level = self.curves[0].level
        compare = _ratio if ratio else _difference
        return tuple(compare(found[first], other, float(time), level) for name, other in found.items() if name != first)


def cumulative_incidence(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    by: ColumnOrArray | None = None,
    start: str | None = None,
    causes: Mapping[str, str] | None = None,
    variance: IncidenceVariance = "delta",
    interval: CurveInterval = "log-log",
    level: float = 0.95,
) -> CumulativeIncidence:
    """Estimate the cumulative incidence of each of several causes by the Aalen-Johansen method.

    Parameters
    ----------
    table : one row a patient
    time : end of follow-up (numeric, not negative)
    event : what ended it: a category whose first level is censoring, or whole numbers of which 0 is censoring
    by : column(s) or array of the group
    start : begin of observation, for late entry
    causes : names of the levels, in the order of the result; default every level but the first by its own name
    variance : "delta" (Greenwood's where there is one cause; without late entry the infinitesimal jackknife of R's
        survival) or "aalen" (Aalen 1978; R's cmprsk)
    interval : scale of the pointwise interval of the cumulative incidence
    level : of confidence intervals

    Returns
    -------
    CumulativeIncidence : the part of everybody who has had the cause by a time while the others can happen too

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, an unknown interval or variance

    Notes
    -----
    Censoring is independent of the causes. An event and a censoring at one time: the event came first.

    References
    ----------
    Aalen and Johansen 1978; Aalen 1978 (doi:10.1214/aos/1176344198); Gaynor and others 1993
    (doi:10.1080/01621459.1993.10476289)
    """
    check_interval(interval, level)
    if variance not in VARIANCES:
        raise InputError(f"variance={variance!r} is not known; use {', '.join(VARIANCES)}")
    codes, named = read_causes(table, event, causes)
    coded = table.with_columns(codes, pl.lit(value=False).alias(OBSERVED))
    follow_up = read_follow_up(coded, time=time, event=OBSERVED, start=start, groups=by, also_complete=[CODES])
    order, times, starts = time_order(follow_up)
    cause = codes.to_numpy()[follow_up.rows][order].astype(np.intp)
    groups = None if follow_up.groups is None else follow_up.groups[order]
    curves = []
    for code, label in enumerate(follow_up.labels or (EVERYBODY,)):
        own = np.arange(len(times)) if groups is None else np.flatnonzero(groups == code)
        curves.append(
            incidence_curve(
                times[own], cause[own], None if starts is None else starts[own], causes=named, group=label,
                variance=variance, interval=interval, level=level,
            )
        )  # fmt: skip
    status = Status.NO_ROWS if not len(times) else Status.OK if (cause > 0).any() else Status.NO_EVENTS
    return CumulativeIncidence(
        curves=tuple(curves), causes=named, n_missing=follow_up.n_missing, rows_used=follow_up.rows, status=status,
        provenance=Provenance(
            method="Aalen-Johansen estimate",
            choices=(
                Choice("interval", interval, "default" if interval == "log-log" else "given", "borgan-liestol-1990"),
                Choice("variance", variance, "default" if variance == "delta" else "given",
                       "gaynor-1993" if variance == "delta" else "aalen-1978"),
            ),
            citations=("aalen-johansen-1978", "gaynor-1993" if variance == "delta" else "aalen-1978"),
        ),
    )  # fmt: skip


def _difference(reference: Estimate, other: Estimate, at: float, level: float) -> Estimate:
    return compared(
        reference, other, other.value - reference.value, hypot(reference.std_error or 0.0, other.std_error or 0.0),
        measure=f"{MEASURE} difference", scale="identity", time=at, level=level,
    )  # fmt: skip


def _ratio(reference: Estimate, other: Estimate, at: float, level: float) -> Estimate:
    value, error = nan, nan
    if min(reference.value, other.value) > 0:
        value = float(np.log(other.value / reference.value))
        error = hypot((reference.std_error or 0.0) / reference.value, (other.std_error or 0.0) / other.value)
    elif reference.status is other.status is Status.OK:
        reference = replace(reference, status=Status.ZERO_CELL)
    return compared(
        reference, other, value, error, measure=f"{MEASURE} ratio", scale="log", time=at, level=level
    )  # fmt: skip
