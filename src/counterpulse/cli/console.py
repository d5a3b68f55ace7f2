"""What the terminal shows: plain when piped, colored on a terminal unless NO_COLOR is set."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.table import Table

ORDER = ("error", "warning", "note")


class Printable(Protocol):
    """A finding."""

    @property
    def severity(self) -> str:
        """Error, warning or note."""

    def text(self) -> str:
        """As a person reads it."""

    def as_json(self) -> dict[str, object]:
        """As a program reads it."""


def complain(text: str) -> None:
    """Write to standard error."""
    print(text, file=sys.stderr)


def say(text: str = "") -> None:
    """Write to standard output."""
    print(text)


def say_json(value: object) -> None:
    """Write JSON to standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False))


def say_findings(findings: Sequence[Printable], *, as_json: bool) -> None:
    """All findings, errors first."""
    ordered = sorted(findings, key=lambda finding: ORDER.index(finding.severity))
    if as_json:
        say_json({"findings": [finding.as_json() for finding in ordered]})
        return
    for finding in ordered:
        say(f"{finding.text()}\n")
    found = [(sum(finding.severity == kind for finding in ordered), kind) for kind in ORDER]
    said = [count(number, kind) for number, kind in found if number or kind != "note"]
    say("No findings." if not ordered else f"{', '.join(said)}.")


def count(number: int, what: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def say_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """A table that fits the terminal; in a pipe nothing is cut."""
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(header):
        table.add_column(name, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


class Steps(Protocol):
    """A progress display."""

    def __call__(self, step: str) -> None:
        """Begin a step."""


@contextmanager
def progress(total: int) -> Iterator[Steps]:
    """A progress bar on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)

        def begin(step: str) -> None:
            bar.update(task, advance=1, description=step)

        yield begin
