"""The protocol of a review: every key, every slip with its place, and what a review does not have."""

from __future__ import annotations

import pytest
from written_review import REVIEW, REVIEW_SLIPS, review_dictionary, review_findings

from counterpulse.protocol.lint import lint
from counterpulse.protocol.nodes import Question, RiskOfBias


def test_every_key_is_read(read):
    assert [finding.text() for finding in review_findings(read, REVIEW)] == []
    nodes = read(REVIEW).nodes
    assert nodes.effects.convert[1].as_it_is is True
    assert nodes.screening.other_methods.full_text_excluded == 1
    assert nodes.certainty.judged["death"]["indirectness"].rating == "not serious"
    assert nodes.effects.bundles[0].columns == {"design": "plain"}


@pytest.mark.parametrize("name", REVIEW_SLIPS)
def test_every_slip_has_a_place_and_a_remedy(name, read):
    old, new, code = REVIEW_SLIPS[name]
    assert REVIEW.count(old) >= 1
    findings = review_findings(read, REVIEW.replace(old, new, 1))
    assert findings
    assert any(finding.code.startswith(code) for finding in findings)
    for finding in findings:
        assert finding.where.line is not None or finding.code == "E801"
        assert finding.remedy or finding.allowed


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("  measure: odds ratio\n", "  measure: odd ratio\n", "odds ratio"), ("comparator: no pump", "comparater: no pump", "comparator"),
        ("judged: {death:", "judged: {deth:", "death"), ("[selection, comparability]", "[selection, comparabilty]", "comparability"),
        ("role: primary, outcome: death", "role: primary, outcome: deth", "death"), ("shared_control", "shared_contrl", "shared_control"),
    ],
)  # fmt: skip
def test_what_was_meant_is_proposed(read, old, new, meant):
    findings = review_findings(read, REVIEW.replace(old, new, 1))
    assert any(meant in finding.remedy for finding in findings)


def test_a_place_is_the_line_and_column_of_the_word(read):
    (finding,) = review_findings(read, REVIEW.replace("subgroups:", "time_zero: year\nsubgroups:", 1))
    line = REVIEW[: REVIEW.index("subgroups:")].count("\n") + 1
    assert (finding.code, finding.where.line, finding.where.column) == ("E802", line, 1)


def test_a_measure_is_not_converted_into_itself(read):
    text = REVIEW.replace("{from: hazard ratio, control_risk: 0.4}", "{from: odds ratio, control_risk: 0.4}")
    assert not review_findings(read, text)  # the other outcome has another measure
    alone = text.replace(
        "    stay: {label: Days in hospital, measure: mean difference, unit: days, better: lower}\n", ""
    )
    assert [finding.code for finding in review_findings(read, alone)] == ["E805"]


@pytest.mark.parametrize(("without", "codes"), [(("study",), ["E803"]), (("outcome",), ["E803"])])
def test_the_table_has_studies_and_outcomes(read, without, codes):
    assert [finding.code for finding in review_findings(read, REVIEW, review_dictionary(without))] == codes


def test_a_number_that_is_a_text(read):
    assert [
        finding.code for finding in review_findings(read, REVIEW, review_dictionary(kinds={"n_treated": "text"}))
    ] == ["E804"]


@pytest.mark.parametrize("key", ["question", "overlap", "effects", "certainty"])
def test_what_only_a_review_has(registry, read, dictionary, key):
    written = {
        "question": "{population: a, exposure: b, comparator: c, outcomes: [d]}", "overlap": "{registry: center_id}",
        "effects": "{measure: odds ratio, treated: x}", "certainty": "{tool: grade}",
    }[key]  # fmt: skip
    findings = lint(read(f"{registry}{key}: {written}\n"), dictionary)
    assert [finding.code for finding in findings] == ["E802"]


def test_outcomes_may_be_a_list():
    question = Question(population="a", exposure="b", comparator="c", outcomes=["death", "stay"])
    assert list(question.every_outcome) == ["death", "stay"]


def test_one_column_may_stand_alone():
    assert RiskOfBias(tool="other", columns="selection").columns == ("selection",)
