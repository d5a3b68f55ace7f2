"""What a relative effect means for a thousand patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

import polars as pl

from counterpulse.protocol.plan import Plan
from counterpulse.results import EstimateRow
from counterpulse.study.reviewing.columns import EVENTS, PATIENTS


@dataclass(frozen=True, slots=True)
class Risks:
    """The risk without the exposure and with it, as fractions; `low` and `high` from the interval of the effect."""

    control: float
    treated: float
    low: float
    high: float


def absolute_risks(plan: Plan, row: EstimateRow, frame: pl.DataFrame) -> Risks | None:
    """The risks that an effect implies; None of measures that are not of an event, or where no risk is known."""
    control = control_risk(plan, row.outcome, frame)
    reader = row.estimate.natural()
    interval, measure = reader.interval, row.estimate.measure
    if control is None or interval is None or not isfinite(reader.value) or measure not in RISKS:
        return None
    treated, *ends = (RISKS[measure](control, value) for value in (reader.value, interval.low, interval.high))
    return Risks(control, treated, min(ends), max(ends))


def control_risk(plan: Plan, outcome: str, frame: pl.DataFrame) -> float | None:
    """The risk of the control group: as the protocol says, else the median of the studies that print it."""
    question = plan.protocol.question
    stated = question.every_outcome[outcome].control_risk if question is not None else None
    if stated is not None:
        return stated
    risks = frame.select((pl.col(EVENTS[1]) / pl.col(PATIENTS[1])).alias("risk"))["risk"].drop_nulls()
    known = risks.filter(risks.is_finite())
    median = known.median() if len(known) else None
    return float(median) if isinstance(median, float | int) and 0 < float(median) < 1 else None


def _of_odds(control: float, ratio: float) -> float:
    odds = ratio * control / (1 - control)
    return odds / (1 + odds) if isfinite(odds) else 1.0


def _of_hazard(control: float, ratio: float) -> float:
    return float(1 - (1 - control) ** ratio)


RISKS: Mapping[str, Callable[[float, float], float]] = {
    "odds ratio": _of_odds,
    "risk ratio": lambda control, ratio: min(control * ratio, 1.0),
    "hazard ratio": _of_hazard,
    "risk difference": lambda control, difference: min(max(control + difference, 0.0), 1.0),
}
"""The risk with the exposure from that without it (hazard ratio: proportional hazards until the end of follow-up)."""
