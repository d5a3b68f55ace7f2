from __future__ import annotations

from itertools import pairwise
from math import comb, inf

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse import describe
from counterpulse.describe.centers import control_limit
from counterpulse.describe.histogram import MOST_BINS, round_width
from counterpulse.errors import InputError

EXACT = 1e-12  # absolute; sums of binomial probabilities
SHIFTED = 1e-6  # absolute; of a shift 1e9 times the spread, six digits of sixteen are left


def table(**columns):
    return pl.DataFrame(columns)


# -- histograms --------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6, allow_nan=False, width=32) | st.none(), min_size=1, max_size=120),
    split=st.integers(0, 3),
)
def test_every_value_lies_in_one_bin_and_no_edge_is_an_extreme(values, split):
    groups = ["a" if k % 4 < split else "b" for k in range(len(values))]
    frame = pl.DataFrame({"x": values, "g": groups}, schema={"x": pl.Float64, "g": pl.String})
    found = describe.distribution(frame, variable="x", by="g")
    known = [(value, group) for value, group in zip(values, groups, strict=True) if value is not None]
    assert sum(bin_.n for bin_ in found.bins) == len(known)
    for group in {"a", "b"} & set(groups):
        own = [bin_ for bin_ in found.bins if bin_.group == group]
        assert len(own) <= MOST_BINS + 2
        shares = [bin_.percent for bin_ in own if bin_.percent is not None]
        assert not shares or sum(shares) == pytest.approx(100)
        if len(own) > 1:
            assert own[0].low is None
            assert own[-1].high is None
            assert all(one.high == other.low for one, other in pairwise(own))
        for bin_ in own:
            low, high = -inf if bin_.low is None else bin_.low, inf if bin_.high is None else bin_.high
            slack = 1e-8 * found.width
            assert bin_.n <= sum(low - slack <= value < high + slack for value, name in known if name == group)


def test_bins_are_round_and_those_of_whole_numbers_whole():
    ages = pl.DataFrame({"age": np.random.default_rng(1).integers(18, 95, 5000)})
    found = describe.distribution(ages, variable="age")
    assert found.width == 5
    assert [bin_.low for bin_ in found.bins][1:3] == [20.0, 25.0]
    assert found.bins[0].high == 20.0
    few = describe.distribution(table(x=[3, 3, 3, 4]), variable="x")
    assert few.width == 1
    assert [round_width(least) for least in (0.011, 0.02, 0.21, 2.4, 26, 51)] == [0.02, 0.02, 0.25, 2.5, 50, 100]
    assert [round_width(least, whole=True) for least in (0.3, 2.1, 21)] == [1, 5, 25]


def test_constant_and_empty_numbers():
    (only,) = describe.distribution(table(x=[60.0] * 9), variable="x").bins
    assert (only.n, only.percent) == (9, 100)
    assert (only.low, only.high) == (60.0, 70.0)
    assert describe.distribution(table(x=[None, None]).cast(pl.Float64), variable="x").bins == ()
    with pytest.raises(InputError, match="not numeric"):
        describe.distribution(table(x=["a"]), variable="x")


# -- crosstabs and missing values --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["f", "m", None]), st.sampled_from(["1", "2", "3", None])), min_size=1, max_size=60
    )
)
def test_a_crosstab_is_a_count(pairs):
    frame = pl.DataFrame(pairs, schema={"sex": pl.String, "stage": pl.String}, orient="row")
    found = describe.crosstab(frame, rows="sex", columns="stage")
    assert sum(cell.n for cell in found.cells) == len(pairs)
    for cell in found.cells:
        assert cell.n == sum(pair == (cell.row, cell.column) for pair in pairs)
        row = sum(pair[0] == cell.row for pair in pairs)
        assert cell.row_percent is None if not row else cell.row_percent == pytest.approx(100 * cell.n / row)
    assert (None in {cell.row for cell in found.cells}) == any(sex is None for sex, _ in pairs)


def test_patterns_of_missing_values():
    frame = table(a=[1, None, None, 4, None], b=["x", "y", None, "z", None], c=[1.0, 2.0, 3.0, 4.0, float("nan")])
    found = describe.missing_patterns(frame, variables=("a", "b", "c"))
    assert [(item.missing, item.n) for item in found] == [((), 2), (("a",), 1), (("a", "b"), 1), (("a", "b", "c"), 1)]
    assert found[0].percent == 40
    (whole,) = describe.missing_patterns(frame, variables=())
    assert (whole.missing, whole.n) == ((), 5)


