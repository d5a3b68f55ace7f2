"""The data dictionary of a REDCap project (its 18 columns) becomes one of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from counterpulse.data.dictionary import Dictionary, Variable, VariableType
from counterpulse.data.dictionary_reader import digest_of, is_usable_name
from counterpulse.data.redcap_logic import applies_if, checkbox_name
from counterpulse.data.written_values import parse_iso, parse_number
from counterpulse.errors import ProtocolError
from counterpulse.expression.nodes import names
from counterpulse.expression.parse import parse
from counterpulse.source import CsvCell, CsvFile, Finding, Location, read_csv_file

HEADERS: Mapping[str, tuple[str, ...]] = {
    "field": ("variable / field name", "field_name"),
    "form": ("form name", "form_name"),
    "type": ("field type", "field_type"),
    "label": ("field label", "field_label"),
    "choices": ("choices, calculations, or slider labels", "choices or calculations", "select_choices_or_calculations"),
    "validation": ("text validation type or show slider number", "text_validation_type_or_show_slider_number"),
    "minimum": ("text validation min", "text_validation_min"),
    "maximum": ("text validation max", "text_validation_max"),
    "identifier": ("identifier?", "identifier"),
    "logic": ("branching logic (show field only if...)", "branching_logic"),
}  # fmt: skip
NEEDED = ("field", "form", "type", "label", "choices", "validation")
CHOICES = ("radio", "dropdown")
YESNO = ("yesno", "truefalse")
NOT_READ = ("descriptive", "file", "signature")
NUMBER, INTEGER = ("number", "vas", "slider"), ("integer",)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedcapProject:
    """A REDCap dictionary in our words.

    Attributes
    ----------
    dictionary : with the findings about what was left out or not understood
    id : the variable with the record's number, the first field
    forms : the instrument of each variable, by name
    identifiers : the variables that the project marks as naming a person
    decimal_commas : the columns of the export whose numbers are written with a comma
    """

    dictionary: Dictionary
    id: str
    forms: Mapping[str, str]
    identifiers: tuple[str, ...]
    decimal_commas: tuple[str, ...] = ()


@dataclass(slots=True)
class _Row:
    cells: Mapping[str, CsvCell]
    variables: list[Variable] = field(default_factory=list)

    def text(self, column: str) -> str:
        return self.cells[column].value if column in self.cells else ""


def read_redcap_dictionary(path: Path | str) -> Dictionary:
    """The data dictionary of a REDCap project as one of ours; warnings and notes in `findings`.

    Radio buttons and lists become categories, a checkbox one yes/no variable a choice (``field___code``), yes/no and true/false
    yes/no, calculated fields and sliders numbers, validated texts dates, datetimes, integers and numbers, other texts text.
    Branching logic becomes `applies_if` where our rules can say it.

    Raises
    ------
    UsageError : the file is missing
    ProtocolError : the file is not a dictionary of REDCap
    """
    return read_redcap_project(path).dictionary


def read_redcap_project(path: Path | str) -> RedcapProject:
    """As `read_redcap_dictionary`, with the instruments and the identifiers.

    Raises
    ------
    UsageError, ProtocolError : as there
    """
    grid = read_csv_file(Path(path), what="dictionary of REDCap")
    rows = _rows(grid)
    findings = list(grid.findings)
    variables: dict[str, Variable] = {}
    for number, row in enumerate(rows):
        row.variables = _variables(row, is_id=number == 0)
        variables |= {variable.source: variable for variable in row.variables}
    skipped = [row.text("field") for row in rows if not row.variables]
    if skipped:
        findings.append(_note(grid, f"not read, because they hold no values: {', '.join(skipped)}"))
    untold = []
    for row in rows:
        if row.text("logic") and row.variables and row.text("type").lower() != "checkbox":
            variable = row.variables[0]
            rule = applies_if(row.text("logic"), variables)
            if rule is not None and variable.name not in names(parse(rule)):
                variables[variable.source] = replace(variable, applies_if=rule)
            else:
                untold.append(variable.name)
    if untold:
        findings.append(_untold(grid, untold))
    marked = tuple(
        item.name for row in rows if row.text("identifier").lower() in ("y", "yes") for item in row.variables
    )
    if marked:
        findings.append(_marked(grid, marked))
    named = {variable.name: variable for variable in variables.values()}
    forms = {variable.name: row.text("form") for row in rows for variable in row.variables}
    dictionary = Dictionary(named, grid.name, digest_of(named.values()), tuple(findings))
    commas = tuple(row.text("field") for row in rows if row.text("validation").lower().endswith("comma_decimal"))
    return RedcapProject(
        dictionary=dictionary, id=next(iter(named)), forms=forms, identifiers=marked, decimal_commas=commas
    )  # fmt: skip


def _rows(grid: CsvFile) -> list[_Row]:
    places: dict[str, int] = {}
    for index, cell in enumerate(grid.rows[0]):
        header = re.sub(r"\s+", " ", cell.value.lower())
        places |= {name: index for name, headers in HEADERS.items() if header in headers}
    missing = [HEADERS[name][0] for name in NEEDED if name not in places]
    rows = [
        _Row({name: cells[index] for name, index in places.items() if index < len(cells)}) for cells in grid.rows[1:]
    ]
    rows = [row for row in rows if row.text("field")] if not missing else []
    if rows:
        return rows
    seen = f"this is no data dictionary of REDCap: it has no {', '.join(missing) or 'field'}"
    raise ProtocolError([
        Finding(
            code="E549", where=Location(grid.name), seen=seen,
            allowed="the file that REDCap gives under Data Dictionary, Download",
            remedy="download it again, or write a dictionary of ours",
        )
    ])  # fmt: skip


def _variables(row: _Row, *, is_id: bool) -> list[Variable]:
    """The variables of one field; none where it holds no value."""
    kind, source = row.text("type").lower(), row.text("field")
    label = plain(row.text("label")) or source
    section = plain(row.text("form").replace("_", " ").capitalize()) or None
    if is_id:
        return [Variable(name=_usable(source), type="id", source=source, label=label, section=section)]
    if kind in NOT_READ:
        return []
    if kind == "checkbox":
        choices = _choices(row.text("choices"))
        return [
            Variable(
                name=_usable(column), type="yesno", source=column, label=f"{label}: {choice}",
                section=section,
            )
            for code, choice in choices.items() for column in [checkbox_name(source, code)]
        ]  # fmt: skip
    found = _type(kind, row.text("validation").lower())
    levels = _levels(_choices(row.text("choices"))) if kind in CHOICES else None
    variable = Variable(
        name=_usable(source), type=found, source=source, label=label, levels=levels or None,
        minimum=_bound(row.text("minimum"), found), maximum=_bound(row.text("maximum"), found),
        integer=found == "integer", section=section,
    )  # fmt: skip
    return [variable]


def _type(kind: str, validation: str) -> VariableType:
    if kind in YESNO:
        return "yesno"
    if kind in (*CHOICES, "sql"):
        return "category"
    if kind in ("calc", "slider"):
        return "number"
    if kind != "text":
        return "text"
    if validation.startswith("datetime"):
        return "datetime"
    if validation.startswith("date"):
        return "date"
    if validation.startswith("integer"):
        return "integer"
    return "number" if validation.startswith(NUMBER) else "text"


def _choices(text: str) -> dict[str, str]:
    """``1, Male | 2, Female`` as codes with their labels."""
    choices: dict[str, str] = {}
    for part in re.split(r"\||\\n|\n", text):
        code, _, label = part.partition(",")
        if code.strip():
            choices[code.strip()] = plain(label) or code.strip()
    return choices


def _levels(choices: Mapping[str, str]) -> dict[str, str]:
    """Labels that tell the levels apart: no two alike, none that is another's code."""
    lower = [label.casefold() for label in choices.values()]
    return {
        code: f"{label} ({code})"
        if lower.count(label.casefold()) > 1 or (label != code and label in choices)
        else label
        for code, label in choices.items()
    }


