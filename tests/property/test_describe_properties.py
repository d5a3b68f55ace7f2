from math import nan

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.describe import Criterion, cohort_flow, smd_levels, smd_numeric, table_one

ROUNDING = 1e-9  # relative and absolute; the same numbers summed in another order

three_valued = st.sampled_from([1, 0, -1])
policies = st.sampled_from(["keep-patient", "remove-patient", "stop", None])
flows = st.integers(0, 25).flatmap(
    lambda n: st.lists(
        st.tuples(st.lists(three_valued, min_size=n, max_size=n), st.sampled_from(["include", "exclude"]), policies),
        min_size=1,
        max_size=5,
    )
)


def slow_flow(criteria):
    """One patient after the other, one criterion after the other."""
    n = len(criteria[0][0])
    counts = [{"removed": 0, "alone": 0, "unknown": 0, "unknown_anywhere": 0} for _ in criteria]
    eligible = []
    for patient in range(n):
        here = True
        for (results, kind, policy), count in zip(criteria, counts, strict=True):
            result = results[patient]
            if result == -1:
                remove = policy == "remove-patient"
                count["unknown_anywhere"] += 1
                count["unknown"] += here
            else:
                remove = (kind == "include" and result == 0) or (kind == "exclude" and result == 1)
            count["alone"] += remove
            count["removed"] += here and remove
            here = here and not remove
        eligible.append(here)
    undecided = [
        str(i)
        for i, (c, (_, _, policy)) in enumerate(zip(counts, criteria, strict=True))
        if c["unknown"] and policy in (None, "stop")
    ]
    return eligible, counts, undecided


@settings(deadline=None)
@given(flows, st.booleans())
def test_the_flow_equals_a_loop_over_patients(criteria, as_series):
    def given_as(results):
        if as_series:
            return pl.Series([{1: True, 0: False, -1: None}[r] for r in results], dtype=pl.Boolean)
        return np.array(results, dtype=np.int8)

    flow = cohort_flow(
        [
            Criterion(id=str(i), label="x", kind=kind, result=given_as(results), if_unknown=policy)
            for i, (results, kind, policy) in enumerate(criteria)
        ]
    )
    eligible, counts, undecided = slow_flow(criteria)
    assert flow.eligible.tolist() == eligible
    assert [{k: getattr(c, k) for k in counts[0]} for c in flow.counts] == counts
    assert list(flow.undecided) == undecided
    steps = {step.id: step for step in flow.steps}
    removed = sum(step.n for step in flow.steps if step.kind == "removed")
    assert steps["read"].n - removed == steps["eligible"].n == sum(eligible)


groups = st.lists(st.booleans(), min_size=4, max_size=30)


@settings(deadline=None)
@given(st.data(), groups, st.sampled_from(["pooled", "treated", "reference", "all"]))
def test_smd_of_numbers_keeps_under_shift_and_scale_and_turns_with_the_groups(data, treated, denominator):
    n = len(treated)
    values = np.array(data.draw(st.lists(st.integers(-40, 40), min_size=n, max_size=n)), dtype=float)
    mask = np.array(treated)
    mirror = {"treated": "reference", "reference": "treated"}.get(denominator, denominator)
    one = smd_numeric(values, mask, denominator=denominator)
    moved = smd_numeric(values * 8 + 1e6, mask, denominator=denominator)
    turned = smd_numeric(values, ~mask, denominator=mirror)
    assert one.status is moved.status is turned.status
    if one.value is not None:
        assert one.value == pytest.approx(moved.value, rel=ROUNDING, abs=ROUNDING)
        assert one.value == pytest.approx(-turned.value, rel=ROUNDING, abs=ROUNDING)


@settings(deadline=None)
@given(st.data(), groups, st.integers(3, 5), st.sampled_from(["pooled", "all"]))
def test_smd_of_levels_ignores_their_names_and_their_reference(data, treated, levels, denominator):
    n = len(treated)
    codes = np.array(data.draw(st.lists(st.integers(0, levels - 1), min_size=n, max_size=n)))
    mask, renamed = np.array(treated), np.array(data.draw(st.permutations(range(levels))))[codes]
    one = smd_levels(codes, mask, levels=levels, denominator=denominator)
    other = smd_levels(renamed, mask, levels=levels, denominator=denominator)
    assert one.status is other.status
    if one.value is not None:
        assert one.value == pytest.approx(other.value, rel=ROUNDING, abs=ROUNDING)


@settings(deadline=None)
@given(st.data(), groups)
def test_smd_of_two_levels_is_the_distance_of_more(data, treated):
    n = len(treated)
    codes, mask = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))), np.array(treated)
    two, three = smd_levels(codes, mask, levels=2), smd_levels(codes, mask, levels=3)
    assert two.status is three.status
    if two.value is not None:
        assert abs(two.value) == pytest.approx(three.value, rel=ROUNDING, abs=ROUNDING)


@settings(deadline=None)
@given(st.data(), groups)
def test_weights_of_zero_leave_patients_out_of_the_means_only(data, treated):
    n, mask = len(treated), np.array(treated)
    values = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=n, max_size=n)), dtype=float)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=float)
    weighted = smd_numeric(values, mask, weights=weights)
    if weighted.value is not None and weighted.value != 0:
        spread = np.sqrt((values[mask].var(ddof=1) + values[~mask].var(ddof=1)) / 2)
        copies = np.repeat(values, weights.astype(int)), np.repeat(mask, weights.astype(int))
        gap = copies[0][copies[1]].mean() - copies[0][~copies[1]].mean()
        assert weighted.value == pytest.approx(gap / spread, rel=ROUNDING, abs=ROUNDING)


patients = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]),
        st.one_of(st.none(), st.just(nan), st.integers(-5, 5).map(float)),
        st.one_of(st.none(), st.sampled_from(["x", "y", "z"])),
        st.one_of(st.none(), st.booleans()),
    ),
    min_size=1,
    max_size=25,
)
SCHEMA = {"g": pl.Enum(["a", "b", "c"]), "v": pl.Float64, "l": pl.String, "f": pl.Boolean}


@settings(deadline=None, max_examples=60)
@given(patients, st.randoms(), st.sampled_from(["means", "medians", "gtsummary", "tableone", "campbell"]))
def test_table_one_ignores_row_order_and_counts_like_a_loop(rows, random, rule):
    moved = list(rows)
    random.shuffle(moved)
    frames = [pl.DataFrame(r, schema=SCHEMA, orient="row") for r in (rows, moved)]
    tables = [table_one(f, by="g", variables=["v", "l", "f"], p_values=True, rule=rule) for f in frames]
    one, other = (t.tidy() for t in tables)
    for name in one.columns:
        for left, right in zip(one[name], other[name], strict=True):
            assert (
                left == pytest.approx(right, rel=ROUNDING, abs=ROUNDING) if isinstance(left, float) else left == right
            )
    for row in tables[0].rows:
        if row.contrast:
            continue
        here = [r for r in rows if r[0] is not None and row.group in (None, r[0])]
        column = [r[{"v": 1, "l": 2, "f": 3}[row.variable]] for r in here]
        known = [x for x in column if x is not None and x == x]
        assert (row.n, row.missing) == (len(here), len(column) - len(known))
        if row.level is not None:
            wanted = {"yes": True}.get(row.level, row.level)
            assert row.count == known.count(wanted)
            assert row.percent == (100 * row.count / len(known) if known else None)
        elif row.mean is not None:
            assert row.mean == pytest.approx(sum(known) / len(known), rel=ROUNDING, abs=ROUNDING)
    assert tables[0].ungrouped == sum(r[0] is None for r in rows)
