"""Doubly robust methods and targets from the protocol to the report, and R's numbers for each."""

import json

import numpy as np
import pytest
from test_export import needs_r, r_has
from test_export_of_every_method import agreeing, exported, left
from ward import Ward, call, patients

from counterpulse.data.terms import Categorical
from counterpulse.errors import DONE, HAS_FINDINGS, PROTOCOL_INVALID
from counterpulse.numerics.random_streams import stream
from counterpulse.regression import aipw, logistic, standardize

N = 400
PRINTED = 1e-7  # relative; printed with 8 digits
SAME = 1e-9  # relative; the same function with columns of another type

OUTCOMES = """\
  stay_here: {label: Stay, type: continuous, value: stay, unit: days, better: lower}
  death_28: {label: Death within 28 days, type: time-to-event, event: death, horizon: 28 days, time_unit: days, better: lower}
confounders:"""
COLUMNS = """\
stay,Stay,ICU stay,number,days,,0,,,,,
ward,Ward,Ward,category,,,,,,,,
"""
ANALYSES = """\
  - {id: B1, role: secondary, outcome: death_here, method: augmented-weighting, adjust: baseline, also: [risk ratio, odds ratio]}
  - {id: B2, role: secondary, outcome: death_here, method: tmle, adjust: baseline, also: [risk ratio, odds ratio], estimand: {target: treated}}
  - {id: B3, role: secondary, outcome: death_here, method: augmented-weighting, adjust: [age, lactate], score: [age, {variable: lactate, spline: 3}], truncate: [0.2, 0.8], estimand: {contrast: risk ratio, target: untreated}}
  - {id: B4, role: secondary, outcome: death_here, method: tmle, adjust: baseline, clusters: {variable: ward}}
  - {id: B5, role: secondary, outcome: death_here, method: augmented-weighting, adjust: baseline, clusters: {variable: site}}
  - {id: B6, role: secondary, outcome: death_here, method: augmented-weighting, adjust: baseline, nuisance: lasso}
  - {id: C2, role: secondary, outcome: stay_here, method: augmented-weighting, adjust: baseline}
  - {id: C3, role: secondary, outcome: stay_here, method: tmle, adjust: baseline, estimand: {target: untreated}, clusters: {variable: ward}}
  - {id: C4, role: secondary, outcome: stay_here, method: linear-regression, adjust: baseline, estimand: {target: treated}}
  - {id: T1, role: secondary, outcome: death, method: augmented-weighting, adjust: baseline, also: [risk ratio, risk difference at 40 days]}
  - {id: T2, role: secondary, outcome: death_28, method: augmented-weighting, adjust: [age], censoring: kaplan-meier, estimand: {target: treated}}
  - {id: G1, role: secondary, outcome: death_here, method: logistic-regression, adjust: baseline, estimand: {contrast: odds ratio, kind: marginal}}
  - {id: G2, role: secondary, outcome: death_here, method: logistic-regression, adjust: baseline, estimand: {contrast: risk difference, also: [risk ratio], target: treated}, clusters: {variable: ward}}
  - {id: G3, role: secondary, outcome: death_here, method: logistic-regression, adjust: baseline, estimand: {contrast: risk difference, target: untreated}, bootstrap: 50}
  - {id: K1,"""


def study_in(directory, more=""):
    ward, random = Ward(directory), stream(5, "doubly robust ward")
    ward.columns = patients(N)
    stay = random.gamma(2.0, 4.0, N) + 0.05 * np.array([float(item) for item in ward.columns["Age"]])
    lost = random.random(N) < 0.3
    days = [
        min(int(day), int(random.integers(1, 50))) if gone else int(day)
        for day, gone in zip(ward.columns["Days"], lost, strict=True)
    ]
    ward.columns |= {"Stay": [f"{item:.3f}" for item in stay], "Ward": [f"w{number % 23}" for number in range(N)]}
    for number, (seen, day, before) in enumerate(
        zip(ward.columns["Admission"], days, ward.columns["Days"], strict=True)
    ):
        if day < int(before):
            end = str(np.datetime64(seen) + day)
            ward.set("Death", number, "").set("Last seen", number, end)
    ward.set("Lactate", 3, "").set("Sex", 8, "")
    ward.dictionary += COLUMNS
    return ward.edit("confounders:", OUTCOMES).edit("  - {id: K1,", f"{more}{ANALYSES}")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    ward = study_in(tmp_path_factory.mktemp("doubly-robust") / "study")
    said = ward.run()
    assert said.code == HAS_FINDINGS, said.text  # B5 has too few clusters
    return ward


