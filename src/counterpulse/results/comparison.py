"""What differs between two results, number by number."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

RELATIVE = 1e-9
"""Two runs of one version on one machine agree to the last bit; on another machine sums may be taken in another order."""
ABSOLUTE = 1e-12
"""Below this a difference of two nearly equal numbers is rounding."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "flow": ("id",),
    "table_one": ("variable", "level", "group", "contrast"),
    "analyses": ("id",),
    "estimates": ("id",),
    "blocks": ("id",),
    "warnings": ("code", "where", "text"),
    "choices": ("name",),
    "criteria": ("id",),
    "groups": ("group",),
}
"""What names a row of each list, so that a row that moved is not a row that changed."""

Tree = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One place in which two trees differ; None on a side that lacks it."""

    path: Path
    before: Any
    after: Any

    @property
    def where(self) -> str:
        """The place, as a person finds it: the list, the id, the field."""
        return " \N{MIDDLE DOT} ".join(self.path)

    @property
    def kind(self) -> str:
        """Whether it was changed, added or taken away."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def changes(before: Tree, after: Tree) -> tuple[Change, ...]:
    """Every place in which two trees differ: numbers by more than rounding, everything else at all.

    Parameters
    ----------
    before, after : results or plans, as they stand on disk
    """
    return tuple(_compare(before, after, ()))


def _compare(before: Any, after: Any, path: Path) -> Iterator[Change]:  # noqa: ANN401  (any part of a tree)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from _compare(before.get(name), after.get(name), (*path, str(name)))
    elif path and path[-1] in KEYS and _rows(before) and _rows(after):
        named = KEYS[path[-1]]
        yield from _compare(_by_key(before or (), named), _by_key(after or (), named), path)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _compare(one, other, (*path, str(index + 1)))
    elif not _equal(before, after):
        yield Change(path, before, after)


def _rows(value: Any) -> bool:  # noqa: ANN401  (any part of a tree)
    return value is None or (isinstance(value, list) and all(isinstance(row, Mapping) for row in value))


def _by_key(rows: Sequence[Tree], named: tuple[str, ...]) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for row in rows:
        key = ", ".join(_word(row[name]) for name in named if row.get(name) is not None)
        found[key if key not in found else f"{key} ({len(found)})"] = row
    return found


def _word(value: Hashable | list[str]) -> str:
    return " against ".join(value) if isinstance(value, list) else str(value)


def _equal(before: Any, after: Any) -> bool:  # noqa: ANN401  (any leaf of a tree)
    if _is_number(before) and _is_number(after):
        return isclose(before, after, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(before == after)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
