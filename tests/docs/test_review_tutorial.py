"""The tutorial of a review: its commands give the output it shows, and its sentences the numbers of the run."""

from __future__ import annotations

import json

import pytest
from pages import ROOT, Reader, blocks

from counterpulse import examples

PAGE = ROOT / "docs" / "tutorial" / "a-review.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the page's commands leave behind."""
    folder = tmp_path_factory.mktemp("reader")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Reader(folder).follow(PAGE)
    return folder


def results(folder, name):
    return json.loads((folder / name / "results.json").read_text(encoding="utf-8"))


def test_the_sentences_of_the_trials(folder):
    found = results(folder, "iabp-shock-report")
    rows = {row["analysis"]: row for row in reversed(found["estimates"]) if row["role"] != "covariate"}
    assert f"from {rows['M1']['conf_low']:.2f} to {rows['M1']['conf_high']:.2f}" in TEXT
    assert f"{rows['B1']['conf_low']:.2f} to {rows['B1']['conf_high']:.2f}" in TEXT
    details = found["details"]["S1"]
    assert f"a single trial would need {details['death.required_without_heterogeneity']:,} patients" in TEXT
    assert f"differ as much as these {details['death.required']:,}" in TEXT
    assert f"There are {details['death.participants']:,}." in TEXT


def test_the_sentences_of_the_published_review(folder):
    found = results(folder, "ecpr-iabp-report")
    block = next(block["columns"] for block in found["blocks"] if block["kind"] == "effect-sizes")
    used = block["used"].count("yes")
    assert f"Of the {len(block['used'])} effects in its table here, {used} stand in text" in TEXT
    assert f"the other {len(block['used']) - used}," in TEXT
    row = next(row for row in found["estimates"] if row["analysis"] == "S3" and row["role"] != "covariate")
    assert f"(S3: {row['conf_low']:.2f} to {row['conf_high']:.2f})" in TEXT


def test_lines_shown_of_the_trials_are_those_of_the_example(tmp_path):
    shipped = examples.copy("iabp-shock", tmp_path / "study").read_text(encoding="utf-8")
    first, second, _ = [block.text for block in blocks(PAGE) if block.language == "yaml"]
    assert first in shipped
    assert second in shipped
