"""Prediction quality by every pair, every row, every replicate, the slow way."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from counterpulse import regression, survival
from counterpulse.numerics.local_regression import local_regression
from counterpulse.numerics.newton import maximize
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.optimism import judge, weighted_c_statistic
from counterpulse.survival.censoring_weights import censoring_curve

EXACT = 1e-12  # the same sums in another order
SUMS = 1e-10  # sums of many more terms
SOLVED = 1e-9  # least squares by QR and by elimination
SLOPE = 1e-7  # absolute; a slope of a fitted linear predictor
FIT = 1e-8  # two maxima of the same likelihood
DERIVATIVE = 1e-6  # a central difference of weights
JACKKNIFE = 0.02  # an influence function against leaving rows out, 150 of them


def random_prediction(seed, n=80, digits=1):
    random = np.random.default_rng(seed)
    score = np.round(random.normal(size=n), digits)
    return random.random(n) < 1 / (1 + np.exp(-score)), score, np.round(score + random.normal(size=n), digits)


def slow_components(event, score):
    pairs = (score[event][:, None] > score[~event]) + (score[event][:, None] == score[~event]) / 2
    return pairs.mean(axis=1), pairs.mean(axis=0)


@pytest.mark.parametrize("seed", range(6))
def test_delong_by_every_pair(seed):
    event, one, two = random_prediction(seed)
    (a1, b1), (a2, b2) = slow_components(event, one), slow_components(event, two)
    m, n = event.sum(), (~event).sum()
    found = regression.c_statistic(event, one)
    assert found.value == pytest.approx(a1.mean(), rel=EXACT)
    assert found.std_error == pytest.approx(np.sqrt(a1.var(ddof=1) / m + b1.var(ddof=1) / n), rel=EXACT)
    S10, S01 = np.cov(np.array([a1, a2])), np.cov(np.array([b1, b2]))
    S = S10 / m + S01 / n
    apart = regression.compare_c_statistics(event, one, two)
    assert apart.std_error == pytest.approx(np.sqrt(S[0, 0] + S[1, 1] - 2 * S[0, 1]), rel=EXACT)
    weights = np.random.default_rng(seed).integers(0, 3, len(event)).astype(float)
    order = np.argsort(one)
    repeated = np.repeat(np.arange(len(event)), weights.astype(int))
    again = regression.c_statistic(event[repeated], one[repeated]).value
    assert weighted_c_statistic(event[order], one[order], weights[order]) == pytest.approx(again, rel=EXACT)


def test_every_point_of_a_roc_curve_is_a_count():
    event, score, _ = random_prediction(1, n=300, digits=3)
    found = regression.roc_curve(event, score)
    assert 10 < len(found.threshold) <= 101
    for threshold, sensitivity, specificity in zip(
        found.threshold[1:-1], found.sensitivity[1:-1], found.specificity[1:-1], strict=True
    ):
        assert sensitivity == pytest.approx((score[event] >= threshold).mean())
        assert specificity == pytest.approx((score[~event] < threshold).mean())
        assert threshold not in score
    above = [(score >= t).sum() for t in found.threshold[1:-1]]
    assert (np.diff([0, *above, len(score)]) >= 5).all()


def test_local_regression_by_least_squares():
    random = np.random.default_rng(2)
    x, y = np.round(random.beta(2, 4, 150), 2), random.normal(size=150)
    for center in (0.02, 0.2, 0.41, 0.8):
        distance = np.abs(x - center)
        width = np.sort(distance)[int(0.75 * 150) - 1]
        root = np.sqrt(np.where(distance < width, (1 - (distance / width) ** 3) ** 3, 0))
        X = np.column_stack([np.ones(150), x - center, (x - center) ** 2])
        fitted = np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0][0]
        found = local_regression(x, y, np.array([center]), row_variance=np.ones(150))
        assert found.value[0] == pytest.approx(fitted, rel=SOLVED)
        rows = np.linalg.lstsq(X * root[:, None], np.diag(root), rcond=None)[0][0]
        assert found.variance[0] == pytest.approx((rows**2).sum(), rel=SOLVED)


def test_net_benefit_by_counting():
    event, score, _ = random_prediction(3)
    risk = 1 / (1 + np.exp(-score))
    found = regression.net_benefit(event, risk, thresholds=[0.2, 0.5])
    for k, t in enumerate((0.2, 0.5)):
        true, false = (event & (risk >= t)).sum(), (~event & (risk >= t)).sum()
        assert found.model[k] == pytest.approx((true - false * t / (1 - t)) / len(event), rel=EXACT)
        assert found.all[k] == pytest.approx((event.sum() - (~event).sum() * t / (1 - t)) / len(event), rel=EXACT)


def design(seed, n=150):
    random = np.random.default_rng(seed)
    X = np.asfortranarray(np.column_stack([np.ones(n), random.normal(size=(n, 3)), random.random(n) < 0.02]))
    event = random.random(n) < 1 / (1 + np.exp(-X[:, 1]))
    return X, event, np.where(event, 1.0, -1.0)


def test_a_replicate_is_a_fit_on_the_drawn_rows():
    X, event, sign = design(4)
    full = maximize(BinomialLikelihood(X, sign, None), np.zeros(5)).at
    refit = regression.LogisticRefit(X, sign, full)
    random = np.random.default_rng(9)
    absent = 0
    for _ in range(20):
        drawn = random.integers(0, 150, 150)
        weights = np.bincount(drawn, minlength=150).astype(float)
        varies = X[drawn].std(axis=0) > 0
        varies[0] = True
        absent += int(not varies.all())
        alone = maximize(
            BinomialLikelihood(np.asfortranarray(X[drawn][:, varies]), sign[drawn], None), np.zeros(varies.sum())
        )
        predictor = X[:, varies] @ alone.at
        if not alone.converged:
            continue
        assert refit(weights) == pytest.approx(predictor, rel=FIT, abs=FIT)
        apart = judge(event, predictor, weights)
        own = regression.c_statistic(event[drawn], predictor[drawn]).value
        assert apart[0] == pytest.approx(own - regression.c_statistic(event, predictor).value, abs=SUMS)
        slope = regression.calibration_of(event, 1 / (1 + np.exp(-predictor))).slope.value
        assert apart[1] == pytest.approx(1 - slope, abs=SLOPE)
    assert absent > 0


def test_the_bootstrap_does_not_depend_on_threads_and_counts_failures():
    X, event, sign = design(5)
    full = maximize(BinomialLikelihood(X[:, :4], sign, None), np.zeros(4)).at
    refit = regression.LogisticRefit(np.asfortranarray(X[:, :4]), sign, full)
    one, two = (
        regression.bootstrap_optimism(event, X[:, :4] @ full, refit, seed=3, analysis="A", replicates=40, jobs=jobs)
        for jobs in (1, 3)
    )
    assert np.array_equal(one.optimism, two.optimism)
    other = regression.bootstrap_optimism(event, X[:, :4] @ full, refit, seed=4, analysis="A", replicates=40)
    assert not np.array_equal(one.optimism, other.optimism)
    calls = iter(range(40))
    failing = regression.bootstrap_optimism(
        event, X[:, :4] @ full, lambda w: None if next(calls) < 10 else refit(w), seed=3, analysis="A", replicates=40
    )
    assert failing.failed == 10
    assert failing.status.code == "not-converged"


def follow_up(seed, n=150, digits=1):
    random = np.random.default_rng(seed)
    x = np.round(random.normal(size=n), digits)
    event_time, censored = np.ceil(random.exponential(8 * np.exp(-0.6 * x))), np.ceil(random.uniform(1, 25, n))
    return pl.DataFrame({"x": x, "time": np.minimum(event_time, censored), "event": event_time <= censored})


def slow_g(table, t):
    """The probability of being uncensored until just before t."""
    stay = 1.0
    for u in sorted(set(table.filter(~pl.col("event"))["time"])):
        if u < t:
            at_risk = table.filter((pl.col("time") > u) | ((pl.col("time") == u) & ~pl.col("event"))).height
            stay *= 1 - table.filter((pl.col("time") == u) & ~pl.col("event")).height / at_risk
    return stay


def slow_auc(table, t):
    rows = table.to_dicts()
    cases = [row for row in rows if row["event"] and row["time"] <= t]
    controls = [row for row in rows if row["time"] > t or (row["time"] == t and not row["event"])]
    top = bottom = 0.0
    for case in cases:
        weight = 1 / slow_g(table, case["time"])
        for control in controls:
            bottom += weight
            top += weight * ((case["x"] > control["x"]) + (case["x"] == control["x"]) / 2)
    return top / bottom


def weighted_auc(time, event, x, weight, t):
    """The AUC of rows that count `weight` times, censoring curve and all."""
    uncensored = np.ones(len(time))
    for u in np.unique(time[~event]):
        left = (time == u) & ~event
        at_risk = (time > u) | left
        uncensored[time > u] *= 1 - weight[left].sum() / weight[at_risk].sum()
    case, control = event & (time <= t), (time > t) | ((time == t) & ~event)
    shares = (x[case][:, None] > x[control]) + (x[case][:, None] == x[control]) / 2
    pairs = np.outer(weight[case] / uncensored[case], weight[control])
    return (pairs * shares).sum() / pairs.sum()


def test_auc_at_a_time_by_every_pair_and_its_error_by_the_weight_of_each_row():
    table = follow_up(6)
    time, event, x = (table[name].to_numpy() for name in ("time", "event", "x"))
    found = survival.auc_at_time(table, time="time", event="event", score="x", at=[5, 10])
    for k, t in enumerate((5, 10)):
        assert found.value[k] == pytest.approx(slow_auc(table, t), rel=SUMS)
        slopes = []
        for row in range(len(time)):
            up, down = (1 + step * (np.arange(len(time)) == row) for step in (1e-5, -1e-5))
            slopes.append((weighted_auc(time, event, x, up, t) - weighted_auc(time, event, x, down, t)) / 2e-5)
        assert found.std_error[k] == pytest.approx(np.linalg.norm(slopes), rel=DERIVATIVE)


def test_the_censoring_curve_by_hand():
    table = follow_up(7, n=40)
    curve = censoring_curve(table["time"].to_numpy(), table["event"].to_numpy())
    for t in (1.0, 3.0, 7.0, 12.0):
        assert curve.before(np.array([t]))[0] == pytest.approx(slow_g(table, t), rel=EXACT)


def test_comparison_of_concordances_by_leaving_rows_out():
    table = follow_up(8).with_columns(y=pl.col("x") + pl.Series(np.random.default_rng(1).normal(size=150)))
    found = survival.compare_concordances(table, time="time", event="event", first="x", second="y")
    values = [
        survival.compare_concordances(
            table.filter(pl.int_range(pl.len()) != i), time="time", event="event", first="x", second="y"
        ).value
        for i in range(150)
    ]
    jackknife = np.sqrt(149 / 150 * ((values - np.mean(values)) ** 2).sum())
    assert found.std_error == pytest.approx(jackknife, rel=JACKKNIFE)


def test_a_cox_replicate_is_a_fit_on_the_drawn_rows():
    random = np.random.default_rng(10)
    table = follow_up(9, digits=4).with_columns(z=pl.Series(random.normal(size=150)))
    fit = survival.cox(table, time="time", event="event", terms=["x", "z"])
    found = survival.bootstrap_cox_optimism(fit, seed=2, analysis="C", replicates=6)
    from counterpulse.numerics.random_streams import stream
    from counterpulse.survival.cox_data import prepare

    order = prepare(fit.request).design.rows_used
    each = []
    for k in range(6):
        drawn = order[np.sort(stream(2, "C", k).integers(0, 150, 150))]
        again = survival.cox(table[drawn], time="time", event="event", terms=["x", "z"])
        judged = []
        for patients in (table[drawn], table):
            rows = patients.with_columns(lp=pl.Series(survival.linear_predictor(again, patients)))
            c = survival.concordance(rows, time="time", event="event", score="lp").value
            judged.append((c, survival.cox(rows, time="time", event="event", terms=["lp"]).coefficients[0]))
        each.append(np.subtract(*judged))
    assert found.optimism == pytest.approx(np.mean(each, axis=0), abs=FIT)
