"""Schwarzer's rank test for sparse two-by-two tables."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from counterpulse.synthesis.pooling.asked import check_word
from counterpulse.synthesis.pooling.counts import TwoArms
from counterpulse.synthesis.small_study.rank_correlation import Distribution, RankTest, rank_test
from counterpulse.synthesis.small_study.reading import read_informative

Floats = NDArray[np.float64]


def schwarzer(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    distribution: Distribution = "normal",
) -> RankTest:
    """Rank correlation of the standardized events of arm 1 with their inverse variance, given the margins.

    Mean and variance of the events are those of the noncentral hypergeometric distribution at the Mantel-Haenszel odds
    ratio. Nothing is added to empty cells; studies in which nobody or everybody had the event are left out and named in
    a note.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,)
    distribution : "normal" (the paper's, without a continuity correction) or "exact", which falls back to the normal one
        with ties or from 50 studies on

    Returns
    -------
    RankTest
        `UNDEFINED` with fewer than 3 studies, where all are tied, or where the Mantel-Haenszel odds ratio is zero or
        infinite.

    Raises
    ------
    InputError : an argument that is no count, more events than patients, a word that is not offered

    References
    ----------
    Schwarzer, Antes and Schumacher 2007, doi:10.1002/sim.2588.
    """
    check_word(distribution, "distribution", get_args(Distribution))
    tables, notes = read_informative(events_1, n_1, events_2, n_2)
    numerator, denominator = (
        float((tables.a * tables.d / tables.n).sum()),
        float((tables.b * tables.c / tables.n).sum()),
    )
    if numerator > 0 and denominator > 0:
        mean, variance = _hypergeometric(tables, np.log(numerator / denominator))
        standardized, precision = (tables.a - mean) / np.sqrt(variance), 1 / variance
    else:
        standardized = precision = np.zeros(tables.k)
        notes = (*notes, "the Mantel-Haenszel odds ratio is zero or infinite")
    return rank_test(
        standardized, precision, name="Schwarzer", distribution=distribution, usual="normal",
        citations=("schwarzer-2007",), notes=notes,
    )  # fmt: skip


def _hypergeometric(tables: TwoArms, log_odds_ratio: float) -> tuple[Floats, Floats]:
    """Mean and variance of the events of arm 1 given all margins, shape (k,)."""
    moments = np.empty((2, tables.k))
    for study, (n_1, n_2, events) in enumerate(zip(tables.n_1, tables.n_2, tables.events, strict=True)):
        x = np.arange(max(0.0, events - n_2), min(n_1, events) + 1)
        log_weight = x * log_odds_ratio - (
            special.gammaln(x + 1) + special.gammaln(n_1 - x + 1)
            + special.gammaln(events - x + 1) + special.gammaln(n_2 - events + x + 1)
        )  # fmt: skip
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        mean = float(weight @ x)
        moments[:, study] = mean, float(weight @ (x - mean) ** 2)
    return moments[0], moments[1]
