import pytest

START = "subgroups:"
RIGHT = "{death_hospital: {risk: 0.4, within: 30 days, effects: [0.7]}, death_30d: {risk: 0.4}, icu: {mean: 9, sd: 4}}"


def told(registry, linted, outcomes=RIGHT, more=""):
    text = registry.replace(START, f"rehearsal:\n  outcomes: {outcomes}\n{more}{START}", 1)
    assert text != registry
    return [(finding.code, finding.seen) for finding in linted(text)]


def test_right_assumptions_have_no_findings(registry, linted):
    more = "  prognosis: {age: 0.3, sex: {F: -0.2}, obese: 0.4}\n"
    assert told(registry, linted, more=more) == []


@pytest.mark.parametrize(
    ("outcomes", "code", "words"),
    [
        ("{death_hosptal: {risk: 0.4}}", "E233", "death_hosptal"),
        ("{death_hospital: {within: 30 days}}", "E656", "risk"),
        ("{death_hospital: {risk: 0.4}}", "E656", "watched"),
        ("{death_30d: {risk: 0.4, median: 9 days}}", "E656", "once"),
        ("{death_30d: {risk: 0.4, by: 0 days}}", "E656", "time zero itself"),
        ("{icu: {risk: 0.4}}", "E656", "mean"),
        ("{death_30d: {risk: 0.4, effects: -0.3}}", "E658", "ratio"),
        ("{death_30d: {risk: 0.4, effects: [0.7, 0]}}", "E658", "ratio"),
    ],
)
def test_what_cannot_be_simulated_is_told(registry, linted, outcomes, code, words):
    ((found, seen),) = told(registry, linted, outcomes)
    assert found == code
    assert words in seen


@pytest.mark.parametrize(
    ("prognosis", "code"),
    [("{agee: 0.3}", "E232"), ("{age: {F: 0.3}}", "E657"), ("{sex: 0.3}", "E657"), ("{sex: {f: 0.3}}", "E235")],
)
def test_strengths_of_what_is_not_there_are_told(registry, linted, prognosis, code):
    assert [found for found, _ in told(registry, linted, more=f"  prognosis: {prognosis}\n")] == [code]