def plain(text: str) -> str:
    """A text without the marks of a web page, on one line, without the sign that parts levels."""
    return re.sub(r"\s+", " ", _TAG.sub(" ", text)).replace("|", "/").strip()


def _usable(name: str) -> str:
    return name if is_usable_name(name) else f"v_{re.sub(r'[^0-9A-Za-z_]+', '_', name)}"


def _bound(text: str, kind: VariableType) -> str | None:
    """A bound that is a number or a date; one that is computed (``today``, another field) is left out."""
    if kind in ("number", "integer"):
        return text if parse_number(text) is not None else None
    if kind in ("date", "datetime"):
        return text if parse_iso(text) is not None else None
    return None


def _note(grid: CsvFile, seen: str) -> Finding:
    return Finding(code="N549", where=Location(grid.name), seen=seen)


def _untold(grid: CsvFile, untold: list[str]) -> Finding:
    return Finding(
        code="W549", where=Location(grid.name), seen=f"the branching logic of {', '.join(untold)} could not be translated",
        allowed="comparisons of fields with values, joined by and, or, not",
        remedy="write `applies_if` in the dictionary by hand, or leave it blank: then a blank value counts as missing",
    )  # fmt: skip


def _marked(grid: CsvFile, marked: tuple[str, ...]) -> Finding:
    return Finding(
        code="W548", where=Location(grid.name), seen=f"REDCap marks as identifiers: {', '.join(marked)}",
        remedy="take those out of the dictionary and the data that the study does not need",
    )  # fmt: skip
