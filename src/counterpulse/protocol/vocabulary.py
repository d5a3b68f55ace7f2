"""What the language allows at a place of the file, in plain words; all of it comes from the schema."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from counterpulse.protocol.schema import Schema, language_schema
from counterpulse.source import did_you_mean
from counterpulse.source.yaml_file import YamlPath

_TYPES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "yes or no"}
_BOUNDS = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "greater than {}",
    "exclusiveMaximum": "less than {}",
}

OF_ANALYSES = "multiverse.vary"
"""Where keys of an analysis may stand besides; what is written elsewhere is seldom meant for it."""


def schemas_at(path: YamlPath) -> list[Schema]:
    """Find what may stand at a path: one schema, or several where the language leaves a choice."""
    here = [language_schema()]
    for part in path:
        here = [child for schema in here for branch in branches(schema) for child in _children(branch, part)]
    return here


def branches(schema: Schema) -> Iterator[Schema]:
    """Go through the alternatives of a schema with references followed; a blank is none."""
    if "$ref" in schema:
        target = language_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
        yield {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    elif "anyOf" in schema:
        for alternative in schema["anyOf"]:
            yield from branches(alternative)
    elif schema.get("type") != "null":
        yield schema


def keys_at(path: YamlPath) -> list[str]:
    """Name the keys that may stand in the block at a path."""
    return [key for schema in schemas_at(path) for branch in branches(schema) for key in branch.get("properties", ())]


def words_at(path: YamlPath) -> list[str]:
    """List the words that may stand at a path, where the language lists them."""
    return [str(word) for schema in schemas_at(path) for branch in branches(schema) for word in _words(branch)]


def allowed_at(path: YamlPath) -> str:
    """Say in plain words what may stand at a path."""
    parts = [describe(branch) for schema in schemas_at(path) for branch in branches(schema)]
    lists_of_parts = {f"a list, each entry {part}" for part in parts}
    told = dict.fromkeys("a list of them" if part in lists_of_parts else part for part in parts if part)
    return " or ".join(told)


def example_at(path: YamlPath) -> str | None:
    """Write an example line of a key, ``rule: age >= 18``."""
    for schema in schemas_at(path):
        if examples := schema.get("examples"):
            return f"{path[-1]}: {_flow(examples[0])}"
    return None


def description_at(path: YamlPath) -> str:
    """Say what a key means."""
    return next((schema["description"] for schema in schemas_at(path) if "description" in schema), "")


def describe(branch: Schema) -> str:
    """Say in plain words what one alternative is."""
    if "title" in branch:
        return str(branch["title"])
    if words := _words(branch):
        return ", ".join(map(str, words))
    if "properties" in branch:
        return f"a block with the keys {', '.join(branch['properties'])}"
    kind = branch.get("type")
    if kind == "array":
        entries = " or ".join(dict.fromkeys(map(describe, branches(branch.get("items", {})))))
        return _sized(f"a list, each entry {entries}" if entries else "a list", branch)
    if kind == "object":
        return _sized("a block of lines `name: value`", branch)
    bounds = [text.format(f"{branch[key]:g}") for key, text in _BOUNDS.items() if key in branch]
    return " ".join([_TYPES.get(str(kind), ""), " and ".join(bounds)]).strip()


def close_key(key: str, path: YamlPath) -> str | None:
    """Find the key of a block that an unknown one may have been meant to be."""
    suggestion = did_you_mean(key, keys_at(path))
    return suggestion.removeprefix("did you mean ").removesuffix("?") or None


def suggest(key: str, path: YamlPath) -> str:
    """Say what an unknown key may have been meant to be: a neighbor, or a key of another block."""
    homes = _homes().get(key)
    if not homes and (close := close_key(key, path)):
        return f"did you mean {close}?"
    if homes:
        return f"`{key}` belongs under {' or '.join(f'`{home}`' for home in homes[:3])}; move it there"
    return f"remove `{key}`, or correct its spelling"


def _words(branch: Schema) -> list[object]:
    return [branch["const"]] if "const" in branch else list(branch.get("enum", ()))


def _sized(text: str, branch: Schema) -> str:
    least, most = (next((branch[key] for key in branch if key.startswith(bound)), None) for bound in ("min", "max"))
    if least is not None and least == most:
        return f"{text}, exactly {least} of them"
    return f"{text}, at least {least} of them" if least is not None else text


def _children(branch: Schema, part: str | int) -> Iterator[Schema]:
    if isinstance(part, int):
        if "items" in branch:
            yield branch["items"]
    elif part in branch.get("properties", {}):
        yield branch["properties"][part]
    elif isinstance(branch.get("additionalProperties"), dict):
        yield branch["additionalProperties"]


@cache
def _homes() -> dict[str, list[str]]:
    """Every key of a block inside the file and the blocks it belongs to."""
    homes: dict[str, list[str]] = {}

    def visit(schema: Schema, place: str, seen: frozenset[str]) -> None:
        if place == OF_ANALYSES:
            return
        for branch in branches(schema):
            for key, value in branch.get("properties", {}).items():
                if place:
                    homes.setdefault(key, []).append(place)
                if key not in seen:
                    visit(value, f"{place}.{key}" if place else key, seen | {key})
            for inner in ("items", "additionalProperties"):
                if isinstance(branch.get(inner), dict):
                    visit(branch[inner], place, seen)

    visit(language_schema(), "", frozenset())
    return {key: sorted(dict.fromkeys(places), key=lambda place: place.count(".")) for key, places in homes.items()}


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)
