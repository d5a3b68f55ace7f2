"""What a reader gives: columns as they stand in the file, before the dictionary has its say."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.source import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """The columns asked for, and what the file says about itself.

    Attributes
    ----------
    frame : columns by header, text or the format's own types
    headers : every header of the file, outer blanks removed, duplicates kept
    row_numbers : where each row stands in the file, shape (n,), the header being 1
    row_word : what such a number counts ("row", or "case" where a file has no header line)
    decimal_comma : numbers may be written 12,5
    serial_dates : a plain number may stand for a date, in days from 1899-12-30
    labels, value_labels : of the columns, where the format keeps them
    missing_codes : codes that the file itself declares missing, by header; its rows hold blanks there
    findings : warnings of the reader
    """

    frame: pl.DataFrame
    headers: tuple[str, ...]
    row_numbers: NDArray[np.int64]
    row_word: str = "row"
    decimal_comma: bool = False
    serial_dates: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing_codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def clean_header(header: str) -> str:
    """A header without outer blanks, its accents composed."""
    return unicodedata.normalize("NFC", header.strip())


def positions(headers: Sequence[str], wanted: Collection[str] | None) -> dict[str, int]:
    """Where each wanted header first stands, in the order of the file; nameless columns are never wanted."""
    first: dict[str, int] = {}
    for index, header in enumerate(headers):
        if header and header not in first and (wanted is None or header in wanted):
            first[header] = index
    return first
