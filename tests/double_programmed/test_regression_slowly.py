"""The same estimates from the obvious formulas: no blocks, no scaling, numerical derivatives, linear programs."""

import numpy as np
import polars as pl
import pytest
from scipy import optimize

from counterpulse.data.terms import Categorical, Interaction
from counterpulse.regression import linear, logistic, standardize
from counterpulse.results.status import Status

ITERATIVE = 1e-7  # relative; Newton without scaling, and an inverse of its information
DERIVATIVE = 1e-6  # relative; central differences of step 1e-5
PROFILE = 1e-6  # of the log-likelihood; the inner maximization stops at a gradient of 1e-9
SAME = 1e-10  # relative; one formula
ROOT = 1e-9  # of the sum of sizes; the estimates solve their equations
NOTHING = 1e-12  # absolute; covariances near zero


def cohort(seed=1, n=400):
    rng = np.random.default_rng(seed)
    age, sex = rng.normal(60, 10, n), rng.integers(0, 2, n)
    group = rng.integers(0, 3, n)
    treated = rng.random(n) < 1 / (1 + np.exp(-(age - 60) / 10))
    risk = 1 / (1 + np.exp(-(-1 + 0.05 * (age - 60) + 0.7 * treated - 0.4 * sex * treated + 0.3 * group)))
    return pl.DataFrame(
        {
            "age": age,
            "sex": np.where(sex == 1, "F", "M"),
            "group": group,
            "treated": treated,
            "died": rng.random(n) < risk,
            "length": rng.normal(5 + 2 * treated + age / 30, 2),
            "w": rng.uniform(0.3, 3, n),
            "k": rng.integers(0, 4, n),
            "center": rng.integers(0, 40, n),
        }
    )


TERMS = ["treated", "age", "sex", Categorical("group"), Interaction("treated", "sex")]


def matrix(table):
    t, male = table["treated"].cast(pl.Float64).to_numpy(), (table["sex"] == "M").cast(pl.Float64).to_numpy()
    group = table["group"].to_numpy()
    return np.column_stack([np.ones(len(t)), t, table["age"], male, group == 1, group == 2, t * male]).astype(float)


def expit(x):
    return 1 / (1 + np.exp(-x))


def newton(X, y, w):
    beta = np.zeros(X.shape[1])
    for _ in range(50):
        p = expit(X @ beta)
        beta = beta + np.linalg.solve(X.T @ np.diag(w * p * (1 - p)) @ X, X.T @ (w * (y - p)))
    return beta


def numerical_derivative(function, at):
    steps = 1e-5 * np.maximum(1, np.abs(at))
    return np.column_stack([(function(at + h) - function(at - h)) / (2 * h.max()) for h in np.diag(steps)])


@pytest.mark.parametrize("weights", [None, "k", "w"])
def test_newton_on_the_whole_matrix(weights):
    table = cohort()
    w = np.ones(table.height) if weights is None else table[weights].to_numpy().astype(float)
    X, y = matrix(table), table["died"].cast(pl.Float64).to_numpy()
    beta = newton(X, y, w)
    p = expit(X @ beta)
    fit = logistic(table, outcome="died", terms=TERMS, weights=weights, robust=False)
    np.testing.assert_allclose(fit.coefficients, beta, rtol=ITERATIVE)
    np.testing.assert_allclose(
        fit.covariance, np.linalg.inv(X.T @ np.diag(w * p * (1 - p)) @ X), rtol=ITERATIVE, atol=NOTHING
    )
    assert fit.log_likelihood == pytest.approx(np.sum(w * np.log(np.where(y == 1, p, 1 - p))), rel=ITERATIVE)


def test_a_long_table_started_from_a_part_ends_at_the_maximum_of_all():
    rng = np.random.default_rng(12)
    n = 170_000
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.exponential(size=n) * 100])
    y = (rng.random(n) < expit(X @ [-1.5, 0.5, 0.004])).astype(float)
    beta = np.zeros(3)
    for _ in range(12):
        p = expit(X @ beta)
        information = X.T @ (X * (p * (1 - p))[:, None])
        beta = beta + np.linalg.solve(information, X.T @ (y - p))
    fit = logistic(pl.DataFrame({"a": X[:, 1], "b": X[:, 2], "y": y}), outcome="y", terms=["a", "b"])
    np.testing.assert_allclose(fit.coefficients, beta, rtol=SAME)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(information), rtol=SAME, atol=NOTHING)


