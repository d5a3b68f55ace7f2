"""The generated part of the reference says what the program does now."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from counterpulse.expression import Symbol, parse, to_english, to_polars

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def make_reference():
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_program_says(make_reference):
    text = make_reference.PAGE.read_text(encoding="utf-8")
    assert make_reference.page(text) == text, "run  python docs/make_reference.py"


def test_every_link_inside_the_reference_leads_somewhere(make_reference):
    text = make_reference.PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


SCOPE = {
    symbol.name: symbol
    for symbol in (
        Symbol("age", "number", "Age", "y"),
        Symbol("lactate", "number", "Lactate", "mmol/L"),
        Symbol("weight", "number", "Weight", "kg"),
        Symbol("height", "number", "Height", "cm"),
        Symbol("pregnant", "yesno", "Pregnant"),
        Symbol("iabp", "yesno", "Balloon pump"),
        Symbol("scai", "ordinal", "SCAI stage", None, {code: code for code in "ABCDE"}),
        Symbol("sex", "category", "Sex", None, {"F": "Female", "M": "Male"}),
        Symbol("ecmo_start", "datetime", "ECMO started"),
        Symbol("iabp_time", "datetime", "Balloon pump inserted"),
        Symbol("mi_date", "date", "Infarction"),
    )
}


def test_every_expression_of_the_table_is_one_and_reads_as_it_says():
    section = (
        (DOCS / "reference" / "language.md").read_text(encoding="utf-8").split("## Rules", 1)[1].split("\n## ", 1)[0]
    )
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|", section, re.MULTILINE)
    assert len(rows) >= 12
    for rule, words in rows:
        tree = parse(rule.replace("\\|", "|"))
        to_polars(tree, SCOPE)
        assert to_english(tree, SCOPE) == words
