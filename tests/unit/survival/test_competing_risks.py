import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.errors import InputError
from counterpulse.results import REFERENCES, Status

CLOSED_FORM = 1e-10  # relative


@pytest.fixture
def table():
    random = np.random.default_rng(5)
    n = 120
    return pl.DataFrame(
        {
            "time": random.exponential(5, n).round(3),
            "end": random.choice(["censored", "weaned", "died"], n),
            "age": random.normal(60, 10, n),
            "arm": random.choice(["device", "none"], n),
            "pair": np.arange(n) // 2,
        }
    ).with_columns(pl.col("end").cast(pl.Enum(["censored", "weaned", "died"])))


def test_the_cause_is_named_and_the_first_is_the_default(table):
    fit = survival.fine_gray(table, time="time", event="end", terms=["age", "arm"])
    assert (fit.cause, fit.other_causes) == ("weaned", ("died",))
    assert fit.n == table.height == fit.events + fit.other_events + (table["end"] == "censored").sum()
    died = survival.fine_gray(table, time="time", event="end", terms=["age", "arm"], cause="died")
    assert (died.cause, died.events) == ("died", fit.other_events)


def test_results_have_the_usual_shape(table):
    fit = survival.fine_gray(table, time="time", event="end", terms=["age", "arm"])
    tidy = fit.tidy()
    assert tidy["measure"].unique().to_list() == ["subdistribution hazard ratio"]
    assert tidy["term"].to_list() == ["age", "none"]
    np.testing.assert_allclose(tidy["estimate"], np.exp(fit.coefficients), rtol=CLOSED_FORM)
    assert fit.glance()["cause"].to_list() == ["weaned"]
    assert set(fit.provenance.citations) <= set(REFERENCES)
    assert fit.contrast({"age": 10.0}).value == pytest.approx(10 * fit.coefficients[0], rel=CLOSED_FORM)
    assert fit.wald([column.name for column in fit.columns]).df == 2


def test_incidence_is_nan_beyond_follow_up_and_rises(table):
    fit = survival.fine_gray(table, time="time", event="end", terms=["age"])
    patients = pl.DataFrame({"age": [50.0, 70.0]})
    assert np.isnan(fit.incidence(patients, float(table["time"].max()) + 1)).all()
    np.testing.assert_array_equal(fit.incidence(patients, 0.0), 0.0)
    assert (np.diff([fit.incidence(patients, time) for time in (1.0, 3.0, 6.0)], axis=0) >= 0).all()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (pl.lit("died").cast(pl.Enum(["censored", "weaned", "died"])).alias("end"), Status.NO_EVENTS),
        (pl.lit(None, dtype=pl.Float64).alias("age"), Status.NO_ROWS),
    ],
)
def test_data_without_events_or_rows_are_states(table, change, status):
    fit = survival.fine_gray(table.with_columns(change), time="time", event="end", terms=["age"])
    assert fit.status is status
    assert {one.status for one in fit.estimates()} == {status}
    assert np.isnan(fit.incidence(table.head(1), 1.0)).all()


def test_constant_dependent_and_separating_covariates_have_a_status(table):
    weaned = (pl.col("end") == "weaned").cast(pl.Float64)
    table = table.with_columns(one=pl.lit(1.0), double=2 * pl.col("age"), knows=weaned)
    fit = survival.fine_gray(table, time="time", event="end", terms=["age", "one", "double"])
    statuses = [estimate.status for estimate in fit.estimates()]
    assert statuses == [Status.OK, Status.CONSTANT, Status.RANK_DEFICIENT]
    fit = survival.fine_gray(table, time="time", event="end", terms=["age", "knows"])
    assert fit.status is Status.SEPARATION
    assert fit.estimates()[1].status is Status.SEPARATION
    alone = survival.fine_gray(table, time="time", event="end", terms=["one"])
    assert [estimate.status for estimate in alone.estimates()] == [Status.CONSTANT]


def test_few_clusters_have_no_standard_error(table):
    fit = survival.fine_gray(
        table.with_columns(pair=pl.col("pair") % 5), time="time", event="end", terms=["age"], cluster="pair"
    )
    assert fit.estimates()[0].status is Status.FEW_CLUSTERS
    assert fit.estimates()[0].std_error is None


def test_missing_values_are_left_out_and_counted(table):
    holes = table.with_columns(
        age=pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise("age"),
        end=pl.when(pl.int_range(pl.len()).is_between(5, 9)).then(None).otherwise("end"),
    )
    fit = survival.fine_gray(holes, time="time", event="end", terms=["age"])
    assert (fit.n, fit.n_missing) == (110, 10)
    whole = survival.fine_gray(table[10:], time="time", event="end", terms=["age"])
    np.testing.assert_allclose(fit.coefficients, whole.coefficients, rtol=CLOSED_FORM)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cause": "transplanted"}, "there is no cause"),
        ({"variance": "hc3"}, "variance='hc3'"),
        ({"ties": "exact"}, "ties='exact'"),
        ({"tied_censoring": "never"}, "tied_censoring='never'"),
        ({"terms": []}, "at least one"),
        ({"level": 95}, "level"),
    ],
)
def test_misuse_is_refused(table, options, text):
    with pytest.raises(InputError, match=text):
        survival.fine_gray(table, **{"time": "time", "event": "end", "terms": ["age"], **options})


def test_cause_specific_cox_censors_the_other_cause(table):
    fit = survival.cause_specific_cox(table, time="time", event="end", terms=["age"], cause="died")
    expected = survival.cox(table.with_columns(dead=pl.col("end") == "died"), time="time", event="dead", terms=["age"])
    np.testing.assert_array_equal(fit.coefficients, expected.coefficients)
