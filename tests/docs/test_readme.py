"""The README does what it says: its commands, its Python, its numbers."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import polars as pl
import pyreadstat
import pytest
from pages import ROOT, blocks, call, commands

from counterpulse.protocol import read_protocol

PAGE = ROOT / "README.md"
N = 160

COMPLETED = """\
protocol: 1
study: {id: patients, title: Balloon pump and death, design: cohort, registration: none, data_seen_before_plan: no}
data: {table: patients.sav, dictionary: patients.dictionary.csv}
time_zero: {text: ICU admission, counted: yes}
eligibility: {include: [{id: adult, text: Aged 18 years or older, rule: age >= 18, if_unknown: stop}]}
groups: {variable: device, treated: {iabp: Balloon pump}, reference: {none: No balloon pump}, assigned_by: clinician}
outcomes: {death: {label: Death, type: binary, event: died = yes, primary: yes, better: lower}}
confounders: {baseline: [age]}
missing_data: {method: complete-case}
seed: 1
analyses: [{id: A1, role: primary, outcome: death, method: logistic-regression, adjust: baseline}]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder that holds the reader's `patients.sav`: dummies."""
    random = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "device": np.where(random.random(N) < 0.4, "iabp", "none"),
            "age": random.integers(30, 85, N).astype(float),
            "died": random.integers(0, 2, N).astype(float),
        }
    )
    pyreadstat.write_sav(frame, str(tmp_path / "patients.sav"), variable_value_labels={"died": {0: "no", 1: "yes"}})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_runs(folder):
    for block in blocks(PAGE):
        for words in commands(block.text) if block.language == "sh" else ():
            if words[0] == "pip":
                continue
            said = call(words)
            assert " error " not in said, said
            assert words[1] != "run" or "\nReport: " in said, said
            if words[1] == "init":  # the reader completes the draft
                (folder / "patients.protocol.yaml").write_text(COMPLETED, encoding="utf-8")
    assert "odds ratio of iabp against none" in said  # the last command explains it


def test_the_numbers_of_the_example_are_those_it_gives(folder):
    call(["counterpulse", "example", "stanford-heart"])
    call(["counterpulse", "run", "stanford-heart/stanford-heart.protocol.yaml", "--only", "A1,S1"])
    rows = json.loads((folder / "stanford-heart-report" / "results.json").read_text(encoding="utf-8"))["estimates"]
    honest, naive = (
        next(row for row in rows if row["analysis"] == analysis and row["term"] == "yes") for analysis in ("A1", "S1")
    )
    text = PAGE.read_text(encoding="utf-8")
    assert f"hazard ratio {naive['estimate']:.2f}" in text
    assert f"({honest['estimate']:.2f}, 95% CI {honest['conf_low']:.2f} to {honest['conf_high']:.2f})" in text


def test_the_protocol_shown_is_part_of_one(folder):
    call(["counterpulse", "example", "stanford-heart"])
    shipped = (folder / "stanford-heart" / "stanford-heart.protocol.yaml").read_text(encoding="utf-8")
    (shown,) = [block.text for block in blocks(PAGE) if block.language == "yaml"]
    head = shipped[: shipped.index("# ---- WHO")]
    variables = shipped[shipped.index("follow_up:") : shipped.index("# ---- WHAT")]
    place = folder / "stanford-heart" / "shown.protocol.yaml"
    place.write_text(head + shown + variables + "missing_data: {method: complete-case}\n", encoding="utf-8")
    assert len(read_protocol(place).nodes.analyses) == len(re.findall(r"^  - \{id:", shown, re.MULTILINE))
    said = call(["counterpulse", "check", str(place)])
    assert said.endswith(("No findings.\n", "0 errors, 1 warning.\n")), said  # S1 states no estimand (W262)


def test_the_python_runs(folder, shared_path, capsys):
    shutil.copy(shared_path("data/lung.csv"), folder / "lung.csv")
    (code,) = [block.text for block in blocks(PAGE) if block.language == "python"]
    exec(compile(code, PAGE.name, "exec"), {})
    assert "ph.ecog" in capsys.readouterr().out
