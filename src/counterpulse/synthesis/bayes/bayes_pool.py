"""Bayesian random-effects meta-analysis of normal effects, by quadrature instead of simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.bayes.bayes_factors import BayesFactors, bayes_factors, peak_of
from counterpulse.synthesis.bayes.effect_priors import EffectPrior, read_effect_prior
from counterpulse.synthesis.bayes.heterogeneity_posterior import (
    TINY,
    TauPosterior,
    conditional_on,
    log_sum,
    tau_posterior,
)
from counterpulse.synthesis.bayes.heterogeneity_priors import HeterogeneityPrior, half_normal
from counterpulse.synthesis.bayes.marginals import (
    Marginal,
    NormalMixture,
    central_interval,
    mixture_mode,
    quantiles,
    shortest_interval,
)
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]
Parameter = Literal["effect", "heterogeneity", "prediction"]
IntervalKind = Literal["shortest", "central"]

PARAMETERS = ("effect", "heterogeneity", "prediction")

LIGHT = 1e-17
"""A component of a mixture with less weight than this is left out."""

FEW = 5
"""Below, the studies say little of the heterogeneity."""

USUAL_SCALE = 0.5
"""Of the half-normal prior of tau on a logarithmic scale (Röver et al. 2021)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """A posterior distribution in numbers, on the scale of estimation.

    Attributes
    ----------
    mean, sd : nan and inf where the tails are too heavy for them to exist
    mode : highest density
    shortest, central : credible intervals
    """

    median: float
    mean: float
    sd: float
    mode: float
    shortest: Interval
    central: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesPool:
    """The posterior of a random-effects meta-analysis.

    Attributes
    ----------
    effect : the mean effect over studies (mu)
    heterogeneity : the standard deviation between studies (tau)
    prediction : the true effect of a new study
    i2 : fraction of the variance that lies between studies, at the median of tau
    log_marginal_likelihood : nan where a prior is improper
    bayes_factors : of no heterogeneity and of no effect
    k, level, status : studies, level of the intervals, OK
    """

    effect: Posterior
    heterogeneity: Posterior
    prediction: Posterior
    i2: float
    log_marginal_likelihood: float
    bayes_factors: BayesFactors
    k: int
    level: float
    measure: str
    scale: Scale
    interval: IntervalKind
    heterogeneity_prior: HeterogeneityPrior
    effect_prior: EffectPrior
    provenance: Provenance
    tau_posterior: TauPosterior
    effect_posterior: NormalMixture
    predictive: NormalMixture
    yi: Floats
    vi: Floats
    status: Status = Status.OK

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        if self.k == 1:
            return ("one study: what is said of the heterogeneity is its prior",)
        return (f"with {self.k} studies the heterogeneity rests largely on its prior",) if self.k < FEW else ()

    @property
    def tau2(self) -> float:
        """Square of the median of tau."""
        return self.heterogeneity.median**2

    @property
    def tau2_interval(self) -> Interval:
        """Squares of the ends of the interval of tau."""
        ends = self._chosen(self.heterogeneity)
        return replace(ends, low=ends.low**2, high=ends.high**2)

    @property
    def prediction_interval(self) -> Interval:
        """Of the true effect of a new study."""
        return self._chosen(self.prediction)

    def estimates(self) -> tuple[Estimate, ...]:
        """Posterior medians of the effect, of a new study's effect, and of tau."""
        return (
            self._estimate(self.effect, "effect", self.measure, self.scale),
            self._estimate(self.prediction, "prediction", self.measure, self.scale),
            self._estimate(self.heterogeneity, "heterogeneity", "tau", "identity"),
        )

    def tidy(self) -> pl.DataFrame:
        """The estimates, one a row, on the natural scale."""
        return tidy(self.estimates())

    def probability_below(self, threshold: float, *, parameter: Parameter = "effect") -> float:
        """P(parameter < threshold), the threshold on the scale of estimation."""
        return float(self._marginal(parameter).cdf(np.array([float(threshold)]))[0])

    def quantile(self, probability: float, *, parameter: Parameter = "effect") -> float:
        """The value below which the parameter lies with this probability."""
        check_level(probability)
        return float(quantiles(self._marginal(parameter), np.array([probability]))[0])

    def posterior_density(self, parameter: Parameter, points: ArrayLike) -> Floats:
        """Posterior density at points on the scale of estimation, shape (n,)."""
        return self._marginal(parameter).density(np.atleast_1d(np.asarray(points, dtype=float)))

    def prior_density(self, parameter: Parameter, points: ArrayLike) -> Floats:
        """Prior density of the effect or of tau at points, shape (n,); nan where the prior is improper."""
        at = np.atleast_1d(np.asarray(points, dtype=float))
        check_word(parameter, "parameter", ("effect", "heterogeneity"))
        if parameter == "effect":
            return self.effect_prior.density(at) if self.effect_prior.proper else np.full_like(at, nan)
        prior = self.heterogeneity_prior
        if not prior.proper:
            return np.full_like(at, nan)
        inside = (at >= 0) & (at <= prior.upper)
        return np.where(inside, np.exp(prior.log_density(np.where(inside, np.maximum(at, TINY), 1.0), self.vi)), 0.0)

    def shrinkage_estimates(self) -> tuple[Estimate, ...]:
        """The true effect of each study, drawn towards the others; posterior medians in the order of the studies."""
        tau = self.tau_posterior.tau
        given = conditional_on(tau, self.yi, self.vi, self.effect_prior)
        found = []
        for row, (y, v) in enumerate(zip(self.yi, self.vi, strict=True), start=1):
            away = (v / (v + tau**2))[:, None]
            spread = v * (1 - away) + away**2 * given.variance
            parts = _mixture(self.tau_posterior, given.log_likelihood, y + away * (given.mean - y), spread)
            summary = _summary(parts, parts.mean, parts.sd, mixture_mode(parts), self.level)
            found.append(self._estimate(summary, f"study {row}", self.measure, self.scale))
        return tuple(found)

    def _marginal(self, parameter: Parameter) -> Marginal:
        check_word(parameter, "parameter", PARAMETERS)
        if parameter == "heterogeneity":
            return self.tau_posterior
        return self.effect_posterior if parameter == "effect" else self.predictive

    def _chosen(self, of: Posterior) -> Interval:
        return of.shortest if self.interval == "shortest" else of.central

    def _estimate(self, of: Posterior, term: str, measure: str, scale: Scale) -> Estimate:
        return Estimate(
            term=term, measure=measure, value=of.median, std_error=of.sd if isfinite(of.sd) else None,
            interval=self._chosen(of), scale=scale, notes=self.notes,
        )  # fmt: skip


