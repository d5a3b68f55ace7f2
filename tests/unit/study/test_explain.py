import json

import pytest

from counterpulse.errors import UsageError
from counterpulse.results.bundle import to_bytes, write_bundle
from counterpulse.results.on_disk import to_json
from counterpulse.study.explain import explain_number, explanation_text, read_result
from counterpulse.study.run import run

PATIENTS = [
    {"device": "pump" if number % 2 else "none", "died": "yes" if number % 3 == 0 else "no", "age": str(15 + number)}
    for number in range(40)
]
KEYS = {
    "eligibility": "{include: [{id: adult, text: Adult, rule: age >= 18, if_unknown: stop}]}",
    "analyses": "[{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age]}]",
    "subgroups": "{of: A1, by: [{variable: age, cut: 30}]}",
}


@pytest.fixture
def bundle(written, tmp_path):
    """What explaining reads, without the report."""
    result = run(written.plan(**KEYS), written.table(*PATIENTS))
    files = {"results.json": to_bytes(to_json(result)), "plan.json": to_bytes(result.plan)}
    return write_bundle(tmp_path / "out", files, identity={}).directory, result


def test_an_estimate_is_explained_with_its_patients_choices_and_sources(bundle):
    directory, result = bundle
    found = explain_number(directory, "A1.died.pump.odds-ratio")
    assert found["kind"] == "estimate"
    assert found["row"]["n"] == result.estimates[0].n
    assert found["outcome"]["label"] == "Died"
    assert [step["id"] for step in found["flow"]] == ["read", "eligible", "analyzed.A1"]
    text = explanation_text(found)
    assert f"{found['row']['estimate']!r}" in text
    assert "choice    method: logistic-regression (given)" in text
    assert text.count("source    ") == len(found["citations"]) > 0


def test_a_box_of_the_flow_is_explained_with_its_rule(bundle):
    text = explanation_text(explain_number(bundle[0], "include.adult"))
    assert "Adult: 3" in text
    assert "rule      age >= 18" in text
    assert "then: stop" in text


def test_a_block_and_an_analysis_are_explained(bundle):
    assert explain_number(bundle[0], "A1.died.forest")["kind"] == "block"
    assert explain_number(bundle[0], "A1")["kind"] == "analysis"
    for number in ("A1.died.forest", "A1"):
        assert "made of   as observed + logistic regression" in explanation_text(explain_number(bundle[0], number))


def test_every_number_of_a_bundle_can_be_explained(bundle):
    directory, _ = bundle
    results = json.loads((directory / "results.json").read_bytes())
    for key in ("estimates", "flow", "blocks", "analyses"):
        for row in results[key]:
            assert explanation_text(explain_number(directory, row["id"])).startswith(row["id"])


def test_an_unknown_number_is_answered_with_the_nearest(bundle):
    with pytest.raises(UsageError, match=r"A1\.died\.pump\.odds-ratio"):
        explain_number(bundle[0], "A1.died.pump.odd-ratio")


def test_a_result_is_read_back_with_its_plan(bundle):
    directory, result = bundle
    again = read_result(directory)
    assert to_json(again) == to_json(result)
    assert to_bytes(again.plan) == to_bytes(result.plan)
