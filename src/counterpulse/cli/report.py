"""``counterpulse report``."""

from __future__ import annotations

from typing import Annotated

import typer

import counterpulse as cp
from counterpulse import study
from counterpulse.cli.console import complain, say
from counterpulse.cli.options import BundlePath
from counterpulse.results.bundle import private_files

STYLES = "plain, jama, nejm, lancet, bmj, jacc, annals"


def report(
    bundle: BundlePath,
    style: Annotated[
        str | None, typer.Option("--style", metavar="S", help=f"One of {STYLES}.", show_default=False)
    ] = None,
) -> None:
    """Render a bundle again, perhaps in another style; no number changes.

    Example: counterpulse report study-report --style jama
    """
    written = cp.report(study.read_result(bundle), bundle, style=style, private=private_files(bundle))
    if written.moved_because:
        complain(f"The report is in a new place, because {written.moved_because}.")
    say(f"Report: {written.report}")
