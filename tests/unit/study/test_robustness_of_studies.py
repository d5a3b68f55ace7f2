"""Robustness as a protocol asks for it: from its words to its blocks."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from counterpulse import robustness
from counterpulse.errors import ProtocolError
from counterpulse.protocol.plan import PlannedShift
from counterpulse.protocol.plan_on_disk import plan_from_json, plan_to_json
from counterpulse.results import EstimateRow
from counterpulse.results.on_disk import to_json
from counterpulse.results.wald import wald_estimate
from counterpulse.study.planning.plan_text import plan_as_text
from counterpulse.study.request import Answer
from counterpulse.study.robustness.e_values import e_value_answer
from counterpulse.study.robustness.questions import effects
from counterpulse.study.robustness.tipping import tipping_answer
from counterpulse.study.run import run

EXACT = 1e-12  # relative; closed forms

OUTCOMES = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes},
  bled: {label: Bled, type: binary, event: bled = yes, better: lower}}"""
ADJUSTED = (
    "[{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age, sex], also: [risk difference]}]"
)
MULTIVERSE = """{of: A1, vary: {Adjustment: {full: {}, age: {adjust: [age]}, none: {adjust: none}},
  Patients: {all: {}, women: {keep: sex = "F"}}}}"""


def patients(n=240, *, rare=False):
    random = np.random.default_rng(20260101)
    found = []
    for number in range(n):
        age, treated = int(random.integers(40, 80)), bool(random.random() < 0.4)
        risk = (0.06 if rare else 0.25) + 0.004 * (age - 40) * (not rare) + 0.1 * treated
        found.append(
            {
                "device": "pump" if treated else "none", "age": str(age), "sex": "F" if number % 2 else "M",
                "died": "yes" if random.random() < risk else "no", "bled": "yes" if random.random() < 0.3 + 0.25 * treated else "no",
            }
        )  # fmt: skip
    return found


def block(result, kind):
    found = [item for item in result.blocks if item.kind == kind]
    assert len(found) == 1, [item.id for item in found]
    return found[0]


# -- E-values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rare", [False, True])
def test_an_outcome_is_rare_or_common_by_its_observed_risk(written, rare):
    result = run(written.plan(outcomes=OUTCOMES, analyses=ADJUSTED), written.table(*patients(rare=rare)))
    odds, difference = block(result, "e-value").rows()
    row = next(row for row in result.estimates if row.id == odds["of"])
    assert odds["risk"] == pytest.approx(row.events / row.n, rel=EXACT)
    assert odds["common"] == ("rare" if row.events / row.n < 0.15 else "common") == ("rare" if rare else "common")
    expected = robustness.e_value(row.estimate, measure="odds ratio", risk=row.events / row.n)
    assert (odds["e_value"], odds["e_value_limit"]) == (expected.value, expected.limit)
    standardized = next(
        row for row in result.estimates if (row.estimate.measure, row.estimate.term) == ("risk", "none")
    )
    assert difference["measure"] == "risk difference"
    assert difference["risk"] == pytest.approx(standardized.estimate.natural().value, rel=EXACT)


def test_neither_trials_nor_unadjusted_effects_have_e_values_unless_a_trial_asks(written):
    plain = "[{id: A1, role: primary, outcome: died, method: two-proportions}]"
    assert not kinds(run(written.plan(outcomes=OUTCOMES, analyses=plain), written.table(*patients()))) & {"e-value"}
    sensitivity = f"{ADJUSTED[:-1]}, {{id: S1, role: sensitivity, of: A1, adjust: [age]}}]"
    result = run(written.plan(outcomes=OUTCOMES, analyses=sensitivity), written.table(*patients()))
    assert [item.analysis for item in result.blocks if item.kind == "e-value"] == ["A1"]
    refused = run(
        written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, robustness="{e_values: no}"), written.table(*patients())
    )
    assert "e-value" not in kinds(refused)
    trial = {
        "study": "{id: s, title: A study, design: randomized-trial, registration: none, data_seen_before_plan: yes}",
        "groups": "{variable: device, treated: {pump: Pump}, reference: {none: No pump}, assigned_by: randomization}",
    }
    assert not written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, **trial).robustness.e_values
    assert written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, **trial, robustness="{e_values: yes}").robustness.e_values


def test_the_share_of_cases_in_a_case_control_study_is_no_risk(written):
    study = "{id: s, title: A study, design: case-control, registration: none, data_seen_before_plan: yes}"
    analyses = "[{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age]}]"
    result = run(written.plan(outcomes=OUTCOMES, analyses=analyses, study=study), written.table(*patients()))
    assert "e-value" not in kinds(result)
    assert "W666" in {notice.code for notice in result.warnings}


