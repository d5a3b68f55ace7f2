"""The patients of an emulated trial: everybody whose follow-up and start of treatment can be placed in time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.sample import Sample
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.protocol.words import HOURS, Duration
from counterpulse.results import FlowStep, Notice
from counterpulse.study.patients.flow_boxes import group_counts
from counterpulse.study.patients.made_sample import MadeSample
from counterpulse.study.patients.outcomes import EXPOSED_BEFORE, EXPOSURE_START, FOLLOWED, TREATABLE
from counterpulse.study.request import event_column, time_column

TIME, EVENT, EXPOSED_AT, UNTIL, END = "time.", "event.", "exposed_at.", "until.", "end."
"""Columns of the sample: follow-up, start of treatment (null: never), until when it could begin, and where all outcomes are known."""

A_DAY = 24.0
"""Hours by which two dates may seem to be in the wrong order, where one has no time of day."""

Bools = NDArray[np.bool_]


def time_unit_of(outcome: PlannedOutcome) -> str:
    """The unit of the times of an emulated trial."""
    return outcome.time_unit or "days"


def emulation_sample(
    plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, eligible: Sample
) -> tuple[MadeSample, ...]:
    """Follow-up, event and start of treatment as times in one unit; who has none that can be, is left out and counted."""
    hours = HOURS[time_unit_of(outcome).removesuffix("s")]
    timed = _timed(eligible.frame, outcome, hours, _grace(analysis).hours / hours)
    slack = A_DAY if _coarse(plan) else 0.0
    reasons = _unusable(plan, outcome, timed, slack, slack / hours)
    lost = np.zeros(timed.height, dtype=bool)
    counts: dict[str, int] = {}
    for why, mask in reasons.items():
        counts[why] = int(np.count_nonzero(mask & ~lost))
        lost |= mask
    kept = np.flatnonzero(~lost)
    frame = _placed(timed[kept], slack / hours)
    sample = Sample(frame=frame, row_of_origin=eligible.row_of_origin[kept], stage=(*eligible.stage, analysis.maker))
    if not lost.any():
        return (MadeSample(sample=sample),)
    step = FlowStep(
        id=f"emulation.{analysis.id}.{outcome.name}".replace(" ", "-"), kind="design", n=int(lost.sum()),
        label=f"Could not be placed in time ({analysis.id})", by_group=group_counts(plan, frame),
    )  # fmt: skip
    return (MadeSample(sample=sample, flow=(step,), notices=(_notice(analysis, outcome, counts),)),)


def _grace(analysis: PlannedAnalysis) -> Duration:
    grace = analysis.options.get("grace")
    return grace if isinstance(grace, Duration) else Duration(0.0, "hours")


def _coarse(plan: Plan) -> bool:
    """Whether a date without time of day stands among those that are compared."""
    nodes = plan.protocol
    names = [nodes.time_zero, nodes.exposure.starts if nodes.exposure else None, _death(plan)]
    return any(
        isinstance(name, str) and name in plan.variables and plan.variables[name].kind == "date" for name in names
    )


def _death(plan: Plan) -> str | None:
    return plan.protocol.follow_up.death if plan.protocol.follow_up is not None else None


def _timed(frame: pl.DataFrame, outcome: PlannedOutcome, hours: float, grace: float) -> pl.DataFrame:
    """The columns of times, unknown where they are; a yes/no outcome is given its time at the end of what is known."""
    began, until = pl.col(EXPOSURE_START) / hours, pl.col(TREATABLE) / hours
    frame = frame.with_columns(
        pl.when(began.is_finite()).then(began).alias(EXPOSED_AT),
        pl.when(until.is_finite()).then(until).alias(UNTIL),
    )
    if outcome.kind == "time-to-event":
        time, event = pl.col(time_column(outcome.name)).cast(pl.Float64), pl.col(event_column(outcome.name))
        return frame.with_columns(time.alias(TIME), event.alias(EVENT))
    followed = (pl.col(FOLLOWED) / hours).alias(TIME)
    known = frame.select(followed, EXPOSED_AT, UNTIL).unpivot().drop_nulls()["value"]
    last = known.filter(known.is_finite()).max()
    end = max(float(last) if isinstance(last, int | float) else 0.0, grace, 0.0) + 1.0
    event = pl.col(outcome.name).cast(pl.Boolean)
    observed = pl.min_horizontal(pl.col(UNTIL), followed)
    return frame.with_columns(
        pl.when(event).then(followed.clip(upper_bound=end)).otherwise(pl.when(followed.is_not_null()).then(end + 1)).alias(TIME),
        pl.when(observed.is_finite()).then(observed).alias(UNTIL), event.alias(EVENT), pl.lit(end).alias(END),
    )  # fmt: skip


def _unusable(
    plan: Plan, outcome: PlannedOutcome, timed: pl.DataFrame, slack_hours: float, slack: float
) -> Mapping[str, Bools]:
    """Who cannot be placed in time, by reason; a patient may have several. Dates leave a day of doubt (`slack`)."""
    exposure = plan.protocol.exposure
    starts = str(exposure.starts) if exposure is not None else ""
    unknown = timed[EXPOSURE_START].is_null()
    treated = timed[str(plan.group_variable)].cast(pl.String).is_in(list(plan.treated)).fill_null(value=False)
    followed = timed.select(pl.any_horizontal(pl.col(TIME, EVENT).is_null()).alias("unknown"))["unknown"]
    if _death(plan) is not None:
        dead, began = pl.col(str(_death(plan))).is_not_null(), pl.col(EXPOSURE_START)
        late = timed.select((dead & began.is_finite() & (began > pl.col(FOLLOWED) + slack_hours)).alias("late"))
    elif outcome.kind == "time-to-event":
        late = timed.select((pl.col(EVENT) & (pl.col(EXPOSED_AT) > pl.col(TIME) + slack)).alias("late"))
    else:
        late = pl.DataFrame({"late": [False] * timed.height})
    masks = {
        f"treated before time zero ('{starts}')": timed[EXPOSED_BEFORE],
        f"treated, and when is unknown ('{starts}')": unknown & treated,
        f"whether or when treated is unknown ('{starts}')": unknown,
        f"treated after the end of their follow-up by death ('{starts}')": late["late"],
        f"outcome or end of follow-up unknown ('{outcome.name}')": followed,
    }
    return {why: mask.fill_null(value=False).to_numpy() for why, mask in masks.items()}


def _placed(frame: pl.DataFrame, slack: float) -> pl.DataFrame:
    """Exposures after an event that leaves a patient alive are none; on the day of the event they come before it."""
    late = pl.col(EVENT) & (pl.col(EXPOSED_AT) > pl.col(TIME))
    near = late & (pl.col(EXPOSED_AT) <= pl.col(TIME) + slack)
    exposed = pl.when(near).then(pl.col(TIME)).when(late).then(None).otherwise(pl.col(EXPOSED_AT))
    return frame.with_columns(exposed.alias(EXPOSED_AT))


def _notice(analysis: PlannedAnalysis, outcome: PlannedOutcome, counts: Mapping[str, int]) -> Notice:
    listed = "; ".join(f"{why}: {n}" for why, n in counts.items() if n)
    text = (
        f"{outcome.label}: patients who cannot be placed in time are left out ({listed}); correct the table, or exclude them by a "
        "criterion of eligibility."
    )
    return Notice("W675", analysis.id, text)