def bayes_pool(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    heterogeneity_prior: HeterogeneityPrior | None = None,
    effect_prior: EffectPrior | tuple[float, float] | None = None,
    measure: str = "effect",
    scale: Scale = "identity",
    level: float = LEVEL,
    interval: IntervalKind = "shortest",
) -> BayesPool:
    """Posterior of the mean effect, the heterogeneity and the effect of a new study.

    Parameters
    ----------
    yi, vi : effects and their sampling variances, shape (k,), on the scale of estimation
    heterogeneity_prior : of tau, made by `half_normal`, `half_cauchy`, `half_t`, `exponential`, `uniform`, `log_normal` or
        `jeffreys`; half-normal(0.5) on the log scale where none is given, and to be given on every other scale
    effect_prior : None is flat; (mean, sd) is normal; or one made by `normal`, `mixture` or `prior_from`
    measure, scale : what the effect is called, and its scale ("log" of ratios), in `.estimates()`
    level : probability of the credible intervals
    interval : "shortest" (highest posterior density where there is one mode) or "central" (equal tails)

    Raises
    ------
    InputError : effects or variances that cannot be used; priors that leave the posterior improper; no prior of tau

    Notes
    -----
    ``y_i ~ N(theta_i, v_i)``, ``theta_i ~ N(mu, tau^2)``, with v_i as known. Given tau everything is normal, so the
    effect is integrated out in closed form and tau by quadrature: all posteriors are mixtures of normals.

    References
    ----------
    Röver 2020, doi:10.18637/jss.v093.i06.
    """
    y, v = read_studies(yi, vi)
    check_level(level)
    check_word(interval, "interval", ("shortest", "central"))
    tau_prior = _tau_prior(heterogeneity_prior, scale)
    mu_prior = read_effect_prior(effect_prior)
    index = _tail_index(tau_prior, mu_prior, len(y))

    def log_height(tau: Floats) -> Floats:
        likelihood = log_sum(conditional_on(tau, y, v, mu_prior).log_likelihood)
        return tau_prior.log_density(tau, v) + likelihood

    about = float(np.sqrt(np.median(v) + y.var()))
    tau = tau_posterior(log_height, scale=about, upper=tau_prior.upper)
    given = conditional_on(tau.tau, y, v, mu_prior)
    mu = _mixture(tau, given.log_likelihood, given.mean, given.variance)
    new = _mixture(tau, given.log_likelihood, given.mean, given.variance + (tau.tau**2)[:, None])
    of_tau = _tau_summary(tau, index, level)
    typical = _typical_variance(v)
    both_proper = tau_prior.proper and mu_prior.proper
    effect_index = inf if mu_prior.proper else index
    return BayesPool(
        effect=_mixture_summary(mu, effect_index, level), heterogeneity=of_tau,
        prediction=_mixture_summary(new, index, level), i2=of_tau.median**2 / (of_tau.median**2 + typical),
        log_marginal_likelihood=tau.log_evidence if both_proper else nan,
        bayes_factors=bayes_factors(y, v, tau_prior, mu_prior, posterior=tau, mu=mu),
        k=len(y), level=level, measure=measure, scale=scale, interval=interval, heterogeneity_prior=tau_prior, effect_prior=mu_prior,
        provenance=_provenance(tau_prior, heterogeneity_prior is None, mu_prior, effect_prior is None, interval),
        tau_posterior=tau, effect_posterior=mu, predictive=new, yi=y, vi=v,
    )  # fmt: skip


