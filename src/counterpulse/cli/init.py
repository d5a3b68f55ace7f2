"""``counterpulse init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import study
from counterpulse.cli import interview
from counterpulse.cli.console import say
from counterpulse.errors import UsageError


def init(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="The data file.", show_default=False)],
    sheet: Annotated[str | None, typer.Option("--sheet", metavar="S", help="The sheet of an Excel file.")] = None,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", metavar="FILE", help="Answers (YAML); nothing is asked.", show_default=False),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table", metavar="NAME=FILE", help="A file with several rows a patient; repeatable.", show_default=False
        ),
    ] = None,
    redcap: Annotated[
        Path | None,
        typer.Option(
            "--redcap",
            metavar="DICTIONARY",
            help="DATA is an export of REDCap; its data dictionary.",
            show_default=False,
        ),
    ] = None,
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where to write.")] = Path(),
) -> None:
    """Ask what the columns of a data file are for, and write a dictionary and a commented protocol.

    Example: counterpulse init patients.sav
    """
    asked = answers is None and interview.is_terminal()
    if asked:
        say(interview.WELCOME)
    ask = interview.ask if asked else None
    if redcap is not None:
        if sheet is not None or table:
            raise UsageError("--redcap finds the tables of the project by itself: leave --sheet and --table out")
        drafted = study.draft_redcap_study(data, redcap, directory=directory, answers=answers, ask=ask)
    else:
        drafted = study.draft_study(
            data, sheet=sheet, directory=directory, answers=answers, ask=ask, tables=_tables(table or [])
        )
    _tell(drafted)


def _tell(drafted: study.DraftedStudy) -> None:
    """What was written, what was assumed, what to look at."""
    for path in drafted.written:
        say(f"Wrote {path}")
    if drafted.assumed:
        say("Assumed, because nobody was asked; check each:")
    for question, answer in drafted.assumed:
        say(f"  {question.key}: {answer}" + (f"   ({question.reason})" if question.reason else ""))
    if drafted.notes:
        say("Look at:")
    for note in drafted.notes:
        say(f"  {note}")
    say(f"Next: read the comments in {drafted.protocol}, then  counterpulse check {drafted.protocol}")


def _tables(written: list[str]) -> dict[str, Path]:
    tables: dict[str, Path] = {}
    for text in written:
        name, _, file = text.partition("=")
        if not study.is_usable_name(name) or not file or name in tables:
            raise UsageError(f"--table {text}: write it as NAME=FILE, such as gas=gas.csv, each name once")
        tables[name] = Path(file)
    return tables
