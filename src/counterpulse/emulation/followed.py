"""Follow-up and the time of first exposure as checked arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.survival.follow_up import read_follow_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One value a patient whose follow-up is known; `exposed_at` is infinite for those never exposed.

    Attributes
    ----------
    rows : indices into the table
    time, event, exposed_at : shape (n,)
    n_missing : rows without follow-up time or event
    n_after_end : exposures dated after the end of follow-up, which are not counted
    """

    rows: NDArray[np.intp]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]
    exposed_at: NDArray[np.float64]
    n_missing: int
    n_after_end: int


def read_followed(frame: pl.DataFrame, *, time: str, event: str, exposure_time: str) -> Followed:
    """Read follow-up and exposure; a missing exposure time means never exposed.

    Raises
    ------
    InputError : a column is absent or of the wrong kind, or times are negative
    """
    follow_up = read_follow_up(frame, time=time, event=event)
    if exposure_time not in frame.columns:
        raise InputError(f"the table has no column '{exposure_time}'")
    column = frame[exposure_time]
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        raise InputError(f"column '{exposure_time}' is {column.dtype}; it must be a time from time zero")
    values = column.cast(pl.Float64).fill_nan(None).fill_null(np.inf).to_numpy()[follow_up.rows]
    if wrong := int(np.count_nonzero(values < 0)):
        raise InputError(f"'{exposure_time}' is negative in {wrong} rows; exposure begins at or after time zero")
    late = np.isfinite(values) & (values > follow_up.time)
    return Followed(
        rows=follow_up.rows, time=follow_up.time, event=follow_up.event, exposed_at=np.where(late, np.inf, values),
        n_missing=follow_up.n_missing, n_after_end=int(late.sum()),
    )  # fmt: skip
