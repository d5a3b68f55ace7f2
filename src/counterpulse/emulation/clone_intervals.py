"""The follow-up of clones in intervals, each with one weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.emulation.clones import Arm
from counterpulse.emulation.deviation_weights import DeviationWeights

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def truncated(weights: DeviationWeights, arm: Arm, cuts: Floats, quantiles: tuple[float, float]) -> DeviationWeights:
    """Hold the weights of an arm at two of their quantiles over its intervals."""
    values, counts = interval_weights(weights, arm, cuts)
    low, high = weighted_quantiles(values, counts, np.array(quantiles))
    return replace(weights, low=float(low), high=float(high))


def interval_weights(weights: DeviationWeights, arm: Arm, cuts: Floats) -> tuple[Floats, Floats]:
    """Weights of the intervals of an arm whose follow-up is cut at `cuts` (ascending), and how many have each.

    An interval begins at zero or at a cut before the end of the clone's follow-up.
    """
    starts = np.concatenate(([0.0], cuts[cuts > 0]))
    begun = np.searchsorted(starts, arm.time, side="left")
    level_of_start = np.searchsorted(weights.times, starts, side="right")
    borders = np.searchsorted(level_of_start, np.arange(len(weights.hazard) + 1), side="left")
    values, counts = [], []
    for level in range(len(weights.hazard)):
        number = np.minimum(begun, borders[level + 1]) - borders[level]
        kept = np.flatnonzero(number > 0)
        values.append(weights.of(kept, level))
        counts.append(number[kept].astype(np.float64))
    return np.concatenate(values), np.concatenate(counts)


def weighted_quantiles(values: Floats, counts: Floats, at: Floats) -> Floats:
    """Quantiles (Hyndman and Fan's type 7) of values each counted so often; shape of `at`."""
    if not len(values):
        return np.full(len(at), np.nan)
    order = np.argsort(values)
    ends = np.cumsum(counts[order])
    place = at * (ends[-1] - 1)
    below = np.floor(place)
    low, high = (
        values[order][np.minimum(np.searchsorted(ends, rank, side="right"), len(values) - 1)]
        for rank in (below, np.ceil(place))
    )
    result: Floats = low + (place - below) * (high - low)
    return result


def expanded(arm: Arm, weights: DeviationWeights, cuts: Floats, rows: Indices) -> pl.DataFrame:
    """Cut the clones of an arm at every end of follow-up: one row an interval with its weight.

    `rows` are the indices of the patients into the table.
    """
    starts = np.concatenate(([0.0], cuts[cuts > 0]))
    number = np.searchsorted(starts, arm.time, side="left")
    own = np.repeat(np.arange(len(arm.time)), number)
    position = np.arange(len(own)) - np.repeat(np.cumsum(number) - number, number)
    start, last = starts[position], position == number[own] - 1
    stop = np.where(last, arm.time[own], starts[np.minimum(position + 1, len(starts) - 1)])
    return pl.DataFrame(
        {
            "row_of_origin": rows[arm.patient[own]], "start": start, "stop": stop, "event": arm.event[own] & last,
            "deviated": arm.deviated[own] & last,
            "weight": weights.of(own, np.searchsorted(weights.times, start, side="right")),
        }
    )  # fmt: skip
