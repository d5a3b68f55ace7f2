"""Quantile regression against a general linear program, and rank intervals against bisection on its dual."""

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog
from scipy.stats import t as student

from counterpulse.regression import quantile
from counterpulse.results import Status

OBJECTIVE = 1e-9  # relative; HiGHS is exact to 1e-7 of a constraint, its objective to the square of that
STEP = 1e-6  # relative; a step of the rank statistic is found by bisection
CLOSED_FORM = 1e-10
NARROW = 1e-9  # a bisection ends, and two values of a step function are one


def program(X, y, tau):
    """Objective and dual solution of a quantile regression, by HiGHS on the dual."""
    found = linprog(-y, A_eq=X.T, b_eq=(1 - tau) * X.sum(axis=0), bounds=(0, 1), method="highs-ds")
    return -found.fun - (1 - tau) * y.sum(), found.x


def made(seed, n=60, *, ties=False, arms=False):
    random = np.random.default_rng(seed)
    x, u = random.normal(size=n), random.uniform(size=n)
    arm = random.integers(0, 2, n).astype(float)
    y = 1 + x - 0.7 * arm + random.standard_t(3, n)
    table = {"y": np.round(y) if ties else y, "x": x, "arm" if arms else "u": arm if arms else u}
    return pl.DataFrame(table), ["x", "arm" if arms else "u"]


def matrix(table, terms):
    return np.column_stack([np.ones(table.height), *(table[name].to_numpy() for name in terms)])


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("kind", [{}, {"ties": True}, {"arms": True}, {"ties": True, "arms": True}])
def test_the_minimum_is_that_of_a_linear_program(tau, kind):
    table, terms = made(1, **kind)
    fit = quantile(table, outcome="y", terms=terms, quantile=tau, interval="nid")
    assert fit.objective == pytest.approx(program(matrix(table, terms), table["y"].to_numpy(), tau)[0], rel=OBJECTIVE)


def statistic(X, y, tau, j, b):
    others = np.delete(X, j, axis=1)
    x = X[:, j] - others @ np.linalg.lstsq(others, X[:, j], rcond=None)[0]
    dual = program(others, y - b * X[:, j], tau)[1]
    return float(x @ (dual - (1 - tau))) / np.sqrt(tau * (1 - tau) * (x @ x))


def jump(of, inside, outside):
    """The last place within which the step function keeps the value it has inside."""
    value = of(inside)
    while abs(outside - inside) > NARROW * (1 + abs(outside)):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if abs(of(middle) - value) < NARROW else (inside, middle)
    return outside


def slow_limit(X, y, tau, j, start, side, bound):
    def of(b):
        return abs(statistic(X, y, tau, j, b))

    inside, outside = start, start + side
    while of(outside) <= bound:
        outside += side
    while abs(outside - inside) > NARROW:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if of(middle) <= bound else (inside, middle)
    last = outside
    before = of(last - side * 1e-7)
    first = jump(of, last - side * 1e-7, start)
    after = of(last + side * 1e-7)
    return first + (last - first) * (bound - before) / (after - before)


@pytest.mark.parametrize("arms", [False, True])
@pytest.mark.parametrize("tau", [0.5, 0.75])
def test_rank_limits_by_bisection(tau, arms):
    table, terms = made(3, arms=arms)
    X, y = matrix(table, terms), table["y"].to_numpy()
    fit = quantile(table, outcome="y", terms=terms, quantile=tau, interval="rank")
    bound = student.ppf(0.975, len(y) - 3)
    for j in (1, 2):
        row = fit.estimates()[j]
        for end, side in ((row.interval.low, -1), (row.interval.high, 1)):
            assert end == pytest.approx(slow_limit(X, y, tau, j, row.value, side, bound), rel=STEP, abs=STEP)
        at_zero = statistic(X, y, tau, j, 0.0)
        assert row.statistic == pytest.approx(at_zero, rel=OBJECTIVE, abs=OBJECTIVE)
        assert row.p_value == pytest.approx(2 * student.sf(abs(at_zero), len(y) - 3), rel=STEP)


def test_two_groups_differ_by_their_medians():
    table = pl.DataFrame({"y": [1.0, 2, 4, 9, 3, 5, 6, 20, 21, 22], "g": ["a"] * 4 + ["b"] * 6})
    fit = quantile(table, outcome="y", terms=["g"])
    assert fit.coefficients == pytest.approx([3.0, 13.0 - 3.0], rel=CLOSED_FORM)
    assert fit.unique


def test_whole_weights_count_patients_in_the_fit():
    table, terms = made(5)
    weights = np.random.default_rng(0).integers(1, 4, table.height)
    long = table[np.repeat(np.arange(table.height), weights)]
    weighted = quantile(table, outcome="y", terms=terms, weights=weights)
    assert weighted.objective == pytest.approx(quantile(long, outcome="y", terms=terms).objective, rel=OBJECTIVE)
    repeated = quantile(long, outcome="y", terms=terms, interval="nid")
    assert weighted.covariance == pytest.approx(repeated.covariance, rel=STEP)


def test_clustered_sandwich_from_the_definition():
    table, terms = made(7, n=120)
    cluster = np.arange(120) % 15
    fit = quantile(table, outcome="y", terms=terms, cluster=cluster)
    plain = quantile(table, outcome="y", terms=terms, interval="nid")
    X, y = matrix(table, terms), table["y"].to_numpy()
    dual = program(X, y, 0.5)[1]
    J = X.T @ X * 0.25
    root = np.linalg.cholesky(J)  # plain = D^-1 J D^-1: D^-1 is found from its square in the metric of J
    values, vectors = np.linalg.eigh(root.T @ plain.covariance @ root)
    bread = np.linalg.inv(root.T) @ (vectors * np.sqrt(values)) @ vectors.T @ np.linalg.inv(root)
    sums = np.array([(X * (dual - 0.5)[:, None])[cluster == g].sum(axis=0) for g in range(15)])
    expected = bread @ (sums.T @ sums) @ bread * 15 / 14
    assert fit.covariance == pytest.approx(expected, rel=STEP)
    few = quantile(table, outcome="y", terms=terms, cluster=np.arange(120) % 9)
    assert few.estimates()[1].status is Status.FEW_CLUSTERS


def test_the_bootstrap_is_near_the_sandwich_and_repeatable():
    table, terms = made(9, n=300)
    first, second = (quantile(table, outcome="y", terms=terms, interval="bootstrap", seed=4) for _ in range(2))
    assert first.covariance == pytest.approx(second.covariance, rel=CLOSED_FORM)
    sandwich = quantile(table, outcome="y", terms=terms, interval="nid").parameters.std_errors()
    assert np.all(np.abs(np.log(first.parameters.std_errors() / sandwich)) < np.log(1.5))


@pytest.mark.parametrize(
    ("y", "status"),
    [([2.0] * 6, Status.ZERO_VARIANCE), ([None] * 6, Status.NO_ROWS), ([1.0, 2.0] + [None] * 4, Status.TOO_FEW_ROWS)],
)
def test_what_cannot_be_fitted_says_why(y, status):
    table = pl.DataFrame({"y": y, "x": [1.0, 2, 3, 4, 5, 7]}, schema={"y": pl.Float64, "x": pl.Float64})
    assert quantile(table, outcome="y", terms=["x"]).status is status
