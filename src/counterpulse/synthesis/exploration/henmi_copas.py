"""The interval of Henmi and Copas: common-effect weights, which small biased studies move least, with honest width."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi, sqrt

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import special

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, choice
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]

PANELS, NODES = 40, 25
"""Panels of the quadrature and points in each: with thousands of studies the integrand rises within a few panels."""

REACH = 10.0
"""Standard deviations that the quadrature reaches beyond the critical value: the normal density there is below 1e-22."""

CONVERGED = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class HenmiCopas:
    """A pooled effect that small-study effects bias little, with an interval that allows for heterogeneity.

    Attributes
    ----------
    effect : the common-effect estimate, its standard error under heterogeneity and the interval
    tau2 : DerSimonian-Laird variance between studies
    critical : how many standard errors the interval reaches
    k : studies
    """

    effect: Estimate
    tau2: float
    critical: float
    k: int
    level: float
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect."""
        return (self.effect,)

    def tidy(self) -> pl.DataFrame:
        """One row: the pooled effect."""
        return tidy(self.estimates())


def henmi_copas(
    yi: ArrayLike, vi: ArrayLike, *, level: float = LEVEL, measure: str = "effect", scale: Scale = "identity"
) -> HenmiCopas:
    """Pool with common-effect weights and an interval from the joint distribution of the estimate and Cochran's Q.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    level : confidence level
    measure, scale : as in `pool`

    Raises
    ------
    InputError : of effects or variances that cannot be pooled, or fewer than 2 studies

    Notes
    -----
    Q given the estimate is taken as a gamma variable with its exact first two moments.

    References
    ----------
    Henmi and Copas 2010, doi:10.1002/sim.4029.
    """
    check_level(level)
    y, v = read_studies(yi, vi)
    if len(y) < 2:
        raise InputError(
            "the interval of Henmi and Copas rests on Q, which needs 2 studies or more; report the one study"
        )
    w = 1 / v
    estimate = float(w @ y / w.sum())
    sums = _Sums.of(w, float(w @ (y - estimate) ** 2))
    critical, error = _critical_value(sums, (1 - level) / 2), sqrt(sums.spread / sums.w1)
    ends = Interval(estimate - critical * error, estimate + critical * error, level, "henmi-copas")
    effect = Estimate(term="effect", measure=measure, value=estimate, std_error=error, interval=ends, scale=scale)
    return HenmiCopas(
        effect=effect, tau2=sums.tau2, critical=critical, k=len(y), level=level, status=Status.OK, provenance=_provenance(level)
    )  # fmt: skip


def _provenance(level: float) -> Provenance:
    choices = (
        Choice("tau2", "DL", "derived", "der-simonian-laird-1986"),
        Choice("weights", "common effect", "derived", "henmi-copas-2010"),
        choice("level", level, LEVEL),
    )
    return Provenance("Henmi-Copas", choices, ("henmi-copas-2010",))


@dataclass(frozen=True, slots=True)
class _Sums:
    """``w1 = sum w`` and ``wj = sum w^j / sum w``; `spread` is the variance of ``sum w (y - mu) / sqrt(w1)``."""

    w1: float
    w2: float
    w3: float
    w4: float
    df: int
    tau2: float
    spread: float

    @classmethod
    def of(cls, w: Floats, q: float) -> _Sums:
        w1 = float(w.sum())
        w2, w3, w4 = (float((w**j).sum()) / w1 for j in (2, 3, 4))
        df = len(w) - 1
        tau2 = max(0.0, (q - df) / (w1 - w2))
        return cls(w1, w2, w3, w4, df, tau2, 1 + tau2 * w2)

    def heterogeneity_given(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of Q where the standardized error of the estimate is x."""
        t, s = self.tau2, self.spread
        away = (x / s) ** 2 - 1 / s
        second = self.w3 - self.w2**2
        third = self.w4 - 2 * self.w2 * self.w3 + self.w2**3
        mean = self.df + t * (self.w1 - self.w2) + t**2 * away * second
        free = 2 * self.df + 4 * t * (self.w1 - self.w2) + 2 * t**2 * (self.w1 * self.w2 - 2 * self.w3 + self.w2**2)
        tied = 4 * t**2 * away * (second + t * third) + 2 * t**4 * (1 / s**2 - 2 * x**2 / s**3) * second**2
        return mean, free + tied


def _critical_value(sums: _Sums, tail: float) -> float:
    from scipy import optimize

    high = 2.0
    while _beyond(sums, high) > tail:
        high *= 2
    return float(optimize.brentq(lambda t: _beyond(sums, t) - tail, 1e-6, high, xtol=CONVERGED))


def _beyond(sums: _Sums, t: float) -> float:
    """The chance that the estimate lies more than t of its estimated standard errors above the truth.

    It does where Q is so small, and so the estimated variance, that x is t errors: an integral over x > t.
    """
    nodes, weights = _quadrature()
    half = REACH * sqrt(sums.spread) / 2
    x = t + half * nodes
    mean, variance = sums.heterogeneity_given(x)
    bound = sums.df + (sums.w1 / sums.w2 - 1) * ((x / t) ** 2 - 1)
    small = special.gammainc(mean**2 / variance, bound * mean / variance)
    density = np.exp(-(x**2) / (2 * sums.spread)) / sqrt(2 * pi * sums.spread)
    return float(half * (weights * small * density).sum())


@lru_cache(maxsize=1)
def _quadrature() -> tuple[Floats, Floats]:
    """Points from 0 to 2 with their weights, Gauss-Legendre in every panel."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    points = (2 * np.arange(PANELS)[:, None] + nodes + 1) / PANELS
    return points.ravel(), np.tile(weights / PANELS, PANELS)
