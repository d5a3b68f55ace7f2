"""The canonical form of a protocol: what was planned, without data binding and without looks, and its digest."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from math import isfinite

from counterpulse.expression.parse import parse
from counterpulse.expression.problem import ExpressionError
from counterpulse.expression.text import to_text
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.rules import rules_of
from counterpulse.source.yaml_file import YamlPath

BINDING = {"data": {"table", "dictionary", "sheet", "kind"}, "tables": {"__all__": {"file", "sheet", "dictionary"}}}
LOOKS = {"report": True}


def canonical_json(nodes: ProtocolNode) -> str:
    """Write the protocol in its one canonical form.

    Keys are sorted, defaults left out, expressions in canonical text, yes and no as words, spaces single. Equal for
    files that differ in order of keys, comments, spacing, spelling of keywords, or in the words for yes and no.
    """
    tree = nodes.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=BINDING | LOOKS)  # type: ignore[arg-type]
    for rule in rules_of(nodes):
        _put(tree, rule.path, canonical_rule(rule.text))
    return json.dumps(_plain(tree), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def protocol_digest(nodes: ProtocolNode) -> str:
    """Take the SHA-256 of the canonical form. It proves identity, not a date."""
    return f"sha256:{hashlib.sha256(canonical_json(nodes).encode()).hexdigest()}"


def canonical_rule(text: str) -> str:
    """Write an expression in its canonical text; one that cannot be read stays as it is."""
    try:
        return to_text(parse(text))
    except ExpressionError:
        return text


def _put(tree: object, path: YamlPath, text: str) -> None:
    for part in path[:-1]:
        tree = tree[part]  # type: ignore[index]
    tree[path[-1]] = text  # type: ignore[index]


def _plain(part: object) -> object:
    if isinstance(part, dict):
        return {str(key): _plain(value) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_plain(value) for value in part]
    if isinstance(part, bool):
        return "yes" if part else "no"
    if isinstance(part, float):
        return int(part) if part.is_integer() else (part if isfinite(part) else str(part))
    return " ".join(unicodedata.normalize("NFC", part).split()) if isinstance(part, str) else part
