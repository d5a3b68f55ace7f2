"""Every weighting's variance again: all equations written out, solved by a general solver, derivatives by differences."""

import numpy as np
import polars as pl
import pytest
from scipy.optimize import root
from scipy.special import expit, softmax

from counterpulse.propensity import weight, weighted_effect, weighted_effects

SLOPE = 2e-5  # relative; slopes by central differences
ROUNDING = 1e-12  # absolute; covariances that are zero
SOLVED = 1e-8  # relative; another solver
ODD = 87.3  # a percentile that falls on no patient, where the weight would have no slope


def ward(seed=4, n=240):
    random = np.random.default_rng(seed)
    age, shock = random.normal(0, 1, n), random.random(n) < 0.4
    chances = softmax(np.column_stack((np.zeros(n), 0.5 * age - 0.3, 0.4 * shock - 0.4 * age)), axis=1)
    kind = np.array(["a", "b", "c"])[(random.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1)]
    dead = random.random(n) < expit(-0.5 + 0.5 * age + 0.3 * (kind == "b") - 0.4 * (kind == "c") * age)
    days = age + shock + (kind == "b") + random.normal(0, 1, n)
    return pl.DataFrame({"age": age, "shock": shock, "kind": kind, "device": kind != "a", "dead": dead, "days": days})


@pytest.fixture(scope="module")
def table():
    return ward()


def design(table):
    return np.column_stack((np.ones(table.height), table["age"], table["shock"].cast(float)))


def tilt(name, e, focal):
    return {
        "ATE": np.ones(len(e)), "ATT": e[:, focal], "ATC": e[:, focal], "ATO": 1 / (1 / e).sum(axis=1), "ATM": e.min(axis=1),
    }[name]  # fmt: skip


def score_equations(X, g, k, estimand, focal, shares, caps):
    """Equations of the score (and of the shares), and the weights, from the parameters; k - 1 linear predictors."""
    p, n = X.shape[1], len(X)

    def equations(theta):
        e = softmax(np.column_stack((np.zeros(n), X @ theta[: (k - 1) * p].reshape(k - 1, p).T)), axis=1)
        member = g[:, None] == np.arange(k)
        w = tilt(estimand, e, focal) / e[np.arange(n), g]
        w = w if caps is None else np.minimum(w, caps[g])
        parts = [((member - e)[:, 1:, None] * X[:, None, :]).reshape(n, -1)]
        if shares:
            part = theta[(k - 1) * p :]
            parts.append(member - part)
            w = w * part[g]
        return np.column_stack(parts), w

    start = np.concatenate((np.zeros((k - 1) * p), np.full(k if shares else 0, 1 / k)))
    return equations, start


def balance_equations(X, g, k, focal, caps):
    """Equations of the means to be reached, and of each group's multipliers and constant."""
    p, n = X.shape[1] - 1, len(X)
    balanced = [code for code in range(k) if code != focal]

    def equations(theta):
        means, rest = theta[:p], theta[p:].reshape(len(balanced), p + 1)
        who = np.ones(n) if focal is None else g == focal
        parts, w = [who[:, None] * (X[:, 1:] - means)], np.ones(n)
        for code, (*slopes, constant) in zip(balanced, rest, strict=True):
            mine = g == code
            raw = np.exp(X[:, 1:] @ slopes + constant)
            parts += [(mine * raw)[:, None] * (X[:, 1:] - means), (mine * (raw - 1))[:, None]]
            w = np.where(mine, raw if caps is None else np.minimum(raw, caps[code]), w)
        return np.column_stack(parts), w

    return equations, np.concatenate((X[:, 1:].mean(axis=0), np.zeros(len(balanced) * (p + 1))))


def mean_equations(g, y, pair):
    def equations(means, w):
        return np.column_stack([w * (g == code) * (y - mean) for code, mean in zip(pair, means, strict=True)])

    return equations, np.zeros(len(pair))


def model_equations(g, y, X, k, target, binary, interact):
    """Equations of a weighted model of the outcome, and of its averages over the target with everybody set to a group."""

    def matrix(codes):
        member = codes[:, None] == np.arange(1, k)
        products = [X[:, 1:] * member[:, [j]] for j in range(k - 1)] if interact else []
        return np.column_stack((X, member, *products))

    link = expit if binary else (lambda eta: eta)
    Z, all_set = matrix(g), [matrix(np.full(len(g), code)) for code in range(k)]
    q = Z.shape[1]

    def equations(theta, w):
        beta, means = theta[:q], theta[q:]
        share = w if target is None else target
        parts = [Z * (w * (y - link(Z @ beta)))[:, None]]
        parts += [(share * (link(one @ beta) - mean))[:, None] for one, mean in zip(all_set, means, strict=True)]
        return np.column_stack(parts)

    return equations, np.full(q + k, 0.1)


def stacked(first, second):
    """Solve the two sets of equations together; the last parameters with their sandwich covariance."""
    (of_weights, start), (of_means, more) = first, second
    split = len(start)

    def psi(theta):
        equations, w = of_weights(theta[:split])
        return np.column_stack((equations, of_means(theta[split:], w)))

    solved = root(lambda theta: psi(theta).sum(axis=0), np.concatenate((start, more)), tol=1e-13)
    steps = 1e-5 * np.eye(len(solved.x))
    bread = np.column_stack([(psi(solved.x + h).sum(axis=0) - psi(solved.x - h).sum(axis=0)) / 2e-5 for h in steps])
    inverse, values = np.linalg.inv(bread), psi(solved.x)
    return solved.x, inverse @ values.T @ values @ inverse.T


