"""The tutorial of the rehearsal, followed to the letter in an empty folder."""

from __future__ import annotations

import json

from pages import ROOT, Reader

PAGE = ROOT / "docs" / "tutorial" / "rehearse.md"


def test_the_rehearsal_shows_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Reader(tmp_path).follow(PAGE)
    found = json.loads((tmp_path / "rehearsal" / "rehearsal.json").read_text(encoding="utf-8"))
    rows = {}
    for block in found["blocks"]:
        columns = block["columns"]
        for index, of in enumerate(columns["of"]):
            rows[of, columns["scenario"][index]] = {name: values[index] for name, values in columns.items()}
    naive, answer = (rows[f"{name}.death.yes.hazard-ratio", "no effect"] for name in ("S1", "A1"))
    assert 0.4 < naive["mean"] < 0.6
    assert naive["power"] > 0.5
    assert abs(answer["bias"]) < 4 * answer["bias_error"]
    early = rows["S2.landmark-30-days.death.yes.hazard-ratio", "hazard ratio 0.5"]
    assert early["bias"] > 2 * early["bias_error"]
    assert "S1" in {item["analysis"] for item in found["biased"]}
    assert (tmp_path / "rehearsal" / "report.pdf").is_file()
