import numpy as np
import polars as pl
import pytest

from counterpulse.emulation import clone_censor_weight
from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream

EXACT = 1e-12  # relative; the same numbers but for rounding
REORDERED = 1e-9  # relative; sums in another order, iterative fits
SHIFTED = 1e-8  # relative; a covariate moved by 1e6 loses digits
COLUMNS = {"exposure_time": "tx", "time": "t", "event": "d"}
OPTIONS = {**COLUMNS, "grace": 10.0, "covariates": ["x"], "horizon": 30.0}


def cohort(n=120, seed=1):
    random = stream(seed, "cohort")
    x = random.normal(size=n)
    time = np.minimum(random.exponential(40 * np.exp(-0.3 * x)), 60)
    exposed = random.exponential(15 * np.exp(-0.5 * x))
    return pl.DataFrame(
        {"x": x, "t": time, "d": (time < 60).astype(int), "tx": np.where(exposed < time, exposed, np.nan)}
    ).with_columns(pl.col("tx").fill_nan(None))


def measures(found):
    return np.array([row.value for row in found.estimates()])


def test_clones_of_five_patients():
    five = pl.DataFrame(
        {"t": [20.0, 20.0, 5.0, 10.0, 30.0], "d": [1, 0, 1, 1, 0], "tx": [4.0, None, None, None, 15.0],
         "x": [1.0, 2.0, 3.0, 4.0, 2.5]}
    )  # fmt: skip
    found = clone_censor_weight(five, **OPTIONS)
    treated, never = found.arms
    assert (treated.clones, treated.events, treated.artificially_censored) == (5, 3, 2)
    assert (never.clones, never.events, never.artificially_censored) == (5, 2, 2)
    assert (treated.person_time, never.person_time) == (20 + 10 + 5 + 10 + 10, 4 + 20 + 5 + 10 + 15)
    rows = found.intervals()
    assert (rows.filter(pl.col("strategy") == "within grace", pl.col("start") < 10)["weight"] == 1).all()


def test_replicates_are_the_method_on_drawn_patients():
    table = cohort()
    found = clone_censor_weight(table, **OPTIONS, bootstrap=5, seed=3, jobs=1)
    for draw in range(5):
        drawn = stream(3, "clone-censor-weight", draw).integers(0, 120, 120)
        again = clone_censor_weight(table[drawn], **OPTIONS)
        np.testing.assert_allclose(found.replicates[draw], measures(again), rtol=REORDERED)
    twice = clone_censor_weight(table, **OPTIONS, bootstrap=7, seed=3, jobs=2)
    assert np.array_equal(twice.replicates[:5], found.replicates)
    row = twice.estimates()[1]
    assert row.interval.kind == "percentile bootstrap"
    assert row.interval.low <= row.value <= row.interval.high


def test_stabilizing_leaves_the_curves_and_truncating_holds_the_weights():
    table = cohort()
    plain, stabilized = (clone_censor_weight(table, **OPTIONS, stabilized=choice) for choice in (False, True))
    np.testing.assert_allclose(measures(plain)[1:], measures(stabilized)[1:], rtol=EXACT)
    discrete = {**OPTIONS, "censoring_model": "pooled-logistic"}
    both = [clone_censor_weight(table, **discrete, stabilized=choice) for choice in (False, True)]
    np.testing.assert_allclose(measures(both[0])[1:], measures(both[1])[1:], rtol=EXACT)
    held = clone_censor_weight(table, **OPTIONS, truncate=(0.05, 0.95))
    assert held.arms[1].high == pytest.approx(np.quantile(_weights(plain, "never"), 0.95), rel=EXACT)
    assert held.arms[1].low == pytest.approx(np.quantile(_weights(plain, "never"), 0.05), rel=EXACT)


def _weights(found, strategy):
    return found.intervals().filter(pl.col("strategy") == strategy)["weight"].to_numpy()


