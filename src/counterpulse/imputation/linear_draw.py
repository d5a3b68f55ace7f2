"""A draw from the posterior of a linear model with flat priors, from cross-products alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular

Floats = NDArray[np.float64]

RIDGE = 1e-5
"""Part of its own sum of squares that is added to each predictor's, so that dependent ones can be solved for."""


@dataclass(frozen=True, slots=True)
class LinearPosterior:
    """Least squares (with a slight ridge) of one standardized column on others.

    Attributes
    ----------
    coefficients : shape (p,), the intercept first
    factor : lower Cholesky factor of the cross-products, shape (p, p)
    """

    coefficients: Floats
    factor: Floats

    def draw(self, residual_squares: float, df: int, random: np.random.Generator) -> tuple[Floats, float]:
        """Draw coefficients, shape (p,), and the residual standard deviation: sigma squared is RSS over chi-squared."""
        sigma = float(np.sqrt(residual_squares / random.chisquare(max(df, 1))))
        return self.coefficients + sigma * around_zero(self.factor, random), sigma


def linear_posterior(gram: Floats, moments: Floats) -> LinearPosterior:
    """Solve the normal equations.

    Parameters
    ----------
    gram : cross-products of the predictors in the rows with a value, the intercept first; shape (p, p)
    moments : cross-products with the target, shape (p,)
    """
    penalized = gram.copy()
    diagonal = np.einsum("ii->i", penalized)
    diagonal[1:] *= 1 + RIDGE
    factor = cholesky(penalized, lower=True, overwrite_a=True, check_finite=False)
    return LinearPosterior(cho_solve((factor, True), moments, check_finite=False), factor)


def around_zero(factor: Floats, random: np.random.Generator) -> Floats:
    """Draw from the normal distribution whose precision has this lower Cholesky factor; shape (p,)."""
    drawn: Floats = solve_triangular(
        factor, random.standard_normal(len(factor)), lower=True, trans="T", check_finite=False
    )
    return drawn
