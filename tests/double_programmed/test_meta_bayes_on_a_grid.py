"""The Bayesian model once more on a plain grid over effect and tau, with Simpson's rule."""

import numpy as np
import pytest
from scipy import special

from counterpulse.synthesis.bayes.bayes_pool import bayes_pool
from counterpulse.synthesis.bayes.effect_priors import mixture, normal
from counterpulse.synthesis.bayes.heterogeneity_priors import exponential, half_normal, half_t, log_normal, uniform

YI, VI = np.array([-0.62, 0.18, -0.35, -1.10]), np.array([0.08, 0.12, 0.05, 0.2])

RULE = 1e-8  # relative; the error of Simpson's rule at this step
ROOT = 1e-10  # relative; the ends of an interval are roots of the distribution function
COARSE = 1e-3  # a quantile between two points of the grid


class Grid:
    """Everything by adding up products of densities."""

    def __init__(self, tau_density, mu_density, upper, lower=1e-12):
        self.mu, self.tau = np.linspace(-9, 8, 851), np.linspace(lower, upper, 2401)
        height = mu_density(self.mu)[:, None] * tau_density(self.tau)[None, :]
        for y, v in zip(YI, VI, strict=True):
            spread = v + self.tau**2
            height = height * np.exp(-0.5 * (y - self.mu[:, None]) ** 2 / spread) / np.sqrt(2 * np.pi * spread)
        across = np.full(len(self.tau), 2 / 3)
        across[1::2], across[[0, -1]] = 4 / 3, 1 / 3
        across *= self.tau[1] - self.tau[0]
        self.mass = height * across * (self.mu[1] - self.mu[0])
        self.evidence = self.mass.sum()
        self.mass /= self.evidence

    def mean(self, of):
        return float((self.mass * of(self.mu[:, None], self.tau[None, :])).sum())

    def new_below(self, x):
        return self.mean(lambda mu, tau: special.ndtr((x - mu) / tau))


def half_normal_density(scale):
    return lambda tau: np.sqrt(2 / np.pi) / scale * np.exp(-0.5 * (tau / scale) ** 2)


def normal_density(mean, sd):
    return lambda mu: np.exp(-0.5 * ((mu - mean) / sd) ** 2) / sd / np.sqrt(2 * np.pi)


def two_normals(mu):
    return 0.7 * normal_density(-0.3, 0.4)(mu) + 0.3 * normal_density(0, 2)(mu)


def log_normal_density(tau):
    return np.exp(-0.5 * ((np.log(tau) + 1) / 0.35) ** 2) / tau / 0.35 / np.sqrt(2 * np.pi)


CASES = {
    "half-normal, normal": (half_normal(0.5), (0.0, 2.0), half_normal_density(0.5), normal_density(0, 2), 4.5, RULE),
    "half-normal, mixture": (
        half_normal(0.5), mixture((0.7, normal(-0.3, 0.4)), (0.3, normal(0, 2))), half_normal_density(0.5), two_normals,
        4.5, RULE,
    ),
    "exponential": (exponential(0.4), (0.0, 2.0), lambda t: np.exp(-t / 0.4) / 0.4, normal_density(0, 2), 8, RULE),
    "uniform": (uniform(1.5), (0.0, 2.0), lambda t: np.full_like(t, 1 / 1.5), normal_density(0, 2), 1.5, RULE),
    "log-normal": (log_normal(-2, 0.7, of="tau2"), (0.0, 2.0), log_normal_density, normal_density(0, 2), 6, RULE),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_posterior(name):
    tau, mu, tau_density, mu_density, upper, relative = CASES[name]
    fit = bayes_pool(YI, VI, heterogeneity_prior=tau, effect_prior=mu)
    grid = Grid(tau_density, mu_density, upper)
    center = grid.mean(lambda m, t: m)
    spread = grid.mean(lambda m, t: t)
    assert fit.effect.mean == pytest.approx(center, rel=relative)
    assert fit.effect.sd**2 == pytest.approx(grid.mean(lambda m, t: (m - center) ** 2), rel=relative)
    assert fit.heterogeneity.mean == pytest.approx(spread, rel=relative)
    assert fit.heterogeneity.sd**2 == pytest.approx(grid.mean(lambda m, t: (t - spread) ** 2), rel=relative)
    assert fit.prediction.sd**2 == pytest.approx(grid.mean(lambda m, t: (m - center) ** 2 + t**2), rel=relative)
    assert np.exp(fit.log_marginal_likelihood) == pytest.approx(grid.evidence, rel=relative)
    for threshold in (-1.0, 0.0, 0.5):
        below = fit.probability_below(threshold, parameter="prediction")
        assert below == pytest.approx(grid.new_below(threshold), rel=max(relative, 1e-6))
        below = fit.probability_below(threshold)
        assert below == pytest.approx(grid.mean(lambda m, t, x=threshold: 1.0 * (m < x) + 0.5 * (m == x)), abs=COARSE)


def test_shrinkage():
    fit = bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5), effect_prior=(0, 2))
    grid = Grid(half_normal_density(0.5), normal_density(0, 2), 4.5)
    for y, v, got in zip(YI, VI, fit.shrinkage_estimates(), strict=True):
        first = grid.mean(lambda m, t, y=y, v=v: (y * t**2 + m * v) / (t**2 + v))
        second = grid.mean(lambda m, t, y=y, v=v: ((y * t**2 + m * v) / (t**2 + v)) ** 2 + v * t**2 / (v + t**2))
        assert got.std_error**2 == pytest.approx(second - first**2, rel=RULE)
        assert min(y, got.value, fit.effect.median) == pytest.approx(min(y, fit.effect.median))


def test_no_effect_by_the_grid():
    fit = bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5), effect_prior=(0, 2))
    grid = Grid(half_normal_density(0.5), normal_density(0, 2), 4.5)
    at_zero = int(np.abs(grid.mu).argmin())
    density = grid.mass[at_zero].sum() / (grid.mu[1] - grid.mu[0])
    assert fit.bayes_factors.no_effect == pytest.approx(density / normal_density(0, 2)(0.0), rel=RULE)


def test_shortest_interval_is_the_shortest():
    fit = bayes_pool(YI, VI, heterogeneity_prior=half_t(0.5, df=4), interval="shortest")
    for parameter, of in (("effect", fit.effect), ("heterogeneity", fit.heterogeneity), ("prediction", fit.prediction)):
        starts = np.linspace(1e-6, 0.05 - 1e-6, 400)
        widths = [fit.quantile(p + 0.95, parameter=parameter) - fit.quantile(p, parameter=parameter) for p in starts]
        got = of.shortest.high - of.shortest.low
        assert got <= min(widths) * (1 + 1e-12)
        below = [fit.probability_below(end, parameter=parameter) for end in (of.shortest.low, of.shortest.high)]
        assert below[1] - below[0] == pytest.approx(0.95, rel=ROOT)
