"""Clone-censor-weight from a protocol, on the data of Maringe and others 2020: what survivalCCW 0.0.4 printed (ref_ccw.out).

The robust error is that of coxph() with the patient as the cluster (reference/make_clone_censor_weight.R).
"""

from __future__ import annotations

import json
from math import exp
from pathlib import Path

import pytest

import counterpulse as cp

PRINTED = 1e-9  # relative; survivalCCW prints ten digits
ITERATIVE = 1e-8  # relative; coxph run to 1e-14
SEVEN_DIGITS, EIGHT_DIGITS = 1e-6, 1e-7  # relative; summary() prints so many
STORED = json.loads((Path(__file__).parent / "reference/clone_censor_weight.json").read_text())["plain"]
DICTIONARY = """\
name,label,type,unit,levels
id,Patient,id,,
surgery,Surgery,yesno,,
timetosurgery,Time to surgery,number,d,
death,Death,yesno,,
sex,Sex,category,,1=Male|2=Female
charlson,Charlson index,number,,
perf,Performance status,number,,
stage,Stage,number,,
emergency,Emergency presentation,yesno,,
fup_obs,Follow-up,number,d,
age,Age,number,y,
deprivation,Deprivation,number,,
"""
PROTOCOL = """\
protocol: 1
study: {id: toy, title: Surgery and survival, design: cohort, registration: none}
data: {table: toy.csv, dictionary: dictionary.csv, id: id}
time_zero: {text: Diagnosis, counted: yes}
groups: {variable: surgery, treated: {yes: Surgery}, reference: {no: No surgery}}
exposure: {given: surgery = yes, starts: timetosurgery}
immortal_time: {plan: clone-censor-weight, grace: 182.625 days, bootstrap: 20}
outcomes:
  death: {label: Death, type: time-to-event, event: death = yes, time: fup_obs, horizon: 365 days, primary: yes, better: lower}
confounders: {all: [age, sex, perf, stage, deprivation, charlson, emergency]}
missing_data: {method: complete-case}
seed: 1
analyses:
  - id: A1
    role: primary
    outcome: death
    method: cox
    adjust: all
    estimand: {contrast: hazard ratio, kind: marginal, target: all, also: [risk difference, rmst difference]}
  - {id: S1, role: sensitivity, of: A1, immortal_time: {plan: clone-censor-weight, grace: 182.625 days, bootstrap: 0},
     estimand: {contrast: hazard ratio, kind: marginal, target: all}}
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory, shared_path):
    directory = tmp_path_factory.mktemp("toy")
    (directory / "toy.csv").write_bytes(shared_path("data/maringe_toy.csv").read_bytes())
    (directory / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    (directory / "toy.protocol.yaml").write_text(PROTOCOL, encoding="utf-8")
    protocol = cp.read_protocol(directory / "toy.protocol.yaml")
    dictionary = cp.read_dictionary(directory / "dictionary.csv")
    return cp.run(cp.plan(protocol, dictionary), cp.read_table(directory / "toy.csv", dictionary, id="id"))


def estimates(result, analysis="A1"):
    rows = [row for row in result.estimates if row.analysis == analysis]
    return {(row.estimate.measure, row.estimate.term): row for row in rows}


def test_effects(result):
    found = estimates(result)
    assert next(iter(found)) == ("hazard ratio", "yes")
    assert exp(found["hazard ratio", "yes"].estimate.value) == pytest.approx(0.6072863172, rel=PRINTED)
    assert found["risk", "yes"].estimate.value == pytest.approx(1 - 0.8159656742, rel=PRINTED)
    assert found["risk", "no"].estimate.value == pytest.approx(1 - 0.695287549, rel=PRINTED)
    assert found["rmst", "yes"].estimate.value == pytest.approx(326.874411, rel=PRINTED)
    assert found["rmst", "no"].estimate.value == pytest.approx(322.1923401, rel=PRINTED)
    assert all(row.method == "clone-censor-weight" and row.estimate.interval is not None for row in found.values())
    assert found["hazard ratio", "yes"].estimand.kind == "marginal"


def test_without_a_bootstrap_the_interval_is_robust(result):
    """coxph(..., cluster = patient) of the weighted clones."""
    row = estimates(result, "S1")["hazard ratio", "yes"]
    assert row.estimate.std_error == pytest.approx(STORED["error_by_patient"], rel=ITERATIVE)
    assert row.estimate.interval.kind == "robust"
    assert estimates(result, "S1")["risk", "yes"].estimate.interval is None


def test_clones_and_weights(result):
    row = estimates(result)["hazard ratio", "yes"]
    assert (row.n, row.events) == (200, 48)
    assert {count.group: (count.n, count.events) for count in row.groups} == {"yes": (200, 30), "no": (200, 32)}
    details = result.details["A1"]
    assert (details["death.clones"], details["death.artificially_censored"]) == (400, 186)
    assert (details["death.artificially_censored_treated"], details["death.artificially_censored_untreated"]) == (
        80,
        106,
    )
    assert details["death.unweighted_hazard_ratio"] == pytest.approx(0.5826423517, rel=PRINTED)
    weights = next(block for block in result.blocks if block.id == "A1.death.weights").rows()
    assert [one["group"] for one in weights] == ["yes", "no"]
    assert [one["mean"] for one in weights] == pytest.approx([1.111715, 1.709793], rel=SEVEN_DIGITS)
    assert [one["high"] for one in weights] == pytest.approx([6.534901, 21.622938], rel=EIGHT_DIGITS)
    curve = next(block for block in result.blocks if block.id == "A1.death.curve").rows()
    assert [one["estimate"] for one in curve if one["group"] == "yes"][-1] == pytest.approx(0.8159656742, rel=PRINTED)
