"""Outcomes become columns: an event, a time from time zero, a value."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression import Scope, names, parse, to_polars
from counterpulse.protocol.analysis_nodes import FreeDays
from counterpulse.protocol.nodes import CountedTime, Outcome, ProtocolNode
from counterpulse.protocol.words import HOURS, UNITS
from counterpulse.study.patients.derive import condition
from counterpulse.study.request import (
    cause_column,
    dead_column,
    died_at_column,
    event_column,
    level_column,
    time_column,
)

CAUSES = pl.Enum(["censored", "event", "competing"])
EXPOSURE_START = "exposure_start."
EXPOSED_BEFORE = "exposed_before."
TREATABLE = "treatable."
FOLLOWED = "followed."


def outcome_kind(outcome: Outcome) -> str:
    """The kind of data an outcome is: a composite is binary (`any_of`) or a time to the first event (`first_of`).

    Values cut short by death are a time to their end where death competes, and ranks where death is the worst of them.
    """
    if outcome.truncated_by is not None:
        plans = set(outcome.truncated_by.values())
        return "time-to-event" if "competing" in plans else "worst-rank" if "worst-rank" in plans else outcome.type
    if outcome.type != "composite":
        return outcome.type
    return "binary" if outcome.any_of is not None else "time-to-event"


def time_unit(outcome: Outcome, dictionary: Dictionary) -> str | None:
    """The unit of a time-to-event outcome: as said, as the horizon's, as the column's, else days."""
    if outcome_kind(outcome) != "time-to-event":
        return None
    if outcome.time_unit is not None:
        return outcome.time_unit
    if outcome.time is not None or outcome.value is not None:
        column = dictionary.variables.get(outcome.time or outcome.value or "")
        known = UNITS.get((column.unit or "").lower()) if column else None
        if known is not None:
            return known
    return outcome.horizon.unit if outcome.horizon is not None else "days"


def derive_outcomes(frame: pl.DataFrame, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> pl.DataFrame:
    """The frame with the columns of every outcome, and those that exposure and landmark need."""
    for name, outcome in nodes.outcomes.items():
        kind = outcome_kind(outcome)
        if outcome.free_days is not None:
            frame = frame.with_columns(_free_days(outcome.free_days, frame, dictionary, scope).alias(name))
        elif outcome.truncated_by is not None:
            frame = frame.with_columns(_number(outcome.value or "", frame, scope).alias(name))
        elif kind == "time-to-event":
            event, time, cause = _event_and_time(nodes, outcome, dictionary, scope)
            frame = frame.with_columns(event.alias(event_column(name)), time.alias(time_column(name)))
            if cause is not None:
                frame = frame.with_columns(cause.cast(CAUSES).alias(cause_column(name)))
            frame = _at_horizon(frame, name, outcome, time_unit(outcome, dictionary) or "days")
        elif kind == "binary":
            frame = frame.with_columns(_binary(outcome, scope).alias(name))
        elif kind != "repeated":  # whose measurements are rows of another table
            assert outcome.value is not None
            frame = frame.with_columns(_number(outcome.value, frame, scope).alias(name), *_levels(outcome, name, frame))
    for name, outcome in nodes.outcomes.items():
        if outcome.truncated_by is not None:
            frame = _truncated(frame, name, outcome, nodes, dictionary, scope)
    return _exposure(frame, nodes, dictionary, scope)


def columns_behind(outcome: Outcome) -> set[str]:
    """The names that an outcome is made of, as the protocol writes them."""
    rules = [outcome.event, outcome.time, outcome.value, *(outcome.any_of or ()), *(outcome.first_of or ())]
    if outcome.free_days is not None:
        rules.append(outcome.free_days.support)
    return {name for rule in rules if rule is not None for name in names(parse(rule))}


def columns_of(name: str, kind: str) -> tuple[str, ...]:
    """The columns that hold an outcome; those of a repeated one are in its sample, where a row is a measurement."""
    if kind == "repeated":
        return (name, time_column(name))
    return (time_column(name), event_column(name)) if kind == "time-to-event" else (name,)


def elapsed(start: str, end: str, kinds: Mapping[str, str], unit: str) -> pl.Expr:
    """The time from one date column to another; whole days as soon as one of them has no time of day."""
    if "date" in (kinds[start], kinds[end]):
        hours = (pl.col(end).cast(pl.Date) - pl.col(start).cast(pl.Date)).dt.total_days() * 24.0
    else:
        hours = (pl.col(end) - pl.col(start)).dt.total_seconds() / 3600.0
    return hours / HOURS[unit.removesuffix("s")]


def _binary(outcome: Outcome, scope: Scope) -> pl.Expr:
    if outcome.any_of is None:
        assert outcome.event is not None
        return condition(outcome.event, scope)
    parts = [condition(name, scope) for name in outcome.any_of]
    combined = parts[0]
    for part in parts[1:]:
        combined = combined | part
    return combined


def _number(text: str, frame: pl.DataFrame, scope: Scope) -> pl.Expr:
    if text in frame.columns and isinstance(frame[text].dtype, pl.Enum):
        return pl.col(text).to_physical().cast(pl.Float64) + 1
    return to_polars(parse(text), scope).cast(pl.Float64)


def _levels(outcome: Outcome, name: str, frame: pl.DataFrame) -> tuple[pl.Expr, ...]:
    """The levels of an ordinal outcome in the order of the dictionary; its number above is their rank."""
    text = outcome.value
    if outcome.type != "ordinal" or text not in frame.columns or not isinstance(frame[text].dtype, pl.Enum):
        return ()
    return (pl.col(text).alias(level_column(name)),)


def _kinds(scope: Scope) -> dict[str, str]:
    return {name: symbol.kind for name, symbol in scope.items()}


def _event_and_time(
    nodes: ProtocolNode, outcome: Outcome, dictionary: Dictionary, scope: Scope
) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
    """Whether the event happened, the end of the time, and what ended it where something can compete."""
    if outcome.time is not None:
        assert outcome.event is not None
        event, time = condition(outcome.event, scope), pl.col(outcome.time).cast(pl.Float64)
        if outcome.competing is None:
            return event, time, None
        other = nodes.outcomes.get(outcome.competing)
        rule = outcome.competing if other is None or other.event is None else other.event
        return event, time, cause_of(event, condition(rule, scope))
    unit = time_unit(outcome, dictionary) or "days"
    assert isinstance(nodes.time_zero, str)
    zero, kinds = nodes.time_zero, _kinds(scope)
    event_time = pl.min_horizontal(*(elapsed(zero, date, kinds, unit) for date in event_dates(nodes, outcome)))
    ends = censoring_times(nodes, outcome, kinds, unit)
    dates = competing_dates(nodes, outcome)
    if not dates:
        time = pl.coalesce(event_time, ends)
        return pl.when(time.is_null()).then(None).otherwise(event_time.is_not_null()), time, None
    competing_time = pl.min_horizontal(*(elapsed(zero, date, kinds, unit) for date in dates))
    first = event_time.is_not_null() & (competing_time.is_null() | (event_time <= competing_time))
    time = pl.when(first).then(event_time).otherwise(pl.coalesce(competing_time, ends))
    happened = pl.when(time.is_null()).then(None).otherwise(first)
    return happened, time, cause_of(happened, competing_time.is_not_null())


def cause_of(event: pl.Expr, competing: pl.Expr) -> pl.Expr:
    """What ended a time: "event", else "competing", else "censored"; null where that is unknown."""
    known = pl.when(competing).then(pl.lit("competing")).when(~competing).then(pl.lit("censored"))
    return pl.when(event).then(pl.lit("event")).when(~event).then(known)


def competing_dates(nodes: ProtocolNode, outcome: Outcome) -> tuple[str, ...]:
    """The date columns of what makes the event impossible; death does where it is not part of the event."""
    follow_up = {} if nodes.follow_up is None else nodes.follow_up.model_dump()
    found: list[str] = []
    if outcome.competing is not None:
        other = nodes.outcomes.get(outcome.competing)
        found += (
            [str(follow_up.get(outcome.competing) or outcome.competing)] if other is None else event_dates(nodes, other)
        )
    if follow_up.get("after_discharge") == "competing" and follow_up.get("discharge"):
        found.append(str(follow_up["discharge"]))
    return tuple(name for name in dict.fromkeys(found) if name not in event_dates(nodes, outcome))


def event_dates(nodes: ProtocolNode, outcome: Outcome) -> tuple[str, ...]:
    """The date columns whose first is the event; a key of `follow_up` stands for its column."""
    follow_up = {} if nodes.follow_up is None else nodes.follow_up.model_dump()
    written = tuple(outcome.first_of) if outcome.first_of is not None else (str(outcome.event),)
    return tuple(str(follow_up.get(name) or name) for name in written)


def censoring_times(nodes: ProtocolNode, outcome: Outcome, kinds: Mapping[str, str], unit: str) -> pl.Expr:
    """Where a patient without the event stops being watched: at death, when last seen, at discharge as declared."""
    follow_up, zero = nodes.follow_up, str(nodes.time_zero)
    if follow_up is None:
        return pl.lit(None, dtype=pl.Float64)
    ends: list[pl.Expr] = []
    if follow_up.last_seen is not None:
        ends.append(elapsed(zero, follow_up.last_seen, kinds, unit))
    if follow_up.discharge is not None:
        left = elapsed(zero, follow_up.discharge, kinds, unit)
        if follow_up.after_discharge == "alive" and outcome.horizon is not None:
            left = (
                pl.when(left.is_null())
                .then(None)
                .otherwise(pl.max_horizontal(left, pl.lit(outcome.horizon.within(unit))))
            )
        ends.append(left)
    end = pl.coalesce(*ends) if ends else pl.lit(None, dtype=pl.Float64)
    if follow_up.death is not None and follow_up.death not in event_dates(nodes, outcome):
        end = pl.min_horizontal(end, elapsed(zero, follow_up.death, kinds, unit))
    return end


def _at_horizon(frame: pl.DataFrame, name: str, outcome: Outcome, unit: str) -> pl.DataFrame:
    """Events after the horizon do not count; everybody's time ends there."""
    if outcome.horizon is None:
        return frame
    time, event, end = pl.col(time_column(name)), pl.col(event_column(name)), outcome.horizon.within(unit)
    return frame.with_columns(
        pl.when(time > end).then(False).otherwise(event).alias(event_column(name)),
        pl.when(time > end).then(end).otherwise(time).alias(time_column(name)),
        *(
            pl.when(time > end)
            .then(pl.lit("censored"))
            .otherwise(pl.col(column).cast(pl.String))
            .cast(CAUSES)
            .alias(column)
            for column in (cause_column(name),)
            if column in frame.columns
        ),
    )


