"""Follow-up times and events of a table as checked, complete arrays. Shared by every method of this room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import complete_rows, level_text, levels_in_order
from counterpulse.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
ColumnOrArray = str | Sequence[str] | ArrayLike

TIED = 2.0**-26
"""Times closer than this part of the mean distinct time are one time: 0.1 + 0.2 and 0.3 years are the same day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Complete rows in table order; every array has one value a row used.

    Attributes
    ----------
    rows : indices into the table
    time : end of follow-up
    event : whether it ended with the event
    start : begin of observation, or None when everybody is observed from time zero
    weights : case weights above zero, or None
    groups : code of the group (or stratum) of each row, or None
    labels : text of each group code, in order
    n_missing : rows left out because a value is missing
    """

    rows: Indices
    time: Floats
    event: Bools
    start: Floats | None
    weights: Floats | None
    groups: Indices | None
    labels: tuple[str, ...]
    n_missing: int


def read_follow_up(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    start: str | None = None,
    weights: ColumnOrArray | None = None,
    groups: ColumnOrArray | None = None,
    also_complete: Sequence[str] = (),
) -> FollowUp:
    """Read and check follow-up.

    Parameters
    ----------
    table : one row an interval at risk
    time, event, start : columns; `event` is yes/no, 0/1, or 1/2 where 2 is the event
    weights, groups : a column, or an array of one value a row; groups may name several columns
    also_complete : further columns that must not be missing

    Raises
    ------
    InputError : a column is absent or of the wrong kind; negative times; start not before the end; negative weights
    """
    table = with_column(table, "weights", weights)
    table = with_column(table, "groups", groups)
    weight_name = "weights" if weights is not None and not isinstance(weights, str) else weights
    group_names = column_names(groups, "groups")
    names = [time, event, *group_names, *also_complete]
    names += [name for name in (start, weight_name) if isinstance(name, str)]
    complete = complete_rows(table, names)
    n_missing = int(table.height - complete.sum())
    weight = _weights(table, weight_name, complete) if isinstance(weight_name, str) else None
    if weight is not None:
        complete &= weight != 0
    rows = np.flatnonzero(complete)
    begin = None if start is None else _number(table, start, rows)
    end = _number(table, time, rows)
    _check_times(time, end, start, begin)
    codes, labels = group_codes(table, group_names, rows) if group_names else (None, ())
    return FollowUp(
        rows=rows, time=end, event=read_event(table, event, rows), start=begin,
        weights=None if weight is None else weight[rows], groups=codes, labels=labels, n_missing=n_missing,
    )  # fmt: skip


def with_column(table: pl.DataFrame, name: str, given: ColumnOrArray | None) -> pl.DataFrame:
    """The table with an array given beside it as one more column; names of columns change nothing."""
    if given is None or isinstance(given, str) or _is_names(given):
        return table
    values = np.asarray(given)
    if values.shape != (table.height,):
        raise InputError(f"'{name}' has shape {values.shape}; it needs one value for each of the {table.height} rows")
    return table.with_columns(pl.Series(name, values))


def column_names(given: ColumnOrArray | None, array_name: str) -> list[str]:
    """The columns named, or the one that `with_column` makes of an array; none for None."""
    if given is None:
        return []
    if isinstance(given, str):
        return [given]
    return [str(name) for name in given] if _is_names(given) else [array_name]  # type: ignore[union-attr]


def read_event(table: pl.DataFrame, name: str, rows: Indices) -> Bools:
    """Whether each row ends with the event."""
    column = table[name]
    if column.dtype == pl.Boolean:
        values = column.fill_null(False).to_numpy()
        return values if len(values) == len(rows) else values[rows]
    if not column.dtype.is_numeric():
        raise InputError(f"event column '{name}' is {column.dtype}; code it as yes/no, 0/1 or 1/2 (2 is the event)")
    values = _number(table, name, rows)
    if len(values) == 0:
        return np.zeros(0, dtype=bool)
    low, high = float(values.min()), float(values.max())
    one_two = (low, high) == (1.0, 2.0)
    if not ((one_two or (low in (0.0, 1.0) and high in (0.0, 1.0))) and ((values == low) | (values == high)).all()):
        raise InputError(
            f"event column '{name}' holds other values than 0 and 1 (or 1 and 2, where 2 is the event); recode it"
        )
    event: Bools = values == (2.0 if one_two else 1.0)
    return event


def group_codes(table: pl.DataFrame, names: Sequence[str], rows: Indices) -> tuple[Indices, tuple[str, ...]]:
    """Codes 0, 1, … of the combinations of levels that occur, in the order of the levels, and their texts."""
    codes: Indices = np.zeros(len(rows), dtype=np.intp)
    labels: tuple[str, ...] = ()
    for position, name in enumerate(names):
        code, levels = _level_codes(table[name] if len(rows) == table.height else table[name].gather(rows))
        if position == 0:
            codes, labels = code, levels
            continue
        present, codes = np.unique(codes * len(levels) + code, return_inverse=True)
        labels = tuple(f"{labels[joint // len(levels)]}, {levels[joint % len(levels)]}" for joint in present.tolist())
    return codes.astype(np.intp, copy=False), labels


def _level_codes(column: pl.Series) -> tuple[Indices, tuple[str, ...]]:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        distinct = column.unique().sort()
        return np.searchsorted(distinct.to_numpy(), column.to_numpy()), tuple(level_text(distinct).to_list())
    levels = levels_in_order(column)
    return column.cast(pl.String).cast(pl.Enum(levels)).to_physical().to_numpy().astype(np.intp), tuple(levels)


def merge_close(ascending: Floats) -> Floats:
    """Sorted times with those that differ only by rounding made equal, as survival's ``timefix`` does."""
    if len(ascending) < 2:
        return ascending
    gaps = np.diff(ascending)
    distinct = np.concatenate(([True], gaps > 0))
    near = gaps <= TIED * float(np.abs(ascending).mean(where=distinct))
    if not np.any(near & (gaps > 0)):
        return ascending
    first = np.where(np.concatenate(([True], ~near)), np.arange(len(ascending)), 0)
    return ascending[np.maximum.accumulate(first)]


