"""Imputed tables, matched and weighted patients in R: the script, run here, gives the numbers of the bundle again."""

import json
import subprocess

import pytest
from test_export import CHAIN, HERE, needs_r, rows_of
from test_export_of_every_method import agreeing, every_method, exported, left, needs_packages
from ward import call

from counterpulse.errors import DONE

BALANCED = """\
{id: P1, role: secondary, outcome: [death_here, stay_here, death], method: propensity-matching, propensity: {model: baseline, caliper: 0.2 SD of logit}, estimand: {target: treated}}
{id: P2, role: secondary, outcome: death_here, method: propensity-matching, propensity: {model: baseline, ratio: "1:2", exact: [sex]}, also: [risk difference, risk ratio]}
{id: P3, role: secondary, outcome: [death_here, death], method: propensity-matching, propensity: {model: baseline, replacement: yes}, also: [risk difference]}
{id: P4, role: secondary, outcome: death_here, method: propensity-matching, propensity: {model: [{variable: age, spline: 3}, sex], by: full}, estimand: {target: all}}
{id: P5, role: secondary, outcome: death_here, method: propensity-matching, propensity: {model: baseline, by: subclasses}, estimand: {target: all}}
{id: P6, role: secondary, outcome: death_here, method: propensity-matching, propensity: {model: baseline}, clusters: {variable: ward, as: robust}}
{id: P7, role: secondary, outcome: death_here, method: propensity-matching, propensity: {model: baseline}, estimand: {target: untreated}}
{id: K4, role: secondary, outcome: death, method: kaplan-meier, propensity: {use: matching, model: baseline}, also: [risk ratio, rmst difference, rmst ratio, cox]}
{id: K2, role: secondary, outcome: death, method: kaplan-meier, propensity: {use: weighting, model: baseline}, interval: log-log}
{id: K3, role: secondary, outcome: death, method: rmst, propensity: {use: matching, model: baseline}}
{id: C3, role: secondary, outcome: death, method: cox, adjust: [age], propensity: {use: matching, model: baseline}, also: [risk difference]}
{id: C2, role: secondary, outcome: death, method: cox, propensity: {use: weighting, model: baseline}, clusters: {variable: ward, as: robust}}
{id: G1, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age], propensity: {use: matching, model: baseline}}
{id: G2, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age], propensity: {use: weighting, model: baseline}}
{id: G3, role: secondary, outcome: stay_here, method: linear-regression, adjust: [age], propensity: {use: weighting, model: baseline}}
{id: V1, role: secondary, outcome: [death_here, stay_here, death], method: propensity-weighting, propensity: {model: baseline}, estimand: {target: all}}
{id: V2, role: secondary, outcome: death_here, method: propensity-weighting, propensity: {model: baseline, stabilize: yes}, estimand: {target: treated}}
{id: V3, role: secondary, outcome: death_here, method: propensity-weighting, propensity: {model: baseline, trim: 0.3}, estimand: {target: untreated}}
{id: V4, role: secondary, outcome: death_here, method: propensity-weighting, propensity: {model: baseline, truncate: 90}, also: [risk difference, risk ratio], estimand: {target: all}}
{id: V5, role: secondary, outcome: death_here, method: propensity-weighting, propensity: {model: baseline}, estimand: {target: overlap}, clusters: {variable: ward, as: robust}}
{id: V6, role: secondary, outcome: death_here, method: propensity-weighting, propensity: {model: baseline, trim_percentile: 5}, estimand: {target: matched}}
{id: V7, role: secondary, outcome: death_here, method: propensity-weighting, propensity: {model: baseline, by: entropy-balancing}, estimand: {target: treated}}
{id: V8, role: secondary, outcome: death_here, method: propensity-weighting, adjust: [age], propensity: {model: baseline}}
"""


@pytest.fixture(scope="module")
def balanced(tmp_path_factory):
    ward = every_method(tmp_path_factory.mktemp("balanced") / "every", BALANCED)
    said = ward.run()
    assert said.code in (0, 1), said.text
    return ward


@needs_r
@needs_packages
def test_r_repeats_matched_and_weighted_patients(balanced):
    folder = exported(balanced.path, balanced.bundle)
    compared, reasons = agreeing(folder), left(folder)
    assert {name.split(".")[0] for name in reasons} == {"G3", "V8"}
    whole = "estimate conf_low conf_high p_value"
    for name in (
        "P1.death_here.pump.odds-ratio", "P1.stay_here.pump.mean-difference", "P1.death.pump.hazard-ratio",
        "P4.death_here.pump.odds-ratio", "P6.death_here.pump.odds-ratio", "K4.death.pump.risk-difference.60-days",
        "K4.death.pump.rmst-ratio.60-days", "C2.death.pump.hazard-ratio", "V1.death_here.pump.odds-ratio",
        "V2.death_here.pump.odds-ratio", "V4.death_here.pump.risk-ratio", "V5.death_here.pump.odds-ratio",
    ):  # fmt: skip
        assert compared[name]["compared"] == whole, name
    assert (
        compared["V7.death_here.pump.odds-ratio"]["compared"] == "estimate"
    )  # its variance rests on the balancing itself
    assert compared["K2.death.log-rank.test-of-curves"]["compared"] == "p_value"
    assert "P1.death_here.balance.matched.age" in compared
    assert "V6.death_here.balance.weighted.sex=M" in compared


