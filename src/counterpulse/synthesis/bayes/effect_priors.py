"""Prior distributions of the overall effect: flat, normal, or a mixture of normals."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EffectPrior:
    """A mixture of normal priors; precision zero is flat, with density one.

    Attributes
    ----------
    name : as a reader reads it
    weights, means, precision : of the components, shape (C,); the weights sum to one
    """

    name: str
    weights: Floats
    means: Floats
    precision: Floats

    @property
    def proper(self) -> bool:
        """Whether it integrates to one."""
        return bool((self.precision > 0).all())

    def density(self, value: Floats) -> Floats:
        """Density at each value, shape (n,)."""
        if not self.proper:
            return np.ones_like(value)
        apart = value[:, None] - self.means
        heights = np.sqrt(self.precision / (2 * np.pi)) * np.exp(-0.5 * self.precision * apart**2)
        density: Floats = heights @ self.weights
        return density


FLAT = EffectPrior("flat", np.ones(1), np.zeros(1), np.zeros(1))


def normal(mean: float, sd: float) -> EffectPrior:
    """Normal prior of the effect, on the scale of estimation."""
    if not (isfinite(mean) and isfinite(sd) and sd > 0):
        raise InputError("a normal prior of the effect has a finite mean and a standard deviation above zero")
    return EffectPrior(f"normal({mean:g}, {sd:g})", np.ones(1), np.array([float(mean)]), np.array([float(sd) ** -2]))


def mixture(*components: tuple[float, EffectPrior]) -> EffectPrior:
    """A mixture of proper priors, each with its weight; the weights are scaled to sum to one."""
    if not components or not all(isfinite(share) and share > 0 and prior.proper for share, prior in components):
        raise InputError("a mixture has proper components, each with a weight above zero")
    shares = np.array([share for share, _ in components])
    shares = shares / shares.sum()
    return EffectPrior(
        " + ".join(f"{share:g} {prior.name}" for share, (_, prior) in zip(shares, components, strict=True)),
        np.concatenate([share * prior.weights for share, (_, prior) in zip(shares, components, strict=True)]),
        np.concatenate([prior.means for _, prior in components]),
        np.concatenate([prior.precision for _, prior in components]),
    )


def read_effect_prior(given: EffectPrior | tuple[float, float] | None) -> EffectPrior:
    """None is flat, a pair is mean and standard deviation of a normal prior."""
    if given is None:
        return FLAT
    if isinstance(given, EffectPrior):
        return given
    try:
        mean, sd = given
    except (TypeError, ValueError):
        raise InputError("'effect_prior' is None, (mean, sd), or a prior made by normal or mixture") from None
    return normal(mean, sd)
