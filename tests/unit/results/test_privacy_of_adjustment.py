from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.results import Block, Estimate, EstimateRow, GroupCount, Status, StudyIdentity, StudyResult
from counterpulse.results.block import KINDS
from counterpulse.results.census import people
from counterpulse.results.census_of_blocks import sizes_of_blocks
from counterpulse.results.privacy import suppress
from counterpulse.results.privacy_blocks import screened_block
from counterpulse.results.privacy_screen import Screen


def block(kind, rows, *, name="A1"):
    columns = {cell: tuple(row[k] for row in rows) for k, cell in enumerate(KINDS[kind])}
    return Block(id=f"{name}.death.{kind}", analysis=name, kind=kind, columns=columns)


def screen_of(*blocks, smallest=5, hidden=()):
    return Screen(frozenset(hidden), smallest, "arm", sizes_of_blocks(blocks))


def sizes(before=(100.0, 400.0), after=(90.0, 90.0)):
    rows = [("unadjusted", "a", before[0], before[0]), ("unadjusted", "b", before[1], before[1])]
    rows += [("matched", "a", after[0], after[0]), ("matched", "b", after[1], 80.0)]
    return block("effective-size", rows)


def balance_row(variable, level, sample, treated, control):
    return (variable, level, sample, 0.2, None, "pooled", treated, control, 1.1, 0.1)


def test_differences_of_a_variable_with_a_hidden_count_are_not_shown():
    made = block("balance", [balance_row(name, None, "unadjusted", 1.0, 2.0) for name in ("sex", "age")])
    shown = screened_block(made, screen_of(sizes(), hidden=[people(3, "a", "sex", "F")]), frozenset()).rows()
    assert [row["smd"] for row in shown] == [None, 0.2]
    assert [row["variance_ratio"] for row in shown] == [None, 1.1]
    assert [row["mean_treated"] for row in shown] == [None, 1.0]


@pytest.mark.parametrize(("share", "told"), [(0.02, False), (0.98, False), (0.5, True), (0.0, True)])
def test_a_share_of_few_patients_in_any_sample_hides_its_variable_in_all(share, told):
    rows = [balance_row("sex", level, sample, 0.5, 0.5) for level in "FM" for sample in ("unadjusted", "matched")]
    rows[1] = balance_row("sex", "F", "matched", share, 0.5)
    shown = screened_block(block("balance", rows), screen_of(sizes()), frozenset()).rows()
    assert {row["mean_treated"] is not None for row in shown} == {told}
    assert {row["smd"] is not None for row in shown} == {told}


def test_shares_of_groups_whose_size_is_not_known_are_not_shown():
    rows = [balance_row("sex", "F", "unadjusted", 0.5, 0.5), balance_row("age", None, "unadjusted", 60.0, 61.0)]
    shown = screened_block(block("balance", rows), screen_of(), frozenset()).rows()
    assert [row["mean_treated"] for row in shown] == [None, 60.0]


def test_a_small_group_of_a_sample_has_no_size_and_no_balance():
    few = sizes(after=(3.0, 3.0))
    screen = screen_of(few)
    assert [row["n"] for row in screened_block(few, screen, frozenset()).rows()] == [100.0, 400.0, None, None]
    rows = [balance_row("age", None, sample, 60.0, 61.0) for sample in ("unadjusted", "matched")]
    shown = screened_block(block("balance", rows), screen, frozenset()).rows()
    assert [row["mean_treated"] for row in shown] == [60.0, None]


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 200), smallest=st.integers(2, 11), known=st.booleans())
def test_no_bin_of_the_score_holds_few_patients(seed, n, smallest, known):
    rng = np.random.default_rng(seed)
    counts = {"unadjusted": np.histogram(rng.beta(2, 5, n), 20, (0, 1))[0]}
    counts["matched"] = np.minimum(counts["unadjusted"], rng.integers(0, 9, 20))
    totals = {sample: max(int(bins.sum()), 1) for sample, bins in counts.items()}
    rows = [
        (sample, "a", k / 20, (k + 1) / 20, float(bins[k]) / totals[sample])
        for sample, bins in counts.items()
        for k in range(20)
    ]
    size = block("effective-size", [(sample, "a", float(n), float(n)) for sample, n in totals.items()])
    shown = screened_block(
        block("overlap", rows), screen_of(*([size] if known else []), smallest=smallest), frozenset()
    )
    for sample, total in totals.items():
        own = [row for row in shown.rows() if row["sample"] == sample]
        assert (own[0]["low"], own[-1]["high"]) == (0.0, 1.0)
        several = len(own) > 1
        for row in own:
            people = (row["share"] or 0.0) * total
            assert not several or people < 1e-6 or people > smallest - 1e-6
            assert row["share"] is None or total >= smallest


def test_quantiles_of_weights_beyond_which_few_patients_lie_are_not_shown():
    numbers = (1.0, 0.1, 0.2, 0.5, 0.9, 1.4, 8.0, 30.0)
    rows = [
        ("a", 12, 11.0, *numbers),
        ("b", 300, 280.0, *numbers),
        ("c", 500, 450.0, *numbers),
        ("d", 3, 3.0, *numbers),
    ]
    shown = screened_block(block("weights", rows), screen_of(), frozenset()).rows()
    known = [[name for name, cell in row.items() if cell is not None] for row in shown]
    assert known[0] == ["group", "n", "effective", "mean", "p50"]
    assert known[1] == ["group", "n", "effective", "mean", "p25", "p50", "p75"]
    assert known[2] == ["group", "n", "effective", "mean", "p1", "p25", "p50", "p75", "p99"]
    assert known[3] == ["group"]


