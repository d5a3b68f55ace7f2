"""The variance between studies by any accepted estimator, many sets of studies at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.engine import moment_estimators as moments
from counterpulse.synthesis.engine.likelihood import likelihood_variance
from counterpulse.synthesis.engine.paule_mandel import median_unbiased, paule_mandel
from counterpulse.synthesis.engine.studies import Studies, studies_of

Floats = NDArray[np.float64]

CLOSED: Mapping[str, Callable[[Studies], Floats]] = {
    "DL": moments.der_simonian_laird,
    "DL2": moments.two_step_der_simonian_laird,
    "HE": moments.hedges,
    "HS": moments.hunter_schmidt,
    "HSk": partial(moments.hunter_schmidt, small_sample=True),
    "SJ": moments.sidik_jonkman,
    "PM": paule_mandel,
    "PMM": median_unbiased,
    "EB": paule_mandel,
}

COMMON = "common"
ESTIMATORS = (COMMON, *CLOSED, "ML", "REML")

_NAMES = {name.lower(): name for name in ESTIMATORS} | {"ee": COMMON, "fe": COMMON, "ca": "HE"}


@dataclass(frozen=True, slots=True)
class BetweenVariance:
    """Variances between studies.

    Attributes
    ----------
    tau2 : shape (B,); nan without residual degrees of freedom or with dependent columns
    modes : local modes of the profile likelihood (ML, REML), shape (B,); 1 for the other estimators
    """

    tau2: Floats
    modes: NDArray[np.int64]


def estimator_named(name: str) -> str:
    """The estimator's own name, whatever the case ("reml" -> "REML"; "EE" and "FE" -> "common").

    Raises
    ------
    InputError : there is no such estimator
    """
    known = _NAMES.get(name.lower()) if isinstance(name, str) else None
    if known is None:
        raise InputError(f"tau2 is {name!r}; it can be one of {', '.join(ESTIMATORS)}. Write one of these.")
    return known


def between_variance(y: ArrayLike, v: ArrayLike, x: ArrayLike | None = None, *, estimator: str) -> BetweenVariance:
    """Estimate the variance between studies of B sets of k studies.

    Parameters
    ----------
    y : effects, shape (B, k) or (k,); nan marks an absent study
    v : sampling variances, shape (B, k) or (k,), positive
    x : design with its intercept, shape (k, p) or (B, k, p); the intercept alone by default
    estimator : one of `ESTIMATORS`, in any case; "EE" and "FE" are "common" (variance 0)
    """
    return variance_of(studies_of(y, v, x), estimator)


def variance_of(studies: Studies, estimator: str) -> BetweenVariance:
    """The same for sets already laid out."""
    name = estimator_named(estimator)
    if name in ("ML", "REML"):
        return BetweenVariance(*likelihood_variance(studies, restricted=name == "REML"))
    ones = np.ones(len(studies.k), dtype=np.int64)
    if name == COMMON:
        return BetweenVariance(np.where(np.isnan(studies.k), np.nan, 0.0), ones)
    with np.errstate(invalid="ignore", divide="ignore"):
        tau2 = CLOSED[name](studies)
    return BetweenVariance(np.where(studies.df > 0, tau2, np.nan), ones)
