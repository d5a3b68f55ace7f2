"""The boxes that `flow` adds to the diagram: names with a meaning in CONSORT 2025, and names of the researcher's own.

Hopewell S, Chan AW, Collins GS, et al. CONSORT 2025 statement. BMJ 2025;389:e081123 (doi:10.1136/bmj-2024-081123)
"""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.expression import Scope, parse, to_english, to_text
from counterpulse.protocol.nodes import FlowBox, ProtocolNode
from counterpulse.protocol.plan import PlannedFlowBox

STAGES = ("allocation", "follow-up", "analysis")
KNOWN: Mapping[str, tuple[str, str]] = {
    "received": ("allocation", "Received the allocated treatment"),
    "not_received": ("allocation", "Did not receive the allocated treatment"),
    "crossed_over": ("allocation", "Crossed over to the other treatment"),
    "completed": ("follow-up", "Completed follow-up"),
    "lost": ("follow-up", "Lost to follow-up"),
    "withdrew": ("follow-up", "Withdrew consent"),
    "discontinued": ("follow-up", "Discontinued the treatment"),
    "excluded_from_analysis": ("analysis", "Excluded from the analysis"),
}
"""The names that say by themselves in which stage of the diagram their box stands, with the words that are printed."""


def planned_flow(nodes: ProtocolNode, scope: Scope) -> tuple[PlannedFlowBox, ...]:
    """The boxes in the order of the protocol; one with a name of its own stands where the box before it does."""
    planned: list[PlannedFlowBox] = []
    for name, written in nodes.flow.items():
        box = FlowBox(rule=written) if isinstance(written, str) else written
        before = planned[-1].stage if planned else STAGES[0]
        stage, label = KNOWN.get(name, (before, _words(name)))
        rule = parse(box.rule)
        planned.append(
            PlannedFlowBox(
                name=name, label=box.label or label, stage=box.stage or stage, rule=to_text(rule), english=to_english(rule, scope),
                reasons=box.reasons, levels=dict(scope[box.reasons].levels or {}) if box.reasons else {},
            )
        )  # fmt: skip
    return tuple(planned)


def _words(name: str) -> str:
    text = " ".join(name.replace("_", " ").split())
    return text[:1].upper() + text[1:]
