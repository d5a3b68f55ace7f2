"""Which sheet of a workbook holds the patients."""

from __future__ import annotations

from pathlib import Path

from counterpulse.data.readers import READERS
from counterpulse.data.readers.excel import sheet_sizes
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location
from counterpulse.study.interview.answers_file import AnswersFile, Guesses
from counterpulse.study.interview.interview import Ask
from counterpulse.study.interview.question import Question


def choose_sheet(data: Path, sheet: str | None, ask: Ask) -> str | None:
    """The sheet to read; None where the file has no sheets, or one.

    Raises
    ------
    DataError : several sheets hold rows, none is named, and nobody can be asked
    """
    if sheet is not None or READERS.get(data.suffix.lower()) != "excel" or not data.is_file():
        return sheet
    sizes = sheet_sizes(data)
    filled = {name: f"{rows} rows, {columns} columns" for name, (rows, columns) in sizes.items() if rows}
    named = isinstance(ask, AnswersFile) and ask.has("sheet")
    if not filled or (len(filled) == 1 and not named):
        return None if not filled or next(iter(sizes)) in filled else next(iter(filled))
    if isinstance(ask, Guesses) or (isinstance(ask, AnswersFile) and not named):
        raise DataError([_several(data, filled)])
    return ask(
        Question(
            key="sheet", text="Which sheet holds the patients, one row each? "
            + "; ".join(f"{name} ({size})" for name, size in filled.items()), kind="word", choices=filled,
            guess=next(iter(filled)), reason="the first", help="The others can be given as tables of measurements.",
        )
    )  # fmt: skip


def _several(data: Path, filled: dict[str, str]) -> Finding:
    listed = ", ".join(f"{name!r} ({size})" for name, size in filled.items())
    return Finding(
        code="E684", where=Location(data.name), seen=f"the workbook has {len(filled)} sheets with rows",
        allowed=listed, remedy=f'name one, as in --sheet "{next(iter(filled))}"',
    )  # fmt: skip
