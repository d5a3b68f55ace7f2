"""The outcomes of a study in R: an event, a time from time zero, a value, ranks with death worst."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression import Scope, parse, r_name, r_text, to_r
from counterpulse.protocol.nodes import Outcome, ProtocolNode
from counterpulse.protocol.words import HOURS, UNITS
from counterpulse.study.patients.outcomes import competing_dates, event_dates, outcome_kind, time_unit
from counterpulse.study.request import cause_column, dead_column, died_at_column, event_column, time_column


def outcome_lines(nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> Iterator[str]:
    """The columns of every outcome, then what becomes of the values of those who died."""
    for name, outcome in nodes.outcomes.items():
        if outcome.free_days is not None or outcome.truncated_by is not None:
            yield from _value_before_death(name, outcome, dictionary, scope)
        else:
            yield from _outcome(name, outcome, nodes, dictionary, scope)
    for name, outcome in nodes.outcomes.items():
        if outcome.truncated_by is not None:
            yield from _truncated(name, outcome, nodes, dictionary)


def r_column(name: str) -> str:
    """A column of the patients."""
    return f"patients${r_name(name)}"


def elapsed(nodes: ProtocolNode, name: str, unit: str) -> str:
    """The time from time zero to a date."""
    hours = HOURS[unit.removesuffix("s")]
    return f"hours_between({r_name(str(nodes.time_zero))}, {r_name(name)}){'' if hours == 1 else f' / {hours:g}'}"


def _outcome(name: str, outcome: Outcome, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> Iterator[str]:
    kind = outcome_kind(outcome)
    if kind == "time-to-event":
        yield from _timed(name, outcome, nodes, dictionary, scope)
    elif kind == "binary":
        rules = outcome.any_of or (str(outcome.event),)
        code = " | ".join(f"({to_r(parse(rule), scope)})" for rule in rules)
        yield f"{r_column(name)} <- with(patients, {code})"
    elif outcome.value is not None:
        yield f"{r_column(name)} <- {_number(outcome.value, scope)}"


def _number(text: str, scope: Scope) -> str:
    """A value as a number; of a column with levels the place of the level."""
    if text in scope and scope[text].levels:
        levels = ", ".join(map(r_text, scope[text].levels or ()))
        return f"match(as.character({r_column(text)}), c({levels}))"
    return f"as.numeric(with(patients, {to_r(parse(text), scope)}))"


def _timed(name: str, outcome: Outcome, nodes: ProtocolNode, dictionary: Dictionary, scope: Scope) -> Iterator[str]:
    time, event, cause = (r_column(column) for column in (time_column(name), event_column(name), cause_column(name)))
    unit = time_unit(outcome, dictionary) or "days"
    competes = outcome.competing is not None
    if outcome.time is not None:
        yield f"{time} <- as.numeric({r_column(outcome.time)})"
        yield f"{event} <- with(patients, {to_r(parse(str(outcome.event)), scope)})"
        if outcome.competing is not None:
            other = nodes.outcomes.get(outcome.competing)
            rule = outcome.competing if other is None or other.event is None else other.event
            yield f"{cause} <- {_cause(event, f'with(patients, {to_r(parse(rule), scope)})')}"
    else:
        competes = yield from _dated(name, outcome, nodes, unit)
    if outcome.horizon is not None:
        yield from _at_horizon(name, outcome.horizon.within(unit), caused=competes)


def _dated(name: str, outcome: Outcome, nodes: ProtocolNode, unit: str) -> Generator[str, None, bool]:
    """From dates: the event, or what competes with it, or the end of follow-up, whichever is first."""
    time, event = r_column(time_column(name)), r_column(event_column(name))
    happened = ", ".join(elapsed(nodes, date, unit) for date in event_dates(nodes, outcome))
    yield f"happened <- with(patients, earliest({happened}))"
    yield f"watched <- with(patients, {_watched(nodes, outcome, unit)})"
    dates = competing_dates(nodes, outcome)
    if not dates:
        yield f"{time} <- first_known(happened, watched)"
        yield f"{event} <- ifelse(is.na({time}), NA, !is.na(happened))"
        return False
    yield f"competed <- with(patients, earliest({', '.join(elapsed(nodes, date, unit) for date in dates)}))"
    yield "first <- !is.na(happened) & (is.na(competed) | happened <= competed)"
    yield f"{time} <- ifelse(first, happened, first_known(competed, watched))"
    yield f"{event} <- ifelse(is.na({time}), NA, first)"
    yield f"{r_column(cause_column(name))} <- {_cause(event, '!is.na(competed)')}"
    return True


def _cause(event: str, competing: str) -> str:
    return f'ifelse({event}, "event", ifelse({competing}, "competing", "censored"))'


def _at_horizon(name: str, end: float, *, caused: bool) -> Iterator[str]:
    time, event, cause = (r_column(column) for column in (time_column(name), event_column(name), cause_column(name)))
    yield f"{event} <- ifelse({time} > {end!r}, FALSE, {event})"
    if caused:
        yield f'{cause} <- ifelse({time} > {end!r}, "censored", {cause})'
    yield f"{time} <- pmin({time}, {end!r})"


def _watched(nodes: ProtocolNode, outcome: Outcome, unit: str) -> str:
    """Where a patient without the event stops being watched, as the protocol's `follow_up` says."""
    follow_up = nodes.follow_up
    if follow_up is None:
        return "rep(NA_real_, nrow(patients))"
    ends: list[str] = []
    if follow_up.last_seen is not None:
        ends.append(elapsed(nodes, follow_up.last_seen, unit))
    if follow_up.discharge is not None:
        left = elapsed(nodes, follow_up.discharge, unit)
        if follow_up.after_discharge == "alive" and outcome.horizon is not None:
            left = f"ifelse(is.na({left}), NA, pmax({left}, {outcome.horizon.within(unit)!r}))"
        ends.append(left)
    end = f"first_known({', '.join(ends)})" if ends else "rep(NA_real_, nrow(patients))"
    if follow_up.death is not None and follow_up.death not in event_dates(nodes, outcome):
        end = f"earliest({end}, {elapsed(nodes, follow_up.death, unit)})"
    return end


