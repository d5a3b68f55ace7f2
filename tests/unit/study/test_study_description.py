from __future__ import annotations

import sys
from dataclasses import replace
from textwrap import dedent

import numpy as np
import polars as pl
import pytest

from counterpulse import study
from counterpulse.data import read_dictionary, read_table
from counterpulse.errors import ProtocolError
from counterpulse.protocol.plan import PlannedModel, PlannedSelection
from counterpulse.study.description import events_per_parameter, parameters_of
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.planning.plan_text import plan_as_text
from counterpulse.study.run import run

PROTOCOL = """
protocol: 1
study: {id: ward, title: A ward, design: cohort, registration: none, data_seen_before_plan: yes}
data: {table: ward.csv, dictionary: ward.dictionary.csv, one_row_per: patient, site: center}
time_zero: {text: admission, counted: yes}
groups: {variable: arm, treated: {a: A}, reference: {b: B}, assigned_by: clinician}
outcomes:
  death: {label: Death, type: binary, event: died = yes, primary: yes, better: lower, if_unknown: keep-patient}
  stay: {label: Stay, type: continuous, value: days, better: lower, if_unknown: keep-patient}
confounders: {baseline: [age, sex, {variable: stage, reference: "2"}]}
missing_data: {method: complete-case}
analyses:
  - {id: A1, role: primary, outcome: death, method: logistic-regression, adjust: baseline}
  - {id: A2, role: secondary, outcome: death, method: two-proportions}
  - {id: A3, role: secondary, outcome: stay, method: linear-regression, adjust: [age]}
"""
DESCRIBE = """
describe:
  distributions: [age]
  crosstabs: [{rows: stage, columns: sex}]
  missingness: yes
  correlation: baseline
  centers: death
"""
DICTIONARY = """name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
arm,,Arm,category,,a=A|b=B,,,,,,
age,,Age,number,y,,,,,,,
sex,,Sex,category,,F=Female|M=Male,,,,,,
stage,,Stage,category,,1=One|2=Two|3=Three,,,,,,
center,,Center,text,,,,,,,,
note,,Note,text,,,,,,,,
died,,Died,yesno,,,,,,,,
days,,Days,number,d,,0,,,,,
"""


def patients(n=240):
    rng = np.random.default_rng(11)
    return pl.DataFrame(
        {
            "arm": rng.choice(["a", "b"], n), "age": [None if rng.random() < 0.1 else int(age) for age in rng.normal(60, 12, n)],
            "sex": rng.choice(["F", "M"], n), "stage": rng.choice(["1", "2", "3"], n), "center": rng.choice(["x", "y", "z"], n, p=[0.2, 0.5, 0.3]),
            "note": "n", "died": rng.choice(["yes", "no"], n, p=[0.15, 0.85]), "days": rng.integers(1, 40, n),
        }
    )  # fmt: skip


@pytest.fixture
def planned(tmp_path):
    def plan(describe=DESCRIBE, dictionary=DICTIONARY):
        (tmp_path / "ward.protocol.yaml").write_text(PROTOCOL + dedent(describe), encoding="utf-8")
        (tmp_path / "ward.dictionary.csv").write_text(dictionary, encoding="utf-8")
        patients().write_csv(tmp_path / "ward.csv")
        made = study.read_plan(tmp_path / "ward.protocol.yaml")[0]
        return made, read_table(tmp_path / "ward.csv", read_dictionary(tmp_path / "ward.dictionary.csv"))

    return plan


def blocks(result):
    return {block.id: block for block in result.blocks if block.analysis == "description"}


def test_what_is_asked_for_is_described(planned):
    result = run(*planned())
    found = blocks(result)
    assert list(found) == [
        "description.age.distribution", "description.stage.sex.crosstab", "description.missingness", "description.missing-pattern",
        "description.rows-lost", "description.correlation", "description.variance-inflation", "description.death.center-funnel",
        "description.events-per-parameter",
    ]  # fmt: skip
    table = patients()
    assert sum(found["description.stage.sex.crosstab"].columns["n"]) == table.height
    missing = table["age"].null_count()
    lost = {
        (row["analysis"], row["outcome"], row["variable"]): row["missing"]
        for row in found["description.rows-lost"].rows()
    }
    assert lost == {
        ("A1", "death", None): missing, ("A1", "death", "age"): missing, ("A2", "death", None): 0, ("A3", "stay", None): missing,
        ("A3", "stay", "age"): missing,
    }  # fmt: skip
    rows = {row.analysis: row for row in reversed(result.estimates) if row.n is not None}
    assert all(table.height - lost[key] == rows[key[0]].n for key in lost if key[2] is None)