def test_sas_lists_matched_and_weighted_patients(balanced):
    reasons = left(exported(balanced.path, balanced.bundle, "sas"))
    assert "matched or weighted" in reasons["P1.death_here.pump.odds-ratio"]
    assert "matched or weighted" in reasons["V1.death.pump.hazard-ratio"]


@pytest.fixture(scope="module")
def imputed(tmp_path_factory):
    ward = every_method(tmp_path_factory.mktemp("imputed") / "every")
    for number in range(0, 300, 7):
        ward.set("Lactate", number, "")
    for number in range(2, 300, 11):
        ward.set("Age", number, "")
    for number in range(4, 300, 13):
        ward.set("Sex", number, "")
    ward.edit("rule: age >= 18, if_unknown: stop", "rule: age >= 18, if_unknown: keep-patient")
    ward.edit("{method: complete-case}", "{method: multiple-imputation, datasets: 3, iterations: 2}")
    ward.edit("seed: 1", "subgroups: {of: C4, by: [sex, {variable: age, cut: [60]}, bled]}\nseed: 1")
    said = ward.run()
    assert said.code in (0, 1), said.text
    return ward


@needs_r
@needs_packages
def test_r_pools_every_method(imputed):
    folder = exported(imputed.path, imputed.bundle)
    compared, reasons = agreeing(folder), left(folder)
    assert len(compared) > 240
    assert compared["A1.death_here.pump.odds-ratio"]["compared"] == "estimate conf_low conf_high p_value"
    assert all("each imputed table" in why for name, why in reasons.items() if name.startswith("W"))
    table = rows_of(folder / "imputed.csv")
    assert {".imputation", "row.", "age", "sex", "lactate"} >= set(table[0])
    assert {row[".imputation"] for row in table} == {"1", "2", "3"}
    pooled = {row["id"] for row in imputed.results()["estimates"] if row["imputations"]}
    assert {"T1", "T2", "L1", "C4", "C7", "C8", "O1", "P1", "N1", "M1", "V1"} <= {
        name.split(".")[0] for name in pooled & set(compared)
    }


def test_ars_and_sas_know_imputed_tables(imputed):
    event = json.loads((exported(imputed.path, imputed.bundle, "ars") / "reporting-event.json").read_text())
    methods = {method["id"] for method in event["methods"]}
    assert {analysis["methodId"] for analysis in event["analyses"] if analysis["results"]} <= methods
    folder = exported(imputed.path, imputed.bundle, "sas")
    reasons, known = left(folder), {row["id"] for row in rows_of(folder / "expected.csv")}
    assert "pooled over imputed tables" in reasons["A1.death_here.pump.odds-ratio"]
    assert "E1.death_here.pump.odds-ratio" in known


@pytest.mark.slow
@needs_r
@needs_packages
def test_r_pools_matched_and_weighted_patients_of_a_real_table(run_study, shared_path, tmp_path):
    data, protocol = shared_path("data/mimic2_iac.csv"), HERE / "mimic_iac" / CHAIN
    bundle = run_study(protocol, data)
    folder = tmp_path / "r"
    assert (
        call("export", bundle.directory, "--to", "r", "--data", data, "--protocol", protocol, "--out", folder).code
        == DONE
    )
    compared = agreeing(folder)
    assert not left(folder)
    for name in (
        "adjusted.death_28d.yes.risk-difference", "matched.death_28d.yes.odds-ratio", "across.death_28d.yes.odds-ratio",
        "overlap.death_28d.yes.odds-ratio", "time.death.yes.hazard-ratio", "weighted-cox.death.yes.hazard-ratio",
        "shifted.weight_first-+10.death_28d.yes.odds-ratio",
    ):  # fmt: skip
        assert compared[name]["compared"] == "estimate conf_low conf_high p_value", name


@needs_r
@needs_packages
def test_r_finds_an_imputed_value_that_is_wrong(imputed, tmp_path):
    folder = tmp_path / "r"
    assert call("export", imputed.bundle, "--to", "r", "--protocol", imputed.path, "--out", folder).code == DONE
    table = folder / "imputed.csv"
    header, *rows = table.read_text().splitlines()
    place = header.split(",").index("lactate")
    cells = [row.split(",") for row in rows]
    filled = next(row for row in cells if row[place])
    filled[place] = str(float(filled[place]) + 1)
    table.write_text("\n".join([header, *map(",".join, cells), ""]))
    ran = subprocess.run(
        ["Rscript", "--vanilla", "analysis.R"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "DIFFERS" in ran.stdout
