"""Models of clustered rows, programmed once more with dense matrices, plain integrals and enumeration."""

import itertools

import numpy as np
import polars as pl
import pytest
from scipy import integrate, optimize, special

from counterpulse.numerics.random_streams import stream
from counterpulse.regression import conditional_logistic, gee, linear, logistic, mixed_linear, mixed_logistic

CLOSED_FORM = 1e-9  # the same formula; the dense one inverts matrices of the size of the table
ITERATIVE = 1e-6  # the dense maximum is found without derivatives
INTEGRAL = 1e-7  # 61 nodes against adaptive integration


@pytest.fixture(scope="module")
def ward():
    rng = stream(20260101, "clusters slowly", 0)
    size = np.array([1, 2, 3, 5, 8, 4, 6, 7, 2, 9, 3, 5, 4, 6])
    center = np.repeat(np.arange(len(size)), size)
    n, shift = len(center), rng.normal(size=len(size))[center]
    x, arm = rng.normal(size=n), (center % 2).astype(float)
    died = rng.random(n) < special.expit(-0.3 + 0.6 * x + 0.5 * arm + shift)
    return pl.DataFrame(
        {
            "center": center, "x": x, "arm": arm, "y": 2 + x - arm + shift + rng.normal(size=n), "died": died,
            "count": rng.poisson(np.exp(0.3 * x + 0.4 * shift)), "visit": rng.permutation(n),
        }
    )  # fmt: skip


TERMS = ["x", "arm"]


def matrix(table):
    return np.column_stack([np.ones(table.height), table["x"], table["arm"]])


def inverse_root(symmetric):
    values, vectors = np.linalg.eigh(symmetric)
    return (vectors * np.where(values > 1e-10, np.maximum(values, 1e-10) ** -0.5, 0.0)) @ vectors.T


def dense_cr2(X, e, center, contrasts):
    """CR2 of least squares with all matrices written out, and Satterthwaite's degrees of freedom of each contrast."""
    n, M = len(e), np.linalg.inv(X.T @ X)
    H = X @ M @ X.T
    meat, pieces = np.zeros_like(M), []
    for g in np.unique(center):
        own = np.flatnonzero(center == g)
        A = inverse_root(np.eye(len(own)) - H[np.ix_(own, own)])
        score = X[own].T @ A @ e[own]
        meat += np.outer(score, score)
        pieces.append((np.eye(n) - H)[own].T @ A @ X[own] @ M)
    degrees = []
    for c in contrasts:
        P = np.column_stack([piece @ c for piece in pieces])
        products = P.T @ P
        degrees.append(np.trace(products) ** 2 / (products**2).sum())
    return M @ meat @ M, degrees


def test_cr2_of_least_squares(ward):
    X, y = matrix(ward), ward["y"].to_numpy()
    fit = linear(ward, outcome="y", terms=TERMS, cluster="center")
    contrasts = [*np.eye(3), np.array([0, 2.0, -1.0])]
    covariance, degrees = dense_cr2(X, y - X @ fit.coefficients, ward["center"].to_numpy(), contrasts)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=CLOSED_FORM, atol=CLOSED_FORM)
    rows = [*fit.estimates(), fit.contrast({"x": 2.0, "arm": -1.0})]
    np.testing.assert_allclose([row.df for row in rows], degrees, rtol=CLOSED_FORM)


def test_cr2_of_a_logistic_model_is_that_of_its_last_weighted_least_squares(ward):
    X, died = matrix(ward), ward["died"].to_numpy().astype(float)
    fit = logistic(ward, outcome="died", terms=TERMS, cluster="center")
    p = special.expit(X @ fit.coefficients)
    root = np.sqrt(p * (1 - p))
    contrasts = [*np.eye(3), np.array([0, 2.0, -1.0])]
    covariance, degrees = dense_cr2(X * root[:, None], (died - p) / root, ward["center"].to_numpy(), contrasts)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=CLOSED_FORM, atol=CLOSED_FORM)
    rows = [*fit.estimates(), fit.contrast({"x": 2.0, "arm": -1.0})]
    np.testing.assert_allclose([row.df for row in rows], degrees, rtol=CLOSED_FORM)


def dense_likelihood(parameters, X, y, Z, restricted):
    """Normal log-likelihood with the whole covariance matrix; (log ratio, log residual variance), beta profiled."""
    ratio, variance = np.exp(parameters)
    V = variance * (np.eye(len(y)) + ratio * Z @ Z.T)
    inverse = np.linalg.inv(V)
    information = X.T @ inverse @ X
    beta = np.linalg.solve(information, X.T @ inverse @ y)
    e = y - X @ beta
    value = len(y) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + e @ inverse @ e
    if restricted:
        value += np.linalg.slogdet(information)[1] - X.shape[1] * np.log(2 * np.pi)
    return -value / 2, beta, np.linalg.inv(information)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_random_intercept_of_a_number(ward, method):
    X, y = matrix(ward), ward["y"].to_numpy()
    Z = (ward["center"].to_numpy()[:, None] == np.arange(14)).astype(float)
    fit = mixed_linear(ward, outcome="y", terms=TERMS, cluster="center", method=method)
    args = (X, y, Z, method == "REML")
    found = optimize.minimize(
        lambda at: -dense_likelihood(at, *args)[0], [0.0, 0.0], method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000},
    )  # fmt: skip
    value, beta, covariance = dense_likelihood(found.x, *args)
    assert fit.log_likelihood == pytest.approx(value, rel=CLOSED_FORM)
    np.testing.assert_allclose(fit.coefficients, beta, rtol=ITERATIVE)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=ITERATIVE, atol=ITERATIVE)
    ratio, variance = np.exp(found.x)
    assert (fit.between.variance, fit.between.within) == pytest.approx((ratio * variance, variance), rel=ITERATIVE)


