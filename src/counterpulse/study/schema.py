"""The JSON Schema of the protocol file, with the options that the methods add."""

from __future__ import annotations

from typing import Any

from counterpulse.protocol.schema import protocol_schema as language_schema
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import Option

TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "numbers": {"type": ["array", "number"]},
    "yes-no": {"enum": ["yes", "no", True, False]},
    "length": {"type": "string"},
    "lengths": {"type": ["array", "string"]},
    "name": {"type": "string"},
    "names": {"type": ["array", "string"]},
    "terms": {"type": ["array", "string"]},
}


def protocol_schema() -> dict[str, Any]:
    """The schema that an editor uses; it documents the language."""
    options: dict[str, dict[str, Any]] = {}
    for spec in METHODS.values():
        for option in spec.options:
            options[option.name] = _joined(options.get(option.name), _option(option), f"{spec.name}: {option.about}")
    return language_schema(options)


def _option(option: Option) -> dict[str, Any]:
    return (
        {"enum": list(option.allowed)} if option.kind == "word" and option.allowed else dict(TYPES.get(option.kind, {}))
    )


def _joined(known: dict[str, Any] | None, new: dict[str, Any], about: str) -> dict[str, Any]:
    """One key may be an option of several methods: its words are those of all."""
    if known is None:
        return {**new, "description": about}
    joined = {**known, "description": f"{known['description']}; {about}"}
    if "enum" in known and "enum" in new:
        joined["enum"] = list(dict.fromkeys([*known["enum"], *new["enum"]]))
    return joined
