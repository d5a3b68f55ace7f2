"""Where a protocol and its dictionary lie side by side, and findings are written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression.scope import Symbol
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.read import Protocol
from counterpulse.source import Finding, did_you_mean
from counterpulse.source.yaml_file import YamlPath

MOST_NAMES_LISTED = 12


@dataclass(frozen=True, slots=True)
class Desk:
    """A protocol, its dictionary, the names that may be used, and the findings so far."""

    protocol: Protocol
    dictionary: Dictionary
    scope: dict[str, Symbol]
    findings: list[Finding] = field(default_factory=list)

    @property
    def nodes(self) -> ProtocolNode:
        """What the researcher wrote."""
        return self.protocol.nodes

    def report(
        self, code: str, path: YamlPath, seen: str, *, allowed: str = "", remedy: str = "", key: bool = False
    ) -> None:
        """Write a finding down; `key` points at the key of the path instead of its value."""
        place = self.protocol.where(path, key=key)
        self.findings.append(Finding(code=code, where=place, seen=seen, allowed=allowed, remedy=remedy))

    def needs(
        self, code: str, path: YamlPath, what: str, name: str, known: Iterable[str], remedy: str, *, key: bool = False
    ) -> bool:
        """Tell whether a name is known; where it is not, write it down with a suggestion. `key`: as for `report`."""
        known = list(known)
        if name in known:
            return True
        listed = ", ".join(known[:MOST_NAMES_LISTED]) + (", …" if len(known) > MOST_NAMES_LISTED else "")
        self.report(
            code, path, f"there is no {what} `{name}`", allowed=listed or f"no {what} is defined",
            remedy=did_you_mean(name, known) or remedy, key=key,
        )  # fmt: skip
        return False

    def variable(self, path: YamlPath, name: str) -> Symbol | None:
        """Find a variable of the dictionary or a derived one; where there is none, write it down."""
        known = [other for other, symbol in self.scope.items() if symbol.kind != "condition"]
        remedy = f"add `{name}` to the dictionary or under variables"
        return self.scope[name] if self.needs("E232", path, "variable", name, known, remedy) else None

    def variable_of(self, path: YamlPath, name: str, kinds: tuple[str, ...], wanted: str) -> Symbol | None:
        """Find a variable that must be of one of some kinds."""
        symbol = self.variable(path, name)
        if symbol is not None and symbol.kind not in kinds:
            self.report(
                "E238", path, f"`{name}` is a variable of type {symbol.kind}", allowed=wanted,
                remedy="name another variable, or correct its type in the dictionary",
            )  # fmt: skip
            return None
        return symbol

    def level(self, path: YamlPath, level: str, symbol: Symbol, *, key: bool = False) -> None:
        """Write down a level that a variable does not have."""
        levels = levels_of(symbol)
        if levels is None or level in levels:
            return
        by_label = {label: code for code, label in levels.items()}
        suggestion = did_you_mean(level, [*levels, *by_label]).removeprefix("did you mean ").removesuffix("?")
        code = by_label.get(level) or by_label.get(suggestion) or suggestion
        self.report(
            "E235", path, f"`{level}` is not a level of `{symbol.name}`", key=key, allowed=", ".join(levels),
            remedy=f"did you mean {code}?" if code else f"write {' or '.join(levels)}" if symbol.levels is None else
            "write the level as it stands in the data",
        )  # fmt: skip


def levels_of(symbol: Symbol) -> dict[str, str] | None:
    """List the codes of a variable with their labels; None where any value is possible."""
    if symbol.kind in ("yesno", "condition"):
        return {"yes": "Yes", "no": "No"}
    return dict(symbol.levels) if symbol.levels is not None else None
