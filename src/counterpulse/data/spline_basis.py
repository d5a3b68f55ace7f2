"""The basis of a natural (restricted) cubic spline and where its knots go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]

FEWEST_KNOTS = 3
SMALL_SAMPLE, NTH_VALUE = 100, 5
"""Below so many rows the outer knots are the 5th smallest and the 5th largest value."""


def tail_of(count: int) -> float:
    """The quantile of the first knot, by the number of knots."""
    return 0.1 if count == FEWEST_KNOTS else 0.05 if count <= 6 else 0.025


def harrell_knots(values: Floats, count: int) -> tuple[float, ...]:
    """Place knots at Harrell's quantiles, evenly between an outer pair; () where that many do not fit the values.

    Quantiles are of type 7; with fewer than 100 values the outer knots are the 5th smallest and 5th largest value. That is
    what R's ``Hmisc::rcspline.eval(fractied = 0)`` does; unlike its default, ties never change how many knots there are.

    Parameters
    ----------
    values : without missing values, shape (n,)
    count : at least 3

    References
    ----------
    Harrell 2015, Regression Modeling Strategies, 2nd ed., section 2.4.6, doi:10.1007/978-3-319-19425-7.
    """
    if len(np.unique(values)) < count or len(values) <= NTH_VALUE:
        return ()
    tail = tail_of(count)
    knots = np.quantile(values, np.linspace(tail, 1 - tail, count))
    if len(values) < SMALL_SAMPLE:
        ordered = np.sort(values)
        knots[0], knots[-1] = ordered[NTH_VALUE - 1], ordered[-NTH_VALUE]
    return tuple(knots.tolist()) if (np.diff(knots) > 0).all() else ()


def check_knots(variable: str, knots: int | tuple[float, ...]) -> None:
    """Refuse knots that make no natural cubic spline.

    Raises
    ------
    InputError : fewer than three knots, or knots that do not increase
    """
    if (knots if isinstance(knots, int) else len(knots)) < FEWEST_KNOTS:
        raise InputError(
            f"the spline of '{variable}' has fewer than three knots; a natural cubic spline has at least three"
        )
    if not isinstance(knots, int) and not (np.isfinite(knots).all() and (np.diff(knots) > 0).all()):
        raise InputError(f"the knots of the spline of '{variable}' do not increase; write them from low to high")


def natural_spline(values: Floats, knots: tuple[float, ...]) -> Iterator[Floats]:
    """Yield the columns of the truncated-power basis: the values, then K - 2 nonlinear columns, each of shape (n,).

    The nonlinear ones are linear beyond the outer knots and are divided by the square of the distance between these, so
    that they have the unit of the values (R: ``Hmisc::rcspline.eval`` with ``norm = 2``).
    """
    yield values
    first, before, last = knots[0], knots[-2], knots[-1]
    size, gap = (last - first) ** 2, last - before
    outer, inner = _cube(values - last), _cube(values - before)
    for knot in knots[:-2]:
        ends = (inner * (last - knot) - outer * (before - knot)) / gap
        yield (_cube(values - knot) - ends) / size


def _cube(distance: Floats) -> Floats:
    positive = np.maximum(distance, 0.0)
    cube: Floats = positive * positive * positive
    return cube
