"""How likely a study is to be seen, given its one-sided P value: weight functions and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log, sqrt
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Form = Literal["step", "beta", "half-normal", "negative-exponential", "logistic"]

LEAST_P = 1e-5
"""Beta weights take P values below this, and above 1 less this, as this (Citkowicz and Vevea 2017): no infinite weight."""


FAR = 8.5
"""Beyond this z the tail of the normal distribution is below rounding."""


class WeightFunction(Protocol):
    """The logarithm of a weight as a function of z, the effect over its standard error; P is the tail above z."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""

    @property
    def low(self) -> Floats:
        """The least value of each parameter."""

    @property
    def starts(self) -> tuple[tuple[float, ...], ...]:
        """Parameters to begin a search with."""

    @property
    def breaks(self) -> tuple[float, ...]:
        """Values of z, ascending, at which the weight jumps or bends; beyond the outermost it is constant."""

    def swing(self, parameters: Floats) -> float:
        """A bound of the range of the log weight over all z."""

    def smooth_over(self, parameters: Floats) -> float:
        """The length of z, between the breaks, over which the weight hardly changes its course."""

    def log_weight(self, z: Floats, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """Value, gradient (m, ...) and second derivatives (m, m, ...) at z of any shape."""


@dataclass(frozen=True, slots=True)
class StepWeights:
    """One weight an interval of the P value; that of the first interval is 1 (Vevea and Hedges 1995)."""

    steps: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Intervals of P but the first."""
        ends = (*self.steps, 1.0)
        return tuple(f"{low:g} < P <= {high:g}" for low, high in pairwise(ends))

    @property
    def low(self) -> Floats:
        """A weight is positive."""
        return np.full(len(self.steps), 1e-12)

    @property
    def starts(self) -> tuple[tuple[float, ...], ...]:
        """Unlikely, as likely and more likely to be seen than studies of the first interval."""
        return tuple((value,) * len(self.steps) for value in (0.3, 1.0, 3.0))

    @property
    def breaks(self) -> tuple[float, ...]:
        """The steps as z, ascending."""
        return tuple(float(-special.ndtri(step)) for step in reversed(self.steps))

    def swing(self, parameters: Floats) -> float:
        """From the least to the greatest weight."""
        return float(np.ptp(np.log(np.concatenate([[1.0], parameters]))))

    def smooth_over(self, parameters: Floats) -> float:
        """Constant between the breaks."""
        return inf

    def interval(self, z: Floats) -> NDArray[np.intp]:
        """Number of the interval of P, 0 for the first, ``step < P`` for the next."""
        return len(self.steps) - np.searchsorted(np.array(self.breaks), z, side="right")

    def log_weight(self, z: Floats, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """Constant between the steps."""
        which = self.interval(z)
        m = len(self.steps)
        inside = np.stack([which == number + 1 for number in range(m)]).astype(float)
        value = np.log(np.concatenate([[1.0], parameters]))[which]
        column = parameters.reshape(-1, *([1] * z.ndim))
        hessian = np.zeros((m, m, *z.shape))
        hessian[np.arange(m), np.arange(m)] = -inside / column**2
        return value, inside / column, hessian


@dataclass(frozen=True, slots=True)
class BetaWeights:
    """``P^(a - 1) (1 - P)^(b - 1)`` (Citkowicz and Vevea 2017)."""

    names: tuple[str, ...] = ("a", "b")
    starts: tuple[tuple[float, ...], ...] = ((1.0, 1.0), (2.0, 2.0), (0.7, 1.1), (1.1, 0.7))
    breaks: tuple[float, ...] = (float(special.ndtri(LEAST_P)), float(-special.ndtri(LEAST_P)))

    @property
    def low(self) -> Floats:
        """Both are positive."""
        return np.full(2, 1e-12)

    def swing(self, parameters: Floats) -> float:
        """Both powers at the least P."""
        return -log(LEAST_P) * float(np.abs(parameters - 1).sum())

    def smooth_over(self, parameters: Floats) -> float:
        """As a normal density with the powers as its precision."""
        return 1 / sqrt(1 + float(np.abs(parameters - 1).max()))

    def log_weight(self, z: Floats, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """Linear in the parameters."""
        inside = np.clip(z, self.breaks[0], self.breaks[-1])
        gradient = np.stack([special.log_ndtr(-inside), special.log_ndtr(inside)])
        value: Floats = np.tensordot(parameters - 1, gradient, 1)
        return value, gradient, np.zeros((2, 2, *z.shape))


@dataclass(frozen=True, slots=True)
class DecliningWeights:
    """A weight that falls from 1 as P grows, faster with a larger parameter (Preston et al. 2004)."""

    function: Callable[[Floats, float], tuple[Floats, Floats, Floats]]
    names: tuple[str, ...] = ("delta",)
    starts: tuple[tuple[float, ...], ...] = ((0.1,), (1.0,), (4.0,))
    breaks: tuple[float, ...] = (-FAR, FAR)

    @property
    def low(self) -> Floats:
        """No rise."""
        return np.zeros(1)

    def swing(self, parameters: Floats) -> float:
        """From 1 to about exp(-delta)."""
        return float(parameters[0])

    def smooth_over(self, parameters: Floats) -> float:
        """As the distribution function of a normal variable, the sharper the faster the decline."""
        return 1 / sqrt(1 + float(parameters[0]))

    def log_weight(self, z: Floats, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """One parameter."""
        value, slope, bend = self.function(z, float(parameters[0]))
        return value, slope[None], bend[None, None]


@dataclass(frozen=True, slots=True)
class FixedWeights:
    """A weight function whose parameters are given, as a sensitivity analysis (Vevea and Woods 2005)."""

    inner: WeightFunction
    parameters: Floats
    names: tuple[str, ...] = ()
    starts: tuple[tuple[float, ...], ...] = ((),)

    @property
    def low(self) -> Floats:
        """Nothing is estimated."""
        return np.zeros(0)

    @property
    def breaks(self) -> tuple[float, ...]:
        """Those of the function."""
        return self.inner.breaks

    def swing(self, parameters: Floats) -> float:
        """That of the function."""
        return self.inner.swing(self.parameters)

    def smooth_over(self, parameters: Floats) -> float:
        """That of the function."""
        return self.inner.smooth_over(self.parameters)

    def log_weight(self, z: Floats, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """No derivatives."""
        value, _, _ = self.inner.log_weight(z, self.parameters)
        return value, np.zeros((0, *z.shape)), np.zeros((0, 0, *z.shape))


def _half_normal(z: Floats, delta: float) -> tuple[Floats, Floats, Floats]:
    squared = special.ndtr(-z) ** 2
    return -delta * squared, -squared, np.zeros_like(z)


def _negative_exponential(z: Floats, delta: float) -> tuple[Floats, Floats, Floats]:
    p = special.ndtr(-z)
    return -delta * p, -p, np.zeros_like(z)


def _logistic(z: Floats, delta: float) -> tuple[Floats, Floats, Floats]:
    p = special.ndtr(-z)
    share = special.expit(-delta * p)
    return log(2) + special.log_expit(-delta * p), -p * (1 - share), -p * p * share * (1 - share)


def weight_function(form: Form, steps: tuple[float, ...]) -> WeightFunction:
    """The weight function of a name."""
    match form:
        case "step":
            return StepWeights(steps)
        case "beta":
            return BetaWeights()
        case "half-normal":
            return DecliningWeights(_half_normal)
        case "negative-exponential":
            return DecliningWeights(_negative_exponential)
        case "logistic":
            return DecliningWeights(_logistic)
