"""A review in its plan: every choice with where it comes from, and what an edit of an analysis keeps."""

import pytest

MORE = (
    "[{id: M1, role: primary, outcome: death, tau2: PM, leave_one_out: yes, influence: yes, cumulative: year, small_study_effects: [egger], "
    "permutation: yes}, {id: M2, role: sensitivity, of: M1, model: mantel-haenszel}, {id: M3, role: sensitivity, of: M1, convention: revman-5.4}]"
)


def choices(analysis):
    return {choice.name: (choice.value, choice.origin, choice.reference) for choice in analysis.choices}


def test_every_choice_has_an_origin_and_what_it_is_from(review):
    found = choices(review.plan().analyses[0])
    assert found["model"] == ("random", "default", None)
    assert found["tau2"] == ("REML", "default", "viechtbauer-2005")
    assert found["interval"] == ("hartung-knapp", "default", "hartung-knapp-2001")
    assert found["zero cells"] == ("0.5 added when: a cell is zero", "default", "sweeting-2004")
    assert found["confidence level"] == (0.95, "derived", None)


def test_what_is_written_is_given(review):
    analyses = "[{id: M1, role: primary, outcome: death, tau2: DL, interval: wald, prediction: HTS}]"
    found = choices(review.plan(analyses=analyses, alpha="0.1").analyses[0])
    assert [found[name][:2] for name in ("tau2", "interval", "prediction")] == [
        ("DL", "given"),
        ("wald", "given"),
        ("HTS", "given"),
    ]
    assert found["confidence level"][0] == 0.9


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("revman-5.4", ("DL", "wald", "none")), ("metafor", ("REML", "wald")), ("cochrane-2025", ("REML", "hartung-knapp")),
    ],
)  # fmt: skip
def test_a_convention_decides_what_is_not_written(review, convention, expected):
    analyses = f"[{{id: M1, role: primary, outcome: death, convention: {convention}}}]"
    found = choices(review.plan(analyses=analyses).analyses[0])
    shown = tuple(found[name][0] for name in ("tau2", "interval", "prediction"))
    assert shown[: len(expected)] == expected
    assert found["tau2"][1] in ("derived", "default")
    written = f"[{{id: M1, role: primary, outcome: death, convention: {convention}, tau2: EB}}]"
    assert choices(review.plan(analyses=written).analyses[0])["tau2"][:2] == ("EB", "given")


def test_an_edit_asks_for_its_effect_only(review):
    first, second, third = review.plan(analyses=MORE).analyses
    assert first.options["leave_one_out"] is True
    assert first.options["small_study_effects"] == ("egger",)
    for edit in (second, third):
        assert edit.options["leave_one_out"] is False
        assert edit.options["influence"] is False
        assert edit.options["permutation"] == "no"
        assert not edit.options["small_study_effects"]
    assert (second.options["tau2"], third.options["tau2"]) == ("PM", "DL")  # a convention replaces what it decides


def test_a_model_of_counts_says_nothing_of_a_variance_it_does_not_have(review):
    _, counted, _ = review.plan(analyses=MORE).analyses
    assert "tau2" not in choices(counted)
    assert "Mantel and Haenszel" in counted.sentence
    assert "variance between studies" not in counted.sentence
    assert choices(counted)["model"][2] == "mantel-haenszel-1959"


def test_the_arms_are_named_as_the_protocol_says(review):
    plan = review.plan(effects="{measure: odds ratio, treated: Balloon pump, control: Control}")
    assert [(group.level, group.label) for group in plan.groups] == [
        ("treated", "Balloon pump"),
        ("control", "Control"),
    ]
    plan = review.plan()
    assert (plan.review.treated, plan.review.control) == ("pump", "no pump")


def test_outcomes_have_measures_of_their_own(review):
    question = "{population: adults, exposure: pump, comparator: none, outcomes: {death: {better: lower}, stay: {measure: mean difference, unit: days}}}"
    plan = review.plan(question=question)
    assert dict(plan.review.measures) == {"death": "odds ratio", "stay": "mean difference"}
    assert [outcome.primary for outcome in plan.outcomes.values()] == [True, False]
    assert plan.outcomes["stay"].label == "stay"


def test_conversions_and_overlap_are_choices(review):
    effects = (
        "{measure: risk ratio, convert: [{from: odds ratio, control_risk: 0.4}, {from: hazard ratio, as_it_is: yes}]}"
    )
    plan = review.plan(effects=effects, overlap="{registry: registry, keep: first}")
    said = [
        choice.value for choice in plan.analyses[0].choices if choice.name in ("conversion", "studies of one registry")
    ]
    assert said == [
        "odds ratio: converted, risk of the control group 0.4",
        "hazard ratio: taken as it is",
        "kept: first",
    ]


def test_subgroups_and_a_multiverse(review):
    keys = {
        "subgroups": "{of: M1, by: [design]}",
        "multiverse": "{of: M1, vary: {Variance: {REML: {}, DL: {tau2: DL}}, Interval: {HK: {}, Wald: {interval: wald}}}}",
    }
    plan = review.plan(**keys)
    assert [item.variable for item in plan.subgroups.by] == ["design"]
    assert "4 combinations of M1" in {choice.value for choice in plan.choices}


@pytest.mark.parametrize(
    ("analysis", "code"),
    [
        ("method: logistic-regression", "E806"), ("method: meta-analyis", "E806"), ("quality_weights: selection", "E807"),
        ("weights: selection", "E807"), ("tau2: XX", "E611"), ("interval: bootstrap", "E611"), ("moderators: [latitude]", "E611"),
        ("cumulative: latitude", "E611"), ("small_study_effects: [eger]", "E611"), ("level: 0.05", "E269"),
    ],
)  # fmt: skip
def test_what_a_review_cannot_do_is_refused(review, analysis, code):
    assert review.codes(analyses=f"[{{id: M1, role: primary, outcome: death, {analysis}}}]") == [code]


def test_a_refusal_proposes_what_was_meant(review):
    _, findings = review.drafted(analyses="[{id: M1, role: primary, outcome: death, method: meta-analyis}]")
    assert "meta-analysis" in findings[0].remedy


def test_weights_of_quality_are_refused_with_another_way(review):
    _, findings = review.drafted(analyses="[{id: M1, role: primary, outcome: death, quality_weights: selection}]")
    assert "design_bias" in findings[0].allowed
    assert findings[0].where.line is not None
