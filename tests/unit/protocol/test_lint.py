from __future__ import annotations

import pytest

from counterpulse.data.dictionary_reader import read_dictionary
from counterpulse.protocol.lint import lint
from counterpulse.protocol.read import read_protocol


def codes(findings):
    return [finding.code for finding in findings]


@pytest.fixture
def trial(registry):
    """The registry protocol as a randomized trial."""
    text = registry.replace("design: cohort", "design: randomized-trial")
    text = text.replace(
        "reference: {none: No balloon pump}", "reference: {none: No balloon pump}\n  assigned_by: randomization"
    )
    return text.replace(
        "exposure: {given: pump, starts: pump_time}\nimmortal_time: {plan: landmark, at: 24 hours}\n", ""
    )


def test_the_drafts_hold_no_errors(shared_path):
    for name in ("ecls_registry_iabp", "altshock2"):
        protocol = read_protocol(shared_path(f"protocols/{name}.protocol.yaml"))
        dictionary = read_dictionary(shared_path(f"protocols/{name}.dictionary.csv"))
        assert set(codes(lint(protocol, dictionary))) <= {"W262"}


def test_a_trial_has_no_findings(trial, linted):
    assert codes(linted(trial)) == []


def test_p_values_in_table_one_of_a_trial_are_refused(trial, linted):
    assert codes(linted(trial.replace("p_values: no", "p_values: yes"))) == ["E265"]


def test_p_values_in_table_one_of_a_cohort_are_not(registry, linted):
    assert codes(linted(registry.replace("p_values: no", "p_values: yes"))) == []


def test_a_seed_for_the_allocation_is_refused(trial, linted):
    text = trial + "trial: {randomization: {method: blocks, seed: 20250301}}\n"
    assert codes(linted(text)) == ["E266"]


def test_assignment_and_design_agree(registry, trial, linted):
    assert codes(linted(trial.replace("\n  assigned_by: randomization", ""))) == ["E241"]
    assert codes(linted(registry.replace("treated: {", "assigned_by: randomization\n  treated: {"))) == ["E241"]


def test_a_margin_belongs_to_non_inferiority(trial, linted):
    assert codes(linted(trial + "hypothesis: {type: non-inferiority, on: risk difference}\n")) == ["E270"]


def test_alpha_is_written_once(trial, linted):
    assert codes(linted(trial + "hypothesis: {type: superiority, alpha: 0.025}\n")) == ["E271"]


COUNTED = {
    "time_zero: ecmo_start": "time_zero: {text: Cannulation, counted: yes}",
    "follow_up: {death: death_time, discharge: discharge_time, after_discharge: alive}\n": "",
    "event: death, horizon: 30 days": "time: icu_days, event: died = yes, horizon: 30 days",
    "exposure: {given: pump, starts: pump_time}": "exposure: {given: pump, starts: icu_days}",
}


def counted(text):
    for old, new in COUNTED.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_table_of_durations_is_enough(registry, linted):
    assert codes(linted(counted(registry))) == []


def test_a_table_of_durations_needs_a_plan_for_immortal_time(registry, linted):
    text = counted(registry).replace("immortal_time: {plan: landmark, at: 24 hours}\n", "")
    assert codes(linted(text)) == ["E242"]


def test_a_time_from_dates_needs_a_date_as_day_zero(registry, linted):
    text = registry.replace("time_zero: ecmo_start", "time_zero: {text: Cannulation, counted: yes}")
    assert codes(linted(text)) == ["E253"]


def test_an_unknown_start_of_treatment_is_said(changed, linted):
    assert codes(linted(changed("starts: pump_time}", "starts: pump_time, timing: unknown}"))) == ["W246"]


def test_an_event_without_time_is_a_date(changed, linted):
    assert codes(linted(changed("event: death, horizon", "event: died, horizon"))) == ["E409"]


def test_alive_after_discharge_needs_a_horizon(changed, linted):
    assert codes(linted(changed("event: death, horizon: 30 days", "event: death"))) == ["E253"]


