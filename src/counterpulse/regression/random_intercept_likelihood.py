"""The likelihood of a logistic model with a random intercept, by adaptive Gauss-Hermite quadrature, with its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.distributions import expit

Floats = NDArray[np.float64]

MODE_STEPS, MODE_FOUND, FARTHEST_STEP = 100, 1e-13, 2.0
"""Newton steps to the modes of the intercepts, their size at the end, and the longest one in log odds."""


@dataclass(frozen=True)
class RandomInterceptLikelihood:
    """The marginal log-likelihood of (coefficients, tau), shape (k + 1,); its value depends on the sign of no tau.

    The intercept of cluster g is ``tau u_g`` with standard normal u. Each integral over u is taken at `points` nodes
    about the mode of its integrand, in units of its curvature there (one node: Laplace's approximation). The gradient is
    that of the approximation itself: it follows the modes and curvatures as the parameters move.

    Attributes
    ----------
    X : rows sorted by cluster, shape (n, k)
    events : 0 or 1, shape (n,)
    starts : first row of each cluster, shape (G,)
    sizes : rows of each cluster, shape (G,)
    points : nodes of the quadrature
    """

    X: Floats
    events: Floats
    starts: NDArray[np.intp]
    sizes: NDArray[np.intp]
    points: int

    @cached_property
    def rule(self) -> tuple[Floats, Floats]:
        """Nodes, and logarithms of their weights times ``exp(x^2)``; shape (points,)."""
        nodes, weights = np.polynomial.hermite.hermgauss(self.points)
        return sqrt(2) * nodes, np.log(weights) + nodes**2

    def total(self, values: Floats) -> Floats:
        """Sum by cluster; shape (G, …)."""
        summed: Floats = np.add.reduceat(values, self.starts, axis=0)
        return summed

    def spread(self, values: Floats) -> Floats:
        """Repeat the value of a cluster in each of its rows; shape (n, …)."""
        return np.repeat(values, self.sizes, axis=0)

    def modes(self, fixed: Floats, tau: float) -> Floats:
        """Most likely standardized intercept of each cluster, given the fixed part of the log odds (n,); shape (G,)."""
        u = np.zeros(len(self.starts))
        longest = FARTHEST_STEP / max(abs(tau), FARTHEST_STEP)
        for _ in range(MODE_STEPS):
            p = expit(fixed + tau * self.spread(u))
            slope = tau * self.total(self.events - p) - u
            step = np.clip(slope / (1 + tau**2 * self.total(p * (1 - p))), -longest, longest)
            u = u + step
            if np.abs(step).max() <= MODE_FOUND * (1 + np.abs(u).max()):
                break
        return u

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its gradient, shape (k + 1,)."""
        tau = float(at[-1])
        fixed = self.X @ at[:-1]
        u = self.modes(fixed, tau)
        nodes, weights = self.rule
        p = expit(fixed + tau * self.spread(u))
        variance = p * (1 - p)
        sigma = (1 + tau**2 * self.total(variance)) ** -0.5
        where = u[:, None] + sigma[:, None] * nodes
        odds = fixed[:, None] + tau * self.spread(where)
        losses = self.total(self.events[:, None] * odds - np.logaddexp(0, odds)) - where**2 / 2 + weights
        top = losses.max(axis=1)
        parts = np.exp(losses - top[:, None])
        whole = parts.sum(axis=1)
        value = float((top + np.log(whole) + np.log(sigma)).sum()) - len(u) * np.log(pi) / 2
        share = parts / whole[:, None]
        residuals = self.events[:, None] - expit(odds)
        pulls = self.total(residuals)
        gradient = np.append(
            (residuals * self.spread(share)).sum(axis=1) @ self.X, float((share * where * pulls).sum())
        )
        slope = tau * pulls - where
        moved = (share * slope).sum(axis=1)
        widened = 1 / sigma + (share * slope * nodes).sum(axis=1)
        return value, gradient + self._following(tau, u, p, variance, sigma, moved, widened)

    def _following(
        self, tau: float, u: Floats, p: Floats, variance: Floats, sigma: Floats, moved: Floats, widened: Floats
    ) -> Floats:
        """What the gradient owes to modes that move and curvatures that change."""
        steep, third = self.total(variance), variance * (1 - 2 * p)
        skewed = self.total(third)
        # d curvature: 2 tau steep d tau + tau^2 (sum third x d beta + skewed (u d tau + tau d u)); d sigma = -sigma^3 / 2 of it
        narrowing = -(sigma**3) / 2 * widened
        through_mode = (moved + narrowing * tau**3 * skewed) * sigma**2
        by_row = self.spread(-tau * through_mode) * variance + self.spread(tau**2 * narrowing) * third
        pull = self.total(self.events - p) - tau * u * steep
        in_tau = through_mode * pull + narrowing * (2 * tau * steep + tau**2 * skewed * u)
        return np.append(by_row @ self.X, float(in_tau.sum()))
