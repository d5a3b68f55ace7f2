"""What stands beside the extraction table of a review: its screening log, the second extraction, results of other studies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from counterpulse.data import PatientTable, RelatedRows, read_table, with_related
from counterpulse.data.dictionary import Dictionary
from counterpulse.data.digest import content_digest
from counterpulse.data.queries import no_queries
from counterpulse.data.readers import read_raw
from counterpulse.errors import DataError, UsageError
from counterpulse.protocol import Protocol
from counterpulse.protocol.nodes import BundleRow
from counterpulse.results.bundle import read_outputs
from counterpulse.source import Finding, Location, did_you_mean
from counterpulse.study.reviewing.curves import COLUMNS, CURVES
from counterpulse.study.reviewing.screening import LOG, LOG_COLUMNS

SECOND = "second extraction"
NEEDED = ("record",)
YES_NO = {"yes": True, "no": False}
OF_BUNDLES = ("measure", "format", "estimate", "std_error")
"""What a row from a bundle cannot do without; by its format the estimate is taken and not the crude counts beside it."""


def with_review_files(table: PatientTable, protocol: Protocol, dictionary: Dictionary) -> PatientTable:
    """The extraction table with its log, its second extraction, and a row for each bundle; a mock table stands alone.

    Raises
    ------
    DataError : with every finding of these files
    """
    if table.data_kind == "mock" and protocol.nodes.data.kind != "mock":
        return table
    screening, effects = protocol.nodes.screening, protocol.nodes.effects
    folder = protocol.path.parent
    read: dict[str, RelatedRows] = {}
    errors: list[Finding | Any] = []

    def tried(name: str, reader: Callable[[], RelatedRows]) -> None:
        try:
            read[name] = reader()
        except DataError as error:
            errors.extend(error.findings)

    if screening is not None and screening.log is not None:
        log = folder / screening.log
        tried(LOG, lambda: _log(log))
    if effects is not None and effects.curves is not None:
        curves = folder / effects.curves
        tried(CURVES, lambda: _readings(curves))
    if effects is not None and effects.second_extraction is not None:
        second = folder / effects.second_extraction
        tried(SECOND, lambda: _second(second, dictionary))
    for index, row in enumerate(effects.bundles if effects is not None else ()):
        try:
            table = _with_row(table, row, folder)
        except (DataError, UsageError) as error:
            errors.append(_unusable(protocol, index, error))
    if errors:
        raise DataError(errors)
    return with_related(table, read, declared=table.data_kind)


def _log(path: Path) -> RelatedRows:
    """The screening log as text."""
    raw = read_raw(path, wanted=set(LOG_COLUMNS))
    for name in NEEDED:
        if name not in raw.frame.columns:
            known = ", ".join(raw.headers)
            remedy = (
                did_you_mean(name, list(raw.headers))
                or f"give each record a row; the columns are {', '.join(LOG_COLUMNS)}"
            )
            raise DataError(
                [
                    Finding(
                        code="E850",
                        where=Location(path.name),
                        seen=f"the screening log has no column '{name}' ({known})",
                        remedy=remedy,
                    )
                ]
            )
    frame = raw.frame.select(pl.all().cast(pl.String))
    return RelatedRows(frame=frame, file=path.name, is_mock=False, findings=raw.findings, queries=no_queries())


def _readings(path: Path) -> RelatedRows:
    """Readings of survival curves as text."""
    raw = read_raw(path, wanted=set(COLUMNS))
    absent = [name for name in COLUMNS if name not in raw.frame.columns]
    if absent:
        seen = f"the readings of curves have no column {', '.join(absent)}"
        raise DataError(
            [
                Finding(
                    code="E850",
                    where=Location(path.name),
                    seen=seen,
                    allowed=", ".join(COLUMNS),
                    remedy="give each reading a row",
                )
            ]
        )
    frame = raw.frame.select(pl.all().cast(pl.String).str.strip_chars())
    return RelatedRows(frame=frame, file=path.name, is_mock=False, findings=raw.findings, queries=no_queries())


def _second(path: Path, dictionary: Dictionary) -> RelatedRows:
    """What the second extractor wrote."""
    table = read_table(path, dictionary)
    return RelatedRows(frame=table.frame, file=path.name, is_mock=False, findings=table.findings, queries=table.queries)


def _unusable(protocol: Protocol, index: int, error: DataError | UsageError) -> Finding:
    return Finding(
        code="E851", where=protocol.where(("effects", "bundles", index)), seen=str(error).splitlines()[0],
        allowed="the folder of a report, and the id of an estimate in its results.json",
        remedy="run that study, and look the id up with `counterpulse explain`",
    )  # fmt: skip


def _with_row(table: PatientTable, row: BundleRow, folder: Path) -> PatientTable:
    """The table with one more row, whose numbers are those of a bundle."""
    directory = folder / row.bundle
    (content,) = read_outputs(directory, ("results.json",))
    results = json.loads(content)
    found = {item["id"]: item for item in results["estimates"]}
    if row.estimate not in found:
        hint = did_you_mean(row.estimate, list(found))
        raise UsageError(f"{row.bundle} has no estimate '{row.estimate}'{'; ' if hint else ''}{hint}")
    absent = [name for name in OF_BUNDLES if name not in table.frame.columns]
    if absent:
        raise UsageError(f"the dictionary lacks {', '.join(absent)}, which a row from a bundle needs")
    values = {**row.columns, **_values(row, results, found[row.estimate])}
    frame = _appended(table.frame, values)
    digest = content_digest(frame)
    return replace(table, frame=frame, digest=digest)


def _values(row: BundleRow, results: Mapping[str, Any], estimate: Mapping[str, Any]) -> dict[str, Any]:
    """What the columns of an extraction table hold of an estimate; arm counts where it has them."""
    if estimate["status"] != "ok" or estimate["std_error"] is None:
        raise UsageError(
            f"the estimate '{row.estimate}' of {row.bundle} has no standard error (status {estimate['status']})"
        )
    counts = {count["group"]: count for count in estimate["groups"]}
    arms = {"treated": counts.get(estimate["term"], {}), "control": counts.get(estimate["reference"], {})}
    digest = results["study"]["protocol_digest"]
    return {
        "study": row.study, "outcome": row.outcome, "measure": estimate["measure"], "format": "estimate-error",
        "estimate": estimate["estimate"], "std_error": estimate["std_error"], "conf_low": estimate["conf_low"],
        "conf_high": estimate["conf_high"], "conf_level": estimate["conf_level"],
        **{f"{what}_{arm}": count.get(key) for arm, count in arms.items() for what, key in (("n", "n"), ("events", "events"))},
        "source": f"results.json of {results['study']['id']}, {row.estimate} (protocol {digest})",
    }  # fmt: skip


def _appended(frame: pl.DataFrame, values: Mapping[str, Any]) -> pl.DataFrame:
    """The frame with one more row; what it has no column for is left out."""
    series = []
    for name, kind in frame.schema.items():
        value = values.get(name)
        if kind == pl.Boolean and isinstance(value, str):
            value = YES_NO.get(value.strip().lower(), value)
        try:
            series.append(pl.Series(name, [value], dtype=kind))
        except (TypeError, pl.exceptions.PolarsError) as error:
            raise UsageError(f"the column {name} cannot hold what a row from a bundle says of it") from error
    return pl.concat([frame, pl.DataFrame(series)])
