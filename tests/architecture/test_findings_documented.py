"""Every code that the program writes has its row in the reference, and the reference holds no other."""

from __future__ import annotations

import re

from source_tree import ROOT, SRC

REFERENCE = ROOT / "docs" / "reference" / "findings.md"
CODE_IN_SOURCE = re.compile(r'"([EW][1-8]\d\d)"')
ROW = re.compile(r"^\| ([EW]\d{3}) \| .+ \| .+ \|$", re.MULTILINE)


def test_every_code_has_its_row():
    used = {code for path in SRC.rglob("*.py") for code in CODE_IN_SOURCE.findall(path.read_text(encoding="utf-8"))}
    assert used - set(ROW.findall(REFERENCE.read_text(encoding="utf-8"))) == set()


def test_no_row_is_of_a_code_that_nobody_writes():
    used = {code for path in SRC.rglob("*.py") for code in CODE_IN_SOURCE.findall(path.read_text(encoding="utf-8"))}
    assert set(ROW.findall(REFERENCE.read_text(encoding="utf-8"))) - used == set()


def test_a_code_has_one_row():
    rows = ROW.findall(REFERENCE.read_text(encoding="utf-8"))
    assert len(rows) == len(set(rows))
