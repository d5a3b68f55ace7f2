"""`counterpulse rehearse` through the command line: what it prints, what programs read of it, what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from ward import call

from counterpulse.errors import DONE, PROTOCOL_INVALID, USAGE
from counterpulse.examples import __path__ as examples
from counterpulse.results.block import schema
from counterpulse.study.rehearsing import simulated_patients

ASSUMED = "rehearsal:\n  replicates: 4\n  outcomes:\n    death: {risk: 0.7, by: 1 year, effects: 0.5}\n"


@pytest.fixture(autouse=True)
def few_twins(monkeypatch):
    monkeypatch.setattr(simulated_patients, "TWINS", 1_000)


@pytest.fixture
def protocol(tmp_path):
    shutil.copytree(Path(next(iter(examples))) / "stanford_heart", tmp_path / "study")
    file = tmp_path / "study" / "stanford-heart.protocol.yaml"
    file.write_text(file.read_text(encoding="utf-8") + ASSUMED, encoding="utf-8")
    return file


def test_the_table_and_the_pages(protocol, tmp_path):
    said = call("rehearse", protocol, "--out", tmp_path / "out")
    assert said.code == DONE
    assert "4 simulated studies of 103 patients. No outcome was read." in said.out
    assert "hazard ratio 0.5" in said.out
    assert "Not rehearsed: K1" in said.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.html", "report.docx", "report.pdf", "rehearsal.json", "tables", "manifest.json",
    }  # fmt: skip
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "No outcome was read" in page
    assert "death_date, last_contact" in page
    assert str(tmp_path) not in page


def test_json_holds_blocks_of_their_kind(protocol):
    said = call("rehearse", protocol, "--json", "--replicates", 2, "--seed", 3)
    found = json.loads(said.out)
    assert found["outcomes_read"] == "none"
    assert found["study"]["seed"] == 3
    assert found["replicates"] == 2
    for block in found["blocks"]:
        jsonschema.validate(block, schema("operating-characteristics"))


def test_the_same_bytes_whatever_the_jobs(protocol, tmp_path):
    for jobs in (1, 2):
        call("rehearse", protocol, "--jobs", jobs, "--out", tmp_path / f"out{jobs}")
    for name in ("report.html", "rehearsal.json", "manifest.json"):
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def test_without_assumptions_it_says_what_to_add(protocol):
    protocol.write_text(protocol.read_text(encoding="utf-8").replace(ASSUMED, ""), encoding="utf-8")
    said = call("rehearse", protocol)
    assert said.code == PROTOCOL_INVALID
    assert "E655" in said.err
    assert "rehearsal" in said.err


def test_the_report_of_a_run_is_not_replaced(protocol, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.json").write_text("{}", encoding="utf-8")
    said = call("rehearse", protocol, "--out", tmp_path / "out")
    assert said.code == USAGE
    assert "report of a run" in said.err
