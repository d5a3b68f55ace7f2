"""What holds of imputations and of pooling whatever the table."""

from dataclasses import replace
from math import inf, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from counterpulse.imputation import chained_equations, imputations_needed, pool, pool_coefficients, pool_vector
from counterpulse.regression import linear
from counterpulse.results import Estimate, Interval

CLOSED = 1e-10
FLOOR = 1e-3  # of the degrees of freedom: a fraction of missing information of 1e-4 is the least that is counted

seeds = st.integers(0, 2**31)


def ward(seed, n=40, share=0.2):
    rng = np.random.default_rng(seed)
    age = rng.normal(60, 12, n)
    table = pl.DataFrame(
        {
            "age": age,
            "beds": rng.integers(0, 9, n),
            "pump": rng.random(n) < 0.4,
            "stage": pl.Series(rng.choice(["A", "B", "C", "D"], n)).cast(pl.Enum(["A", "B", "C", "D", "E"])),
            "cause": rng.choice(["infarct", "myocarditis", "other"], n),
            "sex": rng.choice(["f", "m"], n),
            "lactate": rng.lognormal(size=n) + age / 60,
            "note": ["kept"] * n,
        }
    )
    holes = {name: pl.Series(rng.random(n) < share) for name in table.columns if name not in ("note", "age")}
    blank = pl.lit(None)
    return table.with_columns(
        [pl.when(hole).then(blank).otherwise(pl.col(name)).alias(name) for name, hole in holes.items()]
    )


COLUMNS = ["age", "beds", "pump", "stage", "cause", "sex", "lactate"]


def impute(table, **options):
    return chained_equations(
        table, columns=COLUMNS, ordered=["stage"], seed=3, **{"m": 2, "iterations": 2, "jobs": 1, **options}
    )


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_observed_values_stay_and_imputed_ones_are_observed_ones(seed):
    table = ward(seed)
    found = impute(table)
    assert found.left_out == {}
    for frame in found.frames():
        assert frame.schema == table.schema
        assert frame.columns == table.columns
        assert frame.select(COLUMNS).null_count().sum_horizontal().item() == 0
        for name in table.columns:
            seen = table[name].is_not_null()
            assert (frame[name].filter(seen) == table[name].filter(seen)).all()
            assert set(frame[name]) <= set(table[name].drop_nulls())


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_more_tables_and_more_jobs_change_no_digit(seed):
    table = ward(seed)
    two, five = impute(table), impute(table, m=5, jobs=2)
    for few, many in zip(two.frames(), five.frames(), strict=False):
        assert_frame_equal(few, many, check_exact=True)
    assert not five.frames()[0].equals(five.frames()[1])
    assert_frame_equal(two.trace, five.trace.filter(pl.col("imputation") <= 2))


@settings(max_examples=8, deadline=None)
@given(seeds, st.sampled_from([1e-9, 1.0, 1e9]), st.sampled_from([0.0, 1e6]))
def test_the_unit_of_a_number_does_not_matter(seed, factor, shift):
    table = ward(seed)
    other = table.with_columns(pl.col("lactate") * factor + shift * factor)
    for ours, theirs in zip(impute(table).frames(), impute(other).frames(), strict=True):
        assert_frame_equal(ours.drop("lactate"), theirs.drop("lactate"))
        rows = {value: place for place, value in enumerate(table["lactate"])}
        of_other = {value: place for place, value in enumerate(other["lactate"])}
        assert [rows[value] for value in ours["lactate"]] == [of_other[value] for value in theirs["lactate"]]


def test_nothing_missing_is_the_table_itself():
    table = ward(1, share=0.0)
    found = impute(table)
    assert all(frame.equals(table) for frame in found.frames())
    assert (found.methods, found.visit, found.status.code) == ({}, (), "ok")
    assert found.trace.height == found.convergence().height == 0
    assert found.glance()["values_imputed"].item() == 0
    assert imputations_needed(table) == 20


estimates = st.builds(
    lambda value, error: Estimate(
        term="a", measure="odds ratio", scale="log", value=value, std_error=error,
        interval=Interval(value - error, value + error, 0.95, "wald"), statistic=value / error, statistic_name="z",
        p_value=0.5,
    ),
    st.floats(-5, 5), st.floats(0.01, 5),
)  # fmt: skip


@given(estimates, st.integers(2, 30))
def test_identical_tables_give_the_estimate_of_one(one, m):
    pooled = pool([one] * m).estimates()[0]
    assert (pooled.value, pooled.std_error) == pytest.approx((one.value, one.std_error), rel=CLOSED)
    assert pooled.interval.low == pytest.approx(one.value - 1.959963984540054 * one.std_error, rel=FLOOR, abs=CLOSED)


@given(st.lists(estimates, min_size=2, max_size=8), st.floats(2, 500))
def test_pooling_does_not_depend_on_order_and_is_never_more_certain(ones, df):
    there, back = (pool(order, df_complete=df).terms[0] for order in (ones, ones[::-1]))
    assert there.estimate.value == pytest.approx(back.estimate.value, rel=CLOSED, abs=CLOSED)
    assert there.rubin.total == pytest.approx(back.rubin.total, rel=CLOSED)
    assert there.rubin.total >= there.rubin.within
    assert 0 < there.rubin.df <= df
    assert 0 <= there.rubin.missing_share < 1
    values = [one.value for one in ones]
    assert min(values) - CLOSED <= there.estimate.value <= max(values) + CLOSED


@given(st.lists(estimates, min_size=2, max_size=6))
def test_pooling_is_on_the_scale_of_estimation(ones):
    pooled = pool(ones)
    mean = sum(one.value for one in ones) / len(ones)
    assert pooled.tidy()["estimate"].item() == pytest.approx(np.exp(mean), rel=CLOSED)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_contrast_of_the_pooled_is_the_pooled_contrast(seed):
    rng = np.random.default_rng(seed)
    tables = [pl.DataFrame(rng.normal(size=(30, 3)), schema=["y", "a", "b"]) for _ in range(4)]
    fits = [linear(table, outcome="y", terms=["a", "b"]) for table in tables]
    weights = {"a": 1.0, "b": -2.0}
    together = pool_coefficients([fit.parameters for fit in fits])
    one = together.contrast(weights, measure="mean difference", scale="identity")
    other = pool([fit.contrast(weights) for fit in fits]).estimates()[0]
    assert (one.value, one.std_error, one.df, one.p_value) == pytest.approx(
        (other.value, other.std_error, other.df, other.p_value), rel=CLOSED
    )
    single = together.wald(["a"])  # of one coefficient, D1 is the square of t
    assert single.statistic == pytest.approx(
        together.estimate(together.index("a"), measure="", scale="identity").statistic ** 2, rel=CLOSED
    )


def test_a_vector_pools_as_its_parts():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 3))
    pooled = pool_vector(values, [np.diag([1.0, 2.0, 3.0])] * 6, df_complete=40)
    for k in range(3):
        one = Estimate(term="a", measure="x", value=0.0, std_error=sqrt(k + 1))
        part = pool([replace(one, value=float(value)) for value in values[:, k]], df_complete=40).terms[0].rubin
        assert (pooled.values[k], pooled.total[k, k], pooled.df(np.eye(3)[k])) == pytest.approx(
            (part.value, part.total, part.df), rel=CLOSED
        )
    assert inf > pooled.df(np.ones(3)) > 0
