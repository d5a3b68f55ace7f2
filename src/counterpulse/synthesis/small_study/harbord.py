"""Harbord's test: a regression on the score of the log odds ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.synthesis.pooling.asked import LEVEL, check_level
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.egger import fitted_test
from counterpulse.synthesis.small_study.reading import read_informative


def harbord(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike, *, level: float = LEVEL
) -> AsymmetryTest:
    """Regress the efficient score over its information, ``Z / V``, on ``1 / sqrt(V)`` with weights V.

    Unlike the log odds ratio and its standard error, the score and its information are hardly correlated. Nothing is
    added to empty cells; studies in which nobody or everybody had the event are left out and named in a note.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,)
    level : of the intervals

    Raises
    ------
    InputError : an argument that is no count, or more events than patients

    References
    ----------
    Harbord, Egger and Sterne 2006, doi:10.1002/sim.2380.
    """
    check_level(level)
    tables, notes = read_informative(events_1, n_1, events_2, n_2)
    n = tables.n
    score = tables.a - tables.events * tables.n_1 / n
    information = tables.n_1 * tables.n_2 * tables.events * (n - tables.events) / (n * n * (n - 1))
    return fitted_test(
        score / information, 1 / information, 1 / np.sqrt(information), name="Harbord",
        predictor="standard error of the score", level=level, citations=("harbord-2006",), notes=notes,
    )  # fmt: skip
