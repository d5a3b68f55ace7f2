import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import counterpulse.survival as survival
from counterpulse.survival.cox_data import prepare
from counterpulse.survival.partial_likelihood import gradient_and_information, risk_state

ITERATIVE = 1e-7  # of a standard error; both fits stop below it
CLOSED_FORM = 1e-10  # relative; sums in another order
SHIFTED = 1e-6  # of a standard error; a shift of 1e9 leaves a covariate seven digits
COX = {"time": "time", "event": "event"}
seeds = st.integers(0, 10_000)
few = settings(max_examples=12, deadline=None)


def patients(seed, *, n=80, ties=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    z = rng.integers(0, 2, n)
    time = rng.exponential(np.exp(-0.5 * x + 0.3 * z)) * 10
    return pl.DataFrame(
        {
            "time": np.ceil(time) if ties else time, "event": rng.random(n) < 0.75, "x": x, "z": z,
            "arm": np.where(z == 1, "b", "a"), "k": rng.integers(1, 4, n), "c": rng.integers(0, 25, n),
        }
    )  # fmt: skip


def assert_same(one, other, tolerance=ITERATIVE):
    errors = np.sqrt(np.diag(one.covariance))
    np.testing.assert_allclose((one.coefficients - other.coefficients) / errors, 0, atol=tolerance)
    np.testing.assert_allclose(
        one.covariance / np.outer(errors, errors), other.covariance / np.outer(errors, errors), atol=tolerance
    )


@few
@given(seed=seeds, ties=st.booleans(), robust=st.booleans())
def test_the_order_of_rows_changes_nothing(seed, ties, robust):
    table = patients(seed, ties=ties)
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=seed)
    fits = [survival.cox(one, terms=["x", "arm"], robust=robust, **COX) for one in (table, shuffled)]
    assert_same(*fits)
    curves = [survival.kaplan_meier(one, by="arm", **COX) for one in (table, shuffled)]
    for one, other in zip(*curves, strict=True):
        np.testing.assert_allclose(one.survival, other.survival, rtol=CLOSED_FORM)
        np.testing.assert_allclose(one.std_error, other.std_error, rtol=CLOSED_FORM)
    tests = [survival.log_rank(one, by="arm", **COX).statistic for one in (table, shuffled)]
    assert tests[0] == pytest.approx(tests[1], rel=CLOSED_FORM)


@few
@given(seed=seeds)
def test_names_of_groups_change_nothing(seed):
    table = patients(seed)
    renamed = table.with_columns(pl.col("arm").replace({"a": "zebra", "b": "lion"}))
    one, other = (survival.log_rank(frame, by="arm", **COX) for frame in (table, renamed))
    assert one.statistic == pytest.approx(other.statistic, rel=CLOSED_FORM)
    first, second = (survival.cox(frame, terms=["x", "arm"], **COX) for frame in (table, renamed))
    errors = np.sqrt(np.diag(first.covariance))
    np.testing.assert_allclose((first.coefficients - second.coefficients * [1, -1]) / errors, 0, atol=ITERATIVE)


@few
@given(seed=seeds, shift=st.sampled_from([-1e9, 1e9]), scale=st.sampled_from([1e-9, 1e9]))
def test_shift_and_scale_of_a_covariate_change_only_its_coefficient(seed, shift, scale):
    table = patients(seed)
    one = survival.cox(table, terms=["x", "z"], **COX)
    scaled = survival.cox(table.with_columns(pl.col("x") * scale), terms=["x", "z"], **COX)
    shifted = survival.cox(table.with_columns(pl.col("x") + shift), terms=["x", "z"], **COX)
    errors = np.sqrt(np.diag(one.covariance))
    np.testing.assert_allclose((scaled.coefficients * [scale, 1] - one.coefficients) / errors, 0, atol=ITERATIVE)
    np.testing.assert_allclose((shifted.coefficients - one.coefficients) / errors, 0, atol=SHIFTED)


