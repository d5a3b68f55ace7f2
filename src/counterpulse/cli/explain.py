"""``counterpulse explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from counterpulse import study
from counterpulse.cli.console import say, say_json
from counterpulse.cli.options import AsJson, BundlePath


def explain(
    bundle: BundlePath,
    number: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The id of a number, as results.json and the report carry it.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """One number: rule, rows, method, choices, citations.

    Example: counterpulse explain study-report A1.death.iabp.odds-ratio
    """
    found = study.explain_number(bundle, number)
    if as_json:
        say_json(found)
    else:
        say(study.explanation_text(found))
