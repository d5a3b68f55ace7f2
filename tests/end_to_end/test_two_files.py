"""A ward whose blood gases stand in a file of their own, from files to bundle, with the questions for the data manager."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import numpy as np
import openpyxl
import polars as pl
import pyreadstat
import pytest
from ward import Ward, call

from counterpulse.errors import DATA_INVALID, DONE, HAS_FINDINGS

TABLES = """\
tables:
  gas: {file: gas.csv, dictionary: gas.dictionary.csv, id: patient, time: taken}
variables:
  lactate_4h: {label: Lactate at 4 h, from: gas, column: blood_lactate, take: last, window: 0 to 4 hours}
  lactate_24h: {label: Lactate at 24 h, from: gas, column: blood_lactate, take: last, window: 4.1 to 24 hours}
  lactate_fell: {label: Lactate fell, rule: lactate_24h < lactate_4h}
  gases: {label: Blood gases, from: gas, take: count, window: 0 to 24 hours}
"""
GAS_DICTIONARY = """\
name,source,label,type,unit,minimum,maximum
patient,Who,Patient,id,,,
taken,Day + Clock,Taken,datetime,,,
blood_lactate,Lac,Lactate,number,mmol/L,0,40
"""


class GasWard(Ward):
    """A ward with `gas`, a list of rows: patient, day, clock, lactate."""

    def __init__(self, directory):
        super().__init__(directory)
        self.define("admitted,Admission,Admission,date", "admitted,Admission,Admission,datetime")
        self.edit("time_zero: admitted\n", f"{TABLES}time_zero: admitted\n")
        self.edit("baseline: [age, sex, lactate]", "baseline: [age, sex, lactate_4h]")
        self.edit("{id: adult, text: Aged 18 years or older, rule: age >= 18, if_unknown: stop}",
                  "{id: sampled, text: Blood gas within a day, rule: gases >= 1, if_unknown: stop}")  # fmt: skip
        self.columns["Admission"] = [f"{day} 10:00" for day in self.columns["Admission"]]
        random = np.random.default_rng(7)
        self.gas = [["Who", "Day", "Clock", "Lac"]]
        for patient, admitted in zip(self.columns["Study number"], self.columns["Admission"], strict=True):
            for minute in sorted(random.choice(1500, size=random.integers(0, 9), replace=False)):
                moment = dt.datetime.fromisoformat(admitted) + dt.timedelta(minutes=int(minute))
                self.gas.append([patient, f"{moment:%Y-%m-%d}", f"{moment:%H:%M}", f"{random.gamma(2, 2):.1f}"])

    def write(self):
        super().write()
        (self.directory / "gas.dictionary.csv").write_text(GAS_DICTIONARY, encoding="utf-8")
        self.write_gas("gas.csv")
        return self

    def write_gas(self, name):
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(self.gas)
        (self.directory / name).write_text(out.getvalue(), encoding="utf-8")


@pytest.fixture
def ward(tmp_path):
    return GasWard(tmp_path / "study")


def slow_lactates(ward):
    """The last lactate within four hours of admission, patient by patient."""
    found = {}
    for patient, admitted in zip(ward.columns["Study number"], ward.columns["Admission"], strict=True):
        start = dt.datetime.fromisoformat(admitted)
        own = [
            (dt.datetime.fromisoformat(f"{day} {clock}") - start, float(lac))
            for who, day, clock, lac in ward.gas[1:]
            if who == patient
        ]
        inside = [(since, lac) for since, lac in own if dt.timedelta(0) <= since <= dt.timedelta(hours=4)]
        if any(dt.timedelta(0) <= since <= dt.timedelta(hours=24) for since, _ in own):
            found[patient] = max(inside)[1] if inside else None
    return found


ONE_IN_A_MILLION = 1e-12  # the mean of some hundred numbers, summed in two orders


def test_a_study_of_two_files(ward):
    ward.protocol += "table1: {variables: [age, lactate_4h, lactate_fell]}\n"
    assert ward.run().code == DONE
    results = ward.results()
    lactates = slow_lactates(ward)
    known = [value for value in lactates.values() if value is not None]
    assert {step["id"]: step["n"] for step in results["flow"]}["eligible"] == len(lactates)
    row = next(
        row
        for row in results["table_one"]
        if row["variable"] == "lactate_4h" and row.get("group") is None and "contrast" not in row
    )
    assert (row["n"], row["missing"]) == (len(lactates), len(lactates) - len(known))
    assert row["mean"] == pytest.approx(np.mean(known), rel=ONE_IN_A_MILLION)
    first = results["estimates"][0]
    assert first["n"] == len(known)
    assert first["n_missing"] == len(lactates) - len(known)
    assert call("verify", ward.bundle, "--protocol", ward.path).code == DONE


def test_the_bundle_says_what_was_taken(ward):
    ward.run()
    said = call("plan", ward.path)
    assert "Lactate at 4 h: last Lactate within 0 to 4 hours of time zero" in said.out
    assert "both ends belong to a window" in said.out


@pytest.mark.parametrize("kind", ["xlsx", "sav"])
def test_the_table_may_be_of_another_format(ward, kind):
    ward.run()
    expected = ward.results()
    frame = pl.DataFrame(ward.gas[1:], schema=ward.gas[0], orient="row").with_columns(
        pl.col("Day").str.to_date(), pl.col("Clock").str.to_time("%H:%M"), pl.col("Lac").cast(pl.Float64)
    )
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.title = "front"
        sheet = book.create_sheet("gases")
        for row in (frame.columns, *frame.iter_rows()):
            sheet.append(list(row))
        book.save(ward.directory / "gas.xlsx")
        ward.edit("file: gas.csv", "file: gas.xlsx, sheet: gases")
    else:
        pyreadstat.write_sav(frame, str(ward.directory / "gas.sav"))
        ward.edit("file: gas.csv", "file: gas.sav")
    assert ward.run().code == DONE
    results = ward.results()
    assert results["study"] == expected["study"]
    assert results["estimates"] == expected["estimates"]


def test_a_changed_measurement_changes_the_digest_of_the_data(ward):
    ward.run()
    first = ward.results()["study"]["data_digest"]
    ward.gas[1][3] = "39.9"
    ward.run()
    assert ward.results()["study"]["data_digest"] != first


def test_a_mock_study_has_its_tables_too(ward):
    ward.write()
    said = call("mock", ward.path, "--n", 200, "--out", ward.directory / "rehearsal.csv")
    assert said.code == DONE
    assert "rehearsal.gas.csv" in said.out
    (ward.directory / "gas.csv").unlink()
    said = call("run", ward.path, "--data", ward.directory / "rehearsal.csv", "--out", ward.bundle, "--jobs", 1)
    assert said.code == DONE, said.text
    assert ward.results()["data_kind"] == "mock"
    assert ward.results()["estimates"][0]["n"] > 100


def questions(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_odd_is_asked_in_the_private_folder(ward):
    ward.set("Age", 3, "190")
    ward.set("Lactate", 4, "")
    ward.gas[1][3] = "77.7"
    ward.gas.append(["WARDPT9999", "2020-01-01", "10:00", "3"])
    assert ward.run().code == DONE
    asked = questions(ward.bundle / "private" / "queries.csv")
    told = {(row["id"], row["variable"], row["value"]) for row in asked}
    assert ("WARDPT0003", "age", "190") in told
    assert (ward.gas[1][0], "blood_lactate", "77.7") in told
    assert ("WARDPT9999", "patient", "WARDPT9999") in told
    assert all(row["question"].endswith("?") for row in asked)
    manifest = (ward.bundle / "manifest.json").read_text()
    assert "private/queries.csv" in manifest


def test_the_questions_stay_private_and_survive_a_new_rendering(ward):
    ward.set("Age", 3, "190")
    assert ward.run().code == DONE
    shareable = [path for path in ward.bundle.rglob("*") if path.is_file() and "private" not in path.parts]
    assert not [path for path in shareable if b"WARDPT0003" in path.read_bytes()]
    before = (ward.bundle / "private" / "queries.csv").read_bytes()
    assert call("report", ward.bundle, "--style", "jama").code == DONE
    assert (ward.bundle / "private" / "queries.csv").read_bytes() == before
    (ward.bundle / "private" / "queries.csv").unlink()
    assert call("verify", ward.bundle, "--protocol", ward.path).code == DONE


def test_without_a_bundle_the_questions_stand_beside_its_place(ward):
    ward.set("Sex", 5, "ZQXJ")
    ward.gas[2][2] = "25:10"
    said = ward.run()
    assert said.code == DATA_INVALID
    assert "ZQXJ" not in said.text
    assert not ward.bundle.exists()
    asked = questions(ward.directory / "ward-report-private" / "queries.csv")
    assert {(row["variable"], row["file"]) for row in asked} >= {("sex", "ward.csv"), ("taken", "gas.csv")}
    assert ("WARDPT0005", "ZQXJ") in {(row["id"], row["value"]) for row in asked}
    ward.run()
    assert len(list((ward.directory / "ward-report-private").iterdir())) == 1


def test_blanks_that_leave_a_rule_open_are_asked(ward):
    ward.edit("rule: gases >= 1", "rule: gases >= 1 and age >= 18")
    ward.set("Age", 7, "")
    assert ward.run().code == DATA_INVALID
    asked = questions(ward.directory / "ward-report-private" / "queries.csv")
    (row,) = [row for row in asked if row["variable"] == "age"]
    assert (row["id"], row["value"]) == ("WARDPT0007", "")
    assert "criterion 'sampled'" in row["question"]


def test_dates_in_the_wrong_order_are_asked(ward):
    ward.set("Last seen", 9, "2001-01-01").set("Death", 9, "2001-01-01")
    ward.gas.append(["WARDPT0009", ward.columns["Admission"][9][:10], "11:11", "2.2"])
    assert ward.run().code == DATA_INVALID
    asked = questions(ward.directory / "ward-report-private" / "queries.csv")
    assert {row["variable"] for row in asked if row["id"] == "WARDPT0009"} == {"admitted", "death_date"}


def test_check_writes_questions_where_it_is_told(ward):
    ward.set("Age", 3, "190")
    file = ward.directory / "questions.csv"
    assert ward.check("--queries", file).code == HAS_FINDINGS
    assert [row["value"] for row in questions(file) if row["variable"] == "age"] == ["190"]
    file.write_text("answered by a person")
    ward.check("--queries", file)
    assert file.read_text() == "answered by a person"
    assert (ward.directory / "questions-2.csv").exists()


MARKERS = re.compile(r"ZQXJ|183[1-3]-\d|90917462")


def test_a_canary_in_every_cell_of_the_second_table(ward):
    ward.edit("rule: gases >= 1", "rule: gases >= 0")
    ward.protocol += "table1: {variables: [sex]}\n"  # a table of numbers shows the extremes of a group
    for row, cells in enumerate(ward.gas[1:], start=1):
        cells[1] = re.sub(r"^\d{4}", lambda year: str(int(year[0]) - 188), cells[1])
        cells[3] = f"{cells[3]}90917462{row:03d}"
    ward.columns["Admission"] = [
        re.sub(r"^\d{4}", lambda y: str(int(y[0]) - 188), day) for day in ward.columns["Admission"]
    ]
    for change in (
        ["ZQXJ", *ward.gas[1][1:]],
        [*ward.gas[1][:3], "1ZQXJ"],
        [*ward.gas[1][:2], "ZQXJ", "2"],
        [*ward.gas[1][:3], "9.9"],
    ):
        ward.gas.append(change)
        said = ward.run()
        ward.gas.pop()
        assert not MARKERS.search(said.text), said.text
        for path in ward.bundle.rglob("*"):
            if path.is_file() and "private" not in path.parts:
                assert not MARKERS.search(path.read_bytes().decode("utf-8", errors="replace")), path


def test_every_measurement_as_an_outcome(ward):
    ward.edit(
        "outcomes:\n",
        "outcomes:\n  lac: {label: Lactate, type: repeated, from: gas, column: blood_lactate, window: 0 to 24 hours, better: lower}\n",
    )
    ward.edit("analyses:\n", "analyses:\n  - {id: M1, role: secondary, outcome: lac, method: repeated-measures}\n")
    assert ward.run().code in (DONE, HAS_FINDINGS)
    details = ward.results()["details"]["M1"]
    gases = slow_lactates(ward)
    assert details["lac.patients"] == len(gases)
    inside = [row for row in ward.gas[1:] if since_admission(ward, row) <= dt.timedelta(hours=24)]
    assert details["lac.measurements"] == len(inside)


def since_admission(ward, row):
    place = ward.columns["Study number"].index(row[0])
    return dt.datetime.fromisoformat(f"{row[1]} {row[2]}") - dt.datetime.fromisoformat(ward.columns["Admission"][place])


def test_scripts_are_given_what_was_taken(ward):
    ward.run()
    assert call("export", ward.bundle, "--to", "r").code == DONE
    (table,) = ward.directory.glob("ward-report-r/*patients*.csv")
    assert "lactate_4h" in pl.read_csv(table).columns
