"""One covariate compared between two groups under several weightings: arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import row_blocks

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]
Mask = NDArray[np.bool_]
Denominator = Literal["treated", "control", "pooled", "weighted"]
DENOMINATORS = get_args(Denominator)

ROWS_A_BIN, MOST_BINS = 64, 16_384
"""Bins of values in the search for the largest distance of two distributions."""

SAME = 1e-13
"""Means of a covariate that differ by less than this part of its spread differ by rounding."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Means, the standardized difference (None where nothing varies), the variance ratio (None for shares), KS."""

    mean_treated: float
    mean_control: float
    standardized: float | None
    variance_ratio: float | None
    ks: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """The weights of a sample, those of each group adding up to 1 over all patients; shape (n,) each."""

    treated: Floats
    control: Floats


def share_weights(weights: Floats, treated: Mask) -> Weighing:
    """Divide weights by their sum in each group."""
    mine, other = np.where(treated, weights, 0.0), np.where(treated, 0.0, weights)
    return Weighing(mine / mine.sum(), other / other.sum())


def compare_numbers(
    values: Floats, treated: Mask, weighings: Sequence[Weighing], adjusted: Floats, denominator: Denominator
) -> list[Comparison]:
    """Compare a numeric covariate; one of the values 0 and 1 is a proportion.

    Parameters
    ----------
    values : shape (n,), nan where unknown
    weighings : the unadjusted sample first
    adjusted : the weights of the adjusted sample, for the denominator "weighted"
    """
    known = ~np.isnan(values)
    if not known.all():
        values, treated, adjusted = values[known], treated[known], adjusted[known]
        weighings = [_renormalized(weighing, known) for weighing in weighings]
    if not len(values) or treated.all() or not treated.any():
        return [Comparison(np.nan, np.nan, None, None, np.nan) for _ in weighings]
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1 and bool(((values == 0) | (values == 1)).all()):
        codes = values.astype(np.int64)
        return compare_shares(codes, 2, treated, weighings, adjusted, denominator)[1]
    span = (high - low) or 1.0
    centered = (values - low) / span
    groups = [weights for weighing in weighings for weights in (weighing.treated, weighing.control)]
    if denominator == "weighted":
        groups.append(adjusted / adjusted.sum())
    means, variances = _moments(centered, groups)
    spread = sqrt(
        {"treated": variances[0], "control": variances[1], "pooled": (variances[0] + variances[1]) / 2,
         "weighted": variances[-1]}[denominator]
    )  # fmt: skip
    distances = kolmogorov_smirnov(centered, weighings)
    return [
        Comparison(
            low + span * means[k], low + span * means[k + 1],
            _divided(0.0 if abs(means[k] - means[k + 1]) < SAME else means[k] - means[k + 1], spread),
            variances[k] / variances[k + 1] if variances[k + 1] > 0 else None, distance,
        )
        for k, distance in zip(range(0, 2 * len(weighings), 2), distances, strict=True)
    ]  # fmt: skip


def compare_shares(
    codes: Codes, levels: int, treated: Mask, weighings: Sequence[Weighing], adjusted: Floats, denominator: Denominator
) -> list[list[Comparison]]:
    """Compare the share of each level (outer list) in each weighing (inner list); negative codes are unknown."""
    known = codes >= 0
    if not known.all():
        codes, treated, adjusted = codes[known], treated[known], adjusted[known]
        weighings = [_renormalized(weighing, known) for weighing in weighings]
    if denominator == "weighted":
        whole = _shares(codes, levels, adjusted)
        parts = [whole]
    else:
        mine, other = (_shares(codes[side], levels, None) for side in (treated, ~treated))
        parts = {"treated": [mine], "control": [other], "pooled": [mine, other]}[denominator]
    spread = np.sqrt(sum(part * (1 - part) for part in parts) / len(parts))
    found = [(_shares(codes, levels, w.treated), _shares(codes, levels, w.control)) for w in weighings]
    return [
        [
            Comparison(float(a[k]), float(b[k]), _divided(float(a[k] - b[k]), float(spread[k])), None, abs(float(a[k] - b[k])))
            for a, b in found
        ]
        for k in range(levels)
    ]  # fmt: skip


def _renormalized(weighing: Weighing, known: Mask) -> Weighing:
    mine, other = weighing.treated[known], weighing.control[known]
    with np.errstate(invalid="ignore"):
        return Weighing(mine / mine.sum(), other / other.sum())


def _moments(values: Floats, groups: Sequence[Floats]) -> tuple[list[float], list[float]]:
    """Means and variances under weights that add up to 1, in one pass; one of each group.

    The variance is unbiased for weights that count reliability: divided by 1 less the sum of squared weights.
    """
    middle = float(values.mean())
    sums, squares, degrees = (np.zeros(len(groups)) for _ in range(3))
    for rows in row_blocks(len(values)):
        away = values[rows] - middle
        squared = away * away
        for k, weights in enumerate(groups):
            part = weights[rows]
            sums[k] += part @ away
            squares[k] += part @ squared
            degrees[k] += part @ part
    left = 1 - degrees
    spread = np.maximum(squares - sums * sums, 0.0)
    variances = np.divide(spread, left, out=np.zeros(len(groups)), where=left > SAME)
    return (middle + sums).tolist(), variances.tolist()


def _divided(difference: float, spread: float) -> float | None:
    if spread > 0:
        return difference / spread
    return 0.0 if difference == 0 else None


def _shares(codes: Codes, levels: int, weights: Floats | None) -> Floats:
    counts = np.bincount(codes, weights=weights, minlength=levels).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(counts / counts.sum())


def kolmogorov_smirnov(values: Floats, weighings: Sequence[Weighing]) -> list[float]:
    """Find the largest distance of the two cumulative distributions in each weighing.

    Only bins of values in which the distance could be larger than at the edges of all bins are sorted.

    Parameters
    ----------
    values : from 0 to 1, shape (n,)
    """
    count = min(max(1, len(values) // ROWS_A_BIN), MOST_BINS)
    bins = np.minimum((values * count).astype(np.intp), count - 1)
    found = []
    for weighing in weighings:
        up, down = (np.bincount(bins, weights=w, minlength=count) for w in (weighing.treated, weighing.control))
        after = np.cumsum(up - down)
        before = np.concatenate(([0.0], after[:-1]))
        edge = float(np.max(np.abs(after[:-1]), initial=0.0))
        telling = np.maximum(before + up, down - before) > edge
        rows = np.flatnonzero(telling[bins])
        inside = _largest_inside(values[rows], bins[rows], (weighing.treated - weighing.control)[rows], before)
        found.append(max(edge, inside))
    return found


def _largest_inside(values: Floats, bins: Codes, ahead: Floats, before: Floats) -> float:
    """The largest distance between the edges of some bins; `before` is the difference where each bin begins."""
    if not len(values):
        return 0.0
    order = np.argsort(values)
    values, bins = values[order], bins[order]
    total = np.cumsum(ahead[order])
    first = np.concatenate(([True], bins[1:] != bins[:-1]))
    begun = np.concatenate(([0.0], total[:-1]))[first]
    difference = total - np.repeat(begun - before[bins[first]], np.diff(np.append(np.flatnonzero(first), len(bins))))
    last_of_equal = np.append(values[1:] != values[:-1], False)
    return float(np.max(np.abs(difference[last_of_equal]), initial=0.0))
