"""Errors planted in designs and data: each becomes a finding or a status with a remedy, never a crash or a silent number."""

import numpy as np
import pytest
from ward import N, Ward, call, patients

EXACT = 1e-12  # the same fit of the same rows

LEVELS = ["none", "mild", "severe"]
COLUMNS = """\
disability,Disability,Disability,ordinal,,none=None|mild=Mild|severe=Severe,,,,,,
bags,Bags,Bags,number,units,,,,,,yes,
stay,Stay,Stay,number,days,,,,,,,
blank,Blank,Never measured,number,,,,,,,,
perfect,Perfect,Tells who died,category,,,,,,,,
"""
OUTCOMES = """\
  disability_here: {label: Disability, type: ordinal, value: disability, better: lower}
  transfused: {label: Bags, type: count, value: bags, better: lower}
  stay_long: {label: Stay, type: continuous, value: stay, better: lower}
  stay_rank: {label: Stay, type: continuous, value: stay, better: lower, truncated_by: {death_here: worst-rank}}
confounders:"""
GROUPS = "groups: {variable: device, treated: {pump: Pump}, reference: {none: No pump}, assigned_by: clinician}\n"
LOGISTIC = "outcome: death_here, method: logistic-regression"


@pytest.fixture
def ward(tmp_path):
    study = Ward(tmp_path)
    random = np.random.default_rng(7)
    study.columns["Disability"] = [LEVELS[item] for item in random.integers(0, 3, N)]
    study.columns["Bags"] = [str(item) for item in random.poisson(2, N)]
    study.columns["Stay"] = [str(item) for item in random.gamma(2, 3, N).round(1) + 0.1]
    study.columns["Blank"] = [""] * N
    study.columns["Perfect"] = ["y" if said == "yes" else "n" for said in study.columns["Died"]]
    study.dictionary += COLUMNS
    return study.edit("confounders:", OUTCOMES)


def planned(ward, *lines):
    head, _ = ward.protocol.split("analyses:\n")
    ward.protocol = head + "analyses:\n" + "".join(f"  - {{id: A{i}, role: primary, {line}}}\n" for i, line in enumerate(lines))  # fmt: skip
    return ward


def found(ward):
    return {row["id"]: row for row in ward.results()["estimates"]}


def statuses(ward):
    return {
        row["analysis"]: row["status"] for row in reversed(ward.results()["estimates"]) if row["role"] != "covariate"
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{LOGISTIC}, clusters: {{variable: site, as: strata}}", "E614"),
        ("outcome: stay_long, method: two-means, clusters: {variable: site, as: strata}", "E614"),
        (f"{LOGISTIC}, models: {{'': none, Full: [age]}}", "E641"),
        (f"{LOGISTIC}, models: {{screen: none, Full: [age]}}, screen: baseline", "E641"),
        (f"{LOGISTIC}, models: {{'Model I': none, 'Model, I': [age]}}", "E641"),
    ],
)
def test_a_design_that_makes_no_sense_is_refused(ward, line, code):
    said = planned(ward, line).check()
    assert said.code == 3, said.text
    assert code in said.text


@pytest.mark.parametrize(
    "line",
    [
        "outcome: death, method: cox, models: {Crude: none, Full: [age]}",
        "outcome: death_here, method: exact-logistic",
        "outcome: death_here",
    ],
)
def test_a_model_of_nothing_is_refused(ward, line):
    ward.edit(GROUPS, "").edit("design: cohort", "design: single-arm")
    said = planned(ward, line).check()
    assert said.code == 3, said.text
    assert "E649" in said.text


def test_names_of_models_make_ids_without_commas_or_blanks(ward):
    selection = "{select: stepwise, from: [age, lactate], repeats: 5}"
    line = f"{LOGISTIC}, models: {{'Model I, crude; raw': none, 'Model 2.5, full': {selection}}}"
    said = planned(ward, line, "outcome: death, method: cox, models: {'M, 1': [{variable: age, spline: 3}]}").run()
    assert said.code == 0, said.text
    assert {"A0.Model-I-crude-raw.death_here.pump.odds-ratio",
            "A0.Model-2_5-full-selection-repeated.death_here.pump.odds-ratio"} <= set(found(ward))  # fmt: skip
    ids = [*found(ward), *(block["id"] for block in ward.results()["blocks"])]
    assert "A1.M-1.death.age.effect-curve" in ids
    assert not [name for name in ids if set(name) & set(' ,;"')]
    assert not [item for item in ward.results()["warnings"] if item["code"] == "W690" and "repeated" in item["text"]]


def test_a_ladder_by_type_compares_estimates_of_one_kind(ward):
    planned(ward, "outcome: [death_here, stay_long, disability_here], method: by-type, models: {Crude: none, Full: [age]}, main_model: Crude")  # fmt: skip
    said = ward.run()
    assert said.code == 0, said.text
    measures = {(row["outcome"], row["model"]): row["measure"] for row in found(ward).values() if row["groups"]}
    for outcome in ("death_here", "stay_long", "disability_here"):
        assert measures[outcome, "Crude"] == measures[outcome, "Full"]


def test_a_covariate_that_nobody_has_leaves_no_rows(ward):
    ward.edit("if_unknown: stop", "if_unknown: keep-patient")
    said = planned(
        ward,
        f"{LOGISTIC}, models: {{Crude: none, Full: [blank]}}, main_model: Crude",
        f"{LOGISTIC}, adjust: {{select: stepwise, from: [age, blank]}}",
        "outcome: death, method: cox, adjust: {select: lasso, from: [age, blank]}",
    ).run()
    assert said.code == 1, said.text
    assert set(statuses(ward).values()) == {"no-rows"}


