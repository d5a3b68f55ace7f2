"""A table with several rows a patient is read and checked against its dictionary and against the patients."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from counterpulse.data.convert import plain_text
from counterpulse.data.dictionary import Dictionary
from counterpulse.data.digest import content_digest
from counterpulse.data.file_check import FileCheck, headers_of
from counterpulse.data.patient_table import MOCK_MARK, DataKind, PatientTable
from counterpulse.data.queries import together
from counterpulse.data.readers import read_raw
from counterpulse.data.table_reader import id_variable
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedRows:
    """Several rows a patient, checked: `frame` in the types of the dictionary; `queries` hold values of patients."""

    frame: pl.DataFrame
    file: str
    is_mock: bool
    findings: tuple[Finding, ...]
    queries: pl.DataFrame


def read_related(
    path: Path | str,
    dictionary: Dictionary,
    *,
    id: str,
    time: str | None = None,
    sheet: str | None = None,
    patients: PatientTable | None = None,
    patients_id: str | None = None,
) -> RelatedRows:
    """Read a table with several rows a patient.

    Parameters
    ----------
    path : a data file of any format that `read_table` reads
    dictionary : what each column means
    id : the variable that says whose row it is
    time : the variable with the time of the measurement, if there is one
    sheet : of a workbook; default the first
    patients : to compare the ids with; None: they are not compared
    patients_id : the variable with their ids; default the only one of type id

    Returns
    -------
    RelatedRows : all rows, also those that belong to no patient (told in `findings`)

    Raises
    ------
    DataError : with every finding of the file; none holds a value of a row. Its `queries` do
    """
    path = Path(path)
    raw = read_raw(path, wanted=headers_of(dictionary), sheet=sheet)
    check = FileCheck(path.name, raw, dictionary, id if id in dictionary else None)
    check.headers()
    frame = check.typed()
    if id in frame.columns:
        _whose(check, frame, id, patients, patients_id)
    check.stop_on_errors()
    if time is not None and time in frame.columns:
        check.note("W543", frame[time].is_null(), "no time", "", "complete the time: without it the row stands in no window",
                   subject=f"the time {time}", variable=time)  # fmt: skip
        again = frame.select(~pl.struct(pl.all()).is_first_distinct()).to_series() & frame[time].is_not_null()
        check.note("W544", again, "what an earlier row holds already: the same patient, time and values", "",
                   "delete the copies: each row is a measurement, and is counted", subject=f"the time {time}", variable=time)  # fmt: skip
    check.not_applicable(PatientTable(frame=frame, dictionary=dictionary, file=path.name, digest=""))
    return RelatedRows(
        frame=frame,
        file=path.name,
        is_mock=MOCK_MARK in raw.headers,
        findings=tuple(check.findings),
        queries=check.queries,
    )


def with_related(
    table: PatientTable, related: Mapping[str, RelatedRows], *, declared: DataKind = "real"
) -> PatientTable:
    """The patients with their related tables by name; the digest becomes that of all of them.

    `declared` is the kind of data that was said of all files; a file may say of itself that it is mock.

    Raises
    ------
    DataError : dummy rows for real patients, or the other way round
    """
    if not related:
        return table
    mixed = [
        Finding(
            code="E546", where=Location(rows.file),
            seen="mock rows for patients who are not mock" if rows.is_mock else "rows of another kind for mock patients",
            allowed="all tables of a study from one source", remedy="let `counterpulse mock` write all tables",
        )
        for rows in related.values() if declared != "mock" and rows.is_mock != (table.data_kind == "mock")
    ]  # fmt: skip
    if mixed:
        raise DataError(mixed)
    parts = [table.digest, *(part for name, rows in related.items() for part in (name, content_digest(rows.frame)))]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return replace(
        table,
        related={name: rows.frame for name, rows in related.items()},
        digest=f"sha256:{digest}",
        findings=(*table.findings, *(finding for rows in related.values() for finding in rows.findings)),
        queries=together([table.queries, *(rows.queries for rows in related.values())]),
    )


def _whose(
    check: FileCheck, frame: pl.DataFrame, id: str, patients: PatientTable | None, patients_id: str | None
) -> None:
    """Every row belongs to a patient; patients without a row are told of."""
    ids = plain_text(frame[id])
    check.note("W542", ids.is_null(), "no id: they belong to nobody", "", "give each row the id of its patient",
               subject=f"the id {id}", variable=id)  # fmt: skip
    own = None if patients is None else id_variable(patients.dictionary, patients_id)
    if patients is None or own is None:
        return
    known = plain_text(patients.frame[own])
    stranger = ids.is_not_null() & ~ids.is_in(known.implode())
    written_otherwise = stranger & _bare(ids).is_in(_bare(known).drop_nulls().implode())
    check.note("E543", written_otherwise, "the id of a patient written in another way", "the same letters and zeros as in the table of patients",
               "write the ids in one way: leading zeros, capitals and a decimal .0 count", subject=f"the id {id}", variable=id)  # fmt: skip
    stranger &= ~written_otherwise
    if stranger.any() and not ids.is_in(known.implode()).any() and not written_otherwise.any():
        check.add("E543", "no row holds the id of a patient", "the ids of the table of patients",
                  "name the right file and the column with the id")  # fmt: skip
    check.note("W542", stranger, "an id that no patient has: they are not used", "", "correct the id, or add the patient",
               subject=f"the id {id}", variable=id)  # fmt: skip
    without = int((~known.is_in(ids.unique().implode())).sum())
    if without:
        check.add("N544", f"{without} patient{'s have' if without > 1 else ' has'} no row in this table")


def _bare(ids: pl.Series) -> pl.Series:
    """Ids without what programs add or take away: leading zeros, capitals, the .0 of a number."""
    text = pl.first().str.to_lowercase().str.replace(r"^(\d+)\.0+$", "${1}").str.replace(r"^0+(\w)", "${1}")
    return ids.to_frame().select(text).to_series()
