"""The moderators of a meta-regression as the caller gave them, checked once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.engine.studies import DEPENDENT
from counterpulse.synthesis.pooling.given_numbers import numbers, rows

Floats = NDArray[np.float64]

INTERCEPT = "intercept"


def read_moderators(X: ArrayLike, names: Sequence[str] | None, k: int | None = None) -> tuple[Floats, tuple[str, ...]]:
    """Moderators as an array of shape (k, m) with a name a column: given, of the frame's columns, else "x1", "x2", ....

    Raises
    ------
    InputError : another number of rows than studies, a value that is not finite, or as many names as not columns
    """
    x = numbers(X, "X")
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or not x.shape[1] or (k is not None and len(x) != k):
        wanted = "a row a study" if k is None else f"{k} rows, one a study"
        raise InputError(f"X has the shape {x.shape}; give {wanted} and a column a moderator")
    lost = np.atleast_1d(np.logical_not(np.isfinite(x)).any(axis=1))
    if lost.any():
        raise InputError(
            f"a moderator is missing or infinite in {rows(lost)}; leave these studies out or complete them"
        )
    labels = _names(X, names) or tuple(f"x{j + 1}" for j in range(x.shape[1]))
    if len(labels) != x.shape[1]:
        raise InputError(f"there are {len(labels)} names and {x.shape[1]} moderators; give one name a column of X")
    return x, labels


def _names(X: ArrayLike, names: Sequence[str] | None) -> tuple[str, ...]:
    """The names given, else those of a frame's columns or of a series; none otherwise."""
    if isinstance(names, str):
        return (names,)
    if names is not None:
        return tuple(names)
    if isinstance(X, pl.DataFrame):
        return tuple(X.columns)
    return (X.name,) if isinstance(X, pl.Series) and X.name else ()


def with_intercept(x: Floats) -> Floats:
    """A column of ones before the moderators."""
    return np.column_stack((np.ones(len(x)), x))


def check_independent(columns: Floats, names: tuple[str, ...]) -> None:
    """Refuse columns that are combinations of the columns before them, and more columns than studies leave room for.

    Raises
    ------
    InputError : names the columns
    """
    k, p = columns.shape
    if k <= p:
        raise InputError(f"there are {k} studies and {p} coefficients; use fewer moderators or pool the studies")
    dependent = []
    kept = np.empty((k, 0))
    for name, column in zip(names, columns.T, strict=True):
        rest = column - kept @ (kept.T @ column)
        rest = rest - kept @ (kept.T @ rest)
        length = float(np.linalg.norm(rest))
        if length <= DEPENDENT * max(float(np.linalg.norm(column)), np.finfo(float).tiny):
            dependent.append(name)
        else:
            kept = np.column_stack((kept, rest / length))
    if dependent:
        raise InputError(
            f"{', '.join(dependent)} {'is' if len(dependent) == 1 else 'are'} constant or a combination of the columns before; "
            "drop it from X"
        )
