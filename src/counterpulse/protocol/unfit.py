"""What does not fit the language becomes findings: where, what was seen, what is allowed, one thing to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from counterpulse.protocol.place import name_of, step, where
from counterpulse.protocol.vocabulary import (
    allowed_at,
    close_key,
    description_at,
    example_at,
    keys_at,
    suggest,
    words_at,
)
from counterpulse.source import Finding, did_you_mean
from counterpulse.source.yaml_file import YamlFile, YamlPath

QUOTED = re.compile("'([^']+)'")
"""The words of a fixed list, as the validator names them."""
_OF_THE_BLOCK = ("missing", "extra_forbidden")
LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Misfit:
    """One complaint of the validator; `message` is what it says of the value, or the words that a key may be. `choices` are the unions it came through: at which path, which branch."""

    kind: str
    path: YamlPath
    message: str
    choices: tuple[tuple[YamlPath, str], ...]
    missing: str = ""

    def is_of_shape(self, path: YamlPath, tree: object) -> bool:
        """Tell whether the value at `path` is of another kind than this branch of a union wants."""
        if self.path != path or self.kind in _OF_THE_BLOCK:
            return False
        return not (self.kind == "value_error" and isinstance(_value(tree, path), dict))


def findings_of(error: ValidationError, tree: object, file: YamlFile) -> list[Finding]:
    """Turn every complaint into a finding, one a place."""
    misfits = _best_branches([_misfit(item, tree) for item in error.errors(include_url=False)], tree)
    by_place = {(misfit.path, misfit.missing, misfit.kind in _OF_THE_BLOCK): misfit for misfit in misfits}
    meant = {
        (misfit.path[:-1], close_key(str(misfit.path[-1]), misfit.path[:-1]))
        for misfit in misfits if misfit.kind == "extra_forbidden"
    }  # fmt: skip
    told = [misfit for misfit in by_place.values() if (misfit.path, misfit.missing) not in meant]
    return [_finding(misfit, tree, file) for misfit in told]


def _misfit(item: Mapping[str, Any], tree: object) -> _Misfit:
    """Separate the path in the file from the names of branches that the validator mixes into it."""
    path: list[str | int] = []
    choices: list[tuple[YamlPath, str]] = []
    kind, location, here, missing = item["type"], item["loc"], tree, ""
    for depth, part in enumerate(location):
        last = depth == len(location) - 1
        if (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int)):
            here = step(here, part)
            path.append(part)
        elif last and kind == "missing":
            missing = str(part)
        elif part == "[key]":
            kind = "key"
        elif isinstance(part, str):
            choices.append((tuple(path), part))
    about = {"value_error": "error", "key": "expected"}.get(kind, "")
    message = str(item.get("ctx", {}).get(about, ""))
    return _Misfit(kind, tuple(path), message, tuple(choices), missing)


def _best_branches(misfits: Sequence[_Misfit], tree: object) -> list[_Misfit]:
    """Where a union was tried branch by branch, keep the complaints of branches of the value's own shape."""
    wrong_shape = {
        choice for misfit in misfits for choice in misfit.choices if misfit.is_of_shape(choice[0], tree)
    }  # fmt: skip
    tried = {choice for misfit in misfits for choice in misfit.choices}
    fitting_places = {path for path, _ in tried - wrong_shape}

    def stays(misfit: _Misfit) -> bool:
        return not any(choice in wrong_shape and choice[0] in fitting_places for choice in misfit.choices)

    return [misfit for misfit in misfits if stays(misfit)]


def _finding(misfit: _Misfit, tree: object, file: YamlFile) -> Finding:
    if misfit.missing:
        return _missing_key(misfit, tree, file)
    if misfit.kind == "extra_forbidden":
        return _unknown_key(misfit, tree, file)
    if misfit.kind == "key":
        return _bad_name(misfit, tree, file)
    if misfit.kind == "value_error" and isinstance(_value(tree, misfit.path), dict):
        return _unfit_block(misfit, tree, file)
    return _unfit_value(misfit, tree, file)


def _missing_key(misfit: _Misfit, tree: object, file: YamlFile) -> Finding:
    path = (*misfit.path, misfit.missing)
    at_key = bool(misfit.path) and isinstance(misfit.path[-1], str)
    example = example_at(path) or f"{misfit.missing}: …"
    meaning = description_at(path)
    return Finding(
        code="E222", where=where(file, misfit.path, key=at_key),
        seen=f"`{misfit.missing}` is missing in {name_of(tree, misfit.path)}: {meaning[:1].lower()}{meaning[1:-1]}",
        remedy=f"add a line such as `{example}`",
    )  # fmt: skip


def _unknown_key(misfit: _Misfit, tree: object, file: YamlFile) -> Finding:
    *parent, key = misfit.path
    return Finding(
        code="E220", where=where(file, misfit.path, key=True),
        seen=f"unknown key `{key}` in {name_of(tree, tuple(parent))}",
        allowed=", ".join(keys_at(tuple(parent))), remedy=suggest(str(key), tuple(parent)),
    )  # fmt: skip


def _bad_name(misfit: _Misfit, tree: object, file: YamlFile) -> Finding:
    *parent, key = misfit.path
    if words := QUOTED.findall(misfit.message):
        return Finding(
            code="E223", where=where(file, misfit.path, key=True), seen=f"a key of {name_of(tree, tuple(parent))} is `{key}`",
            allowed=", ".join(words), remedy=did_you_mean(str(key), words) or "write one of these words",
        )  # fmt: skip
    return Finding(
        code="E227", where=where(file, misfit.path, key=True), seen=f"`{key}` is not a name",
        allowed="letters, digits and _, beginning with a letter",
        remedy="rename it, and use a label for the words that readers see",
    )  # fmt: skip


def _unfit_block(misfit: _Misfit, tree: object, file: YamlFile) -> Finding:
    at_key = isinstance(misfit.path[-1], str)
    return Finding(
        code="E226", where=where(file, misfit.path, key=at_key),
        seen=f"the keys of {name_of(tree, misfit.path)} do not fit together",
        allowed=misfit.message, remedy="keep the keys of one form",
    )  # fmt: skip


def _unfit_value(misfit: _Misfit, tree: object, file: YamlFile) -> Finding:
    value = _value(tree, misfit.path)
    words = words_at(misfit.path)
    listed = bool(words) and isinstance(value, str)
    remedy = did_you_mean(str(value), words) if listed else ""
    if not remedy:
        example = example_at(misfit.path)
        remedy = f"write it as in `{example}`" if example and not listed else _general_remedy(value, words)
    return Finding(
        code="E223" if listed else "E224", where=where(file, misfit.path, key=value is None),
        seen=f"{name_of(tree, misfit.path)} is {shown(value)}", allowed=allowed_at(misfit.path), remedy=remedy,
    )  # fmt: skip


def _general_remedy(value: object, words: Iterable[str]) -> str:
    if value is None:
        return "complete the line, or remove the key"
    return "write one of these words" if list(words) else "write it in the form that is allowed"


def _value(tree: object, path: YamlPath) -> object:
    for part in path:
        tree = step(tree, part)
    return tree


def shown(value: object) -> str:
    """Show a value of the protocol in a sentence."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a block of keys"
    if isinstance(value, list):
        return "a list"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return f"`{text[:LONGEST_SHOWN]}…`" if len(text) > LONGEST_SHOWN else f"`{text}`"
