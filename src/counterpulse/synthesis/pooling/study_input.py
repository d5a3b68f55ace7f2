"""Effects and their variances as the caller gave them, checked once; messages name rows, counted from 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.pooling.counts import rows

Floats = NDArray[np.float64]


def read_studies(yi: ArrayLike, vi: ArrayLike) -> tuple[Floats, Floats]:
    """Effects and variances as arrays of one length, shape (k,).

    Raises
    ------
    InputError : no study, unequal lengths, an effect that is not finite, or a variance that is not positive and finite
    """
    y, v = numbers(yi, "yi"), numbers(vi, "vi")
    if y.ndim != 1 or v.ndim != 1:
        raise InputError(f"yi and vi have the shapes {y.shape} and {v.shape}; give two lists, one number a study")
    if len(y) != len(v):
        raise InputError(f"yi has {len(y)} values and vi has {len(v)}; give one of each a study")
    if not len(y):
        raise InputError("there is no study; give at least one effect with its variance")
    lost: NDArray[np.bool_] = np.logical_not(np.isfinite(y))
    if lost.any():
        raise InputError(f"yi is missing or infinite in {rows(lost)}; leave these studies out of yi and vi")
    return y, _positive(v, np.ones(len(v), dtype=bool))


def read_reviews(Y: ArrayLike, V: ArrayLike) -> tuple[Floats, Floats]:
    """Effects and variances of many reviews, shape (B, k); nan in both, or in the effect, marks an absent study.

    Raises
    ------
    InputError : shapes that do not go together, an infinite effect, or a variance that is not positive and finite
    """
    y, v = numbers(Y, "Y"), numbers(V, "V")
    if y.ndim != 2 or v.shape not in (y.shape, y.shape[1:]):
        raise InputError(
            f"Y and V have the shapes {y.shape} and {v.shape}; give two tables with a row a review, filled up with nan"
        )
    v = np.broadcast_to(v, y.shape)
    y = np.where(np.isnan(v), np.nan, y)
    infinite = np.atleast_1d(np.isinf(y).any(axis=1))
    if infinite.any():
        raise InputError(f"Y is infinite in {rows(infinite)}; leave these studies out (nan)")
    return y, _positive(v, ~np.isnan(y))


def numbers(values: ArrayLike, name: str) -> Floats:
    """The values as an array of numbers.

    Raises
    ------
    InputError : they hold something else
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds something other than numbers; give one number a study") from None


def _positive(v: Floats, present: NDArray[np.bool_]) -> Floats:
    wrong: NDArray[np.bool_] = present & ~((v > 0) & np.isfinite(v))
    if wrong.any():
        where = rows(np.atleast_1d(wrong.reshape(len(wrong), -1).any(axis=1)))
        raise InputError(f"the variance is not a positive number in {where}; correct it or leave the study out")
    return v
