import numpy as np
import polars as pl
import pytest

from counterpulse.data.terms import Categorical, Interaction
from counterpulse.errors import InputError
from counterpulse.regression import logistic
from counterpulse.results.references import REFERENCES
from counterpulse.results.status import Status
from counterpulse.results.tidy import TIDY

SAME = 1e-10  # relative; one computation reached by two doors
CANARY = "31415.92653"


@pytest.fixture
def table():
    rng = np.random.default_rng(5)
    n = 200
    return pl.DataFrame(
        {
            "age": rng.normal(60, 10, n),
            "sex": np.where(rng.random(n) < 0.5, "F", "M"),
            "drug": rng.random(n) < 0.5,
            "y": rng.random(n) < 0.4,
            "center": rng.integers(0, 15, n),
            "w": rng.uniform(0.5, 2, n),
        }
    )


TERMS = ["drug", "age", "sex"]


def test_a_fit_holds_what_its_rows_were(table):
    table = table.with_columns(pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise("age").alias("age"))
    fit = logistic(table, outcome="y", terms=TERMS, cluster="center")
    assert (fit.n, fit.n_missing, fit.clusters, fit.robust) == (193, 7, 15, True)
    assert fit.events == table["y"][7:].sum()
    assert fit.rows_used[0] == 7
    assert [column.name for column in fit.columns] == ["(intercept)", "drug", "age", "sex=M"]


def test_tidy_and_glance(table):
    fit = logistic(table, outcome="y", terms=TERMS)
    tidy, glance = fit.tidy(), fit.glance()
    assert tidy.schema == dict(TIDY)
    assert tidy["measure"].to_list() == ["log odds", "odds ratio", "odds ratio", "odds ratio"]
    assert tidy["estimate"][1] == pytest.approx(np.exp(fit.coefficients[1]))
    assert tidy["statistic_name"].to_list() == ["z"] * 4
    assert glance.height == 1
    assert glance["aic"][0] == pytest.approx(8 - 2 * fit.log_likelihood)


@pytest.mark.parametrize(
    "recode",
    [
        pl.col("y").cast(pl.Int64),
        pl.col("y").cast(pl.Float32),
        pl.when("y").then(pl.lit("yes")).otherwise(pl.lit("no")),
        pl.when("y").then(pl.lit("alive")).otherwise(pl.lit("zombie")).replace_strict({"alive": "b", "zombie": "a"}),
        pl.when("y").then(pl.lit("dead")).otherwise(pl.lit("alive")).cast(pl.Enum(["alive", "dead"])),
    ],
)
def test_every_way_to_write_the_outcome(table, recode):
    one = logistic(table, outcome="y", terms=TERMS)
    other = logistic(table.with_columns(recode.alias("y")), outcome="y", terms=TERMS)
    np.testing.assert_array_equal(one.coefficients, other.coefficients)


def test_weights_and_clusters_as_arrays(table):
    one = logistic(table, outcome="y", terms=TERMS, weights="w", cluster="center")
    names = [f"hospital {center}" for center in table["center"]]
    other = logistic(table, outcome="y", terms=TERMS, weights=table["w"].to_numpy(), cluster=names)
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=SAME)


def test_rows_of_weight_zero_are_left_out(table):
    weights = np.where(np.arange(200) < 50, 0.0, 1.0)
    one, other = (
        logistic(table, outcome="y", terms=TERMS, weights=weights),
        logistic(table[50:], outcome="y", terms=TERMS),
    )
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
    assert (one.n, one.n_missing, one.robust) == (150, 0, False)


def test_fractional_weights_bring_the_robust_variance(table):
    fit = logistic(table, outcome="y", terms=TERMS, weights="w")
    assert fit.robust
    choices = {choice.name: choice for choice in fit.provenance.choices}
    assert choices["weights"].value == "probability"
    assert choices["variance"].origin == "derived"
    assert set(fit.provenance.citations) <= set(REFERENCES)


def test_the_effect_in_a_subgroup_is_a_contrast(table):
    terms = [Categorical("drug"), "sex", Interaction(Categorical("drug"), "sex")]
    fit = logistic(table, outcome="y", terms=terms)
    men = fit.contrast({"drug=yes": 1, "drug=yes:sex=M": 1}, term="men")
    alone = logistic(table.filter(pl.col("sex") == "M"), outcome="y", terms=[Categorical("drug")])
    assert men.value == pytest.approx(alone.coefficients[1], rel=SAME)
    assert men.std_error == pytest.approx(alone.parameters.std_errors()[1], rel=SAME)
    assert (men.term, men.scale, men.natural().value) == ("men", "log", pytest.approx(np.exp(men.value)))
    test = fit.wald_test(["drug=yes:sex=M"])
    assert test.statistic == pytest.approx(fit.estimates()[3].statistic ** 2, rel=SAME)
    assert test.p_value == pytest.approx(fit.estimates()[3].p_value, rel=SAME)
    with pytest.raises(InputError, match="no coefficient 'sex=X'"):
        fit.wald_test(["sex=X"])


