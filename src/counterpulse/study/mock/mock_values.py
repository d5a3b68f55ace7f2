"""Plausible values for one variable, from nothing but its row of the dictionary."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.dictionary import Variable

FIRST_DAY, LAST_DAY = date(2019, 1, 1), date(2023, 12, 31)
SITES_WITHOUT_LEVELS = 40
SKEWED_FROM_ZERO_ABOVE = 200.0
SKEWED_FROM_RATIO = 5.0
LARGEST_SMALL_COUNT = 30
MICROSECONDS_A_MINUTE = 60_000_000


def draw_values(
    variable: Variable, shape: np.random.Generator, random: np.random.Generator, n: int, *, common: bool = False
) -> pl.Series:
    """Draw `n` values in the column type of a patient table.

    `shape` gives the variable its frequencies, center and spread, `random` the values; a `common` yes is about as
    frequent as no.
    """
    match variable.type:
        case "id":
            width = len(str(n))
            values = pl.Series([f"M{number:0{width}d}" for number in range(1, n + 1)])
        case "number" | "integer":
            values = _numbers(variable, shape, random, n)
        case "category" | "ordinal":
            values = _levels(variable, shape, random, n)
        case "yesno":
            values = pl.Series(random.random(n) < (0.4 if common else shape.uniform(0.08, 0.35)))
        case "date":
            values = moments(variable, random, n).cast(pl.Date)
        case "datetime":
            values = moments(variable, random, n)
        case "text":
            values = pl.repeat("mock text", n, dtype=pl.String, eager=True)
    return values.rename(variable.name)


def moments(variable: Variable, random: np.random.Generator, n: int) -> pl.Series:
    """Datetimes to the minute, evenly spread from the variable's minimum to its maximum."""
    first = date.fromisoformat(variable.minimum[:10]) if variable.minimum else None
    last = date.fromisoformat(variable.maximum[:10]) if variable.maximum else None
    first = first or (min(FIRST_DAY, last - timedelta(days=365)) if last else FIRST_DAY)
    last = last or max(LAST_DAY, first + timedelta(days=365))
    minutes = random.integers(0, ((last - first).days + 1) * 1440, n)
    return after(
        pl.repeat(datetime.combine(first, datetime.min.time()), n, dtype=pl.Datetime("us"), eager=True), minutes / 60
    )


def after(start: pl.Series, hours: NDArray[np.float64]) -> pl.Series:
    """Add hours to each start, to the minute; shape (n,)."""
    minutes = np.floor(hours * 60).astype(np.int64)
    return start.cast(pl.Datetime("us")) + pl.Series(minutes * MICROSECONDS_A_MINUTE).cast(pl.Duration("us"))


def _numbers(variable: Variable, shape: np.random.Generator, random: np.random.Generator, n: int) -> pl.Series:
    low = None if variable.minimum is None else float(variable.minimum)
    high = None if variable.maximum is None else float(variable.maximum)
    if variable.type == "integer" and low == 0 and high is not None and high <= LARGEST_SMALL_COUNT:
        return pl.Series(random.binomial(round(high), shape.uniform(0.2, 0.4), n)).cast(pl.Int64)
    values = _spread(low, high, shape.uniform(0.4, 0.6), random, n)
    span = (high - low) if high is not None and low is not None else 100.0
    digits = 0 if variable.integer or variable.type == "integer" else max(0, 2 - math.floor(math.log10(span or 1.0)))
    values = np.clip(np.round(values, digits), low, high)
    return pl.Series(values).cast(pl.Int64 if variable.type == "integer" else pl.Float64)


def _spread(
    low: float | None, high: float | None, center: float, random: np.random.Generator, n: int
) -> NDArray[np.float64]:
    """Draw from a bell between two bounds; on the logarithm where the values are positive and the bounds far apart."""
    if low is None and high is None:
        return random.normal(100 * center, 12.0, n)
    low = low if low is not None else (high or 0.0) - 100.0
    high = high if high is not None else low + 100.0
    if low == 0 and high >= SKEWED_FROM_ZERO_ABOVE:
        low = high / 1000
    skewed = low > 0 and high / low >= SKEWED_FROM_RATIO
    first, last = (math.log(low), math.log(high)) if skewed else (low, high)
    values = random.normal(first + center * (last - first), (last - first) / 7, n)
    values = np.where((values < first) | (values > last), random.uniform(first, last, n), values)
    return np.exp(values) if skewed else values


def _levels(variable: Variable, shape: np.random.Generator, random: np.random.Generator, n: int) -> pl.Series:
    """Levels with unequal frequencies; the first in the dictionary is the most frequent of a category."""
    levels = list(variable.levels or [f"C{number:02d}" for number in range(1, SITES_WITHOUT_LEVELS + 1)])
    weights = 1 / np.arange(1, len(levels) + 1) ** shape.uniform(0.6, 1.2)
    drawn = random.choice(len(levels), size=n, p=weights / weights.sum())
    return pl.Series(np.array(levels)[drawn]).cast(pl.Enum(levels))
