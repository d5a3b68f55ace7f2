"""The log-likelihood of counts: Poisson, or negative binomial of a given dispersion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.numerics.linear_algebra import spread_rows, weighted_gram
from counterpulse.numerics.newton import Evaluation

Floats = NDArray[np.float64]

FARTHEST = 600.0
"""A linear predictor beyond this is held here, so that its exponential and products of it are finite."""


@dataclass(frozen=True, slots=True)
class CountLikelihood:
    """The log-likelihood of coefficients, to be called; the mean is ``exp(X @ coefficients + offset)``.

    Attributes
    ----------
    X : shape (n, k), column-major
    counts : whole numbers, shape (n,)
    offset : the logarithm of the exposure, shape (n,)
    weights : shape (n,), or None
    alpha : the variance is ``mean + alpha * mean**2`` (NB2); 0 is Poisson
    """

    X: Floats
    counts: Floats
    offset: Floats
    weights: Floats | None
    alpha: float = 0.0

    @property
    def sign(self) -> Floats:
        """-1 where the count is 0, whose mean may run to zero; shape (n,)."""
        return np.where(self.counts > 0, 1.0, -1.0)

    def __call__(self, coefficients: Floats) -> Evaluation:
        """Log-likelihood, score and (observed) information."""
        mean, unit = self.means(coefficients), self._unit()
        shrunk = 1 + self.alpha * mean
        residual = unit * (self.counts - mean) / shrunk
        curvature = unit * mean * (1 + self.alpha * self.counts) / shrunk**2
        value = float(unit @ self.terms(mean))
        return Evaluation(value, residual @ self.X, weighted_gram(self.X, curvature))

    def slope(self, coefficients: Floats) -> tuple[float, Floats]:
        """Log-likelihood and score."""
        mean = self.means(coefficients)
        return float(self._unit() @ self.terms(mean)), self.residuals(coefficients) @ self.X

    def means(self, coefficients: Floats) -> Floats:
        """Shape (n,)."""
        linear = self.X @ coefficients + self.offset
        mean: Floats = np.exp(np.clip(linear, -FARTHEST, FARTHEST))
        return mean

    def terms(self, mean: Floats) -> Floats:
        """The log probability of each count, shape (n,)."""
        y = self.counts
        if self.alpha == 0:
            terms: Floats = special.xlogy(y, mean) - mean - special.gammaln(y + 1)
            return terms
        theta = 1 / self.alpha
        terms = special.xlogy(y, mean / (mean + theta)) - theta * np.log1p(self.alpha * mean)
        terms += special.gammaln(y + theta) - special.gammaln(theta) - special.gammaln(y + 1)
        return terms

    def residuals(self, coefficients: Floats) -> Floats:
        """``w (y - mean) / (1 + alpha mean)``, whose product with X is the score; shape (n,)."""
        mean = self.means(coefficients)
        residuals: Floats = self._unit() * (self.counts - mean) / (1 + self.alpha * mean)
        return residuals

    def variances(self, coefficients: Floats) -> Floats:
        """``w mean / (1 + alpha mean)``, the weights of the expected information; shape (n,)."""
        mean = self.means(coefficients)
        variances: Floats = self._unit() * mean / (1 + self.alpha * mean)
        return variances

    def pearson(self, coefficients: Floats) -> float:
        """The sum of squared residuals over their variance."""
        mean = self.means(coefficients)
        return float(self._unit() @ ((self.counts - mean) ** 2 / (mean * (1 + self.alpha * mean))))

    def null_start(self) -> Floats:
        """The intercept of the Poisson rate, shape (k,)."""
        unit = self._unit()
        total, exposed = float(unit @ self.counts), float(unit @ np.exp(self.offset))
        start = np.zeros(self.X.shape[1])
        start[0] = log(total / exposed) if total else 0.0
        return start

    def every(self, step: int) -> CountLikelihood:
        """Thin to about every `step`-th row."""
        return self._at(spread_rows(len(self.counts), step))

    def rows(self, keep: NDArray[np.bool_]) -> CountLikelihood:
        """Keep some rows."""
        return self._at(np.flatnonzero(keep))

    def columns(self, keep: NDArray[np.intp]) -> CountLikelihood:
        """Keep some columns."""
        return replace(self, X=np.asfortranarray(self.X[:, keep]))

    def _at(self, rows: NDArray[np.intp]) -> CountLikelihood:
        weights = None if self.weights is None else self.weights[rows]
        X = np.asfortranarray(self.X[rows])
        return CountLikelihood(X, self.counts[rows], self.offset[rows], weights, self.alpha)

    def _unit(self) -> Floats:
        return np.ones(len(self.counts)) if self.weights is None else self.weights
