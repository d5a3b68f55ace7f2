"""What every account of predicted risks shares: the points of a calibration curve, distances, groups, thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.results.estimate import At, Estimate
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate

Floats = NDArray[np.float64]

CURVE_POINTS = 60

SMALLEST_END = 5
"""A curve that is shown begins and ends at the fifth lowest and fifth highest prediction."""

DISTANCES = ("integrated calibration index", "E50", "E90")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A predicted risk with the observed risk that goes with it; `n` patients where it is a group."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int | None = None


def distances(apart: Floats, *, at: At | None = None) -> tuple[Estimate, Estimate, Estimate]:
    """ICI, E50 and E90: mean, median and 90th percentile of the distances of predicted from smoothed observed risks."""
    values = (float(apart.mean()), float(np.quantile(apart, 0.5)), float(np.quantile(apart, 0.9)))
    one, two, three = (
        Estimate(term="", measure=name, value=value, at=at) for name, value in zip(DISTANCES, values, strict=True)
    )
    return one, two, three


def no_distances(status: Status, *, at: At | None = None) -> tuple[Estimate, Estimate, Estimate]:
    """ICI, E50 and E90 where there is no curve."""
    one, two, three = (no_estimate(name, status, at=at) for name in DISTANCES)
    return one, two, three


def curve_grid(risk: Floats) -> Floats:
    """Evenly spaced predictions at which a curve is shown, without the few lowest and highest; shape (CURVE_POINTS,)."""
    ranked = np.sort(risk)
    end = min(SMALLEST_END, (len(ranked) + 1) // 2) - 1
    return np.linspace(ranked[end], ranked[-end - 1], CURVE_POINTS)


def tenths(risk: Floats) -> list[NDArray[np.intp]]:
    """Rows of each tenth of the patients by predicted risk; equal risks stay together, so groups may be fewer."""
    cuts = np.unique(np.quantile(risk, np.arange(1, 10) / 10))
    codes = np.searchsorted(cuts, risk, side="left")
    return [np.flatnonzero(codes == code) for code in np.unique(codes)]


def check_risks(risk: Floats) -> None:
    """Refuse a predicted risk outside 0 to 1.

    Raises
    ------
    InputError : there is one
    """
    outside = int((~((risk >= 0) & (risk <= 1))).sum())
    if outside:
        raise InputError(f"{outside} predicted risks lie outside 0 to 1; give probabilities, not points or percentages")


def check_thresholds(thresholds: ArrayLike) -> Floats:
    """Thresholds as an array, shape (k,).

    Raises
    ------
    InputError : one is not between 0 and 1
    """
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((at > 0) & (at < 1)).all():
        raise InputError("a threshold is not between 0 and 1; write 0.2 for a risk of 20 percent")
    return at
