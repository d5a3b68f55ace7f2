"""A finding: what was seen and where, what was allowed, one thing to do. Never a patient's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

Severity = Literal["error", "warning", "note"]


SEVERITIES: Mapping[str, Severity] = {"E": "error", "W": "warning", "N": "note"}


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file. `line` and `column` count from 1; `excerpt` is the line itself (never of a data file)."""

    file: str
    line: int | None = None
    column: int | None = None
    excerpt: str | None = None
    width: int = 1

    def text(self) -> str:
        """``file:line:column`` with the parts that are known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def short(self) -> str:
        """As `text`, by the name of the file without its folder: what a report may carry."""
        return replace(self, file=PurePath(self.file).name).text()

    def caret(self) -> str | None:
        """The line and a caret under the place, or None where there is no line to show."""
        if self.excerpt is None or self.column is None:
            return None
        gutter = f"{self.line} | " if self.line is not None else "| "
        return f"  {gutter}{self.excerpt}\n  {' ' * (len(gutter) + self.column - 1)}{'^' * max(1, self.width)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding about a protocol, a dictionary, or data.

    `code` is ``E``, ``W`` or ``N`` (error, warning, note) and three digits: 1xx files, 2xx protocol, 3xx dictionary, 4xx expressions,
    5xx data, 6xx plan, 7xx analyses. `where` names the place.
    """

    code: str
    where: Location
    seen: str
    allowed: str = ""
    remedy: str = ""

    @property
    def severity(self) -> Severity:
        """Errors stop the run, warnings ask to be looked at, notes only tell."""
        return SEVERITIES[self.code[0]]

    def text(self) -> str:
        """The finding as it is printed."""
        lines = [f"{self.where.text()}: {self.severity} {self.code}: {self.seen}"]
        if caret := self.where.caret():
            lines.append(caret)
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.remedy:
            lines.append(f"  do: {self.remedy}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """The finding as a row for ``--json``."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.where.file,
            "line": self.where.line,
            "column": self.where.column,
            "seen": self.seen,
            "allowed": self.allowed,
            "remedy": self.remedy,
        }


def did_you_mean(word: str, known: list[str]) -> str:
    """A suggestion for a misspelled word, as a sentence, or nothing."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6) or [
        name for name in known if name.lower() == word.lower()
    ]
    return f"did you mean {close[0]}?" if close else ""
