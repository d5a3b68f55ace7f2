import pytest

from counterpulse.errors import DataError
from counterpulse.study.run import rehearse_run, run

CRITERIA = """{include: [{id: adult, text: Adult, rule: age >= 18, if_unknown: remove-patient}],
  exclude: [{id: female, text: Female, rule: 'sex = "F"', if_unknown: keep-patient}]}"""


def codes(error):
    return [finding.code for finding in error.value.findings]


def test_criteria_are_judged_in_order_and_alone(written):
    patients = [
        {"age": "17", "sex": "F"}, {"age": "20", "sex": "F"}, {"age": "20", "sex": "M"}, {"age": "", "sex": "M"},
        {"age": "30", "sex": ""},
    ]  # fmt: skip
    _, cohort = written.cohort(*patients, eligibility=CRITERIA)
    steps = {step.id: step for step in cohort.flow}
    assert [step.id for step in cohort.flow] == ["read", "include.adult", "exclude.female", "eligible"]
    assert (steps["read"].n, steps["eligible"].n) == (5, 2)
    assert (steps["include.adult"].n, steps["include.adult"].n_alone, steps["include.adult"].unknown) == (2, 2, 1)
    assert (steps["exclude.female"].n, steps["exclude.female"].n_alone, steps["exclude.female"].unknown) == (1, 2, 1)
    assert cohort.row_of_origin.tolist() == [2, 4]
    assert cohort.frame["pid"].to_list() == ["3", "5"]


@pytest.mark.parametrize("unknown", [", if_unknown: stop", ""])
def test_blank_values_need_the_word_of_the_researcher(written, unknown):
    criteria = f"{{include: [{{id: adult, text: Adult, rule: age >= 18{unknown}}}]}}"
    with pytest.raises(DataError) as error:
        written.cohort({"age": ""}, {}, eligibility=criteria)
    assert codes(error) == ["E530"]


def test_nobody_is_eligible(written):
    with pytest.raises(DataError) as error:
        written.cohort({"age": "10"}, {"age": "11"}, eligibility=CRITERIA)
    assert codes(error) == ["E531"]
    assert "Adult" in str(error.value)


def test_an_outcome_before_time_zero_is_refused(written):
    outcomes = "{end: {label: End, type: time-to-event, event: death, horizon: 30 days, better: lower, primary: yes}}"
    analyses = "[{id: A1, role: primary, outcome: end, method: kaplan-meier}]"
    with pytest.raises(DataError) as error:
        written.cohort(
            {"death": "2019-12-31"},
            {},
            outcomes=outcomes,
            analyses=analyses,
            follow_up="{death: death, last_seen: seen}",
        )
    assert codes(error) == ["E532"]


def test_a_model_with_blank_values_needs_missing_data(written):
    analyses = "[{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age]}]"
    plan = written.plan(analyses=analyses, missing_data="")
    table = written.table({"age": ""}, {"device": "pump"})
    for carry_out in (rehearse_run, run):
        with pytest.raises(DataError) as error:
            carry_out(plan, table)
        assert codes(error) == ["E533"]
    assert "age (1)" in str(error.value)


def test_groups_that_are_not_compared_are_counted_and_said(written):
    patients = [{"device": "pump"}, {"device": "none"}, {"device": "other"}, {"device": ""}]
    _, cohort = written.cohort(*patients)
    assert cohort.frame["device"].to_list() == ["pump", "none", None, None]
    assert cohort.flow[-1].by_group == {"pump": 1, "none": 1}
    assert [notice.code for notice in cohort.notices] == ["W530"]
    assert "2 patients" in cohort.notices[0].text


def test_populations_know_their_members(written):
    keys = {
        "populations": "{old: {rule: age >= 65, if_unknown: remove-patient}, kept: {rule: age >= 65, if_unknown: keep-patient}}"
    }
    _, cohort = written.cohort({"age": "70"}, {"age": "30"}, {"age": ""}, **keys)
    assert cohort.populations["eligible"].tolist() == [True, True, True]
    assert cohort.populations["old"].tolist() == [True, False, False]
    assert cohort.populations["kept"].tolist() == [True, False, True]


def test_nobody_who_was_randomized_is_removed(written):
    keys = {
        "study": "{id: s, title: A trial, design: randomized-trial, registration: none, data_seen_before_plan: no}",
        "groups": "{variable: device, treated: {pump: Pump}, reference: {none: No pump}, assigned_by: randomization}",
        "eligibility": "{include: [{id: adult, text: Adult, rule: age >= 18, if_unknown: stop}]}",
    }
    _, cohort = written.cohort({"age": "12"}, {"age": "40", "device": "pump"}, **keys)
    assert cohort.frame.height == 2
    (step,) = [step for step in cohort.flow if step.kind == "deviation"]
    assert (step.id, step.n) == ("include.adult", 1)
    assert [notice.code for notice in cohort.notices] == ["W531"]
