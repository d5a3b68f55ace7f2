import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.errors import InputError
from counterpulse.results import REFERENCES, Status

CLOSED_FORM = 1e-10  # relative


@pytest.fixture
def table():
    random = np.random.default_rng(9)
    n = 400
    x = random.normal(size=n)
    lost, event = random.exponential(6 * np.exp(-0.4 * x)), random.exponential(5, n)
    return pl.DataFrame({"time": np.minimum(lost, event), "lost": lost < event, "x": x, "id": np.arange(n)})


def test_unstabilized_weights_are_one_over_the_probability(table):
    found = survival.inverse_censoring_weights(table, time="time", censored="lost", terms=["x"], stabilized=False)
    np.testing.assert_allclose(found.weights * found.probability, 1, rtol=CLOSED_FORM)
    assert found.smallest >= 1
    assert found.model is not None
    assert found.tidy()["term"].to_list() == ["x"]


def test_stabilized_weights_of_the_covariates_of_the_numerator_are_one(table):
    found = survival.inverse_censoring_weights(table, time="time", censored="lost", terms=["x"], numerator=["x"])
    np.testing.assert_allclose(found.weights, 1, rtol=CLOSED_FORM)
    same = survival.inverse_censoring_weights(table, time="time", censored="lost")
    np.testing.assert_allclose(same.weights, 1, rtol=CLOSED_FORM)


def test_rows_split_further_keep_their_last_weights(table):
    whole = survival.inverse_censoring_weights(table, time="time", censored="lost", terms=["x"])
    late = pl.col("time") > 1
    first = table.with_columns(
        start=pl.lit(0.0), stop=pl.min_horizontal("time", pl.lit(1.0)), lost=pl.col("lost") & ~late
    )
    second = table.filter(late).with_columns(start=pl.lit(1.0), stop=pl.col("time"))
    rows = pl.concat([first, second.select(first.columns)]).with_row_index("row")
    split = survival.inverse_censoring_weights(
        rows, time="stop", start="start", censored="lost", patient="id", terms=["x"]
    )
    last = rows.with_columns(weight=pl.Series(split.weights)).sort("stop").group_by("id").last().sort("id")
    np.testing.assert_allclose(last["weight"], whole.weights, rtol=CLOSED_FORM)


def test_truncation_holds_and_counts(table):
    free = survival.inverse_censoring_weights(table, time="time", censored="lost", terms=["x"])
    held = survival.inverse_censoring_weights(table, time="time", censored="lost", terms=["x"], truncation=(0.05, 0.95))
    low, high = np.quantile(free.weights, [0.05, 0.95])
    assert (held.smallest, held.largest) == (low, high)
    assert held.n_truncated == 40
    assert held.effective_size > free.effective_size
    assert set(free.provenance.citations) <= set(REFERENCES)


def test_a_row_after_an_incomplete_one_has_no_weight():
    rows = pl.DataFrame(
        {
            "id": [1, 1, 1, 2, 2, 3], "start": [0.0, 1.0, 2.0, 0.0, 1.0, 0.0], "stop": [1.0, 2.0, 3.0, 1.0, 1.5, 2.5],
            "lost": [False, False, False, False, True, True], "x": [0.1, None, 0.3, 0.5, 0.2, -0.4],
        }
    )  # fmt: skip
    found = survival.inverse_censoring_weights(
        rows, time="stop", start="start", censored="lost", patient="id", terms=["x"], stabilized=False
    )
    assert np.isnan(found.weights).tolist() == [False, True, True, False, False, False]
    assert found.n_missing == 2


def test_nobody_censored_weighs_one(table):
    found = survival.inverse_censoring_weights(
        table.with_columns(lost=pl.lit(value=False)), time="time", censored="lost", terms=["x"]
    )
    np.testing.assert_array_equal(found.weights, 1.0)
    assert found.status is Status.OK


def test_misuse_is_refused(table):
    options = {"time": "time", "censored": "lost"}
    gap = pl.DataFrame({"id": [1, 1], "start": [0.0, 2.0], "time": [1.0, 3.0], "lost": [False, True], "x": [0.0, 1.0]})
    with pytest.raises(InputError, match="without a gap"):
        survival.inverse_censoring_weights(gap, start="start", patient="id", terms=["x"], **options)
    with pytest.raises(InputError, match="truncation"):
        survival.inverse_censoring_weights(table, terms=["x"], truncation=(5, 95), **options)
    with pytest.raises(InputError, match="numerator"):
        survival.inverse_censoring_weights(table, numerator=["x"], **options)
    with pytest.raises(InputError, match="terms"):
        survival.inverse_censoring_weights(table, terms="x", **options)
