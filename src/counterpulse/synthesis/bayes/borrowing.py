"""A prior for trials from the evidence of registries, made weaker by what is doubted in it."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Literal

from counterpulse.errors import InputError
from counterpulse.synthesis.bayes.bayes_pool import BayesPool
from counterpulse.synthesis.bayes.effect_priors import EffectPrior, mixture, normal
from counterpulse.synthesis.pooling.asked import check_word


def prior_from(
    evidence: BayesPool,
    *,
    of: Literal["effect", "prediction"] = "prediction",
    variance_inflation: float = 1.0,
    bias: float = 0.0,
    bias_sd: float = 0.0,
    weight: float = 1.0,
    vague: EffectPrior | None = None,
) -> EffectPrior:
    """A prior of the effect in one body of evidence from the posterior in another, by its mean and variance.

    Parameters
    ----------
    evidence : for example, the pooled observational studies; on the same scale of estimation
    of : "prediction" takes the new effect as exchangeable with the studies of the evidence (meta-analytic predictive
        prior); "effect" takes it as their mean
    variance_inflation : factor on the variance, at least one; its inverse is the share of the evidence that counts
        (the power of a power prior)
    bias : what the evidence is expected to be off by, subtracted from its mean
    bias_sd : standard deviation of that bias
    weight : of the evidence; below one, the rest goes to `vague`, so that trials that contradict it prevail
    vague : a proper prior, needed where `weight` is below one

    Raises
    ------
    InputError : numbers outside their range; evidence without a finite variance; no `vague` prior

    References
    ----------
    Ibrahim and Chen 2000 (doi:10.1214/ss/1009212673); Schmidli et al. 2014 (doi:10.1111/biom.12242); Turner et al. 2009
    (doi:10.1111/j.1467-985X.2008.00547.x).
    """
    check_word(of, "of", ("effect", "prediction"))
    if not (isfinite(variance_inflation) and variance_inflation >= 1):
        raise InputError("'variance_inflation' is a factor of at least 1")
    if not (isfinite(bias) and isfinite(bias_sd) and bias_sd >= 0):
        raise InputError("'bias' is a finite number and 'bias_sd' a finite one that is not negative")
    if not 0 < weight <= 1:
        raise InputError("'weight' is above 0 and at most 1")
    source = evidence.effect if of == "effect" else evidence.prediction
    if not isfinite(source.sd):
        raise InputError(
            "the posterior of the evidence has no finite variance; use a prior of the heterogeneity with lighter tails"
        )
    informed = normal(source.mean - bias, (variance_inflation * source.sd**2 + bias_sd**2) ** 0.5)
    informed = replace(informed, name=f"from {evidence.k} studies: {informed.name}")
    if weight == 1:
        return informed
    if vague is None:
        raise InputError("a 'weight' below 1 leaves the rest to a vague prior; give 'vague', for example normal(0, 2)")
    return mixture((weight, informed), (1 - weight, vague))
