import numpy as np
import polars as pl
import pytest

import counterpulse.survival as survival
from counterpulse.data.terms import Categorical, Interaction, Numeric
from counterpulse.errors import InputError
from counterpulse.numerics import blocks
from counterpulse.results import Status
from counterpulse.survival import maximize, partial_likelihood, risk_blocks, risk_sets

BLOCKS = 1e-9  # relative; the same sums cut at other places
ITERATIVE = 1e-8  # of a standard error; the start must not be seen in the end
COX = {"time": "time", "event": "event"}


def patients(n=300, seed=1, *, ties=True):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.integers(0, 2, n)
    time = rng.exponential(np.exp(-0.5 * x)) * 6
    time = np.ceil(time) if ties else time
    return pl.DataFrame(
        {
            "time": time, "start": time * rng.uniform(-0.5, 0.9, n), "event": rng.random(n) < 0.6, "x": x, "z": z,
            "arm": np.array(["a", "b", "c"])[rng.integers(0, 3, n)], "s": rng.integers(0, 3, n),
            "many": rng.integers(0, 90, n), "w": rng.uniform(0.4, 2, n), "c": rng.integers(0, 50, n),
        }
    )  # fmt: skip


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("start", [None, "start"])
@pytest.mark.parametrize("strata", [None, "s", "many"])
@pytest.mark.parametrize("rows", [3, 17])
def test_where_chunks_end_does_not_matter(ties, start, strata, rows, monkeypatch):
    def fit():
        return survival.cox(
            patients(ties=ties), terms=["x", "z", "arm"], start=start, strata=strata, weights="w", cluster="c", **COX
        )

    whole = fit()
    tests = survival.proportional_hazards(whole).chi_squared
    monkeypatch.setattr(risk_blocks, "CHUNK_ROWS", rows)
    monkeypatch.setattr(risk_sets, "FEW_STRATA", 2)
    cut = fit()
    np.testing.assert_allclose(cut.coefficients, whole.coefficients, rtol=BLOCKS)
    np.testing.assert_allclose(cut.covariance, whole.covariance, rtol=BLOCKS)
    np.testing.assert_allclose(cut.model_covariance, whole.model_covariance, rtol=BLOCKS)
    np.testing.assert_allclose(survival.proportional_hazards(cut).chi_squared, tests, rtol=BLOCKS)


@pytest.mark.parametrize("ties", [True, False])
def test_a_start_from_few_rows_ends_at_the_same_maximum(ties, monkeypatch):
    table = patients(4000, ties=ties)
    cold = survival.cox(table, terms=["x", "z", "arm"], **COX)
    monkeypatch.setattr(maximize, "WARM_ROWS", 400)
    monkeypatch.setattr(maximize, "WARM_FROM", 1000)
    warm = survival.cox(table, terms=["x", "z", "arm"], **COX)
    assert warm.iterations <= cold.iterations
    errors = np.sqrt(np.diag(cold.covariance))
    np.testing.assert_allclose((warm.coefficients - cold.coefficients) / errors, 0, atol=ITERATIVE)
    np.testing.assert_allclose(warm.covariance, cold.covariance, rtol=ITERATIVE * 100)


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("start", [None, "start"])
@pytest.mark.parametrize("strata", [None, "s"])
@pytest.mark.parametrize("cores", [1, 3])
def test_a_table_worked_on_side_by_side_gives_plain_newtons_answers(ties, start, strata, cores, monkeypatch):
    def fit():
        return survival.cox(
            patients(20_000, ties=ties), terms=["x", "z", "arm"], start=start, strata=strata, weights="w", cluster="c",
            **COX,
        )  # fmt: skip

    plain = fit()
    monkeypatch.setattr(blocks, "MANY_ROWS", 1000)
    monkeypatch.setattr(blocks.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(risk_blocks, "CHUNK_ROWS", 1500)
    monkeypatch.setattr(partial_likelihood, "LONG_ROWS", 3000)
    monkeypatch.setattr(maximize, "WARM_ROWS", 2000)
    monkeypatch.setattr(maximize, "WARM_FROM", 8000)
    long = fit()
    errors = np.sqrt(np.diag(plain.covariance))
    np.testing.assert_allclose((long.coefficients - plain.coefficients) / errors, 0, atol=ITERATIVE)
    np.testing.assert_allclose(long.covariance, plain.covariance, rtol=ITERATIVE)
    np.testing.assert_allclose(long.model_covariance, plain.model_covariance, rtol=ITERATIVE)
    assert long.log_likelihood == pytest.approx(plain.log_likelihood, rel=BLOCKS)
    assert long.iterations == 1


def test_the_number_of_cores_changes_no_digit(monkeypatch):
    monkeypatch.setattr(blocks, "MANY_ROWS", 1000)
    monkeypatch.setattr(risk_blocks, "CHUNK_ROWS", 500)
    fits = []
    for cores in (2, 3):
        monkeypatch.setattr(blocks.os, "cpu_count", lambda cores=cores: cores)
        fits.append(survival.cox(patients(5000), terms=["x", "z", "arm"], cluster="c", **COX))
    assert np.array_equal(fits[0].coefficients, fits[1].coefficients)
    assert np.array_equal(fits[0].covariance, fits[1].covariance)


def test_segments_by_doubling_are_segments_one_by_one(monkeypatch):
    values = np.random.default_rng(0).normal(size=(3, 200))
    starts = np.array([0, 1, 5, 6, 40, 41, 199])
    one_by_one = risk_sets.segmented_cumsum(values, starts)
    backward = risk_sets.reverse_segmented_cumsum(values, starts)
    monkeypatch.setattr(risk_sets, "FEW_STRATA", 1)
    np.testing.assert_allclose(risk_sets.segmented_cumsum(values, starts), one_by_one, rtol=BLOCKS, atol=BLOCKS)
    np.testing.assert_allclose(risk_sets.reverse_segmented_cumsum(values, starts), backward, rtol=BLOCKS, atol=BLOCKS)
    np.testing.assert_allclose(backward[:, 41], values[:, 41:199].sum(axis=1), rtol=BLOCKS)


def test_a_level_without_events_is_separation_and_the_others_are_estimated():
    table = patients().with_columns(event=pl.col("event") & (pl.col("arm") != "c"))
    fit = survival.cox(table, terms=["x", "arm"], **COX)
    assert fit.status is Status.SEPARATION
    assert [one.status for one in fit.estimates()] == [Status.OK, Status.OK, Status.SEPARATION]
    without = survival.cox(table.filter(pl.col("arm") != "c"), terms=["x", "arm"], **COX)
    errors = np.sqrt(np.diag(without.covariance))
    np.testing.assert_allclose((fit.coefficients[:2] - without.coefficients) / errors, 0, atol=ITERATIVE)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance))[:2], errors, rtol=ITERATIVE)


