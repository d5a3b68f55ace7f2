"""The pooled effect without each study in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, Scale
from counterpulse.results.provenance import Provenance
from counterpulse.synthesis.exploration.deleted_fits import one_left_out
from counterpulse.synthesis.exploration.labels import study_labels
from counterpulse.synthesis.exploration.refits import Refits, asked, refit
from counterpulse.synthesis.pooling.asked import LEVEL
from counterpulse.synthesis.pooling.study_input import read_studies


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOneOut:
    """The pooled effect of all studies, and without each.

    Attributes
    ----------
    labels : of the studies left out
    whole : of all studies, one row
    without : row i leaves out study i; effect, interval, heterogeneity and prediction interval are arrays of shape (k,)
    """

    labels: tuple[str, ...]
    whole: Refits
    without: Refits
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect of all studies, then without each."""
        left = (self.without.estimate(row, f"without {label}") for row, label in enumerate(self.labels))
        return (self.whole.estimate(0, "all studies"), *left)

    def tidy(self) -> pl.DataFrame:
        """One row a study left out."""
        return self.without.frame("left_out", self.labels)


def leave_one_out(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    tau2: str | None = None,
    interval: str | None = None,
    prediction: str | None = None,
    convention: str | None = None,
    level: float = LEVEL,
    measure: str = "effect",
    scale: Scale = "identity",
    labels: Sequence[str] | None = None,
) -> LeaveOneOut:
    """Pool the studies again without each, the variance between studies estimated anew.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    tau2, interval, prediction, convention, measure, scale : as in `pool`
    level : of every interval

    Raises
    ------
    InputError : of effects or variances that cannot be pooled, fewer than 2 studies, or a word that is not known

    References
    ----------
    Viechtbauer and Cheung 2010, doi:10.1002/jrsm.11.
    """
    y, v = read_studies(yi, vi)
    if len(y) < 2:
        raise InputError("there is one study, and none is left without it; leave-one-out needs 2 or more")
    how = asked(
        tau2=tau2, interval=interval, prediction=prediction, convention=convention, level=level, measure=measure, scale=scale
    )  # fmt: skip
    fits = refit(one_left_out(y), v, how)
    return LeaveOneOut(
        labels=study_labels(labels, len(y)), whole=fits.take(slice(0, 1)), without=fits.take(slice(1, None)),
        provenance=how.provenance("leave-one-out", ("viechtbauer-cheung-2010",)),
    )  # fmt: skip
