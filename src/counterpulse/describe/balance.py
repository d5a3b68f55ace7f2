"""Standardized differences between two groups, with a named denominator and optional weights.

The denominator is always of the patients as they came, unweighted, so that a difference before and after matching or
weighting is in the same unit (Austin 2009, doi:10.1002/sim.3697).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.results import Status
from counterpulse.two_groups.means import sum_of_squares

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

DENOMINATORS = ("pooled", "treated", "reference", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardizedDifference:
    """A difference in standard deviations, treated minus reference; of three or more levels a distance, never negative.

    `value` is None when `status` is not OK (an infinite or undefined difference).
    """

    value: float | None
    denominator: str
    status: Status = Status.OK


def smd_numeric(
    values: Floats, treated: Mask, *, denominator: str = "pooled", weights: Floats | None = None
) -> StandardizedDifference:
    """The standardized difference of a numeric variable.

    Parameters
    ----------
    values : shape (patients,); patients with nan are left out
    treated : shape (patients,), whether each belongs to the treated group
    denominator : "pooled" (root of the mean of the two variances), "treated", "reference", or "all" (everybody's)
    weights : shape (patients,), for the means only; 0 for patients that were not matched

    Raises
    ------
    InputError
        An unknown denominator.

    Notes
    -----
    Equal means give 0 even where nothing varies; different means where nothing varies are infinitely apart (None).
    """
    _check(denominator)
    known = ~np.isnan(values)
    x, group = values[known], treated[known]
    weight = np.ones(len(x)) if weights is None else weights[known]
    if weight[group].sum() <= 0 or weight[~group].sum() <= 0:
        return StandardizedDifference(value=None, denominator=denominator, status=Status.EMPTY_GROUP)
    variance = _variance(x[group], x[~group], x, denominator)
    if variance is None:
        return StandardizedDifference(value=None, denominator=denominator, status=Status.TOO_FEW_ROWS)
    difference = _mean(x[group], weight[group]) - _mean(x[~group], weight[~group])
    return _over(difference, variance, denominator)


def smd_levels(
    codes: Codes, treated: Mask, *, levels: int, denominator: str = "pooled", weights: Floats | None = None
) -> StandardizedDifference:
    """The standardized difference of a categorical variable.

    Parameters
    ----------
    codes : shape (patients,), 0 to `levels` - 1; negative codes are missing and left out
    treated : shape (patients,)
    levels : how many levels there are
    denominator : as in `smd_numeric`, of the variances p (1 - p)
    weights : shape (patients,), for the proportions only

    Returns
    -------
    StandardizedDifference
        With two levels the signed difference of the proportion of the second. With more, the Mahalanobis distance of
        Yang and Dalton 2012 over the levels that occur. Groups that share no level are infinitely apart: None, with
        status DISJOINT_SUPPORT (ZERO_VARIANCE where only the one group of the denominator lacks a level).

    Raises
    ------
    InputError
        An unknown denominator.
    """
    _check(denominator)
    known = codes >= 0
    code, group = codes[known], treated[known]
    weight = np.ones(len(code)) if weights is None else weights[known]
    if weight[group].sum() <= 0 or weight[~group].sum() <= 0:
        return StandardizedDifference(value=None, denominator=denominator, status=Status.EMPTY_GROUP)
    difference = _shares(code[group], levels, weight[group]) - _shares(code[~group], levels, weight[~group])
    p_treated, p_reference = _shares(code[group], levels), _shares(code[~group], levels)
    if levels <= 2:
        variance = _binary_variance(p_treated[-1], p_reference[-1], _shares(code, levels)[-1], denominator)
        value = _over(float(difference[-1]) if levels == 2 else 0.0, variance, denominator).value
    else:
        value = _distance(difference, p_treated, p_reference, _shares(code, levels), denominator)
    return StandardizedDifference(
        value=value, denominator=denominator, status=_level_status(value, p_treated, p_reference)
    )


def _level_status(value: float | None, treated: Floats, reference: Floats) -> Status:
    if value is not None:
        return Status.OK
    return Status.ZERO_VARIANCE if ((treated > 0) & (reference > 0)).any() else Status.DISJOINT_SUPPORT


def _check(denominator: str) -> None:
    if denominator not in DENOMINATORS:
        raise InputError(f"SMD denominator {denominator!r} is unknown; give one of {', '.join(DENOMINATORS)}")


def _over(difference: float, variance: float, denominator: str) -> StandardizedDifference:
    if variance > 0:
        return StandardizedDifference(value=difference / sqrt(variance), denominator=denominator)
    if difference == 0:
        return StandardizedDifference(value=0.0, denominator=denominator)
    return StandardizedDifference(value=None, denominator=denominator, status=Status.ZERO_VARIANCE)


def _mean(values: Floats, weights: Floats) -> float:
    """The weighted mean; exactly the value where all are equal."""
    used = values[weights > 0]
    return float(used[0]) if used.min() == used.max() else float(np.average(values, weights=weights))


def _variance(treated: Floats, reference: Floats, everybody: Floats, denominator: str) -> float | None:
    """The variance a numeric difference is divided by (root taken later); None with fewer than two patients."""
    parts = {"pooled": (treated, reference), "treated": (treated,), "reference": (reference,), "all": (everybody,)}
    chosen = parts[denominator]
    if min(len(part) for part in chosen) < 2:
        return None
    return sum(sum_of_squares(part) / (len(part) - 1) for part in chosen) / len(chosen)


def _binary_variance(treated: float, reference: float, everybody: float, denominator: str) -> float:
    parts = {"pooled": (treated, reference), "treated": (treated,), "reference": (reference,), "all": (everybody,)}
    return sum(p * (1 - p) for p in parts[denominator]) / len(parts[denominator])


def _shares(codes: Codes, levels: int, weights: Floats | None = None) -> Floats:
    counts = np.bincount(codes, weights=weights, minlength=levels).astype(np.float64)
    return np.asarray(counts / counts.sum())


def _distance(
    difference: Floats, treated: Floats, reference: Floats, everybody: Floats, denominator: str
) -> float | None:
    """Mahalanobis distance of the shares of levels; None where it is infinite.

    A covariance of one set of shares p has the closed form sum(difference^2 / p). The mean of two is singular, over the
    levels that occur, only where the groups share no level; then the difference leaves its range.
    """
    single = {"treated": treated, "reference": reference, "all": everybody}.get(denominator)
    if single is not None:
        if (difference[single == 0] != 0).any():
            return None
        occurs = single > 0
        return sqrt(float((difference[occurs] ** 2 / single[occurs]).sum()))
    if not ((treated > 0) & (reference > 0)).any():
        return None
    used = np.nonzero(everybody > 0)[0][1:]
    covariance = (_covariance(treated[used]) + _covariance(reference[used])) / 2
    gap = difference[used]
    return sqrt(max(float(gap @ np.linalg.solve(covariance, gap)), 0.0)) if len(used) else 0.0


def _covariance(shares: Floats) -> Floats:
    return np.diag(shares) - np.outer(shares, shares)