def test_a_level_of_one_patient_in_very_many_rows_is_still_separation():
    table = patients(20_000).with_columns(rare=pl.int_range(pl.len()) == 77)
    table = table.with_columns(event=pl.col("event") & ~pl.col("rare"))
    table = table.with_columns(time=pl.when("rare").then(5.0).otherwise("time"))
    fit = survival.cox(table, terms=["rare", "x"], **COX)
    assert fit.parameters.statuses == (Status.SEPARATION, Status.OK)


def test_separation_by_a_combination_is_found():
    table = patients().with_columns(u=pl.col("z") * 1.0, v=(pl.col("arm") == "a") * 1.0)
    table = table.with_columns(event=pl.col("event") & ~((pl.col("u") == 1) & (pl.col("v") == 1)))
    fit = survival.cox(table, terms=["x", "u", "v", Interaction("u", "v")], **COX)
    assert fit.parameters.statuses == (Status.OK, Status.OK, Status.OK, Status.SEPARATION)


def test_a_large_finite_coefficient_is_no_separation():
    rng = np.random.default_rng(3)
    x = rng.uniform(size=400)
    table = pl.DataFrame({"time": rng.exponential(np.exp(-8 * x)), "event": True, "x": x})
    fit = survival.cox(table, terms=["x"], **COX)
    assert fit.status is Status.OK
    assert 6 < fit.coefficients[0] < 10


@pytest.mark.parametrize("start", [None, "start"])
def test_a_covariate_that_orders_the_events_is_never_a_number(start):
    table = patients(100, ties=False).with_columns(perfect=-pl.col("time"))
    fit = survival.cox(table, terms=["perfect"], start=start, **COX)
    assert fit.status in (Status.SEPARATION, Status.NOT_CONVERGED)
    assert np.isnan(fit.coefficients).all()


def test_dependent_and_constant_columns_are_left_out_by_name():
    table = patients().with_columns(twice=pl.col("x") * 2 + 1, one=pl.lit(3.0), level=pl.lit("only"))
    fit = survival.cox(table, terms=["x", "twice", "one", "level"], **COX)
    assert fit.dropped == ("twice", "one")
    assert fit.single_level == ("level",)
    assert fit.coefficients[0] == pytest.approx(survival.cox(table, terms=["x"], **COX).coefficients[0], rel=BLOCKS)
    statuses = [one.status for one in fit.estimates()]
    assert statuses == [Status.OK, Status.RANK_DEFICIENT, Status.CONSTANT, Status.CONSTANT]
    assert survival.proportional_hazards(fit).variables == ("x", "GLOBAL")


