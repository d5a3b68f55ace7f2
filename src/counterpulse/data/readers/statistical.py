"""SPSS, Stata and SAS files, in their own types; user-missing values are blank and told, labels are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from counterpulse.data.readers.excel import cell_text
from counterpulse.data.readers.raw_table import RawTable, clean_header, positions
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location

Read: TypeAlias = Callable[..., tuple[pl.DataFrame, Any]]
Failures: TypeAlias = tuple[type[Exception], ...]

FALLBACK_ENCODING = "WINDOWS-1252"


def read_raw(path: Path, wanted: Collection[str] | None, sheet: str | None) -> RawTable:
    """Read the wanted columns in their own types, with their labels."""
    read, failures = _reader(path.suffix.lower())
    try:
        findings: tuple[Finding, ...] = ()
        try:
            written, columns, frame, meta = _read(read, path, wanted)
        except failures:
            written, columns, frame, meta = _read(partial(read, encoding=FALLBACK_ENCODING), path, wanted)
            seen = "the file does not keep to the encoding it names; it was read as Windows-1252"
            remedy = "check the labels with accents in the report"
            findings = (Finding(code="W503", where=Location(path.name), seen=seen, remedy=remedy),)
    except failures:
        seen, remedy = "the file is damaged, or not what its ending says", "save it again from its own program"
        raise DataError([Finding(code="E501", where=Location(path.name), seen=seen, remedy=remedy)]) from None
    if not frame.height:
        seen, remedy = "the data file has columns and no rows", "export the table again"
        raise DataError([Finding(code="E502", where=Location(path.name), seen=seen, remedy=remedy)])
    return RawTable(
        frame=frame.select(pl.col(written[index]).alias(header) for header, index in columns.items()),
        headers=tuple(map(clean_header, written)),
        row_numbers=np.arange(1, frame.height + 1),
        row_word="case",
        labels={clean_header(name): label for name, label in meta.column_names_to_labels.items() if label},
        value_labels={clean_header(name): _codes(labels) for name, labels in meta.variable_value_labels.items()},
        missing_codes=_declared_missing(read, path),
        findings=findings,
    )


def _reader(suffix: str) -> tuple[Read, Failures]:
    import pyreadstat
    from pyreadstat import PyreadstatError, ReadstatError

    readers: dict[str, Read] = {
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".dta": pyreadstat.read_dta,
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
    }
    return partial(readers[suffix], output_format="polars"), (UnicodeDecodeError, ReadstatError, PyreadstatError)


def _read(
    read: Read, path: Path, wanted: Collection[str] | None
) -> tuple[list[str], dict[str, int], pl.DataFrame, Any]:
    """The names as written, where the wanted ones stand, and at least one column with its labels."""
    written = list(read(path, metadataonly=True)[1].column_names)
    columns = positions([clean_header(name) for name in written], wanted)
    frame, meta = read(path, usecols=[written[index] for index in columns.values()] or written[:1])
    return written, columns, frame, meta


def _declared_missing(read: Read, path: Path) -> dict[str, tuple[str, ...]]:
    """The single codes that SPSS declares missing, by header; ranges of codes have no list."""
    if path.suffix.lower() not in (".sav", ".zsav"):
        return {}
    ranges = read(path, metadataonly=True, user_missing=True)[1].missing_ranges
    single = {name: [item["lo"] for item in items if item["lo"] == item["hi"]] for name, items in ranges.items()}
    return {clean_header(name): tuple(map(cell_text, codes)) for name, codes in single.items() if codes}


def _codes(labels: Mapping[Any, str]) -> dict[str, str]:
    """Codes as text, whole numbers without decimal point."""
    return {cell_text(float(code) if isinstance(code, int) else code): label for code, label in labels.items()}
