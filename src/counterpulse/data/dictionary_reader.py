"""The dictionary is read from CSV or Excel, with every finding about it at once."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from counterpulse.data.dates import DATE_FORMATS
from counterpulse.data.dictionary import TYPES, Dictionary, Variable
from counterpulse.data.readers.excel import read_sheet
from counterpulse.data.scope import symbol_of
from counterpulse.data.written_values import parse_iso, parse_number
from counterpulse.errors import ProtocolError
from counterpulse.expression.check import check
from counterpulse.expression.nodes import Name, names
from counterpulse.expression.parse import parse
from counterpulse.expression.problem import ExpressionError
from counterpulse.source import CsvCell, CsvFile, Finding, Location, did_you_mean, parse_csv, read_bytes, read_csv_file

COLUMNS = (
    "name", "source", "label", "type", "unit", "levels", "minimum", "maximum", "missing_codes", "applies_if",
    "integer", "section", "format",
)  # fmt: skip

LEVELED = ("category", "ordinal", "yesno")
RANGED = ("number", "integer", "date", "datetime")
AND_MORE = ("…", "...")
"""After the levels: the data hold further ones, which are taken as they stand there."""

_OTHER_WORDS = {
    "numeric": "number", "float": "number", "double": "number", "real": "number", "continuous": "number",
    "decimal": "number", "int": "integer", "whole": "integer", "count": "integer", "categorical": "category",
    "factor": "category", "nominal": "category", "enum": "category", "radio": "category", "dropdown": "category",
    "ordered": "ordinal", "bool": "yesno", "boolean": "yesno", "binary": "yesno", "logical": "yesno", "yes/no": "yesno",
    "truefalse": "yesno", "timestamp": "datetime", "time": "datetime", "string": "text", "character": "text",
    "char": "text", "free text": "text", "identifier": "id", "key": "id",
}  # fmt: skip


def read_dictionary(path: Path | str) -> Dictionary:
    """Read a dictionary: what each column of the data means.

    Parameters
    ----------
    path : a CSV file (comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252) or an Excel workbook (first sheet), with
        the columns `name`, `type`, and where needed `source`, `label`, `unit`, `levels` (``code=Label|code=Label``),
        `minimum`, `maximum`, `missing_codes` (``9|99``), `applies_if`, `integer` (yes), `section`

    Raises
    ------
    UsageError : the file is missing, or is a folder
    ProtocolError : with every finding of the file
    """
    path = Path(path)
    return _Reader(_grid(path)).dictionary()


def digest_of(variables: Iterable[Variable]) -> str:
    """SHA-256 of the canonical JSON of the variables; where they stand in the file does not matter."""
    rows = []
    for variable in variables:
        row = {
            key: value for key, value in asdict(variable).items() if value not in (None, (), False) and key != "line"
        }
        if variable.levels is not None:
            row["levels"] = list(variable.levels.items())  # their order counts
        rows.append(row)
    canonical = json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def is_usable_name(name: str) -> bool:
    """Whether a rule can name this variable plainly."""
    try:
        return parse(name) == Name(name)
    except ExpressionError:
        return False


def _grid(path: Path) -> CsvFile:
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".ods"):
        rows = read_sheet(read_bytes(path, what="dictionary"), path.name, sheet=None, error=ProtocolError).rows
        cells = (tuple(CsvCell(text.strip(), i, j) for j, text in enumerate(row, 1)) for i, row in enumerate(rows, 1))
        filled = tuple(row for row in cells if any(cell.value for cell in row))
        return CsvFile(path.name, filled, (), ",") if filled else parse_csv("", path.name)
    return read_csv_file(path, what="dictionary")


class _Reader:
    """Reads row by row and keeps every finding."""

    def __init__(self, grid: CsvFile) -> None:
        self.grid = grid
        self.findings: list[Finding] = list(grid.findings)
        self.row: dict[str, CsvCell] = {}
        self.rules: dict[str, CsvCell] = {}

    def dictionary(self) -> Dictionary:
        columns = self._columns()
        variables: dict[str, Variable] = {}
        if "name" in columns and "type" in columns and not self._is_data(columns.index("type")):
            for cells in self.grid.rows[1:]:
                self._surplus(cells, len(columns))
                self.row = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
                variable = self._variable(cells[0])
                if variable.name in variables:
                    first = variables[variable.name].line
                    self._error("E304", "name", f"the name {variable.name} stands twice; the first is in line {first}",
                                remedy="give one of the two another name")  # fmt: skip
                if variable.applies_if is not None:
                    self.rules[variable.name] = self.row["applies_if"]
                variables.setdefault(variable.name, variable)
            if not variables:
                self._error_at(self.grid.rows[0][0], "E303", "the dictionary has a header and no variable")
            self._rules(variables)
        if any(finding.severity == "error" for finding in self.findings):
            raise ProtocolError(self.findings)
        return Dictionary(variables, self.grid.name, digest_of(variables.values()), tuple(self.findings))

    def _is_data(self, place: int) -> bool:
        """Whether no row has a type, not even a misspelled one: a table of patients, whose lines are not to be shown."""
        known = [*TYPES, *_OTHER_WORDS]
        written = [
            cells[place].value.lower() for cells in self.grid.rows[1:] if place < len(cells) and cells[place].value
        ]
        if not written or any(word in known or did_you_mean(word, known) for word in written):
            return False
        self.findings.append(
            Finding(
                code="E319", where=Location(self.grid.name), seen="no line of the dictionary has a type that we know",
                allowed=", ".join(TYPES), remedy="name the dictionary, not the data, or write a type into every line",
            )
        )  # fmt: skip
        return True

    def _rules(self, variables: dict[str, Variable]) -> None:
        """Every `applies_if` reads known variables, and not its own."""
        scope = {name: symbol_of(variable) for name, variable in variables.items() if variable.type in TYPES}
        for name, cell in self.rules.items():
            where = self.grid.inside(cell)
            try:
                rule = parse(cell.value)
            except ExpressionError as error:
                self.findings.append(error.problem.finding(where))
                continue
            self.findings += [problem.finding(where) for problem in check(rule, scope)]
            if name in names(rule):
                self._error_at(cell, "E317", f"{name} applies only if {name} itself has some value",
                               remedy="name another variable")  # fmt: skip

    def _columns(self) -> list[str]:
        """The header's words; a column that is not ours becomes the empty word."""
        names: list[str] = []
        for cell in self.grid.rows[0]:
            name = re.sub(r"[\s-]+", "_", cell.value.lower())
            if name in COLUMNS and name not in names:
                names.append(name)
                continue
            names.append("")
            if name in COLUMNS:
                self._error_at(cell, "E301", f"the column {name} stands twice", remedy="keep one of the two")
            elif hint := did_you_mean(name, list(COLUMNS)):
                self._error_at(cell, "E302", f"the column {cell.value!r} is not a column of a dictionary",
                               ", ".join(COLUMNS), hint)  # fmt: skip
            elif cell.value:
                self._error_at(cell, "W302", f"the column {cell.value!r} is not read", ", ".join(COLUMNS))
        for needed in ("name", "type"):
            if needed not in names:
                self._error_at(self.grid.rows[0][0], "E301", f"there is no column {needed}", ", ".join(COLUMNS),
                               f"add {needed} to the first line")  # fmt: skip
        return names

    def _surplus(self, cells: tuple[CsvCell, ...], width: int) -> None:
        surplus = [cell for cell in cells[width:] if cell.value]
        if surplus:
            self._error_at(surplus[0], "E318", f"this row has more cells than the header ({width})",
                           remedy="put quotes around a label that holds the separator")  # fmt: skip

    def _variable(self, first: CsvCell) -> Variable:
        name = self._name(first)
        kind = self._type()
        levels = self._levels(kind)
        variable = Variable(
            name=name,
            type=kind,  # type: ignore[arg-type]  # an unknown type is an error that raises at the end
            source=self._text("source") or name,
            label=self._text("label") or name,
            unit=self._text("unit") or None,
            levels=levels,
            minimum=self._bound(kind, "minimum"),
            maximum=self._bound(kind, "maximum"),
            missing_codes=self._missing_codes(levels),
            applies_if=self._text("applies_if") or None,
            integer=self._integer(kind),
            section=self._text("section") or None,
            format=self._format(kind),
            more_levels=levels is not None and self._level_parts()[-1] in AND_MORE,
            line=first.line,
        )
        self._check_range(variable)
        if len(variable.sources) > 2 or not all(variable.sources):
            self._error("E547", "source", f"a datetime cannot be read from {variable.source!r}",
                        "one column, or a date and a time of day: Date + Time", "name at most two columns")  # fmt: skip
        return variable

    def _name(self, first: CsvCell) -> str:
        name = unicodedata.normalize("NFC", self._text("name"))
        if not name:
            self._error_at(self.row.get("name", first), "E303", "a variable without a name",
                           remedy="write its name, or delete the line")  # fmt: skip
            return f"(line {first.line})"
        if not is_usable_name(name):
            self._error("E305", "name", f"the name {name!r} cannot stand in a rule",
                        "letters, digits and _, with a letter first, and no word of the language such as yes or in", "put the file's own header under `source`")  # fmt: skip
        return name

    def _type(self) -> str:
        kind = self._text("type").lower()
        if kind not in TYPES:
            hint = f"did you mean {_OTHER_WORDS[kind]}?" if kind in _OTHER_WORDS else did_you_mean(kind, list(TYPES))
            seen = f"{self._text('type')!r} is not a type" if kind else f"{self._text('name')} has no type"
            self._error("E306", "type", seen, ", ".join(TYPES), hint)
        return kind

    def _levels(self, kind: str) -> dict[str, str] | None:
        text = self._text("levels")
        if not text:
            if kind == "ordinal":
                self._error("E308", "levels", "an ordinal variable without levels has no order",
                            "code=Label|code=Label, lowest first")  # fmt: skip
            return None
        if kind in TYPES and kind not in LEVELED:
            self._error(
                "E309", "levels", f"a variable of type {kind} has no levels", "levels for " + ", ".join(LEVELED)
            )
            return None
        levels: dict[str, str] = {}
        parts = self._level_parts()
        for part in parts[:-1] if parts[-1] in AND_MORE and kind != "yesno" else parts:
            code, _, label = (piece.strip() for piece in part.partition("="))
            if not code or code in levels:
                seen = f"the code {code} stands twice" if code else "a level without a code"
                self._error("E307", "levels", seen, "code=Label|code=Label, each code once")
            else:
                levels[code] = label or code
        self._check_labels(levels, kind)
        return levels

    def _level_parts(self) -> list[str]:
        return [part.strip() for part in self._text("levels").split("|")]

    def _format(self, kind: str) -> str | None:
        text = self._text("format").lower()
        if not text:
            return None
        if kind in TYPES and kind not in ("date", "datetime"):
            self._error("E686", "format", f"a variable of type {kind} has no format", "a format for date, datetime")
        elif text not in DATE_FORMATS:
            self._error("E686", "format", f"{text!r} is no format of dates", ", ".join(DATE_FORMATS),
                        did_you_mean(text, list(DATE_FORMATS)) or "leave it blank for YYYY-MM-DD")  # fmt: skip
        return text

    def _check_labels(self, levels: dict[str, str], kind: str) -> None:
        labels = [label.casefold() for label in levels.values()]
        if kind == "yesno":
            if not set(labels) <= {"yes", "no"}:
                self._error(
                    "E310",
                    "levels",
                    "a level of a yes/no variable that is neither yes nor no",
                    "for example 1=yes|2=no",
                )
            return
        if len(set(labels)) < len(labels):
            self._error("E307", "levels", "two levels have the same label", "one label a code")
        if any(label != code and label in levels for code, label in levels.items()):
            self._error("E307", "levels", "the label of one level is the code of another", "labels that are no codes")

    def _bound(self, kind: str, column: str) -> str | None:
        text = self._text(column)
        if not text:
            return None
        if kind in TYPES and kind not in RANGED:
            self._error(
                "E312", column, f"a variable of type {kind} has no {column}", "a range for " + ", ".join(RANGED)
            )
            return None
        if kind in ("date", "datetime") and parse_iso(text) is None:
            self._error("E311", column, f"the {column} {text!r} is not a date", "YYYY-MM-DD")
        elif kind in ("number", "integer") and parse_number(text) is None:
            self._error("E311", column, f"the {column} {text!r} is not a number", "a number with a decimal point")
        return text

    def _check_range(self, variable: Variable) -> None:
        if variable.minimum is None or variable.maximum is None or variable.type not in RANGED:
            return
        parse = parse_iso if variable.type in ("date", "datetime") else parse_number
        low, high = parse(variable.minimum), parse(variable.maximum)
        if low is not None and high is not None and low > high:  # type: ignore[operator]  # both of one kind
            self._error("E313", "minimum", f"the minimum {variable.minimum} is above the maximum {variable.maximum}",
                        remedy="exchange the two")  # fmt: skip

    def _missing_codes(self, levels: dict[str, str] | None) -> tuple[str, ...]:
        codes = tuple(code for part in self._text("missing_codes").split("|") if (code := part.strip()))
        for code in codes:
            if levels and code in levels:
                self._error("E314", "missing_codes", f"{code} is a level and a missing code", "one of the two",
                            "delete it from `levels`")  # fmt: skip
        return codes

    def _integer(self, kind: str) -> bool:
        word = self._text("integer").lower()
        if word not in ("", "yes", "no", "true", "false", "1", "0"):
            self._error("E315", "integer", f"{self._text('integer')!r} is neither yes nor no", "yes, no or blank")
        return kind == "integer" or word in ("yes", "true", "1")

    def _text(self, column: str) -> str:
        cell = self.row.get(column)
        return cell.value if cell else ""

    def _error(self, code: str, column: str, seen: str, allowed: str = "", remedy: str = "") -> None:
        cell = self.row.get(column) or self.row.get("name") or next(iter(self.row.values()))
        self._error_at(cell, code, seen, allowed, remedy)

    def _error_at(self, cell: CsvCell, code: str, seen: str, allowed: str = "", remedy: str = "") -> None:
        self.findings.append(Finding(code=code, where=self.grid.where(cell), seen=seen, allowed=allowed, remedy=remedy))
