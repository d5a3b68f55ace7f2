"""Effects and their variances as the caller gave them, checked once; messages name rows, counted from 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.pooling.given_numbers import numbers, rows

Floats = NDArray[np.float64]

FAR = 1e8
"""The largest variance over the smallest, and the range of the effects in units of the smallest standard error, beyond
which sums of double precision no longer hold the small part; no real studies differ so."""

SIZES = (1e-100, 1e100)
"""Variances whose squares and cubes can be held."""


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
    return y, _comparable(y[None], _positive(v, np.ones(len(v), dtype=bool))[None])[0]


def read_reviews(Y: ArrayLike, V: ArrayLike) -> tuple[Floats, Floats]:
    """Effects and variances of many reviews, shape (B, k); nan in both, or in the effect, marks an absent study.

    Raises
    ------
    InputError : shapes that do not go together, an infinite effect, or a variance that is not positive and finite
    """
    y, v = numbers(Y, "Y"), numbers(V, "V")
    if y.ndim != 2 or not y.shape[1] or v.shape not in (y.shape, y.shape[1:]):
        raise InputError(
            f"Y and V have the shapes {y.shape} and {v.shape}; give two tables with a row a review, filled up with nan"
        )
    v = np.broadcast_to(v, y.shape)
    infinite = np.atleast_1d(np.isinf(y).any(axis=1))
    if infinite.any():
        raise InputError(f"Y is infinite in {rows(infinite)}; leave these studies out (nan)")
    return y, _comparable(y, _positive(v, ~np.isnan(y)))


def read_positive(values: ArrayLike, name: str, k: int) -> Floats:
    """One positive number a study, shape (k,).

    Raises
    ------
    InputError : another length, or a value that is not positive; rows count from 1
    """
    array = numbers(values, name)
    if array.shape != (k,):
        raise InputError(f"{name} has the shape {array.shape} and there are {k} studies; give one number a study")
    wrong = ~(np.isfinite(array) & (array > 0))
    if wrong.any():
        raise InputError(f"{name} is not a positive number in {rows(wrong)}; correct it or leave the study out")
    return array


def _positive(v: Floats, present: NDArray[np.bool_]) -> Floats:
    wrong: NDArray[np.bool_] = present & ~((v > 0) & np.isfinite(v))
    if wrong.any():
        where = rows(np.atleast_1d(wrong.reshape(len(wrong), -1).any(axis=1)))
        raise InputError(f"the variance is not a positive number in {where}; correct it or leave the study out")
    return v


def _comparable(y: Floats, v: Floats) -> Floats:
    """Refuse reviews (B, k) whose numbers are of sizes that arithmetic cannot bring together."""
    present = ~np.isnan(y)
    least, most = (
        np.where(present, v, np.inf).min(axis=1, initial=np.inf),
        np.where(present, v, 0.0).max(axis=1, initial=0.0),
    )
    low, high = (
        np.where(present, y, np.inf).min(axis=1, initial=np.inf),
        np.where(present, y, -np.inf).max(axis=1, initial=-np.inf),
    )
    with np.errstate(invalid="ignore"):
        unlike = (most / least > FAR) | (least < SIZES[0]) | (most > SIZES[1])
        apart = unlike | (high - low > FAR * np.sqrt(least))
    if apart.any():
        ends = ((v[0] == least[0]) | (v[0] == most[0])) if unlike[0] else ((y[0] == low[0]) | (y[0] == high[0]))
        raise InputError(
            "variances differ by more than eight orders of magnitude, or effects by more than 1e8 standard errors, in "
            f"{rows(apart if len(y) > 1 else ends)}; look for a standard error given as a variance, or another unit"
        )
    return v
