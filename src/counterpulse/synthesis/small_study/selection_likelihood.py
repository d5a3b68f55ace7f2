"""The likelihood of effects that were seen with a probability that depends on their P value.

The density of an effect is ``w(y) N(y; mu, v + tau2) / A`` with A the integral of the numerator. With g and H the first
and second derivatives of the logarithm of the numerator, those of log A are ``E g`` and ``E H + Cov g``, expectations
over the density itself, so one quadrature gives value, gradient and curvature.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.small_study.box_newton import Curve
from counterpulse.synthesis.small_study.selection_weights import WeightFunction

Floats = NDArray[np.float64]

NEGLIGIBLE = 45.0
"""A tail is cut where the logarithm of the density has fallen by this much."""

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)
PANEL = 1.5
"""Panel length in units over which the integrand is smooth: with 16 nodes the error is below rounding."""

MOST_PANELS = 400


@dataclass(frozen=True, slots=True)
class SelectionLikelihood:
    """The log-likelihood of (mu, tau2, parameters of the weight function).

    Attributes
    ----------
    y, v : effects and sampling variances, shape (k,), significant to the right
    """

    y: Floats
    v: Floats
    weights: WeightFunction

    def curve(self, at: Floats) -> Curve:
        """Value, gradient and second derivatives."""
        mean, tau2, parameters = float(at[0]), float(at[1]), at[2:]
        z, lengths = self._nodes(mean, tau2, parameters)
        seen, seen_g, seen_h = self._log_numerator((self.y / np.sqrt(self.v))[:, None], mean, tau2, parameters)
        value, g, h = self._log_numerator(z, mean, tau2, parameters)
        top = value.max(axis=1, keepdims=True)
        mass = np.exp(value - top) * lengths
        total = mass.sum(axis=1, keepdims=True)
        chance = mass / total
        log_area = top[:, 0] + np.log(total[:, 0]) + np.log(self.v) / 2
        expected = np.einsum("pkn,kn->pk", g, chance)
        spread = np.einsum("pkn,qkn,kn->pq", g, g, chance) - expected @ expected.T
        bend = np.einsum("pqkn,kn->pq", h, chance)
        return Curve(
            float((seen[:, 0] - log_area).sum()),
            (seen_g[..., 0] - expected).sum(axis=1),
            seen_h[..., 0].sum(axis=2) - bend - spread,
        )

    def _nodes(self, mean: float, tau2: float, parameters: Floats) -> tuple[Floats, Floats]:
        """Nodes z and their lengths, shape (k, n)."""
        center, spread = mean / np.sqrt(self.v), np.sqrt((self.v + tau2) / self.v)
        away = spread * sqrt(2 * (NEGLIGIBLE + self.weights.swing(parameters)))
        low, high = center - away, center + away
        edges = [low, *(np.clip(np.full_like(low, b), low, high) for b in self.weights.breaks), high]
        pieces = []
        for number, (a, b) in enumerate(pairwise(edges)):
            is_outer = number in (0, len(edges) - 2)
            unit = PANEL * (spread if is_outer else np.minimum(spread, self.weights.smooth_over(parameters)))
            panels = min(MOST_PANELS, ceil(float(((b - a) / unit).max())))
            pieces.append(_panels(a, b, max(1, panels)))
        return np.concatenate([z for z, _ in pieces], axis=1), np.concatenate([d for _, d in pieces], axis=1)

    def _log_numerator(self, z: Floats, mean: float, tau2: float, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """Logarithm of weight times normal density at z (k, n), gradient (p, k, n), second derivatives (p, p, k, n)."""
        value, slope, bend = self.weights.log_weight(z, parameters)
        precision = 1 / (self.v + tau2)[:, None]
        away = z * np.sqrt(self.v)[:, None] - mean
        p = 2 + len(parameters)
        g, h = np.empty((p, *z.shape)), np.zeros((p, p, *z.shape))
        g[0], g[1], g[2:] = away * precision, (away**2 * precision - 1) * precision / 2, slope
        h[0, 0], h[1, 1] = -precision, (0.5 - away**2 * precision) * precision**2
        h[0, 1] = h[1, 0] = -away * precision**2
        h[2:, 2:] = bend
        return value - 0.5 * (np.log(2 * pi / precision) + away**2 * precision), g, h


def _panels(low: Floats, high: Floats, panels: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes on equal panels from `low` to `high`, shape (k, panels * 16)."""
    half = (high - low) / (2 * panels)
    middles = low[:, None] + half[:, None] * (2 * np.arange(panels) + 1)
    nodes = middles[:, :, None] + half[:, None, None] * NODES
    lengths = np.broadcast_to(half[:, None, None] * NODE_WEIGHTS, nodes.shape)
    return nodes.reshape(len(low), -1), lengths.reshape(len(low), -1)


def unselected_log_likelihood(y: Floats, v: Floats, mean: float, tau2: float) -> float:
    """The normal log-likelihood of effects that were all seen."""
    total = v + tau2
    return float(-0.5 * (np.log(total) + (y - mean) ** 2 / total).sum() - len(y) * log(2 * pi) / 2)
