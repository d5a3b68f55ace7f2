"""The columns of one file against its dictionary: every finding, and the questions for the data manager."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import polars as pl

from counterpulse.data.applicability import applicable
from counterpulse.data.convert import Converted, Habits, Problem, convert, plain_text
from counterpulse.data.date_and_time import convert_date_and_time
from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.data.patient_table import MOCK_MARK, PatientTable
from counterpulse.data.queries import ask, together
from counterpulse.data.readers.raw_table import RawTable, clean_header
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location, did_you_mean

ROWS_SHOWN = 10


def headers_of(dictionary: Dictionary) -> set[str]:
    """The headers that a dictionary reads."""
    return {clean_header(source) for variable in dictionary for source in variable.sources}


class FileCheck:
    """Keeps the findings and questions of one file; `id` is the variable that says whose row it is."""

    def __init__(self, name: str, raw: RawTable, dictionary: Dictionary, id: str | None) -> None:
        self.name, self.raw, self.dictionary = name, raw, dictionary
        self.findings: list[Finding] = list(raw.findings)
        self.questions: list[pl.DataFrame] = []
        self.row_numbers = pl.Series(raw.row_numbers)
        self.ids: pl.Series | None = None if id is None else self._written(dictionary[id])

    @property
    def queries(self) -> pl.DataFrame:
        """The questions so far."""
        return together(self.questions)

    def headers(self) -> None:
        """Missing, duplicate and unused columns."""
        raw = self.raw
        counts = Counter(header for header in raw.headers if header)
        for variable in self.dictionary:
            for source in map(clean_header, variable.sources):
                if source not in counts:
                    self._missing_column(variable, source, list(counts))
                elif counts[source] > 1:
                    self.add("E506", f"the column {source!r} stands {counts[source]} times", remedy="keep one of them")
        used = {MOCK_MARK, *headers_of(self.dictionary)}
        unused = sum(count for header, count in counts.items() if header not in used)
        if unused:
            self.add("N517", f"{unused} column{'s' * (unused > 1)} of the file not in the dictionary and not read")

    def _missing_column(self, variable: Variable, source: str, headers: list[str]) -> None:
        if len(headers) == 1:
            remedy = "the file has one column: is its separator a comma, a semicolon or a tab?"
        else:
            hint = did_you_mean(source, headers)
            remedy = f"{hint} Put the file's own header under `source`".strip()
        self.add("E505", f"the file has no column {source!r}, which {variable.name} is read from", remedy=remedy)

    def typed(self) -> pl.DataFrame:
        """The columns in the types of the dictionary."""
        frame = self.raw.frame
        columns: list[pl.Series] = []
        decimals: list[tuple[Variable, Converted]] = []
        for variable in self.dictionary:
            if not set(map(clean_header, variable.sources)) <= set(frame.columns):
                continue
            converted = self._converted(variable)
            for problem in converted.problems:
                self._problem(problem, variable)
            if not converted.problems and frame.height and converted.values.null_count() == frame.height:
                self.add("W524", f"{subject_of(variable)} has no value in any row")
            columns.append(converted.values.rename(variable.name))
            decimals.append((variable, converted))
        self._decimals(decimals)
        return pl.DataFrame(columns)

    def _converted(self, variable: Variable) -> Converted:
        habits = Habits(self.raw.decimal_comma, self.raw.serial_dates)
        columns = [self.raw.frame[clean_header(source)] for source in variable.sources]
        if len(columns) == 1:
            return convert(columns[0], variable, habits)
        return convert_date_and_time(columns[0], columns[1], variable, habits)

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

    def unique_ids(self, frame: pl.DataFrame, name: str | None) -> None:
        """The patients have ids, each its own."""
        if name is None or name not in frame.columns:
            return
        values = plain_text(frame[name])
        subject = f"the id {name}"
        self.note("E508", values.is_null(), "no id", "", "give every patient one", subject=subject, variable=name)
        twice = values.is_duplicated() & values.is_not_null()
        self.note("E507", twice, "an id that stands more than once", "one row a patient",
                  "delete the copies, or describe the file under `tables:` if it has several rows a patient", subject=subject,
                  variable=name)  # fmt: skip

    def not_applicable(self, table: PatientTable) -> None:
        """A value where the dictionary says that the question does not arise."""
        for variable in self.dictionary:
            if variable.applies_if is not None:
                surplus = table.frame[variable.name].is_not_null() & ~applicable(table, variable.name)
                seen = f"a value where it does not apply ({variable.applies_if})"
                self._problem(Problem("W516", surplus, seen, "blank", "check both columns at the source"), variable)

    def _problem(self, problem: Problem, variable: Variable) -> None:
        self.note(problem.code, problem.mask, problem.seen, problem.allowed, problem.remedy,
                  subject=subject_of(variable), variable=variable.name)  # fmt: skip

    def note(
        self, code: str, mask: pl.Series, seen: str, allowed: str = "", remedy: str = "", *, subject: str, variable: str
    ) -> None:
        """Keep a finding about rows, and the question about each, if there are any."""
        rows = self.row_numbers.filter(mask)
        if not len(rows):
            return
        word = self.raw.row_word
        holds = f"{len(rows)} {word}{'s hold' if len(rows) > 1 else ' holds'} {seen}"
        where = Location(self.name, int(rows[0]) if word == "row" else None)
        text = f"{subject}: {holds} ({_listed(rows.to_list(), word)})"
        self.findings.append(Finding(code=code, where=where, seen=text, allowed=allowed, remedy=remedy))
        may = f"; allowed: {allowed}" if allowed else ""
        self.questions.append(
            ask(mask, f"The file holds {seen}{may}. What does the source say?", variable=variable, file=self.name,
                rows=self.row_numbers, ids=self.ids, values=self._written(self.dictionary[variable]))
        )  # fmt: skip

    def _written(self, variable: Variable) -> pl.Series | None:
        """What the file holds of a variable, as text."""
        sources = [clean_header(source) for source in variable.sources]
        if not set(sources) <= set(self.raw.frame.columns):
            return None
        texts = pl.DataFrame([plain_text(self.raw.frame[source]).rename(source) for source in dict.fromkeys(sources)])
        return texts.select(_joined(sources).alias(variable.name)).to_series()

    def add(self, code: str, seen: str, allowed: str = "", remedy: str = "") -> None:
        """Keep a finding about the file."""
        self.findings.append(Finding(code=code, where=Location(self.name), seen=seen, allowed=allowed, remedy=remedy))

    def stop_on_errors(self) -> None:
        """Raise with errors first, if there is one."""
        if any(finding.severity == "error" for finding in self.findings):
            by_severity: list[Finding] = sorted(self.findings, key=lambda finding: finding.severity)
            raise DataError(by_severity, queries=self.queries)


def subject_of(variable: Variable) -> str:
    """A variable as a finding names it, with the header of the file where that differs."""
    source = clean_header(variable.source)
    return variable.name if source == variable.name else f"{variable.name} (column {source!r})"


def _joined(sources: Collection[str]) -> pl.Expr:
    """One text, null where each of them is; several with a blank between."""
    if len(sources) == 1:
        return pl.col(next(iter(sources)))
    text = pl.concat_str(list(sources), separator=" ", ignore_nulls=True)
    return pl.when(text != "").then(text)


def _listed(rows: list[int], word: str) -> str:
    shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
    more = f" and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
    return f"{word}{'s' * (len(rows) > 1)} {shown}{more}"
