"""The design of a study: day 0, immortal time, follow-up, outcomes that say enough to be computed."""

from __future__ import annotations

from counterpulse.protocol.desk import Desk
from counterpulse.protocol.nodes import CountedTime, ImmortalTime, Outcome
from counterpulse.source.yaml_file import YamlPath

MOMENTS = ("date", "datetime")
A_MOMENT = "a date or datetime column"
MEASURED = ("table", "column", "window")
WRITTEN = {"table": "from"}
UNTIMED = ("any_of", "competing", "event", "first_of", "horizon", "time")

KEYS_OF_PLANS = {
    "censoring_model": ("clone-censor-weight",), "stabilized": ("clone-censor-weight",),
    "every": ("sequential-trials",), "periods": ("sequential-trials",), "compare": ("sequential-trials",),
    "truncate": ("clone-censor-weight", "sequential-trials"), "bootstrap": ("clone-censor-weight", "sequential-trials"),
}  # fmt: skip
"""Which plans for immortal time a key belongs to."""


def lint_design(desk: Desk) -> None:
    """Check what the design needs; a review has neither patients nor time."""
    if desk.nodes.study.design == "review":
        return
    _time_zero(desk)
    _groups(desk)
    _follow_up(desk)
    _exposure(desk)
    _horizons(desk)
    for name, outcome in desk.nodes.outcomes.items():
        _outcome(desk, ("outcomes", name), outcome)
    if not desk.nodes.outcomes:
        desk.report("E250", (), "no outcome is defined", remedy="add outcomes: with a line for each")


def _time_zero(desk: Desk) -> None:
    zero = desk.nodes.time_zero
    allowed = "a date or datetime column, or {text: ICU admission, counted: yes} where the table holds durations"
    if zero is None:
        desk.report("E240", (), "`time_zero` is missing: the day 0 from which everything is counted", allowed=allowed,
                    remedy="add a line such as `time_zero: admission_date`")  # fmt: skip
    elif isinstance(zero, CountedTime):
        if not zero.counted:
            desk.report("E240", ("time_zero",), "a time zero in words without durations counted from it",
                        allowed=allowed, remedy="write counted: yes, or name the date column")  # fmt: skip
    else:
        desk.variable_of(("time_zero",), zero, MOMENTS, allowed)


def _horizons(desk: Desk) -> None:
    for name, outcome in desk.nodes.outcomes.items():
        if outcome.horizon is not None and not outcome.horizon.value:
            desk.report("E253", ("outcomes", name, "horizon"), f"the horizon of '{name}' is day 0 itself: nothing can happen until then",
                        allowed="a length of time above zero", remedy="write it like 30 days")  # fmt: skip


def _groups(desk: Desk) -> None:
    nodes = desk.nodes
    randomized = nodes.study.design == "randomized-trial"
    if nodes.groups is None:
        if nodes.study.design != "single-arm":
            desk.report("E241", (), f"`groups` is missing: a {nodes.study.design} compares groups",
                        remedy="add groups: with variable, treated and reference")  # fmt: skip
    elif randomized and nodes.groups.assigned_by != "randomization":
        desk.report("E241", ("groups",), "groups of a randomized trial that clinicians assigned", key=True,
                    allowed="assigned_by: randomization", remedy="write assigned_by: randomization")  # fmt: skip
    elif not randomized and nodes.groups.assigned_by == "randomization":
        desk.report("E241", ("groups", "assigned_by"), f"a {nodes.study.design} whose groups are randomized",
                    allowed="assigned_by: clinician", remedy="write design: randomized-trial under study, or "
                    "assigned_by: clinician")  # fmt: skip


def _follow_up(desk: Desk) -> None:
    follow_up = desk.nodes.follow_up
    if follow_up is None:
        return
    for key, name in follow_up.model_dump(include={"death", "discharge", "last_seen"}, exclude_none=True).items():
        desk.variable_of(("follow_up", key), name, MOMENTS, A_MOMENT)
    if follow_up.discharge is not None and follow_up.last_seen is None and follow_up.after_discharge is None:
        desk.report(
            "E248", ("follow_up",), "patients are watched until discharge, and what is known after it is not said",
            key=True, allowed="after_discharge: alive, censored or competing", remedy="add after_discharge",
        )  # fmt: skip


