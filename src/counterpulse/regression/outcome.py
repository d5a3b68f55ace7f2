"""Reading the outcome of a model."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import is_categorical, levels_in_order
from counterpulse.errors import InputError

Floats = NDArray[np.float64]


def event_sign(column: pl.Series, whole: pl.Series) -> Floats:
    """Read a binary outcome as +1 for an event and -1 for none, shape (n,).

    Parameters
    ----------
    column : the outcome in the rows used
    whole : the outcome in all rows, from which the levels of a text outcome are known; the second is the event
    """
    if is_categorical(whole):
        event: NDArray[np.bool_] = (column.cast(pl.String) == _event_level(whole)).to_numpy()
        return np.where(event, 1.0, -1.0)
    if not (whole.dtype == pl.Boolean or whole.dtype.is_numeric()):
        raise InputError(f"the outcome '{whole.name}' is {whole.dtype}; it is yes/no, 0/1 or has two levels")
    sign = 2 * column.cast(pl.Float64).to_numpy() - 1
    if not (np.abs(sign) == 1).all():
        raise InputError(f"the outcome '{whole.name}' has numbers other than 0 and 1; recode it as yes/no or 0/1")
    return sign


def _event_level(whole: pl.Series) -> str:
    levels = list(whole.dtype.categories) if isinstance(whole.dtype, pl.Enum) else levels_in_order(whole)
    if len(levels) != 2:
        levels = levels_in_order(whole)
    if len(levels) != 2:
        raise InputError(f"the outcome '{whole.name}' has {len(levels)} levels; a binary outcome has two")
    return levels[1]


def number(column: pl.Series) -> Floats:
    """Read a numeric outcome, shape (n,)."""
    if not (column.dtype == pl.Boolean or column.dtype.is_numeric()):
        raise InputError(f"the outcome '{column.name}' is {column.dtype}; a linear model needs a number")
    values = column.cast(pl.Float64).to_numpy()
    if not np.isfinite(values).all():
        raise InputError(f"column '{column.name}' has an infinite value; make it missing or correct it")
    return values
