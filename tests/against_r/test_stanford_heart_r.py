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


def test_treatment_as_it_varies_in_time(result):
    assert hazard_ratios(result, "A1") == pytest.approx([REFERENCE["time_varying"]], rel=ITERATIVE)


def test_the_immortal_time_mistake(result):
    assert hazard_ratios(result, "S1") == pytest.approx([REFERENCE["naive"]], rel=ITERATIVE)
    assert REFERENCE["naive"] < 0.2 < 0.9 < REFERENCE["time_varying"], "the lesson of the example"


def test_three_landmarks(result):
    assert hazard_ratios(result, "S2") == pytest.approx(REFERENCE["landmark"], rel=ITERATIVE)


def test_everybody_is_counted(result):
    assert [step.n for step in result.flow if step.id in ("read", "eligible")] == [103, 103]
