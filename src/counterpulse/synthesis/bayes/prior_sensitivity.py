"""How far the posterior depends on the prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, Scale
from counterpulse.results.provenance import Provenance
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.bayes.bayes_pool import BayesPool, IntervalKind, bayes_pool
from counterpulse.synthesis.bayes.effect_priors import EffectPrior
from counterpulse.synthesis.bayes.heterogeneity_priors import HeterogeneityPrior
from counterpulse.synthesis.pooling.asked import LEVEL

Prior = HeterogeneityPrior | tuple[HeterogeneityPrior, EffectPrior | tuple[float, float] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorSensitivity:
    """The same studies under several priors, in the order given.

    Attributes
    ----------
    fits : the posterior under each prior, by its name
    """

    fits: Mapping[str, BayesPool]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The mean effect under each prior; `term` is the name of the prior."""
        return tuple(replace(fit.estimates()[0], term=name) for name, fit in self.fits.items())

    def tidy(self) -> pl.DataFrame:
        """Effect, prediction and tau under each prior, one a row; `variable` is the name of the prior."""
        return tidy(replace(one, variable=name) for name, fit in self.fits.items() for one in fit.estimates())


def prior_sensitivity(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    priors: Mapping[str, Prior],
    measure: str = "effect",
    scale: Scale = "identity",
    level: float = LEVEL,
    interval: IntervalKind = "shortest",
) -> PriorSensitivity:
    """Repeat `bayes_pool` under each of the priors.

    Parameters
    ----------
    yi, vi, measure, scale, level, interval : as for `bayes_pool`
    priors : by name, a prior of the heterogeneity (with a flat prior of the effect), or that and a prior of the effect

    Raises
    ------
    InputError : no prior, or what `bayes_pool` refuses
    """
    if not priors:
        raise InputError("'priors' holds at least one prior by its name")
    fits = {}
    for name, prior in priors.items():
        tau, mu = prior if isinstance(prior, tuple) else (prior, None)
        fits[name] = bayes_pool(
            yi,
            vi,
            heterogeneity_prior=tau,
            effect_prior=mu,
            measure=measure,
            scale=scale,
            level=level,
            interval=interval,
        )
    first = next(iter(fits.values())).provenance
    return PriorSensitivity(fits=fits, provenance=replace(first, choices=()))
