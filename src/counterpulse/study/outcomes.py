"""Outcomes become columns: an event, a time from time zero, a value."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression import Scope, names, parse, to_polars
from counterpulse.protocol.nodes import CountedTime, Outcome, ProtocolNode
from counterpulse.protocol.words import HOURS
from counterpulse.study.derive import condition
from counterpulse.study.request import event_column, time_column

EXPOSURE_START = "exposure_start."
FOLLOWED = "followed."
UNITS: Mapping[str, str] = {
    "min": "minutes", "minute": "minutes", "minutes": "minutes", "h": "hours", "hr": "hours", "hour": "hours",
    "hours": "hours", "d": "days", "day": "days", "days": "days", "wk": "weeks", "week": "weeks", "weeks": "weeks",
    "mo": "months", "month": "months", "months": "months", "y": "years", "yr": "years", "year": "years",
    "years": "years",
}  # fmt: skip


def outcome_kind(outcome: Outcome) -> str:
    """The kind of data an outcome is: a composite is binary (`any_of`) or a time to the first event (`first_of`)."""
    if outcome.type != "composite":
        return outcome.type
    return "binary" if outcome.any_of is not None else "time-to-event"


def time_unit(outcome: Outcome, dictionary: Dictionary) -> str | None:
    """The unit of a time-to-event outcome: as said, as the horizon's, as the column's, else days."""
    if outcome_kind(outcome) != "time-to-event":
        return None
    if outcome.time_unit is not None:
        return outcome.time_unit
    if outcome.time is not None:
        column = dictionary.variables.get(outcome.time)
        known = UNITS.get((column.unit or "").lower()) if column else None
        if known is not None:
            return known
    return outcome.horizon.unit if outcome.horizon is not None else "days"


def derive_outcomes(frame: pl.DataFrame, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> pl.DataFrame:
    """The frame with the columns of every outcome, and those that exposure and landmark need."""
    for name, outcome in nodes.outcomes.items():
        kind = outcome_kind(outcome)
        if kind == "time-to-event":
            event, time = _event_and_time(nodes, outcome, dictionary, scope)
            frame = frame.with_columns(event.alias(event_column(name)), time.alias(time_column(name)))
            frame = _at_horizon(frame, name, outcome, time_unit(outcome, dictionary) or "days")
        elif kind == "binary":
            frame = frame.with_columns(_binary(outcome, scope).alias(name))
        else:
            assert outcome.value is not None
            frame = frame.with_columns(_number(outcome.value, frame, scope).alias(name))
    return _exposure(frame, nodes, dictionary, scope)


def columns_behind(outcome: Outcome) -> set[str]:
    """The names that an outcome is made of, as the protocol writes them."""
    rules = (outcome.event, outcome.time, outcome.value, *(outcome.any_of or ()), *(outcome.first_of or ()))
    return {name for rule in rules if rule is not None for name in names(parse(rule))}


def columns_of(name: str, kind: str) -> tuple[str, ...]:
    """The columns that hold an outcome."""
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


def _kinds(scope: Scope) -> dict[str, str]:
    return {name: symbol.kind for name, symbol in scope.items()}


def _event_and_time(
    nodes: ProtocolNode, outcome: Outcome, dictionary: Dictionary, scope: Scope
) -> tuple[pl.Expr, pl.Expr]:
    if outcome.time is not None:
        assert outcome.event is not None
        return condition(outcome.event, scope), pl.col(outcome.time).cast(pl.Float64)
    unit = time_unit(outcome, dictionary) or "days"
    assert isinstance(nodes.time_zero, str)
    zero, kinds = nodes.time_zero, _kinds(scope)
    event_time = pl.min_horizontal(*(elapsed(zero, date, kinds, unit) for date in event_dates(nodes, outcome)))
    ends = censoring_times(nodes, outcome, kinds, unit)
    time = pl.coalesce(event_time, ends)
    return pl.when(time.is_null()).then(None).otherwise(event_time.is_not_null()), time


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
    )


def _exposure(frame: pl.DataFrame, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> pl.DataFrame:
    """`exposure_start.` and `followed.` in hours from time zero; never is infinity, unknown is null."""
    if nodes.exposure is None:
        return frame
    given = condition(nodes.exposure.given, scope)
    start = _hours_to(nodes.exposure.starts, nodes, dictionary, scope)
    never = pl.lit(float("inf"))
    began = pl.when(given.is_null()).then(None).when(given).then(start.clip(lower_bound=0.0)).otherwise(never)
    return frame.with_columns(began.alias(EXPOSURE_START), _followed(nodes, scope).alias(FOLLOWED))


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