def time_order(follow_up: FollowUp) -> tuple[Indices, Floats, Floats | None]:
    """Order by time, and the sorted times and starts with those that differ only by rounding made equal."""
    if follow_up.start is None:
        order = np.argsort(follow_up.time)
        return order, merge_close(follow_up.time[order]), None
    both = np.concatenate((follow_up.time, follow_up.start))
    order = np.argsort(both)
    merged = np.empty_like(both)
    merged[order] = merge_close(both[order])
    time, start = merged[: len(follow_up.time)], merged[len(follow_up.time) :]
    order = np.argsort(time)
    return order, time[order], start[order]


def _is_names(given: object) -> bool:
    return isinstance(given, (list, tuple)) and len(given) > 0 and all(isinstance(name, str) for name in given)


def _number(table: pl.DataFrame, name: str, rows: Indices) -> Floats:
    column = table[name]
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise InputError(f"column '{name}' is {column.dtype}; it must be a number")
    values: Floats = column.cast(pl.Float64).to_numpy()
    return values if len(values) == len(rows) else values[rows]


def _weights(table: pl.DataFrame, name: str, complete: Bools) -> Floats:
    values = _number(table, name, np.arange(table.height))
    used = values[complete]
    wrong = int(np.count_nonzero(~np.isfinite(used) | (used < 0)))
    if wrong:
        raise InputError(f"'{name}' is negative or infinite in {wrong} rows; weights are finite and not negative")
    return values


def _check_times(time_name: str, time: Floats, start_name: str | None, start: Floats | None) -> None:
    wrong = int(np.count_nonzero(~np.isfinite(time) | (time < 0)))
    if wrong:
        raise InputError(f"'{time_name}' is negative or infinite in {wrong} rows; follow-up ends at or after time zero")
    if start is None:
        return
    wrong = int(np.count_nonzero(~np.isfinite(start)))
    if wrong:
        raise InputError(f"'{start_name}' is infinite in {wrong} rows; every row begins at a finite time")
    wrong = int(np.count_nonzero(start >= time))
    if wrong:
        raise InputError(
            f"'{start_name}' is not before '{time_name}' in {wrong} rows; an interval at risk has a length above zero"
        )
