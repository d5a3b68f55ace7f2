import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.regression import linear
from counterpulse.results.references import REFERENCES
from counterpulse.results.status import Status

SAME = 1e-12  # relative; closed forms
RATIO = 1e-10  # relative; a ratio of differences of sums
FAR = 1e-8  # relative; the outcome itself lost six digits when it was moved


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    n = 80
    return pl.DataFrame(
        {"x": rng.normal(size=n), "g": rng.integers(0, 2, n), "y": rng.normal(size=n), "c": rng.integers(0, 9, n)}
    )


def test_two_groups_are_the_t_test(table):
    fit = linear(table, outcome="y", terms=["g"])
    one, two = (table.filter(pl.col("g") == g)["y"].to_numpy() for g in (1, 0))
    pooled = ((len(one) - 1) * one.var(ddof=1) + (len(two) - 1) * two.var(ddof=1)) / (len(one) + len(two) - 2)
    estimate = fit.estimates()[1]
    assert estimate.value == pytest.approx(one.mean() - two.mean(), rel=SAME)
    assert estimate.std_error == pytest.approx(np.sqrt(pooled * (1 / len(one) + 1 / len(two))), rel=SAME)
    assert (estimate.measure, estimate.statistic_name, estimate.df) == ("mean difference", "t", 78.0)


def test_an_outcome_far_from_zero_loses_nothing(table):
    one = linear(table, outcome="y", terms=["x", "g"])
    other = linear(table.with_columns(pl.col("y") + 2**20), outcome="y", terms=["x", "g"])
    np.testing.assert_allclose(one.coefficients[1:], other.coefficients[1:], rtol=FAR)


def test_joint_test_is_f(table):
    test = linear(table, outcome="y", terms=["x", "g"]).wald_test(["x", "g"])
    fit = linear(table, outcome="y", terms=["x", "g"])
    expected = fit.r_squared / 2 / ((1 - fit.r_squared) / 77)
    assert (test.statistic_name, test.df, test.df_denominator) == ("F", 2.0, 77.0)
    assert test.statistic == pytest.approx(expected, rel=RATIO)


def test_statuses(table):
    constant = linear(table.with_columns(y=pl.lit(2.0)), outcome="y", terms=["x"])
    assert constant.status is Status.ZERO_VARIANCE
    assert linear(table[:2], outcome="y", terms=["x"]).status is Status.TOO_FEW_ROWS
    assert linear(table[:0], outcome="y", terms=["x"]).status is Status.NO_ROWS
    assert linear(table[:0], outcome="y", terms=["x"]).tidy().height == 2


def test_a_row_of_full_leverage_has_no_hc3(table):
    table = table.with_columns(alone=pl.int_range(pl.len()) == 0)
    fit = linear(table, outcome="y", terms=["alone", "x"], robust=True)
    assert {estimate.status for estimate in fit.estimates()} == {Status.UNDEFINED}


def test_provenance_predictions_and_misuse(table):
    fit = linear(table, outcome="y", terms=["x"], cluster="c")
    assert set(fit.provenance.citations) <= set(REFERENCES)
    assert fit.predict(table) == pytest.approx(fit.coefficients[0] + fit.coefficients[1] * table["x"].to_numpy())
    assert fit.contrast({"x": 2}).value == pytest.approx(2 * fit.coefficients[1])
    assert fit.glance()["clusters"].to_list() == [9]
    with pytest.raises(InputError, match="needs a number"):
        linear(table.with_columns(y=pl.lit("a")), outcome="y", terms=["x"])
    with pytest.raises(InputError, match="'y' has an infinite value"):
        linear(table.with_columns(y=pl.lit(float("inf"))), outcome="y", terms=["x"])
