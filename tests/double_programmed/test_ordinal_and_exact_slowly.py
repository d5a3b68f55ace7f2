"""Brant's test, the ordinal likelihood and exact logistic regression, written again the slow, obvious way."""

from itertools import combinations
from math import exp, log

import numpy as np
import polars as pl
import pytest

from counterpulse.data import Spline
from counterpulse.regression import (
    exact_logistic,
    linear,
    logistic,
    negative_binomial,
    ordinal,
    proportional_odds_test,
)

ITERATIVE = 1e-7  # relative; both iterate to the maximum
EXACT = 1e-9  # relative; the same roots by bisection
STRAIGHT = 1e-8  # rounding of a curve of size 1
SMOOTH = 1e-6  # third-order difference quotients with step 1e-3
BEND = 1e-4  # second difference quotients with step 1e-3 or 1e-2
GRADIENT = 1e-5  # of a score; a difference quotient with step 1e-6


@pytest.fixture(scope="module")
def patients():
    rng = np.random.default_rng(21)
    n = 220
    x, z = rng.normal(50, 10, n), rng.integers(0, 2, n)
    level = np.digitize(0.04 * x + 0.7 * z + rng.logistic(size=n), [1.2, 2.4, 3.6])
    return pl.DataFrame({"x": x, "z": z, "level": level})


def test_the_ordinal_likelihood_row_by_row(patients):
    fit = ordinal(patients, outcome="level", terms=["x", "z"])

    def log_likelihood(values):
        total = 0.0
        for x, z, level in patients.iter_rows():
            edges = [0.0, *(1 / (1 + exp(-(cut - values[3] * x - values[4] * z))) for cut in values[:3]), 1.0]
            total += log(edges[level + 1] - edges[level])
        return total

    assert log_likelihood(fit.coefficients) == pytest.approx(fit.log_likelihood, rel=ITERATIVE)
    errors = fit.parameters.std_errors()
    for position, error in enumerate(errors):
        step = np.eye(5)[position] * error * 1e-6
        slope = (log_likelihood(fit.coefficients + step) - log_likelihood(fit.coefficients - step)) / 2e-6
        assert abs(slope) < GRADIENT
        assert log_likelihood(fit.coefficients + 0.3 * np.eye(5)[position] * error) < fit.log_likelihood


def brant(table, names):
    """Brant 1990, equations for the Wald statistic, with full matrices."""
    X = np.column_stack([np.ones(table.height), *(table[name].to_numpy().astype(float) for name in names)])
    slopes, probabilities = [], []
    for cut in range(3):
        fit = logistic(table.with_columns((pl.col("level") > cut).alias("above")), outcome="above", terms=list(names))
        slopes.append(fit.coefficients[1:])
        probabilities.append(fit.predict(table))
    p = len(names)
    V = np.zeros((3 * p, 3 * p))
    for j in range(3):
        for k in range(3):
            first, later = min(j, k), max(j, k)
            W_jk = np.diag(probabilities[later] - probabilities[first] * probabilities[later])
            W_j, W_k = (np.diag(probabilities[i] * (1 - probabilities[i])) for i in (j, k))
            whole = np.linalg.inv(X.T @ W_j @ X) @ X.T @ W_jk @ X @ np.linalg.inv(X.T @ W_k @ X)
            V[j * p : (j + 1) * p, k * p : (k + 1) * p] = whole[1:, 1:]
    return np.concatenate(slopes), V


def test_brants_test_with_full_matrices(patients):
    beta, V = brant(patients, ["x", "z"])
    test = proportional_odds_test(ordinal(patients, outcome="level", terms=["x", "z"]))
    first = np.array([[1, 0, -1, 0, 0, 0], [0, 1, 0, -1, 0, 0], [1, 0, 0, 0, -1, 0], [0, 1, 0, 0, 0, -1]], dtype=float)
    for name, D in (("overall", first), ("x", first[[0, 2]]), ("z", first[[1, 3]])):
        expected = D @ beta @ np.linalg.inv(D @ V @ D.T) @ D @ beta
        found = next(item for item in test.brant if item.variable == name)
        assert (found.chi_squared, found.df) == pytest.approx((expected, len(D)), rel=ITERATIVE)


def counted_completely(table, names, position):
    """Every way to give the events to patients; of those with the observed sums of the others, the sums of one."""
    X = np.column_stack([table[name].to_numpy().astype(float) for name in names])
    y = table["y"].to_numpy()
    n, events = len(y), int(y.sum())
    others = [j for j in range(len(names)) if j != position]
    wanted = X[y].sum(axis=0)
    sums = []
    for chosen in combinations(range(n), events):
        total = X[list(chosen)].sum(axis=0)
        if np.allclose(total[others], wanted[others]):
            sums.append(total[position])
    return np.array(sums), wanted[position]


