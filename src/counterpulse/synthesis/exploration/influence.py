"""What each study does to the pooled effect: residuals, leverage, and the change when it is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_quantile
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.synthesis.engine.between_variance import estimator_named
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.exploration.deleted_fits import DeletedFits, deleted_fits
from counterpulse.synthesis.exploration.labels import study_labels
from counterpulse.synthesis.exploration.robust import read_design
from counterpulse.synthesis.pooling.asked import choice
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]

RULE = "|DFFITS| > 3 sqrt(p / (k - p)), Cook's distance beyond the median of chi-squared(p), hat > 3 p / k or |DFBETAS| > 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """Influence of k studies on a fit with p coefficients; every array has a row a study.

    Attributes
    ----------
    residual, std_error, rstudent : effect less what the other studies predict, its standard error and their ratio
    dffits : change of the study's fitted value in standard errors
    cook_distance : squared change of the coefficients, in the metric of their covariance
    covariance_ratio : determinant of the covariance without the study over the one with it
    tau2_deleted, q_deleted : variance between studies and Cochran's Q without the study
    hat : leverage
    weight : share of the weights, of sum 1
    dfbetas : change of each coefficient in standard errors, shape (k, p)
    influential : any of the limits of `RULE` passed
    """

    labels: tuple[str, ...]
    residual: Floats
    std_error: Floats
    rstudent: Floats
    dffits: Floats
    cook_distance: Floats
    covariance_ratio: Floats
    tau2_deleted: Floats
    q_deleted: Floats
    hat: Floats
    weight: Floats
    dfbetas: Floats
    influential: NDArray[np.bool_]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The externally standardized residuals, one a study."""
        return tuple(
            Estimate(
                term=label,
                measure="deleted residual",
                value=float(value),
                std_error=float(error),
                statistic=float(z),
                statistic_name="z",
            )
            for label, value, error, z in zip(self.labels, self.residual, self.std_error, self.rstudent, strict=True)
        )

    def tidy(self) -> pl.DataFrame:
        """One row a study; a column a coefficient for DFBETAS."""
        columns: dict[str, object] = {
            "study": self.labels, "rstudent": self.rstudent, "dffits": self.dffits, "cook_distance": self.cook_distance,
            "covariance_ratio": self.covariance_ratio, "tau2_deleted": self.tau2_deleted, "q_deleted": self.q_deleted,
            "hat": self.hat, "weight": self.weight,
        }  # fmt: skip
        for j in range(self.dfbetas.shape[1]):
            columns["dfbetas" if j == 0 else f"dfbetas_{j + 1}"] = self.dfbetas[:, j]
        return pl.DataFrame(columns | {"influential": self.influential})


def influence(
    yi: ArrayLike, vi: ArrayLike, X: ArrayLike | None = None, *, tau2: str = "REML", labels: Sequence[str] | None = None
) -> Influence:
    """Measure how each study moves the pooled effect, or the coefficients of a meta-regression.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    X : moderators, shape (k,) or (k, q); an intercept is added
    tau2 : estimator of the variance between studies, used again without each study

    Returns
    -------
    Arrays with nan where the studies left cannot be fitted.

    Raises
    ------
    InputError : of effects or variances that cannot be pooled, or fewer than 3 studies more than moderators

    References
    ----------
    Viechtbauer and Cheung 2010, doi:10.1002/jrsm.11.
    """
    y, v = read_studies(yi, vi)
    x, _ = read_design(X, None, len(y))
    estimator = estimator_named(tau2)
    if len(y) < x.shape[1] + 2:
        raise InputError(
            f"influence needs {x.shape[1] + 2} studies or more, and there are {len(y)}; report the studies singly"
        )
    fits = deleted_fits(y, v, x, estimator)
    choices = (choice("tau2", estimator, "REML"), Choice("influential", RULE, "default", "viechtbauer-cheung-2010"))
    return _measured(fits, study_labels(labels, len(y)), Provenance("influence", choices, ("viechtbauer-cheung-2010",)))


def _measured(fits: DeletedFits, labels: tuple[str, ...], provenance: Provenance) -> Influence:
    full, k, p = fits.fit, *fits.x.shape
    hat, moves, tau2 = full.hat[0], fits.moves, fits.tau2[1:]
    predicted, variance = fits.deleted_prediction
    error = np.sqrt(fits.v + tau2 + variance)
    dffits = np.einsum("kp,kp->k", fits.x, moves) / np.sqrt(hat * (tau2 + fits.v))
    cook = np.einsum("kp,pq,kq->k", moves, np.linalg.inv(full.covariance[0]), moves)
    dfbetas = moves / _deleted_errors(fits, tau2)
    limit = (np.abs(dffits) > 3 * np.sqrt(p / (k - p))) | (cook > chi_squared_quantile(0.5, p)) | (hat > 3 * p / k)
    return Influence(
        labels=labels, residual=fits.y - predicted, std_error=error, rstudent=(fits.y - predicted) / error, dffits=dffits,
        cook_distance=cook, covariance_ratio=np.linalg.det(full.covariance[1:]) / np.linalg.det(full.covariance[0]),
        tau2_deleted=tau2, q_deleted=_deleted_q(fits), hat=hat, weight=full.weights[0] / full.weights[0].sum(),
        dfbetas=dfbetas, influential=limit | (np.abs(dfbetas) > 1).any(axis=1), provenance=provenance,
    )  # fmt: skip


def _deleted_errors(fits: DeletedFits, tau2: Floats) -> Floats:
    """Standard errors of all studies' coefficients with the variance between studies of the others, shape (k, p)."""
    design = None if fits.x.shape[1] == 1 else fits.x
    known = weighted_fit(np.broadcast_to(fits.y, (len(tau2), len(fits.y))), fits.v, design, tau2=tau2)
    return np.sqrt(np.diagonal(known.covariance, axis1=1, axis2=2))


def _deleted_q(fits: DeletedFits) -> Floats:
    rows = np.where(np.eye(len(fits.y), dtype=bool), nan, fits.y)
    q: Floats = weighted_fit(rows, fits.v, None if fits.x.shape[1] == 1 else fits.x).q
    return q
