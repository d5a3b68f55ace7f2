"""What each column means. The reader is `counterpulse.data.read_dictionary`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from counterpulse.source import Finding

VariableType = Literal["id", "number", "integer", "category", "ordinal", "yesno", "date", "datetime", "text"]
TYPES: tuple[VariableType, ...] = (
    "id", "number", "integer", "category", "ordinal", "yesno", "date", "datetime", "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One row of the dictionary.

    `source` is the header in the data file (default: the name). `levels` maps each code to its label, in order; for
    yesno it maps raw codes to "yes" or "no" where they are not the usual words. `minimum` and `maximum` are as written
    (numbers or ISO dates). `applies_if` is an expression; where it is false a blank is *not applicable*, not missing.
    `line` is the row of the dictionary file.
    """

    name: str
    type: VariableType
    source: str
    label: str
    unit: str | None = None
    levels: Mapping[str, str] | None = None
    minimum: str | None = None
    maximum: str | None = None
    missing_codes: tuple[str, ...] = ()
    applies_if: str | None = None
    integer: bool = False
    section: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The variables of a table by name, in the order of the file; `digest` is of its canonical content.

    `findings` are the warnings of the reader (errors raise).
    """

    variables: Mapping[str, Variable]
    file: str
    digest: str
    findings: tuple[Finding, ...] = ()

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables.values())

    def __contains__(self, name: object) -> bool:
        return name in self.variables

    def __getitem__(self, name: str) -> Variable:
        return self.variables[name]
