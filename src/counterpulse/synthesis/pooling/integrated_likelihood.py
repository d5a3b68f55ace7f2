"""Likelihoods of studies with normal random effects on the log odds, integrated by adaptive Gauss-Hermite quadrature.

Each study has A observed counts, each of an exponential family in its log odds. Pinheiro and Bates 1995,
doi:10.1080/10618600.1995.10474663.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import log, perm, pi, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

Floats = NDArray[np.float64]

MODE_STEPS, MODE_FOUND, FARTHEST_STEP = 100, 1e-13, 2.0
"""Newton steps to the modes of the random effects, their size at the end, and the longest one in log odds."""


FARTHEST_KNOT, KNOTS_APART, BLOCK = 30.0, 0.05, 2_000_000
"""Log odds ratios at which sums over tables are taken, and numbers held at once while they are."""


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
    """Events in arm 1 given all margins: noncentral hypergeometric.

    The cumulant function of each study is summed over its tables at knots, with two derivatives, and is a polynomial of
    degree five between them: exact to some 1e-10. Beyond the last knot one table is all there is, and it is a line.

    Attributes
    ----------
    x : events in arm 1, shape (k, 1)
    pieces : coefficients of the polynomials in the part of the way between knots, shape (6, k, knots - 1)
    constant : log weight of the observed table, shape (k,)
    """

    x: Floats
    pieces: Floats
    constant: Floats

    @classmethod
    def of(cls, x: Floats, n_1: Floats, n_2: Floats, events: Floats) -> HypergeometricCounts:
        """The counts of studies with these margins, each of shape (k,)."""
        low, high = np.maximum(0, events - n_2), np.minimum(n_1, events)
        pieces = []
        for study in range(len(x)):
            support = np.arange(low[study], high[study] + 1)
            weight = log_choose(n_1[study], support) + log_choose(n_2[study], events[study] - support)
            pieces.append(_between_knots(support, weight))
        observed = log_choose(n_1, x) + log_choose(n_2, events - x)
        return cls(x[:, None], np.stack(pieces, axis=1), observed)

    def cumulant(self, eta: Floats) -> Floats:
        """Logarithm of the sum over tables of weight times ``exp(count eta)``."""
        piece, way, beyond = self._place(eta)
        value = self._sum(piece, way, 0) + beyond * self._sum(piece, way, 1)
        return value[..., None]

    def moments(self, eta: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the count under the odds ratio ``exp(eta)``."""
        piece, way, _ = self._place(eta)
        return self._sum(piece, way, 1)[..., None], self._sum(piece, way, 2)[..., None]

    def _place(self, eta: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Number of the piece, part of the way through it, and the distance beyond the last knot; eta (…, k, 1)."""
        inside = np.clip(eta[..., 0], -FARTHEST_KNOT, FARTHEST_KNOT)
        steps = (inside + FARTHEST_KNOT) / KNOTS_APART
        piece = np.minimum(steps.astype(np.intp), self.pieces.shape[2] - 1)
        return piece, steps - piece, eta[..., 0] - inside

    def _sum(self, piece: NDArray[np.intp], way: Floats, derivative: int) -> Floats:
        studies = np.arange(self.pieces.shape[1])
        total = np.zeros_like(way)
        for power in range(5, derivative - 1, -1):
            total = total * way + perm(power, derivative) * self.pieces[power][studies, piece]
        value: Floats = total / KNOTS_APART**derivative
        return value


def _between_knots(support: Floats, log_weight: Floats) -> Floats:
    """Polynomials of degree five through the values and two derivatives of the cumulant function at the knots, (6, G)."""
    knots = np.linspace(-FARTHEST_KNOT, FARTHEST_KNOT, 2 * round(FARTHEST_KNOT / KNOTS_APART) + 1)
    parts = [
        _cumulants(part, support, log_weight) for part in np.array_split(knots, 1 + len(knots) * len(support) // BLOCK)
    ]
    value, slope, bend = (np.concatenate(column) for column in zip(*parts, strict=True))
    slope, bend = slope * KNOTS_APART, bend * KNOTS_APART**2 / 2
    rise = value[1:] - value[:-1] - slope[:-1] - bend[:-1]
    turn = slope[1:] - slope[:-1] - 2 * bend[:-1]
    curl = bend[1:] - bend[:-1]
    return np.stack(
        [value[:-1], slope[:-1], bend[:-1], 10 * rise - 4 * turn + curl, -15 * rise + 7 * turn - 2 * curl,
         6 * rise - 3 * turn + curl]
    )  # fmt: skip


def _cumulants(eta: Floats, support: Floats, log_weight: Floats) -> tuple[Floats, Floats, Floats]:
    """The cumulant function and its first two derivatives, shape (G,) each."""
    log_mass = log_weight + eta[:, None] * support
    top = log_mass.max(axis=1, keepdims=True)
    mass = np.exp(log_mass - top)
    whole = mass.sum(axis=1)
    mean = mass @ support / whole
    return top[:, 0] + np.log(whole), mean, (mass * (support - mean[:, None]) ** 2).sum(axis=1) / whole


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