def _exposure(desk: Desk) -> None:
    nodes = desk.nodes
    exposure = nodes.exposure
    if exposure is not None:
        kinds = (*MOMENTS, "number") if isinstance(nodes.time_zero, CountedTime) else MOMENTS
        for key, name in (("starts", exposure.starts), ("stops", exposure.stops)):
            if name is not None:
                desk.variable_of(
                    ("exposure", key), name, kinds, "a date or datetime, or a duration where time is counted"
                )
        clinician = nodes.groups is None or nodes.groups.assigned_by == "clinician"
        if clinician and nodes.immortal_time is None and exposure.timing == "known":
            desk.report(
                "E242", ("exposure",), "treatment can start after time zero, and no plan for immortal time is given",
                key=True, allowed="landmark, clone-censor-weight, time-varying, sequential-trials, ignore-and-report",
                remedy="add a line such as `immortal_time: {plan: landmark, at: 24 hours}`",
            )  # fmt: skip
        if exposure.timing == "unknown":
            desk.report("W246", ("exposure", "timing"), "the start of treatment is not known: immortal time cannot be "
                        "removed, and the report says so", remedy="find the start of treatment if you can")  # fmt: skip
    plans: list[tuple[YamlPath, ImmortalTime | None]] = [(("immortal_time",), nodes.immortal_time)]
    plans += [(("analyses", i, "immortal_time"), analysis.immortal_time) for i, analysis in enumerate(nodes.analyses)]
    if nodes.multiverse is not None:
        plans += [((*path, "immortal_time"), edit.immortal_time) for path, edit in nodes.multiverse.edits()]
    for path, plan in plans:
        if plan is not None:
            _immortal_time(desk, path, plan)


def _immortal_time(desk: Desk, path: YamlPath, plan: ImmortalTime) -> None:
    common = desk.nodes.immortal_time
    if desk.nodes.exposure is None:
        desk.report("E243", path, "a plan for immortal time, and no `exposure` that says when treatment starts", key=True,
                    remedy="add a line such as `exposure: {given: iabp, starts: iabp_time}`")  # fmt: skip
    at = plan.at or (common.at if common else ())
    if plan.plan == "landmark" and not at:
        desk.report("E244", path, "a landmark without its time", key=True, allowed="at: a length of time from time zero",
                    remedy="add at: 24 hours")  # fmt: skip
    if plan.plan == "clone-censor-weight" and not (plan.grace or (common and common.grace)):
        desk.report("E244", path, "clone-censor-weight without its grace period", key=True,
                    allowed="grace: a length of time from time zero", remedy="add grace: 24 hours")  # fmt: skip
    lacking = [key for key in ("every", "periods") if getattr(plan, key) is None]
    if plan.plan == "sequential-trials" and lacking:
        desk.report("E244", path, f"sequential-trials without {' and '.join(lacking)}", key=True,
                    allowed="every: how far apart trials begin; periods: how many begin",
                    remedy="add every: 1 day and periods: 7")  # fmt: skip
    _meaningless(desk, path, plan)
    _resolution(desk, path, plan)


def _meaningless(desk: Desk, path: YamlPath, plan: ImmortalTime) -> None:
    """Keys that belong to another plan; a landmark and a grace period may wait for the analyses that use them."""
    for key in sorted(plan.model_fields_set):
        plans = KEYS_OF_PLANS.get(key, (plan.plan,))
        if plan.plan not in plans:
            desk.report("E249", (*path, key), f"`{key}` means nothing with the plan {plan.plan}",
                        allowed=f"`{key}` with {' or '.join(plans)}", remedy=f"remove {key}")  # fmt: skip


def _resolution(desk: Desk, path: YamlPath, plan: ImmortalTime) -> None:
    """Compare a landmark in hours with times that are known to the day."""
    exposure, zero = desk.nodes.exposure, desk.nodes.time_zero
    names = [name for name in (exposure.starts if exposure else None, zero) if isinstance(name, str)]
    dates = [name for name in names if name in desk.scope and desk.scope[name].kind == "date"]
    graceful = plan.plan == "clone-censor-weight" and plan.grace is not None
    lengths = (plan.grace,) if graceful and plan.grace else plan.at if plan.plan == "landmark" else ()
    uneven = [str(length) for length in lengths if length.hours % 24 != 0]
    if dates and uneven:
        key, what = ("grace", "a grace period of") if graceful else ("at", "a landmark at")
        desk.report(
            "W245", (*path, key), f"{what} {', '.join(uneven)}, and `{dates[0]}` is known only to the day",
            allowed="whole days, or columns of type datetime",
            remedy="choose whole days, or supply the time of day",
        )  # fmt: skip


