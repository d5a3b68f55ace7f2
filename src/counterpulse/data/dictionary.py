"""What each column means. The reader is `counterpulse.data.read_dictionary`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from counterpulse.source import Finding

VariableType = Literal["id", "number", "integer", "category", "ordinal", "yesno", "date", "datetime", "text"]
TYPES: tuple[VariableType, ...] = (
    "id", "number", "integer", "category", "ordinal", "yesno", "date", "datetime", "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One row of the dictionary.

    `source` is the header in the data file (default: the name); a datetime may stand in two columns, ``Date + Time``. `levels` maps each code to its label, in order; for
    yesno it maps raw codes to "yes" or "no" where they are not the usual words. `minimum` and `maximum` are as written
    (numbers or ISO dates). `applies_if` is an expression; where it is false a blank is *not applicable*, not missing.
    `more_levels`: the data hold further levels, taken as they stand there. `format` says how the dates are written where that
    is not YYYY-MM-DD. `line` is the row of the dictionary file.
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
    format: str | None = None
    more_levels: bool = False
    line: int | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The headers it is read from: one, or those of the date and of the time of day."""
        return tuple(map(str.strip, self.source.split(" + "))) if self.type == "datetime" else (self.source,)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The variables of a table by name, in the order of the file; `digest` is of its canonical content.

    `findings` are the warnings of the reader (errors raise). `tables` are the dictionaries of the tables with several
    rows a patient, by the name of the table.
    """

    variables: Mapping[str, Variable]
    file: str
    digest: str
    findings: tuple[Finding, ...] = ()
    tables: Mapping[str, Dictionary] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables.values())

    def __contains__(self, name: object) -> bool:
        return name in self.variables

    def __getitem__(self, name: str) -> Variable:
        return self.variables[name]
