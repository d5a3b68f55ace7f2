"""Sample makers: the eligible patients of an analysis become the rows its method works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse import emulation
from counterpulse.data.design import level_text
from counterpulse.data.sample import Sample
from counterpulse.expression import Scope
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.protocol.planned_review import EFFECT
from counterpulse.protocol.words import HOURS, Duration
from counterpulse.results import Cell, FlowStep, Notice
from counterpulse.study.patients.cohort import Cohort, patients
from counterpulse.study.patients.derive import condition
from counterpulse.study.patients.emulation_sample import EVENT, EXPOSED_AT, TIME, emulation_sample
from counterpulse.study.patients.flow_boxes import group_counts
from counterpulse.study.patients.made_sample import MadeSample, details_of
from counterpulse.study.patients.measurements import PATIENT, ROW
from counterpulse.study.patients.outcomes import EXPOSED_BEFORE, EXPOSURE_START, FOLLOWED
from counterpulse.study.patients.reach import with_reach
from counterpulse.study.request import START, cause_column, dead_column, event_column, time_column
from counterpulse.study.reviewing.sample import effect_sample

EXPOSED, STOP, EVENT_AT_STOP = "exposed.", "stop.", "event_at_stop."
FOREVER = 1e9


def make_samples(
    plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, cohort: Cohort, keep: pl.Expr | None
) -> tuple[MadeSample, ...]:
    """The samples of one outcome of one analysis; of a repeated outcome a row is a measurement, of a review an effect."""
    if outcome.kind == EFFECT:
        return (effect_sample(plan, analysis, outcome, _eligible(plan, analysis, cohort, keep)),)
    made = tuple(alive_only(plan, analysis, outcome, one) for one in _patients(plan, analysis, outcome, cohort, keep))
    if outcome.kind == "repeated":
        return tuple(_measured(analysis, outcome, cohort, one) for one in made)
    return made


def _patients(
    plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, cohort: Cohort, keep: pl.Expr | None
) -> tuple[MadeSample, ...]:
    eligible = _eligible(plan, analysis, cohort, keep)
    if not (plan.groups and EXPOSURE_START in eligible.frame.columns) or outcome.of_group is not None:
        return (MadeSample(sample=eligible),)
    if analysis.maker == "as observed":
        made: tuple[MadeSample, ...] = (MadeSample(sample=eligible, notices=_immortal_time(plan, analysis, eligible)),)
    else:
        made = MAKERS[analysis.maker](plan, analysis, outcome, eligible)
    made = tuple(replace(one, notices=(*one.notices, *_begun_before(analysis, outcome, one.sample))) for one in made)
    everybody = eligible if keep is None else _eligible(plan, analysis, cohort, None)
    return tuple(with_reach(plan, analysis, outcome, everybody, one) for one in made)


def _immortal_time(plan: Plan, analysis: PlannedAnalysis, eligible: Sample) -> tuple[Notice, ...]:
    """What is credited to a treatment that began after time zero, where nothing removes it."""
    treated = eligible.frame[str(plan.group_variable)] != plan.reference
    hours = eligible.frame.filter(treated)[EXPOSURE_START]
    late = hours.filter(hours.is_finite() & (hours > 0))
    if late.is_empty():
        return ()
    text = (
        f"Immortal time is not removed. Treated from time zero though treatment began later: {patients(len(late))}; "
        f"the {late.sum() / 24:,.0f} days before, in which nobody of them could die, are credited to the treatment."
    )
    return (Notice("W622", analysis.id, text),)


def _begun_before(analysis: PlannedAnalysis, outcome: PlannedOutcome, sample: Sample) -> tuple[Notice, ...]:
    """Those whose treatment is older than their follow-up: they lived through its first days before anybody looked."""
    rows = sample.frame[EXPOSED_BEFORE].fill_null(value=False).to_numpy()
    before = len(np.unique(sample.row_of_origin[rows]))
    if not before:
        return ()
    text = (
        f"{outcome.label}: {patients(before)} began treatment before time zero and count as treated from time zero on, though those "
        "who did not survive its beginning are not among them; correct the table, or exclude them by a criterion of eligibility."
    )
    return (Notice("W676", analysis.id, text),)


def _eligible(plan: Plan, analysis: PlannedAnalysis, cohort: Cohort, keep: pl.Expr | None) -> Sample:
    member = cohort.populations[analysis.population]
    if keep is not None:
        member = member & cohort.frame.select(keep.fill_null(False).alias("keep"))["keep"].to_numpy()
    population = plan.populations.get(analysis.population)
    frame = cohort.frame
    if population is not None and population.analyze_as not in (None, plan.group_variable):
        levels = [group.level for group in plan.groups]
        other = level_text(frame[str(population.analyze_as)])
        kind = frame[str(plan.group_variable)].dtype
        frame = frame.with_columns(other.set(~other.is_in(levels), None).cast(kind).alias(str(plan.group_variable)))
    if plan.group_variable is not None:
        member = member & frame[plan.group_variable].is_not_null().to_numpy()
    rows = np.flatnonzero(member)
    return Sample(frame=frame[rows], row_of_origin=cohort.row_of_origin[rows], stage=("eligible",))


def _landmarks(
    plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, eligible: Sample
) -> tuple[MadeSample, ...]:
    several = len(analysis.landmarks) > 1
    return tuple(
        _landmark(plan, analysis, outcome, eligible, mark, f"landmark {mark}" if several else None)
        for mark in analysis.landmarks
    )


def _landmark(
    plan: Plan,
    analysis: PlannedAnalysis,
    outcome: PlannedOutcome,
    eligible: Sample,
    mark: Duration,
    variant: str | None,
) -> MadeSample:
    """Patients followed to the landmark, grouped by the treatment given by then; the clock still starts at time zero."""
    known, timed, unit = _timed(plan, outcome, eligible)
    made = emulation.landmark(
        timed, time=TIME, event=EVENT, exposure_time=EXPOSED_AT, at=mark.within(unit), exposure=EXPOSED
    )
    frame = _regrouped(plan, made.sample.frame)
    if outcome.kind == "time-to-event":
        frame = frame.with_columns(pl.lit(mark.within(unit)).alias(START))
    origin = eligible.row_of_origin[known][made.sample.row_of_origin]
    removed, unknown = made.removed_events + made.removed_censored, eligible.frame.height - len(known)
    label = f"Not followed to the landmark at {mark} ({analysis.id})"
    step = FlowStep(
        id=f"landmark.{analysis.id}.{outcome.name}.{mark}".replace(" ", "-"), kind="design", n=removed + unknown, label=label,
        by_group=group_counts(plan, frame),
    )  # fmt: skip
    text = (
        f"{outcome.label}: {removed} patients ({made.removed_exposed} of them treated) were not followed to the landmark at "
        f"{mark}; {made.reclassified} who were treated later count as untreated"
    ) + (
        f"; for {unknown} the follow-up or the start of treatment is unknown, and they are left out: complete the times, or "
        "exclude them by a criterion of eligibility."
        if unknown
        else "."
    )
    return MadeSample(
        sample=Sample(frame=frame, row_of_origin=origin, stage=(*eligible.stage, f"landmark {mark}")),
        variant=variant,
        flow=(step,),
        notices=(Notice("W620", analysis.id, text),),
        landmark=mark,
        details=details_of(
            variant or outcome.name,
            removed=removed, removed_treated=made.removed_exposed, reclassified=made.reclassified, unknown=unknown,
            **(_person_time(made) if outcome.kind == "time-to-event" else {}),
        ),
    )  # fmt: skip


def _measured(analysis: PlannedAnalysis, outcome: PlannedOutcome, cohort: Cohort, made: MadeSample) -> MadeSample:
    """Every patient with each measurement: its value and its hours since time zero; after a landmark, those from it on."""
    before, name = made.sample, outcome.name
    owners = pl.DataFrame({PATIENT: before.row_of_origin.astype(np.uint32), ROW: np.arange(before.frame.height)})
    rows = owners.join(cohort.measurements[name], on=PATIENT, how="inner", maintain_order="left_right")
    details: dict[str, Cell] = {}
    if made.landmark is not None:
        early = pl.col(time_column(name)) < made.landmark.hours
        details["before_landmark"] = int(rows.select(early.sum()).item())
        rows = rows.filter(~early)
    index = rows[ROW].to_numpy()
    frame = before.frame[index].drop(name, time_column(name), strict=False).hstack(rows.select(name, time_column(name)))
    origin = before.row_of_origin[index]
    measured = len(np.unique(origin))
    without = before.frame.height - measured
    details |= {"patients": measured, "measurements": frame.height, "patients_without_measurement": without}
    text = f"{outcome.label}: {patients(without)} without a measurement, and not analyzed."
    return replace(
        made,
        sample=replace(
            before, frame=frame, row_of_origin=origin, cluster=origin, stage=(*before.stage, "measurements")
        ),
        notices=(*made.notices, Notice("W661", analysis.id, text)) if without else made.notices,
        details={**(made.details or {}), **details_of(made.variant or name, **details)},
    )


def _split(plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, eligible: Sample) -> tuple[MadeSample, ...]:
    """Each patient's follow-up cut where the exposure starts: untreated before, treated after."""
    known, timed, unit = _timed(plan, outcome, eligible)
    half_step = _half_step(plan, timed, unit)
    names = (START, STOP, EVENT_AT_STOP, EXPOSED)
    made = emulation.split_at_exposure(
        timed, time=TIME, event=EVENT, exposure_time=EXPOSED_AT, half_step=half_step, names=names
    )
    rows = _regrouped(plan, made.sample.frame).with_columns(
        pl.col(STOP).alias(time_column(outcome.name)), pl.col(EVENT_AT_STOP).alias(event_column(outcome.name))
    )
    cause = cause_column(outcome.name)
    if cause in rows.columns:
        last = pl.col(STOP) == pl.col(STOP).max().over(pl.Series(made.sample.row_of_origin))
        rows = rows.with_columns(pl.when(last).then(cause).otherwise(pl.lit("censored", rows.schema[cause])))
    origin = eligible.row_of_origin[known][made.sample.row_of_origin]
    sample = Sample(
        frame=rows, row_of_origin=origin, start=made.start, stop=made.stop, cluster=origin,
        stage=(*eligible.stage, "split at the start of exposure"),
    )  # fmt: skip
    unknown = eligible.frame.height - len(known)
    text = (
        f"{outcome.label}: for {unknown} patients the follow-up or the start of treatment is unknown, and they are left out; complete "
        "the times, or exclude them by a criterion of eligibility."
    )
    details = details_of(
        outcome.name,
        ever_treated=made.n_exposed, unknown=unknown, coinciding=made.n_moved, coinciding_left_out=made.n_dropped,
        person_time_untreated=made.person_time[0], person_time_treated=made.person_time[1], half_step=half_step,
    )  # fmt: skip
    return (
        MadeSample(sample=sample, notices=(Notice("W621", analysis.id, text),) if unknown else (), details=details),
    )