def _outcome(desk: Desk, path: YamlPath, outcome: Outcome) -> None:
    if outcome.type != "repeated":
        _foreign(desk, path, outcome, MEASURED)
    match outcome.type:
        case "binary":
            _requires(desk, path, outcome, ("event",), "event: died = yes")
        case "time-to-event":
            _timed(desk, path, outcome)
        case "composite":
            _composite(desk, path, outcome)
        case "repeated":
            _requires(desk, path, outcome, MEASURED[:2], "{type: repeated, from: gas, column: lactate}")
        case _ if outcome.free_days is not None:
            _foreign(desk, path, outcome, ("value", *UNTIMED))
        case _ if outcome.truncated_by is not None and "competing" in outcome.truncated_by.values():
            _requires(desk, path, outcome, ("value",), "value: icu_days", may=("horizon",))
        case _:
            _requires(desk, path, outcome, ("value",), "value: icu_days")
    if outcome.better is None:
        desk.report("W252", path, f"`{path[-1]}` does not say which direction is good for the patient", key=True,
                    allowed="better: lower or better: higher", remedy="add better")  # fmt: skip


def _requires(
    desk: Desk, path: YamlPath, outcome: Outcome, keys: tuple[str, ...], example: str, may: tuple[str, ...] = ()
) -> None:
    for key in keys:
        if getattr(outcome, key) is None:
            word = WRITTEN.get(key, key)
            desk.report("E250", path, f"a {outcome.type} outcome needs `{word}`", key=True,
                        remedy=f"add {word}, as in {example}")  # fmt: skip
    _foreign(desk, path, outcome, tuple(key for key in (*UNTIMED, "value") if key not in (*keys, *may)))


def _foreign(desk: Desk, path: YamlPath, outcome: Outcome, keys: tuple[str, ...]) -> None:
    """Keys that an outcome of this type does not have."""
    for key in keys:
        if getattr(outcome, key) is not None:
            word = WRITTEN.get(key, key)
            desk.report("E251", (*path, word), f"a {outcome.type} outcome has no `{word}`", key=True,
                        remedy=f"remove {word}, or correct the type")  # fmt: skip


def _composite(desk: Desk, path: YamlPath, outcome: Outcome) -> None:
    if (outcome.any_of is None) == (outcome.first_of is None):
        desk.report("E250", path, "a composite has exactly one of any_of, first_of", key=True,
                    remedy="add any_of with yes/no columns, or first_of with dates")  # fmt: skip
    elif outcome.first_of is not None:
        _dated(desk, path, outcome)


def _timed(desk: Desk, path: YamlPath, outcome: Outcome) -> None:
    if outcome.event is None:
        desk.report(
            "E250", path, "a time-to-event outcome needs `event`", key=True,
            allowed="a key of follow_up, a date column, or a rule together with `time`", remedy="add event: death",
        )  # fmt: skip
    elif outcome.time is None:
        _dated(desk, path, outcome)


def _dated(desk: Desk, path: YamlPath, outcome: Outcome) -> None:
    """Check that a time can be computed from dates: a day 0, an end of follow-up, a horizon."""
    follow_up = desk.nodes.follow_up
    if isinstance(desk.nodes.time_zero, CountedTime):
        desk.report("E253", path, "a time from dates, and time zero is no date", key=True,
                    allowed="time: the column with the durations, and event: a rule",
                    remedy="write time: days_to_death, event: died = yes")  # fmt: skip
    elif follow_up is None or (follow_up.discharge is None and follow_up.last_seen is None):
        desk.report(
            "E253", path, "nothing says how long patients without the event were watched", key=True,
            allowed="follow_up with last_seen, or with discharge and after_discharge",
            remedy="add a line such as `follow_up: {death: death_date, last_seen: last_seen_date}`",
        )  # fmt: skip
    elif outcome.horizon is None and follow_up.after_discharge == "alive":
        desk.report("E253", path, "patients count as alive after discharge, and until when is not said", key=True,
                    allowed="horizon: a length of time", remedy="add horizon: 30 days")  # fmt: skip
    elif outcome.horizon is None:
        desk.report("W254", path, "no horizon: follow-up ends for each patient at another time", key=True,
                    allowed="horizon: a length of time", remedy="add horizon: 30 days")  # fmt: skip
