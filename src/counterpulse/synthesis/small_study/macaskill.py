"""Macaskill's test: the effects against the sample size."""

from __future__ import annotations

from numpy.typing import ArrayLike

from counterpulse.synthesis.pooling.asked import LEVEL, check_level
from counterpulse.synthesis.pooling.study_input import read_positive, read_studies
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.egger import fitted_test


def macaskill(yi: ArrayLike, vi: ArrayLike, ni: ArrayLike, *, level: float = LEVEL) -> AsymmetryTest:
    """Regress the effects on the sample size with weights 1 / vi ("funnel plot regression").

    Parameters
    ----------
    yi, vi, ni : effects (ratios as logarithms), sampling variances and sample sizes, shape (k,)
    level : of the intervals

    Raises
    ------
    InputError : unequal lengths, or variances or sizes that are not positive

    References
    ----------
    Macaskill, Walter and Irwig 2001, doi:10.1002/sim.698.
    """
    check_level(level)
    y, v = read_studies(yi, vi)
    n = read_positive(ni, "ni", len(y))
    return fitted_test(
        y, v, n, name="Macaskill", predictor="sample size", has_limit=False, level=level, citations=("macaskill-2001",)
    )
