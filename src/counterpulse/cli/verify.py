"""``counterpulse verify``."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from counterpulse import errors, study
from counterpulse.cli.console import say, say_json
from counterpulse.cli.options import AsJson, BundlePath, DataPath, OfProtocol

MOST = 20


def verify(
    bundle: BundlePath,
    data: DataPath = None,
    protocol: OfProtocol = None,
    jobs: Annotated[int, typer.Option(min=0, help="Analyses side by side; 0 is one a processor.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Run the study of a bundle again, and compare every number.

    Example: counterpulse verify study-report
    """  # fmt: skip
    found = study.verify(bundle, data=data, protocol=protocol, jobs=jobs or os.cpu_count() or 1)
    if as_json:
        say_json({**asdict(found), "protocol": found.protocol.name, "holds": found.holds})
    else:
        for line in study.verification_lines(found, most=MOST):
            say(line)
    raise typer.Exit(errors.DONE if found.holds else errors.HAS_FINDINGS)
