"""Rücker's tests on the arcsine scale, whose variance does not depend on the events."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.synthesis.engine.between_variance import estimator_named
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word
from counterpulse.synthesis.pooling.counts import read_two_arms
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.begg import deviations_test
from counterpulse.synthesis.small_study.egger import fitted_test
from counterpulse.synthesis.small_study.rank_correlation import Distribution, RankTest

CITATIONS = ("rucker-2008",)


def rucker(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    model: Literal["regression", "random"] = "random",
    tau2: str = "REML",
    level: float = LEVEL,
) -> AsymmetryTest:
    """Regress the arcsine difference ``asin sqrt(p_1) - asin sqrt(p_2)`` on its standard error.

    The variance ``1 / (4 n_1) + 1 / (4 n_2)`` holds no event, so it does not go with the effect when nothing is hidden.
    Every study is used, those without an event too.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,)
    model : "random": weights with a variance between studies, t with k - 2 degrees of freedom (arcsine-Thompson);
        "regression": a multiplicative residual variance (arcsine-Egger)
    tau2 : estimator of the variance between studies for "random"
    level : of the intervals

    Raises
    ------
    InputError : an argument that is no count, more events than patients, a word that is not offered

    References
    ----------
    Rücker, Schwarzer and Carpenter 2008, doi:10.1002/sim.2971.
    """
    check_level(level)
    check_word(model, "model", ("regression", "random"))
    y, v = _arcsine(events_1, n_1, events_2, n_2)
    return fitted_test(
        y, v, np.sqrt(v), name="Rücker", predictor="standard error", model=model, estimator=estimator_named(tau2),
        level=level, citations=CITATIONS,
    )  # fmt: skip


def rucker_rank(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    distribution: Distribution = "exact",
) -> RankTest:
    """Begg and Mazumdar's rank correlation test of the arcsine differences (arcsine-Begg).

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,)
    distribution : "exact", which falls back to the normal one with ties or from 50 studies on, or "normal"

    Raises
    ------
    InputError : an argument that is no count, or more events than patients

    References
    ----------
    Rücker, Schwarzer and Carpenter 2008, doi:10.1002/sim.2971.
    """
    check_word(distribution, "distribution", get_args(Distribution))
    y, v = _arcsine(events_1, n_1, events_2, n_2)
    return deviations_test(y, v, name="Rücker", distribution=distribution, citations=CITATIONS)


def _arcsine(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tables = read_two_arms(events_1, n_1, events_2, n_2)
    y = np.arcsin(np.sqrt(tables.a / tables.n_1)) - np.arcsin(np.sqrt(tables.c / tables.n_2))
    return y, 1 / (4 * tables.n_1) + 1 / (4 * tables.n_2)