MAKERS: Mapping[str, Callable[[Plan, PlannedAnalysis, PlannedOutcome, Sample], tuple[MadeSample, ...]]] = {
    "landmark": _landmarks,
    "time-varying": _split,
    "clone-censor-weight": emulation_sample,
    "sequential-trials": emulation_sample,
}


def _timed(plan: Plan, outcome: PlannedOutcome, eligible: Sample) -> tuple[NDArray[np.intp], pl.DataFrame, str]:
    """Rows whose follow-up and exposure are known, with both as times in one unit (null: never exposed)."""
    frame = eligible.frame
    if outcome.kind == "time-to-event":
        unit = outcome.time_unit or "days"
        time, event = pl.col(time_column(outcome.name)), pl.col(event_column(outcome.name))
    else:
        unit, time, event = "hours", pl.col(FOLLOWED).clip(upper_bound=FOREVER), pl.lit(False)
    began = pl.col(EXPOSURE_START) / HOURS[unit.removesuffix("s")]
    frame = frame.with_columns(
        time.cast(pl.Float64).alias(TIME), event.alias(EVENT), pl.when(began.is_finite()).then(began).alias(EXPOSED_AT)
    )
    unknown = pl.any_horizontal(pl.col(TIME, EVENT, EXPOSURE_START).is_null())
    known = np.flatnonzero(~frame.select(unknown.alias("unknown"))["unknown"].to_numpy())
    return known, frame[known], unit