def kinds(result):
    return {item.kind for item in result.blocks}


# -- multiverse --------------------------------------------------------------------------------------------------------


def test_every_combination_is_resolved_and_estimated_like_an_analysis(written):
    further = '{id: S1, role: sensitivity, of: A1, adjust: [age], keep: sex = "F"}'
    plan = written.plan(outcomes=OUTCOMES, analyses=f"{ADJUSTED[:-1]}, {further}]", multiverse=MULTIVERSE)
    table = written.table(*patients())
    result = run(plan, table)
    found = block(result, "specification-curve")
    assert found.id == "A1.died.specification-curve"
    rows = found.rows()
    assert len(rows) == 12, "six combinations of two choices"
    choices = {}
    for row in rows:
        choices.setdefault(row["specification"], {"row": row})[row["choice"]] = row["option"]
    estimates = {
        row.analysis: row
        for row in result.estimates
        if row.estimate.measure == "odds ratio" and row.role != "covariate"
    }
    assert set(estimates) == {"A1", "S1"}, "no row of a single combination"
    main = [item for item in choices.values() if item["row"]["main"] == "yes"]
    assert [(item["Adjustment"], item["Patients"]) for item in main] == [("full", "all")]
    assert main[0]["row"]["estimate"] == exp(estimates["A1"].estimate.value)
    same = next(item["row"] for item in choices.values() if (item["Adjustment"], item["Patients"]) == ("age", "women"))
    assert same["estimate"] == pytest.approx(exp(estimates["S1"].estimate.value), rel=EXACT)
    assert (same["n"], same["events"]) == (estimates["S1"].n, estimates["S1"].events)
    assert to_json(run(plan, table, jobs=4)) == to_json(result)
    assert plan_from_json(plan_to_json(plan)) == plan
    text = plan_as_text(plan)
    assert "Multiverse of A1: 6 combinations" in text
    assert text.count("(as planned)") == 1


def test_a_combination_that_cannot_be_estimated_is_data(written):
    multiverse = "{of: A1, vary: {Patients: {all: {}, nobody: {keep: age > 119}}}}"
    result = run(written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, multiverse=multiverse), written.table(*patients()))
    rows = block(result, "specification-curve").rows()
    assert [(row["option"], row["estimate"] is None) for row in rows] == [("all", False), ("nobody", True)]
    assert any(notice.code == "W663" and "1 of 2" in notice.text for notice in result.warnings)


@pytest.mark.parametrize(
    ("vary", "code"),
    [
        ("{Measure: {or: {}, rd: {estimand: {contrast: risk difference}}}}", "E668"),
        ("{Method: {logistic: {}, plain: {method: two-proportions, adjust: none}}}", "E668"),
        ("{Outcome: {died: {}, bled: {outcome: bled}}}", "E668"),
        ("{Adjustment: {full: {}}}", "E669"),
        ("{Adjustment: {full: {}, age: {adjust: [age]}}, Covariates: {full: {}, sex: {adjust: [sex]}}}", "E669"),
        ("{" + ", ".join(f"C{k}: {{a: {{}}, b: {{}}}}" for k in range(9)) + "}", "E669"),
        ("{Adjustment: {full: {}, age: {adjust: [agee]}}}", "E232"),
        ("{Patients: {all: {}, some: {keep: agee > 3}}}", "E402"),
        ("{Ties: {usual: {}, other: {ties: breslow}}}", "E610"),
    ],
)
def test_what_a_multiverse_cannot_be(written, vary, code):
    found = written.codes(outcomes=OUTCOMES, analyses=ADJUSTED, multiverse=f"{{of: A1, vary: {vary}}}")
    assert found == [code]


def test_a_multiverse_without_the_planned_analysis_is_told(written):
    multiverse = "{of: A1, vary: {Adjustment: {age: {adjust: [age]}, none: {adjust: none}}}}"
    plan, findings = written.drafted(outcomes=OUTCOMES, analyses=ADJUSTED, multiverse=multiverse)
    assert "W662" in {finding.code for finding in findings}
    rows = block(run(plan, written.table(*patients())), "specification-curve").rows()
    assert {row["main"] for row in rows} == {"no"}


def test_an_option_that_is_the_planned_one_in_other_words_is_not_a_second_main_one(written):
    multiverse = "{of: A1, vary: {Adjustment: {planned: {}, again: {adjust: [age, sex]}}}}"
    result = run(written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, multiverse=multiverse), written.table(*patients()))
    rows = block(result, "specification-curve").rows()
    assert [(row["option"], row["main"]) for row in rows] == [("planned", "yes"), ("again", "no")]
    assert rows[0]["estimate"] == rows[1]["estimate"]


