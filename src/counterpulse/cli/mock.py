"""``counterpulse mock``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import study
from counterpulse.cli.console import say
from counterpulse.cli.options import ProtocolPath


def mock(
    protocol: ProtocolPath,
    n: Annotated[
        int | None,
        typer.Option("--n", min=1, help="How many patients, or rows of a review.", show_default="500; 12 an outcome"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the random numbers; default: the protocol's.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The CSV to write.", show_default="NAME.mock.csv")
    ] = None,
) -> None:
    """Write dummy patients (of a review: studies) from the dictionary, to rehearse a study before data exist.

    Example: counterpulse mock study.protocol.yaml --n 300
    """
    n = n or study.usual_size(protocol)
    path, *related = study.write_mock(
        protocol, n=n, seed=seed, out=out or Path(f"{study.study_name(protocol)}.mock.csv")
    )
    say(f"{n} mock rows: {path}")
    for table in related:
        say(f"Rows of a table with several a patient: {table}")
    say(f"Rehearse: counterpulse run {protocol} --data {path}")
