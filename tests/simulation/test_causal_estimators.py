"""Doubly robust estimators with one wrong model, and emulated trials of a treatment that does nothing; intervals that cover."""

import numpy as np
import polars as pl
import pytest

from counterpulse.emulation import augmented_risk, clone_censor_weight, sequence_of_trials
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.random_streams import stream
from counterpulse.regression import aipw, bootstrap_standardized, logistic, standardize, tmle
from counterpulse.survival import cox

pytestmark = pytest.mark.slow

ERRORS = 4.0  # standard errors within which an unbiased estimate lies, but for one time in 16,000
BIASED = 10.0  # standard errors beyond which a biased one lies here
LEAST, MOST, REPLICATES = 0.935, 0.965, 2000
FEWER, AROUND = 500, 0.03  # replicates that draw bootstrap samples; three standard errors of their coverage
METHODS = pytest.mark.parametrize("method", [aipw, tmle])


def cohort(rng, n):
    x, z = rng.normal(size=n), rng.normal(size=n)
    treated = rng.random(n) < expit(0.8 * x - 0.4 * z)
    risk = expit(-0.5 + np.array([[0.0], [0.5]]) + 0.9 * x + 0.5 * z)
    died = rng.random(n) < np.where(treated, risk[1], risk[0])
    table = pl.DataFrame({"x": x, "z": z, "a": treated.astype(int), "y": died.astype(int)})
    return table, {"ATE": (risk[1] - risk[0]).mean(), "ATT": (risk[1] - risk[0])[treated].mean()}


def difference(found):
    return next(row for row in found.estimates() if row.measure == "risk difference")


@METHODS
@pytest.mark.parametrize("estimand", ["ATE", "ATT"])
@pytest.mark.parametrize(
    ("treatment", "outcome", "right"),
    [(["x", "z"], ["z"], True), (["z"], ["x", "z"], True), (["x", "z"], ["x", "z"], True), (["z"], ["z"], False)],
)
def test_one_right_model_is_enough(method, estimand, treatment, outcome, right):
    table, truth = cohort(stream(7, "double robustness"), 200_000)
    row = difference(
        method(table, outcome="y", treatment="a", covariates=treatment, outcome_covariates=outcome, estimand=estimand)
    )
    away = abs(row.value - truth[estimand]) / row.std_error
    assert away < ERRORS if right else away > BIASED


@METHODS
def test_intervals_cover(method):
    def inside(number):
        table, _ = cohort(stream(11, "coverage", number), 500)
        interval = difference(method(table, outcome="y", treatment="a", covariates=["x", "z"])).interval
        return interval.low <= truth <= interval.high

    truth = cohort(stream(11, "truth"), 2_000_000)[1]["ATE"]
    assert LEAST <= np.mean([inside(number) for number in range(REPLICATES)]) <= MOST


def timed(rng, n):
    x, z = rng.normal(size=n), rng.normal(size=n)
    treated = rng.random(n) < expit(0.8 * x - 0.4 * z)
    hazard = 0.03 * np.exp(0.7 * x + 0.4 * z + np.array([[0.0], [0.5]]))
    death = rng.exponential(1 / np.where(treated, hazard[1], hazard[0]))
    end = np.minimum(rng.exponential(40 * np.exp(0.6 * x - 0.5 * treated)), 60)
    risk = -np.expm1(-20 * hazard)
    table = pl.DataFrame({"x": x, "z": z, "a": treated.astype(int), "t": np.minimum(death, end), "d": death <= end})
    return table, {"ATE": (risk[1] - risk[0]).mean(), "ATT": (risk[1] - risk[0])[treated].mean()}


TIMED = {"time": "t", "event": "d", "treatment": "a", "at": 20}


@pytest.mark.parametrize("estimand", ["ATE", "ATT"])
@pytest.mark.parametrize(
    ("covariates", "outcome", "censoring", "right"),
    [
        (["x", "z"], ["x", "z"], "cox", True),
        (["z"], ["x", "z"], "kaplan-meier", True),
        (["x", "z"], ["x"], "cox", True),
        (["z"], ["z"], "cox", False),
    ],
)
def test_censored_times_with_one_wrong_model(covariates, outcome, censoring, right, estimand):
    table, truth = timed(stream(19, "censored times"), 60_000)
    row = difference(
        augmented_risk(
            table, **TIMED, covariates=covariates, outcome_covariates=outcome, censoring=censoring, estimand=estimand
        )
    )
    away = abs(row.value - truth[estimand]) / row.std_error
    assert away < ERRORS if right else away > BIASED


