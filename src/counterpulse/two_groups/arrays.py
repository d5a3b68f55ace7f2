"""What the public functions of this room accept, checked once at the door."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def as_values(values: ArrayLike, name: str) -> Floats:
    """A finite vector of shape (n,).

    Raises
    ------
    InputError
        Another number of dimensions, or values that are missing or infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"{name} has {array.ndim} dimensions; give one value a patient")
    if not np.isfinite(array).all():
        raise InputError(f"{name} has missing or infinite values; drop them (and count them) first")
    return array


def as_groups(groups: Sequence[ArrayLike], *, least: int = 2) -> tuple[Floats, ...]:
    """The values of each group; at least `least` groups.

    Raises
    ------
    InputError
        Fewer groups, or values as in `as_values`.
    """
    if len(groups) < least:
        raise InputError(f"{len(groups)} group(s) given; at least {least} are compared")
    return tuple(as_values(group, f"group {number}") for number, group in enumerate(groups, start=1))


def as_counts(table: ArrayLike) -> Counts:
    """A table of whole, non-negative counts of shape (rows, columns).

    Raises
    ------
    InputError
        Another number of dimensions, or cells that are negative or not whole.
    """
    array = np.asarray(table, dtype=np.float64)
    if array.ndim != 2:
        raise InputError(f"the table has {array.ndim} dimensions; give rows and columns of counts")
    if not np.isfinite(array).all() or (array < 0).any() or (array != np.floor(array)).any():
        raise InputError("the table has cells that are not counts; give whole numbers of patients, 0 or more")
    return array.astype(np.int64)


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise InputError(f"level is {level:g}; give a confidence level between 0 and 1, such as 0.95")
