"""What must hold of Gray's test whatever the data."""

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterpulse import survival
from counterpulse.results import Status

SAME = 1e-8  # relative; sums are taken in another order
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 10**6)


def patients(seed, n=70, groups=3):
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "time": random.integers(1, random.choice([6, 40]), n).astype(float), "end": random.integers(0, 3, n),
            "g": random.choice(["a", "b", "c"][:groups], n), "s": random.integers(0, 2, n),
        }
    )  # fmt: skip


def gray(table, **options):
    return survival.gray_test(table, **{"time": "time", "event": "end", "by": "g", **options})


def assert_same(one, other):
    assert one.status is other.status
    assert one.df == other.df
    if one.status is Status.OK:
        np.testing.assert_allclose(one.statistic, other.statistic, rtol=SAME, atol=SAME)


@FEW
@given(seed=seeds, rho=st.sampled_from([0, 0.5, 1]))
def test_the_order_of_rows_does_not_matter(seed, rho):
    table = patients(seed)
    assert_same(gray(table, rho=rho), gray(table.sample(fraction=1, shuffle=True, seed=seed), rho=rho))


@FEW
@given(seed=seeds)
def test_the_names_of_groups_do_not_matter(seed):
    table = patients(seed)
    renamed = table.with_columns(pl.col("g").replace({"a": "z", "b": "y", "c": "x"}))
    one, other = gray(table, strata="s"), gray(renamed, strata="s")
    assert_same(one, other)
    np.testing.assert_allclose(one.observed, other.observed[::-1], rtol=SAME)
    np.testing.assert_allclose(one.expected, other.expected[::-1], rtol=SAME)


@FEW
@given(seed=seeds)
def test_the_scale_of_time_and_the_split_of_the_other_causes_do_not_matter(seed):
    table = patients(seed)
    split = pl.when(pl.col("s") == 1).then(pl.col("end") * 3 // 2).otherwise("end")  # 1 stays, 2 becomes 3
    changed = table.with_columns(pl.col("time") ** 2, end=pl.when(pl.col("end") == 2).then(split).otherwise("end"))
    assert_same(gray(table, cause=1), gray(changed, cause=1))


@FEW
@given(seed=seeds)
def test_scores_add_to_zero_and_so_do_rows_of_the_covariance(seed):
    test = gray(patients(seed), strata="s", rho=1)
    np.testing.assert_allclose(sum(test.observed), sum(test.expected), rtol=SAME)
    np.testing.assert_allclose(test.covariance.sum(axis=0), 0, atol=SAME)
    assert np.linalg.eigvalsh(test.covariance).min() > -SAME


@FEW
@given(seed=seeds)
def test_without_another_cause_the_score_is_that_of_the_log_rank_test(seed):
    table = patients(seed).with_columns(end=(pl.col("end") > 0).cast(pl.Int64))
    test, log_rank = gray(table), survival.log_rank(table, time="time", event="end", by="g")
    np.testing.assert_allclose(test.expected, log_rank.expected, rtol=SAME)
    assert test.observed == log_rank.observed


@FEW
@given(seed=seeds)
def test_strata_of_one_are_none(seed):
    table = patients(seed).with_columns(s=pl.lit(1))
    assert_same(gray(table), gray(table, strata="s"))


@FEW
@given(seed=seeds)
def test_with_everybody_followed_it_compares_who_has_had_the_event(seed):
    """Without censoring R counts all who have not had the event: expected events are those of a log-rank test that keeps them.

    One patient of each group is followed to the end: where nobody is, a group takes no further part.
    """
    last = pl.DataFrame({"time": [500.0] * 3, "end": [2] * 3, "g": ["a", "b", "c"], "s": [0] * 3})
    table = pl.concat([patients(seed).cast({"end": pl.Int64}), last]).with_columns(pl.col("end").clip(lower_bound=1))
    kept = table.with_columns(
        time=pl.when(pl.col("end") == 1).then("time").otherwise(pl.lit(1000.0)), event=pl.col("end") == 1
    )
    test, log_rank = gray(table), survival.log_rank(kept, time="time", event="event", by="g")
    np.testing.assert_allclose(test.expected, log_rank.expected, rtol=SAME)
