"""An export of REDCap is parted: one row a patient, and a table of each repeating instrument."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import polars as pl

from counterpulse.data.readers import read_raw
from counterpulse.data.redcap_dictionary import RedcapProject
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location

EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
GROUP = "redcap_data_access_group"
EVENTS = "events"
REPEATS = "repeats."
ARM = r"_arm_\d+$"
CSV = (".csv", ".tsv", ".txt")
RAW = "export again: CSV / Microsoft Excel (raw data)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedcapParts:
    """An export, parted; every column is text.

    Attributes
    ----------
    patients : one row a record
    related : several rows a record, by the name of the repeating instrument or event; `EVENTS` holds what several events ask
    findings : notes on what went where
    """

    patients: pl.DataFrame
    related: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]


def split_redcap_export(path: Path | str, project: RedcapProject) -> RedcapParts:
    """Part the CSV of an export (raw data) into one row a patient and related tables.

    A row of a repeating instrument, or of a repeating event, goes to the table of that name. Of the other rows, a field that
    one event alone asks goes to the patients; fields that hold values in several events go to the table `events`, one row a
    patient and event. Arms are not told apart.

    Raises
    ------
    DataError : the file cannot be read; it holds labels instead of raw data; a record has one event twice
    """
    path = Path(path)
    if path.suffix.lower() not in CSV:
        _refuse(path, f"an export of REDCap that ends in {path.suffix or 'nothing'}", "CSV", RAW)
    frame = _with_points(_plain(read_raw(path).frame), project.decimal_commas)
    id = project.dictionary[project.id].source
    described = {variable.source for variable in project.dictionary} - {id}
    fields = [name for name in frame.columns if name in described]
    if id not in frame.columns or not fields:
        seen = (
            f"the export has no column {id!r}"
            if id not in frame.columns
            else "the export has no field of the dictionary"
        )
        _refuse(path, seen, "the raw data (not labels) of the project of the dictionary", RAW)
    once = frame.filter(~pl.col(REPEATS))
    if once.select(pl.struct(id, EVENT).is_duplicated().any()).item():
        _refuse(path, "a record has several rows of one event (or is in two arms)", "one row a record and event",
                "export one arm at a time, or correct the record")  # fmt: skip
    related = _repeating(frame.filter(REPEATS), id, fields, project)
    findings = [_told(path, f"the repeating rows of {name} are the table {name}") for name in related]
    several = [name for name in fields if once.filter(pl.col(name).is_not_null())[EVENT].n_unique() > 1]
    if several:
        shown = once.filter(pl.any_horizontal(pl.col(several).is_not_null()))
        related[EVENTS] = shown.select(id, EVENT, *several)
        findings.append(_told(path, f"asked in several events, and in the table {EVENTS}: {', '.join(several)}"))
    elsewhere = {name for table in related.values() for name in table.columns}
    own = [name for name in fields if name not in several and not (name in elsewhere and once[name].is_null().all())]
    return RedcapParts(patients=_patients(frame, id, own), related=related, findings=tuple(findings))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Blank as null, the columns of repetition where they are not, events without their arm."""
    names = (EVENT, INSTRUMENT, INSTANCE)
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in frame.columns]
    stripped = pl.all().str.strip_chars()
    frame = frame.select(pl.when(stripped != "").then(stripped).name.keep()).with_columns(absent)
    repeats = pl.col(INSTRUMENT).is_not_null() | pl.col(INSTANCE).is_not_null()
    return frame.with_columns(pl.col(EVENT).str.replace(ARM, ""), repeats.alias(REPEATS))


def _with_points(frame: pl.DataFrame, columns: Collection[str]) -> pl.DataFrame:
    """12,5 as 12.5 where the project has decimal commas: its calculated fields have points in the same file."""
    commas = [name for name in columns if name in frame.columns]
    return frame.with_columns(pl.col(commas).str.replace(r"^(-?\d+),(\d+)$", "${1}.${2}"))


def _repeating(rows: pl.DataFrame, id: str, fields: list[str], project: RedcapProject) -> dict[str, pl.DataFrame]:
    """The rows of each repeating instrument, with its fields; a repeating event is a table of its own."""
    forms = {variable.source: project.forms[variable.name] for variable in project.dictionary}
    rows = rows.with_columns(pl.coalesce(INSTRUMENT, EVENT).alias("table."))
    tables = {}
    for name in rows["table."].drop_nulls().unique(maintain_order=True):
        own = rows.filter(pl.col("table.") == name)
        asked = [field for field in fields if forms[field] == name] or [
            field for field in fields if own[field].null_count() < own.height
        ]
        event = [EVENT] if own[EVENT].n_unique() > 1 else []
        tables[name] = own.select(id, *event, INSTANCE, *asked)
    return tables


def _patients(frame: pl.DataFrame, id: str, kept: list[str]) -> pl.DataFrame:
    """One row a record, in the order of the file, also of those who have nothing but repeated rows."""
    values = [pl.col(name).filter(~pl.col(REPEATS)).drop_nulls().first() for name in kept]
    group = [pl.col(GROUP).drop_nulls().first()] if GROUP in frame.columns else []
    return frame.filter(pl.col(id).is_not_null()).group_by(id, maintain_order=True).agg(*values, *group)


def _told(path: Path, seen: str) -> Finding:
    return Finding(code="N549", where=Location(path.name), seen=seen)


def _refuse(path: Path, seen: str, allowed: str, remedy: str) -> NoReturn:
    raise DataError([Finding(code="E548", where=Location(path.name), seen=seen, allowed=allowed, remedy=remedy)])
