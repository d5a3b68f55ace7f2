import pytest


def named(registry, words):
    return registry.replace("design: cohort\n", f"design: cohort\n  reporting: {words}\n", 1)


@pytest.mark.parametrize("words", ["STROBE", "[strobe, RECORD]", "[CONSORT 2025, PRISMA-2020, target]"])
def test_guidelines_that_are_known(registry, linted, words):
    assert [item.code for item in linted(named(registry, words)) if item.code == "W236"] == []


def test_an_unknown_guideline_is_told_with_a_suggestion(registry, linted):
    (finding,) = [item for item in linted(named(registry, "[STROBE, STORBE]")) if item.code == "W236"]
    assert "STORBE" in finding.seen
    assert "STROBE" in finding.remedy
    assert "TARGET" in finding.allowed


def test_an_earlier_version_is_not_taken_for_the_one_that_is_filled_in(registry, linted):
    assert "W236" in [item.code for item in linted(named(registry, "CONSORT 2010"))]
