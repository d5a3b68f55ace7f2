"""Begg and Mazumdar's rank correlation test."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.asked import check_word
from counterpulse.synthesis.pooling.study_input import read_studies
from counterpulse.synthesis.small_study.rank_correlation import Distribution, Floats, RankTest, rank_test


def begg(yi: ArrayLike, vi: ArrayLike, *, distribution: Distribution = "exact") -> RankTest:
    """Rank correlation of the standardized deviations from the common effect with the sampling variances.

    Parameters
    ----------
    yi, vi : effects (ratios as logarithms) and sampling variances, shape (k,)
    distribution : "exact" (metafor's `ranktest`), which falls back to the normal one with ties or from 50 studies on;
        "normal" (Begg and Mazumdar; the R package meta's `metabias`), without a continuity correction

    Returns
    -------
    RankTest
        `UNDEFINED` with fewer than 3 studies or where all are tied.

    Raises
    ------
    InputError : unequal lengths, variances that are not positive, a word that is not offered

    References
    ----------
    Begg and Mazumdar 1994, doi:10.2307/2533446.
    """
    check_word(distribution, "distribution", get_args(Distribution))
    y, v = read_studies(yi, vi)
    return deviations_test(y, v, name="Begg", distribution=distribution, citations=("begg-mazumdar-1994",))


def deviations_test(
    y: Floats,
    v: Floats,
    *,
    name: str,
    distribution: Distribution,
    citations: tuple[str, ...],
    notes: tuple[str, ...] = (),
) -> RankTest:
    """The rank test of the deviations from the common effect, each over its standard error."""
    fit = weighted_fit(y, v)
    spread = v - fit.covariance[0, 0, 0] if len(y) > 1 else v
    return rank_test(
        fit.residuals[0] / np.sqrt(spread), v, name=name, distribution=distribution, usual="exact",
        citations=citations, notes=notes,
    )  # fmt: skip