# -- cut short by death ----------------------------------------------------------------------------------------------


def _value_before_death(name: str, outcome: Outcome, dictionary: Dictionary, scope: Scope) -> Iterator[str]:
    if outcome.free_days is None:
        yield f"{r_column(name)} <- {_number(str(outcome.value), scope)}"
        return
    column = dictionary.variables.get(outcome.free_days.support)
    unit = UNITS.get((column.unit or "").lower(), "days") if column else "days"
    end = repr(outcome.free_days.within.within(unit))
    yield f"{r_column(name)} <- {end} - pmin(pmax({_number(outcome.free_days.support, scope)}, 0), {end})"


def _truncated(name: str, outcome: Outcome, nodes: ProtocolNode, dictionary: Dictionary) -> Iterator[str]:
    """Who died (and when), and what the plan for the dead makes of the values."""
    ((by, plan),) = (outcome.truncated_by or {}).items()
    value, dead = r_column(name), r_column(dead_column(name))
    yield from _death(name, by, outcome, nodes, dictionary)
    if plan == "competing":
        time, event, cause = (
            r_column(column) for column in (time_column(name), event_column(name), cause_column(name))
        )
        yield f"{event} <- !{dead}"
        yield f"{time} <- {value}"
        yield f"{cause} <- {_cause(event, dead)}"
        if outcome.horizon is not None:
            yield from _at_horizon(name, outcome.horizon.within(time_unit(outcome, dictionary) or "days"), caused=True)
        return
    if plan == "survivors-only":
        yield f"{value} <- ifelse(is.na({dead}), NA, {value})"
        return
    alive = f"{value}[{dead} %in% FALSE]"
    worst = f"min({alive}, na.rm = TRUE) - 1" if outcome.better == "higher" else f"max({alive}, na.rm = TRUE) + 1"
    yield f"{value} <- ifelse({dead}, {worst if outcome.free_days is None else repr(outcome.free_days.dead)}, {value})"


def _death(name: str, by: str, outcome: Outcome, nodes: ProtocolNode, dictionary: Dictionary) -> Iterator[str]:
    other = nodes.outcomes.get(by)
    dead, at, unit = r_column(dead_column(name)), r_column(died_at_column(name)), "hours"
    if other is None:
        date = str((nodes.follow_up.model_dump() if nodes.follow_up else {})[by])
        dated = isinstance(nodes.time_zero, str)
        yield f"{dead} <- !is.na({r_column(date)})"
        yield f"{at} <- {f'with(patients, {elapsed(nodes, date, unit)})' if dated else 'NA_real_'}"
    elif outcome_kind(other) == "time-to-event":
        unit = time_unit(other, dictionary) or "days"
        yield f"{dead} <- {r_column(event_column(by))}"
        yield f"{at} <- {r_column(time_column(by))}"
    else:
        yield f"{dead} <- {r_column(by)}"
        yield f"{at} <- NA_real_"
        return
    yield f"{at} <- ifelse({dead}, {at}, NA)"
    if outcome.free_days is not None:
        yield f"{dead} <- ifelse(unknown_is({dead} & {at} > {outcome.free_days.within.within(unit)!r}, FALSE), FALSE, {dead})"
