"""The posterior of the standard deviation between studies, with the effect integrated out in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import inf, log, pi

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.bayes.effect_priors import EffectPrior

Floats = NDArray[np.float64]
LogHeight = Callable[[Floats], Floats]

POINTS = 12
"""Gauss-Legendre points a panel."""

OCTAVES = 54
"""How far tau is looked for below and above the data's own scale, in powers of two: 2**-54 is rounding."""

NEGLIGIBLE = 37.0
"""Where the density (of log tau) lies this far below its peak, on the log scale, there is nothing that a double can show."""

NEAR_ZERO = 6.0
"""Where it lies this far below, on the way to zero, one panel reaches down to zero."""

EXACT = 1e-14
"""Share of the largest panel by which a panel may differ from its two halves."""

TINY = 1e-100
"""In place of a tau of zero, of which some densities take the logarithm."""

LOWEST = -1e300
"""In place of the logarithm of nothing."""

ROUNDS = 40
"""Halvings at most."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """Given tau, for each component of the effect's prior: the effect's normal posterior and the likelihood.

    Attributes
    ----------
    mean, variance : of the effect, shape (..., C)
    log_likelihood : of the effects seen, times the weight of the component, shape (..., C)
    """

    mean: Floats
    variance: Floats
    log_likelihood: Floats


def conditional_on(tau: Floats, yi: Floats, vi: Floats, prior: EffectPrior) -> Conditional:
    """The effect given tau of any shape, and the likelihood of tau with the effect integrated out."""
    spread = vi + (tau * tau)[..., None]
    w = 1 / spread
    total = w.sum(axis=-1, keepdims=True)
    center = yi[0] + (w @ (yi - yi[0]))[..., None] / total
    squares = (w * (yi - center) ** 2).sum(axis=-1, keepdims=True)
    common = -0.5 * (np.log(spread).sum(axis=-1, keepdims=True) + squares + len(yi) * log(2 * pi))
    precision = total + prior.precision
    mean = center + prior.precision / precision * (prior.means - center)
    apart = total * prior.precision / precision * (center - prior.means) ** 2
    own = np.where(prior.precision > 0, prior.precision, 2 * pi)
    share = 0.5 * (np.log(own) - np.log(precision) - apart)
    return Conditional(mean, 1 / precision, common + share + np.log(prior.weights))


@dataclass(frozen=True, slots=True)
class TauPosterior:
    """The posterior of tau on the nodes of a quadrature.

    Attributes
    ----------
    tau : nodes, increasing, shape (J,)
    mass : posterior probability of each node, of sum one
    edges : ends of the panels, from zero, shape (P + 1,)
    below : posterior probability below each end, shape (P + 1,)
    log_evidence : logarithm of the integral of the unnormalized density
    log_height : unnormalized log density, of positive tau of any shape
    """

    tau: Floats
    mass: Floats
    edges: Floats
    below: Floats
    log_evidence: float
    log_height: Callable[[Floats], Floats]

    def density(self, tau: Floats) -> Floats:
        """Posterior density at tau (n,); zero outside what is possible."""
        inside = (tau >= 0) & (tau <= self.edges[-1])
        height = np.exp(self.log_height(np.where(inside, np.maximum(tau, TINY), self.tau[0])) - self.log_evidence)
        return np.where(inside, height, 0.0)

    def cdf(self, tau: Floats) -> Floats:
        """P(tau <= each value), shape (n,)."""
        at = np.clip(tau, 0.0, self.edges[-1])
        panel = np.clip(np.searchsorted(self.edges, at, side="right") - 1, 0, len(self.edges) - 2)
        part = np.exp(_panels(self.log_height, self.edges[panel], at)[0] - self.log_evidence)
        return np.clip(self.below[panel] + part, 0.0, 1.0)

    def bracket(self, probability: Floats) -> tuple[Floats, Floats]:
        """Panels that hold the quantiles, ends of shape (n,)."""
        panel = np.clip(np.searchsorted(self.below, probability, side="right") - 1, 0, len(self.edges) - 2)
        return self.edges[panel], self.edges[panel + 1]


def tau_posterior(log_height: LogHeight, *, scale: float, upper: float) -> TauPosterior:
    """Integrate a density of tau by Gauss-Legendre panels, halved until nothing changes.

    Parameters
    ----------
    log_height : unnormalized log density, of positive tau of any shape
    scale : where to begin to look, in the unit of tau
    upper : where the density ends
    """
    edges = _first_edges(log_height, scale, upper)
    low, high = edges[:-1], edges[1:]
    value, nodes, mass = _panels(log_height, low, high)
    done = []
    largest = -inf
    for _ in range(ROUNDS):
        middle = (low + high) / 2
        lows, highs = np.concatenate((low, middle)), np.concatenate((middle, high))
        halves = _panels(log_height, lows, highs)
        together = np.logaddexp(*np.split(halves[0], 2))
        largest = max(largest, float(together.max()))
        rough = np.abs(np.exp(value - largest) - np.exp(together - largest)) > EXACT
        done.append([part[~rough] for part in (low, high, value, nodes, mass)])
        if not rough.any():
            break
        again = np.concatenate((rough, rough))
        low, high = lows[again], highs[again]
        value, nodes, mass = (part[again] for part in halves)
    return _assembled(log_height, *(np.concatenate(parts) for parts in zip(*done, strict=True)))


def _assembled(
    log_height: LogHeight, low: Floats, high: Floats, value: Floats, nodes: Floats, mass: Floats
) -> TauPosterior:
    order = np.argsort(low)
    log_evidence = float(log_sum(value))
    below = np.concatenate((np.zeros(1), np.cumsum(np.exp(value[order] - log_evidence))))
    tau, weight = nodes[order].ravel(), np.exp(mass[order].ravel() - log_evidence)
    held = weight > 0
    return TauPosterior(
        tau[held], weight[held] / weight.sum(), np.concatenate((low[order], high[order][-1:])), below / below[-1],
        log_evidence, log_height,
    )  # fmt: skip


def _first_edges(log_height: LogHeight, scale: float, upper: float) -> Floats:
    """Ends of the first panels: zero, octaves from where the mass begins to where it ends."""
    grid: Floats = scale * np.exp2(np.arange(-OCTAVES, OCTAVES + 1, dtype=np.float64))
    grid = np.append(grid[grid < upper], upper) if upper < grid[-1] else grid
    heights = log_height(grid) + np.log(grid)
    peak = int(heights.argmax())
    start = max(int(np.flatnonzero(heights[: peak + 1] > heights[peak] - NEAR_ZERO)[0]) - 1, 0)
    end = min(int(np.flatnonzero(heights > heights[peak] - NEGLIGIBLE)[-1]) + 1, len(grid) - 1)
    return np.concatenate((np.zeros(1), grid[start : end + 1]))


def _panels(log_height: LogHeight, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
    """Log integral of each panel (P,), and its nodes and their log masses, both (P, POINTS)."""
    points, weights = _legendre()
    half = (high - low)[:, None] / 2
    nodes = low[:, None] + half * (1 + points)
    with np.errstate(divide="ignore"):
        mass = log_height(np.where(nodes > 0, nodes, 1.0)) + np.log(weights * half)
    return log_sum(mass), nodes, mass


def log_sum(logs: Floats) -> Floats:
    """Logarithm of the sum of exponentials over the last axis."""
    if logs.shape[-1] == 1:
        return logs[..., 0]
    top = np.maximum(logs.max(axis=-1, keepdims=True), LOWEST)
    with np.errstate(divide="ignore"):
        out: Floats = np.log(np.exp(logs - top).sum(axis=-1)) + top[..., 0]
    return out


@lru_cache(maxsize=1)
def _legendre() -> tuple[Floats, Floats]:
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    return points, weights
