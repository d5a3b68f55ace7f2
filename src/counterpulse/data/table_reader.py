"""The patients are read and checked against their dictionary: everything that is wrong is told at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl

from counterpulse.data.applicability import applicable
from counterpulse.data.convert import Converted, Habits, convert, plain_text
from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.data.digest import content_digest
from counterpulse.data.patient_table import MOCK_MARK, DataKind, PatientTable
from counterpulse.data.readers import read_raw
from counterpulse.data.readers.raw_table import RawTable, clean_header
from counterpulse.errors import DataError, InputError
from counterpulse.source import Finding, Location, did_you_mean

ROWS_SHOWN = 10


def read_table(
    path: Path | str,
    dictionary: Dictionary,
    *,
    sheet: str | None = None,
    id: str | None = None,
    data_kind: DataKind = "real",
) -> PatientTable:
    """Read a table with one row a patient.

    Parameters
    ----------
    path : CSV, Excel, OpenDocument, SPSS, Stata, SAS or Parquet file
    dictionary : what each column means; columns that it does not name are left out
    sheet : of a workbook; default the first
    id : the variable whose values must be known and unique; default the only variable of type id, if there is one
    data_kind : "real", "mock", "synthetic" or "simulated"; a file that says it holds dummy patients is "mock"

    Returns
    -------
    PatientTable : columns by variable name in the order of the dictionary; warnings in `findings`

    Raises
    ------
    DataError : with every finding of the file; none holds a value of a row
    """
    path = Path(path)
    raw = read_raw(path, wanted={clean_header(variable.source) for variable in dictionary}, sheet=sheet)
    check = _Check(path.name, raw, dictionary)
    check.headers()
    frame = check.typed()
    check.ids(frame, _id_variable(dictionary, id))
    check.stop_on_errors()
    table = PatientTable(
        frame=frame,
        dictionary=dictionary,
        file=path.name,
        digest=content_digest(frame),
        data_kind="mock" if MOCK_MARK in raw.headers else data_kind,
    )
    check.not_applicable(table)
    return replace(table, findings=tuple(check.findings))


def _id_variable(dictionary: Dictionary, id: str | None) -> str | None:
    if id is not None:
        if id not in dictionary:
            raise InputError(f"id={id!r} is not in the dictionary; {did_you_mean(id, list(dictionary.variables))}")
        return id
    ids = [variable.name for variable in dictionary if variable.type == "id"]
    return ids[0] if len(ids) == 1 else None


class _Check:
    """Keeps the findings of one file."""

    def __init__(self, name: str, raw: RawTable, dictionary: Dictionary) -> None:
        self.name, self.raw, self.dictionary = name, raw, dictionary
        self.findings: list[Finding] = list(raw.findings)
        self.row_numbers = pl.Series(raw.row_numbers)

    def headers(self) -> None:
        """Missing, duplicate and unused columns."""
        raw = self.raw
        counts = Counter(header for header in raw.headers if header)
        for variable in self.dictionary:
            source = clean_header(variable.source)
            if source not in counts:
                self._missing_column(variable, list(counts))
            elif counts[source] > 1:
                self.add("E506", f"the column {source!r} stands {counts[source]} times", remedy="keep one of them")
        used = {MOCK_MARK, *(clean_header(variable.source) for variable in self.dictionary)}
        unused = sum(count for header, count in counts.items() if header not in used)
        if unused:
            self.add("N517", f"{unused} column{'s' * (unused > 1)} of the file not in the dictionary and not read")

    def _missing_column(self, variable: Variable, headers: list[str]) -> None:
        source = clean_header(variable.source)
        if len(headers) == 1:
            remedy = "the file has one column: is its separator a comma, a semicolon or a tab?"
        else:
            hint = did_you_mean(source, headers)
            remedy = f"{hint} Put the file's own header under `source`".strip()
        self.add("E505", f"the file has no column {source!r}, which {variable.name} is read from", remedy=remedy)

    def typed(self) -> pl.DataFrame:
        """The columns in the types of the dictionary."""
        frame = self.raw.frame
        habits = Habits(self.raw.decimal_comma, self.raw.serial_dates)
        columns: list[pl.Series] = []
        decimals: list[tuple[Variable, Converted]] = []
        for variable in self.dictionary:
            source = clean_header(variable.source)
            if source not in frame.columns:
                continue
            converted = convert(frame[source], variable, habits)
            for problem in converted.problems:
                self.note(
                    problem.code, problem.mask, problem.seen, problem.allowed, problem.remedy, subject=_of(variable)
                )
            if not converted.problems and frame.height and converted.values.null_count() == frame.height:
                self.add("W524", f"{_of(variable)} has no value in any row")
            columns.append(converted.values)
            decimals.append((variable, converted))
        self._decimals(decimals)
        return pl.DataFrame(columns)

    def _decimals(self, decimals: list[tuple[Variable, Converted]]) -> None:
        commas = [variable.name for variable, converted in decimals if converted.decimal_comma]
        points = [variable.name for variable, converted in decimals if converted.decimal_point]
        if not commas:
            return
        listed = ", ".join(commas)
        if points:
            seen = f"decimal commas in {listed} and points in {', '.join(points)}: 1.234 could be a thousand or one"
            self.add("E520", seen, "one decimal sign in a file", "export the table with decimal points")
        else:
            self.add("W520", f"numbers are written with a decimal comma in {listed}; 12,5 was read as 12.5")

    def ids(self, frame: pl.DataFrame, name: str | None) -> None:
        """The patients have ids, each its own."""
        if name is None or name not in frame.columns:
            return
        values = plain_text(frame[name])
        subject = f"the id {name}"
        self.note("E508", values.is_null(), "no id", "", "give every patient one", subject=subject)
        twice = values.is_duplicated() & values.is_not_null()
        self.note("E507", twice, "an id that stands more than once", "one row a patient",
                  "delete the copies, or describe the file under `tables:` if it has several rows a patient", subject=subject)  # fmt: skip

    def not_applicable(self, table: PatientTable) -> None:
        """A value where the dictionary says that the question does not arise."""
        for variable in self.dictionary:
            if variable.applies_if is not None:
                surplus = table.frame[variable.name].is_not_null() & ~applicable(table, variable.name)
                seen = f"a value where it does not apply ({variable.applies_if})"
                self.note("W516", surplus, seen, "blank", "check both columns at the source", subject=_of(variable))

    def note(self, code: str, mask: pl.Series, seen: str, allowed: str = "", remedy: str = "", *, subject: str) -> None:
        """Keep a finding about rows, if there are any."""
        rows = self.row_numbers.filter(mask)
        if not len(rows):
            return
        word = self.raw.row_word
        holds = f"{len(rows)} {word}{'s hold' if len(rows) > 1 else ' holds'} {seen}"
        where = Location(self.name, int(rows[0]) if word == "row" else None)
        text = f"{subject}: {holds} ({_listed(rows.to_list(), word)})"
        self.findings.append(Finding(code=code, where=where, seen=text, allowed=allowed, remedy=remedy))

    def add(self, code: str, seen: str, allowed: str = "", remedy: str = "") -> None:
        """Keep a finding about the file."""
        self.findings.append(Finding(code=code, where=Location(self.name), seen=seen, allowed=allowed, remedy=remedy))

    def stop_on_errors(self) -> None:
        """Raise with errors first, if there is one."""
        if any(finding.severity == "error" for finding in self.findings):
            by_severity: list[Finding] = sorted(self.findings, key=lambda finding: finding.severity)
            raise DataError(by_severity)


def _of(variable: Variable) -> str:
    source = clean_header(variable.source)
    return variable.name if source == variable.name else f"{variable.name} (column {source!r})"


def _listed(rows: list[int], word: str) -> str:
    shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
    more = f" and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
    return f"{word}{'s' * (len(rows) > 1)} {shown}{more}"
