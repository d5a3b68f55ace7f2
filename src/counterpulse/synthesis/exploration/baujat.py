"""The plot of Baujat: what each study adds to heterogeneity, against what it does to the pooled effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.synthesis.engine.between_variance import COMMON, estimator_named
from counterpulse.synthesis.exploration.deleted_fits import deleted_fits
from counterpulse.synthesis.exploration.labels import study_labels
from counterpulse.synthesis.pooling.asked import choice
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baujat:
    """Coordinates of the plot, shape (k,) each.

    Attributes
    ----------
    contribution : squared Pearson residual; in the common effect model they add up to Cochran's Q
    influence : squared change of the pooled effect when the study is left out, over its variance without the study
    """

    labels: tuple[str, ...]
    contribution: Floats
    influence: Floats
    provenance: Provenance

    def tidy(self) -> pl.DataFrame:
        """One row a study."""
        return pl.DataFrame({"study": self.labels, "contribution": self.contribution, "influence": self.influence})


def baujat(yi: ArrayLike, vi: ArrayLike, *, tau2: str = COMMON, labels: Sequence[str] | None = None) -> Baujat:
    """Place the studies by what they add to heterogeneity (x) and what they do to the pooled effect (y).

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    tau2 : estimator of the variance between studies; the plot was proposed for the common effect model

    Raises
    ------
    InputError : of effects or variances that cannot be pooled, or fewer than 3 studies

    References
    ----------
    Baujat et al. 2002, doi:10.1002/sim.1221.
    """
    y, v = read_studies(yi, vi)
    if len(y) < 3:
        raise InputError(f"the plot needs 3 studies or more, and there are {len(y)}; report the studies singly")
    estimator = estimator_named(tau2)
    fits = deleted_fits(y, v, np.ones((len(y), 1)), estimator)
    choices = (
        choice("tau2", estimator, COMMON),
        Choice("definition", "squared Pearson residual", "default", "baujat-2002"),
    )
    return Baujat(
        labels=study_labels(labels, len(y)), contribution=fits.fit.residuals[0] ** 2 / (v + fits.tau2[0]),
        influence=fits.moves[:, 0] ** 2 / fits.fit.covariance[1:, 0, 0], provenance=Provenance("Baujat plot", choices, ("baujat-2002",)),
    )  # fmt: skip
