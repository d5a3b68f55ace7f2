"""Numbers as the caller gave them: read once, and the rows that a message is about."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def numbers(values: ArrayLike, name: str) -> Floats:
    """The values as an array of numbers; None is nan, and text is never read as a number.

    Raises
    ------
    InputError : they hold something else; names the rows
    """
    try:
        plain = np.asarray(values)
        if plain.dtype.kind in "biuf":
            return plain.astype(np.float64)
        things = np.asarray(values, dtype=object)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds something other than numbers; give one number a study") from None
    other = np.array([not _is_number(thing) for thing in things.ravel()], dtype=bool).reshape(things.shape)
    if other.any() or not things.ndim:
        where = f" in {rows(np.atleast_1d(other.reshape(len(other), -1).any(axis=1)))}" if things.ndim else ""
        raise InputError(f"{name} holds something other than numbers{where}; give one number a study")
    return things.astype(np.float64)


def _is_number(thing: object) -> bool:
    return thing is None or isinstance(thing, Real | Decimal | np.bool_)


def rows(flags: Flags | Iterable[bool]) -> str:
    """Name the rows that are flagged, counted from 1."""
    numbers = [str(i + 1) for i, flag in enumerate(flags) if flag]
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"
