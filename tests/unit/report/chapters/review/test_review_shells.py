"""The empty tables and figures of a review show no judgment and no number."""

from __future__ import annotations

from counterpulse.cli.main import invoke


def test_plan_and_shells_are_written(bcg_protocol, tmp_path):
    plan, shells = tmp_path / "plan.html", tmp_path / "shells.html"
    assert invoke(["plan", str(bcg_protocol), "--sap", str(plan), "--shells", str(shells)]) == 0
    text = shells.read_text(encoding="utf-8")
    assert "SHELL: no data" in text
    assert "Ratio of odds ratios" in text
    assert "+ Low" not in text
    assert "Statistical analysis plan" in plan.read_text(encoding="utf-8")