def imputed(*rows):
    return block("imputation", [(name, "pmm", n, percent, 1.01, 1.02, "ok") for name, n, percent in rows])


def test_few_missing_or_few_known_values_have_no_count_and_no_trace():
    made = imputed(("lactate", 40, 20.0), ("ph", 3, 1.5), ("bmi", 198, 99.0), ("age", 0, 0.0))
    screen = screen_of(made)
    assert [row["missing"] for row in screened_block(made, screen, frozenset()).rows()] == [40, None, None, 0]
    trace = block("imputation-trace", [(name, 1, 1, 2.0, 1.0) for name in ("lactate", "ph", "bmi", "unknown")])
    assert [row["variable"] for row in screened_block(trace, screen, frozenset()).rows()] == ["lactate"]


def test_a_density_has_no_tail_and_no_bump_of_few():
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(0, 1, 300), [12.0, 12.1]])
    bandwidth = 0.9 * 1.0 * len(values) ** -0.2
    grid = np.linspace(-5, 14, 200)
    kernel = np.exp(-(((grid[:, None] - values) / bandwidth) ** 2) / 2)
    density = kernel.mean(axis=1) / (bandwidth * np.sqrt(2 * np.pi))
    rows = [("lactate", 0, None, float(x), float(y)) for x, y in zip(grid, density, strict=True)]
    rows += [
        ("sex", 0, "F", None, 0.5),
        ("sex", 0, "M", None, 0.5),
        ("sex", 1, "F", None, 0.02),
        ("sex", 1, "M", None, 0.98),
    ]
    made = imputed(("lactate", 40, 100 * 40 / 342), ("sex", 60, 30.0))
    shown = screened_block(block("imputation-density", rows), screen_of(made), frozenset()).rows()
    kept = [row["value"] for row in shown]
    assert {row["variable"] for row in shown} == {"lactate"}
    assert min(kept) > np.sort(values)[0]
    assert max(kept) < np.sort(values)[-3]


def design(n, events, left, treated):
    return (
        "A1",
        None,
        "landmark",
        "death",
        "hazard ratio",
        0.8,
        0.6,
        1.1,
        "age",
        n,
        events,
        left,
        treated,
        9.0,
        2.0,
        0.0,
        "years",
    )


def test_designs_of_immortal_time_tell_no_small_count():
    rows = [
        design(100, 40, 0, 0),
        design(97, 39, 3, 2),
        design(60, 30, 40, 2),
        design(60, 30, 40, 38),
        design(60, 2, 40, 20),
    ]
    shown = screened_block(block("immortal-time", rows), screen_of(), frozenset()).rows()
    told = [
        (row["n"], row["events"], row["patients_left_out"], row["treated_left_out"], row["estimate"]) for row in shown
    ]
    assert told == [
        (100, 40, 0, 0, 0.8), (97, 39, None, None, 0.8), (60, 30, 40, None, 0.8), (60, 30, 40, None, 0.8),
        (None, None, 40, 20, None),
    ]  # fmt: skip


def estimate(id_, status=Status.OK, events=30):
    return EstimateRow(
        id=id_, analysis="A1", role="primary", outcome="death", population="eligible", method="cox", n=90, events=events,
        estimate=Estimate(term="a", measure="hazard ratio", value=0.8, status=status),
        groups=(GroupCount("a", 40, events), GroupCount("b", 50, 12)),
    )  # fmt: skip


def test_e_values_of_hidden_effects_are_not_shown():
    known = {"x": estimate("x"), "y": estimate("y", Status.SMALL_CELL), "z": estimate("z", events=None)}
    rows = [(id_, "hazard ratio", 0.8, 0.3, "yes", 1.6, 1.0, "ok") for id_ in (*known, "elsewhere")]
    screen = replace(screen_of(), estimates=known)
    shown = screened_block(block("e-value", rows), screen, frozenset()).rows()
    assert [(row["e_value"], row["risk"]) for row in shown] == [(1.6, 0.3), (None, None), (1.6, None), (None, None)]
    withheld = {("A1", None, None)}
    rows = [("lactate", 0.5, "hazard ratio", 0.8, 0.6, 1.0, 0.04)]
    assert screened_block(block("tipping-point", rows), screen, withheld).rows()[0]["estimate"] is None
    assert screened_block(block("tipping-point", rows), screen, frozenset()).rows()[0]["estimate"] == 0.8


def test_specifications_have_no_counts():
    rows = [(1, "adjustment", "none", "odds ratio", 0.8, 0.6, 1.0, 0.05, n, 40, "no") for n in (3, 200)]
    shown = screened_block(block("specification-curve", rows), screen_of(), frozenset()).rows()
    assert [(row["n"], row["events"], row["estimate"]) for row in shown] == [(None, None, None), (None, None, 0.8)]


def test_details_that_count_few_patients_are_not_told():
    details = {"A1": {"unmatched_treated": 2.35, "pairs": 419.65, "largest_weight": 31.0, "largest_difference": 0.067}}
    result = StudyResult(
        identity=StudyIdentity(
            id="x", title="X", design="cohort", protocol_digest="a", dictionary_digest="b", data_digest="c", seed=1,
            software={},
        ),
        data_kind="mock", details=details,
    )  # fmt: skip
    shown = suppress(result, 5).details["A1"]
    assert shown == {"unmatched_treated": None, "pairs": 419.65, "largest_weight": None, "largest_difference": 0.067}