# -- negative controls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("marked", [True, False])
def test_the_primary_analysis_is_repeated_on_a_negative_control(written, marked):
    outcomes = OUTCOMES.replace("bled = yes,", "bled = yes, negative_control: yes,") if marked else OUTCOMES
    more = {} if marked else {"robustness": "{negative_controls: bled}"}
    analyses = (
        f"{ADJUSTED[:-1]}, {{id: A2, role: secondary, outcome: bled, method: logistic-regression, adjust: [age, sex]}}]"
    )
    result = run(written.plan(outcomes=outcomes, analyses=analyses, **more), written.table(*patients()))
    effect, control, corrected = block(result, "negative-control").rows()
    assert [row["role"] for row in (effect, control, corrected)] == ["effect", "control", "corrected"]
    odds = {
        row.analysis: row
        for row in result.estimates
        if row.estimate.measure == "odds ratio" and row.role != "covariate"
    }
    assert effect["estimate"] == exp(odds["A1"].estimate.value)
    assert control["estimate"] == pytest.approx(exp(odds["A2"].estimate.value), rel=EXACT)
    assert log(corrected["estimate"]) == pytest.approx(odds["A1"].estimate.value - odds["A2"].estimate.value, rel=EXACT)
    biased = control["conf_low"] > 1 or control["conf_high"] < 1
    assert ("W665" in {notice.code for notice in result.warnings}) == biased


def test_the_outcome_of_the_primary_analysis_is_no_negative_control_of_it(written):
    assert written.codes(outcomes=OUTCOMES, analyses=ADJUSTED, robustness="{negative_controls: [died]}") == ["E667"]
    assert written.codes(outcomes=OUTCOMES, analyses=ADJUSTED, robustness="{negative_controls: [dead]}") == ["E233"]


# -- an unmeasured confounder ------------------------------------------------------------------------------------------


def test_a_simple_bias_analysis_is_a_table_of_all_combinations(written):
    confounder = "{prevalence: {treated: [0.4, 0.6], reference: 0.2}, effect: [1.5, 3]}"
    plan = written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, robustness=f"{{unmeasured_confounder: {confounder}}}")
    result = run(plan, written.table(*patients()))
    observed, *rows = block(result, "bias-analysis").rows()
    simple = [row for row in rows if row["kind"] == "simple"]
    assert len(simple) == len([row for row in rows if row["kind"] == "bound"]) == 4
    row = next(row for row in simple if (row["prevalence_treated"], row["effect"]) == ("0.6", "3"))
    assert row["bias_factor"] == pytest.approx((1 + 0.6 * 2) / (1 + 0.2 * 2), rel=EXACT)
    assert row["estimate"] == pytest.approx(observed["estimate"] / row["bias_factor"], rel=EXACT)
    odds = next(row for row in result.estimates if row.id == observed["of"])
    assert observed["estimate"] == pytest.approx(exp(odds.estimate.value) ** 0.5, rel=EXACT), "the outcome is common"
    bound = next(
        row for row in rows if row["kind"] == "bound" and (row["prevalence_treated"], row["effect"]) == ("0.6", "3")
    )
    assert bound["bias_factor"] == pytest.approx(3 * 3 / (3 + 3 - 1), rel=EXACT)


def test_a_probabilistic_bias_analysis_draws_from_ranges_and_is_repeatable(written):
    confounder = "{label: Frailty, prevalence: {treated: '0.4 to 0.6, most likely 0.5', reference: 0.1 to 0.3}, effect: '1.5 to 3, most likely 2 to 2.5'}"
    plan = written.plan(
        outcomes=OUTCOMES, analyses=ADJUSTED, seed="7", robustness=f"{{unmeasured_confounder: {confounder}}}"
    )
    assert plan.robustness.confounder.treated == ((0.4, 0.5, 0.5, 0.6),)
    table = written.table(*patients())
    first, again = (block(run(plan, table), "bias-analysis") for _ in range(2))
    assert first == again
    observed, alone, both = first.rows()
    assert (alone["kind"], both["kind"]) == ("confounding alone", "confounding and chance")
    assert both["conf_low"] < alone["conf_low"] < alone["conf_high"] < both["conf_high"]
    assert alone["estimate"] < observed["estimate"]


