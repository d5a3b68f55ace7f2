"""How far a sample reaches: the patients and the person-time of an analysis that its plan for immortal time leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from counterpulse.data.sample import Sample
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.protocol.words import HOURS
from counterpulse.results import Cell
from counterpulse.study.patients.made_sample import MadeSample
from counterpulse.study.patients.outcomes import EXPOSURE_START
from counterpulse.study.request import START, time_column


def reach_name(outcome: str, variant: str | None) -> str:
    """What the details of a sample are called."""
    return outcome if variant is None else f"{variant}, {outcome}"


def with_reach(
    plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, everybody: Sample, made: MadeSample
) -> MadeSample:
    """The sample with what it leaves out of `everybody`, and what it credits to the treated before their treatment.

    Times are in the unit of the outcome, in days where it has none. Credited is the follow-up from time zero to the start
    of treatment of those who count as treated from time zero on.
    """
    name = reach_name(outcome.name, made.variant)
    found = {f"{name}.{key}": value for key, value in _reach(plan, analysis, outcome, everybody, made.sample).items()}
    return replace(made, details={**(made.details or {}), **found})


def _reach(
    plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, everybody: Sample, sample: Sample
) -> dict[str, Cell]:
    timed = outcome.kind == "time-to-event"
    unit = (outcome.time_unit or "days") if timed else "days"
    gone = ~np.isin(everybody.row_of_origin, sample.row_of_origin)
    left = everybody.frame.filter(pl.Series(gone))
    treated = pl.col(EXPOSURE_START).is_finite()
    found: dict[str, Cell] = {
        "left_out": left.height,
        "treated_left_out": int(left.select(treated.fill_null(value=False).sum()).item()),
        "unit": unit,
    }
    if timed:
        total = float(everybody.frame[time_column(outcome.name)].sum() or 0.0)
        analyzed = _person_time(outcome, sample)
        found |= {"person_time": analyzed, "person_time_left_out": max(0.0, total - analyzed)}
        found["credited"] = _credited(plan, outcome, sample, unit) if analysis.maker == "as observed" else 0.0
    return found


def _person_time(outcome: PlannedOutcome, sample: Sample) -> float:
    stop = pl.col(time_column(outcome.name))
    start = pl.col(START) if START in sample.frame.columns else pl.lit(0.0)
    return float(sample.frame.select((stop - start).sum()).item() or 0.0)


def _credited(plan: Plan, outcome: PlannedOutcome, sample: Sample, unit: str) -> float:
    """Follow-up from time zero to the start of treatment of those who count as treated."""
    begins = pl.col(EXPOSURE_START) / HOURS[unit.removesuffix("s")]
    before = pl.min_horizontal(begins, pl.col(time_column(outcome.name)))
    counted = pl.col(str(plan.group_variable)).cast(pl.String) != plan.reference
    rows = sample.frame.filter(counted & begins.is_finite())
    return float(rows.select(before.clip(lower_bound=0.0).sum()).item() or 0.0)
