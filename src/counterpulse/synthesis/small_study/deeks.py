"""Deeks' test for diagnostic odds ratios: against the inverse root of the effective sample size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.synthesis.pooling.asked import LEVEL, check_level
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.egger import fitted_test
from counterpulse.synthesis.small_study.reading import read_informative


def deeks(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike, *, level: float = LEVEL
) -> AsymmetryTest:
    """Regress the log odds ratio on ``1 / sqrt(ess)`` with weights ``ess = 4 n_1 n_2 / (n_1 + n_2)``.

    Half a patient is added to the cells of a study with an empty one; studies in which nobody or everybody had the event
    are left out and named in a note.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms (for a diagnostic test: positive tests among the
        diseased and the healthy), shape (k,)
    level : of the intervals

    Raises
    ------
    InputError : an argument that is no count, or more events than patients

    References
    ----------
    Deeks, Macaskill and Irwig 2005, doi:10.1016/j.jclinepi.2005.01.016.
    """
    check_level(level)
    tables, notes = read_informative(events_1, n_1, events_2, n_2)
    y, _ = tables.corrected().effects("odds ratio")
    size = 4 * tables.n_1 * tables.n_2 / tables.n
    return fitted_test(
        y, 1 / size, 1 / np.sqrt(size), name="Deeks", predictor="inverse root effective sample size", level=level,
        citations=("deeks-2005",), notes=notes,
    )  # fmt: skip
