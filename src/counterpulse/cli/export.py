"""``counterpulse export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import study
from counterpulse.cli.console import complain, count, say
from counterpulse.cli.options import BundlePath, DataPath, OfProtocol


def export(
    bundle: BundlePath,
    to: Annotated[str, typer.Option("--to", metavar="r|sas|ars", help="The program to write for.", show_default=False)],
    data: DataPath = None,
    protocol: OfProtocol = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where the scripts go.", show_default="BUNDLE-r, -sas or -ars"),
    ] = None,
) -> None:
    """Scripts that repeat each estimate in another program, with the numbers to compare.

    Example: counterpulse export study-report --to r
    """  # fmt: skip
    found = study.export_scripts(bundle, to=to, data=data, protocol=protocol, out=out)
    say(f"{count(found.repeated, 'estimate')} repeated by the scripts in {found.written.directory}.")
    if found.left_out:
        say(f"{count(len(found.left_out), 'estimate')} not exported; they stand in not-exported.csv.")
    if found.of_patients:
        complain(f"{found.written.directory} holds the values of patients: keep it private.")