def estimating_functions(theta, table, binary, w):
    """One row a patient: both means, then the score of the model."""
    means, beta = theta[:2], theta[2:]
    inverse = expit if binary else (lambda x: x)
    y = table["died" if binary else "length"].cast(pl.Float64).to_numpy()
    psi = []
    for arm, value in enumerate((True, False)):
        psi.append(w * (inverse(matrix(table.with_columns(pl.lit(value).alias("treated"))) @ beta) - means[arm]))
    X = matrix(table)
    return np.column_stack([*psi, X * (w * (y - inverse(X @ beta)))[:, None]])


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    "options", [{}, {"weights": "w"}, {"cluster": "center"}, {"weights": "w", "cluster": "center"}]
)
def test_standardization_is_stacked_m_estimation(binary, options):
    table = cohort(2)
    model = logistic if binary else linear
    fit = model(table, outcome="died" if binary else "length", terms=TERMS, **options)
    result = standardize(fit, table, variable="treated", treated="yes", reference="no")
    w = table["w"].to_numpy() if "weights" in options else np.ones(table.height)
    theta = np.concatenate([result.means, fit.coefficients])
    psi = estimating_functions(theta, table, binary, w)
    np.testing.assert_allclose(psi.sum(axis=0) / np.abs(psi).sum(axis=0), 0, atol=ROOT)
    bread = numerical_derivative(lambda at: estimating_functions(at, table, binary, w).sum(axis=0), theta)
    factor = 1.0
    if "cluster" in options:
        labels = np.unique(table["center"])
        psi = np.array([psi[table["center"].to_numpy() == label].sum(axis=0) for label in labels])
        factor = len(labels) / (len(labels) - 1)
    inverse = np.linalg.inv(bread)
    slow = factor * (inverse @ psi.T @ psi @ inverse.T)[:2, :2]
    np.testing.assert_allclose(result.covariance, slow, rtol=DERIVATIVE)


def test_frequency_weights_standardize_like_repeated_rows():
    table = cohort(3)
    repeated = table[np.repeat(np.arange(table.height), table["k"].to_numpy())]
    one = standardize(
        logistic(table, outcome="died", terms=TERMS, weights="k"),
        table,
        variable="treated",
        treated=True,
        reference=False,
    )
    other = standardize(
        logistic(repeated, outcome="died", terms=TERMS), repeated, variable="treated", treated=True, reference=False
    )
    np.testing.assert_allclose(one.means, other.means, rtol=ITERATIVE)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=ITERATIVE)


def penalized(beta, X, y):
    p = expit(X @ beta)
    information = X.T @ np.diag(p * (1 - p)) @ X
    return np.sum(np.log(np.where(y == 1, p, 1 - p))) + np.linalg.slogdet(information)[1] / 2


def test_firth_profile_by_brute_force(shared_data):
    table = shared_data("endometrial.csv")
    X = np.column_stack([np.ones(table.height), table["NV"], table["PI"], table["EH"]])
    X[:, 2] /= 10
    y = table["HG"].to_numpy()
    table = table.with_columns(pl.col("PI") / 10)
    fit = logistic(table, outcome="HG", terms=["NV", "PI", "EH"], penalty="firth", interval="profile")

    def highest(fixed, value):
        free = [j for j in range(4) if j != fixed]

        def loss(rest):
            beta = np.empty(4)
            beta[free], beta[fixed] = rest, value
            return -penalized(beta, X, y)

        found = optimize.minimize(loss, fit.coefficients[free], method="BFGS", options={"gtol": 1e-9})
        return -found.fun

    assert fit.log_likelihood == pytest.approx(penalized(fit.coefficients, X, y), rel=SAME)
    target = fit.log_likelihood - 3.841458820694124 / 2
    for j, estimate in enumerate(fit.estimates()):
        ratio = 2 * (fit.log_likelihood - highest(j, 0.0))
        assert estimate.statistic == pytest.approx(ratio, rel=PROFILE)
        for end in (estimate.interval.low, estimate.interval.high):
            assert highest(j, end) == pytest.approx(target, abs=PROFILE)


def infinite_by_linear_programs(X, y):
    """Konis: coefficient j is infinite when some b with s_i x_i'b >= 0 for all i has b_j other than 0."""
    signed = X * np.where(y == 1, 1, -1)[:, None]
    infinite = np.zeros(X.shape[1], dtype=bool)
    for j in range(X.shape[1]):
        for side in (-1, 1):
            cost = np.zeros(X.shape[1])
            cost[j] = side
            found = optimize.linprog(cost, A_ub=-signed, b_ub=np.zeros(len(y)), bounds=(-1, 1), method="highs")
            infinite[j] |= found.fun < -1e-7
    return infinite


@pytest.mark.parametrize("seed", range(60))
def test_separation_is_what_linear_programming_finds(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 60))
    a, b, c = rng.random(n) < 0.2, rng.random(n) < 0.3, rng.normal(size=n).round(1)
    d = rng.integers(0, 3, n)
    y = rng.random(n) < expit(3 * a + 2 * c - 2 * b - 1)
    table = pl.DataFrame({"a": a, "b": b, "c": c, "d": d, "y": y})
    fit = logistic(table, outcome="y", terms=["a", "b", "c", Categorical("d")])
    if fit.status in (Status.NO_EVENTS, Status.ALL_EVENTS, Status.TOO_FEW_ROWS):
        return
    columns = [np.ones(n), a, b, c, *(d == level for level in sorted(set(d))[1:])]
    X = np.column_stack(columns).astype(float)
    keep = [j for j, status in enumerate(fit.parameters.statuses) if status in (Status.OK, Status.SEPARATION)]
    ours = np.array([fit.parameters.statuses[j] is Status.SEPARATION for j in keep])
    np.testing.assert_array_equal(ours, infinite_by_linear_programs(X[:, keep], y))
    finite = [j for j in keep if fit.parameters.statuses[j] is Status.OK]
    assert np.isfinite(fit.coefficients[finite]).all()
    assert np.isfinite(fit.parameters.std_errors()[finite]).all()
