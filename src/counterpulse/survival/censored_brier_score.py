"""Brier's score at a time, with weights for censoring."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl

from counterpulse.results.estimate import At, Estimate
from counterpulse.results.predictions import check_risks
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.survival.censoring_weights import censoring_curve, known_at
from counterpulse.survival.follow_up import read_follow_up
from counterpulse.survival.kaplan_meier_curves import kaplan_meier

SCORE, SCALED = "Brier score", "scaled Brier score"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrierAtTime:
    """The score of the predicted risks, and 1 less its ratio to that of the Kaplan-Meier risk for everybody."""

    score: Estimate
    scaled: Estimate

    def estimates(self) -> tuple[Estimate, ...]:
        """The score, then the scaled score."""
        return (self.score, self.scaled)


def brier_at_time(
    table: pl.DataFrame, *, time: str, event: str, risk: str, at: float, unit: str | None = None, level: float = 0.95
) -> BrierAtTime:
    """Estimate Brier's score of a predicted risk of the event by a time.

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
    Weights are marginal: the Kaplan-Meier curve of the censoring, as known in the interval of the score. The scaled
    score has no interval.

    References
    ----------
    Graf 1999 (doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5); Kattan and Gerds 2018
    (doi:10.1186/s41512-018-0029-2)
    """
    follow_up = read_follow_up(table, time=time, event=event, also_complete=[risk])
    p = table[risk].cast(pl.Float64).to_numpy()[follow_up.rows]
    check_risks(p)
    ended, happened, when = follow_up.time, follow_up.event, At(at, unit)
    case, control = known_at(ended, happened, at)
    if not control.any():
        status = Status.BEYOND_FOLLOW_UP if len(ended) else Status.NO_ROWS
        return BrierAtTime(score=no_estimate(SCORE, status, at=when), scaled=no_estimate(SCALED, status, at=when))
    curve = censoring_curve(ended, happened)
    weight = np.where(case, 1 / curve.before(ended), 0.0)
    weight[control] = 1 / float(curve.before(np.array([at]))[0])
    loss = weight * (case - p) ** 2
    value = float(loss.mean())
    score = wald_estimate(SCORE, value, float(loss.std(ddof=1)) / sqrt(len(loss)), level, at=when)
    everybody = 1 - kaplan_meier(table[follow_up.rows], time=time, event=event).curves[0].at(at).value
    null = float((weight * (case - everybody) ** 2).mean())
    if not null > 0:
        return BrierAtTime(score=score, scaled=no_estimate(SCALED, Status.NO_EVENTS, at=when))
    return BrierAtTime(score=score, scaled=Estimate(term="", measure=SCALED, value=1 - value / null, at=when))
