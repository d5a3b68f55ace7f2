"""``counterpulse init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import study
from counterpulse.cli.console import say


def init(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="The data file.", show_default=False)],
    sheet: Annotated[str | None, typer.Option("--sheet", metavar="S", help="The sheet of an Excel file.")] = None,
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where to write.")] = Path(),
) -> None:
    """Draft a dictionary and a commented protocol from a data file.

    Example: counterpulse init patients.sav
    """
    drafted = study.draft_study(data, sheet=sheet, directory=directory)
    for path in drafted.written:
        say(f"Wrote {path}")
    for note in drafted.notes:
        say(f"  {note}")
    say(f"Next: complete the lines marked TODO in {drafted.protocol}, then  counterpulse check {drafted.protocol}")
