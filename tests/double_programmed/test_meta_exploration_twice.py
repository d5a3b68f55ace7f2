"""Batched refits and sandwiches against one fit at a time and whole matrices."""

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import sqrtm

from counterpulse.synthesis.exploration.bias_adjusted import bias_adjusted
from counterpulse.synthesis.exploration.cumulative import cumulative
from counterpulse.synthesis.exploration.gosh import gosh
from counterpulse.synthesis.exploration.henmi_copas import henmi_copas
from counterpulse.synthesis.exploration.influence import influence
from counterpulse.synthesis.exploration.leave_one_out import leave_one_out
from counterpulse.synthesis.exploration.robust import robust
from counterpulse.synthesis.exploration.subgroups import subgroups
from counterpulse.synthesis.pooling.meta_regression import meta_regression
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.small_study.excess_significance import excess_significance

SAME = 1e-8  # relative; the same equations solved alone and in a batch, tau2 to the engine's tolerance
NOTHING = 1e-12  # absolute; a variance or an I2 of zero
INVERTED = 1e-6  # relative; the inverse of a nearly singular covariance lies between
SIMULATED = 0.004  # four errors of 400,000 draws (0.0014) and the gamma approximation, which Henmi and Copas call close
RANDOM = np.random.default_rng(6)
Y = RANDOM.normal(-0.4, 0.5, 8)
V = RANDOM.uniform(0.02, 0.4, 8)


def row_of(fits, row):
    return (
        fits.effect[row], fits.std_error[row], fits.low[row], fits.high[row], fits.tau2[row], fits.i2[row], fits.h2[row],
        fits.q[row], fits.p_value[row], fits.prediction_low[row], fits.prediction_high[row],
    )  # fmt: skip


def alone(y, v, **options):
    one = pool(y, v, **options)
    ends = (one.interval.low, one.interval.high)
    predicted = (one.prediction_interval.low, one.prediction_interval.high)
    return (one.effect, one.std_error, *ends, one.tau2, one.i2, one.h2, one.q, one.p_value, *predicted)


@pytest.mark.parametrize("estimator", ["REML", "DL", "PM"])
@pytest.mark.parametrize("interval", ["wald", "t", "hartung-knapp", "hartung-knapp-wider", "kenward-roger"])
def test_leave_one_out_and_cumulative(estimator, interval):
    options = {"tau2": estimator, "interval": interval}
    without, added = leave_one_out(Y, V, **options), cumulative(Y, V, **options)
    for row in range(len(Y)):
        keep = np.arange(len(Y)) != row
        assert row_of(without.without, row) == pytest.approx(alone(Y[keep], V[keep], **options), rel=SAME)
        if row > 0:
            one = alone(Y[: row + 1], V[: row + 1], **options)
            assert row_of(added.fits, row) == pytest.approx(one, rel=SAME, nan_ok=True)
    assert row_of(without.whole, 0) == pytest.approx(alone(Y, V, **options), rel=SAME)


@pytest.mark.parametrize("estimator", ["REML", "DL", "common"])
def test_every_subset(estimator):
    found = gosh(Y, V, tau2=estimator)
    assert found.complete
    assert len(found.effect) == 2**8 - 1 - 8
    seen = {tuple(np.flatnonzero(row)): i for i, row in enumerate(found.members())}
    subsets = [subset for size in range(2, 9) for subset in combinations(range(8), size)]
    assert sorted(seen) == sorted(subsets)
    for subset in subsets:
        one, i = pool(Y[list(subset)], V[list(subset)], tau2=estimator), seen[subset]
        ours = (found.effect[i], found.tau2[i], found.i2[i], found.q[i], found.size[i])
        assert ours == pytest.approx((one.effect, one.tau2, one.i2, one.q, one.k), rel=SAME, abs=NOTHING)


def test_influence_one_deletion_at_a_time():
    x = np.linspace(-1, 1, 8) ** 2
    found, whole = influence(Y, V, x), meta_regression(Y, V, x, interval="wald")
    for row in range(8):
        keep = np.arange(8) != row
        less = meta_regression(Y[keep], V[keep], x[keep], interval="wald")
        at = np.array([1, x[row]])
        moved = whole.coefficients - less.coefficients
        cook = moved @ np.linalg.inv(whole.covariance) @ moved
        error = sqrt(V[row] + less.tau2 + at @ less.covariance @ at)
        ratio = np.linalg.det(less.covariance) / np.linalg.det(whole.covariance)
        ours = (found.cook_distance[row], found.rstudent[row], found.covariance_ratio[row], found.tau2_deleted[row])
        theirs = (cook, (Y[row] - at @ less.coefficients) / error, ratio, less.tau2)
        assert ours == pytest.approx(theirs, rel=INVERTED)


def dense_sandwich(y, x, phi, groups):
    """CR2 and Satterthwaite's degrees of freedom from n x n matrices, with symmetric roots as they are defined."""
    w = np.linalg.inv(phi)
    bread = np.linalg.inv(x.T @ w @ x)
    hat = x @ bread @ x.T @ w
    rest = np.eye(len(y)) - hat
    residual = rest @ y
    meat, scores = np.zeros((x.shape[1],) * 2), []
    for label in dict.fromkeys(groups):
        rows = np.flatnonzero(np.array(groups) == label)
        root = np.linalg.cholesky(phi[np.ix_(rows, rows)]).T
        middle = root @ (rest[rows] @ phi @ rest[rows].T) @ root.T
        adjust = root.T @ np.linalg.inv(np.real(sqrtm(middle))) @ root
        pull = bread @ x[rows].T @ w[np.ix_(rows, rows)] @ adjust
        score = pull @ residual[rows]
        meat += np.outer(score, score)
        scores.append(pull @ rest[rows])
    df = []
    for j in range(x.shape[1]):
        lean = np.stack([score[j] for score in scores])
        cross = lean @ phi @ lean.T
        df.append(np.trace(cross) ** 2 / (cross**2).sum())
    return bread @ x.T @ w @ y, meat, np.array(df)


