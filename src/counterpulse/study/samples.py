"""Sample makers: the eligible patients of an analysis become the rows its method works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse import emulation
from counterpulse.data.sample import Sample
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.protocol.words import HOURS, Duration
from counterpulse.results import Cell, FlowStep, Notice
from counterpulse.study.cohort import Cohort, group_counts
from counterpulse.study.derive import condition
from counterpulse.study.outcomes import EXPOSURE_START, FOLLOWED
from counterpulse.study.request import START, event_column, time_column


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSample:
    """A sample with what its making removed; `variant` names it where an analysis has several."""

    sample: Sample
    variant: str | None = None
    flow: tuple[FlowStep, ...] = ()
    notices: tuple[Notice, ...] = ()
    details: Mapping[str, Cell] | None = None


def make_samples(
    plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, cohort: Cohort, keep: pl.Expr | None
) -> tuple[MadeSample, ...]:
    """The samples of one outcome of one analysis."""
    eligible = _eligible(plan, analysis, cohort, keep)
    if analysis.maker == "as observed" or not (plan.groups and EXPOSURE_START in eligible.frame.columns):
        return (MadeSample(sample=eligible),)
    return MAKERS[analysis.maker](plan, analysis, outcome, eligible)


def _eligible(plan: Plan, analysis: PlannedAnalysis, cohort: Cohort, keep: pl.Expr | None) -> Sample:
    member = cohort.populations[analysis.population]
    if keep is not None:
        member = member & cohort.frame.select(keep.fill_null(False).alias("keep"))["keep"].to_numpy()
    population = plan.populations.get(analysis.population)
    frame = cohort.frame
    if population is not None and population.analyze_as not in (None, plan.group_variable):
        levels = [group.level for group in plan.groups]
        other = frame[str(population.analyze_as)].cast(pl.String)
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
    followed, unknown = _followed(eligible.frame, outcome)
    made = emulation.landmark(time=followed, exposure_start=_hours(eligible.frame[EXPOSURE_START]), at=mark.hours)
    frame = eligible.frame[made.rows]
    treated, reference = _two_levels(plan)
    group = pl.Series(np.where(made.exposed, treated, reference)).cast(eligible.frame[str(plan.group_variable)].dtype)
    frame = frame.with_columns(group.alias(str(plan.group_variable)))
    if outcome.kind == "time-to-event":
        frame = frame.with_columns(pl.lit(mark.within(outcome.time_unit or "days")).alias(START))
    sample = Sample(
        frame=frame, row_of_origin=eligible.row_of_origin[made.rows], stage=(*eligible.stage, f"landmark {mark}")
    )
    prefix = f"{analysis.id}.{outcome.name}.landmark-{mark}".replace(" ", "-")
    step = FlowStep(
        id=prefix, kind="design", n=made.removed + unknown, label=f"Not followed to the landmark at {mark} ({analysis.id})",
        by_group=group_counts(plan, frame),
    )  # fmt: skip
    text = (
        (
            f"{made.removed} patients were not followed to the landmark at {mark} and {made.reclassified} who were treated "
            "later count as untreated"
        )
        + (f"; for {unknown} the follow-up or the start of treatment is unknown" if unknown else "")
        + "."
    )
    details = {
        "landmark_removed": made.removed,
        "landmark_reclassified": made.reclassified,
        "landmark_unknown": unknown,
    }
    if variant is not None:
        details = {f"{variant} {key}": value for key, value in details.items()}
    return MadeSample(
        sample=sample, variant=variant, flow=(step,), notices=(Notice("W620", analysis.id, text),), details=details
    )


def _split(plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, eligible: Sample) -> tuple[MadeSample, ...]:
    """Each patient's follow-up cut where the exposure starts: untreated before, treated after."""
    unit = HOURS[(outcome.time_unit or "days").removesuffix("s")]
    frame = eligible.frame
    columns = (time_column(outcome.name), event_column(outcome.name))
    known = ~frame.select(pl.any_horizontal(pl.col(*columns, EXPOSURE_START).is_null()).alias("u"))["u"].to_numpy()
    frame = frame.filter(known)
    made = emulation.split_at_exposure(
        time=frame[columns[0]].to_numpy(),
        event=frame[columns[1]].to_numpy(),
        exposure_start=frame[EXPOSURE_START].to_numpy() / unit,
    )
    treated, reference = _two_levels(plan)
    group = pl.Series(np.where(made.exposed, treated, reference)).cast(frame[str(plan.group_variable)].dtype)
    rows = frame[made.rows].with_columns(
        group.alias(str(plan.group_variable)),
        pl.Series(START, made.start),
        pl.Series(columns[0], made.stop),
        pl.Series(columns[1], made.event),
    )
    origin = eligible.row_of_origin[np.flatnonzero(known)][made.rows]
    sample = Sample(
        frame=rows, row_of_origin=origin, start=made.start, stop=made.stop, cluster=origin,
        stage=(*eligible.stage, "split at the start of exposure"),
    )  # fmt: skip
    unknown = int((~known).sum())
    notices = [
        Notice("W621", analysis.id, f"{unknown} patients have no known time of exposure or outcome and are left out.")
    ]
    return (MadeSample(sample=sample, notices=tuple(notices) if unknown else ()),)


MAKERS: Mapping[str, Callable[[Plan, PlannedAnalysis, PlannedOutcome, Sample], tuple[MadeSample, ...]]] = {
    "landmark": _landmarks,
    "time-varying": _split,
}


def _two_levels(plan: Plan) -> tuple[str, str]:
    treated = next(group.level for group in plan.groups if not group.is_reference)
    return treated, next(group.level for group in plan.groups if group.is_reference)


def _hours(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64).to_numpy()


def _followed(frame: pl.DataFrame, outcome: PlannedOutcome) -> tuple[NDArray[np.float64], int]:
    """Hours followed, by the outcome's own time where it has one; nan where unknown, and for how many."""
    if outcome.kind == "time-to-event":
        hours = (
            frame[time_column(outcome.name)].cast(pl.Float64) * HOURS[(outcome.time_unit or "days").removesuffix("s")]
        )
    else:
        hours = frame[FOLLOWED]
    unknown = (hours.is_null() | frame[EXPOSURE_START].is_null()).sum()
    return hours.fill_null(float("nan")).to_numpy(), int(unknown)


def keep_rule(analysis: PlannedAnalysis, scope: object) -> pl.Expr | None:
    """The rule of an analysis that keeps only some patients."""
    return None if analysis.keep is None else condition(analysis.keep, scope)  # type: ignore[arg-type]
