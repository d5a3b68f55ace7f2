"""Residuals in their own standard errors, with every study in the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Provenance
from counterpulse.synthesis.engine.between_variance import between_variance, estimator_named
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.exploration.labels import study_labels
from counterpulse.synthesis.exploration.robust import read_design
from counterpulse.synthesis.pooling.asked import choice
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardizedResiduals:
    """Internally standardized residuals, shape (k,) each: residual, its standard error and their ratio."""

    labels: tuple[str, ...]
    residual: Floats
    std_error: Floats
    rstandard: Floats
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """One a study."""
        return tuple(
            Estimate(
                term=label,
                measure="residual",
                value=float(value),
                std_error=float(error),
                statistic=float(z),
                statistic_name="z",
            )
            for label, value, error, z in zip(self.labels, self.residual, self.std_error, self.rstandard, strict=True)
        )

    def tidy(self) -> pl.DataFrame:
        """One row a study."""
        return pl.DataFrame(
            {"study": self.labels, "residual": self.residual, "std_error": self.std_error, "rstandard": self.rstandard}
        )


def rstandard(
    yi: ArrayLike, vi: ArrayLike, X: ArrayLike | None = None, *, tau2: str = "REML", labels: Sequence[str] | None = None
) -> StandardizedResiduals:
    """Standardize the residuals by ``sqrt((1 - hat)(v + tau2))``.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    X : moderators, shape (k,) or (k, q); an intercept is added
    tau2 : estimator of the variance between studies

    Raises
    ------
    InputError : of effects or variances that cannot be pooled

    References
    ----------
    Viechtbauer and Cheung 2010, doi:10.1002/jrsm.11, section 3.
    """
    y, v = read_studies(yi, vi)
    x, _ = read_design(X, None, len(y))
    estimator = estimator_named(tau2)
    between = between_variance(y, v, x, estimator=estimator).tau2
    fit = weighted_fit(y, v, x, tau2=between)
    spread = (v + between) * np.maximum(1 - fit.hat[0], 0.0)
    error = np.sqrt(np.where(spread > 0, spread, np.nan))
    return StandardizedResiduals(
        labels=study_labels(labels, len(y)), residual=fit.residuals[0], std_error=error, rstandard=fit.residuals[0] / error,
        provenance=Provenance("standardized residuals", (choice("tau2", estimator, "REML"),), ("viechtbauer-cheung-2010",)),
    )  # fmt: skip
