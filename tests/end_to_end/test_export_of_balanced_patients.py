"""Imputed tables, matched and weighted patients in R: the script, run here, gives the numbers of the bundle again."""

import pytest
from test_export import CHAIN, HERE, needs_r
from test_export_of_every_method import agreeing, every_method, exported, left, needs_packages
from ward import call

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
    assert {name.split(".")[0] for name in reasons} == {"G3", "K2", "V8"}


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
    compared = agreeing(folder)
    print(left(folder))
    assert len(compared) > 250
