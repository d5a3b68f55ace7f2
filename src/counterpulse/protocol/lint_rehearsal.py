"""The assumptions of a rehearsal: enough to simulate each outcome, about variables and levels that exist."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.protocol.desk import Desk, levels_of
from counterpulse.protocol.nodes import AssumedOutcome, Outcome
from counterpulse.source.yaml_file import YamlPath

BINARY, TIMED, VALUED = "binary", "time-to-event", "continuous"
COUNTED = (BINARY, TIMED)


def lint_rehearsal(desk: Desk) -> None:
    """Check what `rehearsal:` assumes, where the protocol has it."""
    rehearsal = desk.nodes.rehearsal
    if rehearsal is None:
        return
    for name, assumed in rehearsal.outcomes.items():
        path: YamlPath = ("rehearsal", "outcomes", name)
        if desk.needs("E233", path, "outcome", name, desk.nodes.outcomes, "define it under outcomes"):
            _outcome(desk, path, name, assumed)
    if isinstance(rehearsal.prognosis, Mapping):
        for name, strength in rehearsal.prognosis.items():
            _strength(desk, ("rehearsal", "prognosis", name), name, strength)


def simulated_kind(outcome: Outcome) -> str | None:
    """The kind an outcome is simulated as: binary, time-to-event or continuous; None where no rehearsal can."""
    if outcome.truncated_by is not None or outcome.free_days is not None:
        return None
    if outcome.type == "composite":
        return BINARY if outcome.any_of is not None else TIMED
    return outcome.type if outcome.type in (*COUNTED, VALUED) else None


def needs_a_time(outcome: Outcome, late: bool, assumed: AssumedOutcome) -> bool:
    """Whether it must be said how long patients are watched; `late`: a treatment can begin after time zero."""
    kind = simulated_kind(outcome)
    return kind == TIMED or (kind == BINARY and late and assumed.fatal)


def _outcome(desk: Desk, path: YamlPath, name: str, assumed: AssumedOutcome) -> None:
    outcome = desk.nodes.outcomes[name]
    kind = simulated_kind(outcome)
    if kind is None:
        desk.report(
            "E656", path, f"the outcome '{name}' ({outcome.type}) is not simulated", key=True,
            allowed="binary, time-to-event and continuous outcomes that death does not cut short",
            remedy="take it out of `rehearsal`; its analyses are left out and named",
        )  # fmt: skip
        return
    for seen, remedy in _gaps(desk, outcome, kind, assumed):
        desk.report("E656", path, f"the outcome '{name}': {seen}", key=True, remedy=remedy)
    for index, effect in enumerate(assumed.effects):
        if kind in COUNTED and effect <= 0:
            place = (*path, "effects") if len(assumed.effects) == 1 else (*path, "effects", index)
            desk.report(
                "E658", place, f"the true effect {effect:g} on '{name}', which is a ratio", allowed="a ratio greater than 0",
                remedy="write the odds ratio or hazard ratio itself, such as 0.7, not its logarithm",
            )  # fmt: skip


def _gaps(desk: Desk, outcome: Outcome, kind: str, assumed: AssumedOutcome) -> list[tuple[str, str]]:
    """What is missing or too much, with what to do."""
    exposure = desk.nodes.exposure
    found = []
    if kind == VALUED and (assumed.mean is None or assumed.sd is None):
        found.append(("its mean or its standard deviation is not assumed", "add `mean:` and `sd:`"))
    if kind in COUNTED and (assumed.risk is None) == (assumed.median is None or kind == BINARY):
        found.append(
            ("its risk in the reference group is not assumed once", "add `risk:`, or for a time `median:` instead")
        )
    late = exposure is not None and exposure.starts is not None
    end = assumed.within or outcome.horizon
    if end is None and needs_a_time(outcome, late, assumed):
        why = "how long patients are watched is not said"
        found.append((why, "add `within:`, such as 30 days (or `fatal: no`, where a treatment can follow the event)"))
    if end is not None and not end.value:
        found.append(("patients are watched for no time", "write `within:` like 30 days"))
    if any(time is not None and not time.value for time in (assumed.by, assumed.median)):
        found.append(("a risk by time zero itself", "write `by:` or `median:` like 30 days"))
    return found


def _strength(desk: Desk, path: YamlPath, name: str, strength: float | Mapping[str, float]) -> None:
    symbol = desk.variable(path, name)
    if symbol is None:
        return
    if isinstance(strength, Mapping):
        if levels_of(symbol) is None:
            desk.report("E657", path, f"`{name}` has no levels, and strengths are given for some", allowed="one number, per SD",
                        remedy=f"write {name}: 0.3")  # fmt: skip
        for level in strength:
            desk.level((*path, level), level, symbol, key=True)
    elif symbol.kind not in ("number", "yesno", "condition"):
        desk.report("E657", path, f"`{name}` is of type {symbol.kind}, and one strength is given for all of it",
                    allowed="a number for each level", remedy=f"write {name}: {{level: 0.3, …}}")  # fmt: skip
