"""Peters' test: the log odds ratio against the inverse of the sample size."""

from __future__ import annotations

from numpy.typing import ArrayLike

from counterpulse.synthesis.pooling.asked import LEVEL, check_level
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.egger import fitted_test
from counterpulse.synthesis.small_study.reading import read_informative


def peters(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike, *, level: float = LEVEL
) -> AsymmetryTest:
    """Regress the log odds ratio on 1 / n with weights ``1 / (1 / events + 1 / non-events)`` of the whole study.

    Half a patient is added to the cells of a study with an empty one for its odds ratio, not for its weight; studies in
    which nobody or everybody had the event are left out and named in a note.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,)
    level : of the intervals

    Raises
    ------
    InputError : an argument that is no count, or more events than patients

    References
    ----------
    Peters et al. 2006, doi:10.1001/jama.295.6.676.
    """
    check_level(level)
    tables, notes = read_informative(events_1, n_1, events_2, n_2)
    y, _ = tables.corrected().effects("odds ratio")
    v = 1 / tables.events + 1 / (tables.n - tables.events)
    return fitted_test(
        y, v, 1 / tables.n, name="Peters", predictor="inverse sample size", level=level,
        citations=("peters-2006",), notes=notes,
    )  # fmt: skip