def test_a_level_may_be_meant_by_its_label(changed, linted):
    text = changed("variable: pump_after\n  treated: {pump: Balloon pump}\n  reference: {none: No balloon pump}",
                   "variable: sex\n  treated: {Female: Women}\n  reference: {M: Men}")  # fmt: skip
    (finding,) = linted(text)
    assert (finding.code, finding.remedy) == ("E235", "did you mean F?")


def test_a_yes_no_variable_has_the_levels_yes_and_no(changed, linted):
    new = "variable: pump\n  treated: {1: Pump}\n  reference: {no: None}"
    old = "variable: pump_after\n  treated: {pump: Balloon pump}\n  reference: {none: No balloon pump}"
    (finding,) = linted(changed(old, new))
    assert (finding.code, finding.allowed) == ("E235", "yes, no")


def test_the_place_of_a_problem_in_a_folded_rule_is_the_start_of_the_rule(changed, linted):
    text = changed(
        "rule: pump = yes and hours from ecmo_start to pump_time < 0",
        "rule: >-\n        pump = yes\n        and agee > 3",
    )
    (finding,) = linted(text)
    assert finding.code == "E402"
    assert finding.where.column == 13


def test_spans_that_may_be_negative_are_passed_on(changed, linted):
    text = changed("to pump_time < 0", "to pump_time <= 24")
    assert codes(linted(text)) == ["W451"]


def test_analyses_that_differ_from_each_other_are_a_circle(changed, linted):
    text = changed("outcome: death_hospital\n    method", "of: S1\n    outcome: death_hospital\n    method")
    assert codes(linted(text)).count("E230") == 2


def test_a_promise_that_an_amendment_broke(changed, linted):
    text = changed("role: primary\n", "role: primary\n    planned: stated\n")
    assert codes(linted(text)) == ["W268"]


def test_composites_are_of_columns_of_their_kind(changed, linted):
    assert codes(linted(changed("any_of: {gi: Gastrointestinal,", "any_of: {age: Age,"))) == ["E238"]
    assert codes(linted(changed("any_of: {gi: Gastrointestinal, cannula: Cannulation site}", "first_of: [death, gi]"))) == [
        "E253", "E238",
    ]  # fmt: skip


def test_names_in_lists_are_looked_up(registry, linted):
    text = (
        registry
        + "table1: {variables: [age, shoe_size]}\nmissing_data: {method: multiple-imputation, variables: [hat]}\n"
    )
    assert codes(linted(text)) == ["E232", "E232"]


def test_a_review_is_not_asked_for_patients(read, dictionary):
    text = """\
protocol: 1
study: {id: r, title: A review, design: review}
data: {table: t.csv, dictionary: d.csv, one_row_per: effect}
analyses:
  - {id: M1, role: primary, outcome: death, model: random}
"""
    assert codes(lint(read(text), dictionary)) == ["E801"]  # what it asks is missing, and nothing of patients is


def test_a_level_is_not_treated_and_reference(changed, linted):
    assert codes(linted(changed("reference: {none: No balloon pump}", "reference: {pump: Balloon pump}"))) == ["E241"]


def test_a_horizon_is_longer_than_nothing(changed, linted):
    assert "E253" in codes(linted(changed("horizon: 30 days", "horizon: 0 days")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reference: {none: No balloon pump}", "reference: {none: '  '}"),
        ("reference: {none: No balloon pump}", 'reference: {none: "\\u200b"}'),
        ("label: In-hospital death", "label: ''"),
        ("text: Aged 18 years or older", "text: ' '"),
    ],
)
def test_what_a_report_is_read_by_has_words(registry, linted, old, new):
    assert old in registry
    assert codes(linted(registry.replace(old, new))) == ["E247"]


def test_two_groups_have_two_labels(registry, linted):
    label = registry.partition("treated: {pump: ")[2].partition("}")[0]
    assert codes(linted(registry.replace("{none: No balloon pump}", f"{{none: ' {label.upper()} '}}"))) == ["E247"]
