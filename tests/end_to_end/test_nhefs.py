"""Smoking cessation and weight (What If, chapters 12 and 13) through a protocol: the stored numbers of ref_nhefs.out."""

import json
import math

import polars as pl
import pytest
from ward import call

from counterpulse.errors import DONE

PRINTED = 1e-6  # relative; printed with 7 digits
SQUARED = ("age", "smokeintensity", "smokeyrs", "wt71")
LEVELED = ("education", "exercise", "active")

PROTOCOL = f"""\
protocol: 1
study: {{id: nhefs, title: Smoking cessation and weight, design: cohort, registration: none, data_seen_before_plan: yes}}
data: {{table: nhefs.csv, dictionary: dictionary.csv, one_row_per: patient, id: seqn}}
time_zero: {{text: the questionnaire of 1971, counted: yes}}
eligibility: {{}}
groups: {{variable: qsmk, treated: {{yes: Quit}}, reference: {{no: Smoked on}}, assigned_by: clinician}}
variables:
{"".join(f"  {name}_2: {{label: {name} squared, value: {name} * {name}}}" + chr(10) for name in SQUARED)}\
outcomes:
  gain: {{label: Weight gain, type: continuous, value: wt82_71, unit: kg, better: lower, primary: yes}}
confounders:
  baseline: [sex, race, {", ".join(f"{name}, {name}_2" for name in SQUARED)}, {", ".join(LEVELED)}]
missing_data: {{method: complete-case}}
analyses:
  - {{id: A1, role: primary, outcome: gain, method: augmented-weighting, adjust: baseline}}
  - {{id: A2, role: secondary, outcome: gain, method: tmle, adjust: baseline}}
"""
DICTIONARY = "\n".join(
    [
        "name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section",
        "seqn,,Number,id,,,,,,,,",
        *(f"{name},,{name},yesno,,,,,,,," for name in ("qsmk",)),
        *(f"{name},,{name},number,,,,,,,," for name in (*SQUARED, "wt82_71")),
        *(f"{name},,{name},category,,,,,,,," for name in ("sex", "race", *LEVELED)),
        "",
    ]
)


def test_the_weight_gained_by_quitting(shared_data, tmp_path):
    names = ["seqn", "qsmk", "sex", "race", *SQUARED, *LEVELED, "wt82_71"]
    table = shared_data("nhefs.csv").filter(pl.col("wt82").is_not_null()).select(names)
    table = table.with_columns(pl.col("seqn").cast(pl.Int64))
    table.write_csv(tmp_path / "nhefs.csv")
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    (tmp_path / "nhefs.protocol.yaml").write_text(PROTOCOL, encoding="utf-8")
    said = call("run", tmp_path / "nhefs.protocol.yaml", "--out", tmp_path / "report", "--jobs", 1)
    assert said.code == DONE, said.text
    rows = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))["estimates"]
    found = {row["id"]: row for row in rows}
    row = found["A1.gain.yes.mean-difference"]
    reach = (row["conf_high"] - row["conf_low"]) / 2 / 1.959963984540054
    assert row["estimate"] == pytest.approx(3.3732646, rel=PRINTED)
    assert reach == pytest.approx(0.47284439, rel=PRINTED)
    assert math.isclose(
        found["A2.gain.yes.mean-difference"]["estimate"], 5.14527966251675 - 1.772234590924, rel_tol=PRINTED
    )