def bisected(increasing, low=-60.0, high=60.0):
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if increasing(middle) < 0 else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize("seed", range(6))
def test_exact_logistic_is_the_complete_enumeration(seed):
    rng = np.random.default_rng(seed)
    n = 13
    table = pl.DataFrame({"x": rng.integers(0, 2, n), "dose": rng.integers(0, 4, n) / 2, "y": rng.random(n) < 0.45})
    found = exact_logistic(table, outcome="y", terms=["x", "dose"], level=0.9).estimates()
    for position in range(2):
        sums, observed = counted_completely(table, ["x", "dose"], position)
        ours = found[position]
        if len(set(sums)) == 1:
            assert ours.status.code == "undefined"
            continue

        def tail(beta, above, sums=sums, observed=observed):
            weight = np.exp(beta * (sums - observed))
            return weight[sums >= observed if above else sums <= observed].sum() / weight.sum()

        expected_p = min(1.0, 2 * min(tail(0, above=True), tail(0, above=False)))
        assert ours.p_value == pytest.approx(expected_p, rel=EXACT)
        lowest, highest = observed == sums.min(), observed == sums.max()
        low = -np.inf if lowest else bisected(lambda beta: tail(beta, above=True) - 0.05)
        high = np.inf if highest else bisected(lambda beta: 0.05 - tail(beta, above=False))
        assert (ours.interval.low, ours.interval.high) == pytest.approx((low, high), rel=EXACT, abs=EXACT)
        if highest:
            value = bisected(lambda beta: tail(beta, above=True) - 0.5)
        elif lowest:
            value = bisected(lambda beta: 0.5 - tail(beta, above=False))
        else:
            value = bisected(
                lambda beta, sums=sums, observed=observed: (
                    np.average(sums, weights=np.exp(beta * (sums - observed))) - observed
                )
            )
        assert ours.value == pytest.approx(value, rel=EXACT, abs=EXACT)


def test_a_natural_spline_is_a_cubic_that_is_straight_outside_and_smooth_inside():
    rng = np.random.default_rng(3)
    table = pl.DataFrame({"x": rng.uniform(0, 10, 300)}).with_columns(
        (pl.col("x").sin() + pl.Series(rng.normal(0, 0.2, 300))).alias("y")
    )
    knots = (1.0, 4.0, 6.0, 9.0)
    fit = linear(table, outcome="y", terms=[Spline("x", knots)])

    def curve(x):
        return fit.predict(pl.DataFrame({"x": np.atleast_1d(x)}))

    for low, high in ((-3, 0.9), (9.1, 14)):
        three = curve(np.linspace(low, high, 3))
        assert three[1] == pytest.approx((three[0] + three[2]) / 2, abs=STRAIGHT)
    step = 1e-3
    for knot in knots:  # value, slope and curvature come from both sides to the same
        left, right = (curve(knot + side * step * np.arange(4)) for side in (-1, 1))
        slopes = [
            side * (-11 * v[0] + 18 * v[1] - 9 * v[2] + 2 * v[3]) / (6 * step) for v, side in ((left, -1), (right, 1))
        ]
        bends = [(2 * v[0] - 5 * v[1] + 4 * v[2] - v[3]) / step**2 for v in (left, right)]
        assert slopes[0] == pytest.approx(slopes[1], abs=SMOOTH)
        assert bends[0] == pytest.approx(bends[1], abs=BEND)


def test_the_negative_binomial_maximum_row_by_row():
    rng = np.random.default_rng(8)
    n = 150
    x = rng.normal(size=n)
    y = rng.negative_binomial(2, 2 / (2 + np.exp(0.5 + 0.4 * x)))
    fit = negative_binomial(pl.DataFrame({"x": x, "y": y}), outcome="y", terms=["x"])

    def log_likelihood(a, b, theta):
        total = 0.0
        for value, count in zip(x, y, strict=True):
            mean = exp(a + b * value)
            total += theta * log(theta / (theta + mean)) + count * log(mean / (theta + mean))
            total += sum(log((theta + j) / (j + 1)) for j in range(int(count)))
        return total

    at = (*fit.coefficients, fit.theta)
    best = log_likelihood(*at)
    assert best == pytest.approx(fit.log_likelihood, rel=ITERATIVE)
    sizes = (*fit.parameters.std_errors(), fit.theta_std_error)
    for position, size in enumerate(sizes):
        step = np.eye(3)[position] * size * 1e-4
        slope = (log_likelihood(*(at + step)) - log_likelihood(*(at - step))) / 2e-4
        assert abs(slope) < GRADIENT
    bend = (log_likelihood(*at[:2], fit.theta + 0.01) - 2 * best + log_likelihood(*at[:2], fit.theta - 0.01)) / 0.01**2
    assert fit.theta_std_error == pytest.approx((-bend) ** -0.5, rel=BEND)
