"""The tutorial of immortal time: its lines, put where the page says, give the numbers of its table."""

from __future__ import annotations

import re
from math import exp

from pages import ROOT, blocks

import counterpulse as cp
from counterpulse import examples
from counterpulse.study.load import read_study

PAGE = ROOT / "docs" / "tutorial" / "immortal-time.md"


def test_the_table_shows_what_the_plans_give(tmp_path):
    path = examples.copy("stanford-heart", tmp_path / "stanford-heart")
    (added,) = [block.text for block in blocks(PAGE) if block.language == "yaml"]
    before, rest = path.read_text(encoding="utf-8").split("subgroups:", 1)
    path.write_text(f"{before}{added}\nsubgroups:{rest}", encoding="utf-8")
    plan, table = read_study(path)
    result = cp.run(plan, table, only=["S1", "A1", "S2", "C1", "C2"])
    rows = [row for row in result.estimates if row.role != "covariate" and row.subgroup is None]
    shown = dict(
        re.findall(
            r"^\| (\w\d) \|.*\| ([\d.]+)(?: \(odds ratio\))? \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert set(shown) == {"S1", "A1", "S2", "C1", "C2"}
    for name, value in shown.items():
        first = next(row for row in rows if row.analysis == name)
        assert f"{exp(first.estimate.value):.2f}" == value
