"""Values cut short by death: what the plan for the dead is, what it means, and which combinations make no sense."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.nodes import Outcome, ProtocolNode
from counterpulse.protocol.plan import PlannedTruncation
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.patients.outcomes import competing_dates, outcome_kind
from counterpulse.study.planning.drafts import Desk, Draft

VALUES = ("continuous", "ordinal", "count")
FLIPPED = {"lower": "higher", "higher": "lower"}
COMPETING = {"aalen-johansen": "use kaplan-meier", "fine-gray": "use cox"}
"""Methods of an outcome with which another event competes, and what to do where none does."""


def planned_truncation(outcome: Outcome, nodes: ProtocolNode) -> PlannedTruncation | None:
    """The plan for the dead, or None where death cuts nothing short."""
    if not outcome.truncated_by:
        return None
    by, plan = next(iter(outcome.truncated_by.items()))
    other = nodes.outcomes.get(by)
    timed = isinstance(nodes.time_zero, str) if other is None else outcome_kind(other) == "time-to-event"
    return PlannedTruncation(by=by, label=(other.label if other and other.label else by), plan=plan, timed=timed)


def better_of(outcome: Outcome) -> str | None:
    """Which direction is good: a stay that is better shorter is a discharge alive that is better sooner."""
    competing = outcome.truncated_by is not None and "competing" in outcome.truncated_by.values()
    return FLIPPED.get(outcome.better or "") if competing else outcome.better


def label_of(outcome: Outcome, name: str) -> str:
    """The printed name; of a stay at whose end death competes, its end alive."""
    label = outcome.label or name
    competing = outcome.truncated_by is not None and "competing" in outcome.truncated_by.values()
    return f"{label}, ended alive" if competing else label


def truncated_words(outcome: Outcome, truncation: PlannedTruncation, value: str) -> str:
    """The definition of the outcome with the plan for the dead."""
    if outcome.free_days is not None:
        within = outcome.free_days.within
        value = (
            f"{within} less {value}, at least 0, and {outcome.free_days.dead:g} for those who died ({truncation.label})"
        )
    return {
        "worst-rank": f"{value}; death ({truncation.label}) is ranked worse than any survivor",
        "survivors-only": f"{value}, among those who did not die ({truncation.label})",
        "competing": f"{value} until its end alive; death ({truncation.label}) is a competing event at the end of the value",
    }[truncation.plan]


def refuse_truncation(desk: Desk) -> None:
    """Combinations that would give a number without a meaning, in outcomes that an analysis uses."""
    for name, outcome in desk.nodes.outcomes.items():
        if outcome.truncated_by is not None or outcome.free_days is not None:
            for code, key, seen, allowed, remedy in _misfits(name, outcome, desk.nodes):
                desk.refuse(("outcomes", name, key), code, f"'{name}': {seen}", allowed, remedy)


def _misfits(name: str, outcome: Outcome, nodes: ProtocolNode) -> Iterator[tuple[str, str, str, str, str]]:
    by_whom = outcome.truncated_by or {}
    if len(by_whom) != 1:
        key = "truncated_by" if outcome.truncated_by is not None else "free_days"
        yield ("E671", key, f"{len(by_whom)} plans for the dead", "truncated_by with one death and its plan",
               "write truncated_by: {death_28: worst-rank}")  # fmt: skip
        return
    by, plan = next(iter(by_whom.items()))
    other = nodes.outcomes.get(by)
    if (other is None and by != "death") or (
        other is not None and outcome_kind(other) not in ("binary", "time-to-event")
    ):
        yield ("E671", "truncated_by", f"'{by}' does not say who died", "a binary or time-to-event outcome, or death of follow_up",
               "name the outcome that is death")  # fmt: skip
    elif other is not None and other.truncated_by is not None:
        yield ("E671", "truncated_by", f"'{by}' is itself cut short by death", "an outcome that is death",
               "name the outcome that is death")  # fmt: skip
    elif other is None and outcome.free_days is None:
        yield ("W672", "truncated_by", "death at any time of follow-up counts, also long after the value was measured",
               "an outcome with a horizon", "name an outcome such as death_30d")  # fmt: skip
    if outcome.type not in VALUES:
        yield ("E673", "truncated_by", f"a {outcome.type} outcome has no value that death cuts short", ", ".join(VALUES),
               "take truncated_by out; a competing event of a time-to-event outcome is `competing:`")  # fmt: skip
    if plan == "competing" and (outcome.type != "continuous" or outcome.free_days is not None):
        yield ("E673", "truncated_by", "death competes with the end of a duration, and this is none", "type: continuous with value",
               "write worst-rank or survivors-only")  # fmt: skip
    if plan == "competing" and outcome.horizon is None:
        yield ("W673", "truncated_by", "no horizon: groups are compared at the end of the shortest follow-up", "horizon: a length of time",
               "add horizon: 28 days")  # fmt: skip
    if plan == "worst-rank" and outcome.better is None:
        yield (
            "E672",
            "truncated_by",
            "which end is worst is not said",
            "better: lower or better: higher",
            "add better",
        )
    if outcome.free_days is not None and outcome.better != "higher":
        yield ("E672", "free_days", "more free days are better", "better: higher", "write better: higher")


def refuse_method(desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...]) -> None:
    """What a method cannot do with an outcome that death cuts short, or that something competes with."""
    node = draft.node
    names = (spec.name, *node.also)
    for name in (name for name in outcomes if name in desk.nodes.outcomes):
        outcome, planned = desk.nodes.outcomes[name], desk.outcomes[name]
        if (instead := _without_competing(draft, names)) and not _competes(desk, name):
            desk.refuse(
                draft.where("method"), "E670", f"analysis {node.id}: nothing competes with '{name}'",
                "competing: in the outcome, or after_discharge: competing in follow_up",
                f"name the competing event, or {instead}",
            )  # fmt: skip
        if spec.name == "quantile-regression":
            _refuse_quantiles(desk, draft)
        if planned.kind != "worst-rank":
            continue
        if desk.nodes.groups is None:
            desk.refuse(
                draft.where("outcome"), "E675", f"analysis {node.id}: ranks compare groups, and there are none", "groups:",
                "describe '" + name + "' among survivors, and death, side by side",
            )  # fmt: skip
        if node.options.get("worst_rank") == "by-time" and not (planned.truncation and planned.truncation.timed):
            desk.refuse(
                draft.where("worst_rank"), "E674", f"analysis {node.id}: when the dead of '{name}' died is not known",
                "truncated_by a time-to-event outcome, or death of follow_up", "write worst_rank: tied",
            )  # fmt: skip
        if outcome.free_days is not None and outcome.free_days.dead >= 0 and "worst_rank" in node.options:
            desk.refuse(
                draft.where("worst_rank"), "E674", f"analysis {node.id}: the dead of '{name}' have the value of the worst survivors",
                "free_days with dead: -1", "write dead: -1, or leave worst_rank out",
            )  # fmt: skip
        for key in _adjusting(draft):
            desk.refuse(
                draft.where(key), "E676", f"analysis {node.id}: the ranks of '{name}' are not adjusted for covariates in this version",
                f"no `{key}`", "take it out, or analyze survivors-only and death side by side",
            )  # fmt: skip


def _refuse_quantiles(desk: Desk, draft: Draft) -> None:
    written = draft.node.options.get("quantile", 0.5)
    values = written if isinstance(written, list | tuple) else [written]
    if not values or not all(isinstance(value, int | float) and 0 < value < 1 for value in values):
        desk.refuse(
            draft.where("quantile"), "E677", f"analysis {draft.node.id}: a quantile lies between 0 and 1", "quantile: [0.25, 0.5, 0.75]",
            "write quantile: 0.5 for the median",
        )  # fmt: skip


def _without_competing(draft: Draft, names: tuple[str, ...]) -> str:
    """What serves where nothing competes, of an analysis whose method needs a competing event; nothing of another."""
    for name, instead in COMPETING.items():
        if name in names:
            return instead
    return "leave `causes` out" if "cox" in names and draft.node.options.get("causes") == "both" else ""


def _competes(desk: Desk, name: str) -> bool:
    outcome = desk.nodes.outcomes[name]
    planned = desk.outcomes[name]
    if planned.kind != "time-to-event":
        return True  # another finding says that the method does not fit
    if planned.truncation is not None or outcome.competing is not None:
        return True
    return outcome.time is None and bool(competing_dates(desk.nodes, outcome))


def _adjusting(draft: Draft) -> tuple[str, ...]:
    written: dict[str, object] = {
        "adjust": draft.node.adjust, "models": draft.node.models, "screen": draft.node.screen, "clusters": draft.node.clusters,
    }  # fmt: skip
    return tuple(key for key, value in written.items() if value not in (None, "none"))
