"""Integrals by scipy's quadrature, Laplace's approximation and the restricted likelihood by dense matrices."""

from math import exp, lgamma, log, pi, sqrt

import numpy as np
import pytest
from scipy import integrate, optimize

from counterpulse.results.status import Status
from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.pooling.count_models import conditional_exact, unconditional_fixed, unconditional_random
from counterpulse.synthesis.pooling.counts import read_two_arms
from counterpulse.synthesis.pooling.generalized_linear import glmm
from counterpulse.synthesis.pooling.random_effects_fit import fit_common, fit_random
from counterpulse.synthesis.pooling.three_level import three_level

QUADRATURE = 1e-8  # absolute, in log-likelihood; 31 nodes, and knots of the exact cumulant function
LAPLACE = 1e-9  # absolute; the same formula by a general optimizer
MAXIMUM = 1e-6  # relative; where Nelder and Mead's simplex stops
ENGINE = 1e-6  # relative; two searches for the same variance
HIGHER = 1e-9  # absolute; no neighbor has a higher log-likelihood

# Small tables with empty cells, among them one in each arm.
SMALL = ([0, 3, 15, 2, 1], [40, 52, 61, 33, 25], [4, 16, 9, 0, 7], [38, 50, 66, 30, 25])
FLAT = ([0, 3, 5, 2, 1], [40, 52, 61, 33, 25], [4, 6, 9, 0, 7], [38, 50, 66, 30, 25])
EFFECTS = np.array([0.4, 0.1, 0.9, 0.3, -0.2, 0.5, 1.1, 0.2, 0.0, 0.6])
VARIANCES = np.array([0.05, 0.08, 0.04, 0.09, 0.06, 0.07, 0.05, 0.11, 0.03, 0.06])
STUDIES = np.array(["b", "a", "c", "b", "a", "c", "d", "e", "a", "d"])


def choose(n, x):
    return lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1)


def binomial(x, n, eta):
    return choose(n, x) + x * eta - n * np.logaddexp(0, eta)


def integrated(log_density):
    def density(u):
        return exp(log_density(u) - u * u / 2) / sqrt(2 * pi)

    return log(integrate.quad(density, -12, 12, epsabs=0, epsrel=1e-12, limit=400, points=[-3, 0, 3])[0])


def test_the_unconditional_likelihood_is_its_integral():
    t = read_two_arms(*SMALL)
    posed = unconditional_fixed(t, 31)
    fit = fit_random(posed.model, fit_common(posed.model.without_last_effect(), posed.start))
    theta, tau, total = fit.at[-2], fit.spread, 0.0
    assert fit.converged
    assert tau > 0
    for x1, n1, x2, n2, level in zip(*SMALL, fit.at[: t.k], strict=True):
        total += integrated(
            lambda u, x1=x1, n1=n1, x2=x2, n2=n2, level=level: (
                binomial(x1, n1, level + (theta + tau * u) / 2) + binomial(x2, n2, level - (theta + tau * u) / 2)
            )
        )
    assert fit.log_likelihood == pytest.approx(total, abs=QUADRATURE)
    assert_highest(posed.model, fit)


def test_the_exact_conditional_likelihood_is_its_integral():
    t = read_two_arms(*SMALL)
    posed = conditional_exact(t, 31)
    fit = fit_random(posed.model, fit_common(posed.model.without_last_effect(), posed.start))
    theta, tau, total = fit.at[0], fit.spread, 0.0
    for x1, n1, x2, n2 in zip(*SMALL, strict=True):
        tables = range(max(0, x1 + x2 - n2), min(n1, x1 + x2) + 1)

        def mass(u, x1=x1, n1=n1, n2=n2, events=x1 + x2, tables=tables):
            eta = theta + tau * u
            weights = [choose(n1, x) + choose(n2, events - x) + x * eta for x in tables]
            return weights[x1 - tables[0]] - np.logaddexp.reduce(weights)

        total += integrated(mass)
    assert fit.log_likelihood == pytest.approx(total, abs=QUADRATURE)
    assert_highest(posed.model, fit)


