"""Every expression of a protocol and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from counterpulse.protocol.nodes import Outcome, ProtocolNode
from counterpulse.source.yaml_file import YamlPath


@dataclass(frozen=True, slots=True)
class Rule:
    """An expression and what it must be where it stands.

    `populations` says whether names of populations may be used in it; `variable` names the one that it derives.
    """

    path: YamlPath
    text: str
    wants: Literal["condition", "number", "date", "any"] = "condition"
    populations: bool = False
    variable: str | None = None


def rules_of(nodes: ProtocolNode) -> Iterator[Rule]:
    """Go through every expression, in the order of the language."""
    yield from _eligibility(nodes)
    if nodes.exposure is not None:
        yield Rule(("exposure", "given"), nodes.exposure.given)
    yield from _variables(nodes)
    for name, population in nodes.populations.items():
        yield Rule(("populations", name, "rule"), population.rule, populations=True)
    for name, box in nodes.flow.items():
        if isinstance(box, str):
            yield Rule(("flow", name), box, populations=True)
        else:
            yield Rule(("flow", name, "rule"), box.rule, populations=True)
    for name, outcome in nodes.outcomes.items():
        yield from _outcome(("outcomes", name), outcome, nodes)
    for index, event in enumerate(nodes.intercurrent_events):
        if event.rule is not None:
            yield Rule(("intercurrent_events", index, "rule"), event.rule, populations=True)
    yield from _analyses(nodes)


def _eligibility(nodes: ProtocolNode) -> Iterator[Rule]:
    for kind, criteria in (("include", nodes.eligibility.include), ("exclude", nodes.eligibility.exclude)):
        for index, criterion in enumerate(criteria):
            path = ("eligibility", kind, index)
            yield Rule((*path, "rule"), criterion.rule)
            if criterion.earlier is not None:
                yield Rule((*path, "earlier", "rule"), criterion.earlier.rule)


def _analyses(nodes: ProtocolNode) -> Iterator[Rule]:
    for index, analysis in enumerate(nodes.analyses):
        if analysis.keep is not None:
            yield Rule(("analyses", index, "keep"), analysis.keep, populations=True)
    for path, edit in nodes.multiverse.edits() if nodes.multiverse is not None else ():
        if edit.keep is not None:
            yield Rule((*path, "keep"), edit.keep, populations=True)


def _variables(nodes: ProtocolNode) -> Iterator[Rule]:
    for name, variable in nodes.variables.items():
        path = ("variables", name)
        if variable.rule is not None:
            yield Rule((*path, "rule"), variable.rule, variable=name)
        if variable.value is not None:
            yield Rule((*path, "value"), variable.value, "number", variable=name)
        for index, case in enumerate(variable.cases or ()):
            if case.when is not None:
                yield Rule((*path, "cases", index, "when"), case.when, variable=name)


def _outcome(path: YamlPath, outcome: Outcome, nodes: ProtocolNode) -> Iterator[Rule]:
    watched = nodes.follow_up.model_dump(exclude_none=True) if nodes.follow_up else {}
    timed = outcome.type == "time-to-event" and outcome.time is None
    if outcome.event is not None and outcome.event not in watched:
        yield Rule((*path, "event"), outcome.event, "date" if timed else "condition")
    if outcome.value is not None:
        yield Rule((*path, "value"), outcome.value, "any" if outcome.type == "ordinal" else "number")
    if outcome.free_days is not None:
        yield Rule((*path, "free_days", "support"), outcome.free_days.support, "number")
    if outcome.competing is not None and outcome.competing not in (*watched, *nodes.outcomes):
        yield Rule((*path, "competing"), outcome.competing, "date" if timed else "condition")
