"""Excel workbooks and OpenDocument sheets; every cell becomes the text that a CSV would hold."""

from __future__ import annotations

import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from counterpulse.data.readers.raw_table import RawTable, clean_header, positions
from counterpulse.errors import DataError, FindingsError
from counterpulse.source import Finding, Location, did_you_mean

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,(\d+)")
_THOUSAND = 3

Cell = str | float | int | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a sheet from its first row and column on."""

    cells: list[list[Cell]]

    @property
    def rows(self) -> list[list[str]]:
        """The cells as text."""
        return [[cell_text(cell) for cell in row] for row in self.cells]


def read_raw(path: Path, wanted: Collection[str] | None, sheet: str | None) -> RawTable:
    """Read the wanted columns of a sheet (default: the first) as text."""
    cells = read_sheet(path.read_bytes(), path.name, sheet=sheet).cells
    numbers = np.array([i for i, row in enumerate(cells, 1) if any(cell != "" for cell in row)], dtype=np.int64)
    if len(numbers) < 2:
        seen = "the sheet has a header and no rows" if len(numbers) else "the sheet is empty"
        remedy = "export the table again, or name another sheet"
        raise DataError([Finding(code="E502", where=Location(path.name), seen=seen, remedy=remedy)])
    headers = tuple(clean_header(cell_text(cell)) for cell in cells[numbers[0] - 1])
    rows = [cells[number - 1] for number in numbers[1:]]
    columns = {
        header: pl.Series(header, _with_points([row[index] for row in rows]), dtype=pl.String)
        for header, index in positions(headers, wanted).items()
    }
    return RawTable(frame=pl.DataFrame(columns), headers=headers, row_numbers=numbers[1:], serial_dates=True)


def _with_points(cells: list[Cell]) -> list[str]:
    """The cells as text; numbers that stand as text with a decimal comma get a point.

    A comma before three digits in every such cell may part thousands, and stays.
    """
    texts = [cell_text(cell) for cell in cells]
    commas = [
        _DECIMAL_COMMA.fullmatch(text) if isinstance(cell, str) else None
        for cell, text in zip(cells, texts, strict=True)
    ]
    found = [match for match in commas if match]
    if not found or all(len(match[1]) == _THOUSAND for match in found):
        return texts
    return [text.replace(",", ".") if match else text for text, match in zip(texts, commas, strict=True)]


def sheet_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Rows below the header and columns of each sheet, in order; none where it is no workbook."""
    import python_calamine

    try:
        workbook = python_calamine.load_workbook(io.BytesIO(path.read_bytes()))
        return {name: _size(workbook.get_sheet_by_name(name).to_python()) for name in workbook.sheet_names}
    except (python_calamine.CalamineError, IndexError, ValueError, OSError):
        return {}  # the reader says what is wrong


def _size(cells: list[list[Cell]]) -> tuple[int, int]:
    rows = [row for row in cells if any(cell != "" for cell in row)]
    return max(len(rows) - 1, 0), max((sum(cell != "" for cell in row) for row in rows[:1]), default=0)


def read_sheet(data: bytes, name: str, *, sheet: str | None, error: type[FindingsError] = DataError) -> Sheet:
    """One sheet of a workbook; `error` is raised where it cannot be read, listing the sheets."""
    import python_calamine

    try:
        workbook = python_calamine.load_workbook(io.BytesIO(data))
        sheets = workbook.sheet_names
        if sheet is None or sheet in sheets:
            chosen = sheets[0] if sheet is None else sheet
            return Sheet(workbook.get_sheet_by_name(chosen).to_python(skip_empty_area=False))
    except (python_calamine.CalamineError, IndexError, ValueError, OSError):
        seen, allowed = "the workbook is damaged, protected by a password, or no workbook", ""
        remedy = "open it in Excel and save it again as .xlsx without a password"
        code = "E501"
    else:
        seen, allowed = f"the workbook has no sheet {sheet!r}", "the sheets " + ", ".join(map(repr, sheets))
        code, remedy = "E519", did_you_mean(sheet, sheets)
    raise error([Finding(code=code, where=Location(name), seen=seen, allowed=allowed, remedy=remedy)])


def cell_text(cell: Cell) -> str:
    """A cell as a CSV would hold it: whole numbers without decimal point, dates as ISO text."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return str(cell)
