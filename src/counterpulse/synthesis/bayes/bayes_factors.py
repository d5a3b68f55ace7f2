"""Bayes factors of no heterogeneity and of no effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, nan

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.bayes.effect_priors import EffectPrior
from counterpulse.synthesis.bayes.heterogeneity_posterior import TauPosterior, conditional_on, log_sum, tau_posterior
from counterpulse.synthesis.bayes.heterogeneity_priors import HeterogeneityPrior
from counterpulse.synthesis.bayes.marginals import NormalMixture, quantiles

Floats = NDArray[np.float64]

ZOOMS, ACROSS = 6, 41
"""How often, and over how many points, a peak is looked for between its neighbors."""


@dataclass(frozen=True, slots=True)
class BayesFactors:
    """Evidence for a null over the alternative: below one speaks against the null; nan where priors are improper.

    Attributes
    ----------
    no_heterogeneity : of tau = 0; needs a proper prior of tau
    no_effect : of effect = 0; needs a proper prior of the effect
    no_heterogeneity_at_least, no_effect_at_least : the least that any prior of the tested parameter could give
    """

    no_heterogeneity: float
    no_effect: float
    no_heterogeneity_at_least: float
    no_effect_at_least: float


def bayes_factors(
    yi: Floats, vi: Floats, tau: HeterogeneityPrior, effect: EffectPrior, *, posterior: TauPosterior, mu: NormalMixture
) -> BayesFactors:
    """Marginal likelihoods under each null over those under the model."""

    def likelihood(at: Floats) -> Floats:
        return log_sum(conditional_on(at, yi, vi, effect).log_likelihood)

    def under_no_effect(at: Floats) -> Floats:
        spread = vi + (at * at)[..., None]
        height: Floats = tau.log_density(at, vi) - 0.5 * (np.log(2 * np.pi * spread) + yi**2 / spread).sum(axis=-1)
        return height

    none = tau_posterior(under_no_effect, scale=float(np.sqrt(vi.mean())), upper=tau.upper).log_evidence
    homogeneous = float(likelihood(np.zeros(1))[0])
    highest = max(highest_at(likelihood, posterior.tau), homogeneous)

    def relative(at: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.log(mu.density(at)) - np.log(effect.density(at))

    best = highest_at(relative, quantiles(mu, np.linspace(0.01, 0.99, ACROSS)))
    return BayesFactors(
        no_heterogeneity=exp(homogeneous - posterior.log_evidence) if tau.proper else nan,
        no_effect=exp(none - posterior.log_evidence) if effect.proper else nan,
        no_heterogeneity_at_least=exp(homogeneous - highest),
        no_effect_at_least=exp(none - posterior.log_evidence - best) if tau.proper else nan,
    )


def highest_at(function: Callable[[Floats], Floats], points: Floats) -> float:
    """The highest value of a smooth function between the neighbors of the best of increasing points."""
    return float(function(np.array([peak_of(function, points)]))[0])


def peak_of(function: Callable[[Floats], Floats], points: Floats) -> float:
    """Where a smooth function is highest, between the neighbors of the best of increasing points."""
    for _ in range(ZOOMS):
        best = int(function(points).argmax())
        points = np.linspace(points[max(best - 1, 0)], points[min(best + 1, len(points) - 1)], ACROSS)
    return float(points[int(function(points).argmax())])
