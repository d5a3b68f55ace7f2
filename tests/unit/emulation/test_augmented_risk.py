import numpy as np
import polars as pl
import pytest

from counterpulse.emulation import augmented_risk
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.random_streams import stream
from counterpulse.regression import aipw
from counterpulse.survival import kaplan_meier

CLOSED_FORM = 1e-11  # relative; products and sums in another order
OTHER = 1e-3  # relative; what differs more is another variance, and Efron's ties of doubled rows differ less
REFITTED = 1e-7  # relative; fits of the same rows in another order
OPTIONS = {"time": "t", "event": "d", "treatment": "a", "covariates": ["x", "z"], "at": 20}


def cohort(n=400, seed=1, censored=40.0):
    random = stream(seed, "timed cohort")
    x, z = random.normal(size=n), random.integers(0, 2, n)
    a = random.random(n) < expit(0.4 * x - 0.3 * z)
    death = random.exponential(25 * np.exp(-0.4 * x - 0.3 * a))
    end = random.exponential(censored * np.exp(0.2 * x), n)
    return pl.DataFrame(
        {"x": x, "z": z, "a": a.astype(int), "t": np.ceil(np.minimum(death, end)), "d": death <= end,
         "w": random.integers(1, 4, n), "center": np.arange(n) % 50}
    )  # fmt: skip


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATC"])
def test_without_covariates_the_risks_are_those_of_kaplan_and_meier(estimand):
    table = cohort()
    found = augmented_risk(table, **{**OPTIONS, "covariates": []}, estimand=estimand)
    curves = kaplan_meier(table, time="t", event="d", by="a").at(20)
    np.testing.assert_allclose(found.two.means, [1 - curves[1].value, 1 - curves[0].value], rtol=CLOSED_FORM)


def test_without_censoring_it_is_a_risk_of_everybody():
    table = cohort(censored=1e9)
    assert table["d"].all()
    found = augmented_risk(table, **OPTIONS, scores=np.full(400, 0.5))
    known = table.with_columns(y=(pl.col("t") <= 20).cast(pl.Int8))
    simple = aipw(known, outcome="y", treatment="a", covariates=["x", "z"], scores=np.full(400, 0.5))
    assert abs(found.two.means - simple.two.means).max() < simple.two.covariance.max() ** 0.5
    again = augmented_risk(table, **OPTIONS, scores=np.full(400, 0.5), censoring="kaplan-meier")
    assert np.array_equal(found.two.means, again.two.means)


@pytest.mark.parametrize("censoring", ["cox", "kaplan-meier"])
def test_rows_weights_and_clusters(censoring):
    table, options = cohort(), {**OPTIONS, "censoring": censoring}
    found = augmented_risk(table, **options).two
    for again in (augmented_risk(table.reverse(), **options), augmented_risk(table, **options, cluster=np.arange(400))):
        np.testing.assert_allclose(again.two.means, found.means, rtol=REFITTED)
        np.testing.assert_allclose(again.two.covariance, found.covariance, rtol=REFITTED)
    clustered = augmented_risk(table, **options, cluster="center").two
    assert np.array_equal(clustered.means, found.means)
    assert not np.allclose(clustered.covariance, found.covariance, rtol=OTHER)
    doubled = augmented_risk(table, **options, weights=np.full(400, 2.0), bounds=(0.05, 0.95)).two
    once = augmented_risk(table, **options, bounds=(0.05, 0.95)).two
    np.testing.assert_allclose(doubled.means, once.means, rtol=OTHER)


def test_followed_beyond_the_time_or_to_it_is_the_same():
    table = cohort()
    cut = table.with_columns(d=pl.col("d") & (pl.col("t") <= 20), t=pl.min_horizontal("t", 20.0))
    found, other = augmented_risk(table, **OPTIONS), augmented_risk(cut, **OPTIONS)
    np.testing.assert_allclose(other.two.means, found.two.means, rtol=REFITTED)
    np.testing.assert_allclose(other.two.covariance, found.two.covariance, rtol=REFITTED)


def test_a_missing_value_leaves_the_row_out():
    table = cohort().with_columns(
        x=pl.when(pl.int_range(400) == 3).then(None).otherwise(pl.col("x")),
        t=pl.when(pl.int_range(400) == 5).then(None).otherwise(pl.col("t")),
    )
    found = augmented_risk(table, **OPTIONS)
    assert (found.n, found.n_missing) == (398, 2)
    kept = augmented_risk(table.drop_nulls(), **OPTIONS)
    np.testing.assert_allclose(found.two.means, kept.two.means, rtol=REFITTED)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"a": pl.lit(0)}, "no-treated"),
        ({"x": pl.lit(None, dtype=pl.Float64)}, "no-rows"),
        ({"x": pl.col("a") * 1.0}, "treatment-predicted"),
        ({"t": pl.min_horizontal("t", 10.0), "d": pl.col("d") & (pl.col("t") < 10)}, "beyond-follow-up"),
        ({"z": ((pl.col("a") == 1) & pl.col("d") & (pl.col("t") < 20)).cast(pl.Int8)}, "treatment-predicted"),
        ({"z": (pl.col("d") | (pl.col("t") > 20)).cast(pl.Int8)}, "one-arm-unfitted"),
    ],
)
def test_what_cannot_be_estimated_has_a_status(change, code):
    found = augmented_risk(cohort().with_columns(**change), **OPTIONS)
    assert found.status.code == code
    assert {row.status.code for row in found.estimates()} == {code}


def test_censoring_that_a_covariate_decides():
    never = (pl.col("d") & (pl.col("t") < 20) & (pl.int_range(400) % 2 == 0)).cast(pl.Int8)
    table, scores = cohort().with_columns(z=never), np.full(400, 0.5)
    assert augmented_risk(table, **OPTIONS, scores=scores).status.code == "censoring-unfitted"
    assert augmented_risk(table, **OPTIONS, scores=scores, censoring="kaplan-meier").status.code == "ok"


def test_nobody_has_the_event():
    table = cohort().with_columns(d=pl.col("d") & (pl.col("a") == 0))
    found = augmented_risk(table, **OPTIONS)
    assert found.two.means[0] == 0
    assert found.estimates()[2].status.code == "undefined"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"at": 0}, "'at'"), ({"at": float("nan")}, "'at'"), ({"outcome_learner": lambda *_: None}, "learners"),
        ({"estimand": "ATO"}, "not known"), ({"time": "absent"}, "no column 'absent'"), ({"event": "w"}, "event column"),
    ],
)  # fmt: skip
def test_bad_input(options, words):
    with pytest.raises(InputError, match=words):
        augmented_risk(cohort(), **{**OPTIONS, **options})
    with pytest.raises(InputError, match="negative times"):
        augmented_risk(cohort().with_columns(t=-pl.col("t")), **OPTIONS)