def _free_days(node: FreeDays, frame: pl.DataFrame, dictionary: Dictionary, scope: Scope) -> pl.Expr:
    """Days within the horizon that were not days on support, at least none; the dead are given their value later."""
    column = dictionary.variables.get(node.support)
    unit = UNITS.get((column.unit or "").lower(), "days") if column else "days"
    end = node.within.within(unit)
    return pl.lit(end) - _number(node.support, frame, scope).clip(0.0, end)


def _truncated(
    frame: pl.DataFrame, name: str, outcome: Outcome, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope
) -> pl.DataFrame:
    """Say who died (and when), and make of the values what the plan for the dead says."""
    ((by, plan),) = (outcome.truncated_by or {}).items()
    dead, died_at = _death(by, outcome, nodes, dictionary, scope)
    frame = frame.with_columns(dead.alias(dead_column(name)), died_at.alias(died_at_column(name)))
    dead, value = pl.col(dead_column(name)), pl.col(name)
    if plan == "competing":
        frame = frame.with_columns(
            (~dead).alias(event_column(name)), value.alias(time_column(name)),
            cause_of(~dead, dead).cast(CAUSES).alias(cause_column(name)),
        )  # fmt: skip
        return _at_horizon(frame, name, outcome, time_unit(outcome, dictionary) or "days")
    if plan == "survivors-only":
        return frame.with_columns(pl.when(dead.is_not_null()).then(value).alias(name))
    worst = pl.lit(outcome.free_days.dead if outcome.free_days is not None else 0.0)
    if outcome.free_days is None:
        alive = value.filter(~dead)
        worst = (alive.min() - 1 if outcome.better == "higher" else alive.max() + 1).fill_null(0.0)
    return frame.with_columns(pl.when(dead).then(worst).when(~dead).then(value).alias(name))


