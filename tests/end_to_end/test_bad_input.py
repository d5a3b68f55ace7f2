"""Whatever a person hands over, the command line answers with a sentence, the agreed exit code, and nothing of a patient."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time

import openpyxl
import pytest
from ward import PROTOCOL, Ward, call

from counterpulse.errors import DATA_INVALID, DONE, HAS_FINDINGS, PROTOCOL_INVALID, USAGE

FAST = 10.0
"""Seconds in which a file of 10,000 columns is read and analyzed; it takes about one."""


@pytest.fixture
def ward(tmp_path):
    return Ward(tmp_path / "Größe und Würde")


def status_of(ward):
    return {row["id"]: row["status"] for row in ward.results()["estimates"]}


# -- files that are not there, or not what they should be


def test_missing_protocol(tmp_path):
    for verb in ("run", "check", "plan", "mock"):
        said = call(verb, tmp_path / "nowhere.yaml")
        assert said.code == USAGE
        assert "nowhere.yaml is not there" in said.err


def test_a_folder_as_protocol(tmp_path):
    said = call("run", tmp_path)
    assert said.code == USAGE
    assert "is a folder" in said.err


@pytest.mark.parametrize("verb", ["run", "check", "plan", "mock"])
def test_missing_dictionary(ward, verb):
    ward.edit("dictionary.csv", "elsewhere.csv").write()
    said = call(verb, ward.path)
    assert said.code == PROTOCOL_INVALID
    assert "E105" in said.text
    assert "elsewhere.csv is not there" in said.text


def test_missing_data(ward):
    ward.edit("ward.csv", "elsewhere.csv")
    assert ward.run().code == DATA_INVALID
    assert ward.check().code == DATA_INVALID
    assert ward.check("--data", ward.data).code == DONE


@pytest.mark.parametrize("table", ["", "\n\n", "Study number,Age\n", "\x00\x01\x02\x00", '"never closed,1\n2,3\n'])
def test_files_without_patients(ward, table):
    ward.table = table
    assert ward.run().code == DATA_INVALID
    assert not ward.bundle.exists()


@pytest.mark.parametrize("name", ["patients.docx", "patients.xlsx", "patients.sav", "patients.parquet", "patients.dta"])
def test_files_that_are_not_what_their_ending_says(ward, name):
    ward.write()
    (ward.directory / name).write_bytes(b"no such thing")
    assert ward.checked(call("run", ward.path, "--data", ward.directory / name)).code == DATA_INVALID


# -- encodings and separators: what can be read is read, and what was guessed is said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(ward, encoding):
    plain = Ward(ward.directory / "plain")
    assert plain.run().code == DONE
    ward.table = ward.csv().encode(encoding)
    said = ward.run()
    assert said.code == DONE
    assert ward.results()["estimates"] == plain.results()["estimates"]


def test_windows_1252_is_read_and_said(ward):
    ward.fill("Remark", "Größe")
    ward.table = ward.csv().encode("cp1252")
    said = ward.check()
    assert said.code == HAS_FINDINGS
    assert "W503" in said.out
    assert ward.run().code == DONE


def test_semicolons_and_decimal_commas(ward):
    plain = Ward(ward.directory / "plain")
    assert plain.run().code == DONE
    ward.columns["Lactate"] = [value.replace(".", ",") for value in ward.columns["Lactate"]]
    ward.table = ward.csv(";")
    assert "W520" in ward.check().out
    assert ward.run().code == DONE
    assert ward.results()["estimates"] == plain.results()["estimates"]


def workbook(ward, as_cell):
    dates = ("Admission", "Death", "Stroke date", "Last seen")
    book = openpyxl.Workbook()
    book.active.append(list(ward.columns))
    for row in zip(*ward.columns.values(), strict=True):
        cells = [
            as_cell(datetime.date.fromisoformat(value)) if header in dates and value else value or None
            for header, value in zip(ward.columns, row, strict=True)
        ]
        book.active.append(cells)
    ward.directory.mkdir(parents=True, exist_ok=True)
    book.save(ward.directory / "ward.xlsx")
    return ward.edit("ward.csv", "ward.xlsx")


@pytest.mark.parametrize(
    ("as_cell", "warned"),
    [(lambda day: day, False), (lambda day: (day - datetime.date(1899, 12, 30)).days, True)],
    ids=["true dates", "serial dates"],
)
def test_dates_of_excel(ward, as_cell, warned):
    plain = Ward(ward.directory / "plain")
    assert plain.run().code == DONE
    workbook(ward, as_cell)
    assert ("W521" in ward.check().out) is warned
    assert ward.run().code == DONE
    assert ward.results()["estimates"] == plain.results()["estimates"]


def test_a_sheet_that_is_not_there(ward):
    workbook(ward, lambda day: day).edit("ward.xlsx,", "ward.xlsx, sheet: Patients,")
    assert ward.check().code == DATA_INVALID


# -- values that do not fit


def wrong_rows(said, code, row):
    assert said.code == DATA_INVALID
    assert code in said.text
    assert f"(row {row})" in said.text or f"rows {row}" in said.text


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Study number", "", "E508"),
        ("Age", "elefant", "E509"),
        ("Sex", "elefant", "E511"),
        ("Died", "elefant", "E512"),
        ("Admission", "elefant", "E513"),
        ("Admission", "03/04/2019", "E513"),
        ("Admission", "2019-02-31", "E514"),
        ("Device", "elefant", "E511"),
    ],
)
def test_a_value_that_does_not_fit(ward, column, value, code):
    said = ward.set(column, 3, value).check()
    wrong_rows(said, code, 5)
    assert not value or value not in said.text
    assert ward.run().code == DATA_INVALID


def test_duplicate_ids(ward):
    wrong_rows(ward.set("Study number", 3, ward.columns["Study number"][1]).check(), "E507", "3, 5")


def test_duplicate_columns(ward):
    ward.table = ward.csv().replace("Remark", "Age", 1)
    assert "E506" in ward.check().out


def test_a_line_with_too_many_cells(ward):
    ward.table = ward.csv().replace("secret remark 7 ", "secret, remark 7 ")
    said = ward.check()
    assert said.code == DATA_INVALID
    assert ":9: error E518" in said.out
    assert "secret" not in said.text


def test_ten_thousand_columns_that_nobody_asked_for(ward):
    lines = ward.csv().splitlines()
    ward.table = "\n".join(
        [lines[0] + "".join(f",c{i}" for i in range(10_000)), *(f"{line}{',1' * 10_000}" for line in lines[1:])]
    )
    began = time.perf_counter()
    assert ward.run().code == DONE
    assert time.perf_counter() - began < FAST


def test_a_note_is_no_finding_that_stops_a_script(ward):
    ward.columns["Unused"] = ["1"] * len(ward.columns["Age"])
    said = ward.check()
    assert said.code == DONE
    assert "N517" in said.out
    assert "0 errors, 0 warnings, 1 note." in said.out


# -- patients that cannot be analyzed


def test_nobody_is_eligible(ward):
    ward.edit("age >= 18", "age >= 118")
    for said in (ward.run(), ward.check()):
        assert said.code == DATA_INVALID
        assert "E531" in said.text


def test_unknown_where_a_criterion_says_stop(ward):
    said = ward.set("Age", 3, "").run()
    assert said.code == DATA_INVALID
    assert "E530" in said.text
    assert "for 1 patient (blank values)" in said.text


def test_negative_times(ward):
    said = ward.set("Last seen", 2, "2001-01-01").set("Death", 2, "2001-01-01").run()
    assert said.code == DATA_INVALID
    assert "E532" in said.text


def test_blank_values_that_the_protocol_does_not_cover(ward):
    said = ward.edit("missing_data: {method: complete-case}\n", "").set("Lactate", 5, "").run()
    assert said.code == DATA_INVALID
    assert "E533" in said.text


METHODS = """\
analyses:
  - {id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: [age]}
  - {id: P1, role: secondary, outcome: death_here, method: two-proportions}
  - {id: K1, role: secondary, outcome: death, method: kaplan-meier}
  - {id: R1, role: secondary, outcome: death, method: rmst}
  - {id: C1, role: secondary, outcome: death, method: cox, adjust: [age]}
  - {id: L1, role: secondary, outcome: lactate_0, method: linear-regression}
  - {id: M1, role: secondary, outcome: lactate_0, method: two-means}
