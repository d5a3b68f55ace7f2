"""The example study, from its files to its hazard ratios, against R's survival package."""

from __future__ import annotations

import json
from math import exp
from pathlib import Path

import pytest

import counterpulse as cp
from counterpulse import examples

ITERATIVE = 1e-6  # relative; R's coxph stops at 1e-9 of the log likelihood
REFERENCE = json.loads((Path(__file__).parent / "reference" / "stanford_heart.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    protocol = cp.read_protocol(examples.copy("stanford-heart", tmp_path_factory.mktemp("stanford")))
    dictionary = cp.read_dictionary(protocol.path.parent / protocol.nodes.data.dictionary)
    table = cp.read_table(protocol.path.parent / protocol.nodes.data.table, dictionary, id=protocol.nodes.data.id)
    return cp.run(cp.plan(protocol, dictionary), table)


def hazard_ratios(result, analysis):
    return [
        exp(row.estimate.value)
        for row in result.estimates
        if row.analysis == analysis and row.role != "covariate" and row.subgroup is None
        and row.estimate.measure == "hazard ratio"
    ]  # fmt: skip


@pytest.mark.parametrize(("analysis", "covariates"), [("A1", "baseline"), ("S3", "calendar")])
def test_treatment_as_it_varies_in_time(result, analysis, covariates):
    assert hazard_ratios(result, analysis) == pytest.approx([REFERENCE[covariates]["time_varying"]], rel=ITERATIVE)


@pytest.mark.parametrize(("analysis", "covariates"), [("S1", "baseline"), ("S4", "calendar")])
def test_the_immortal_time_mistake(result, analysis, covariates):
    assert hazard_ratios(result, analysis) == pytest.approx([REFERENCE[covariates]["naive"]], rel=ITERATIVE)


def test_three_landmarks(result):
    assert hazard_ratios(result, "S2") == pytest.approx(REFERENCE["baseline"]["landmark"], rel=ITERATIVE)


def designs(result, name):
    block = next(block for block in result.blocks if block.id == name)
    return {(row["of"], row["plan"], row["variant"]): row for row in block.rows()}


def test_the_naive_and_the_safe_answers_with_the_same_covariates_stand_side_by_side(result):
    found = designs(result, "A1.death.immortal-time")
    marks = [f"landmark {mark} days" for mark in (30, 60, 90)]
    assert list(found) == [
        ("S1", "ignore-and-report", None), ("A1", "time-varying", None), *(("S2", "landmark", mark) for mark in marks),
    ]  # fmt: skip
    expected = [REFERENCE["baseline"][name] for name in ("naive", "time_varying")] + REFERENCE["baseline"]["landmark"]
    assert [row["estimate"] for row in found.values()] == pytest.approx(expected, rel=ITERATIVE)
    assert [round(row["estimate"], 3) for row in found.values()][:2] == [0.189, 1.014]
    with_year = [row["estimate"] for row in designs(result, "S3.death.immortal-time").values()]
    assert with_year == pytest.approx(
        [REFERENCE["calendar"][name] for name in ("naive", "time_varying")], rel=ITERATIVE
    )


def test_whom_and_how_much_time_each_plan_leaves_out(result):
    naive, varying, *landmarks = designs(result, "A1.death.immortal-time").values()
    reach = REFERENCE["reach"]
    assert (naive["patients_left_out"], naive["treated_left_out"], naive["credited"]) == (1, 0, reach["credited"])
    assert (varying["patients_left_out"], varying["credited"], varying["person_time_left_out"]) == (0, 0, 0)
    assert varying["person_time"] == reach["days"] + 0.5, "who died on day 0 is followed for half a day"
    for key, name in (
        ("patients_left_out", "left_out"),
        ("treated_left_out", "treated_left_out"),
        ("person_time_left_out", "days_left_out"),
    ):
        assert [row[key] for row in landmarks] == reach[name]
    assert {row["credited"] for row in landmarks} == {0}


def test_everybody_is_counted(result):
    assert [step.n for step in result.flow if step.id in ("read", "eligible")] == [103, 103]
