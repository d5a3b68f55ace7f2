"""One file format a module; each gives a `RawTable`. The modules load their libraries when a file needs them."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import NoReturn, Protocol, cast

from counterpulse.data.readers.raw_table import RawTable
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location, did_you_mean

__all__ = ["READERS", "Reader", "read_raw"]

READERS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel", ".ods": "excel",
    ".sav": "statistical", ".zsav": "statistical", ".dta": "statistical", ".sas7bdat": "statistical",
    ".xpt": "statistical", ".parquet": "parquet",
}  # fmt: skip


class Reader(Protocol):
    """What a module of this folder offers."""

    def read_raw(self, path: Path, wanted: Collection[str] | None, sheet: str | None) -> RawTable:
        """Read the columns with the `wanted` headers (None: all) as text, or as the format's own types."""


def read_raw(path: Path, *, wanted: Collection[str] | None = None, sheet: str | None = None) -> RawTable:
    """Read a data file by its ending.

    Raises
    ------
    DataError : the file is missing, is of no known format, is empty, or is damaged
    """
    name = path.name
    if not path.is_file():
        seen = "this is a folder" if path.is_dir() else "the data file is not there"
        _fail("E501", name, seen, "", "check the spelling and the folder, or give --data PATH")
    suffix = path.suffix.lower()
    if suffix not in READERS:
        hint = did_you_mean(suffix, list(READERS)) or "export the table as CSV UTF-8"
        _fail("E504", name, f"files that end in {suffix or 'nothing'} cannot be read", ", ".join(READERS), hint)
    if sheet is not None and READERS[suffix] != "excel":
        _fail("E519", name, f"a sheet ({sheet}) is named and the file is no workbook", "", "leave the sheet out")
    reader = cast(Reader, import_module(f"{__name__}.{READERS[suffix]}"))
    return reader.read_raw(path, wanted, sheet)


def _fail(code: str, name: str, seen: str, allowed: str, remedy: str) -> NoReturn:
    raise DataError([Finding(code=code, where=Location(name), seen=seen, allowed=allowed, remedy=remedy)])
