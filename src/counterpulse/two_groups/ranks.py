"""Ranks of values with ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterpulse.two_groups.arrays import Counts, Floats


@dataclass(frozen=True, slots=True)
class Ranks:
    """Mean ranks from 1, and how many values share each distinct value."""

    ranks: Floats
    ties: Counts

    @property
    def has_ties(self) -> bool:
        """Whether any two values are equal."""
        return len(self.ties) < len(self.ranks)

    @property
    def tie_sum(self) -> float:
        """Sum over distinct values of t^3 - t."""
        t = self.ties.astype(np.float64)
        return float((t**3 - t).sum())


def mean_ranks(values: Floats) -> Ranks:
    """Rank values; equal ones share the mean of their ranks."""
    _, where, ties = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(ties)
    return Ranks((last - (ties - 1) / 2)[where], ties.astype(np.int64))
