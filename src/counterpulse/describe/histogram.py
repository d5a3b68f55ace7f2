"""Distributions of numbers as histograms whose edges are round and whose outer bins are open: no extreme value is told."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.describe.columns import NumericColumn, read_column, read_levels
from counterpulse.errors import InputError

Floats = NDArray[np.float64]

MOST_BINS = 30
OUTER = 0.01
"""The share of values in each tail that the outermost bin may swallow."""
NEAR = 0.75
"""A round width may be so much narrower than the rule's; the next one is often twice as wide."""
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
WHOLE_STEPS = (1.0, 2.0, 5.0, 10.0)
FINEST = 1e-6  # of the largest value: a finer width would show nothing but how values are rounded
ON_AN_EDGE = 1e-9  # of a width: a value that is an edge, as decimal fractions are held


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramBin:
    """Patients of one group (None: everybody) with low <= value < high; the outermost bins are open (None).

    A single bin that holds all values is closed. `percent` is of the patients of the group who have a value; None where nobody has.
    """

    group: str | None
    low: float | None
    high: float | None
    n: int
    percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A histogram by group. Every group has the same bins, each `width` wide."""

    variable: str
    width: float
    bins: tuple[HistogramBin, ...]
    rule: str = "freedman-diaconis"

    def tidy(self) -> pl.DataFrame:
        """One row a bin and group."""
        cells = [(self.variable, bin_.group, bin_.low, bin_.high, bin_.n, bin_.percent) for bin_ in self.bins]
        schema = {
            "variable": pl.String, "group": pl.String, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64,
            "percent": pl.Float64,
        }  # fmt: skip
        return pl.DataFrame(cells, schema=schema, orient="row")


def distribution(table: pl.DataFrame, *, variable: str, by: str | None = None) -> Distribution:
    """The histogram of a number, in each group.

    The width is that of Freedman and Diaconis for everybody together, 2 IQR / n^(1/3), made round (the next 1, 2, 2.5 or
    5 times a power of ten above three quarters of it; whole for whole numbers) and wide enough that at most 30 bins hold the middle 98% of the values.

    Parameters
    ----------
    table : one row a patient
    variable : a numeric column; missing values are left out
    by : column of the groups; patients without one are left out. None: everybody

    Raises
    ------
    InputError
        A column that is not there or not numeric.

    References
    ----------
    Freedman D, Diaconis P. Z Wahrscheinlichkeitstheorie verw Geb 1981;57:453-76. doi:10.1007/BF01025868
    """
    column = read_column(table, variable)
    if not isinstance(column, NumericColumn):
        raise InputError(f"column {variable!r} is not numeric; a histogram needs numbers, a crosstab takes levels")
    members: list[tuple[str | None, NDArray[np.bool_]]] = [(None, np.ones(table.height, dtype=bool))]
    if by is not None:
        groups = read_levels(table, by)
        members = [(level, groups.codes == code) for code, level in enumerate(groups.levels)]
    used = column.known & np.logical_or.reduce([mask for _, mask in members])
    if not used.any():
        return Distribution(variable=variable, width=1.0, bins=())
    width, first, last = _grid(column.values[used])
    steps = _steps(np.where(used, column.values, first * width), width)
    place = np.clip(steps, first, last)
    open_ = first < last or bool((steps != place).any())
    bins = [
        _bin(group, first + k, first, last, width, place[mask & used], open_=open_)
        for group, mask in members
        for k in range(last - first + 1)
    ]
    return Distribution(variable=variable, width=width, bins=tuple(bins))


def _steps(values: Floats, width: float) -> NDArray[np.int64]:
    """The bin of each value, counted from zero of the axis."""
    return np.floor(values / width + ON_AN_EDGE).astype(np.int64)


def _grid(values: Floats) -> tuple[float, int, int]:
    """The width, and the first and last bin."""
    whole = bool((values == np.floor(values)).all())
    q1, q3 = np.quantile(values, [0.25, 0.75])
    low, high = np.quantile(values, [OUTER, 1 - OUTER])
    wanted = 2 * (q3 - q1) / len(values) ** (1 / 3) or (high - low) / (1 + np.log2(len(values)))
    least = max(NEAR * float(wanted), float(high - low) / MOST_BINS) or max(abs(float(low)) / 10, 1.0)
    width = round_width(max(least, FINEST * float(np.abs(values).max())), whole=whole)
    first, last = (int(step) for step in _steps(np.array([low, high]), width))
    return width, first, last


def round_width(least: float, *, whole: bool = False) -> float:
    """The smallest round number that is not below `least`."""
    if whole and least < 1:
        return 1.0
    power = 10.0 ** floor(log10(least))
    steps = WHOLE_STEPS if whole and power < 10 else STEPS
    return neat(next(step * power for step in steps if step * power >= least * (1 - 1e-12)))


def neat(value: float) -> float:
    """The number with twelve significant digits: what a product of decimal fractions was meant to be."""
    return float(f"{value:.12g}")


def _bin(
    group: str | None, step: int, first: int, last: int, width: float, places: NDArray[np.int64], *, open_: bool
) -> HistogramBin:
    n = int((places == step).sum())
    return HistogramBin(
        group=group,
        low=None if step == first and open_ else neat(step * width),
        high=None if step == last and open_ else neat((step + 1) * width),
        n=n,
        percent=100 * n / len(places) if len(places) else None,
    )
