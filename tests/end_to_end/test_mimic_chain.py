"""MIMIC-II arterial catheters through the whole chain: imputed, matched, weighted, pooled; and R where it did the same."""

import math
from pathlib import Path

import numpy as np
import pytest

PROTOCOL = Path(__file__).parent / "mimic_iac" / "chain.protocol.yaml"
PRINTED = 5e-8  # relative; the reference prints eight digits
M = 20


@pytest.fixture(scope="module")
def study(run_study, shared_path):
    return run_study(PROTOCOL, shared_path("data/mimic2_iac.csv"))


def row(study, analysis, measure="odds-ratio", outcome="death_28d"):
    return study.estimates[f"{analysis}.{outcome}.yes.{measure}"]


def test_matched_complete_cases_are_those_of_matchit(study):
    found = row(study, "matched-complete")
    assert study.results["details"]["matched-complete"]["pairs"] == 462
    assert found["estimate"] == pytest.approx(0.8664209, rel=PRINTED)
    ends = [math.exp(math.log(found["estimate"]) + sign * 1.959964 * found["std_error"]) for sign in (-1, 1)]
    assert ends == pytest.approx([0.60114131, 1.2487666], rel=PRINTED)
    assert found["n"] == 2 * 462
    assert found["estimand"] == {"kind": "marginal", "target": "matched treated"}
    risks = {group["group"]: group["risk"] for group in found["groups"]}
    assert risks["no"] == pytest.approx(0.14935065, rel=PRINTED)
    assert risks["yes"] == pytest.approx(0.13203463, rel=PRINTED)
    assert study.results["details"]["matched-complete"]["largest_difference"] == pytest.approx(0.11456764, rel=PRINTED)


def test_complete_cases_stay_those_of_the_study_before(study):
    assert row(study, "complete")["estimate"] == pytest.approx(1.1444269, rel=PRINTED)
    assert row(study, "complete")["imputations"] is None


def test_every_imputed_analysis_is_pooled(study):
    for analysis in ("adjusted", "matched", "overlap"):
        found = row(study, analysis)
        assert found["imputations"] == M
        assert 0 < found["fmi"] < 1
        assert found["conf_low"] < found["estimate"] < found["conf_high"]
        assert found["interval_method"] == "rubin"
    assert row(study, "adjusted")["n"] == 1776
    assert row(study, "time", "hazard-ratio", "death")["imputations"] == M


def test_one_score_for_all_tables_makes_the_same_pairs_in_each(study):
    assert row(study, "across")["fmi"] == 0
    assert row(study, "across")["imputations"] == M


def test_within_and_across_differ_but_not_by_much(study):
    within, across = row(study, "matched"), row(study, "across")
    assert within["estimate"] != across["estimate"]
    assert abs(math.log(within["estimate"]) - math.log(across["estimate"])) < within["std_error"]


def test_overlap_weights_balance_the_means_of_every_imputed_table(study):
    block = study.blocks["overlap.death_28d.balance"]
    after = [abs(value) for value, sample in zip(block["smd"], block["sample"], strict=True) if sample == "weighted"]
    largest = [value for value, sample in zip(block["smd_max"], block["sample"], strict=True) if sample == "weighted"]
    assert len(after) > 30
    before = [abs(value) for value, sample in zip(block["smd"], block["sample"], strict=True) if sample == "unadjusted"]
    assert max(before) > 0.3
    # overlap weights of a logistic score balance the means of its covariates exactly (Li, Morgan and Zaslavsky 2018)
    linear = [value for value, name in zip(block["smd_max"], block["variable"], strict=True) if name == "bun_first"]
    assert max(linear[1:]) < 1e-6
    assert all(high >= value - 1e-12 for high, value in zip(largest, after, strict=True))


def test_imputation_is_shown(study):
    table = study.blocks["imputation.imputation"]
    missing = dict(zip(table["variable"], table["missing"], strict=True))
    assert missing["weight_first"] == 110
    assert missing["sofa_first"] == 6
    assert "severe" not in missing  # derived from the imputed score
    assert study.results["details"]["imputation"]["imputed tables"] == M
    trace = study.blocks["imputation.imputation-trace"]
    assert len(trace["mean"]) == len(missing) * M * 5
    matrix = study.blocks["imputation.predictor-matrix"]
    used = {
        predictor
        for imputed, predictor, use in zip(matrix["imputed"], matrix["predictor"], matrix["used"], strict=True)
        if imputed == "weight_first" and use == "yes"
    }
    assert {"aline_flg", "death_28d", "death.event", "death.hazard."} <= used


def test_interactions_are_pooled_by_d1(study):
    test = study.estimates["adjusted.death_28d.severe.interaction"]
    assert test["statistic_name"] == "F (D1)"
    assert 0 < test["p_value"] < 1
    forest = study.blocks["adjusted.death_28d.forest"]
    lines = dict(
        zip(zip(forest["variable"], forest["level"], forest["group"], strict=True), forest["estimate"], strict=True)
    )
    stratum = study.estimates["adjusted.death_28d.age=<65.yes.odds-ratio"]
    assert lines["age", "<65", "yes"] == stratum["estimate"]
    assert forest["p_interaction"][-1] == test["p_value"]


def test_a_shift_of_nothing_changes_nothing_and_more_moves_more(study):
    names = ("shifted", "shifted.weight_first-+10", "shifted.weight_first-+20")
    rows = [row(study, name) for name in names]
    pooled = row(study, "adjusted")
    assert rows[0]["estimate"] == pooled["estimate"]
    moved = np.abs(np.log([one["estimate"] for one in rows]) - math.log(pooled["estimate"]))
    assert 0 == moved[0] < moved[1] < moved[2]


def test_every_estimate_has_an_interval_or_a_status(study):
    for one in study.results["estimates"]:
        assert one["status"] != "ok" or one["estimate"] is not None or one["p_value"] is not None
