import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.results import Status
from counterpulse.synthesis.effects.agreement import cohen_kappa, compare_extractions
from counterpulse.synthesis.effects.conversions import (
    ZHANG_YU_CAUTION,
    hazard_to_risk_ratio,
    odds_ratio_to_smd,
    odds_to_risk_ratio,
    opposite_groups,
    opposite_outcome,
    risk_to_odds_ratio,
)
from counterpulse.synthesis.effects.shared_control import (
    combine_counts,
    combine_means,
    contrast_covariance,
    reference_variance,
    smd_covariance,
    split_counts,
)


def test_odds_to_risk_ratio_is_that_of_the_table():
    p0, p1 = 0.2, 0.5
    made = odds_to_risk_ratio([np.log(p1 / (1 - p1) / (p0 / (1 - p0)))], [0.1], reference_risk=p0)
    assert made.effects.yi[0] == pytest.approx(np.log(p1 / p0))
    assert made.effects.measure == "RR"
    assert made.effects.assumptions[0] == "odds ratio converted to risk ratio"
    adjusted = odds_to_risk_ratio([0.3], [0.1], reference_risk=p0, adjusted=True)
    assert ZHANG_YU_CAUTION in adjusted.effects.assumptions


def test_hazard_to_risk_ratio_is_that_of_the_curves():
    made = hazard_to_risk_ratio([np.log(2)], [0.1], reference_risk=0.3)
    assert made.effects.yi[0] == pytest.approx(np.log((1 - 0.7**2) / 0.3))


def test_impossible_risks():
    made = risk_to_odds_ratio([np.log(3), 0.1, 0.1, 0.1], [0.1, 0.1, -1, 4.0], reference_risk=[0.4, 1.5, 0.4, 0.9])
    assert [(p.row, p.code) for p in made.effects.problems] == [
        (1, "risk-too-high"),
        (2, "out-of-range"),
        (3, "not-positive"),
    ]
    assert made.high[3] == np.inf
    assert np.isnan(made.low[:3]).all()


def test_only_some_measures_have_an_opposite_outcome():
    turned = opposite_outcome([0.5], [0.2], measure="OR")
    assert (turned.effects.yi[0], turned.effects.vi[0]) == (-0.5, 0.2)
    assert turned.low[0] < turned.effects.yi[0] < turned.high[0]
    for measure in ("RR", "HR", "IRR"):
        with pytest.raises(InputError, match="from the counts"):
            opposite_outcome([0.5], [0.2], measure=measure)
    assert opposite_groups([0.5], [0.2], measure="RR").effects.yi[0] == -0.5
    with pytest.raises(InputError):
        opposite_groups([0.5], [0.2], measure="PLO")


def test_misuse_of_conversions():
    with pytest.raises(InputError):
        odds_ratio_to_smd([0.5], [0.2], method="probit")
    with pytest.raises(InputError):
        odds_ratio_to_smd([0.5], [0.2], level=95)
    with pytest.raises(InputError):
        odds_ratio_to_smd([0.5, 0.2, 0.1], [0.2, 0.1])


def test_shared_arms():
    parts = split_counts(10, 40, parts=2)
    assert (parts.events.tolist(), parts.n.tolist()) == ([5, 5], [20, 20])
    assert combine_counts([1, 2], [10, 10]).events == 3
    for call in (
        lambda: split_counts(10, 40, parts=1), lambda: split_counts(50, 40, parts=2),
        lambda: combine_counts([11], [10]), lambda: combine_means([1, 2], [-1, 1], [10, 10]),
        lambda: combine_means([1, 2], [1, 1], [10, 1]), lambda: reference_variance("OR", events=3),
        lambda: reference_variance("OR", events=0, n=10), lambda: reference_variance("SMD", n=10),
        lambda: contrast_covariance([0.2, 0.3], study=["A"], shared=[0.1, 0.1]),
        lambda: contrast_covariance([0.2, 0.3], study=["A", "A"], shared=[0.1, 0.15]),
        lambda: contrast_covariance([0.2, 0.3], study=["A", "A"], shared=[0.25, 0.25]),
        lambda: smd_covariance([0.1], [0.1], n_reference=10, n_total=10),
    ):  # fmt: skip
        with pytest.raises(InputError):
            call()


def test_contrasts_of_other_studies_are_independent():
    made = contrast_covariance([0.2, 0.3, 0.4], study=["A", "B", "A"], shared=[0.1, 0.05, 0.1])
    np.testing.assert_allclose(made, [[0.2, 0, 0.1], [0, 0.3, 0], [0.1, 0, 0.4]])
    assert reference_variance("HR", events=20)[0] == pytest.approx(0.05)
    assert reference_variance("ROM", mean=4, sd=2, n=25)[0] == pytest.approx(0.01)


def test_kappa():
    perfect = cohen_kappa([1, 2, 1], [1, 2, 1])
    assert perfect.estimates()[0].value == 1
    assert perfect.estimate.interval.high == 1
    alone = cohen_kappa(["x", "x"], ["x", "x"])
    assert alone.estimate.status is Status.UNDEFINED
    assert alone.observed == 1
    missing = cohen_kappa(["a", None, "b"], ["a", "b", "a"])
    assert missing.n == 2
    first, second = ["low", "some", "high", "low"], ["some", "some", "high", "low"]
    order = ["low", "some", "high"]
    quadratic = cohen_kappa(first, second, categories=order, weights="quadratic").estimate.value
    linear = cohen_kappa(first, second, categories=order, weights="linear").estimate.value
    assert cohen_kappa(first, second).estimate.value < linear < quadratic
    for call in (
        lambda: cohen_kappa(["a"], ["a", "b"]), lambda: cohen_kappa([None], ["a"]),
        lambda: cohen_kappa(["a"], ["b"], categories=["a"]), lambda: cohen_kappa(["a"], ["b"], weights="linear"),
        lambda: cohen_kappa(["a"], ["b"], weights="squared"), lambda: cohen_kappa(["a"], ["b"], level=1.0),
    ):  # fmt: skip
        with pytest.raises(InputError):
            call()


def test_two_extractions():
    first = pl.DataFrame({"study": ["A", "B", "C"], "events": [3, 4, None], "design": ["trial", "cohort ", "trial"]})
    second = pl.DataFrame({"design": ["cohort", "trial", "trial"], "study": ["B", "A", "D"], "events": [5.0, 3.0, 1.0]})
    made = compare_extractions(first, second, key="study")
    assert [(d.row, d.key, d.column, d.first, d.second) for d in made.discrepancies] == [(2, "B", "events", 4, 5.0)]
    assert {column.column: column.proportion for column in made.columns} == {"events": 0.5, "design": 1.0}
    assert (made.only_first, made.only_second) == (("C",), ("D",))
    for call in (
        lambda: compare_extractions(first, second.drop("events"), key="study"),
        lambda: compare_extractions(first, second, key="id"),
        lambda: compare_extractions(pl.concat([first, first]), second, key="study"),
    ):
        with pytest.raises(InputError):
            call()
