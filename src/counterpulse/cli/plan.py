"""``counterpulse plan``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import errors, study
from counterpulse.cli.console import complain, say, say_json
from counterpulse.cli.options import AsJson, ProtocolPath
from counterpulse.report import before_data


def plan(
    protocol: ProtocolPath,
    as_json: AsJson = False,
    sap: Annotated[
        Path | None,
        typer.Option(
            "--sap", metavar="FILE", show_default=False,
            help="Write the statistical analysis plan to this file: .docx, .pdf or .html.",
        ),
    ] = None,
    shells: Annotated[
        Path | None,
        typer.Option(
            "--shells", metavar="FILE", show_default=False,
            help="Write the empty tables and figures of the report to this file: .docx, .pdf or .html.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Every choice, resolved or stated as its rule, before any data are read.

    Example: counterpulse plan study.protocol.yaml --sap plan.docx --shells shells.docx
    """
    for file in (sap, shells):
        if file is not None:
            before_data.check_name(file)
    if sap is not None and shells is not None and sap.resolve() == shells.resolve():
        raise errors.UsageError(f"--sap and --shells both name {sap}; give each a file of its own")
    planned, warnings = study.read_plan(protocol)
    for warning in warnings:
        complain(f"{warning.text()}\n")
    if as_json:
        say_json(study.plan_json(planned))
    elif sap is None and shells is None:
        say(study.plan_as_text(planned))
    numbered = bool(planned.protocol.report.line_numbers)
    if sap is not None:
        before_data.write_planned(before_data.compose_analysis_plan(planned), sap, line_numbers=numbered)
        _tell("Statistical analysis plan", sap, quiet=as_json)
    if shells is not None:
        before_data.write_planned(before_data.compose_shells(study.rehearse(protocol)), shells, line_numbers=numbered)
        _tell("Empty tables and figures", shells, quiet=as_json)


def _tell(what: str, file: Path, *, quiet: bool) -> None:
    """Say where a file is; beside JSON, where a program does not read it."""
    (complain if quiet else say)(f"{what}: {file}")