@pytest.fixture(scope="module")
def rows(study):
    return {row["id"]: row for row in study.results()["estimates"]}


def test_every_contrast_stands_with_its_measure_kind_and_target(rows):
    firsts = {}
    for row in rows.values():
        firsts.setdefault(row["analysis"], row)
    found = {name: (row["measure"], row["estimand"]["kind"], row["estimand"]["target"]) for name, row in firsts.items()}
    assert found | {"A1": 0, "K1": 0, "C1": 0} == {
        "A1": 0, "K1": 0, "C1": 0,
        "B1": ("risk difference", "marginal", "all"), "B2": ("risk difference", "marginal", "treated"),
        "B3": ("risk ratio", "marginal", "untreated"), "B4": ("risk difference", "marginal", "all"),
        "B5": ("risk difference", "marginal", "all"), "B6": ("risk difference", "marginal", "all"),
        "C2": ("mean difference", "marginal", "all"), "C3": ("mean difference", "marginal", "untreated"),
        "C4": ("mean difference", "conditional", "treated"), "T1": ("risk difference", "marginal", "all"),
        "T2": ("risk difference", "marginal", "treated"), "G1": ("marginal odds ratio", "marginal", "all"),
        "G2": ("risk difference", "marginal", "treated"), "G3": ("risk difference", "marginal", "untreated"),
    }  # fmt: skip
    assert {
        "B1.death_here.pump.marginal-odds-ratio",
        "T1.death.pump.risk-difference.40-days",
        "C2.stay_here.none.mean",
    } <= set(rows)
    assert rows["T1.death.pump.risk-ratio.60-days"]["n"] == N - 2
    assert rows["B5.death_here.pump.risk-difference"]["status"] == "few-clusters"
    assert rows["G3.death_here.pump.odds-ratio"]["estimand"] == {"kind": "conditional", "target": "all"}


def test_numbers_are_those_of_the_functions(study, rows):
    import polars as pl

    table = pl.DataFrame({name: study.columns[name] for name in ("Device", "Age", "Sex", "Lactate", "Died")}).with_columns(
        pl.col("Age", "Lactate").replace("", None).cast(pl.Float64), pl.col("Sex").replace("", None),
        a=pl.col("Device") == "pump", y=pl.col("Died") == "yes",
    )  # fmt: skip
    terms = ["Age", Categorical("Sex"), "Lactate"]
    alone = aipw(table, outcome="y", treatment="a", covariates=terms).estimates()
    for name, place in (("risk-difference", 3), ("risk-ratio", 2), ("marginal-odds-ratio", 4)):
        row = rows[f"B1.death_here.pump.{name}"]
        expected = alone[place].natural()
        assert row["estimate"] == pytest.approx(expected.value, rel=SAME)
        assert row["conf_low"] == pytest.approx(expected.interval.low, rel=SAME)
    known = table.drop_nulls()
    fit = logistic(known, outcome="y", terms=["a", *terms])
    among = known["a"].to_numpy() == 0
    over = standardize(fit, known, variable="a", treated=True, reference=False, among=among).estimates()[3]
    row = rows["G3.death_here.pump.risk-difference"]
    assert row["estimate"] == pytest.approx(over.value, rel=SAME)
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_blocks_details_and_words(study):
    results = study.results()
    blocks = {block["id"]: block for block in results["blocks"]}
    overlap = blocks["B1.death_here.overlap"]
    assert overlap["kind"] == "overlap"
    columns = overlap["columns"]
    assert set(columns["group"]) == {"pump", "none"}
    assert sum(columns["share"]) == pytest.approx(2)
    assert len([name for name in blocks if name.startswith("T1") and name.endswith("overlap")]) == 1
    details = results["details"]["B3"]
    assert (
        0.2
        <= details["death_here: lowest probability of treatment"]
        < details["death_here: highest probability of treatment"]
        <= 0.8
    )
    report = " ".join((study.bundle / "report.html").read_text(encoding="utf-8").split())
    for words in (
        "estimated by augmented inverse probability weighting", "targeted maximum likelihood with a logistic fluctuation",
        "cross-fitted in 5 folds", "held at the bounds 0.2, 0.8", "standardized to the covariates of the treated patients",
        "percentiles of 50 bootstrap samples", "Kaplan-Meier curve of each group",
    ):  # fmt: skip
        assert words in report, words


def test_the_order_of_jobs_changes_nothing(study):
    before = [row for row in study.results()["estimates"] if row["analysis"] in ("G3", "T1")]
    other = study.bundle.with_name("again")
    assert call("run", study.path, "--out", other, "--jobs", 2, "--only", "G3,T1").code == DONE
    after = json.loads((other / "results.json").read_text(encoding="utf-8"))["estimates"]
    assert after == before