@few
@given(seed=seeds)
def test_whole_weights_are_replication_for_breslow_and_curves(seed):
    table = patients(seed)
    repeated = table[np.repeat(np.arange(table.height), table["k"])]
    weighted = survival.cox(table, terms=["x", "z"], weights="k", ties="breslow", **COX)
    assert_same(survival.cox(repeated, terms=["x", "z"], ties="breslow", **COX), weighted)
    one, other = (
        survival.kaplan_meier(table, weights="k", **COX).curves[0],
        survival.kaplan_meier(repeated, **COX).curves[0],
    )
    for name in ("survival", "std_error", "at_risk", "events", "low", "high"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=CLOSED_FORM)


@few
@given(seed=seeds, robust=st.booleans())
def test_splitting_a_row_changes_nothing(seed, robust):
    table = patients(seed).with_columns(start=pl.lit(-1.0), id=pl.int_range(pl.len()))
    rng = np.random.default_rng(seed)
    cut = np.floor(table["time"].to_numpy() * rng.random(table.height))
    first = table.with_columns(time=pl.Series(cut), event=pl.lit(False))
    second = table.with_columns(start=pl.Series(cut))
    split = pl.concat([first, second])
    cluster = "id" if robust else None
    one = survival.cox(table, start="start", terms=["x", "z"], cluster=cluster, **COX)
    assert_same(one, survival.cox(split, start="start", terms=["x", "z"], cluster=cluster, **COX))
    assert_same(one, survival.cox(table, terms=["x", "z"], cluster=cluster, **COX))


@few
@given(seed=seeds)
def test_strata_that_are_all_alike_add_their_likelihoods(seed):
    table = patients(seed)
    doubled = pl.concat([table.with_columns(s=pl.lit(i)) for i in range(2)])
    one, both = survival.cox(table, terms=["x", "z"], **COX), survival.cox(doubled, terms=["x", "z"], strata="s", **COX)
    errors = np.sqrt(np.diag(one.covariance))
    np.testing.assert_allclose((one.coefficients - both.coefficients) / errors, 0, atol=ITERATIVE)
    assert both.log_likelihood == pytest.approx(2 * one.log_likelihood, rel=CLOSED_FORM)


@few
@given(seed=seeds)
def test_many_small_strata_are_those_summed_one_by_one(seed):
    """Forty strata take the road of many segments, and must add up like forty likelihoods of one stratum."""
    table = patients(seed, n=400).with_columns(s=pl.int_range(pl.len()) % 40)
    whole = survival.cox(table, terms=["x"], strata="s", **COX)
    ordered = survival.cox(table.sort("s", "time"), terms=["x"], strata="s", robust=True, **COX)
    parts = [survival.cox(part, terms=["x"], **COX) for part in table.partition_by("s")]
    assert whole.log_likelihood_null == pytest.approx(
        sum(part.log_likelihood_null for part in parts if part.events), rel=CLOSED_FORM
    )
    assert ordered.coefficients == pytest.approx(whole.coefficients, rel=ITERATIVE)


@few
@given(seed=seeds)
def test_without_censoring_the_curve_is_the_empirical_distribution(seed):
    table = patients(seed).with_columns(event=pl.lit(True))
    curve = survival.kaplan_meier(table, **COX).curves[0]
    time = table["time"].to_numpy()
    np.testing.assert_allclose(curve.survival, [(time > t).mean() for t in curve.time], atol=CLOSED_FORM)
    tau = float(time.max())
    assert curve.restricted_mean(tau).value == pytest.approx(np.minimum(time, tau).mean(), rel=CLOSED_FORM)


@few
@given(seed=seeds)
def test_the_score_test_of_cox_without_ties_is_the_log_rank_test(seed):
    table = patients(seed, ties=False)
    test = survival.log_rank(table, by="arm", **COX)
    data = prepare(survival.cox(table, terms=["arm"], **COX).request)
    state = risk_state(data.sets, data.design.X, np.zeros(1), efron=True)
    gradient, information, _ = gradient_and_information(data.sets, data.design.X, state)
    assert float(gradient[0] ** 2 / information[0, 0]) == pytest.approx(test.statistic, rel=CLOSED_FORM)


@settings(max_examples=4, deadline=None)
@given(seed=seeds)
def test_clusters_of_one_row_are_no_clusters(seed):
    table = patients(seed).with_columns(id=pl.int_range(pl.len()))
    one = survival.cox(table, terms=["x", "z"], robust=True, **COX)
    assert_same(one, survival.cox(table, terms=["x", "z"], cluster="id", **COX))
