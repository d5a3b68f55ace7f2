"""CSV: separator comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252; line ends LF, CRLF or CR."""

from __future__ import annotations

import codecs
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.readers.raw_table import RawTable, clean_header, positions
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location, decode, detect_separator, parse_csv

_LINE_END, _QUOTE = ord("\n"), ord('"')
_NOTHING = b'\t ,;"'  # a line of these alone holds no patient
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Records:
    """Where the records begin and end in the bytes, shapes (n,); a record may span lines inside quotes."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]


def read_raw(path: Path, wanted: Collection[str] | None, sheet: str | None) -> RawTable:
    """Read the wanted columns as text."""
    data, findings = _utf8(path)
    inside = _inside_quotes(data, path.name)
    records = _records(data, inside, path.name)
    header = data[records.starts[0] : records.ends[0]].decode()
    separator = detect_separator(header)
    headers = tuple(clean_header(cell.value) for cell in parse_csv(header, path.name).rows[0])
    _check_widths(data, inside, records, separator, len(headers), path.name)
    columns = positions(headers, wanted)
    return RawTable(
        frame=_columns(data, records, separator, columns, path.name),
        headers=headers,
        row_numbers=records.lines[1:],
        decimal_comma=separator in ";\t",
        findings=findings,
    )


def _utf8(path: Path) -> tuple[bytes, tuple[Finding, ...]]:
    """The file as UTF-8 with line ends LF, without byte order mark."""
    data = path.read_bytes()
    decoded = decode(data)
    if decoded is None:
        _fail("E503", path.name, "the file is not text in any encoding we know", "save it as CSV UTF-8")
    findings: tuple[Finding, ...] = ()
    if decoded.guessed:
        seen = f"the file is not UTF-8; it was read as {decoded.encoding}"
        remedy = "check the labels with accents in the report, or save it as CSV UTF-8"
        findings = (Finding(code="W503", where=Location(path.name), seen=seen, remedy=remedy),)
    data = data.removeprefix(codecs.BOM_UTF8) if decoded.encoding == "UTF-8" else decoded.text.encode()
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not data.strip():
        _fail("E502", path.name, "the data file is empty", "export the table again")
    return data, findings


def _inside_quotes(data: bytes, name: str) -> NDArray[np.bool_] | None:
    """Which bytes stand inside quotes, shape (bytes,); None where the file has no quote."""
    if b'"' not in data:
        return None
    quotes = np.frombuffer(data, np.uint8) == _QUOTE
    inside = np.bitwise_xor.accumulate(quotes)
    if inside[-1]:
        _fail("E518", name, "a quote is opened and never closed", 'close the quote, or delete a single " sign')
    return inside


def _records(data: bytes, inside: NDArray[np.bool_] | None, name: str) -> _Records:
    line_ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_END)
    ends = line_ends if inside is None else line_ends[~inside[line_ends]]
    if data[-1] != _LINE_END:
        ends = np.append(ends, len(data))
    starts = np.concatenate([[0], ends[:-1] + 1])
    lines = np.searchsorted(line_ends, starts) + 1
    filled = ends > starts
    first = np.frombuffer(data, np.uint8)[np.minimum(starts, len(data) - 1)]
    suspects = np.flatnonzero(filled & np.isin(first, np.frombuffer(_NOTHING, np.uint8)))
    filled[suspects] = [bool(data[starts[i] : ends[i]].strip(_NOTHING)) for i in suspects]
    if filled.sum() == 1:
        _fail("E502", name, "the data file has a header and no rows", "export the table again")
    return _Records(starts[filled], ends[filled], lines[filled])


def _check_widths(
    data: bytes, inside: NDArray[np.bool_] | None, records: _Records, separator: str, width: int, name: str
) -> None:
    """Every record has as many cells as the header."""
    separators = np.flatnonzero(np.frombuffer(data, np.uint8) == ord(separator))
    if inside is not None:
        separators = separators[~inside[separators]]
    cells = np.searchsorted(separators, records.ends) - np.searchsorted(separators, records.starts) + 1
    ragged = np.flatnonzero(cells != width)
    if not ragged.size:
        return
    if ragged.size == len(cells) - 1 and np.all(cells[1:] == width + 1):
        seen = f"every line has one cell more than the header ({width})"
        remedy = "give the first column (often row names) a header, or remove separators at the ends of lines"
        _fail("E518", name, seen, remedy)
    findings = [
        Finding(
            code="E518",
            where=Location(name, int(records.lines[row])),
            seen=f"the line has {cells[row]} cells and the header {width}",
            remedy="look for a separator inside a text without quotes, or a line broken in two",
        )
        for row in ragged[:_SHOWN]
    ]
    if ragged.size > _SHOWN:
        more = f"{ragged.size - _SHOWN} more lines have too many or too few cells"
        findings.append(Finding(code="E518", where=Location(name), seen=more, remedy="export the table again"))
    raise DataError(findings)


def _columns(data: bytes, records: _Records, separator: str, columns: dict[str, int], name: str) -> pl.DataFrame:
    """The wanted columns as text; the header and blank lines are cut out first."""
    if not columns:
        return pl.DataFrame()
    contiguous = bool(np.all(records.starts[2:] == records.ends[1:-1] + 1))
    body = (
        data[records.starts[1] : records.ends[-1]]
        if contiguous
        else b"\n".join(data[start:end] for start, end in zip(records.starts[1:], records.ends[1:], strict=True))
    )
    try:
        frame = pl.read_csv(
            body, has_header=False, separator=separator, infer_schema=False, columns=list(columns.values())
        )
    except pl.exceptions.PolarsError:
        frame = pl.DataFrame()
    if frame.height != len(records.starts) - 1:
        _fail("E518", name, "the quotes of the file do not pair up", 'delete single " signs inside texts')
    frame.columns = list(columns)
    return frame


def _fail(code: str, name: str, seen: str, remedy: str) -> NoReturn:
    raise DataError([Finding(code=code, where=Location(name), seen=seen, remedy=remedy)])
