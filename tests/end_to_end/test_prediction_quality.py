"""How well a model, a score and a stated risk predict, asked in a protocol."""

from __future__ import annotations

import pytest
from ward import Ward

VARIABLES = """\
variables:
  lactate_points: {label: Lactate points, type: number, cases: [{when: lactate > 8, value: 3}, {when: lactate > 4, value: 1.5}, {otherwise: 0}]}
  points: {label: Points, value: age / 10 + lactate_points}
  stated: {label: Stated risk, value: age / 200 + lactate / 40}
"""
ANALYSES = """\
  - {id: P1, role: secondary, outcome: death_here, method: prediction-quality, adjust: baseline, compare: [points], thresholds: [0.2, 0.4], bootstrap: 50}
  - {id: P2, role: secondary, outcome: death_here, method: prediction-quality, score: points, risk: stated}
  - {id: P3, role: secondary, outcome: death, method: prediction-quality, adjust: [age, lactate], compare: [points], bootstrap: 30, thresholds: [0.3]}
  - {id: P4, role: secondary, outcome: death, method: prediction-quality, risk: stated, score: points, at: 30 days}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    ward = Ward(tmp_path_factory.mktemp("quality"))
    ward.protocol = ward.protocol.replace("outcomes:\n", VARIABLES + "outcomes:\n", 1) + ANALYSES
    ward.set("Lactate", 3, "")
    said = ward.run()
    assert said.code == 0, said.text
    return ward


def rows_of(study, analysis):
    return [row for row in study.results()["estimates"] if row["analysis"] == analysis]


def by_measure(study, analysis, predictor):
    return {row["measure"]: row for row in rows_of(study, analysis) if row["term"].split(",")[0] == predictor}


def test_a_model_is_judged_and_corrected(study):
    found = by_measure(study, "P1", "model")
    assert rows_of(study, "P1")[0]["measure"] == "c-statistic"
    assert found["optimism-corrected c-statistic"]["estimate"] < found["c-statistic"]["estimate"]
    assert 0.5 < found["optimism-corrected calibration slope"]["estimate"] < 1
    assert found["c-statistic"]["n"] == 119
    assert found["c-statistic"]["n_missing"] == 1
    assert "calibration slope" not in found
    terms = [row["term"] for row in rows_of(study, "P1")]
    assert {"model, threshold 20%", "model, threshold 40%", "points"} <= set(terms)
    difference = next(row for row in rows_of(study, "P1") if row["measure"] == "difference in c-statistic")
    assert 0 < difference["p_value"] <= 1


def test_a_score_is_recalibrated_and_a_risk_is_not(study):
    points, stated = by_measure(study, "P2", "points"), by_measure(study, "P2", "stated")
    assert "calibration intercept" not in points
    assert any("Points are no risks" in note for note in points["Brier score"]["notes"])
    assert {"calibration intercept", "calibration slope", "expected/observed ratio"} <= set(stated)
    assert stated["Brier score"]["estimate"] > points["Brier score"]["estimate"]


def test_a_time_to_an_event_by_its_horizon(study):
    found = by_measure(study, "P3", "model")
    wanted = {"concordance", "Uno's concordance", "time-dependent AUC", "Brier score", "E50", "net benefit",
              "optimism-corrected concordance", "difference in concordance"}  # fmt: skip
    measures = {row["measure"] for row in rows_of(study, "P3")}
    assert wanted <= measures
    assert found["time-dependent AUC"]["at"]["time"] == 60
    assert found["Brier score"]["at"]["time"] == 60
    assert by_measure(study, "P4", "stated")["calibration slope"]["at"]["time"] == 30


def test_blocks_are_drawn(study):
    blocks = {(block["analysis"], block["kind"]) for block in study.results()["blocks"]}
    for analysis, kinds in (
        ("P1", ("roc", "calibration-curve", "decision-curve")),
        ("P3", ("time-dependent-auc", "calibration-curve", "decision-curve")),
    ):
        for kind in kinds:
            assert (analysis, kind) in blocks
    html = next(study.bundle.glob("*.html")).read_text(encoding="utf-8")
    assert "Decision curve" in html


def changed(tmp_path, analysis):
    ward = Ward(tmp_path)
    ward.protocol = ward.protocol.replace("outcomes:\n", VARIABLES + "outcomes:\n", 1) + analysis
    return ward


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("outcome: death_here", "E650"), ("outcome: death_here, score: points, thresholds: [20]", "E652"),
        ("outcome: death_here, adjust: baseline, bootstrap: 1", "E653"), ("outcome: death_here, score: sex", "E654"),
    ],
)  # fmt: skip
def test_what_has_no_answer_is_refused(tmp_path, keys, code):
    ward = changed(tmp_path, f"  - {{id: P1, role: secondary, method: prediction-quality, {keys}}}\n")
    said = ward.check()
    assert said.code != 0
    assert code in said.text


def test_a_time_must_be_said(tmp_path):
    ward = changed(
        tmp_path, "  - {id: P1, role: secondary, method: prediction-quality, outcome: death, score: points}\n"
    )
    ward.edit(", horizon: 60 days", "")
    assert "E651" in ward.check().text


def test_a_score_nobody_has_and_a_score_that_goes_the_other_way(tmp_path):
    ward = changed(
        tmp_path,
        "  - {id: P1, role: secondary, outcome: death_here, method: prediction-quality, score: empty, bootstrap: 0}\n"
        "  - {id: P2, role: secondary, outcome: death_here, method: prediction-quality, score: turned, risk: too_large}\n",
    )
    ward.edit(
        "variables:\n",
        "variables:\n  empty: {value: age / (age - age)}\n  turned: {value: 0 - age}\n  too_large: {value: age / 50}\n",
    )
    said = ward.run()
    assert said.code == 1
    status = {row["term"]: row["status"] for row in ward.results()["estimates"] if row["measure"] == "c-statistic"}
    assert status["empty"] == "missing-input"
    assert status["turned"] == "ok"
    assert status["too_large"] == "undefined"
    assert any(warning["code"] == "W650" for warning in ward.results()["warnings"])
