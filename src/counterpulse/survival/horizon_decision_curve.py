"""Net benefit of treating those whose predicted risk by a time reaches a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from counterpulse.results.estimate import At, Estimate
from counterpulse.results.predictions import check_risks, check_thresholds
from counterpulse.survival.follow_up import Bools, Floats, read_follow_up


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCurveAtTime:
    """Net benefit for each patient at each threshold, shape (k,); treating nobody has 0."""

    threshold: Floats
    model: Floats
    all: Floats
    at: At

    def estimates(self) -> tuple[Estimate, ...]:
        """The net benefit of the model at each threshold, without an interval."""
        return tuple(
            Estimate(term=f"threshold {100 * t:g}%", measure="net benefit", value=value, at=self.at)
            for t, value in zip(self.threshold.tolist(), self.model.tolist(), strict=True)
        )


def net_benefit_at_time(
    table: pl.DataFrame, *, time: str, event: str, risk: str, at: float, thresholds: ArrayLike, unit: str | None = None
) -> DecisionCurveAtTime:
    """Estimate net benefit with the Kaplan-Meier risk of those at or above each threshold.

    Parameters
    ----------
    table : one row a patient, observed from time zero
    time, event : as for `cox`
    risk : column with the predicted probability of the event by `at`
    thresholds : between 0 and 1, shape (k,)

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, risks or thresholds out of range

    Notes
    -----
    Where nobody is above a threshold the net benefit is 0; where everybody above it is censored before `at`, nan.

    References
    ----------
    Vickers 2008 (doi:10.1186/1472-6947-8-53)
    """
    follow_up = read_follow_up(table, time=time, event=event, also_complete=[risk])
    p = table[risk].cast(pl.Float64).to_numpy()[follow_up.rows]
    check_risks(p)
    grid = check_thresholds(thresholds)
    order = np.argsort(follow_up.time)
    ended, happened, p = follow_up.time[order], follow_up.event[order], p[order]

    def benefit(treated: Bools, threshold: float) -> float:
        part = float(treated.mean())
        true = _risk(ended[treated], happened[treated], at) if part else 0.0
        return part * (true - (1 - true) * threshold / (1 - threshold))

    everybody = np.ones(len(p), dtype=bool)
    return DecisionCurveAtTime(
        threshold=grid, model=np.array([benefit(p >= t, t) for t in grid.tolist()]),
        all=np.array([benefit(everybody, t) for t in grid.tolist()]), at=At(at, unit),
    )  # fmt: skip


def _risk(time: Floats, event: Bools, at: float) -> float:
    """One less Kaplan-Meier's survival of sorted rows; nan where nobody is followed to `at` and some might have lived."""
    first = np.flatnonzero(np.diff(time, prepend=-1.0) != 0)
    events = np.add.reduceat(event.astype(np.float64), first)
    left = 1 - events / (len(time) - first)
    if at > time[-1] and left.min() > 0:
        return np.nan
    return 1 - float(left[time[first] <= at].prod())