@needs_r
@pytest.mark.skipif(not r_has("clubSandwich"), reason="R with clubSandwich is not here")
def test_r_repeats_them(study, rows):
    folder = exported(study.path, study.bundle)
    compared, reasons = agreeing(folder), left(folder)
    ours = {
        name for name, row in rows.items() if row["method"] in ("augmented-weighting", "tmle", "logistic-regression")
    }
    missing = {name for name in ours - set(compared) if rows[name]["estimate"] is not None}
    assert missing == {name for name in missing if name.startswith(("B6", "G3"))}
    assert missing <= set(reasons)
    assert compared["B4.death_here.pump.risk-difference"]["compared"] == "estimate conf_low conf_high p_value"
    assert compared["B5.death_here.pump.risk-difference"]["compared"] == "estimate"
    assert compared["T1.death.pump.risk-difference.40-days"]["compared"] == "estimate conf_low conf_high p_value"


@pytest.mark.parametrize(
    ("analysis", "code"),
    [
        ("outcome: death_here, method: augmented-weighting", "E626"),
        ("outcome: {group: pump}, method: tmle, adjust: baseline", "E626"),
        ("outcome: death_here, method: tmle, adjust: baseline, truncate: [0.9, 0.1]", "E627"),
        ("outcome: death_here, method: tmle, adjust: baseline, truncate: 0.1", "E627"),
        ("outcome: death_here, method: tmle, adjust: baseline, score: [aeg]", "E611"),
        ("outcome: death_here, method: tmle, adjust: baseline, score: [device]", "E608"),
        ("outcome: death, method: tmle, adjust: baseline", "E604"),
        ("outcome: death, method: augmented-weighting, adjust: baseline, nuisance: lasso", "E689"),
        ("outcome: stay_here, method: augmented-weighting, adjust: baseline, estimand: {contrast: risk ratio}", "E612"),
        ("outcome: death_here, method: logistic-regression, adjust: baseline, estimand: {target: treated}", "E629"),
        ("outcome: death, method: cox, adjust: baseline, estimand: {target: treated}", "E629"),
        ("outcome: death_here, method: tmle, adjust: baseline, estimand: {target: overlap}", "E629"),
        ("outcome: death_here, method: logistic-regression, adjust: baseline, bootstrap: 100", "E687"),
        ("outcome: death_here, method: logistic-regression, adjust: baseline, also: [risk ratio], bootstrap: 1.5", "E687"),
        ("outcome: death_here, method: logistic-regression, adjust: baseline, also: [risk ratio], bootstrap: 9, penalty: firth", "E687"),
        ("outcome: death_here, method: logistic-regression, adjust: baseline, also: [risk ratio], bootstrap: 9, clusters: {variable: site, as: gee}", "E637"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(tmp_path, analysis, code):
    ward = study_in(tmp_path / "study", more=f"  - {{id: Z1, role: secondary, {analysis}}}\n")
    said = ward.check()
    assert said.code == PROTOCOL_INVALID
    assert code in said.text


def test_three_groups_are_compared_by_pairs(tmp_path):
    ward = study_in(tmp_path / "study")
    ward.edit("{pump: Pump}", "{pump: Pump, impella: Impella}").define("pump=Pump|", "pump=Pump|impella=Impella|")
    ward.columns["Device"] = [
        "impella" if number % 4 == 0 else device for number, device in enumerate(ward.columns["Device"])
    ]
    said = ward.run("--only", "B1,T1,G2")
    assert said.code == DONE, said.text
    found = {row["id"]: row for row in ward.results()["estimates"]}
    for treated in ("pump", "impella"):
        row = found[f"B1.death_here.{treated}.risk-difference"]
        assert {count["group"] for count in row["groups"]} == {treated, "none"}
        assert "two groups compared" in " ".join(row["notes"])
        assert found[f"G2.death_here.{treated}.risk-difference"]["status"] == "ok"
    assert "B1.death_here.overlap.impella" in {block["id"] for block in ward.results()["blocks"]}


def test_a_covariate_that_decides_treatment(tmp_path):
    ward = study_in(tmp_path / "study")
    ward.columns["Sex"] = ["M" if device == "pump" else "F" for device in ward.columns["Device"]]
    said = ward.run("--only", "B1,B2,T1")
    assert said.code != DONE
    rows = ward.results()["estimates"]
    assert {row["status"] for row in rows if row["reference"]} == {"treatment-predicted"}
    told = " ".join(notice["text"] for notice in ward.results()["warnings"])
    assert "drop the covariate that decides treatment" in told
