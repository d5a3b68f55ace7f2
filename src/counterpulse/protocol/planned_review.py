"""What a plan of a review holds besides that of any study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from counterpulse.protocol.nodes import Effects, ProtocolNode

EFFECT = "effect"
"""The kind of an outcome of a review."""
TREATED, CONTROL = "treated", "control"
"""The levels of the two arms of a review, as estimates name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReview:
    """The measure of each outcome, what the two arms are called, and the domains of the risk of bias with their labels."""

    measures: Mapping[str, str]
    treated: str
    control: str
    domains: Mapping[str, str] = field(default_factory=dict)


def is_review(nodes: ProtocolNode) -> bool:
    """Whether the study is a review."""
    return nodes.study.design == "review"


def effects_of(nodes: ProtocolNode) -> Effects:
    """How rows become effects, as written or as usual."""
    return nodes.effects or Effects()
