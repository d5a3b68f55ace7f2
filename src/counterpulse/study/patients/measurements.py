"""Several rows a patient become one value a patient, or the measurements of an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from counterpulse.protocol.window import TimeWindow

PATIENT, AT, SINCE, ROW = "patient.", "at.", "since.", "row."
"""Of a linked row: whose it is (the row of the patient), its time as written, the time since time zero, its row of the file."""
HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The rows of a related table that belong to a patient.

    Attributes
    ----------
    frame : its columns, and `PATIENT`, `AT`, `SINCE` and `ROW`; rows in the order of the file
    unit : of `SINCE`: microseconds between dates and datetimes, else the unit of the durations in the table
    zero_known : whether time zero is known, one a patient, shape (n,)
    """

    frame: pl.DataFrame
    unit: str
    zero_known: pl.Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One value a patient, shape (n,).

    `tied` are the rows (of the linked frame) of patients in whom different values stand at the time that was looked for.
    """

    values: pl.Series
    tied: pl.DataFrame


def link(
    related: pl.DataFrame, ids: pl.Series, patients: pl.DataFrame, *, time: str | None, unit: str | None = None
) -> Linked:
    """Give every row its patient and its time since time zero.

    Parameters
    ----------
    related : the table with several rows a patient
    ids : whose each row is, as text
    patients : one row a patient: `id` (text) and, unless durations are counted, `zero` (date or datetime)
    time : the column with the time of a row, or None
    unit : of the durations that the table holds, where they are counted from time zero; None: dates

    Two datetimes are compared to the microsecond; as soon as one of the two is a date, whole days are.
    """
    frame = related.with_row_index(ROW).with_columns(ids.alias("id."))
    owners = patients.select(pl.col("id").alias("id."), pl.exclude("id")).with_row_index(PATIENT)
    columns = ["zero"] if "zero" in patients.columns else []
    frame = frame.join(owners.select("id.", PATIENT, *columns), on="id.", how="inner", maintain_order="left")
    at = pl.col(time) if time is not None else pl.lit(None, dtype=pl.Float64)
    if unit is not None:
        since, known = at.cast(pl.Float64), pl.repeat(True, patients.height, dtype=pl.Boolean, eager=True)
    else:
        since, known = _microseconds(frame, time), patients["zero"].is_not_null()
    frame = frame.with_columns(at.alias(AT), since.alias(SINCE)).drop("id.", *columns)
    return Linked(frame=frame, unit=unit or "microseconds", zero_known=known)


def in_window(linked: Linked, column: str | None, window: TimeWindow | None) -> pl.DataFrame:
    """The measurements: rows with a value of the column, their time within the window, both ends included."""
    keep = pl.lit(True) if column is None else pl.col(column).is_not_null()
    if window is not None:
        low, high = _bounds(window, linked.unit)
        keep = keep & pl.col(SINCE).is_between(low, high, closed="both").fill_null(False)
    return linked.frame.filter(keep)


def take(
    linked: Linked, column: str | None, how: str, window: TimeWindow | None = None, *, if_tied: str | None = None
) -> Taken:
    """One value a patient of the measurements in a window.

    `any` is whether one of them is yes, `count` how many there are (0 without any, if time zero is known); the others are
    null without a measurement. `first` and `last` are by time; a row without time is neither.
    """
    rows = in_window(linked, column, window)
    nobody = rows.clear()
    if how == "count":
        counted = _each(rows.group_by(PATIENT).agg(pl.len().cast(pl.Float64).alias("value")), linked)
        known = linked.zero_known if window is not None else pl.repeat(True, len(counted), dtype=pl.Boolean, eager=True)
        return Taken(values=counted.fill_null(0.0).set(~known, None), tied=nobody)
    assert column is not None
    if how in ("first", "last"):
        return _at_an_end(rows, linked, column, how, if_tied)
    values = rows.group_by(PATIENT).agg(_folded(rows, column, how).alias("value"))
    return Taken(values=_each(values, linked, rows.schema[column]), tied=nobody)


def hours_since(linked: Linked, hours_a_unit: Mapping[str, float]) -> pl.Expr:
    """The time of each row in hours since time zero."""
    if linked.unit == "microseconds":
        return pl.col(SINCE) / HOUR
    return pl.col(SINCE) * hours_a_unit[linked.unit.removesuffix("s")]


def _microseconds(frame: pl.DataFrame, time: str | None) -> pl.Expr:
    if time is None:
        return pl.lit(None, dtype=pl.Int64)
    if pl.Date in (frame.schema[time], frame.schema["zero"]):
        days = (pl.col(time).cast(pl.Date) - pl.col("zero").cast(pl.Date)).dt.total_days()
        return days * (24 * HOUR)
    return (pl.col(time) - pl.col("zero")).dt.total_microseconds()


def _bounds(window: TimeWindow, unit: str) -> tuple[float, float]:
    if unit != "microseconds":
        return window.within(unit)
    low, high = window.within("hours")
    return round(low * HOUR), round(high * HOUR)


def _folded(rows: pl.DataFrame, column: str, how: str) -> pl.Expr:
    """The value of a group; the highest level of an ordinal is the last of its dictionary."""
    values = pl.col(column).to_physical() if isinstance(rows.schema[column], pl.Enum) else pl.col(column)
    folds = {
        "any": values.any, "max": values.max, "min": values.min, "mean": values.cast(pl.Float64).mean,
        "first": values.first, "last": values.last, "first-row": values.first, "last-row": values.last,
    }  # fmt: skip
    return folds[how]()


def _at_an_end(rows: pl.DataFrame, linked: Linked, column: str, how: str, if_tied: str | None) -> Taken:
    """The value at the first or last time; `tied` are the rows of those in whom values there differ."""
    rows = rows.filter(pl.col(AT).is_not_null())
    edge = pl.col(AT).min() if how == "first" else pl.col(AT).max()
    rows = rows.filter(pl.col(AT) == edge.over(PATIENT))
    groups = rows.group_by(PATIENT, maintain_order=True).agg(
        _folded(rows, column, if_tied or how).alias("value"), (pl.col(column).n_unique() > 1).alias("tied")
    )
    tied = rows.join(groups.filter("tied").select(PATIENT), on=PATIENT, how="semi", maintain_order="left")
    return Taken(values=_each(groups.select(PATIENT, "value"), linked, rows.schema[column]), tied=tied)


def _each(values: pl.DataFrame, linked: Linked, dtype: pl.DataType | None = None) -> pl.Series:
    """The values in the order of the patients, null for those without; numbers as Float64."""
    everybody = pl.select(pl.int_range(len(linked.zero_known), dtype=pl.UInt32).alias(PATIENT))
    found = everybody.join(values, on=PATIENT, how="left", maintain_order="left")["value"]
    if isinstance(dtype, pl.Enum):
        return dtype.categories.gather(found).cast(dtype)
    return found if found.dtype == pl.Boolean else found.cast(pl.Float64)