def _tau_prior(given: HeterogeneityPrior | None, scale: Scale) -> HeterogeneityPrior:
    if given is None:
        if scale == "log":
            return half_normal(USUAL_SCALE)
        raise InputError(
            "a prior of the heterogeneity depends on the unit of the effect; give 'heterogeneity_prior', for example half_normal(0.5) "
            "for logarithms of ratios"
        )
    if not isinstance(given, HeterogeneityPrior):
        raise InputError(
            "'heterogeneity_prior' is made by half_normal, half_cauchy, half_t, exponential, uniform, log_normal or jeffreys"
        )
    return given


def _tail_index(tau: HeterogeneityPrior, mu: EffectPrior, k: int) -> float:
    """The power by which the posterior of tau falls for large tau; at one and below it is improper."""
    if tau.upper < inf:
        return inf
    index = tau.tail + (k if mu.proper else k - 1)
    if index <= 1:
        raise InputError(
            f"with {k} {'study' if k == 1 else 'studies'} the prior {tau.name} of the heterogeneity leaves the posterior improper; "
            "use a proper prior, for example half_normal"
        )
    return index


def _mixture(tau: TauPosterior, log_likelihood: Floats, mean: Floats, variance: Floats) -> NormalMixture:
    share = tau.mass[:, None] * np.exp(log_likelihood - log_sum(log_likelihood)[:, None])
    held = share > LIGHT
    weights = share[held]
    return NormalMixture(weights / weights.sum(), mean[held], np.sqrt(variance[held]))


def _mixture_summary(of: NormalMixture, index: float, level: float) -> Posterior:
    return _summary(of, of.mean if index > 2 else nan, of.sd if index > 3 else inf, mixture_mode(of), level)


def _tau_summary(tau: TauPosterior, index: float, level: float) -> Posterior:
    mean = float(tau.mass @ tau.tau)
    sd = float(np.sqrt(tau.mass @ (tau.tau - mean) ** 2))
    mode = peak_of(tau.log_height, np.append(np.array([tau.tau[0] * 1e-9]), tau.tau))
    at_zero = mode <= tau.tau[0]
    return _summary(
        tau, mean if index > 2 else inf, sd if index > 3 else inf, 0.0 if at_zero else mode, level, least=0.0
    )


def _summary(of: Marginal, mean: float, sd: float, mode: float, level: float, *, least: float = -inf) -> Posterior:
    return Posterior(
        median=float(quantiles(of, np.array([0.5]))[0]), mean=mean, sd=sd, mode=mode,
        shortest=Interval(*shortest_interval(of, level, least=least), level, "shortest credible"),
        central=Interval(*central_interval(of, level), level, "central credible"),
    )  # fmt: skip


def _typical_variance(v: Floats) -> float:
    """What a typical study has within itself (Higgins and Thompson 2002); that study's own where there is one."""
    w = 1 / v
    spare = w.sum() ** 2 - (w**2).sum()
    return float((len(v) - 1) * w.sum() / spare) if len(v) > 1 else float(v[0])


def _provenance(
    tau: HeterogeneityPrior, usual_tau: bool, mu: EffectPrior, usual_mu: bool, interval: IntervalKind
) -> Provenance:
    return Provenance(
        method="Bayesian random-effects meta-analysis",
        choices=(
            Choice("prior of the heterogeneity", tau.name, "default" if usual_tau else "given", "rover-2021"),
            Choice("prior of the effect", mu.name, "default" if usual_mu else "given"),
            Choice("interval", interval, "default" if interval == "shortest" else "given"),
        ),
        citations=("rover-2020", "rover-2021"),
    )  # fmt: skip
