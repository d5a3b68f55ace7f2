"""``counterpulse diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import errors, study
from counterpulse.cli.console import say, say_json
from counterpulse.cli.options import AsJson


def diff(
    before: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The earlier bundle.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The later bundle.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """What changed between two runs, and which input changed it.

    Example: counterpulse diff study-report study-report-2
    """
    found = study.diff(before, after)
    if as_json:
        say_json(found.as_json())
    else:
        for line in study.difference_lines(found):
            say(line)
    raise typer.Exit(errors.DONE if found.none else errors.HAS_FINDINGS)