def check(found, first, second, places):
    theta, covariance = stacked(first, second)
    k = len(second[1])
    places = np.array(places) - k
    np.testing.assert_allclose(found.two.means, theta[places], rtol=SOLVED)
    np.testing.assert_allclose(found.two.covariance, covariance[np.ix_(places, places)], rtol=SLOPE, atol=ROUNDING)


OPTIONS = {"covariates": ["age", "shock"]}


def caps_of(table, g, options):
    """Percentiles of the untruncated weights by group."""
    plain = weight(table, **{**options, "truncate": None}).weights
    return np.array([np.percentile(plain[g == code], options["truncate"]) for code in range(g.max() + 1)])


def coded(table, treatment):
    return (
        table[treatment].cast(pl.Int64).to_numpy()
        if treatment == "device"
        else (table["kind"] != "a").cast(int).to_numpy() + (table["kind"] == "c").cast(int).to_numpy()
    )


@pytest.mark.parametrize("treatment", ["device", "kind"])
@pytest.mark.parametrize(
    ("estimand", "truncate"),
    [*((name, None) for name in ("ATE", "ATT", "ATC", "ATO", "ATM")), *((name, ODD) for name in ("ATE", "ATT", "ATO"))],
)
def test_scores(table, estimand, treatment, truncate):
    g, k = coded(table, treatment), 2 if treatment == "device" else 3
    needs = estimand in ("ATT", "ATC")
    focal = {"focal": "b"} if k == 3 and needs else {}
    options = {"treatment": treatment, **OPTIONS, "estimand": estimand, "truncate": truncate, **focal}
    caps = None if truncate is None else caps_of(table, g, options)
    code = 0 if not needs else 1 if k == 3 or estimand == "ATT" else 0
    first = score_equations(design(table), g, k, estimand, code, False, caps)
    y = table["dead"].cast(float).to_numpy()
    found = weighted_effects(weight(table, **options), outcome="dead")
    for other, one in enumerate(found, start=1):
        check(one, first, mean_equations(g, y, (other, 0)), [0, 1])


@pytest.mark.parametrize("truncate", [None, ODD])
@pytest.mark.parametrize(
    ("treatment", "estimand", "focal"),
    [("device", "ATE", None), ("device", "ATT", 1), ("device", "ATC", 0), ("kind", "ATE", None), ("kind", "ATT", 2)],
)
def test_entropy_balancing(table, treatment, estimand, focal, truncate):
    g, k = coded(table, treatment), 2 if treatment == "device" else 3
    more = {"focal": "c"} if k == 3 and focal is not None else {}
    options = {
        "treatment": treatment,
        **OPTIONS,
        "estimand": estimand,
        "method": "entropy-balancing",
        "truncate": truncate,
    }
    caps = None if truncate is None else caps_of(table, g, {**options, **more})
    y = table["days"].to_numpy()
    first = balance_equations(design(table), g, k, focal, caps)
    found = weighted_effects(weight(table, **options, **more), outcome="days")
    for other, one in enumerate(found, start=1):
        check(one, first, mean_equations(g, y, (other, 0)), [0, 1])


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
@pytest.mark.parametrize("outcome", ["dead", "days"])
@pytest.mark.parametrize("interact", [True, False])
@pytest.mark.parametrize(("treatment", "stabilize"), [("device", True), ("kind", False)])
def test_standardized_by_a_model(table, estimand, outcome, interact, treatment, stabilize):
    g, k = coded(table, treatment), 2 if treatment == "device" else 3
    focal = {"focal": "b"} if k == 3 and estimand == "ATT" else {}
    options = {"treatment": treatment, **OPTIONS, "estimand": estimand, "stabilize": stabilize, **focal}
    first = score_equations(design(table), g, k, estimand, 1, stabilize, None)
    target = {"ATE": np.ones(len(g)), "ATT": (g == 1) * 1.0, "ATO": None}[estimand]
    y = table[outcome].cast(float).to_numpy()
    second = model_equations(g, y, design(table), k, target, outcome == "dead", interact)
    found = weighted_effects(weight(table, **options), outcome=outcome, covariates=["age", "shock"], interact=interact)
    q = len(second[1]) - k
    for other, one in enumerate(found, start=1):
        check(one, first, second, [q + other, q])


def test_standardized_after_entropy_balancing(table):
    g = coded(table, "kind")
    found = weighted_effects(
        weight(table, treatment="kind", **OPTIONS, estimand="ATE", method="entropy-balancing"), outcome="dead",
        covariates=["age"], interact=False,
    )  # fmt: skip
    y = table["dead"].cast(float).to_numpy()
    second = model_equations(g, y, design(table)[:, :2], 3, np.ones(len(g)), True, False)
    first = balance_equations(design(table), g, 3, None, None)
    q = len(second[1]) - 3
    for other, one in enumerate(found, start=1):
        check(one, first, second, [q + other, q])


def test_one_contrast_is_that_of_all(table):
    weighting = weight(table, treatment="kind", **OPTIONS)
    every = weighted_effects(weighting, outcome="dead", reference="b")
    one = weighted_effect(weighting, outcome="dead", between=("c", "b"))
    assert [found.two.treated for found in every] == ["a", "c"]
    assert one.estimates() == every[1].estimates()
