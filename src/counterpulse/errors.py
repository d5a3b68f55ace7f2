"""The exception tree and the exit code of each branch.

CounterpulseError                      5  a bug, if it reaches the terminal bare
├── UsageError                         2  the command line, a file that is not there, a path that cannot be written
├── FindingsError                         carries every finding of what was read
│   ├── ProtocolError                  3  the protocol or the dictionary is invalid
│   └── DataError                      4  the data are invalid
└── InputError (also a ValueError)     2  a method was called with arguments it cannot use
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

DONE = 0
HAS_FINDINGS = 1
USAGE = 2
PROTOCOL_INVALID = 3
DATA_INVALID = 4
INTERNAL = 5


class CounterpulseError(Exception):
    """Root of every error raised on purpose."""

    exit_code = INTERNAL


class UsageError(CounterpulseError):
    """The command cannot be carried out as given: what was seen, what was allowed, one thing to do."""

    exit_code = USAGE


class InputError(CounterpulseError, ValueError):
    """A method was called with arguments it cannot use."""

    exit_code = USAGE


class Describable(Protocol):
    """What a finding looks like from here: it can print itself."""

    def text(self) -> str:
        """The finding as a person reads it."""


class FindingsError(CounterpulseError):
    """One or more findings; all of a file at once."""

    def __init__(self, findings: Sequence[Describable]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n\n".join(finding.text() for finding in self.findings))


class ProtocolError(FindingsError):
    """The protocol or the dictionary is invalid."""

    exit_code = PROTOCOL_INVALID


class DataError(FindingsError):
    """The data are invalid.

    `queries` are the questions for the data manager, with values of patients: never to be printed or shared.
    """

    exit_code = DATA_INVALID

    def __init__(self, findings: Sequence[Describable], *, queries: pl.DataFrame | None = None) -> None:
        super().__init__(findings)
        self.queries = queries
