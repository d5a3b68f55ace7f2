"""``counterpulse check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import errors, study
from counterpulse.cli.console import say_findings
from counterpulse.cli.options import AsJson, DataPath, ProtocolPath


def check(
    protocol: ProtocolPath,
    data: DataPath = None,
    as_json: AsJson = False,
    queries: Annotated[
        Path | None,
        typer.Option(
            "--queries",
            metavar="FILE",
            help="Write the questions for the data manager: ids and values of patients.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Every finding about protocol, dictionary and data, with lines; nothing is analyzed.

    Example: counterpulse check study.protocol.yaml
    """
    findings, exit_code = study.check(protocol, data=data, queries=queries)
    say_findings(findings, as_json=as_json)
    only_notes = all(finding.severity == "note" for finding in findings)
    raise typer.Exit(exit_code if exit_code or only_notes else errors.HAS_FINDINGS)
