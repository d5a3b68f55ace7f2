"""Published scores as they ship: patients worked out by hand, totals, classes, and blanks."""

from __future__ import annotations

import csv
import io
from importlib.resources import files

import polars as pl
import pytest
from ruamel.yaml import YAML

from counterpulse import examples
from counterpulse.cli.main import invoke
from counterpulse.data import read_dictionary, read_table
from counterpulse.protocol.read import read_protocol
from counterpulse.protocol.scope import study_scope
from counterpulse.study.patients.derive import derive_variables

FILES = ("save.yaml", "encourage.yaml", "iabp_shock_2.yaml")

PROTOCOL = """\
protocol: 1
study: {id: scores, title: Scores, design: single-arm, registration: none, data_seen_before_plan: no}
data: {table: table.csv, dictionary: dictionary.csv, one_row_per: patient}
time_zero: {text: admission, counted: yes}
outcomes:
  shocked: {type: binary, event: arrest_before = yes}
"""

NO_POINTS = {
    "age": "70", "weight": "95", "female": "no", "bmi": "25", "glasgow": "6", "prior_stroke": "no", "glucose": "10.6",
    "creatinine_umol": "132.6", "lactate": "1.9", "prothrombin_activity": "50", "timi_flow": "3", "myocarditis": "no",
    "refractory_vt_vf": "no", "after_transplant": "no", "congenital_heart_disease": "no", "liver_failure": "no",
    "cns_dysfunction": "no", "acute_renal_failure": "no", "chronic_renal_failure": "no", "hours_intubated": "10",
    "peak_inspiratory_pressure": "21", "arrest_before": "no", "diastolic_pressure": "39", "pulse_pressure": "21",
    "bicarbonate": "15.1",
}  # fmt: skip


def scored(folder, *patients):
    """The derived columns of patients who differ from one without points."""
    examples.copy("scores", folder)
    text = PROTOCOL + "variables:\n"
    for name in FILES:
        text += (folder / name).read_text(encoding="utf-8").split("variables:\n", 1)[1]
    (folder / "scores.protocol.yaml").write_text(text, encoding="utf-8")
    out = io.StringIO()
    writer = csv.DictWriter(out, list(NO_POINTS))
    writer.writeheader()
    writer.writerows([NO_POINTS | patient for patient in patients])
    (folder / "table.csv").write_text(out.getvalue(), encoding="utf-8")
    protocol, dictionary = read_protocol(folder / "scores.protocol.yaml"), read_dictionary(folder / "dictionary.csv")
    assert dictionary.findings == ()
    table = read_table(folder / "table.csv", dictionary)
    return derive_variables(table.frame, protocol.nodes, study_scope(protocol.nodes, dictionary))


LOWEST_SAVE = {
    "age": "63", "weight": "90", "congenital_heart_disease": "yes", "liver_failure": "yes", "cns_dysfunction": "yes",
    "acute_renal_failure": "yes", "chronic_renal_failure": "yes", "hours_intubated": "30", "arrest_before": "yes",
    "pulse_pressure": "20", "bicarbonate": "15",
}  # fmt: skip
HIGHEST_SAVE = {
    "age": "38", "weight": "66", "myocarditis": "yes", "refractory_vt_vf": "yes", "after_transplant": "yes",
    "peak_inspiratory_pressure": "20", "diastolic_pressure": "40",
}  # fmt: skip


def test_save_spans_the_published_range(tmp_path):
    found = scored(tmp_path, {}, LOWEST_SAVE, HIGHEST_SAVE)
    assert found["save_score"].to_list() == [-6, -35, 17]
    assert found["save_reversed"].to_list() == [6, 35, -17]


SAVE_BY_HAND = [
        ({"age": "18"}, 7), ({"age": "38"}, 7), ({"age": "39"}, 4), ({"age": "52"}, 4), ({"age": "53"}, 3),
        ({"age": "62"}, 3), ({"age": "63"}, 0), ({"weight": "65"}, 1), ({"weight": "66"}, 2), ({"weight": "89"}, 2),
        ({"weight": "90"}, 0), ({"hours_intubated": "11"}, -2), ({"hours_intubated": "29"}, -2),
        ({"hours_intubated": "30"}, -4), ({"diastolic_pressure": "40"}, 3), ({"pulse_pressure": "20"}, -2),
        ({"bicarbonate": "15"}, -3), ({"peak_inspiratory_pressure": "20"}, 3), ({"arrest_before": "yes"}, -2),
        ({"liver_failure": "yes", "cns_dysfunction": "yes"}, -6), ({"chronic_renal_failure": "yes"}, -6),
        ({"myocarditis": "yes", "refractory_vt_vf": "yes"}, 5),
]  # fmt: skip


def test_save_by_hand(tmp_path):
    found = scored(tmp_path, *(change for change, _ in SAVE_BY_HAND))
    assert found["save_score"].to_list() == [points - 6 for _, points in SAVE_BY_HAND]


