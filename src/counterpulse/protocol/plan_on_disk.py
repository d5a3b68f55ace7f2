"""A plan as plan.json holds it, and back without loss."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.words import Duration

FORMAT = "counterpulse/plan/1"
Json = dict[str, Any]

_TAGGED: Mapping[str, type] = {
    kind.__name__.lower(): kind for kind in (Numeric, Spline, Categorical, Interaction, Duration)
}
_TAGS: Mapping[type, str] = {kind: tag for tag, kind in _TAGGED.items()}


def plan_to_json(plan: Plan) -> Json:
    """Write a plan as a tree for JSON: dates as text, terms and durations with their kind, absent values left out."""
    return {"format": FORMAT, **_write(plan)}


def plan_from_json(tree: Mapping[str, Any]) -> Plan:
    """Read what `plan_to_json` wrote; the plan is equal to the one written.

    Raises
    ------
    ValueError : the format is another one
    """
    if tree.get("format") != FORMAT:
        raise ValueError(f"a plan in the format {tree.get('format')!r}; this version reads {FORMAT!r}")
    plan = _read({name: value for name, value in tree.items() if name != "format"}, Plan)
    assert isinstance(plan, Plan)
    return plan


def plan_digest(plan: Plan) -> str:
    """Take the SHA-256 of everything the plan decides; data paths and looks are no part of it."""
    tree = {name: value for name, value in plan_to_json(plan).items() if name != "protocol"}
    text = json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _write(value: Any) -> Any:  # noqa: ANN401  (any part of a plan)
    if isinstance(value, ProtocolNode):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if is_dataclass(value) and not isinstance(value, type):
        tag = {"type": _TAGS[type(value)]} if type(value) in _TAGS else {}
        return tag | {
            field.name: _write(getattr(value, field.name)) for field in fields(value) if _said(value, field.name)
        }
    if isinstance(value, Mapping):
        return {str(key): _write(item) for key, item in value.items()}
    return [_write(item) for item in value] if isinstance(value, list | tuple) else value


def _said(value: object, name: str) -> bool:
    """Leave out what is absent and would be absent again when read."""
    field = next(field for field in fields(value) if field.name == name)  # type: ignore[arg-type]
    return getattr(value, name) is not None or field.default is not None


def _read(tree: Any, kind: Any) -> Any:  # noqa: ANN401  (any part of a plan)
    """Read a part by the type that the plan declares for it; where it declares none, by its own kind."""
    if kind is ProtocolNode:
        return ProtocolNode.model_validate(tree)
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(tree, dict):
        hints = _declared(kind)
        return kind(**{name: _read(value, hints[name]) for name, value in tree.items() if name in hints})
    if isinstance(tree, list):
        return _read_tuple(tree, arguments if origin is tuple else ())
    if origin in (Union, types.UnionType):
        return _read_alternative(tree, arguments)
    if isinstance(tree, dict):
        return _read_mapping(tree, arguments[1] if len(arguments) == 2 else object)
    return tree


_declared = cache(get_type_hints)
"""The types of a class's fields; to evaluate them takes longer than to read the plan."""


def _read_tuple(tree: list[Any], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is not Ellipsis:
        return tuple(_read(item, kind) for item, kind in zip(tree, arguments, strict=True))
    return tuple(_read(item, arguments[0] if arguments else object) for item in tree)


def _read_alternative(tree: Any, kinds: tuple[Any, ...]) -> Any:  # noqa: ANN401  (any part of a plan)
    if isinstance(tree, dict):
        if tree.get("type") in _TAGGED:
            return _read(tree, _TAGGED[tree["type"]])
        nodes = [kind for kind in kinds if is_dataclass(kind)]
        return _read(tree, nodes[0]) if nodes else _read_mapping(tree, object)
    return tree


def _read_mapping(tree: Json, kind: Any) -> Any:  # noqa: ANN401  (any part of a plan)
    if kind is object and tree.get("type") in _TAGGED:
        return _read(tree, _TAGGED[tree["type"]])
    return {key: _read(value, kind) for key, value in tree.items()}
