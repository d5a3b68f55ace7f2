"""Stacked estimating equations, optimal and full matching again, by brute force."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from counterpulse.propensity import match, matched_effect, propensity_score, weight, weighted_effect
from counterpulse.propensity.nearest import Rules
from counterpulse.propensity.optimal import full_sets, optimal_controls

SLOPE = 1e-6  # relative; slopes by central differences
SAME = 1e-9  # relative; sums of the same distances by another algorithm


def ward(seed, n=300):
    random = np.random.default_rng(seed)
    age, shock = random.normal(0, 1, n), random.random(n) < 0.4
    treated = random.random(n) < 1 / (1 + np.exp(0.4 - 0.6 * age - 0.5 * shock))
    dead = random.random(n) < 1 / (1 + np.exp(0.8 - 0.5 * age + 0.3 * treated))
    return pl.DataFrame(
        {"age": age, "shock": shock, "device": treated, "dead": dead, "days": age + random.normal(0, 1, n)}
    )


WEIGHTS = {
    "ATE": lambda e, a: np.where(a, 1 / e, 1 / (1 - e)),
    "ATT": lambda e, a: np.where(a, 1, e / (1 - e)),
    "ATC": lambda e, a: np.where(a, (1 - e) / e, 1),
    "ATO": lambda e, a: np.where(a, 1 - e, e),
    "ATM": lambda e, a: np.minimum(e, 1 - e) / np.where(a, e, 1 - e),
}


def equations(theta, X, a, y, estimand):
    """The contributions of each patient to the equations of the score and the two means, shape (n, p + 2)."""
    e = 1 / (1 + np.exp(-X @ theta[:-2]))
    w = WEIGHTS[estimand](e, a)
    return np.column_stack((X * (a - e)[:, None], w * a * (y - theta[-2]), w * (1 - a) * (y - theta[-1])))


def slow_covariance(theta, X, a, y, estimand):
    steps = 1e-5 * np.eye(len(theta))
    bread = np.column_stack(
        [
            (equations(theta + h, X, a, y, estimand).sum(0) - equations(theta - h, X, a, y, estimand).sum(0)) / 2e-5
            for h in steps
        ]
    )
    inverse, psi = np.linalg.inv(bread), equations(theta, X, a, y, estimand)
    return (inverse @ psi.T @ psi @ inverse.T)[-2:, -2:]


@pytest.mark.parametrize("estimand", WEIGHTS)
@pytest.mark.parametrize("outcome", ["dead", "days"])
@pytest.mark.parametrize("stabilize", [False, True])
def test_weighted_effect_is_that_of_the_stacked_equations(estimand, outcome, stabilize):
    table = ward(4)
    options = {"treatment": "device", "covariates": ["age", "shock"], "estimand": estimand, "stabilize": stabilize}
    found = weighted_effect(weight(table, **options), outcome=outcome)
    beta = propensity_score(table, treatment="device", covariates=["age", "shock"]).model.coefficients
    X = np.column_stack((np.ones(table.height), table["age"], table["shock"].cast(float)))
    a, y = (table[name].cast(float).to_numpy() for name in ("device", outcome))
    np.testing.assert_allclose(
        found.two.covariance, slow_covariance(np.append(beta, found.two.means), X, a, y, estimand), rtol=SLOPE
    )


def test_matched_effect_is_robust_to_pairs():
    table = ward(6)
    matching = match(table, treatment="device", covariates=["age", "shock"], caliper=0.2)
    found = matched_effect(matching, outcome="dead")
    y = table["dead"].cast(float).to_numpy()
    difference = y[matching.pairs["treated"]] - y[matching.pairs["control"]]
    pairs = len(difference)
    assert found.two.means[0] - found.two.means[1] == pytest.approx(difference.mean(), rel=SAME)
    variance = difference.var() / (pairs - 1)
    assert found.estimates()[3].std_error ** 2 == pytest.approx(variance, rel=SAME)


@st.composite
def problems(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(4, 14))
    treated = np.arange(n) < draw(st.integers(1, n - 1))
    rules = Rules(
        order="data", seed=0, wanted=np.ones(int(treated.sum()), dtype=np.int64), width=draw(st.sampled_from([np.inf, 0.3])),
        strata=None, near=np.empty((n, 0)), limits=np.empty(0), apart=np.empty((n, 0), dtype=np.int64), replace=False,
    )  # fmt: skip
    return random.random(n), treated, rules


def cost_of(score, treated, rules):
    distance = np.abs(score[treated][:, None] - score[~treated][None, :])
    return distance, distance <= rules.width


def incidence(shape):
    rows = np.kron(np.eye(shape[0]), np.ones(shape[1]))
    columns = np.kron(np.ones(shape[0]), np.eye(shape[1]))
    return np.vstack((rows, columns))


@settings(max_examples=80, deadline=None)
@given(problems())
def test_no_other_pairs_are_more_or_closer(problem):
    score, treated, _ = problem
    distance, allowed = cost_of(*problem)
    partner = optimal_controls(*problem)[:, 0]
    made = partner >= 0
    total = np.abs(score[treated][made] - score[partner[made]]).sum()
    bounds = [(0, 1 if ok else 0) for ok in allowed.ravel()]
    limit = incidence(distance.shape)
    slow = linprog((distance - 100).ravel(), A_ub=limit, b_ub=np.ones(len(limit)), bounds=bounds)
    assert total - 100 * made.sum() == pytest.approx(slow.fun, rel=SAME, abs=SAME)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_no_other_full_matching_is_closer(problem):
    treated = problem[1]
    distance, allowed = cost_of(*problem)
    sets = full_sets(*problem)
    mine, controls = sets[treated], sets[~treated]
    assert ((mine >= 0) == allowed.any(axis=1)).all()
    assert ((controls >= 0) == allowed.any(axis=0)).all()
    together = (mine[:, None] == controls[None, :]) & (mine[:, None] >= 0)
    assert ((together.sum(axis=1)[:, None] == 1) | (together.sum(axis=0)[None, :] == 1))[together].all()
    limit = incidence(distance.shape)
    reachable = np.concatenate((allowed.any(axis=1), allowed.any(axis=0)))
    slow = linprog(
        distance.ravel(), A_ub=-limit[reachable], b_ub=-np.ones(int(reachable.sum())),
        bounds=[(0, 1 if ok else 0) for ok in allowed.ravel()],
    )  # fmt: skip
    assert distance[together].sum() == pytest.approx(slow.fun, rel=SAME, abs=SAME)
