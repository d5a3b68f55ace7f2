"""The patients are read and checked against their dictionary: everything that is wrong is told at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from counterpulse.data.dictionary import Dictionary
from counterpulse.data.digest import content_digest
from counterpulse.data.file_check import FileCheck, headers_of
from counterpulse.data.patient_table import MOCK_MARK, DataKind, PatientTable
from counterpulse.data.readers import read_raw
from counterpulse.errors import InputError
from counterpulse.source import did_you_mean


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
    DataError : with every finding of the file; none holds a value of a row. Its `queries` do
    """
    path = Path(path)
    raw = read_raw(path, wanted=headers_of(dictionary), sheet=sheet)
    id = id_variable(dictionary, id)
    check = FileCheck(path.name, raw, dictionary, id)
    check.headers()
    frame = check.typed()
    check.unique_ids(frame, id)
    check.stop_on_errors()
    table = PatientTable(
        frame=frame,
        dictionary=dictionary,
        file=path.name,
        digest=content_digest(frame),
        data_kind="mock" if MOCK_MARK in raw.headers else data_kind,
        row_numbers=raw.row_numbers,
    )
    check.not_applicable(table)
    return replace(table, findings=tuple(check.findings), queries=check.queries)


def id_variable(dictionary: Dictionary, id: str | None = None) -> str | None:
    """The variable that says whose row it is: as given, else the only one of type id.

    Raises
    ------
    InputError : `id` is not in the dictionary
    """
    if id is not None:
        if id not in dictionary:
            raise InputError(f"id={id!r} is not in the dictionary; {did_you_mean(id, list(dictionary.variables))}")
        return id
    ids = [variable.name for variable in dictionary if variable.type == "id"]
    return ids[0] if len(ids) == 1 else None
