"""Inside `{ }` YAML ends a value at the first comma: a rule such as `a in ("B", "C")` is cut in two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from counterpulse.errors import Describable
from counterpulse.protocol.place import name_of, where
from counterpulse.source import Finding, Location, decode
from counterpulse.source.yaml_file import YamlFile, YamlPath

REMEDY = "put the whole value in quotes, or on its own line in a block without { }"
ALLOWED = "inside { } a comma separates keys, unless it stands inside quotes"

_WORD = re.compile(r"[^\W\d]\w*")
_CUT_AT_BRACKET = re.compile(r"[{,]\s*(?P<key>\w+):\s+(?P<value>[^\s\"'\[{,][^,{}]*\([^(){}]*,[^(){}]*\))")


def mend_cut_values(tree: object, file: YamlFile) -> tuple[object, list[Finding]]:
    """Join values that were cut at a comma, and say so, so that the rest of the file can be judged."""
    findings: list[Finding] = []
    return _mend(tree, (), file, findings), findings


def _mend(tree: object, path: YamlPath, file: YamlFile, findings: list[Finding]) -> object:
    if isinstance(tree, list):
        return [_mend(item, (*path, index), file, findings) for index, item in enumerate(tree)]
    if not isinstance(tree, dict):
        return tree
    whole: dict[str, object] = {}
    last = ""
    for key, value in tree.items():
        before = whole.get(last)
        if value is None and isinstance(before, str) and _is_a_piece(key, before):
            if before == tree.get(last):
                findings.append(_cut(file, (*path, last), before))
            whole[last] = f"{before}, {key}"
        else:
            whole[key] = _mend(value, (*path, key), file, findings)
            last = key
    return whole


def _is_a_piece(key: str, before: str) -> bool:
    return not _WORD.fullmatch(key) or _is_open(before)


def _is_open(text: str) -> bool:
    return text.count("(") > text.count(")") or text.count('"') % 2 == 1


def _cut(file: YamlFile, path: YamlPath, value: str) -> Finding:
    return Finding(
        code="E221", where=where(file, path), seen=f"{name_of(file.data, path)} was cut at a comma: `{value}`",
        allowed=ALLOWED, remedy=REMEDY,
    )  # fmt: skip


def explain_cut_brackets(findings: Sequence[Describable], path: Path) -> list[Describable]:
    """Say of a group in brackets that YAML could not read that a comma cut its value, where that is so."""
    decoded = decode(path.read_bytes())
    lines = decoded.text.splitlines() if decoded else []
    return [_explained(finding, lines) if isinstance(finding, Finding) else finding for finding in findings]


def _explained(finding: Finding, lines: list[str]) -> Finding:
    if finding.code != "E207" or finding.where.line is None:
        return finding
    for number in range(finding.where.line, min(finding.where.line + 4, len(lines) + 1)):
        line = lines[number - 1]
        if match := _CUT_AT_BRACKET.search(line):
            value = match["value"]
            place = Location(finding.where.file, number, match.start("value") + 1, line, len(value))
            seen = f"`{match['key']}` was cut at a comma: `{value.split(',')[0]}`"
            return replace(finding, code="E221", where=place, seen=seen, allowed=ALLOWED, remedy=REMEDY)
    return finding