def test_intervals_of_censored_times_cover():
    def inside(number):
        table, _ = timed(stream(23, "coverage of times", number), 500)
        interval = difference(augmented_risk(table, **TIMED, covariates=["x", "z"])).interval
        return interval.low <= truth <= interval.high

    truth = timed(stream(23, "truth of times"), 2_000_000)[1]["ATE"]
    assert LEAST <= np.mean([inside(number) for number in range(REPLICATES)]) <= MOST


@pytest.mark.parametrize("target", ["all", "treated"])
def test_standardized_and_bootstrapped_intervals_cover(target):
    def inside(number):
        table, _ = cohort(stream(29, "coverage of a part", number), 400)
        fit = logistic(table, outcome="y", terms=["a", "x", "z"])
        among = None if target == "all" else table["a"].to_numpy() == 1
        options = {"variable": "a", "treated": 1, "reference": 0, "among": among}
        plain = difference(standardize(fit, table, **options)).interval
        drawn = difference(
            bootstrap_standardized(fit, table, **options, replicates=200, seed=number, analysis="cover")
        ).interval
        return [interval.low <= truth <= interval.high for interval in (plain, drawn)]

    truth = cohort(stream(29, "truth of a part"), 2_000_000)[1]["ATE" if target == "all" else "ATT"]
    share = np.mean([inside(number) for number in range(FEWER)], axis=0)
    assert np.abs(share - 0.95).max() < AROUND


def test_clones_of_patients_whom_treatment_does_nothing():
    rng, n = stream(13, "clones"), 20_000
    x = rng.normal(size=n)
    time = np.minimum(rng.exponential(60 * np.exp(-0.7 * x)), 90)
    start = rng.exponential(15 * np.exp(0.6 * x))
    table = pl.DataFrame(
        {"x": x, "t": time, "d": (time < 90).astype(int), "s": np.where(start < time, start, np.nan)}
    ).with_columns(pl.col("t", "s").ceil().fill_nan(None))
    ever = table.with_columns(ever=pl.col("s").is_not_null().cast(pl.Int8))
    naive = cox(ever, time="t", event="d", terms=["ever", "x"]).estimates()[0]
    assert naive.value < -BIASED * naive.std_error
    found = clone_censor_weight(
        table, exposure_time="s", time="t", event="d", grace=20, covariates=["x"], horizon=60, bootstrap=50, jobs=2
    )
    for row in found.estimates()[:4]:
        assert abs(row.value) < ERRORS * row.std_error


def test_trials_of_a_treatment_that_does_nothing():
    rng, n, rows = stream(17, "trials"), 20_000, []
    v, a, alive, fresh = rng.normal(size=n), np.zeros(n, int), np.ones(n, bool), np.ones(n, bool)
    for period in range(6):
        x = 0.6 * v + rng.normal(size=n)
        now = (rng.random(n) < expit(-1.2 + 2.4 * a + 0.8 * x)).astype(int)
        died = rng.random(n) < expit(-3.2 + 0.9 * x)
        columns = {"id": np.arange(n), "can": fresh.astype(int), "a": now, "y": died.astype(int), "x": x, "v": v}
        rows.append(pl.DataFrame(columns).with_columns(m=pl.lit(period)).filter(pl.Series(alive)))
        alive, fresh, a = alive & ~died, fresh & (now == 0), now
    table = pl.concat(rows)
    columns = {"patient": "id", "period": "m", "eligible": "can", "treatment": "a", "outcome": "y", "horizon": 4}
    crude = logistic(table, outcome="y", terms=["a"], cluster="id").estimates()[1]
    assert crude.value > BIASED * crude.std_error
    for options in (
        {},
        {"estimand": "per-protocol", "switch_denominator": ["x", "v"], "switch_numerator": ["v"]},
    ):
        row = sequence_of_trials(table, **columns, covariates=["x", "v"], **options).estimates()[0]
        assert abs(row.value) < ERRORS * row.std_error
