"""The regression test with a variance between studies, of Thompson and Sharp."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.synthesis.engine.between_variance import estimator_named
from counterpulse.synthesis.pooling.asked import LEVEL, check_level
from counterpulse.synthesis.pooling.study_input import read_studies
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.egger import fitted_test


def thompson_sharp(yi: ArrayLike, vi: ArrayLike, *, tau2: str = "REML", level: float = LEVEL) -> AsymmetryTest:
    """Regress the effects on their standard errors with weights ``1 / (vi + tau2)``; t with k - 2 degrees of freedom.

    Parameters
    ----------
    yi, vi : effects (ratios as logarithms) and sampling variances, shape (k,)
    tau2 : estimator of the variance between studies about the line
    level : of the intervals

    Raises
    ------
    InputError : unequal lengths, variances that are not positive, a word that is not offered

    References
    ----------
    Thompson and Sharp 1999, doi:10.1002/(SICI)1097-0258(19991030)18:20<2693::AID-SIM235>3.0.CO;2-V. With `egger`'s
    model "random" the same line is tested with a normal statistic.
    """
    check_level(level)
    y, v = read_studies(yi, vi)
    return fitted_test(
        y, v, np.sqrt(v), name="Thompson-Sharp", predictor="standard error", model="random",
        estimator=estimator_named(tau2), level=level, citations=("thompson-sharp-1999",),
    )  # fmt: skip
