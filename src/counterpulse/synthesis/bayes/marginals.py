"""Marginal posterior distributions: mixtures of normals, their quantiles and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, pi, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.numerics.root import root

Floats = NDArray[np.float64]

STEPS = 200
"""Newton and bisection steps at most; bisection alone needs about 60."""

SETTLED = 1e-8
"""Relative error of the probability at which Newton's next step, which squares it, is the last."""

ROUNDING = 1e-15
"""A sum of probabilities is not known better."""

STARTS = 24
"""Places at which the shortest interval is looked for before it is refined."""


NEXT_TO_ZERO = 1e-9
"""A share that is as good as none."""

SAME_TILT = 1e-11
"""Share of what is left out, to which the part below the shortest interval is found."""

ACROSS = 201
"""Points among which a mode is looked for before it is refined."""


class Marginal(Protocol):
    """A distribution on the line."""

    def density(self, x: Floats) -> Floats:
        """Density at each value, shape (n,)."""

    def cdf(self, x: Floats) -> Floats:
        """Probability below each value, shape (n,)."""

    def bracket(self, probability: Floats) -> tuple[Floats, Floats]:
        """Values between which the quantiles lie, each of shape (n,)."""


@dataclass(frozen=True, slots=True)
class NormalMixture:
    """A mixture of normal distributions: nothing is simulated.

    Attributes
    ----------
    weights, means, sds : shape (J,); the weights sum to one
    """

    weights: Floats
    means: Floats
    sds: Floats

    def density(self, x: Floats) -> Floats:
        """Density at each value, shape (n,)."""
        z = (x[:, None] - self.means) / self.sds
        out: Floats = np.exp(-0.5 * z * z) @ (self.weights / (self.sds * sqrt(2 * pi)))
        return out

    def slope(self, x: Floats) -> Floats:
        """Derivative of the density at each value, shape (n,)."""
        z = (x[:, None] - self.means) / self.sds
        out: Floats = (-z * np.exp(-0.5 * z * z)) @ (self.weights / (self.sds**2 * sqrt(2 * pi)))
        return out

    def cdf(self, x: Floats) -> Floats:
        """Probability below each value, shape (n,)."""
        out: Floats = special.ndtr((x[:, None] - self.means) / self.sds) @ self.weights
        return out

    def bracket(self, probability: Floats) -> tuple[Floats, Floats]:
        """A quantile lies between the least and the greatest of the components'."""
        parts = self.means + self.sds * special.ndtri(probability)[:, None]
        return parts.min(axis=1), parts.max(axis=1)

    @property
    def mean(self) -> float:
        """Mean of the mixture."""
        return float(self.weights @ self.means)

    @property
    def sd(self) -> float:
        """Standard deviation of the mixture."""
        return sqrt(float(self.weights @ (self.sds**2 + (self.means - self.mean) ** 2)))


def quantiles(of: Marginal, probability: Floats, *, start: Floats | None = None) -> Floats:
    """Quantiles by Newton's method held within a bracket, shape (n,)."""
    low, high = of.bracket(probability)
    at = (low + high) / 2 if start is None else np.clip(start, low, high)
    near = np.maximum(SETTLED * np.minimum(probability, 1 - probability), ROUNDING)
    for _ in range(STEPS):
        excess = of.cdf(at) - probability
        low, high = np.where(excess < 0, at, low), np.where(excess > 0, at, high)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            after = at - excess / of.density(at)
        settled = np.abs(excess) <= near
        held = (settled & np.isfinite(after)) | ((after > low) & (after < high))
        at = np.where(held, after, np.where(settled, at, (low + high) / 2))
        if settled.all():
            break
    return at


def central_interval(of: Marginal, level: float) -> tuple[float, float]:
    """The interval with equal tails."""
    low, high = quantiles(of, np.array([(1 - level) / 2, (1 + level) / 2]))
    return float(low), float(high)


def shortest_interval(of: Marginal, level: float, *, least: float = -inf) -> tuple[float, float]:
    """The shortest interval that holds `level`; `least` is where the distribution begins.

    The best of several intervals is refined to equal densities at both ends, unless it begins where the distribution does.
    """
    rest = 1 - level
    starts = rest * (np.arange(STARTS) + 0.5) / STARTS
    ends = quantiles(of, np.concatenate((starts, starts + level)))
    low, high = ends[:STARTS], ends[STARTS:]
    best = int((high - low).argmin())
    if least > -inf and best == 0:
        end = quantiles(of, np.array([level]))
        if of.density(low[:1] * NEXT_TO_ZERO)[0] >= of.density(end)[0]:
            return least, float(end[0])

    def ends_from(start: float) -> Floats:
        guess = np.array([np.interp(start, starts, low), np.interp(start, starts, high)])
        return quantiles(of, np.array([start, start + level]), start=guess)

    def tilt(start: float) -> float:
        heights = of.density(ends_from(start))
        return float(heights[1] - heights[0])

    near = starts[best - 1] if best > 0 else rest * NEXT_TO_ZERO
    far = starts[best + 1] if best < STARTS - 1 else rest * (1 - NEXT_TO_ZERO)
    start = root(tilt, float(near), float(far), width=rest * SAME_TILT)
    found = ends_from(float(starts[best]) if isnan(start) else start)
    return float(found[0]), float(found[1])


def mixture_mode(of: NormalMixture) -> float:
    """The highest point of the density."""
    low, high = quantiles(of, np.array([0.01, 0.99]))
    around = np.linspace(low, high, ACROSS)
    best = int(of.density(around).argmax())
    near, far = around[max(best - 1, 0)], around[min(best + 1, ACROSS - 1)]
    return root(lambda x: float(of.slope(np.array([x]))[0]), near, far, width=(far - near) * 1e-12)
