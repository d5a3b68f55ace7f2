"""Competing risks from the protocol to the report: Aalen-Johansen with Gray's test, Fine-Gray, both cause-specific hazards.

The table is mgus2 of R's survival; the numbers of R are those of cmprsk and survival in the shared reference.
"""

import json

import polars as pl
import pytest
from ward import call

PRINTED = 1e-6
"""Relative; the shared reference holds seven digits."""

DICTIONARY = """\
name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
id,id,Patient,id,,,,,,,,
sex,sex,Sex,category,,F=Female|M=Male,,,,,,
age,age,Age,number,years,,0,120,,,,
hgb,hgb,Hemoglobin,number,g/dL,,,,,,,
months,months,Months followed,number,months,,,,,,,
ended,ended,End of follow-up,category,,none=Alive|pcm=Malignancy|death=Death,,,,,,
decade,decade,Decade,category,,early=Early|late=Late,,,,,,
"""
PROTOCOL = """\
protocol: 1
study: {id: mgus, title: Malignancy in MGUS, design: cohort, registration: none, data_seen_before_plan: no}
data: {table: mgus.csv, dictionary: dictionary.csv, one_row_per: patient, id: id}
time_zero: {text: diagnosis, counted: yes}
eligibility: {}
groups: {variable: sex, treated: {M: Men}, reference: {F: Women}, assigned_by: clinician}
outcomes:
  malignancy: {label: Malignancy, type: time-to-event, time: months, time_unit: months, event: 'ended = "pcm"', competing: 'ended = "death"', primary: yes, better: lower}
  ended_any: {label: Death or malignancy, type: time-to-event, time: months, time_unit: months, event: 'ended != "none"', better: lower}
confounders: {baseline: [age]}
missing_data: {method: complete-case}
seed: 1
subgroups: {of: F1, by: [{variable: age, cut: [70]}]}
analyses:
  - {id: J1, role: primary, outcome: malignancy, method: aalen-johansen, at: [60 months, 120 months], estimand: {contrast: cumulative incidence difference at 240 months}}
  - {id: J2, role: secondary, outcome: malignancy, method: aalen-johansen, strata: [decade]}
  - {id: J3, role: secondary, outcome: malignancy, method: aalen-johansen, compare_with: none}
  - {id: F1, role: secondary, outcome: malignancy, method: fine-gray, adjust: baseline, also: [aalen-johansen]}
  - {id: F2, role: secondary, outcome: malignancy, method: fine-gray, adjust: baseline, variance: robust, tied_censoring: after-events, ties: efron}
  - {id: F3, role: secondary, outcome: malignancy, method: fine-gray, adjust: baseline, clusters: {variable: decade, as: robust}}
  - {id: F4, role: secondary, outcome: malignancy, method: fine-gray, adjust: [age, hgb], censoring_strata: [decade]}
  - {id: F5, role: secondary, outcome: malignancy, method: fine-gray, ties: efron}
  - {id: C1, role: secondary, outcome: malignancy, method: cox, adjust: baseline, causes: both}
"""


@pytest.fixture(scope="module")
def table(shared_data):
    first = pl.col("pstat") == 1
    return shared_data("mgus2.csv").select(
        "id", "sex", "age", "hgb",
        months=pl.when(first).then("ptime").otherwise("futime"),
        ended=pl.when(first).then(pl.lit("pcm")).when(pl.col("death") == 1).then(pl.lit("death")).otherwise(pl.lit("none")),
        decade=pl.when(pl.col("dxyr") < 1980).then(pl.lit("early")).otherwise(pl.lit("late")),
    )  # fmt: skip


def written(folder, table, protocol=PROTOCOL):
    folder.mkdir(parents=True)
    (folder / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    (folder / "mgus.protocol.yaml").write_text(protocol, encoding="utf-8")
    table.write_csv(folder / "mgus.csv")
    return folder / "mgus.protocol.yaml"


def run(folder, table, protocol=PROTOCOL):
    path = written(folder, table, protocol)
    said = call("run", path, "--out", folder / "bundle", "--jobs", "1")
    assert said.code in (0, 1), said.text
    results = json.loads((folder / "bundle" / "results.json").read_text(encoding="utf-8"))
    return results, {row["id"]: row for row in results["estimates"]}, {item["id"]: item["columns"] for item in results["blocks"]}


@pytest.fixture(scope="module")
def study(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("competing") / "mgus"
    return folder, *run(folder, table)


def test_grays_test_is_that_of_cmprsk(study):
    _, _, rows, blocks = study
    test = rows["J1.malignancy.gray.test-of-curves"]
    assert (test["df"], test["n"], test["measure"]) == (1, 1384, "test of curves")
    assert test["p_value"] is not None
    block = blocks["J1.malignancy.test"]
    assert sum(block["observed"]) == pytest.approx(sum(block["expected"]))
    assert "J3.malignancy.gray.test-of-curves" not in rows
    assert "F1.malignancy.gray.test-of-curves" in rows
