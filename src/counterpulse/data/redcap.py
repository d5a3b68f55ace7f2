"""A project of REDCap becomes the files of a study: patients, their dictionary, and a table of each repeating instrument."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from counterpulse.data.dictionary import Variable
from counterpulse.data.dictionary_writer import dictionary_csv
from counterpulse.data.redcap_dictionary import RedcapProject, read_redcap_dictionary, read_redcap_project
from counterpulse.data.redcap_export import EVENT, GROUP, INSTANCE, RedcapParts, split_redcap_export
from counterpulse.errors import UsageError
from counterpulse.expression.nodes import names
from counterpulse.expression.parse import parse
from counterpulse.source import Finding, Location

__all__ = ["RedcapImport", "RedcapTable", "import_redcap", "read_redcap_dictionary", "split_redcap_export"]

OWN = {
    EVENT: Variable(name=EVENT, type="category", source=EVENT, label="Event"),
    INSTANCE: Variable(name=INSTANCE, type="integer", source=INSTANCE, label="Instance", integer=True),
    GROUP: Variable(name=GROUP, type="category", source=GROUP, label="Data access group"),
}
NULL_FLAVORS = frozenset(
    {"NI", "INV", "UNK", "NASK", "ASKU", "NAV", "MSK", "NAVU", "NP", "QS", "QI", "TRC", "UNC", "DER"}
)
"""The missing data codes that REDCap proposes to a project (null flavors of HL7)."""
NEGATIVE_CODES = ("-1", "-6", "-7", "-8", "-9", "-66", "-77", "-88", "-99", "-666", "-777", "-888", "-999", "-9999")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedcapTable:
    """A table with several rows a patient, as `tables:` of a protocol names it; `time` is its first date or datetime."""

    name: str
    file: Path
    dictionary: Path
    id: str
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedcapImport:
    """What was written, and what a person should look at."""

    patients: Path
    dictionary: Path
    id: str
    tables: tuple[RedcapTable, ...]
    findings: tuple[Finding, ...]

    @property
    def written(self) -> tuple[Path, ...]:
        """Every file."""
        return (
            self.dictionary,
            self.patients,
            *(path for table in self.tables for path in (table.dictionary, table.file)),
        )


def import_redcap(dictionary_csv: Path | str, export_csv: Path | str, directory: Path | str) -> RedcapImport:
    """Write ``dictionary.csv``, ``patients.csv`` and, for each repeating instrument, its CSV and its dictionary.

    Parameters
    ----------
    dictionary_csv : the data dictionary of the project, as REDCap gives it for download
    export_csv : its records, exported as CSV with raw data
    directory : where to write; files that are there are never replaced

    Texts that REDCap marks as identifiers are left out of all files.

    Raises
    ------
    UsageError : a file is missing, or a file to be written is there already, or the place cannot be written
    ProtocolError : the first file is not a dictionary of REDCap
    DataError : the second is not an export of that project, see `split_redcap_export`
    """
    project = read_redcap_project(dictionary_csv)
    parts = split_redcap_export(export_csv, project)
    directory = Path(directory)
    told = list[str]()
    files: dict[Path, str] = {}
    patients, dictionary = directory / "patients.csv", directory / "dictionary.csv"
    files |= _pair(project, parts.patients, patients, dictionary, told)
    tables = []
    for written, rows in parts.related.items():
        name = re.sub(r"\W+", "_", written if written[:1].isalpha() else f"t_{written}")
        file, own = directory / f"{name}.csv", directory / f"{name}.dictionary.csv"
        files |= _pair(project, rows, file, own, told)
        variables = _variables(project, rows, [])
        time = next((variable.name for variable in variables if variable.type in ("datetime", "date")), None)
        tables.append(RedcapTable(name=name, file=file, dictionary=own, id=project.id, time=time))
    _write(files)
    return RedcapImport(
        patients=patients, dictionary=dictionary, id=project.id, tables=tuple(tables),
        findings=(*project.dictionary.findings, *parts.findings, *_findings(project, parts, told)),
    )  # fmt: skip


def _pair(project: RedcapProject, rows: pl.DataFrame, file: Path, dictionary: Path, told: list[str]) -> dict[Path, str]:
    variables = _variables(project, rows, told)
    kept = rows.select(variable.source for variable in variables)
    return {dictionary: dictionary_csv(variables), file: kept.write_csv()}


def _variables(project: RedcapProject, rows: pl.DataFrame, told: list[str]) -> list[Variable]:
    """The variables of some columns; a rule about a field of another table is left out, and its variable told."""
    by_source = OWN | {variable.source: variable for variable in project.dictionary if not _is_name(project, variable)}
    variables = [by_source[column] for column in rows.columns if column in by_source]
    here = {variable.name for variable in variables}
    apart = [
        variable.name
        for variable in variables
        if variable.applies_if is not None and not set(names(parse(variable.applies_if))) <= here
    ]
    told += apart
    shown = (replace(variable, applies_if=None) if variable.name in apart else variable for variable in variables)
    return [replace(item, missing_codes=_missing_codes(item, rows[item.source])) for item in shown]


def _missing_codes(variable: Variable, column: pl.Series) -> tuple[str, ...]:
    """The missing data codes of the project that stand in a column: REDCap keeps them outside its dictionary."""
    if variable.type in ("id", "text") or (variable.type == "category" and variable.levels is None):
        return ()
    written = column.drop_nulls().unique()
    numbers = set(NEGATIVE_CODES)
    if variable.type in ("number", "integer"):
        values = written.filter(~written.is_in(NEGATIVE_CODES)).cast(pl.Float64, strict=False)
        numbers = set() if (values < 0).any() else {code for code in numbers if len(code) > len("-9")}
    return tuple(sorted(set(written) & (NULL_FLAVORS | numbers) - {*(variable.levels or {})}))


def _is_name(project: RedcapProject, variable: Variable) -> bool:
    return variable.type == "text" and variable.name in project.identifiers


def _findings(project: RedcapProject, parts: RedcapParts, told: Iterable[str]) -> list[Finding]:
    where = Location(project.dictionary.file)
    found = []
    if apart := ", ".join(dict.fromkeys(told)):
        seen = f"the branching logic of {apart} asks a field of another table, and was left out"
        remedy = "nothing, or derive what applies under `variables`: a blank value counts as missing"
        found.append(Finding(code="W549", where=where, seen=seen, remedy=remedy))
    columns = {column for frame in (parts.patients, *parts.related.values()) for column in frame.columns}
    absent = [item.name for item in project.dictionary if item.source not in columns and not _is_name(project, item)]
    if absent:
        found.append(Finding(code="N549", where=where, seen=f"not in the export, and left out: {', '.join(absent)}"))
    frames = (parts.patients, *parts.related.values())
    coded = [item for frame in frames for item in _variables(project, frame, []) if item.missing_codes]
    if coded:
        seen = "; ".join(f"{item.name}: {', '.join(item.missing_codes)}" for item in coded)
        found.append(Finding(code="N549", where=where, seen=f"taken for missing data codes: {seen}"))
    left_out = [item.name for item in project.dictionary if _is_name(project, item)]
    if left_out:
        found.append(
            Finding(code="N549", where=where, seen=f"identifiers in words, and left out: {', '.join(left_out)}")
        )
    return found


def _write(files: dict[Path, str]) -> None:
    there = [path.name for path in files if path.exists()]
    if there:
        raise UsageError(f"{', '.join(there)} is already there and is not replaced; name another folder")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the files of REDCap: {error.strerror}; name another folder") from None
