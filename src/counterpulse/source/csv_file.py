"""Small CSV files, such as dictionaries, as cells that know their line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from counterpulse.errors import ProtocolError
from counterpulse.source.finding import Finding, Location
from counterpulse.source.text_file import decode, read_bytes

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

_QUOTED = re.compile('"[^"]*"')


@dataclass(frozen=True, slots=True)
class CsvCell:
    """A cell without its quotes and outer blanks; `line` and `column` count from 1, `width` is as written."""

    value: str
    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class CsvFile:
    """The rows of a CSV file, blank ones left out; the first is the header. `findings` are warnings."""

    name: str
    rows: tuple[tuple[CsvCell, ...], ...]
    lines: tuple[str, ...]
    separator: str
    findings: tuple[Finding, ...] = ()

    def where(self, cell: CsvCell) -> Location:
        """The place of a cell, with its line to show."""
        excerpt = self.lines[cell.line - 1].replace("\t", " ") if cell.line <= len(self.lines) else None
        return Location(self.name, cell.line, cell.column, excerpt, cell.width)

    def inside(self, cell: CsvCell) -> Location:
        """The place where the text of a cell begins, which is after its quote."""
        where = self.where(cell)
        quoted = where.excerpt is not None and where.excerpt[cell.column - 1 : cell.column] == '"'
        return replace(where, column=cell.column + quoted)


def detect_separator(header: str) -> str:
    """Comma, semicolon or tab: the one most often in a header outside quotes; comma where there is none."""
    bare = _QUOTED.sub("", header)
    return max(SEPARATORS, key=bare.count)


def read_csv_file(path: Path, *, what: str) -> CsvFile:
    """Read a small CSV file whole.

    Raises
    ------
    UsageError : the file is missing, or is a folder
    ProtocolError : the file is not text, is empty, or a quote is never closed
    """
    name = path.name
    decoded = decode(read_bytes(path, what=what))
    if decoded is None:
        raise ProtocolError(
            [
                Finding(
                    code="E101", where=Location(name), seen="the file is not a text file", remedy="save it as CSV UTF-8"
                )
            ]
        )
    warnings: tuple[Finding, ...] = ()
    if decoded.guessed:
        warnings = (
            Finding(
                code="W101", where=Location(name), seen=f"the file is not UTF-8; it was read as {decoded.encoding}",
                remedy="check its accented letters, and save it as CSV UTF-8",
            ),
        )  # fmt: skip
    return parse_csv(decoded.text, name, warnings)


def parse_csv(text: str, name: str, findings: tuple[Finding, ...] = ()) -> CsvFile:
    """Split CSV text; line ends may be LF, CRLF or CR, the separator comma, semicolon or tab."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = tuple(text.split("\n"))
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise ProtocolError([Finding(code="E103", where=Location(name), seen="the file is empty")])
    separator = detect_separator(header)
    rows = tuple(row for row in _Splitter(text, separator, name, lines).rows() if any(cell.value for cell in row))
    return CsvFile(name, rows, lines, separator, findings)


class _Splitter:
    """Walks the text once; a quoted cell may hold separators, doubled quotes and line ends."""

    def __init__(self, text: str, separator: str, name: str, lines: tuple[str, ...]) -> None:
        self.text, self.separator, self.name, self.lines = text, separator, name, lines
        self.at, self.line, self.line_start = 0, 1, 0

    def rows(self) -> list[tuple[CsvCell, ...]]:
        rows: list[tuple[CsvCell, ...]] = []
        while self.at < len(self.text):
            row = [self._cell()]
            while self.text[self.at : self.at + 1] == self.separator:
                self.at += 1
                row.append(self._cell())
            rows.append(tuple(row))
            self.at += 1
            self.line += 1
            self.line_start = self.at
        return rows

    def _cell(self) -> CsvCell:
        start, line, column = self.at, self.line, self.at - self.line_start + 1
        quoted = self.text[self.at : self.at + 1] == '"'
        value = self._quoted(line, column) if quoted else self._until_separator()
        return CsvCell(value.strip(), line, column, max(1, self.at - start if line == self.line else 1))

    def _until_separator(self) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in (self.separator, "\n"):
            self.at += 1
        return self.text[start : self.at]

    def _quoted(self, line: int, column: int) -> str:
        parts: list[str] = []
        self.at += 1
        while True:
            end = self.text.find('"', self.at)
            if end < 0:
                where = Location(self.name, line, column, self.lines[line - 1])
                raise ProtocolError(
                    [Finding(code="E104", where=where, seen="a quote that is never closed", remedy="close the quote")]
                )
            piece = self.text[self.at : end]
            parts.append(piece)
            if breaks := piece.count("\n"):
                self.line += breaks
                self.line_start = self.at + piece.rindex("\n") + 1
            self.at = end + 1
            if self.text[self.at : self.at + 1] != '"':
                return "".join(parts) + self._until_separator()
            parts.append('"')
            self.at += 1
