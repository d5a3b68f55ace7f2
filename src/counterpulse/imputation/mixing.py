"""Whether chains that began in different places now say the same."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.distributions import f_tail

Floats = NDArray[np.float64]

FEWEST = 2
"""Chains, and iterations after the first, that the comparison needs."""
LIMIT = 1.2
"""Potential scale reduction above which imputations may still depend on where they began."""
CHANCE = 1e-3
"""A larger one is not chance where it would be so rare among chains that have mixed; a table has many columns."""


@dataclass(frozen=True, slots=True)
class Mixing:
    """The potential scale reduction, 1 where chains say the same, and whether they do; nan where it cannot be told."""

    scale_reduction: float
    mixed: bool


def mixing(traces: Floats) -> Mixing:
    """Compare the variance between chains with that within.

    Parameters
    ----------
    traces : shape (chains, iterations), the first iteration left out

    References
    ----------
    Gelman and Rubin 1992, doi:10.1214/ss/1177011136.
    """
    chains, n = traces.shape
    if chains < FEWEST or n < FEWEST:
        return Mixing(nan, True)
    within = float(traces.var(axis=1, ddof=1).mean())
    between = n * float(traces.mean(axis=1).var(ddof=1))
    if within == 0:
        return Mixing(1.0, True) if between == 0 else Mixing(inf, False)
    ratio = between / within
    reduction = sqrt((n - 1) / n + ratio / n)
    return Mixing(reduction, reduction <= LIMIT or f_tail(ratio, chains - 1, chains * (n - 1)) > CHANCE)
