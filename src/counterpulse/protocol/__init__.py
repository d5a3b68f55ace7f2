"""What a study plans to do, as the researcher wrote it. Names are loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.protocol.canonical import canonical_json, canonical_rule, protocol_digest
    from counterpulse.protocol.nodes import ProtocolNode
    from counterpulse.protocol.plan import Plan
    from counterpulse.protocol.plan_on_disk import plan_digest, plan_from_json, plan_to_json
    from counterpulse.protocol.read import Protocol, parse_protocol, read_protocol
    from counterpulse.protocol.schema import protocol_schema
    from counterpulse.protocol.scope import study_scope
    from counterpulse.protocol.words import Duration

__all__ = [
    "Duration",
    "Plan",
    "Protocol",
    "ProtocolNode",
    "canonical_json",
    "canonical_rule",
    "parse_protocol",
    "plan_digest",
    "plan_from_json",
    "plan_to_json",
    "protocol_digest",
    "protocol_schema",
    "read_protocol",
    "study_scope",
]

_HOMES = {
    "canonical": ("canonical_json", "canonical_rule", "protocol_digest"),
    "nodes": ("ProtocolNode",),
    "plan": ("Plan",),
    "plan_on_disk": ("plan_digest", "plan_from_json", "plan_to_json"),
    "read": ("Protocol", "parse_protocol", "read_protocol"),
    "schema": ("protocol_schema",),
    "scope": ("study_scope",),
    "words": ("Duration",),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
