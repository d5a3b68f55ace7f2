"""A draw of a number from a linear model with a random intercept for each cluster, by Gibbs sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.imputation.linear_draw import linear_posterior
from counterpulse.numerics.linear_algebra import weighted_gram

Floats = NDArray[np.float64]
Index = NDArray[np.intp]

CYCLES = 20
"""Gibbs cycles a visit; the chain goes on from where the last visit ended."""
PRIOR_DF, PRIOR_SCALE = 1.0, 0.01
"""Of the scaled inverse chi-squared prior of the variance between clusters, in units of the target's variance."""


@dataclass(frozen=True, slots=True, eq=False)
class InterceptState:
    """Intercepts of the clusters, shape (G,), and the variances within and between them."""

    intercepts: Floats
    within: float
    between: float


def draw_with_intercepts(
    X: Floats,
    y: Floats,
    cluster: Index,
    missing: Floats,
    missing_cluster: Index,
    state: InterceptState | None,
    random: np.random.Generator,
) -> tuple[Floats, InterceptState]:
    """Draw the missing values of a standardized target.

    A cluster without an observed value has an intercept drawn from the distribution between clusters.

    Parameters
    ----------
    X, y, cluster : predictors (the intercept first), target and cluster of the rows with a value
    missing, missing_cluster : predictors and cluster of the rows without, shapes (k, p) and (k,)
    state : where the last visit ended

    References
    ----------
    Schafer and Yucel 2002, doi:10.1198/106186002760180608.
    """
    count = int(max(cluster.max(initial=0), missing_cluster.max(initial=0))) + 1
    sizes = np.bincount(cluster, minlength=count).astype(np.float64)
    gram = weighted_gram(X)
    now = state or InterceptState(np.zeros(count), 1.0, 0.1)
    coefficients = np.zeros(X.shape[1])
    for _ in range(CYCLES):
        posterior = linear_posterior(gram, (y - now.intercepts[cluster]) @ X)
        centered = y - now.intercepts[cluster] - X @ posterior.coefficients
        coefficients, sigma = posterior.draw(float(centered @ centered), len(y) - X.shape[1], random)
        residual = y - X @ coefficients
        precision = sizes / sigma**2 + 1 / now.between
        mean = np.bincount(cluster, weights=residual, minlength=count) / sigma**2 / precision
        intercepts = mean + random.standard_normal(count) / np.sqrt(precision)
        spread = PRIOR_DF * PRIOR_SCALE + float(intercepts @ intercepts)
        now = InterceptState(intercepts, sigma**2, spread / random.chisquare(PRIOR_DF + count))
    noise = np.sqrt(now.within) * random.standard_normal(len(missing))
    draws: Floats = missing @ coefficients + now.intercepts[missing_cluster] + noise
    return draws, now