@pytest.mark.parametrize("working", ["independent", "correlated-hierarchical"])
def test_sandwich_from_whole_matrices(working):
    groups = ["a", "b", "a", "c", "d", "b", "e", "e", "e", "f", "g", "g"]
    y, v, x = RANDOM.normal(0, 0.4, 12), RANDOM.uniform(0.02, 0.2, 12), RANDOM.normal(0, 1, 12)
    found = robust(y, v, groups, x, working=working, rho=0.5)
    same = np.equal.outer(groups, groups)
    phi = np.diag(v + found.tau2)
    if working == "correlated-hierarchical":
        corr = np.where(same, 0.5, 0.0)
        np.fill_diagonal(corr, 1.0)
        phi = corr * np.sqrt(np.outer(v, v)) + same * found.tau2 + np.eye(12) * found.omega2
    value, covariance, df = dense_sandwich(y, np.column_stack([np.ones(12), x]), phi, groups)
    np.testing.assert_allclose(found.covariance, covariance, rtol=SAME)
    assert [row.value for row in found.estimates()] == pytest.approx(list(value), rel=SAME)
    assert [row.df for row in found.estimates()] == pytest.approx(list(df), rel=SAME)


def test_two_subgroups_are_welchs_t():
    by = ["early"] * 3 + ["late"] * 5
    found = subgroups(Y, V, by)
    one, two = pool(Y[:3], V[:3]), pool(Y[3:], V[3:])
    a, b = one.std_error**2, two.std_error**2
    t, df = (one.effect - two.effect) / sqrt(a + b), (a + b) ** 2 / (a**2 / 2 + b**2 / 4)
    test = found.between_adjusted
    expected = (t**2, df, 2 * stats.t.sf(abs(t), df))
    assert (test.statistic, test.df_denominator, test.p_value) == pytest.approx(expected, rel=SAME)


@pytest.mark.parametrize(("interval", "adjusted"), [("wald", False), ("hartung-knapp", True)])
def test_subgroups_with_a_common_variance_are_a_regression(interval, adjusted):
    by = np.array(["a", "b", "c", "a", "b", "c", "a", "a"])
    found = subgroups(Y, V, by, common_tau2=True, interval=interval)
    fit = meta_regression(Y, V, np.column_stack([by == "b", by == "c"]).astype(float), interval=interval)
    test = found.between_adjusted if adjusted else found.between
    scale = 1 if adjusted else 1 / test.df
    assert test.p_value == pytest.approx(fit.moderators.p_value, rel=SAME)
    assert (found.groups.effect[0], found.groups.std_error[0]) == pytest.approx(
        (fit.coefficients[0], fit.std_error[0]), rel=SAME
    )
    assert found.groups.tau2 == pytest.approx([fit.tau2] * 3, rel=SAME)
    assert test.statistic * scale == pytest.approx(fit.moderators.statistic / (1 if adjusted else test.df), rel=SAME)
    predicted = fit.predict([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(found.groups.low, predicted.low, rtol=SAME)
    np.testing.assert_allclose(found.groups.prediction_high, predicted.prediction_high, rtol=SAME)


def test_bias_is_taken_off_by_design():
    design = ["trial"] * 4 + ["cohort"] * 4
    found = bias_adjusted(Y, V, design, bias={"trial": (0, 0), "cohort": (-0.2, 0.3, 1.5)})
    y, v = Y.copy(), V.copy()
    for i in range(4, 8):
        y[i], v[i] = Y[i] + 0.2, (V[i] + 0.09) * 1.5
    assert row_of(found.adjusted, 0) == pytest.approx(alone(y, v), rel=SAME)
    assert row_of(found.unadjusted, 0) == pytest.approx(alone(Y, V), rel=SAME)


def test_exact_excess_by_enumeration():
    found = excess_significance(Y * 3, V)
    total = 0.0
    for mask in range(2**8):
        flags = np.array([mask >> i & 1 for i in range(8)], dtype=bool)
        if flags.sum() >= found.observed:
            total += np.prod(np.where(flags, found.power, 1 - found.power))
    assert found.p_value == pytest.approx(total, rel=SAME)


@pytest.mark.slow
def test_henmi_copas_covers_by_simulation():
    """The critical value is the quantile of the statistic that it stands for, at the tau2 it was found at."""
    y, v = RANDOM.normal(-0.4, 0.5, 20), RANDOM.uniform(0.02, 0.4, 20)
    found = henmi_copas(y, v)
    w, draws = 1 / v, 400_000
    effects = RANDOM.normal(0, np.sqrt(v + found.tau2), (draws, 20))
    mean = effects @ w / w.sum()
    q = (effects - mean[:, None]) ** 2 @ w
    w2 = (w**2).sum() / w.sum()
    tau2 = np.maximum(0, (q - 19) / (w.sum() - w2))
    statistic = mean * np.sqrt(w.sum()) / np.sqrt(1 + tau2 * w2)
    outside = np.mean(np.abs(statistic) > found.critical)
    assert outside == pytest.approx(0.05, abs=SIMULATED)
