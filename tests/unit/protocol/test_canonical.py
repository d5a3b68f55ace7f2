"""What changes a protocol's digest, and what does not."""

from __future__ import annotations

import json

import pytest

from counterpulse.protocol.canonical import canonical_json, canonical_rule

SAME = {
    "a comment": ("alpha: 0.05", "# total, two-sided\nalpha: 0.05   # as usual"),
    "spaces": ("{plan: landmark, at: 24 hours}", "{ plan:   landmark,  at: 24 hours }"),
    "the order of keys": ("{small_cells: 5}", "{small_cells: 5}\nseed: 20250301"),
    "true for yes": ("primary: yes", "primary: true"),
    "a default written out": ("variable: center_id, as: robust", "variable: center_id"),
    "the spelling of a rule": ("rule: age >= 18, if", "rule: ((age>=18.0)), if"),
    "a rule in quotes": ("rule: age >= 18, if", 'rule: "age >= 18", if'),
    "the spelling of a time": ("at: 24 hours", "at: [24 hour]"),
    "the table": ("table: registry.csv", "table: other.xlsx"),
    "the sheet": ("table: registry.csv", "table: registry.csv, sheet: Patients"),
    "mock data": ("table: registry.csv", "table: registry.csv, kind: mock"),
    "the dictionary": ("dictionary: registry.dictionary.csv", "dictionary: d.csv"),
    "the style": ("style: jama", "style: lancet"),
    "an option that is false": ("also: [cox]", "also: [cox], refit: no"),
}
OTHER = {
    "a rule": ("rule: age >= 18, if", "rule: age > 18, if"),
    "a wording": ("Aged 18 years or older", "Adults"),
    "a policy": ("if_unknown: keep-patient", "if_unknown: remove-patient"),
    "a landmark": ("at: 24 hours", "at: 48 hours"),
    "a covariate": ("[age, sex, {", "[age, {"),
    "alpha": ("alpha: 0.05", "alpha: 0.025"),
    "privacy": ("small_cells: 5", "small_cells: 10"),
    "the order of criteria": ("include:\n", "include:\n    - {id: x, text: Known age, rule: age is known}\n"),
}


def test_the_canonical_form_is_sorted_json_without_binding_and_looks(registry, read):
    tree = json.loads(canonical_json(read(registry).nodes))
    assert list(tree) == sorted(tree)
    assert "report" not in tree
    assert tree["data"] == {"id": "patient_id", "site": "center_id"}
    assert tree["populations"]["everybody"] == {"rule": "age is known", "default": "yes"}


@pytest.mark.parametrize("name", SAME)
def test_the_digest_stays(name, registry, changed, read):
    if name == "the order of keys":
        text = changed("seed: 20250301\n", "").replace(*SAME[name])
    elif name == "an option that is false":
        registry, text = changed("also: [cox]", "also: [cox], refit: false"), changed(*SAME[name])
    else:
        text = changed(*SAME[name])
    assert read(text).digest == read(registry).digest


@pytest.mark.parametrize("name", OTHER)
def test_the_digest_changes(name, registry, changed, read):
    assert read(changed(*OTHER[name])).digest != read(registry).digest


def test_british_spelling_is_the_same_protocol(registry, read):
    american = registry.replace("design: cohort", "design: randomized-trial").replace(
        "adults: {rule", "adults: {analyze_as: pump_after, rule"
    )
    british = american.replace("randomized-trial", "randomised-trial").replace("analyze_as", "analyse_as")
    assert read(british).digest == read(american).digest


def test_a_rule_that_cannot_be_read_has_a_canonical_form_too():
    assert canonical_rule("age >= ") == "age >= "