@pytest.mark.parametrize(
    "confounder",
    [
        "{prevalence: {treated: [0.4, 1.6], reference: 0.2}, effect: 2}",
        "{prevalence: {treated: 0.6 to 0.4, reference: 0.1 to 0.2}, effect: 2 to 3}",
        "{prevalence: {treated: 0.4 to 0.6, reference: 0.1}, effect: 2 to 3}",
        "{prevalence: {treated: about half, reference: 0.1}, effect: 2}",
    ],
)
def test_an_impossible_confounder_is_refused_when_the_protocol_is_read(written, confounder):
    with pytest.raises(ProtocolError):
        written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, robustness=f"{{unmeasured_confounder: {confounder}}}")


def test_without_groups_there_is_no_effect_to_doubt(written):
    analyses = "[{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age, sex]}]"
    study = "{id: s, title: A study, design: single-arm, registration: none, data_seen_before_plan: yes}"
    found = written.codes(outcomes=OUTCOMES, analyses=analyses, groups="", multiverse=MULTIVERSE, study=study)
    assert found == ["E667"]


# -- shifted imputations -----------------------------------------------------------------------------------------------


def shifted(plan, estimates):
    """The answer of an analysis whose imputed ages were shifted, with these log odds ratios and standard errors."""
    analysis = replace(plan.analyses[0], shifts=tuple(PlannedShift(variable="age", by=by) for by in estimates if by))
    rows = []
    for by, (value, error) in estimates.items():
        estimate = wald_estimate("odds ratio", value, error, 0.95, term="pump", reference="none", scale="log", null=0.0)
        estimate = replace(estimate, variable="device")
        rows.append(
            EstimateRow(
                id=f"A1.age-{by}", analysis="A1", role="primary", outcome="died", population="eligible", estimate=estimate,
                method="logistic-regression", model=f"age {by:+g}" if by else None, n=240, events=80,
            )
        )  # fmt: skip
    return analysis, Answer(rows=tuple(rows))


def test_the_shift_at_which_the_conclusion_tips_is_told(written):
    plan = written.plan(outcomes=OUTCOMES, analyses=ADJUSTED)
    analysis, answer = shifted(plan, {0: (0.5, 0.2), -0.5: (0.6, 0.2), 0.5: (0.42, 0.2), 1: (0.3, 0.2)})
    found = tipping_answer(plan, analysis, answer)
    assert found.blocks[0].id == "A1.died.age.tipping-point"
    assert [row["delta"] for row in found.blocks[0].rows()] == [-0.5, 0, 0.5, 1]
    assert [row["estimate"] for row in found.blocks[0].rows()] == pytest.approx([exp(x) for x in (0.6, 0.5, 0.42, 0.3)])
    assert "this changes at +1 years, where it is across no effect" in found.notices[0].text
    firm = tipping_answer(plan, *shifted(plan, {0: (0.5, 0.2), 0.5: (0.45, 0.2)})).notices[0].text
    assert "no shift that was tried changes that" in firm


def test_a_shifted_effect_has_no_e_value_and_is_in_no_comparison(written):
    plan = written.plan(outcomes=OUTCOMES, analyses=ADJUSTED)
    analysis, answer = shifted(plan, {-1: (0.6, 0.2), 0: (0.5, 0.2), 1: (0.3, 0.2)})
    assert [row.model for row in effects(plan, answer)] == [None]
    assert e_value_answer(plan, analysis, answer).blocks[0].columns["of"] == ("A1.age-0",)


def test_imputed_values_are_shifted_in_a_study(written):
    table = [one | ({"age": ""} if number % 4 == 0 else {}) for number, one in enumerate(patients())]
    missing = "{method: multiple-imputation, datasets: 3, shift: {age: [-30, 0, 30]}}"
    result = run(
        written.plan(outcomes=OUTCOMES, analyses=ADJUSTED, missing_data=missing, seed="7"), written.table(*table)
    )
    rows = block(result, "tipping-point").rows()
    assert [row["delta"] for row in rows] == [-30, 0, 30]
    assert len({row["estimate"] for row in rows}) == 3
    assert "W664" in {notice.code for notice in result.warnings}


def test_the_planned_combination_is_known_also_where_subgroups_add_to_the_imputation(written):
    missing = "{method: multiple-imputation, datasets: 2, iterations: 1}"
    vary = "{Missing values: {imputed: {missing_data: multiple-imputation}, complete: {missing_data: complete-case}}}"
    plan = written.plan(
        outcomes=OUTCOMES, analyses=ADJUSTED.replace("[age, sex]", "[age]"), missing_data=missing, seed="7",
        subgroups="{of: A1, by: [sex]}", multiverse=f"{{of: A1, vary: {vary}}}",
    )  # fmt: skip
    assert [one.main for one in plan.robustness.multiverse.specifications] == [True, False]
