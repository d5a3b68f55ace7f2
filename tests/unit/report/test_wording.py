from __future__ import annotations

import pytest

from counterpulse.report.chapters.wording import anchor, inside, proper, sentence
from counterpulse.report.measures import measure_of


@pytest.mark.parametrize("words", ["a b", "患者", "é", "x" * 300, "=cmd/../.."])
def test_names_of_figures_are_plain_and_differ(words):
    name = anchor(words)
    assert name.isascii()
    assert name.replace("-", "").replace("_", "").isalnum()
    assert len(name) < 90
    assert name != anchor(words + "!")


def test_a_plain_name_stays():
    assert anchor("curve-A3-death_30d") == "curve-A3-death_30d"


def test_words_in_a_sentence():
    assert inside("Accepted for transplantation") == "accepted for transplantation"
    assert inside("ECMO start") == "ECMO start"
    assert sentence("odds ratios were estimated") == "Odds ratios were estimated"
    assert proper("mann-whitney exact below 50") == "Mann-Whitney exact below 50"
    assert proper("welch anova") == "Welch ANOVA"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("odds ratio", "ratio"), ("geometric mean ratio", "ratio"), ("risk difference", "points"), ("slope difference", "difference"),
     ("median survival time", "value"), ("test of curves", "test"), ("restricted mean survival", "probability"), ("risk", "probability")],
)  # fmt: skip
def test_measures_are_read_by_their_name(name, kind):
    assert measure_of(name).kind == kind