def test_rows_and_units_do_not_matter():
    table = cohort()
    found = measures(clone_censor_weight(table, **OPTIONS))
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=2)
    np.testing.assert_allclose(measures(clone_censor_weight(shuffled, **OPTIONS)), found, rtol=REORDERED)
    hours = table.with_columns(pl.col("t", "tx") * 24.0, x=pl.col("x") * 3 + 1e6)
    again = measures(clone_censor_weight(hours, **{**OPTIONS, "grace": 240.0, "horizon": 720.0}))
    np.testing.assert_allclose(again[[0, 1, 2, 4, 5]], found[[0, 1, 2, 4, 5]], rtol=SHIFTED)
    np.testing.assert_allclose(again[[3, 6, 7]], 24 * found[[3, 6, 7]], rtol=SHIFTED)


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ({}, {"grace": 100.0}, "grace-beyond-follow-up"),
        ({"tx": None}, {}, "none-exposed-in-grace"),
        ({"tx": 0.0}, {}, "all-exposed-in-grace"),
        ({"d": 0}, {}, "no-events"),
    ],
)
def test_impossible_emulations_have_a_status(change, options, code):
    columns = {name: pl.lit(value, dtype=pl.Float64 if name == "tx" else pl.Int64) for name, value in change.items()}
    found = clone_censor_weight(cohort().with_columns(**columns), **{**OPTIONS, **options}, bootstrap=3)
    assert found.status.code == code
    assert np.isnan(measures(found)).all()
    assert set(found.tidy()["status"]) == {code}


def test_perfect_prediction_of_treatment_has_a_status():
    table = cohort().with_columns(x=(pl.col("tx") <= 10).fill_null(False).cast(pl.Float64))
    for model in ("cox", "pooled-logistic"):
        found = clone_censor_weight(table, **OPTIONS, censoring_model=model)
        assert found.status.code == "deviation-predicted"


def test_a_horizon_beyond_follow_up_has_a_status():
    found = clone_censor_weight(cohort(), **{**OPTIONS, "horizon": 500.0})
    assert [row.status.code for row in found.estimates()[:2]] == ["ok", "beyond-follow-up"]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"tx": -1.0}, {}, "negative in 120 rows"),
        ({"tx": 70.0, "t": 50.0, "d": 1}, {}, "after 't' in 120 rows"),
        ({"tx": None, "e": 1}, {"exposed": "e"}, "missing in 120 rows that are exposed"),
        ({"tx": 1.0, "t": 50.0, "e": 0}, {"exposed": "e"}, "in 120 rows that are not exposed"),
        ({}, {"grace": -1.0}, "'grace'"),
        ({}, {"horizon": 0.0}, "'horizon'"),
        ({}, {"covariates": []}, "'covariates'"),
        ({}, {"truncate": (0.9, 0.1)}, "'truncate'"),
        ({}, {"censoring_model": "probit"}, "'probit'"),
        ({}, {"bootstrap": 1}, "1 replicates"),
        ({}, {"strategies": ("a", "a")}, "'strategies'"),
        ({}, {"exposed": "absent"}, "no column 'absent'"),
    ],
)
def test_bad_input(change, options, words):
    columns = {
        name: pl.lit(value, dtype=pl.Int64 if name in ("d", "e") else pl.Float64) for name, value in change.items()
    }
    with pytest.raises(InputError, match=words):
        clone_censor_weight(cohort().with_columns(**columns), **{**OPTIONS, **options})


def test_who_is_left_out_is_counted():
    table = cohort().with_columns(x=pl.when(pl.int_range(120) < 3).then(None).otherwise(pl.col("x")))
    late = table.with_columns(
        d=pl.when(pl.int_range(120) == 5).then(0).otherwise(pl.col("d")),
        tx=pl.when(pl.int_range(120) == 5).then(99.0).otherwise(pl.col("tx")),
    )
    found = clone_censor_weight(late, **OPTIONS)
    assert (found.n, found.n_missing, found.n_after_end) == (117, 3, 1)
    assert found.rows.min() == 3
