"""The tutorials, followed to the letter in an empty folder."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import polars as pl
import pyreadstat
from pages import ROOT, Reader, blocks, call

PAGE = ROOT / "docs" / "tutorial" / "first-study.md"
JOURNAL = ROOT / "docs" / "tutorial" / "to-a-journal.md"
EXPORT = ROOT / "docs" / "tutorial" / "from-an-export.md"
PATIENTS = 240
YES_NO = {0: "no", 1: "yes"}


def test_the_tutorial_does_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Reader(tmp_path).follow(PAGE)
    results = json.loads((tmp_path / "registry-report" / "results.json").read_text(encoding="utf-8"))
    assert results["data_kind"] == "mock"
    assert {row["analysis"] for row in results["estimates"]} == {"A1", "A2", "K1"}
    assert (tmp_path / "registry-report" / "report.html").exists()


def write_export(path):
    """The file of the second tutorial: dummies, with labels, a code for missing, and surnames that do not belong there."""
    random = np.random.default_rng(7)
    lactate = np.round(random.lognormal(1.2, 0.6, PATIENTS), 1)
    lactate[::24] = 999
    frame = pl.DataFrame(
        {
            "pat_no": np.arange(1, PATIENTS + 1), "hosp": random.integers(1, 9, PATIENTS),
            "surname": [f"Name{number}" for number in range(PATIENTS)],
            "admitted": [dt.date(2021, 1, 1) + dt.timedelta(days=int(day)) for day in random.integers(0, 700, PATIENTS)],
            "age": random.integers(35, 88, PATIENTS), "sex": random.integers(1, 3, PATIENTS), "lactate": lactate,
            "arrest": random.integers(0, 2, PATIENTS), "pump": random.integers(0, 2, PATIENTS),
            "died": random.integers(0, 2, PATIENTS), "days": random.integers(1, 60, PATIENTS),
        }
    )  # fmt: skip
    labels = {"pat_no": "Study number", "hosp": "Hospital", "pump": "Balloon pump", "died": "Died in hospital"}
    levels = {"sex": {1: "Male", 2: "Female"}, "arrest": YES_NO, "pump": YES_NO, "died": YES_NO}
    pyreadstat.write_sav(frame, str(path), column_labels=labels, variable_value_labels=levels)


def test_an_export_becomes_a_checked_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_export(tmp_path / "patients.sav")
    Reader(tmp_path).follow(EXPORT)
    protocol = (tmp_path / "study" / "patients.protocol.yaml").read_text(encoding="utf-8")
    assert "site: hosp" in protocol
    assert "surname" not in protocol + (tmp_path / "study" / "patients.dictionary.csv").read_text(encoding="utf-8")


def test_the_way_to_a_journal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Reader(tmp_path).follow(JOURNAL)
    report = tmp_path / "stanford-heart-report"
    assert {path.suffix for path in report.glob("report.*")} == {".html", ".docx", ".pdf"}
    assert "Number style: lancet" in (report / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "plan.docx").exists()
    assert (tmp_path / "shells.docx").exists()


def test_the_looks_that_a_journal_may_ask_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call(["counterpulse", "example", "stanford-heart"])
    protocol = tmp_path / "stanford-heart" / "stanford-heart.protocol.yaml"
    (looks,) = (block.text for block in blocks(JOURNAL) if block.language == "yaml")
    before, _, _ = protocol.read_text(encoding="utf-8").partition("\nreport:")
    protocol.write_text(f"{before}\n{looks}", encoding="utf-8")
    call(["counterpulse", "run", str(protocol)])
    report = tmp_path / "stanford-heart-report"
    assert {path.suffix for path in report.glob("report.*")} == {".docx", ".pdf"}
    assert {path.suffix for path in report.glob("figures/*")} == {".svg", ".png", ".tiff", ".pdf"}
    assert {path.stem for path in report.glob("tables/*.docx")} >= {"table-1", "all-analyses"}