def test_a_column_constant_in_every_stratum_is_left_out():
    fit = survival.cox(patients(), terms=["x", "s"], strata="s", **COX)
    assert fit.dropped == ("s",)


def test_no_events_and_no_rows_are_states():
    table = patients()
    none = survival.cox(table.with_columns(event=pl.lit(False)), terms=["x", "arm"], **COX)
    assert none.status is Status.NO_EVENTS
    assert {one.status for one in none.estimates()} == {Status.NO_EVENTS}
    empty = survival.cox(table.head(0), terms=["x", "arm"], **COX)
    assert (empty.status, empty.n) == (Status.NO_ROWS, 0)
    assert empty.estimates()[0].status is Status.NO_ROWS
    assert none.tidy().height == 3
    assert np.isnan(survival.proportional_hazards(none).chi_squared).all()


def test_missing_values_are_dropped_and_counted():
    table = patients().with_columns(x=pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise(pl.col("x")))
    fit = survival.cox(table, terms=["x"], **COX)
    assert (fit.n, fit.n_missing) == (293, 7)
    assert sorted(fit.rows_used.tolist()) == list(range(7, 300))


def test_robust_is_derived_from_clusters_and_weights():
    table = patients().with_columns(k=pl.lit(2))
    assert not survival.cox(table, terms=["x"], **COX).robust
    assert not survival.cox(table, terms=["x"], weights="k", **COX).robust
    for options in ({"weights": "w"}, {"cluster": "c"}, {"robust": True}):
        assert survival.cox(table, terms=["x"], **options, **COX).robust
    fit = survival.cox(table, terms=["x"], cluster="c", **COX)
    assert fit.clusters == table["c"].n_unique()
    assert fit.provenance.choices[1].origin == "derived"


def test_arrays_stand_for_columns():
    table = patients()
    named = survival.cox(table, terms=["x"], weights="w", strata="s", cluster="c", **COX)
    given = survival.cox(
        table, terms=["x"], weights=table["w"].to_numpy(), strata=table["s"].to_numpy(), cluster=table["c"].to_numpy(),
        **COX,
    )  # fmt: skip
    assert named.coefficients[0] == given.coefficients[0]
    assert named.covariance[0, 0] == given.covariance[0, 0]
    both = survival.cox(table, terms=["x"], strata=["s", "z"], **COX)
    assert both.baseline()["stratum"].n_unique() == 6


def test_one_two_coding_and_time_zero_are_taken():
    table = patients().with_columns(status=pl.col("event").cast(pl.Int64) + 1, time=pl.col("time") - 1)
    one = survival.cox(table, time="time", event="status", terms=["x"])
    assert one.coefficients[0] == survival.cox(table, terms=["x"], **COX).coefficients[0]


def test_near_equal_times_are_tied():
    table = patients(ties=True)
    shaken = table.with_columns(time=pl.col("time") + pl.Series(np.random.default_rng(0).uniform(0, 1e-10, 300)))
    one, other = survival.cox(table, terms=["x"], **COX), survival.cox(shaken, terms=["x"], **COX)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=BLOCKS)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"time": pl.col("time") - 2.5}, {}, "negative or infinite in"),
        ({"start": pl.col("time")}, {"start": "start"}, "is not before 'time' in 300 rows"),
        ({"event": pl.col("z") + 1 + pl.col("s")}, {}, "other values than 0 and 1"),
        ({"event": pl.lit(2)}, {}, "other values than 0 and 1"),
        ({"event": pl.lit("yes")}, {}, "code it as yes/no"),
        ({"w": pl.col("w") - 1}, {"weights": "w"}, "weights are finite and not negative"),
        ({}, {"weights": "absent"}, "no column 'absent'"),
        ({}, {"ties": "exact"}, "use 'efron' or 'breslow'"),
        ({}, {"terms": []}, "at least one"),
        ({}, {"level": 95}, "between 0 and 1"),
        ({}, {"cluster": np.zeros(3)}, "one value for each of the 300 rows"),
    ],
)
def test_misuse_is_explained_without_values(change, options, words):
    table = patients().with_columns(**change)
    with pytest.raises(InputError, match=words):
        survival.cox(table, **{"terms": ["x"], **COX, **options})


def test_contrast_and_wald_use_the_covariance_of_the_fit():
    fit = survival.cox(patients(), terms=[Numeric("x"), Categorical("arm", reference="b")], cluster="c", **COX)
    contrast = fit.contrast({"arm=a": 1, "arm=c": -1})
    assert contrast.value == pytest.approx(fit.coefficients[1] - fit.coefficients[2])
    assert fit.wald(["arm=a", "arm=c"]).df == 2
    assert fit.glance()["clusters"][0] == fit.clusters