"""


@pytest.fixture
def every_method(ward):
    ward.edit(PROTOCOL[PROTOCOL.index("analyses:") :], METHODS)
    return ward.edit(
        "confounders:", "  lactate_0: {label: Lactate, type: continuous, value: lactate, better: lower}\nconfounders:"
    )


@pytest.mark.parametrize("everybody", ["none", "pump"])
def test_a_compared_group_that_nobody_is_in(every_method, everybody):
    ward = every_method.fill("Device", everybody)
    said = ward.run()
    assert said.code == HAS_FINDINGS
    first = {}
    for row in ward.results()["estimates"]:
        first.setdefault(row["analysis"], row)
    assert {name: row["status"] for name, row in first.items()} == dict.fromkeys(first, "empty-group")
    assert set(first) == {"A1", "P1", "K1", "R1", "C1", "L1", "M1"}
    assert said.out.count("empty-group") == len(first)
    assert status_of(ward)["K1.death.log-rank.test-of-curves"] == "empty-group"


def test_an_empty_reference_is_never_replaced_by_another_group(every_method):
    ward = every_method.edit("{pump: Pump}", "{pump: Pump, impella: Impella}").define(
        "pump=Pump|", "pump=Pump|impella=Impella|"
    )
    ward.columns["Device"] = ["impella" if row % 2 else "pump" for row in range(len(ward.columns["Device"]))]
    assert ward.run().code == HAS_FINDINGS
    compared = [row for row in ward.results()["estimates"] if row["reference"] == "none"]
    assert len(compared) == 7 * 2
    assert {row["status"] for row in compared} == {"empty-group"}
    assert not [row["id"] for row in ward.results()["estimates"] if row["reference"] in ("pump", "impella")]
    assert status_of(ward)["K1.death.log-rank.test-of-curves"] == "empty-group"


def test_a_covariate_with_one_level(ward):
    assert ward.fill("Sex", "M").run().code == DONE
    assert status_of(ward)["A1.death_here.sex.odds-ratio"] == "constant"
    assert status_of(ward)["A1.death_here.pump.odds-ratio"] == "ok"


def test_a_covariate_that_is_constant(ward):
    assert ward.fill("Age", "50").run().code == DONE
    assert status_of(ward)["C1.death.age.hazard-ratio"] == "constant"


def test_a_covariate_that_nobody_has(ward):
    assert ward.fill("Lactate", "").run().code == HAS_FINDINGS
    assert status_of(ward)["A1.death_here.pump.odds-ratio"] == "no-rows"
    assert "W524" in ward.check().out


def test_no_events(ward):
    assert ward.fill("Died", "no").fill("Death", "").run().code == HAS_FINDINGS
    assert status_of(ward)["A1.death_here.pump.odds-ratio"] == "no-events"
    assert status_of(ward)["C1.death.pump.hazard-ratio"] == "no-events"


def test_everybody_has_the_event(ward):
    ward.fill("Died", "yes").columns["Death"] = ward.columns["Last seen"]
    assert ward.run().code == HAS_FINDINGS
    assert status_of(ward)["A1.death_here.pump.odds-ratio"] == "all-events"


def test_events_after_the_horizon_do_not_count(ward):
    ward.edit("horizon: 60 days", "horizon: 5 days").run()
    curve = next(row for row in ward.results()["estimates"] if row["analysis"] == "K1")
    early = [
        days
        for days, died in zip(ward.columns["Days"], ward.columns["Died"], strict=True)
        if died == "yes" and int(days) <= 5
    ]
    assert curve["events"] == len(early)
    assert max(count["person_time"] / count["n"] for count in curve["groups"]) <= 5


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_patients(every_method, n):
    every_method.columns = {name: values[:n] for name, values in every_method.columns.items()}
    assert every_method.run().code == HAS_FINDINGS


# -- protocols that do not hold


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("age >= 18", "agge >= 18", "E402"),
        ("outcomes:\n", "variables:\n  x: {value: y + 1}\n  y: {value: x + 1}\noutcomes:\n", "E230"),
        ("{pump: Pump}", "{pumpe: Pump}", "E235"),
        ("seed: 1", "seeed: 1", "E220"),
        ("seed: 1", "seed: -1", "E224"),
        ("protocol: 1", "protocol: 1\nprotocol: 1", "E202"),
        ("design: cohort", "design: cohrt", "E223"),
        ("seed: 1", "seed: 1\nreport: {table1: {p_values: sometimes}}", "E22"),
        ("seed: 1", "seed: 1\nsubgroups: {of: A1, by: [sex], p_values: yes}", "E2"),
        ("seed: 1", "seed: 1\nsubgroups: {of: A1, by: [device]}", "E616"),
        ("seed: 1", "seed: 1\nsubgroups: {of: K1, by: [sex]}", "E619"),
        ("seed: 1", "seed: 1\nhypothesis: {type: non-inferiority, margin: 1.2, on: odds ratio}", "E601"),
        ("adjust: baseline}", "adjust: baseline, estimand: {target: treated}}", "E629"),
        ("adjust: baseline}", "adjust: baseline, also: [cox]}", "E604"),
        ("adjust: [age]}", "adjust: [age], check: [proportional-hazard]}", "E618"),
    ],
)
def test_protocols_that_do_not_hold(ward, old, new, code):
    ward.edit(old, new)
    for said in (ward.run(), ward.check()):
        assert said.code == PROTOCOL_INVALID
        assert f"error {code}" in said.text
        assert "ward.protocol.yaml:" in said.text
    assert call("plan", ward.path).code == PROTOCOL_INVALID
    assert not ward.bundle.exists()


def test_levels_of_a_yes_no_group(ward):
    ward.define("device,Device,Device,category,,pump=Pump|none=No pump", "device,Device,Device,yesno,,")
    ward.columns["Device"] = ["1" if device == "pump" else "0" for device in ward.columns["Device"]]
    said = ward.edit("{pump: Pump}", '{"1": Pump}').edit("{none: No pump}", '{"0": No pump}').check()
    assert said.code == PROTOCOL_INVALID
    assert "write yes or no" in said.out


# -- the command itself


@pytest.mark.parametrize(
    "arguments",
    [
        ("--frobnicate",), ("--seed", "x"), ("--seed", "-1"), ("--jobs", "-1"), ("--only", "A9"), ("--only", "A1,A9"),
    ],
)  # fmt: skip
def test_options_that_do_not_exist(ward, arguments):
    said = ward.run(*arguments)
    assert said.code == USAGE
    assert not ward.bundle.exists()


def test_a_verb_that_does_not_exist():
    said = call("runn")
    assert said.code == USAGE
    assert "Did you mean 'run'?" in said.err


def test_an_example_that_does_not_exist():
    assert call("example", "stanford-hart").code == USAGE


def test_a_dead_pipe_and_no_color():
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    environment.pop("NO_COLOR", None)
    for extra in ({}, {"NO_COLOR": "1"}):
        done = subprocess.run(
            [sys.executable, "-m", "counterpulse", "run", "nowhere.yaml", "--frobnicate"], capture_output=True, check=False,
            env={**environment, **extra},
        )  # fmt: skip
        assert done.returncode == USAGE
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"Traceback" not in done.stderr


def test_the_dead_have_a_date_and_are_not_seen_later(ward):
    dead = [row for row, died in enumerate(ward.columns["Died"]) if died == "yes"]
    ward.set("Death", dead[0], "").set("Last seen", dead[1], "2024-12-31")
    said = ward.check()
    assert said.code == HAS_FINDINGS
    assert "W532: 1 patient: dead by 'died', without a date of death" in said.text
    assert "N532: 1 patient: last seen alive after the day of their death" in said.text
    ward.run()
    asked = (ward.bundle / "private" / "queries.csv").read_text(encoding="utf-8-sig")
    assert ward.columns["Study number"][dead[0]] in asked
    assert "What is right?" in asked


def test_a_date_of_another_century_is_told(ward):
    ward.set("Last seen", 3, "3020-02-03").set("Admission", 4, "0219-02-03")
    said = ward.check()
    assert said.code == HAS_FINDINGS
    assert said.text.count("W525") == 2


def test_a_name_that_no_disk_can_hold():
    assert call("run", "a" * 5000).code == USAGE