def test_laplace_with_two_random_effects():
    t = read_two_arms(*SMALL)
    posed = unconditional_random(t, 1)
    fit = fit_random(posed.model, fit_common(posed.model.without_last_effect(), posed.start))
    mu, theta, sigma, tau = fit.at
    total = 0.0
    for x1, n1, x2, n2 in zip(*SMALL, strict=True):

        def minus(u, x1=x1, n1=n1, x2=x2, n2=n2):
            first, second = mu + sigma * u[0] + (theta + tau * u[1]) / 2, mu + sigma * u[0] - (theta + tau * u[1]) / 2
            return -binomial(x1, n1, first) - binomial(x2, n2, second) + (u[0] ** 2 + u[1] ** 2) / 2

        loads = np.array([[sigma, tau / 2], [sigma, -tau / 2]])
        middle, size, events = mu + np.array([theta, -theta]) / 2, np.array([n1, n2]), np.array([x1, x2])

        def risks(u, loads=loads, middle=middle):
            return 1 / (1 + np.exp(-(middle + loads @ u)))

        def slope(u, loads=loads, size=size, events=events, risks=risks):
            return loads.T @ (events - size * risks(u)) - u

        mode = optimize.root(slope, [0, 0], tol=1e-14).x
        risk = risks(mode)
        curvature = np.eye(2) + loads.T @ np.diag(size * risk * (1 - risk)) @ loads
        total += -minus(mode) - np.linalg.slogdet(curvature)[1] / 2
    assert fit.log_likelihood == pytest.approx(total, abs=LAPLACE)
    assert_highest(posed.model, fit)


def assert_highest(model, fit):
    likelihood = model.likelihood()
    top = likelihood.value(fit.at)
    for position in range(len(fit.at)):
        for step in (-0.01, 0.01):
            beside = fit.at.copy()
            beside[position] += step
            assert likelihood.value(beside) < top + HIGHER


def test_no_variance_of_either_random_effect_is_found():
    fit = glmm(*FLAT, model="unconditional-random")
    assert fit.status is Status.OK
    assert fit.tau2_test.statistic >= 0
    assert glmm(*FLAT).tau2 == 0


def test_more_nodes_for_two_random_effects_is_nearer_the_integral():
    few, many = (glmm(*SMALL, model="unconditional-random", quadrature=points) for points in (9, 15))
    assert few.pooled.value == pytest.approx(many.pooled.value, rel=MAXIMUM)
    assert glmm(*SMALL, model="unconditional-random").pooled.value != pytest.approx(many.pooled.value, rel=MAXIMUM)


def dense(between, within, correlation):
    same = STUDIES[:, None] == STUDIES
    size = np.sqrt(VARIANCES)
    covariance = np.outer(size, size) * correlation * same
    np.fill_diagonal(covariance, VARIANCES)
    covariance = covariance + within * np.eye(10) + between * same
    inverse = np.linalg.inv(covariance)
    precision = inverse.sum()
    mean = inverse.sum(axis=0) @ EFFECTS / precision
    rest = EFFECTS - mean
    value = -(
        9 * log(2 * pi) - log(10) + np.linalg.slogdet(covariance)[1] + log(precision) + rest @ inverse @ rest
    ) / 2  # fmt: skip
    return value, mean, precision**-0.5


@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.2])
def test_three_levels_by_dense_matrices(correlation):
    fit = three_level(EFFECTS, VARIANCES, STUDIES, correlation=correlation)
    best = max(
        (
            optimize.minimize(
                lambda root: -dense(root[0] ** 2, root[1] ** 2, correlation)[0], start, method="Nelder-Mead",
                options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000},
            )
            for start in ([0.3, 0.3], [0.05, 0.4], [0.4, 0.02])
        ),
        key=lambda found: -found.fun,
    )  # fmt: skip
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=MAXIMUM)
    assert fit.log_likelihood >= -best.fun - HIGHER
    value, mean, error = dense(fit.tau2_between, fit.tau2_within, correlation)
    assert fit.log_likelihood == pytest.approx(value, abs=HIGHER)
    assert (fit.pooled.value, fit.pooled.std_error) == pytest.approx((mean, error), abs=HIGHER)
    assert fit.weights @ EFFECTS == pytest.approx(mean, abs=HIGHER)


def test_profile_intervals_end_where_the_likelihood_has_fallen():
    fit = three_level(EFFECTS, VARIANCES, STUDIES)
    interval = fit.tau2_within_interval

    def profile(within):
        found = optimize.minimize_scalar(
            lambda root: -dense(root**2, within, 0.0)[0], bounds=(0, 3), method="bounded", options={"xatol": 1e-10}
        )
        return -found.fun

    assert 2 * (fit.log_likelihood - profile(interval.high)) == pytest.approx(3.841458820694124, rel=MAXIMUM)
    assert interval.low == 0 or 2 * (fit.log_likelihood - profile(interval.low)) == pytest.approx(
        3.841458820694124, rel=MAXIMUM
    )


def test_one_effect_a_study_is_the_two_level_model():
    fit = three_level(EFFECTS, VARIANCES, range(10))
    tau2 = float(between_variance(EFFECTS, VARIANCES, estimator="REML").tau2[0])
    assert fit.tau2_between == pytest.approx(tau2, rel=ENGINE)
    assert fit.status.code == "one-effect-a-study"
    weights = 1 / (VARIANCES + tau2)
    assert fit.pooled.value == pytest.approx(weights @ EFFECTS / weights.sum(), rel=ENGINE)
