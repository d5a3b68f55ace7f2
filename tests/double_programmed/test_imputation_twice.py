"""Predictive mean matching and draws of coefficients, once more, row by row, with the same random numbers."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from counterpulse.imputation import chained_equations, nelson_aalen_at, pool_scalar
from counterpulse.imputation.categorical_draws import LogisticLikelihood, PolytomousLikelihood
from counterpulse.imputation.categorical_rows import model_rows
from counterpulse.imputation.predictive_mean_matching import match_donors, on_grid
from counterpulse.numerics.random_streams import stream

CLOSED = 1e-10
DIFFERENCE = 1e-5  # of central differences
RIDGE = 1e-5
ROUNDS = 40_000
ERROR = 4.5  # standard errors of a share of 40,000 draws


def slow_donors(observed, missing, donors, random):
    """Sort all rows by distance for each row; take the nearest, and of the equally far as many as are needed."""
    known, wanted = on_grid(observed, missing)
    which, share = random.random(len(missing)), random.random(len(missing))
    order = np.argsort(known, kind="stable")
    chosen = []
    for k, target in enumerate(wanted):
        distance = [abs(known[row] - target) for row in order]
        farthest = sorted(distance)[min(donors, len(order)) - 1]
        nearer = [row for row, far in zip(order, distance, strict=True) if far < farthest]
        equal = [row for row, far in zip(order, distance, strict=True) if far == farthest]
        place = int(which[k] * min(donors, len(order)))
        chosen.append(nearer[place] if place < len(nearer) else equal[int(share[k] * len(equal))])
    return chosen


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 12), st.integers(0, 3), st.integers(1, 7))
def test_donors(seed, known, wanted, digits, donors):
    rng = np.random.default_rng(seed)
    observed, missing = rng.normal(size=known).round(digits), rng.normal(size=wanted).round(digits)
    fast = match_donors(observed, missing, donors=donors, random=stream(seed, "donors"))
    assert fast.tolist() == slow_donors(observed, missing, donors, stream(seed, "donors"))


def test_ties_are_resolved_for_each_row_by_itself():
    # rows 0-2 are nearer than the fifth donor; 3-9 are all as far as it, on both sides, and fill the two places left
    observed = np.array([0.0, 0.1, -0.1, *([1.0] * 4), *([-1.0] * 3), 5.0])
    found = match_donors(observed, np.zeros(ROUNDS), donors=5, random=stream(1, "ties"))
    shares = np.bincount(found, minlength=len(observed)) / ROUNDS
    expected = np.array([0.2] * 3 + [0.4 / 7] * 7 + [0.0])
    assert (np.abs(shares - expected) <= ERROR * np.sqrt(expected * (1 - expected) / ROUNDS)).all()


@pytest.mark.parametrize("method", ["pmm", "normal"])
def test_a_column_drawn_from_complete_ones(method):
    rng = np.random.default_rng(4)
    n = 60
    a, b = rng.normal(50, 10, n), rng.integers(0, 2, n)
    y = 3 + 0.2 * a - b + rng.normal(size=n)
    y[rng.random(n) < 0.3] = np.nan
    table = pl.DataFrame({"a": a, "b": b, "y": y}).with_columns(pl.col("y").fill_nan(None))
    found = chained_equations(table, m=2, iterations=1, seed=8, methods={"y": method}).frames()

    blank = np.isnan(y)
    mean, sd = y[~blank].mean(), y[~blank].std()
    X = np.column_stack([np.ones(n), (a - a.mean()) / a.std(), (b - b.mean()) / b.std()])
    gram = X[~blank].T @ X[~blank]
    gram[1, 1] *= 1 + RIDGE
    gram[2, 2] *= 1 + RIDGE
    z = (y - mean) / sd
    for number, frame in enumerate(found, 1):
        random = stream(8, "imputation", number)
        random.choice(np.flatnonzero(~blank), blank.sum())  # where the chain begins
        beta = np.linalg.inv(gram) @ X[~blank].T @ z[~blank]
        squares = ((z[~blank] - X[~blank] @ beta) ** 2).sum()
        sigma = np.sqrt(squares / random.chisquare((~blank).sum() - 3))
        drawn = beta + sigma * np.linalg.inv(np.linalg.cholesky(gram)).T @ random.standard_normal(3)
        if method == "pmm":
            rows = slow_donors(X[~blank] @ beta, X[blank] @ drawn, 5, random)
            expected = y[~blank][rows]
        else:
            expected = mean + sd * (X[blank] @ drawn + sigma * random.standard_normal(blank.sum()))
        np.testing.assert_allclose(frame["y"].to_numpy()[blank], expected, rtol=CLOSED)
        assert (frame["y"].to_numpy()[~blank] == y[~blank]).all()


def added_row_by_row(X, y, count):
    """White, Daniel and Royston: for each predictor and each level, a row half a standard deviation to either side."""
    rows, levels, weights = [*X], [*y], [1.0] * len(y)
    p = X.shape[1]
    for j in range(1, p):
        for side in (0.5, -0.5):
            for level in range(count):
                row = np.zeros(p)
                row[0], row[j] = 1, side
                rows.append(row)
                levels.append(level)
                weights.append(p / (2 * (p - 1) * count))
    return np.array(rows), np.array(levels, dtype=int), np.array(weights)


def slow_likelihood(at, rows, levels, weights, count):
    coefficients = np.vstack([np.zeros(rows.shape[1]), at.reshape(count - 1, -1)])
    total = 0.0
    for row, level, weight in zip(rows, levels, weights, strict=True):
        odds = np.exp(coefficients @ row)
        total += weight * np.log(odds[level] / odds.sum())
    return total


@pytest.mark.parametrize(("count", "kind"), [(2, LogisticLikelihood), (3, PolytomousLikelihood)])
def test_likelihoods_of_categories(count, kind):
    rng = np.random.default_rng(2)
    n = 40
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    y = rng.integers(0, count, n).astype(float)
    used, observed = np.array([0, 1, 3]), np.arange(5, n)
    rows = model_rows(X, used, observed, y, count)
    shares = rows.shares()[1] if count == 2 else rows.shares()
    likelihood = kind(rows, rows.all_weights(), shares)
    slow = added_row_by_row(X[np.ix_(observed, used)], y[observed].astype(int), count)
    at = rng.normal(size=(count - 1) * 3) / 2
    here = likelihood(at)
    assert here.value == pytest.approx(slow_likelihood(at, *slow, count), rel=CLOSED)
    np.testing.assert_allclose(likelihood.score(at), here.gradient, rtol=CLOSED)
    for k in range(len(at)):
        step = np.eye(len(at))[k] * 1e-5
        rise = (slow_likelihood(at + step, *slow, count) - slow_likelihood(at - step, *slow, count)) / 2e-5
        assert here.gradient[k] == pytest.approx(rise, abs=DIFFERENCE)
        bend = -(likelihood(at + step).gradient - likelihood(at - step).gradient) / 2e-5
        np.testing.assert_allclose(here.information[k], bend, atol=DIFFERENCE)
    X_out, levels, weights = rows.written_out()
    assert slow_likelihood(at, X_out, levels, weights, count) == pytest.approx(here.value, rel=CLOSED)


def test_a_binary_column_drawn_from_complete_ones():
    rng = np.random.default_rng(6)
    n = 120
    a = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-a))).astype(float)
    y[rng.random(n) < 0.3] = np.nan
    blank = np.isnan(y)
    table = pl.DataFrame({"a": a, "y": y}).with_columns(pl.col("y").fill_nan(None))
    found = chained_equations(table, m=1, iterations=3, seed=5).frames()[0]
    random = stream(5, "imputation", 1)
    random.choice(np.flatnonzero(~blank), blank.sum())
    X = np.column_stack([np.ones(n), (a - a.mean()) / a.std()])
    rows, levels, weights = added_row_by_row(X[~blank], y[~blank].astype(int), 2)
    best = minimize(lambda at: -slow_likelihood(at, rows, levels, weights, 2), np.zeros(2), tol=1e-10).x
    risk = 1 / (1 + np.exp(-rows @ best))
    root = np.linalg.cholesky((rows * (weights * risk * (1 - risk))[:, None]).T @ rows)
    for _ in range(3):
        drawn = best + np.linalg.inv(root).T @ random.standard_normal(2)
        levels = random.random(blank.sum()) < 1 / (1 + np.exp(-X[blank] @ drawn))
    assert (found["y"].to_numpy()[blank] == levels).all()


def test_nelson_aalen_row_by_row():
    rng = np.random.default_rng(3)
    time, event = rng.integers(1, 12, 50).astype(float), rng.integers(0, 2, 50).astype(float)
    time[4], event[9] = np.nan, np.nan
    known = ~(np.isnan(time) | np.isnan(event))
    expected = [
        sum(
            ((time[known] == at) & (event[known] == 1)).sum() / (time[known] >= at).sum()
            for at in sorted(set(time[known]))
            if at <= time[row]
        )
        if known[row]
        else np.nan
        for row in range(50)
    ]
    np.testing.assert_allclose(nelson_aalen_at(time, event), expected, rtol=CLOSED)


def test_rubins_rules_by_hand():
    q, u = [1.0, 2.0, 4.0], [0.5, 1.0, 1.5]
    pooled = pool_scalar(q, u, rule="rubin")
    between = sum((value - 7 / 3) ** 2 for value in q) / 2
    total = 1.0 + 4 / 3 * between
    assert (pooled.value, pooled.between, pooled.total) == pytest.approx((7 / 3, between, total), rel=CLOSED)
    assert pooled.df == pytest.approx(2 * (1 + 1 / (4 / 3 * between)) ** 2, rel=CLOSED)
