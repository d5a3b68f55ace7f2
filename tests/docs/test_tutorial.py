"""The tutorial, followed to the letter in an empty folder."""

from __future__ import annotations

import json

from pages import ROOT, Reader

PAGE = ROOT / "docs" / "tutorial" / "first-study.md"


def test_the_tutorial_does_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Reader(tmp_path).follow(PAGE)
    results = json.loads((tmp_path / "registry-report" / "results.json").read_text(encoding="utf-8"))
    assert results["data_kind"] == "mock"
    assert {row["analysis"] for row in results["estimates"]} == {"A1", "A2", "K1"}
    assert (tmp_path / "registry-report" / "report.html").exists()
