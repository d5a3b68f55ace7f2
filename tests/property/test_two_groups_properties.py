from math import isinf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.results import Status
from counterpulse.two_groups import (
    analysis_of_variance,
    cochran_armitage,
    fisher_exact,
    jonckheere_terpstra,
    kruskal_wallis,
    mann_whitney,
    mean_difference,
    pearson_chi_squared,
    single_proportion,
    t_test,
    two_proportions,
)

ROUNDING = 1e-9  # relative and absolute; the same numbers summed in another order
LIMIT = 1e-7  # absolute; the root of a cubic near a double root keeps half the digits


def counts_up_to(n):
    return st.tuples(st.integers(1, n), st.integers(1, n)).flatmap(
        lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
    )


counts = counts_up_to(30)
values = st.lists(st.integers(-50, 50), min_size=2, max_size=12).map(lambda v: [x / 4 for x in v])
tables = st.integers(2, 3).flatmap(
    lambda r: st.integers(2, 4).flatmap(
        lambda c: st.lists(st.lists(st.integers(0, 7), min_size=c, max_size=c), min_size=r, max_size=r)
    )
)


def same(first, second, tolerance=ROUNDING):
    return first == pytest.approx(second, rel=tolerance, abs=tolerance, nan_ok=True)


@settings(deadline=None)
@given(counts, st.sampled_from(["newcombe", "miettinen-nurminen", "wald"]))
def test_exchanging_the_groups_mirrors_the_difference(c, interval):
    one = two_proportions(*c, interval=interval).estimate
    other = two_proportions(c[2], c[3], c[0], c[1], interval=interval).estimate
    assert same(one.value, -other.value)
    assert one.status is other.status
    if one.interval:
        assert same(one.interval.low, -other.interval.high, LIMIT)
        assert one.interval.low - LIMIT <= one.value <= one.interval.high + LIMIT
        assert one.interval.low >= -1 - LIMIT or interval == "wald"


@settings(deadline=None)
@given(
    counts,
    st.sampled_from(
        [
            ("risk ratio", "miettinen-nurminen"),
            ("risk ratio", "wald"),
            ("odds ratio", "miettinen-nurminen"),
            ("odds ratio", "wald"),
            ("odds ratio", "exact"),
        ]
    ),
)
def test_exchanging_the_groups_inverts_the_ratio(c, how):
    one = two_proportions(*c, measure=how[0], interval=how[1]).estimate
    other = two_proportions(c[2], c[3], c[0], c[1], measure=how[0], interval=how[1]).estimate
    assert one.status is other.status
    assert same(one.value, -other.value)
    if one.interval:
        assert same(one.interval.low, -other.interval.high, LIMIT)
        assert one.interval.low - LIMIT <= one.value <= one.interval.high + LIMIT
        assert same(one.p_value, other.p_value)
    if isinf(one.value):
        assert one.status is Status.ZERO_CELL


@settings(deadline=None)
@given(counts)
def test_exchanging_event_and_no_event_mirrors_the_odds_ratio_and_the_difference(c):
    inverse = (c[1] - c[0], c[1], c[3] - c[2], c[3])
    for measure in ("risk difference", "odds ratio"):
        one = two_proportions(*c, measure=measure).estimate
        other = two_proportions(*inverse, measure=measure).estimate
        assert same(one.value, -other.value)
        if one.interval:
            assert same(one.interval.low, -other.interval.high, LIMIT)


@settings(deadline=None, max_examples=25)
@given(counts_up_to(11), st.sampled_from(["newcombe", "miettinen-nurminen", "exact"]))
def test_a_higher_level_gives_a_wider_interval(c, interval):
    narrow = two_proportions(*c, interval=interval, level=0.9).estimate.interval
    wide = two_proportions(*c, interval=interval, level=0.99).estimate.interval
    assert wide.low <= narrow.low + LIMIT
    assert wide.high >= narrow.high - LIMIT


@given(counts, st.sampled_from(["wilson", "clopper-pearson"]))
def test_one_proportion_mirrors(c, interval):
    one = single_proportion(c[0], c[1], interval=interval).estimate.interval
    other = single_proportion(c[1] - c[0], c[1], interval=interval).estimate.interval
    assert same(one.low, 1 - other.high)
    assert 0 <= one.low <= c[0] / c[1] <= one.high <= 1


@settings(deadline=None)
@given(tables, st.randoms())
def test_tests_of_tables_ignore_the_order_of_rows_and_columns(table, random):
    rows, columns = list(range(len(table))), list(range(len(table[0])))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = np.array(table)[rows][:, columns]
    for test in (fisher_exact, pearson_chi_squared):
        for other in (moved, moved.T):
            assert test(table).status is test(other).status
            assert same(test(table).p_value, test(other).p_value)
    p_value = fisher_exact(table).p_value
    assert np.isnan(p_value) or 0 < p_value <= 1


@given(values, values)
def test_rank_and_t_tests_are_symmetric_in_the_groups(x, y):
    for test in (
        t_test,
        lambda a, b: t_test(a, b, variance="pooled"),
        mann_whitney,
        lambda a, b: mann_whitney(a, b, method="exact"),
        lambda a, b: kruskal_wallis([a, b]),
        lambda a, b: analysis_of_variance([a, b]),
        lambda a, b: jonckheere_terpstra([a, b]),
    ):
        assert test(x, y).status is test(y, x).status
        assert same(test(x, y).p_value, test(y, x).p_value)


@given(values, values, st.integers(-100, 100), st.integers(1, 64), st.randoms())
def test_shift_scale_and_row_order_leave_the_p_value(x, y, shift, scale, random):
    moved = [[v * scale + shift for v in group] for group in (x, y)]
    for group in moved:
        random.shuffle(group)
    for test in (t_test, mann_whitney):
        assert same(test(x, y).p_value, test(*moved).p_value)
    one, other = mean_difference(x, y).estimate, mean_difference(*moved).estimate
    assert same(one.value * scale, other.value)


@given(values, values)
def test_two_groups_agree_across_methods(x, y):
    """F is t squared, and two ordered groups have the rank-sum test's normal approximation."""
    for variance in ("welch", "pooled"):
        f, t = analysis_of_variance([x, y], variance=variance), t_test(x, y, variance=variance)
        if f.status is Status.OK:
            assert same(f.p_value, t.p_value)
    u = mann_whitney(x, y, continuity=False)
    assert same(u.p_value, jonckheere_terpstra([x, y]).p_value)
    assert same(u.p_value, kruskal_wallis([x, y]).p_value)


@given(counts)
def test_a_trend_over_two_groups_is_pearsons_test(c):
    trend = cochran_armitage([c[0], c[2]], [c[1], c[3]])
    pearson = pearson_chi_squared([[c[0], c[1] - c[0]], [c[2], c[3] - c[2]]])
    assert same(trend.p_value, pearson.p_value)
