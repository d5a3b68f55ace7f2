from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.results import Block
from counterpulse.results.block import KINDS
from counterpulse.results.privacy_blocks import RULES, coarse_block
from counterpulse.results.small_bins import coarse_centers, joined, rows_of
from counterpulse.results.small_curves import coarse_roc


def block(id_, rows):
    kind = id_.split(".")[-1]
    columns = {name: tuple(row[k] for row in rows) for k, name in enumerate(KINDS[kind])}
    return Block(id=id_, analysis=id_.split(".")[0], kind=kind, columns=columns)


def test_every_kind_has_a_rule():
    assert set(RULES) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_block_without_rows_stays_one(kind):
    empty = block(f"A1.death.{kind}", [])
    assert coarse_block(empty, 5).columns == empty.columns


@settings(max_examples=120, deadline=None)
@given(counts=st.lists(st.integers(0, 12), max_size=25), smallest=st.integers(2, 11))
def test_joined_neighbors_are_not_small(counts, smallest):
    parts = joined([[n] for n in counts], smallest)
    assert [k for part in parts for k in part] == list(range(len(counts)))
    totals = [sum(counts[k] for k in part) for part in parts]
    assert len(parts) <= 1 or not [n for n in totals if 0 < n < smallest]
    assert len(parts) != 1 or totals[0] == sum(counts)


def test_small_bins_are_joined_within_a_group_and_a_small_group_is_not_shown():
    lines = [("age", "a", None, 30.0, 2, 4.0), ("age", "a", 30.0, 40.0, 20, 40.0), ("age", "a", 40.0, None, 28, 56.0)]
    lines += [("age", "b", None, 30.0, 1, 33.0), ("age", "b", 30.0, None, 2, 67.0)]
    shown = coarse_block(block("description.age.distribution", lines), 5).rows()
    assert [tuple(row.values())[1:] for row in shown] == [
        ("a", None, 40.0, 22, 44.0), ("a", 40.0, None, 28, 56.0), ("b", None, None, None, None),
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 150), smallest=st.integers(2, 11))
def test_points_of_a_roc_curve_are_many_patients_apart(seed, n, smallest):
    rng = np.random.default_rng(seed)
    died = rng.random(n) < 0.4
    if not died.any() or died.all():
        return
    risk = np.round(rng.random(n), 2)
    cuts = np.unique(risk)[::-1]
    lines = [("m", 1.0, 0.0, 1.0)] + [
        ("m", float(cut), float((risk[died] >= cut).mean()), float((risk[~died] < cut).mean())) for cut in cuts
    ]
    shown = rows_of(coarse_roc(block("A.death.roc", lines).columns, smallest))
    assert [shown[0]["sensitivity"], shown[-1]["sensitivity"]] == [0.0, 1.0]
    middle = len(shown) > 2
    for one, other in pairwise(shown):
        for name, total in (("sensitivity", died.sum()), ("specificity", n - died.sum())):
            people = abs(one[name] - other[name]) * total
            assert not middle or people < 1e-6 or people > smallest - 1e-6


@settings(max_examples=60, deadline=None)
@given(
    deciles=st.lists(st.tuples(st.integers(1, 30), st.floats(0, 1)), min_size=1, max_size=10),
    smallest=st.integers(2, 11),
)
def test_deciles_hold_no_small_count(deciles, smallest):
    lines = [
        ("m", "decile", k / 10, round(n * share) / n, 0.0, 1.0, n) for k, (n, share) in enumerate(deciles)
    ] + [("m", "smooth", 0.5, 0.4, 0.3, 0.5, None)]  # fmt: skip
    shown = [
        row
        for row in coarse_block(block("A.death.calibration-curve", lines), smallest).rows()
        if row["kind"] == "decile"
    ]
    for row in shown:
        if row["n"] is not None:
            events = row["n"] * row["observed"]
            assert all(count < 1e-6 or count > smallest - 1e-6 for count in (row["n"], events, row["n"] - events))
    known = [row for row in shown if row["n"] is not None]
    assert len(shown) == 1 or sum(row["n"] for row in known) == sum(n for n, _ in deciles)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20), smallest=st.integers(2, 11))
def test_small_centers_are_put_together(sizes, smallest):
    lines = [(str(k), n, n // 3, (n // 3) / n, 0.3, 0.1, 0.5, 0.0, 0.7) for k, n in enumerate(sizes)]
    shown = rows_of(coarse_centers(block("description.death.center-funnel", lines).columns, smallest))
    assert sum(row["n"] for row in shown) == sum(sizes)
    assert len(shown) == 1 or all(row["n"] >= smallest for row in shown)


def test_thresholds_and_net_benefits_are_rounded():
    shown = coarse_block(block("A.death.decision-curve", [("m", 0.1, 0.12345)]), 5)
    assert shown.columns["net_benefit"] == (0.12,)


def test_curves_of_two_causes_are_coarse_each_by_itself():
    lines = [
        ("a", cause, float(day), day / 50, 0.0, 1.0, 0.1, 100.0 - day, 1.0 if cause == "x" else 3.0)
        for cause in ("x", "y")
        for day in range(1, 13)
    ]
    shown = coarse_block(block("A.death.cumulative-incidence", lines), 5).rows()
    assert [(row["cause"], row["time"], row["events"]) for row in shown if row["cause"] == "x"] == [
        ("x", 5.0, 5.0),
        ("x", 10.0, 5.0),
    ]
    assert [row["time"] for row in shown if row["cause"] == "y"] == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    assert {row["at_risk"] for row in shown} == {None}
