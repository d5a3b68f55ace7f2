"""The analyses of a protocol as they stand before they are resolved: each with what it inherits, and where it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from counterpulse.protocol.nodes import Analysis, ProtocolNode
from counterpulse.protocol.plan import PlannedOutcome, PlannedVariable
from counterpulse.source import Finding, Location
from counterpulse.source.yaml_file import YamlPath


@dataclass(slots=True)
class Desk:
    """What the planner has before it: the protocol, the names it may use, and the findings so far."""

    nodes: ProtocolNode
    place: Callable[[YamlPath], Location]
    variables: Mapping[str, PlannedVariable]
    outcomes: Mapping[str, PlannedOutcome]
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, path: YamlPath, code: str, seen: str, allowed: str = "", remedy: str = "") -> None:
        """Keep a finding at a place of the protocol file."""
        where = self.place(path)
        self.findings.append(Finding(code=code, where=where, seen=seen, allowed=allowed, remedy=remedy))


@dataclass(frozen=True, slots=True)
class Draft:
    """An analysis with what it inherits from the one it is `of`; `path` is where a key was written."""

    node: Analysis
    path: YamlPath
    inherited: Mapping[str, YamlPath]

    def where(self, key: str) -> YamlPath:
        """Where a key of the analysis stands."""
        return (*self.inherited.get(key, self.path), key)


def drafts(nodes: ProtocolNode) -> Iterator[Draft]:
    """The analyses in order, each sensitivity analysis as the edit it is of another."""
    written = {analysis.id: (index, analysis) for index, analysis in enumerate(nodes.analyses)}
    for index, analysis in enumerate(nodes.analyses):
        yield _merged(analysis, index, written, frozenset())


def _merged(analysis: Analysis, index: int, written: Mapping[str, tuple[int, Analysis]], seen: frozenset[str]) -> Draft:
    path: YamlPath = ("analyses", index)
    if analysis.of is None or analysis.of not in written or analysis.of in seen | {analysis.id}:
        return Draft(analysis, path, {})
    base_index, base_node = written[analysis.of]
    return edited(analysis, path, _merged(base_node, base_index, written, seen | {analysis.id}))


def edited(edit: Analysis, path: YamlPath, base: Draft) -> Draft:
    """An analysis with an edit, written at `path`; what the edit does not name is inherited."""
    own = {name: getattr(edit, name) for name in edit.model_fields_set}
    inherited_keys = {
        name for name in base.node.model_fields_set if name not in own and name not in ("id", "role", "of", "label")
    }
    inherited_keys -= {"models", "main_model", "same_rows"} if "adjust" in own else set()
    inherited_keys -= {"adjust"} if "models" in own else set()
    if "method" in own:
        inherited_keys -= set(base.node.options)
        inherited_keys -= {"check", "draw", "also"}
        if "estimand" not in own:
            inherited_keys -= {"estimand"}
    values = {name: getattr(base.node, name) for name in inherited_keys}
    merged = edit.model_copy(update={**values, **own})
    merged = Analysis.model_construct(_fields_set=set(values) | set(own), **{**_dump(merged), **values, **own})
    return Draft(merged, path, {key: base.inherited.get(key, base.path) for key in inherited_keys})


def _dump(analysis: Analysis) -> dict[str, Any]:
    return {name: getattr(analysis, name) for name in Analysis.model_fields}
