"""Patients of the study with a simulated outcome, in the form in which an analysis takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.random_streams import stream
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.words import HOURS
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.patients.outcomes import CAUSES, EXPOSURE_START, FOLLOWED, TREATABLE
from counterpulse.study.rehearsing.assumptions import Assumed, predicted
from counterpulse.study.rehearsing.outcome_draws import (
    draw_events,
    draw_time_to_event,
    exponential_times,
    log_odds_of_risk,
    log_rate_of_risk,
)
from counterpulse.study.request import cause_column, event_column, time_column

Vector = NDArray[np.float64]
Rows = NDArray[np.intp]
STREAM = "rehearsal"
TWINS = 50_000
FEWER_TWINS = 2_000
"""People behind a truth, at least, where treatment has an effect and where it has none: each is simulated once in every group.

Without an effect all groups have the same outcomes, however many people there are.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """The compared patients with what is assumed of one outcome.

    Attributes
    ----------
    frame : of n patients; `members` says of each population who belongs to it
    prognosis : shape (n,), by their measured covariates
    starts : shape (n,), when their treatment begins if they live to see it, in the unit of the outcome; infinity: never
    level : of the outcome in the reference group: log odds, log rate, or 0 for a mean
    """

    plan: Plan
    assumed: Assumed
    frame: pl.DataFrame
    members: dict[str, NDArray[np.bool_]]
    prognosis: Vector
    starts: Vector
    level: float

    @property
    def group(self) -> str:
        """The column of the groups."""
        return str(self.plan.group_variable)

    @property
    def treated(self) -> NDArray[np.bool_]:
        """Who is treated in the data, shape (n,)."""
        return np.isfinite(self.starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """People about to be given an outcome: rows of `frame`, their group, when they are treated, and their chances."""

    frame: pl.DataFrame
    members: dict[str, NDArray[np.bool_]]
    groups: pl.Series
    starts: Vector
    prognosis: Vector
    chances: NDArray[np.float64]


def compared_patients(cohort: Cohort, plan: Plan) -> Cohort:
    """Those in a compared group."""
    rows = np.flatnonzero(cohort.frame[str(plan.group_variable)].is_not_null().to_numpy())
    members = {name: mask[rows] for name, mask in cohort.populations.items()}
    return replace(cohort, frame=cohort.frame[rows], row_of_origin=cohort.row_of_origin[rows], populations=members)


def assumed_patients(plan: Plan, cohort: Cohort, assumed: Assumed) -> Patients:
    """The compared patients with what is assumed of an outcome."""
    frame = cohort.frame
    prognosis = predicted(assumed, frame)
    treated = (frame[str(plan.group_variable)] != plan.reference).to_numpy()
    began = np.zeros(frame.height)
    if EXPOSURE_START in frame.columns:
        hours = frame[EXPOSURE_START].fill_null(0.0).to_numpy() / HOURS[assumed.unit.removesuffix("s")]
        began = np.where(np.isfinite(hours), hours, 0.0)
    spread = 0.0 if assumed.unmeasured is None else abs(assumed.unmeasured.outcome)
    return Patients(
        plan=plan, assumed=assumed, frame=frame, members=cohort.populations, prognosis=prognosis,
        starts=np.where(treated, began, np.inf), level=_level(assumed, prognosis[~treated], spread),
    )  # fmt: skip


def simulated_study(patients: Patients, *, effect: float, n: int, seed: int, replicate: int) -> Cohort:
    """One study: n patients drawn with replacement, covariates and exposure as they stand in the data, the outcome simulated."""
    random = stream(seed, f"{STREAM} {patients.assumed.name}", replicate)
    rows = random.integers(0, patients.frame.height, n)
    chances = 1 - random.random((3, n))
    unmeasured = random.standard_normal(n)
    drawn = _Drawn(
        frame=patients.frame[rows], members={name: mask[rows] for name, mask in patients.members.items()},
        groups=patients.frame[patients.group][rows], starts=patients.starts[rows],
        prognosis=patients.prognosis[rows] + _hidden_part(patients, rows, unmeasured), chances=chances,
    )  # fmt: skip
    return _with_outcome(patients, drawn, effect)


def twins(patients: Patients, *, people: Rows, effect: float, starts: float, seed: int) -> Cohort:
    """The same people in every group with the same chances: treated from the time `starts` on, or never.

    Nothing but the treatment differs between the groups, so an analysis of them gives the truth that it is after. Each of the
    `people` (rows of the patients) stands for several, whose chances divide the unit interval evenly.
    """
    copies = ceil((TWINS if patients.assumed.on_scale(effect) else FEWER_TWINS) / len(people))
    rows, total = np.repeat(people, copies), len(people) * copies
    random = stream(seed, f"{STREAM} truth {patients.assumed.name}")
    chances = 1 - random.random((3, total))
    chances[0] = (np.tile(np.arange(copies), len(people)) + chances[0]) / copies
    prognosis = patients.prognosis[rows] + _hidden_part(patients, rows, random.standard_normal(total))
    levels = (patients.plan.reference, *patients.plan.treated)
    kind = patients.frame[patients.group].dtype
    every = np.tile(rows, len(levels))
    drawn = _Drawn(
        frame=patients.frame[every], members={name: mask[every] for name, mask in patients.members.items()},
        groups=pl.Series(np.repeat(np.array(levels), total)).cast(kind),
        starts=np.repeat([np.inf, *([starts] * (len(levels) - 1))], total),
        prognosis=np.tile(prognosis, len(levels)), chances=np.tile(chances, len(levels)),
    )  # fmt: skip
    return _with_outcome(patients, drawn, effect)


def _level(assumed: Assumed, prognosis: Vector, spread: float) -> float:
    """What gives the reference group its assumed risk."""
    if assumed.risk is None:
        return 0.0
    if assumed.kind == "binary":
        return log_odds_of_risk(prognosis, assumed.risk, spread=spread)
    assert assumed.by is not None
    return log_rate_of_risk(prognosis, assumed.risk, by=assumed.by, shape=assumed.shape, spread=spread)


def _hidden_part(patients: Patients, rows: Rows, normal: Vector) -> Vector:
    """What an unmeasured confounder adds to the prognosis."""
    unmeasured = patients.assumed.unmeasured
    if unmeasured is None:
        return np.zeros(len(rows))
    return unmeasured.outcome * (normal + unmeasured.exposure * patients.treated[rows])


def _with_outcome(patients: Patients, drawn: _Drawn, effect: float) -> Cohort:
    """The patients with their outcome, in the group that they lived to be in."""
    assumed = patients.assumed
    found = _OUTCOMES[assumed.kind](assumed, patients.level, drawn, assumed.on_scale(effect))
    meant = drawn.groups != patients.plan.reference
    group = drawn.groups.set(meant & ~pl.Series(found.treated), patients.plan.reference)
    frame = drawn.frame.with_columns(*found.columns, group.alias(patients.group))
    if EXPOSURE_START in frame.columns:
        frame = frame.with_columns(*_timing(assumed, drawn, found))
    return Cohort(frame=frame, row_of_origin=np.arange(frame.height), flow=(), populations=drawn.members)


def _timing(assumed: Assumed, drawn: _Drawn, found: _Outcome) -> list[pl.Series]:
    """Hours to treatment, to the end of what is known, and to when no treatment could begin any more.

    A start of treatment that the data do not know stays unknown.
    """
    hours = HOURS[assumed.unit.removesuffix("s")]
    unknown = drawn.frame[EXPOSURE_START].is_null() & pl.Series(found.treated)
    began = pl.Series(EXPOSURE_START, np.where(found.treated, drawn.starts * hours, np.inf))
    ends = (pl.Series(FOLLOWED, found.followed * hours), pl.Series(TREATABLE, found.treatable * hours))
    return [began.set(unknown, None), *ends]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The columns of an outcome; who was treated; until when who is known to be followed, and could have been treated."""

    columns: list[pl.Series]
    treated: NDArray[np.bool_]
    followed: Vector
    treatable: Vector


def _binary(assumed: Assumed, level: float, drawn: _Drawn, effect: float) -> _Outcome:
    late = assumed.fatal and assumed.within is not None
    starts = drawn.starts if late else np.where(np.isfinite(drawn.starts), 0.0, np.inf)
    found = draw_events(
        drawn.chances[0], drawn.prognosis, starts, log_odds=level, shape=assumed.shape, log_effect=effect,
        within=assumed.within or 1.0,
    )  # fmt: skip
    ends = found.time if late else np.full(len(starts), np.inf)
    return _Outcome([pl.Series(assumed.name, found.event)], found.treated, ends, ends)


def _time_to_event(assumed: Assumed, level: float, drawn: _Drawn, effect: float) -> _Outcome:
    assert assumed.within is not None
    found = draw_time_to_event(
        drawn.chances[0], exponential_times(drawn.chances[1], assumed.lost, assumed.within),
        exponential_times(drawn.chances[2], assumed.competing, assumed.within), drawn.prognosis, drawn.starts,
        log_rate=level, shape=assumed.shape, log_effect=effect, within=assumed.within, fatal=assumed.fatal,
    )  # fmt: skip
    columns = [pl.Series(event_column(assumed.name), found.event), pl.Series(time_column(assumed.name), found.time)]
    if cause_column(assumed.name) in drawn.frame.columns:
        cause = np.where(found.event, "event", np.where(found.competing, "competing", "censored"))
        columns.append(pl.Series(cause_column(assumed.name), cause).cast(CAUSES))
    ended = found.competing | (found.event & assumed.fatal)
    return _Outcome(columns, found.treated, found.time, np.where(ended, found.time, np.inf))


def _continuous(assumed: Assumed, level: float, drawn: _Drawn, effect: float) -> _Outcome:
    from scipy.special import ndtri

    treated = np.isfinite(drawn.starts)
    value = assumed.mean + assumed.sd * (drawn.prognosis + level + effect * treated + ndtri(drawn.chances[0]))
    forever = np.full(len(treated), np.inf)
    return _Outcome([pl.Series(assumed.name, value)], treated, forever, forever)


_OUTCOMES = {"binary": _binary, "time-to-event": _time_to_event, "continuous": _continuous}
