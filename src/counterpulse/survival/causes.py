"""Which of several causes ended each follow-up, as codes. Shared by the methods for competing events."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from counterpulse.data.design import is_categorical, level_text, levels_in_order
from counterpulse.errors import InputError

CODES = "codes."
"""The name of the column of codes, 0 for censoring."""

OF_CAUSE = "of cause."
"""The name of the column that says whether the cause of interest ended the follow-up."""


def read_causes(
    table: pl.DataFrame, event: str, causes: Mapping[str, str] | None = None
) -> tuple[pl.Series, tuple[str, ...]]:
    """Codes of the causes, 0 for censoring and null where unknown, and the names of the others."""
    if event not in table.columns:
        raise InputError(f"there is no column '{event}'; there are {', '.join(table.columns)}")
    column = table[event]
    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        values = column.cast(pl.Float64)
        distinct = [value for value in values.drop_nulls().unique().sort().to_list() if value != 0]
        if any(value < 0 or value != int(value) for value in distinct):
            raise InputError(f"'{event}' holds numbers that are no codes; 0 is censored, 1, 2, … are causes")
        levels = [str(int(value)) for value in distinct]
        texts = values.cast(pl.Int64, strict=False).cast(pl.String)
    elif is_categorical(column):
        ordered = list(column.dtype.categories) if isinstance(column.dtype, pl.Enum) else levels_in_order(column)
        levels, texts = ordered[1:], level_text(column)
    else:
        raise InputError(f"'{event}' is {column.dtype}; it is a category, or 0 (censored), 1, 2, …")
    wanted = dict(causes) if causes is not None else {level: level for level in levels}
    missing = [level for level in levels if level not in wanted]
    if missing:
        raise InputError(f"`causes` names {', '.join(wanted)}, and '{event}' also holds {', '.join(missing)}; name all")
    position = {level: code for code, level in enumerate(wanted, start=1)}
    codes = texts.replace_strict(position, default=0, return_dtype=pl.Int64)
    return codes.set(column.is_null(), None).rename(CODES), tuple(wanted.values())


def cause_position(named: tuple[str, ...], cause: str | int | None) -> int:
    """The code of a cause (the first where none is named), from 1."""
    if cause is None and named:
        return 1
    if str(cause) not in named:
        raise InputError(f"there is no cause '{cause}'; there are {', '.join(named)}")
    return named.index(str(cause)) + 1