def _death(
    by: str, outcome: Outcome, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope
) -> tuple[pl.Expr, pl.Expr]:
    """Who died, and when where that is known; within the horizon of free days where there is one."""
    other = nodes.outcomes.get(by)
    if other is None:
        date = str((nodes.follow_up.model_dump() if nodes.follow_up else {})[by])
        hours = (
            elapsed(str(nodes.time_zero), date, _kinds(scope), "hours") if isinstance(nodes.time_zero, str) else None
        )
        at, unit = (pl.lit(None, dtype=pl.Float64) if hours is None else hours), "hours"
        dead = pl.col(date).is_not_null()
    elif outcome_kind(other) == "time-to-event":
        dead, at = pl.col(event_column(by)), pl.col(time_column(by))
        unit = time_unit(other, dictionary) or "days"
    else:
        return pl.col(by), pl.lit(None, dtype=pl.Float64)
    at = pl.when(dead).then(at)
    if outcome.free_days is not None:
        dead = pl.when(dead & (at > outcome.free_days.within.within(unit))).then(pl.lit(value=False)).otherwise(dead)
    return dead, at


def _exposure(frame: pl.DataFrame, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> pl.DataFrame:
    """`exposure_start.`, `followed.` and `treatable.` in hours from time zero; never is infinity, unknown is null.

    `exposed_before.` says who was exposed before time zero; their exposure starts at it.
    """
    if nodes.exposure is None or nodes.exposure.starts is None:
        return frame
    given = condition(nodes.exposure.given, scope)
    start = _hours_to(nodes.exposure.starts, nodes, dictionary, scope)
    never = pl.lit(float("inf"))
    began = pl.when(given.is_null()).then(None).when(given).then(start.clip(lower_bound=0.0)).otherwise(never)
    return frame.with_columns(
        began.alias(EXPOSURE_START), _followed(nodes, scope).alias(FOLLOWED), _treatable(nodes, scope).alias(TREATABLE),
        (given & (start < 0)).fill_null(value=False).alias(EXPOSED_BEFORE),
    )  # fmt: skip


def _hours_to(name: str, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> pl.Expr:
    if scope[name].kind in ("date", "datetime") and isinstance(nodes.time_zero, str):
        return elapsed(nodes.time_zero, name, _kinds(scope), "hours")
    unit = UNITS.get((scope[name].unit or "").lower(), "days")
    return pl.col(name).cast(pl.Float64) * HOURS[unit.removesuffix("s")]


def _followed(nodes: ProtocolNode, scope: Scope) -> pl.Expr:
    """Hours a patient is known to be alive and watched, for a landmark before an outcome that has no time."""
    follow_up = nodes.follow_up
    if follow_up is None or isinstance(nodes.time_zero, CountedTime | None):
        return pl.lit(float("inf"))
    kinds, zero = _kinds(scope), nodes.time_zero
    ends = [elapsed(zero, name, kinds, "hours") for name in (follow_up.death, follow_up.last_seen) if name is not None]
    if follow_up.discharge is not None and follow_up.after_discharge != "alive":
        ends.append(elapsed(zero, follow_up.discharge, kinds, "hours"))
    return pl.coalesce(*ends, pl.lit(float("inf")))


def _treatable(nodes: ProtocolNode, scope: Scope) -> pl.Expr:
    """Hours until death or discharge, after which no treatment begins."""
    follow_up = nodes.follow_up
    if follow_up is None or isinstance(nodes.time_zero, CountedTime | None):
        return pl.lit(float("inf"))
    kinds, zero = _kinds(scope), nodes.time_zero
    ends = [elapsed(zero, name, kinds, "hours") for name in (follow_up.death, follow_up.discharge) if name is not None]
    return pl.min_horizontal(*ends, pl.lit(float("inf")))
