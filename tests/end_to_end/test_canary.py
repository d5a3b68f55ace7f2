"""The canary: whatever goes wrong, no id, text, date or stray value of a patient is printed or stands in a shareable file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib

import numpy as np
import polars as pl
import pytest
from ward import Ward, call

from counterpulse.errors import DATA_INVALID, DONE, INTERNAL, PROTOCOL_INVALID

MARKERS = re.compile(r"ZQXJ|183[1-3]-\d|\d\.\d+\.183[1-3]|\d+\.\d*90917462\d*", re.IGNORECASE)
"""Ids, texts and levels hold the word; dates lie in 1831 and after; numbers carry decimals that no mean or quartile can."""


@pytest.fixture
def ward(tmp_path):
    """Every value of a patient that is not a level of the dictionary is a canary."""
    ward = Ward(tmp_path / "study")
    columns = ward.columns
    columns["Study number"] = [f"ZQXJID{row:04d}" for row in range(len(columns["Age"]))]
    columns["Remark"] = [f"ZQXJTEXT {row}" for row in range(len(columns["Age"]))]
    for column in ("Admission", "Death", "Stroke date", "Last seen"):
        columns[column] = [re.sub(r"^\d{4}", lambda year: str(int(year[0]) - 188), day) for day in columns[column]]
    for column in ("Age", "Lactate"):
        columns[column] = [f"{float(value):.1f}90917462{row:03d}" for row, value in enumerate(columns[column])]
        for device in (
            "pump",
            "none",
        ):  # the extremes of a group are the only single values that a table of summaries shows
            group = [row for row, given in enumerate(columns["Device"]) if given == device]
            for row in (
                min(group, key=lambda row: float(columns[column][row])),
                max(group, key=lambda row: float(columns[column][row])),
            ):
                columns[column][row] = columns[column][row].split("90917462")[0]
    return ward


def quiet(said):
    assert not MARKERS.search(said.text), said.text
    return said


def leaks(directory):
    """The shareable files that hold a marker; pictures are also looked at inside."""
    found = []
    for path in directory.rglob("*"):
        if not path.is_file() or "private" in path.relative_to(directory).parts:
            continue
        data = path.read_bytes()
        texts = [data.decode("utf-8", errors="replace")]
        if path.suffix == ".png":
            texts = [chunk.decode("latin-1") for chunk in re.findall(rb"(?:tEXt|iTXt|zTXt)(.{0,400})", data, re.DOTALL)]
        if path.suffix in (".docx", ".pdf"):
            texts = [_inflated(data)]
        found += [path.name for text in texts if MARKERS.search(text)]
    return found


def _inflated(data):
    """The deflated streams of a zip or PDF, one after another."""
    texts = []
    for match in re.finditer(rb"stream\r?\n|PK\x03\x04.{22}(..)(..)", data, re.DOTALL):
        skip = 0 if match[1] is None else int.from_bytes(match[1], "little") + int.from_bytes(match[2], "little")
        for window in (15, -15):
            try:
                texts.append(zlib.decompressobj(window).decompress(data[match.end() + skip :]).decode("latin-1"))
                break
            except zlib.error:
                continue
    return "".join(texts)


EVERYTHING = """\
analyses:
  - {id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: baseline, clusters: {variable: site, as: robust, variance: CR1}}
  - {id: K1, role: secondary, outcome: death, method: kaplan-meier}
  - {id: C1, role: secondary, outcome: death, method: cox, adjust: [age], check: [proportional-hazards]}
  - {id: R1, role: secondary, outcome: death, method: rmst}
  - {id: P1, role: secondary, outcome: death_here, method: two-proportions}
