"""Places in a protocol file: where they stand and how they are called."""

from __future__ import annotations

from collections.abc import Iterable

from counterpulse.protocol.words import AMERICAN_TO_BRITISH_KEYS
from counterpulse.source import Finding, Location
from counterpulse.source.yaml_file import YamlFile, YamlPath


def where(file: YamlFile, path: YamlPath, *, key: bool = False) -> Location:
    """Find where a value stands (or its key), by the American path of a file that may be written in British."""
    return file.position(as_written(file.data, path), key=key)


def as_written(tree: object, path: YamlPath) -> YamlPath:
    """Spell the keys of a path as the file spells them."""
    written: list[str | int] = []
    for part in path:
        british = AMERICAN_TO_BRITISH_KEYS.get(part) if isinstance(part, str) else None
        is_british = isinstance(tree, dict) and part not in tree and british in tree
        written.append(british if british is not None and is_british else part)
        tree = step(tree, written[-1])
    return tuple(written)


def step(tree: object, part: str | int) -> object:
    """Go one step down a tree; None where there is nothing."""
    if isinstance(tree, dict):
        return tree.get(part)
    if isinstance(tree, list) and isinstance(part, int) and 0 <= part < len(tree):
        return tree[part]
    return None


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings as the file goes, each once."""
    return tuple(sorted(dict.fromkeys(findings), key=_line_column_code))


def _line_column_code(finding: Finding) -> tuple[int, int, str]:
    return finding.where.line or 0, finding.where.column or 0, finding.code


def name_of(tree: object, path: YamlPath) -> str:
    """Name a place for the reader: ``eligibility.include.adult``; an entry without an id is counted from 1."""
    words = []
    for part in path:
        tree = step(tree, part)
        if isinstance(part, int):
            label = tree.get("id") or tree.get("variable") if isinstance(tree, dict) else None
            words.append(str(label or f"entry {part + 1}"))
        else:
            words.append(part)
    return ".".join(words) or "the protocol"
