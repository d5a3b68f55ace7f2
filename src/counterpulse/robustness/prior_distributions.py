"""Distributions of what is not known about a bias."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every value from `low` to `high` is as likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check(
            isfinite(self.low) and isfinite(self.high) and self.low < self.high,
            "a uniform distribution needs low < high",
        )

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest possible value."""
        return self.low, self.high

    def draw(self, random: np.random.Generator, n: int) -> Floats:
        """Draw n values."""
        return self.low + (self.high - self.low) * random.random(n)


@dataclass(frozen=True, slots=True)
class Trapezoidal:
    """Rising from `low`, flat from `mode_low` to `mode_high`, falling to `high`; triangular where the modes are one."""

    low: float
    mode_low: float
    mode_high: float
    high: float

    def __post_init__(self) -> None:
        ordered = self.low <= self.mode_low <= self.mode_high <= self.high and self.low < self.high
        _check(
            ordered and isfinite(self.low) and isfinite(self.high),
            "a trapezoidal distribution needs low <= mode_low <= mode_high <= high, and low < high",
        )

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest possible value."""
        return self.low, self.high

    def draw(self, random: np.random.Generator, n: int) -> Floats:
        """Draw n values, by the inverse of the distribution function."""
        rise, flat, fall = self.mode_low - self.low, self.mode_high - self.mode_low, self.high - self.mode_high
        area = random.random(n) * (rise / 2 + flat + fall / 2)
        rising = self.low + np.sqrt(2 * rise * area)
        falling = self.high - np.sqrt(2 * fall * np.maximum(rise / 2 + flat + fall / 2 - area, 0.0))
        middle = self.mode_low + area - rise / 2
        return np.where(area < rise / 2, rising, np.where(area <= rise / 2 + flat, middle, falling))


@dataclass(frozen=True, slots=True)
class Beta:
    """The beta distribution, of a probability: as after `a` - 1 patients with and `b` - 1 without."""

    a: float
    b: float

    def __post_init__(self) -> None:
        _check(0 < self.a < inf and 0 < self.b < inf, "a beta distribution needs a > 0 and b > 0")

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest possible value."""
        return 0.0, 1.0

    def draw(self, random: np.random.Generator, n: int) -> Floats:
        """Draw n values."""
        return random.beta(self.a, self.b, n)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A ratio whose logarithm is normal: its median, and the standard deviation of its logarithm."""

    median: float
    log_sd: float

    def __post_init__(self) -> None:
        _check(
            0 < self.median < inf and 0 < self.log_sd < inf, "a log-normal distribution needs median > 0 and log_sd > 0"
        )

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest possible value; 0 itself does not occur."""
        return float(np.nextafter(0.0, 1.0)), inf

    def draw(self, random: np.random.Generator, n: int) -> Floats:
        """Draw n values."""
        return self.median * np.exp(self.log_sd * random.standard_normal(n))


Prior = Uniform | Trapezoidal | Beta | LogNormal


def _check(possible: bool, needed: str) -> None:
    if not possible:
        raise InputError(needed)