@pytest.mark.parametrize("died", ["nobody", "one"])
def test_a_lasso_of_hardly_any_event_selects_nothing_or_says_why_not(ward, died):
    first = ward.columns["Died"].index("yes")
    for row in range(N):
        if died == "nobody" or row != first:
            ward.set("Died", row, "no").set("Death", row, "")
    lasso = "adjust: {select: lasso, from: [age, lactate], repeats: 5}"
    said = planned(ward, f"{LOGISTIC}, {lasso}", f"outcome: death, method: cox, {lasso}").run()
    assert said.code == 1, said.text
    assert set(statuses(ward).values()) == {"no-events" if died == "nobody" else "separation"}


def test_a_constant_outcome_has_no_variance(ward):
    ward.fill("Stay", "4.3")
    every = [
        "adjust: [age]", "adjust: {select: lasso, from: [age, lactate], repeats: 5}",
        "adjust: {select: stepwise, by: aic, from: [age, lactate], repeats: 5}",
        "adjust: [age], clusters: {variable: site, as: gee}", "adjust: [age], clusters: {variable: site, as: random-intercept}",
    ]  # fmt: skip
    said = planned(ward, *(f"outcome: stay_long, method: linear-regression, {item}" for item in every)).run()
    assert said.code == 1, said.text
    assert set(statuses(ward).values()) == {"zero-variance"}


def test_a_standard_error_that_is_rounding_is_not_printed(ward):
    ward.columns["Stay"] = [f"{0.3 * float(age) + (pump == 'pump'):.1f}" for age, pump in zip(ward.columns["Age"], ward.columns["Device"], strict=True)]  # fmt: skip
    said = planned(
        ward, "outcome: stay_long, method: linear-regression, adjust: [age]",
        "outcome: death_here, method: poisson-regression, adjust: [perfect]",
    ).run()  # fmt: skip
    assert said.code == 1, said.text
    row = found(ward)["A0.stay_long.pump.mean-difference"]
    assert row["estimate"] == pytest.approx(1)
    assert row["conf_low"] is row["p_value"] is None
    assert set(statuses(ward).values()) == {"zero-variance"}


def test_everybody_dead_has_the_worst_rank(ward):
    ward.fill("Died", "yes")
    said = planned(ward, "outcome: stay_rank, method: worst-rank").run()
    assert said.code == 1, said.text
    rows = found(ward)
    assert rows["A0.stay_rank.pump.probabilistic-index"]["estimate"] == pytest.approx(0.5)
    assert rows["A0.stay_rank.pump.proportion-who-died"]["estimate"] == 1
    assert rows["A0.stay_rank.pump.win-odds"]["n"] == N


def test_a_stratum_without_events_makes_no_other_stratum_infinite(tmp_path):
    ward = Ward(tmp_path)
    ward.columns = patients(400)
    for row, age in enumerate(("19", "20", "21", "22")):
        ward.set("Age", row, age).set("Died", row, "no").set("Device", row, ("pump", "none")[row % 2])
    planned(ward, f"{LOGISTIC}, adjust: [sex]")
    ward.edit("seed: 1", "subgroups: {of: A0, by: [{variable: age, cut: [23, 60]}]}\nseed: 1")
    said = ward.run()
    assert said.code == 1, said.text
    rows = {name: row["status"] for name, row in found(ward).items() if ".age=" in name}
    assert rows == {
        "A0.death_here.age=<23.pump.odds-ratio": "separation", "A0.death_here.age=23-to-<60.pump.odds-ratio": "ok",
        "A0.death_here.age=>=60.pump.odds-ratio": "ok",
    }  # fmt: skip


def test_estimates_that_fail_alike_share_a_warning(ward):
    ward.columns["Perfect"] = [f"p{row}" for row in range(N)]
    said = planned(ward, f"{LOGISTIC}, adjust: [perfect]").run()
    assert said.code == 1, said.text
    (warning,) = [item for item in ward.results()["warnings"] if item["code"] == "W710"]
    assert f"and {N - 3} more" in warning["text"]


def test_a_random_variance_of_zero_alone_is_no_failure_and_few_clusters_are(ward):
    ward.columns["Site"] = [f"site{row % 4}" for row in range(N)]
    robust = f"{LOGISTIC}, adjust: [age], clusters: {{variable: site, as: robust}}"
    random = f"{LOGISTIC}, adjust: [age], clusters: {{variable: site, as: random-intercept}}"
    assert planned(ward, random).run().code == 0
    rows = found(ward)
    assert rows["A0.death_here.site.variance-between-clusters"]["status"] == "zero-random-variance"
    assert rows["A0.death_here.pump.odds-ratio"]["status"] == "ok"
    assert planned(ward, robust).run().code == 1
    row = found(ward)["A0.death_here.pump.odds-ratio"]
    assert (row["status"], row["conf_low"]) == ("few-clusters", None)
    assert row["estimate"] == pytest.approx(rows["A0.death_here.pump.odds-ratio"]["estimate"])
    html = next(ward.bundle.glob("*.html")).read_text(encoding="utf-8")
    assert "fewer than 10 clusters" in html


def test_the_plan_names_the_variance_of_clusters(ward):
    ward = planned(ward, f"{LOGISTIC}, adjust: [age], clusters: {{variable: site, as: robust}}")
    ward.write()
    assert "below 40 clusters" in call("plan", ward.path).out
