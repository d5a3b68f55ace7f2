"""Pustejovsky and Rodgers' test for standardized mean differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.synthesis.pooling.asked import LEVEL, check_level
from counterpulse.synthesis.pooling.study_input import read_positive, read_studies
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.egger import fitted_test


def pustejovsky(yi: ArrayLike, vi: ArrayLike, n_1: ArrayLike, n_2: ArrayLike, *, level: float = LEVEL) -> AsymmetryTest:
    """Regress the effects on ``sqrt(1 / n_1 + 1 / n_2)`` with weights 1 / vi.

    The standard error of a standardized mean difference holds the difference itself; this predictor does not.

    Parameters
    ----------
    yi, vi : standardized mean differences and sampling variances, shape (k,)
    n_1, n_2 : patients of both arms, shape (k,)
    level : of the intervals

    Raises
    ------
    InputError : unequal lengths, or variances or sizes that are not positive

    References
    ----------
    Pustejovsky and Rodgers 2019, doi:10.1002/jrsm.1332.
    """
    check_level(level)
    y, v = read_studies(yi, vi)
    size_1, size_2 = read_positive(n_1, "n_1", len(y)), read_positive(n_2, "n_2", len(y))
    return fitted_test(
        y, v, np.sqrt(1 / size_1 + 1 / size_2), name="Pustejovsky-Rodgers",
        predictor="root of the summed inverse arm sizes", level=level, citations=("pustejovsky-rodgers-2019",),
    )  # fmt: skip