def integrated(parameters, X, died, center):
    """The marginal log-likelihood, each cluster by adaptive integration over its intercept."""
    linear_predictor, tau, total = X @ parameters[:-1], parameters[-1], 0.0
    for g in np.unique(center):
        own = center == g
        sign, fixed = 2 * died[own] - 1, linear_predictor[own]

        def product(u, sign=sign, fixed=fixed):
            return np.exp(special.log_expit(sign * (fixed + tau * u)).sum() - u * u / 2) / np.sqrt(2 * np.pi)

        total += np.log(integrate.quad(product, -12, 12, epsabs=0, epsrel=1e-11, limit=200)[0])
    return total


def test_random_intercept_of_a_binary_outcome(ward):
    X, died, center = matrix(ward), ward["died"].to_numpy().astype(float), ward["center"].to_numpy()
    fit = mixed_logistic(ward, outcome="died", terms=TERMS, cluster="center", quadrature=61)
    at = np.append(fit.coefficients, np.sqrt(fit.between.variance))
    assert fit.log_likelihood == pytest.approx(integrated(at, X, died, center), rel=INTEGRAL)
    for j in range(4):  # no step in any parameter is uphill
        for step in (-1e-3, 1e-3):
            assert integrated(at + step * np.eye(4)[j], X, died, center) < fit.log_likelihood


FAMILIES = {
    "binomial": ("died", special.expit, lambda m: m * (1 - m)),
    "gaussian": ("y", lambda x: x, np.ones_like),
    "poisson": ("count", np.exp, lambda m: m),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("correlation", ["independence", "exchangeable", "ar1"])
def test_estimating_equations(ward, family, correlation):
    outcome, mean, variance = FAMILIES[family]
    fit = gee(
        ward, outcome=outcome, terms=TERMS, cluster="center", family=family, correlation=correlation,
        order="visit" if correlation == "ar1" else None,
    )  # fmt: skip
    X, y, center, visit = matrix(ward), ward[outcome].to_numpy().astype(float), ward["center"].to_numpy(), ward["visit"].to_numpy()  # fmt: skip
    mu = mean(X @ fit.coefficients)
    root = np.sqrt(variance(mu))
    residual = (y - mu) / root
    apart = np.abs(visit[:, None] - visit[None, :])
    R = {"independence": np.eye(len(y)), "exchangeable": np.full((len(y), len(y)), fit.alpha), "ar1": fit.alpha ** apart.astype(float)}[correlation]  # fmt: skip
    np.fill_diagonal(R, 1.0)
    own = [np.flatnonzero(center == g) for g in np.unique(center)]
    score, information, scores = np.zeros(3), np.zeros((3, 3)), []
    for rows in own:
        D = X[rows] * (root**2)[rows, None]
        V = np.outer(root[rows], root[rows]) * R[np.ix_(rows, rows)]
        scores.append(D.T @ np.linalg.solve(V, y[rows] - mu[rows]))
        score, information = score + scores[-1], information + D.T @ np.linalg.solve(V, D)
    assert np.abs(score).max() < ITERATIVE
    assert fit.dispersion == pytest.approx((residual**2).mean(), rel=CLOSED_FORM)
    np.testing.assert_allclose(
        fit.model_covariance, fit.dispersion * np.linalg.inv(information), rtol=ITERATIVE, atol=CLOSED_FORM
    )
    M, meat = np.linalg.inv(information), np.zeros((3, 3))
    for rows in own:  # Kauermann and Carroll, with the root of a matrix that is not symmetric taken by eigenvalues
        D = X[rows] * (root**2)[rows, None]
        V = np.outer(root[rows], root[rows]) * R[np.ix_(rows, rows)]
        C = np.linalg.cholesky(V)
        white = np.linalg.solve(C, D)
        adjusted = inverse_root(np.eye(len(rows)) - white @ M @ white.T) @ np.linalg.solve(C, y[rows] - mu[rows])
        meat += np.outer(white.T @ adjusted, white.T @ adjusted)
    np.testing.assert_allclose(fit.covariance, M @ meat @ M, rtol=ITERATIVE, atol=CLOSED_FORM)


def test_conditional_likelihood_by_enumeration(ward):
    X, died, center = matrix(ward)[:, [1]], ward["died"].to_numpy(), ward["center"].to_numpy()
    fit = conditional_logistic(ward, outcome="died", terms=["x"], stratum="center")

    def value(beta):
        total = 0.0
        for g in np.unique(center):
            x, event = X[center == g] @ beta, died[center == g]
            sets = itertools.combinations(range(len(x)), int(event.sum()))
            total += x[event].sum() - special.logsumexp([x[list(chosen)].sum() for chosen in sets])
        return total

    assert fit.log_likelihood == pytest.approx(value(fit.coefficients), rel=CLOSED_FORM)
    assert fit.null_log_likelihood == pytest.approx(value(np.zeros(1)), rel=CLOSED_FORM)
    found = optimize.minimize_scalar(lambda b: -value(np.array([b])), bracket=(-1, 1), tol=1e-12)
    assert fit.coefficients[0] == pytest.approx(found.x, rel=ITERATIVE)
