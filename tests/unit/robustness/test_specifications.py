from math import exp, log

import numpy as np
import pytest

from counterpulse import robustness
from counterpulse.errors import InputError
from counterpulse.results import REFERENCES, Estimate, Interval, Status
from counterpulse.results.privacy_blocks import screened_block
from counterpulse.results.privacy_screen import Screen

CLOSED_FORM = 1e-10  # relative


def one(value, model, covariates, *, half=0.2, main=False, n=200, events=40):
    estimate = Estimate(
        term="device", measure="hazard ratio", scale="log", value=value, p_value=0.01,
        interval=Interval(value - half, value + half, 0.95, "wald"),
    )  # fmt: skip
    choices = {"model": model, "covariates": covariates}
    return robustness.Specification(choices=choices, estimate=estimate, n=n, events=events, main=main)


@pytest.fixture
def specifications():
    return [
        one(log(0.9), "cox", "all", main=True), one(log(0.5), "cox", "few", n=198), one(log(1.4), "logistic", "all"),
        one(log(0.7), "logistic", "few", events=3),
    ]  # fmt: skip


def test_estimates_stand_in_order(specifications):
    curve = robustness.specification_curve(specifications)
    assert curve.tidy()["estimate"].to_list() == pytest.approx([0.5, 0.7, 0.9, 1.4], rel=CLOSED_FORM)
    assert (curve.n_above, curve.n_below, curve.n_failed) == (1, 2, 0)
    shown = curve.glance().row(0, named=True)
    assert shown["median"] == pytest.approx(exp((log(0.7) + log(0.9)) / 2), rel=CLOSED_FORM)
    assert (shown["lowest"], shown["highest"]) == pytest.approx((0.5, 1.4), rel=CLOSED_FORM)
    assert set(curve.provenance.citations) <= set(REFERENCES)


def test_failed_specifications_stand_last(specifications):
    failed = Estimate(term="device", measure="hazard ratio", scale="log", value=np.nan, status=Status.SEPARATION)
    specifications[1] = robustness.Specification(choices=specifications[1].choices, estimate=failed)
    curve = robustness.specification_curve(specifications)
    assert curve.specifications[-1].estimate is failed
    assert curve.n_failed == 1
    alone = robustness.specification_curve(specifications[1:2])
    assert alone.status is Status.UNDEFINED
    assert alone.glance()["median"].to_list() == [None]


def test_a_block_has_a_row_for_each_specification_and_choice(specifications):
    block = robustness.specification_curve(specifications).block(id="curve", analysis="death")
    rows = block.rows()
    assert len(rows) == 8
    assert [row["choice"] for row in rows[:2]] == ["model", "covariates"]
    assert {row["specification"] for row in rows if row["main"] == "yes"} == {3}


def test_the_block_without_small_cells_has_no_counts_and_no_estimate_that_rests_on_few(specifications):
    whole = robustness.specification_curve(specifications).block(id="curve", analysis="death")
    block = screened_block(whole, Screen(frozenset(), 5), frozenset())
    assert {row["n"] for row in block.rows()} == {row["events"] for row in block.rows()} == {None}
    shown = {row["specification"]: row["estimate"] for row in block.rows()}
    assert shown[2] is None
    assert shown[1] == pytest.approx(0.5, rel=CLOSED_FORM)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda some: [], "no specification"),
        (lambda some: [*some, some[0]], "twice"),
        (lambda some: [*some, one(0.0, "cox", "none", main=True)], "main"),
        (lambda some: [*some, robustness.Specification(choices={"model": "x"}, estimate=some[0].estimate)], "choices"),
        (
            lambda some: [
                *some,
                robustness.Specification(
                    choices={"model": "x", "covariates": "y"}, estimate=Estimate(term="a", measure="b", value=1.0)
                ),
            ],
            "measures",
        ),
    ],
)
def test_misuse_is_refused(specifications, change, text):
    with pytest.raises(InputError, match=text):
        robustness.specification_curve(change(specifications))