def _half_step(plan: Plan, timed: pl.DataFrame, unit: str) -> float | None:
    """Half a day where dates have no time of day; half a unit where every time is whole; else None."""
    exposure = plan.protocol.exposure
    zero = plan.protocol.time_zero
    dates = [name for name in (zero, exposure.starts if exposure else None) if isinstance(name, str)]
    if any(plan.variables[name].kind == "date" for name in dates if name in plan.variables):
        return 12.0 / HOURS[unit.removesuffix("s")]
    times = timed.select(pl.col(TIME, EXPOSED_AT)).unpivot().drop_nulls()["value"]
    return 0.5 if (times == times.floor()).all() else None


def _regrouped(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The group column by the exposure of each row."""
    column = str(plan.group_variable)
    level = pl.when(pl.col(EXPOSED)).then(pl.lit(plan.treated[0])).otherwise(pl.lit(plan.reference))
    return frame.with_columns(level.cast(frame[column].dtype).alias(column))


def _person_time(made: emulation.LandmarkSample) -> dict[str, Cell]:
    return {
        "person_time_removed": made.person_time_removed, "person_time_reclassified": made.person_time_reclassified,
    }  # fmt: skip


def alive_only(plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, made: MadeSample) -> MadeSample:
    """Where only survivors are compared: without the dead, who are counted by group. It is not the randomized comparison."""
    truncation = outcome.truncation
    if truncation is None or truncation.plan != "survivors-only":
        return made
    before = made.sample
    dead = before.frame[dead_column(outcome.name)].fill_null(value=False).to_numpy()
    after = picked(before, np.flatnonzero(~dead))
    removed = len(np.unique(before.row_of_origin[dead]))
    totals, left = group_counts(plan, before.frame) or {}, group_counts(plan, after.frame) or {}
    lost = {group: n - left[group] for group, n in totals.items()}
    few = any(0 < n < plan.protocol.privacy.small_cells for n in (*lost.values(), *left.values()))
    among = (
        ""
        if few
        else "; ".join(
            f"{group.label}: {patients(lost[group.level])} of {totals[group.level]}" for group in plan.groups
        )
    )
    text = (
        f"{outcome.label}: only survivors are compared; {patients(removed)} died ({truncation.label}) and were left out"
        f"{f' ({among})' if among else ''}. The survivors of one group are other people than those of another, so the "
        "difference is no effect of the treatment even in a randomized trial."
    )
    step = FlowStep(
        id=f"survivors.{analysis.id}.{outcome.name}".replace(" ", "-"), kind="design", n=removed,
        label=f"Died before {outcome.label} could be measured ({analysis.id})", by_group=left or None,
    )  # fmt: skip
    details = details_of(
        made.variant or outcome.name, died=removed, **{f"died_{group}": n for group, n in lost.items() if not few}
    )
    return replace(
        made, sample=after, flow=(*made.flow, step), notices=(*made.notices, Notice("W670", analysis.id, text)),
        details={**(made.details or {}), **details},
    )  # fmt: skip


def picked(sample: Sample, rows: NDArray[np.intp]) -> Sample:
    """Some rows of a sample."""

    def some(values: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if values is None else values[rows]

    return replace(
        sample, frame=sample.frame[rows], row_of_origin=sample.row_of_origin[rows], weights=some(sample.weights),
        cluster=some(sample.cluster), start=some(sample.start), stop=some(sample.stop),
    )  # fmt: skip


def keep_rule(analysis: PlannedAnalysis, scope: Scope) -> pl.Expr | None:
    """The rule of an analysis that keeps only some patients."""
    return None if analysis.keep is None else condition(analysis.keep, scope)