def test_save_classes_and_their_printed_survival(tmp_path):
    # 6, 5, 1, 0, -4, -5, -9, -10
    patients = [
        {"age": "38", "myocarditis": "yes", "weight": "66"},
        {"age": "38", "myocarditis": "yes", "weight": "65"},
        {"age": "38"},
        {"age": "39", "weight": "66"},
        {"weight": "66"},
        {"weight": "65"},
        {"liver_failure": "yes"},
        {"hours_intubated": "30"},
    ]
    found = scored(tmp_path, *patients)
    assert found["save_score"].to_list() == [6, 5, 1, 0, -4, -5, -9, -10]
    assert found["save_class"].to_list() == ["I", "II", "II", "III", "III", "IV", "IV", "V"]
    survival = [0.75, 0.58, 0.58, 0.42, 0.42, 0.30, 0.30, 0.18]
    assert found["save_risk"].to_list() == pytest.approx([1 - part for part in survival])


def test_encourage_by_hand(tmp_path):
    everything = {
        "age": "61", "female": "yes", "bmi": "25.1", "glasgow": "5", "creatinine_umol": "151", "lactate": "8.1",
        "prothrombin_activity": "49",
    }  # fmt: skip
    patients = [{"age": "60"}, {"age": "61"}, {"age": "60", "lactate": "2"}, {"age": "60", "lactate": "8"}, everything,
                {"age": "61", "female": "yes"}, {"age": "61", "lactate": "8"}]  # fmt: skip
    found = scored(tmp_path, *patients)
    assert found["encourage_score"].to_list() == [0, 5, 8, 8, 45, 12, 13]
    assert found["encourage_class"].to_list()[-3:] == ["28-45", "0-12", "13-18"]
    assert found["encourage_risk"].to_list()[-3:] == [0.93, 0.20, 0.42]


def test_encourage_classes(tmp_path):
    patients = [
        {"age": "61", "female": "yes", "bmi": "26"},  # 18
        {"age": "60", "lactate": "8.5", "glasgow": "5", "bmi": "25"},  # 17
        {"age": "60", "female": "yes", "bmi": "26", "glasgow": "5"},  # 19
        {"age": "60", "lactate": "9", "bmi": "26", "creatinine_umol": "160"},  # 22
        {"age": "60", "lactate": "9", "bmi": "26", "glasgow": "5"},  # 23
        {"age": "61", "female": "yes", "bmi": "26", "glasgow": "5", "creatinine_umol": "160"},  # 29
    ]
    found = scored(tmp_path, *patients)
    assert found["encourage_score"].to_list() == [18, 17, 19, 22, 23, 29]
    assert found["encourage_class"].to_list() == ["13-18", "13-18", "19-22", "19-22", "23-27", "28-45"]
    assert found["encourage_risk"].to_list() == [0.42, 0.42, 0.75, 0.75, 0.80, 0.93]


def test_iabp_shock_by_hand(tmp_path):
    everything = {
        "age": "74",
        "prior_stroke": "yes",
        "glucose": "10.7",
        "creatinine_umol": "133",
        "timi_flow": "2",
        "lactate": "5.1",
    }
    patients = [{"age": "73", "lactate": "5"}, {"age": "74"}, {"prior_stroke": "yes"}, {"glucose": "10.7", "timi_flow": "2"},
                {"lactate": "5.1", "timi_flow": "0"}, {"age": "74", "lactate": "5.1", "timi_flow": "0"}, everything]  # fmt: skip
    found = scored(tmp_path, *patients)
    assert found["iabp_shock_score"].to_list() == [0, 1, 2, 3, 4, 5, 9]
    assert found["iabp_shock_category"].to_list() == ["low"] * 3 + ["intermediate"] * 2 + ["high"] * 2
    assert found["iabp_shock_risk"].to_list() == [0.238] * 3 + [0.492] * 2 + [0.766] * 2


def test_a_score_without_one_of_its_inputs_is_blank(tmp_path):
    found = scored(tmp_path, *({name: ""} for name in NO_POINTS))
    reads = {
        "save": {"age", "weight", *list(NO_POINTS)[11:]},
        "encourage": {"age", "female", "bmi", "glasgow", "creatinine_umol", "lactate", "prothrombin_activity"},
        "iabp_shock": {"age", "prior_stroke", "glucose", "creatinine_umol", "timi_flow", "lactate"},
    }
    for score, inputs in reads.items():
        for column in (f"{score}_score", f"{score}_risk"):
            assert found[column].dtype == pl.Float64
            blank = {name for name, value in zip(NO_POINTS, found[column], strict=True) if value is None}
            assert blank == inputs, column


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_yaml_and_says_where_it_is_from(name):
    text = files("counterpulse.examples").joinpath("scores").joinpath(name).read_text(encoding="utf-8")
    assert "doi:10." in text
    assert "Verified:" in text
    assert list(YAML(typ="safe", pure=True).load(text)) == ["variables"]


def test_the_command_line_copies_them(tmp_path):
    assert invoke(["example", "scores", str(tmp_path / "here")]) == 0
    assert {item.name for item in (tmp_path / "here").iterdir()} == {*FILES, "dictionary.csv", "README.md"}