def test_a_contrast_with_an_infinite_coefficient_has_its_status(table):
    table = table.with_columns((pl.col("y") & (pl.col("age") > 60)).alias("marker"))
    fit = logistic(table, outcome="y", terms=["marker", "drug"])
    assert fit.status is Status.SEPARATION
    contrast = fit.contrast({"marker": 1, "drug": 1})
    assert contrast.status is Status.SEPARATION
    assert np.isnan(contrast.value)
    assert fit.wald_test(["marker", "drug"]).status is Status.SEPARATION
    assert np.isnan(fit.predict(table)).all()
    assert fit.converged


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (pl.lit(False).alias("y"), Status.NO_EVENTS),
        (pl.lit(True).alias("y"), Status.ALL_EVENTS),
        (pl.lit(None, dtype=pl.Float64).alias("age"), Status.NO_ROWS),
        (pl.when(pl.int_range(pl.len()) < 3).then("age").otherwise(None).alias("age"), Status.TOO_FEW_ROWS),
    ],
)
def test_a_model_that_cannot_be_fitted_is_a_status_on_every_coefficient(table, change, status):
    table = table.with_columns(y=pl.int_range(pl.len()) % 2 == 0).with_columns(change)
    fit = logistic(table, outcome="y", terms=["drug", "age", Categorical("sex")])
    assert fit.status is status
    assert len(fit.estimates()) >= 3
    assert {estimate.status for estimate in fit.estimates()} == {status}
    assert fit.tidy()["estimate"].null_count() == fit.tidy().height
    assert fit.glance()["status"].to_list() == [status.code]


def test_a_term_of_one_level_has_a_status(table):
    fit = logistic(table.with_columns(sex=pl.lit("F")), outcome="y", terms=["age", "sex"])
    last = fit.estimates()[-1]
    assert (last.variable, last.status) == ("sex", Status.CONSTANT)
    assert fit.status is Status.OK


def test_one_cluster_has_no_standard_error(table):
    fit = logistic(table.with_columns(center=pl.lit(1)), outcome="y", terms=TERMS, cluster="center")
    assert {estimate.status for estimate in fit.estimates()} == {Status.FEW_CLUSTERS}


def test_predictions(table):
    fit = logistic(table, outcome="y", terms=TERMS)
    new = table.with_columns(pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise("age").alias("age"))
    predicted = fit.predict(new)
    assert np.isnan(predicted[3])
    assert np.nansum(fit.predict(table)) == pytest.approx(fit.events)
    with pytest.raises(InputError, match="'sex' has a level"):
        fit.predict(table.with_columns(sex=pl.lit("X")))


def test_a_long_table_that_is_separated_is_found_out():
    rng = np.random.default_rng(1)
    n = 200_000
    x, rare = rng.normal(size=n), rng.random(n) < 1e-4
    y = (rng.random(n) < 1 / (1 + np.exp(-x))) | rare
    fit = logistic(pl.DataFrame({"x": x, "rare": rare, "y": y}), outcome="y", terms=["x", "rare"])
    assert fit.parameters.statuses == (Status.OK, Status.OK, Status.SEPARATION)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty": "firth", "cluster": "center"}, "Firth"),
        ({"interval": "profile", "weights": "w"}, "profile"),
        ({"interval": "exact"}, "'exact' is not known"),
        ({"penalty": "ridge"}, "'ridge' is not known"),
        ({"level": 95}, "not between 0 and 1"),
        ({"cluster": "center", "robust": False}, "robust variance"),
        ({"weights": "sex"}, "'sex' are String"),
        ({"weights": [1.0, 2.0]}, "2 weights for 200 rows"),
        ({"cluster": [1, 2]}, "2 cluster labels for 200 rows"),
        ({"outcome": "age"}, "'age' has numbers other than 0 and 1"),
        ({"outcome": "absent"}, "no column 'absent'"),
        ({"terms": ["infinite"]}, "'infinite' has an infinite value"),
        ({"weights": "negative"}, "negative or infinite"),
    ],
)
def test_misuse_is_told_without_a_value_of_a_patient(table, options, message):
    first = pl.int_range(pl.len()) == 0
    table = table.with_columns(
        pl.when(first).then(float(CANARY)).otherwise("age").alias("age"),
        pl.when(first).then(float("inf")).otherwise(float(CANARY)).alias("infinite"),
        pl.when(first).then(-float(CANARY)).otherwise(1.0).alias("negative"),
    )
    with pytest.raises(InputError, match=message) as caught:
        logistic(table, **{"outcome": "y", "terms": TERMS, **options})
    assert CANARY not in str(caught.value)


def test_three_levels_are_no_binary_outcome(table):
    table = table.with_columns(y=(pl.int_range(pl.len()) % 3).cast(pl.String))
    with pytest.raises(InputError, match="has 3 levels"):
        logistic(table, outcome="y", terms=TERMS)


def test_a_fit_prints_no_patient(table):
    table = table.with_columns(pl.when(pl.int_range(pl.len()) == 0).then(float(CANARY)).otherwise("age").alias("age"))
    assert CANARY not in repr(logistic(table, outcome="y", terms=TERMS, weights="age"))
