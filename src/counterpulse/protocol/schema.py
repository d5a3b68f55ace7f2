"""The JSON Schema of the protocol language: for editors, for the word list, and for what a finding says is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema

from counterpulse.protocol.nodes import ProtocolNode

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


class _WithoutTitles(GenerateJsonSchema):
    """Titles are kept for the plain words of a type; a field's name is no title."""

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:
        return False

    def sort(self, value: dict[str, Any], parent_key: str | None = None) -> dict[str, Any]:
        return value  # the order of the language is meant


def protocol_schema(extra_analysis_options: Mapping[str, Schema]) -> Schema:
    """Make the schema of a protocol file, with the options that methods add to an analysis.

    Parameters
    ----------
    extra_analysis_options : the JSON Schema of each option of a method, by its key. Empty: any key is let through.
    """
    base = language_schema()
    analysis = dict(base["$defs"]["Analysis"])
    if extra_analysis_options:
        analysis["properties"] = {**analysis["properties"], **extra_analysis_options}
        analysis["additionalProperties"] = False
    return {"$schema": DIALECT, **base, "$defs": {**base["$defs"], "Analysis": analysis}}


@cache
def language_schema() -> Schema:
    """Make the schema of the nodes."""
    raw = ProtocolNode.model_json_schema(by_alias=True, schema_generator=_WithoutTitles)
    for definition in (raw, *raw["$defs"].values()):
        definition.pop("title", None)
    tidy: Schema = _tidy(raw)
    return tidy


def _tidy(part: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Names are checked wherever they are keys; defaults that only say "absent" are left out."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {key: _tidy(value) for key, value in part.items() if not (key == "default" and value in (None, {}, []))}
    if isinstance(by_pattern := tidy.get("patternProperties"), dict) and "type" in tidy:
        ((pattern, values),) = by_pattern.items()
        del tidy["patternProperties"]
        tidy |= {"propertyNames": {"pattern": pattern}, "additionalProperties": values}
    return tidy
