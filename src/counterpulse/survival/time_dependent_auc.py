"""The area under the ROC curve at a time: those who had the event by then against those still free of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl

from counterpulse.results.estimate import At, Estimate
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.survival.censoring_weights import CensoringCurve, censoring_curve, known_at
from counterpulse.survival.follow_up import Bools, Floats, Indices, read_follow_up

MEASURE = "time-dependent AUC"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeDependentAuc:
    """Cumulative/dynamic AUC at each time, shape (k,); nan where `statuses` is not OK."""

    time: Floats
    value: Floats
    std_error: Floats
    cases: Indices
    controls: Indices
    statuses: tuple[Status, ...]
    level: float
    n_missing: int

    def estimates(self, unit: str | None = None) -> tuple[Estimate, ...]:
        """One a time, with its Wald interval."""
        rows = zip(self.time.tolist(), self.value.tolist(), self.std_error.tolist(), self.statuses, strict=True)
        return tuple(
            wald_estimate(MEASURE, value, error, self.level, at=At(time, unit))
            if status is Status.OK
            else no_estimate(MEASURE, status, at=At(time, unit))
            for time, value, error, status in rows
        )


def auc_at_time(
    table: pl.DataFrame, *, time: str, event: str, score: str, at: float | Sequence[float], level: float = 0.95
) -> TimeDependentAuc:
    """Estimate the cumulative/dynamic AUC with weights for censoring.

    Parameters
    ----------
    table : one row a patient, observed from time zero
    time, event : as for `cox`
    score : a numeric column of which more goes with earlier events
    at : times

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times

    Notes
    -----
    Patients with the event by `at` are weighted by the inverse of the (marginal, Kaplan-Meier) probability of being
    uncensored until just before it; those followed to `at` without the event are the controls. The standard error is from the
    influence function, that of the estimated censoring curve included. Censoring independent of event and score.

    References
    ----------
    Uno 2007 (doi:10.1198/016214507000000149); Blanche, Dartigues and Jacqmin-Gadda 2013 (doi:10.1002/sim.5958)
    """
    follow_up = read_follow_up(table, time=time, event=event, also_complete=[score])
    values = table[score].cast(pl.Float64).to_numpy()[follow_up.rows]
    times = np.atleast_1d(np.asarray(at, dtype=np.float64))
    curve = censoring_curve(follow_up.time, follow_up.event)
    found = [_at(follow_up.time, follow_up.event, values, curve, float(t)) for t in times]
    value, error, cases, controls = (np.array(column) for column in zip(*(row[:4] for row in found), strict=True))
    return TimeDependentAuc(
        time=times, value=value, std_error=error, cases=cases, controls=controls,
        statuses=tuple(row[4] for row in found), level=level, n_missing=follow_up.n_missing,
    )  # fmt: skip


def _at(
    time: Floats, event: Bools, score: Floats, curve: CensoringCurve, at: float
) -> tuple[float, float, int, int, Status]:
    case, control = known_at(time, event, at)
    m, n = int(case.sum()), int(control.sum())
    if not m:
        return nan, nan, m, n, Status.NO_EVENTS if len(time) else Status.NO_ROWS
    if not n:
        return nan, nan, m, n, Status.BEYOND_FOLLOW_UP
    weight = 1 / curve.before(time[case])
    of_case = _shares(score[case], score[control], np.ones(n))
    of_control = 1 - _shares(score[control], score[case], weight)
    value = float(weight @ of_case) / float(weight.sum())
    mean_weight = float(weight.sum()) / len(time)
    influence = np.zeros(len(time))
    influence[case] += weight * (of_case - value) / mean_weight
    influence[control] += (of_control - value) * len(time) / n
    influence += _of_censoring(time, event, curve, time[case], weight * (of_case - value) / mean_weight)
    return value, float(np.sqrt(influence @ influence)) / len(time), m, n, Status.OK


def _shares(score: Floats, others: Floats, weight: Floats) -> Floats:
    """For each score the weighted share of others below it; equal ones count half."""
    order = np.argsort(others, kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(weight[order])))
    below, upto = (sums[np.searchsorted(others[order], score, side=side)] for side in ("left", "right"))
    shares: Floats = (below + upto) / (2 * sums[-1])
    return shares


def _of_censoring(time: Floats, event: Bools, curve: CensoringCurve, cases: Floats, size: Floats) -> Floats:
    """What each patient adds by having shaped the censoring curve, shape (n,).

    The logarithm of a case's weight is a sum over earlier censorings; `later[u]` is what the cases after u add to the AUC.
    """
    order = np.argsort(cases)
    sums = np.append(np.cumsum(size[order][::-1])[::-1], 0.0)
    later = sums[np.searchsorted(cases[order], curve.time, side="right")]
    staying = curve.at_risk - curve.censored
    part = np.divide(later, staying, out=np.zeros_like(later), where=staying > 0)
    hazard = np.divide(curve.censored, curve.at_risk, out=np.zeros_like(later), where=curve.at_risk > 0)
    spent = np.concatenate(([0.0], np.cumsum(part * hazard)))
    place = np.searchsorted(curve.time, time, side="left")
    # those with the event leave before the censorings of that time
    return np.where(event, -spent[place], part[place] - spent[place + 1])