def test_centers_are_numbered_by_size_unless_the_dictionary_knows_them(planned):
    funnel = blocks(run(*planned()))["description.death.center-funnel"]
    assert funnel.columns["center"] == ("1", "2", "3")
    assert list(funnel.columns["n"]) == sorted(funnel.columns["n"], reverse=True)
    coded = DICTIONARY.replace("center,,Center,text,,,", "center,,Center,category,,x=X|y=Y|z=Z,")
    named = blocks(run(*planned(dictionary=coded)))["description.death.center-funnel"]
    assert set(named.columns["center"]) == {"x", "y", "z"}
    assert named.columns["n"] == funnel.columns["n"]


def test_events_for_each_parameter(planned):
    result = run(*planned(""))
    block = blocks(result)["description.events-per-parameter"]
    rows = {(row["analysis"], row["outcome"]): row for row in block.rows()}
    assert set(rows) == {("A1", "death"), ("A3", "stay")}
    used = patients().drop_nulls("age")
    died = int((used["died"] == "yes").sum())
    assert rows["A1", "death"]["events"] == died
    assert rows["A1", "death"]["parameters"] == 5
    assert rows["A3", "stay"]["events"] == used.height
    few = [notice for notice in result.warnings if notice.code == "W690"]
    assert [notice.where for notice in few] == ["A1"]
    assert "Peduzzi 1996" in few[0].text
    assert str(died) not in few[0].text


def test_events_of_every_model_of_a_ladder_and_of_a_screen(planned):
    plan, table = planned("")
    first = next(row for row in run(plan, table).estimates if row.analysis == "A1")
    ladder = (
        PlannedModel(name="full", terms=("age", "sex")), PlannedModel(name="crude"),
        PlannedModel(name="selected", selection=PlannedSelection(method="stepwise", candidates=("sex", "stage"), keep=("age",))),
    )  # fmt: skip
    analysis = replace(plan.analyses[0], models=ladder, screen=("age", "stage"))
    plan = replace(plan, analyses=(analysis,))
    rows = [replace(first, model=model.name) for model in ladder]
    rows += [
        replace(first, model="screen", estimate=replace(first.estimate, variable=name)) for name in ("age", "stage")
    ]
    ((block,), _) = events_per_parameter(plan, make_cohort(plan, table), rows)
    assert dict(zip(block.columns["model"], block.columns["parameters"], strict=True)) == {
        "full": 3, "crude": 1, "selected": 5, "screen: age": 1, "screen: stage": 2,
    }  # fmt: skip


def test_levels_that_do_not_occur_are_no_parameters():
    frame = pl.DataFrame({"x": [1.0, 2.0, None], "g": pl.Series(["a", "b", "c"], dtype=pl.Enum(["a", "b", "c", "d"]))})
    assert parameters_of(frame, ("x", "g")) == 2


@pytest.mark.parametrize(
    ("describe", "code"),
    [
        ("describe: {distributions: [sex]}", "E691"), ("describe: {distributions: [agee]}", "E690"),
        ("describe: {crosstabs: [{rows: note, columns: sex}]}", "E691"), ("describe: {correlation: basline}", "E690"),
        ("describe: {correlation: [age, note]}", "E691"), ("describe: {centers: stay}", "E692"), ("describe: {centers: dead}", "E692"),
    ],
)  # fmt: skip
def test_names_that_cannot_be_described(planned, describe, code):
    with pytest.raises(ProtocolError) as raised:
        planned(describe)
    assert [finding.code for finding in raised.value.findings] == [code]


def test_centers_need_a_column(planned, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PROTOCOL", PROTOCOL.replace(", site: center", ""))
    with pytest.raises(ProtocolError) as raised:
        planned("describe: {centers: death}")
    assert [finding.code for finding in raised.value.findings] == ["E693"]


def test_the_plan_says_what_will_be_described(planned):
    plan, _ = planned()
    text = plan_as_text(plan)
    assert "Described beyond Table 1, without a test" in text
    assert "  centers: death by center, exact binomial limits of 95% and 99.8% around the risk overall" in text
    assert "  association: age, sex, stage; with variance inflation factors" in text