subgroups: {of: A1, by: [sex, {variable: age, cut: [65]}]}
table1: {variables: [age, sex, lactate, bled]}
report: {table1: {p_values: yes}, outputs: [html, docx, pdf, json]}
"""


def test_a_run_that_succeeds(ward):
    ward.edit(ward.protocol[ward.protocol.index("analyses:") :], EVERYTHING)
    assert quiet(ward.run()).code == DONE
    assert leaks(ward.bundle) == []
    for verb in (
        ("explain", ward.bundle, "A1.death_here.pump.odds-ratio"),
        ("plan", ward.path),
        ("report", ward.bundle),
    ):
        assert quiet(call(*verb)).code == DONE
    quiet(ward.check())


def test_the_canary_sings(ward):
    """The test above can fail: the markers are found where they are."""
    ward.write()
    assert leaks(ward.directory) == ["ward.csv"]
    for column in ("Study number", "Remark", "Admission", "Age", "Lactate"):
        assert sum(bool(MARKERS.search(value)) for value in ward.columns[column]) > 0.9 * len(ward.columns[column])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Age", "ZQXJ"), ("Sex", "ZQXJ"), ("Device", "ZQXJ"), ("Died", "ZQXJ"), ("Admission", "ZQXJ"),
        ("Admission", "1.1.1831"), ("Last seen", "1831-02-31"), ("Last seen", "1831-01-01T00:00Z"), ("Age", "390.90917462001"),
        ("Age", "=ZQXJ()"), ("Lactate", "inf"), ("Days", "1.90917462"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(ward, column, value):
    if column == "Days":
        ward.define("days,Days,Days to death or last contact,number", "days,Days,Days,integer")
    ward.set(column, 3, value)
    assert quiet(ward.run()).code == DATA_INVALID or column == "Age"
    quiet(ward.check())
    quiet(ward.check("--json"))


def test_ids_that_stand_twice(ward):
    assert quiet(ward.set("Study number", 3, "ZQXJID0001").run()).code == DATA_INVALID


def test_damaged_lines(ward):
    for broken in (
        ward.csv().replace("ZQXJTEXT 7,", "ZQXJTEXT, 7,"),
        ward.csv().replace("ZQXJTEXT 7,", '"ZQXJTEXT 7,'),
        ward.csv().replace("ZQXJTEXT 7,", 'ZQXJ"TEXT" "7,'),
        ward.csv().replace("\n", "\r\r\n", 3),
        ward.csv().replace("Study number,", "", 1),
        ward.csv().partition("\n")[2],
    ):
        ward.table = broken
        quiet(ward.run())
        quiet(call("init", ward.data, "--dir", ward.directory / "drafted"))


def test_rules_that_cannot_be_judged(ward):
    quiet(ward.set("Age", 3, "").run())
    quiet(ward.set("Age", 3, "44").set("Last seen", 3, "1801-01-01").set("Death", 3, "1801-01-01").run())
    quiet(ward.edit("age >= 18", 'remark = "ZQX"').run())
    quiet(ward.edit('remark = "ZQX"', 'patient = "nobody"').run())


def test_files_taken_for_one_another(ward):
    """The lines of a protocol or a dictionary are shown; those of a table never are."""
    ward.write()
    assert quiet(call("run", ward.data)).code == PROTOCOL_INVALID
    for renamed in (ward.data.with_suffix(".txt"), ward.data.with_suffix(".xlsx")):
        renamed.write_bytes(ward.data.read_bytes())
        assert quiet(call("check", renamed)).code == PROTOCOL_INVALID
    ward.edit("dictionary: dictionary.csv", "dictionary: ward.csv")
    assert quiet(ward.check()).code == PROTOCOL_INVALID
    ward.columns = {
        {"Study number": "name", "Remark": "type"}.get(name, name): values for name, values in ward.columns.items()
    }
    assert quiet(ward.check()).code == PROTOCOL_INVALID
    assert quiet(call("run", ward.path)).code == PROTOCOL_INVALID


def test_drafting_a_study(ward):
    ward.write()
    assert quiet(call("init", ward.data, "--dir", ward.directory / "drafted")).code == DONE
    assert leaks(ward.directory / "drafted") == []


FAILURES = [
    ValueError("ZQXJTEXT"), KeyError("ZQXJID0001"), pl.exceptions.ComputeError("ZQXJ 1831-01-01"),
    np.linalg.LinAlgError("ZQXJ"), AssertionError("ZQXJ"), RecursionError("ZQXJ"), MemoryError("ZQXJ"),
]  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("place", ["study.run.make_cohort", "study.run.analyze", "study.load.read_table"])
def test_a_bug_tells_nothing_of_a_patient(ward, monkeypatch, failure, place):
    def fail(*_, **__):
        raise failure

    ward.write()
    monkeypatch.setattr(f"counterpulse.{place}", fail)
    said = call("run", ward.path, "--out", ward.bundle)
    assert quiet(said).code == INTERNAL
    assert type(failure).__name__ in said.err
    assert not ward.bundle.exists()


def test_in_a_process_of_its_own(ward):
    ward.set("Sex", 3, "ZQXJ").write()
    environment = {name: value for name, value in os.environ.items() if name != "COUNTERPULSE_DEBUG"}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "counterpulse", "run", str(ward.path)], capture_output=True, text=True,
        encoding="utf-8", check=False, env=environment, cwd=ward.directory,
    )  # fmt: skip
    assert done.returncode == DATA_INVALID
    assert not MARKERS.search(done.stdout + done.stderr)


@pytest.mark.parametrize(
    "added",
    [
        "table1: {variables: [age, remark]}", "table1: {variables: [patient]}", "table1: {variables: [admitted]}",
        "subgroups: {of: A1, by: [remark]}", "subgroups: {of: A1, by: [{variable: patient}]}", "subgroups: {of: A1, by: [admitted]}",
    ],
)  # fmt: skip
def test_tables_by_people_are_refused(ward, added):
    ward.protocol += f"{added}\n"
    said = quiet(ward.run())
    assert said.code == PROTOCOL_INVALID
    assert "E617" in said.err or "E238" in said.err
