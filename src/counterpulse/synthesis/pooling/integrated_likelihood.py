"""Likelihoods of studies with normal random effects on the log odds, integrated by adaptive Gauss-Hermite quadrature.

Each study has A observed counts, each of an exponential family in its log odds. Pinheiro and Bates 1995,
doi:10.1080/10618600.1995.10474663.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import log, pi, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

Floats = NDArray[np.float64]

MODE_STEPS, MODE_FOUND, FARTHEST_STEP = 100, 1e-13, 2.0
"""Newton steps to the modes of the random effects, their size at the end, and the longest one in log odds."""


class Counts(Protocol):
    """Observed counts of an exponential family in the log odds: ``log p(x) = constant + x eta - K(eta)``."""

    @property
    def x(self) -> Floats:
        """Observed counts, shape (k, A)."""

    @property
    def constant(self) -> Floats:
        """Part of the log-likelihood without parameters, shape (k,)."""

    def cumulant(self, eta: Floats) -> Floats:
        """K, shape (…, k, A) as `eta`."""

    def moments(self, eta: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the counts, shape (…, k, A) as `eta`."""


@dataclass(frozen=True, slots=True)
class BinomialCounts:
    """Events among patients; shapes (k, A)."""

    x: Floats
    n: Floats

    @property
    def constant(self) -> Floats:
        """Logarithms of the binomial coefficients, shape (k,)."""
        total: Floats = log_choose(self.n, self.x).sum(axis=-1)
        return total

    def cumulant(self, eta: Floats) -> Floats:
        """``n log(1 + exp(eta))``."""
        value: Floats = self.n * np.logaddexp(0.0, eta)
        return value

    def moments(self, eta: Floats) -> tuple[Floats, Floats]:
        """Mean ``n p`` and variance ``n p (1 - p)``."""
        other = np.exp(-np.logaddexp(0.0, eta))
        risk = 1 - other
        return self.n * risk, self.n * risk * other


@dataclass(frozen=True, slots=True)
class HypergeometricCounts:
    """Events in arm 1 given all margins: noncentral hypergeometric, every table of every study laid out.

    Attributes
    ----------
    x : events in arm 1, shape (k, 1)
    support : counts that the margins allow, shape (k, S); padded
    log_weight : logarithms of their weights at odds ratio 1, shape (k, S); -inf where padded
    constant : that of the observed table, shape (k,)
    """

    x: Floats
    support: Floats
    log_weight: Floats
    constant: Floats

    @classmethod
    def of(cls, x: Floats, n_1: Floats, n_2: Floats, events: Floats) -> HypergeometricCounts:
        """The tables of studies with these margins, each of shape (k,)."""
        low, high = np.maximum(0, events - n_2), np.minimum(n_1, events)
        support = low[:, None] + np.arange(int((high - low).max()) + 1)
        inside = support <= high[:, None]
        counts = np.where(inside, support, low[:, None])
        weight = log_choose(n_1[:, None], counts) + log_choose(n_2[:, None], events[:, None] - counts)
        observed = log_choose(n_1, x) + log_choose(n_2, events - x)
        return cls(x[:, None], counts, np.where(inside, weight, -np.inf), observed)

    def cumulant(self, eta: Floats) -> Floats:
        """Logarithm of the sum of weights times ``exp(count eta)``."""
        value: Floats = logsumexp(self.log_weight + eta * self.support, axis=-1, keepdims=True)
        return value

    def moments(self, eta: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the count under the odds ratio ``exp(eta)``."""
        log_mass = self.log_weight + eta * self.support
        mass = np.exp(log_mass - logsumexp(log_mass, axis=-1, keepdims=True))
        mean = (mass * self.support).sum(axis=-1, keepdims=True)
        return mean, (mass * (self.support - mean) ** 2).sum(axis=-1, keepdims=True)


def log_choose(n: Floats, x: Floats) -> Floats:
    """Logarithm of the number of ways to choose x of n."""
    value: Floats = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    return value


def log_likelihoods(counts: Counts, fixed: Floats, loadings: Floats, points: int) -> Floats:
    """Integrated log-likelihood of each study at each of P places, without `counts.constant`.

    Parameters
    ----------
    fixed : fixed part of the log odds, shape (P, k, A)
    loadings : how the q standard normal random effects enter the log odds of each arm, shape (P, A, q)
    points : nodes a random effect, about the mode of the integrand in units of its curvature; 1 is Laplace's approximation

    Returns
    -------
    Shape (P, k).
    """
    effects = loadings.shape[-1]
    if effects == 0:
        plain: Floats = (counts.x * fixed - counts.cumulant(fixed)).sum(axis=-1)
        return plain
    turned = loadings[:, None]
    modes, roots = _modes(counts, fixed, turned)
    total: list[Floats] = []
    for node, log_weight in _nodes(points, effects):
        u = modes + roots @ node
        eta = fixed + (turned @ u[..., None])[..., 0]
        value = (counts.x * eta - counts.cumulant(eta)).sum(axis=-1) - (u * u).sum(axis=-1) / 2
        total.append(value + log_weight)
    scale = np.log(np.abs(np.linalg.det(roots))) - effects * log(pi) / 2
    integrated: Floats = logsumexp(np.stack(total), axis=0) + scale
    return integrated


def _nodes(points: int, effects: int) -> list[tuple[Floats, float]]:
    """Nodes times the root of two, and logarithms of their weights times ``exp(x^2)``, for a product rule."""
    nodes, weights = np.polynomial.hermite.hermgauss(points)
    logs = np.log(weights) + nodes**2
    return [
        (sqrt(2) * nodes[list(index)], float(logs[list(index)].sum()))
        for index in product(range(points), repeat=effects)
    ]


def _modes(counts: Counts, fixed: Floats, loadings: Floats) -> tuple[Floats, Floats]:
    """Most likely random effects (P, k, q), and roots of the inverse curvature there (P, k, q, q)."""
    effects = loadings.shape[-1]
    u = np.zeros((*fixed.shape[:2], effects))
    across = np.swapaxes(loadings, -1, -2)
    for _ in range(MODE_STEPS):
        mean, variance = counts.moments(fixed + (loadings @ u[..., None])[..., 0])
        slope = (across @ (counts.x - mean)[..., None])[..., 0] - u
        step = np.linalg.solve(_curvature(loadings, across, variance), slope[..., None])
        longest = np.abs(loadings @ step).max(axis=(-1, -2), keepdims=True)
        step = (step * np.minimum(1.0, FARTHEST_STEP / np.maximum(longest, FARTHEST_STEP)))[..., 0]
        u = u + step
        if np.abs(step).max() <= MODE_FOUND * (1 + np.abs(u).max()):
            break
    _, variance = counts.moments(fixed + (loadings @ u[..., None])[..., 0])
    factor = np.linalg.cholesky(_curvature(loadings, across, variance))
    return u, np.swapaxes(np.linalg.inv(factor), -1, -2)


def _curvature(loadings: Floats, across: Floats, variance: Floats) -> Floats:
    curvature: Floats = np.eye(loadings.shape[-1]) + across @ (variance[..., None] * loadings)
    return curvature