# -- association -------------------------------------------------------------------------------------------------------


def test_names_of_measures_and_smallest_cells():
    frame = table(
        age=[50.0, 61.0, 72.0, 44.0, 58.0, 66.0], sex=["f", "m", "m", "f", "m", "f"], stage=["1", "2", "3", "1", "2", "3"],
        died=[True, False, True, False, True, False], size=[1, 2, 3, 4, 5, 7],
    )  # fmt: skip
    found = describe.associations(frame, variables=("age", "size", "sex", "stage", "died"))
    measures = {(item.row, item.column): (item.measure, item.smallest) for item in found.pairs}
    assert measures["age", "size"] == ("pearson", None)
    assert measures["age", "sex"] == ("point-biserial", 3)
    assert measures["age", "stage"] == ("correlation ratio", 2)
    assert measures["sex", "stage"] == ("Cramér's V", 1)
    assert found.n == 6
    with pytest.raises(InputError, match="kendall"):
        describe.associations(frame, variables=("age",), numeric="kendall")


def test_what_does_not_vary_or_follows_from_the_others_has_no_value():
    x = np.arange(12.0)
    frame = table(x=x, y=x**2, z=x + x**2, flat=[1.0] * 12)
    found = describe.associations(frame, variables=("x", "y", "z", "flat"))
    assert all(item.gvif is None for item in found.inflation)
    assert next(item for item in found.pairs if item.column == "flat").value is None
    alone = describe.associations(frame, variables=("x", "y", "flat"))
    assert [item.gvif is None for item in alone.inflation] == [False, False, True]


def test_only_complete_patients_count():
    frame = table(x=[1.0, 2.0, 3.0, None], y=[2.0, 4.1, 6.0, 1.0], s=["a", "b", "a", "b"])
    assert describe.associations(frame, variables=("x", "y", "s")).n == 3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_correlation_does_not_depend_on_the_unit(seed, shift, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=30), rng.normal(size=30)
    (one,), (other,) = (
        describe.associations(table(x=x, y=values), variables=("x", "y")).pairs for values in (y, shift + scale * y)
    )
    assert other.value == pytest.approx(one.value, abs=SHIFTED)


# -- centers and events ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "risk"), [(1, 0.3), (7, 0.5), (40, 0.12), (93, 0.81)])
@pytest.mark.parametrize("p", [0.001, 0.025, 0.975, 0.999])
def test_a_control_limit_by_adding_up_the_binomial(n, risk, p):
    total, r = 0.0, -1
    while total < p and r < n:
        r += 1
        before, total = total, total + comb(n, r) * risk**r * (1 - risk) ** (n - r)
    expected = min(max((r - (total - p) / (total - before)) / n, 0.0), 1.0)
    assert control_limit(p, n=n, risk=risk) == pytest.approx(expected, abs=EXACT)


def test_centers():
    frame = table(site=["b"] * 4 + ["a"] * 6 + [None], died=[True, False, True, None, *[False] * 5, True, True])
    found = describe.center_funnel(frame, center="site", outcome="died")
    assert found.overall == pytest.approx(3 / 9)
    assert [(item.center, item.n, item.events) for item in found.centers] == [("a", 6, 1), ("b", 3, 2)]
    assert all(item.low_998 <= item.low_95 <= item.high_95 <= item.high_998 for item in found.centers)
    nobody = describe.center_funnel(table(site=["a"], died=[False]), center="site", outcome="died")
    assert (nobody.centers[0].low_95, nobody.centers[0].high_95) == (0.0, 0.0)
    with pytest.raises(InputError, match="yes/no"):
        describe.center_funnel(table(site=["a"], died=["x"]), center="site", outcome="died")


def test_events_of_each_kind_of_outcome():
    assert describe.events_of_binary(n=100, events=90, parameters=4).ratio == 2.5
    assert describe.events_of_binary(n=100, events=90, parameters=4).few
    assert describe.events_of_time(n=100, events=90, parameters=4).events == 90
    assert describe.events_of_number(n=100, parameters=0).ratio is None
    assert not describe.events_of_number(n=100, parameters=0).few
    assert describe.events_of_levels([50, 50], parameters=1).events == 75
    assert describe.events_of_levels([], parameters=1).events == 0
