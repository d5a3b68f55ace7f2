import pytest

from counterpulse.protocol.scope import study_scope
from counterpulse.study.patients.samples import keep_rule, make_samples

TIMED = {
    "exposure": "{given: 'device = \"pump\"', starts: pump_day}",
    "follow_up": "{death: death, last_seen: seen}",
    "outcomes": "{end: {label: End, type: time-to-event, event: death, horizon: 60 days, time_unit: days, better: lower, primary: yes, if_unknown: keep-patient}}",
}
LANDMARK = {
    **TIMED,
    "immortal_time": "{plan: landmark, at: 10 days}",
    "analyses": "[{id: A1, role: primary, outcome: end, method: cox}]",
}
VARYING = {**LANDMARK, "immortal_time": "{plan: time-varying}"}


def samples(written, *patients, **keys):
    plan, cohort = written.cohort(*patients, **keys)
    analysis = plan.analyses[0]
    scope = study_scope(plan.protocol, written.table(*patients).dictionary)
    outcome = plan.outcomes[analysis.outcomes[0]]
    return make_samples(plan, analysis, outcome, cohort, keep_rule(analysis, scope))


def test_as_observed_leaves_out_who_is_in_no_group(written):
    (made,) = samples(written, {"device": "pump"}, {"device": "other"}, {})
    assert made.sample.row_of_origin.tolist() == [0, 2]


def test_a_rule_keeps_some_and_drops_the_unknown(written):
    keys = {"analyses": "[{id: A1, role: primary, outcome: died, method: two-proportions, keep: age >= 65}]"}
    (made,) = samples(written, {"age": "70"}, {"age": "60"}, {"age": ""}, **keys)
    assert made.sample.row_of_origin.tolist() == [0]


def test_a_population_may_be_analyzed_in_another_group(written):
    keys = {
        "populations": "{as_given: {rule: age is known, analyze_as: device_given, if_unknown: remove-patient}}",
        "analyses": "[{id: A1, role: primary, outcome: died, method: two-proportions, population: as_given}]",
    }
    (made,) = samples(
        written, {"device": "pump", "device_given": "none"}, {"device_given": "pump"}, {"device_given": ""}, **keys
    )
    assert made.sample.frame["device"].to_list() == ["none", "pump"]


LANDMARK_PATIENTS = [
    {"death": "2020-01-11"},  # dies on day 10: still followed at it
    {"death": "2020-01-10"},  # dies on day 9: removed
    {"seen": "2020-01-05"},  # lost on day 4: removed
    {"device": "pump", "pump_day": "2020-01-11"},  # treated on day 10: treated
    {"device": "pump", "pump_day": "2020-01-12"},  # treated on day 11: untreated at the landmark
    {"device": "pump", "pump_day": "2020-01-03", "death": "2020-01-06"},  # treated, dead before it
    {"device": "pump", "pump_day": ""},  # when is unknown
]


def test_a_landmark_keeps_those_followed_to_it_in_the_group_they_are_in_by_then(written):
    (made,) = samples(written, *LANDMARK_PATIENTS, **LANDMARK)
    frame = made.sample.frame
    assert made.sample.row_of_origin.tolist() == [0, 3, 4]
    assert frame["device"].to_list() == ["none", "pump", "none"]
    assert frame["end.time"].to_list() == [10.0, 60.0, 60.0]  # from time zero, not from the landmark
    assert frame["start."].to_list() == [10.0, 10.0, 10.0]
    details = {name.removeprefix("end."): value for name, value in made.details.items()}
    assert (details["removed"], details["removed_treated"], details["reclassified"], details["unknown"]) == (3, 1, 1, 1)
    assert made.flow[0].n == 4
    assert [notice.code for notice in made.notices] == ["W620"]


def test_several_landmarks_are_several_samples(written):
    keys = {**LANDMARK, "immortal_time": "{plan: landmark, at: [2 days, 10 days]}"}
    made = samples(written, *LANDMARK_PATIENTS, **keys)
    assert [(item.variant, item.sample.frame.height) for item in made] == [
        ("landmark 2 days", 6),
        ("landmark 10 days", 3),
    ]


def test_follow_up_is_split_where_the_exposure_starts(written):
    (made,) = samples(
        written,
        {"death": "2020-01-21"},
        {"device": "pump", "pump_day": "2020-01-06", "death": "2020-01-21"},
        {"device": "pump", "pump_day": "2020-01-01", "death": "2020-01-21"},
        {"device": "pump", "pump_day": "2020-01-21", "death": "2020-01-21"},
        {"death": "2020-01-01"},
        **VARYING,
    )
    frame = made.sample.frame.select("device", "start.", "end.time", "end.event")
    assert frame.rows() == [
        ("none", 0.0, 20.0, True),
        ("none", 0.0, 5.0, False),
        ("pump", 5.0, 20.0, True),
        ("pump", 0.0, 20.0, True),
        ("none", 0.0, 19.5, False),  # days have no time of day: treated half a day before the end
        ("pump", 19.5, 20.0, True),
        ("none", 0.0, 0.5, True),
    ]
    assert made.sample.cluster.tolist() == [0, 1, 1, 2, 3, 3, 4]
    assert made.details["end.half_step"] == 0.5


def test_an_unknown_start_of_treatment_is_left_out_and_said(written):
    (made,) = samples(written, {}, {"device": "pump", "pump_day": ""}, **VARYING)
    assert made.sample.row_of_origin.tolist() == [0]
    assert [notice.code for notice in made.notices] == ["W621"]


def test_treatment_after_the_end_of_follow_up_is_none(written):
    (made,) = samples(written, {"device": "pump", "pump_day": "2020-06-01"}, **VARYING)
    assert made.sample.frame["device"].to_list() == ["none"]


def test_what_competes_ends_the_last_interval_only(written):
    outcome = "{end: {label: End, type: time-to-event, event: stroke, competing: death, horizon: 60 days, time_unit: days, better: lower, primary: yes, if_unknown: keep-patient}}"
    (made,) = samples(
        written,
        {"device": "pump", "pump_day": "2020-01-06", "death": "2020-01-21"},
        {"death": "2020-01-21"},
        {"device": "pump", "pump_day": "2020-01-06", "stroke": "2020-01-21", "death": "2020-01-25"},
        **{**VARYING, "outcomes": outcome},
    )
    assert made.sample.frame["end.cause"].to_list() == ["censored", "competing", "competing", "censored", "event"]


@pytest.mark.parametrize("keys", [LANDMARK, VARYING])
def test_the_order_of_patients_does_not_matter(written, keys):
    (forward,) = samples(written, *LANDMARK_PATIENTS[:6], **keys)
    (backward,) = samples(written, *reversed(LANDMARK_PATIENTS[:6]), **keys)
    columns = ["device", "end.time", "end.event", "start."]
    assert sorted(forward.sample.frame.select(columns).rows()) == sorted(backward.sample.frame.select(columns).rows())


def test_immortal_time_that_is_ignored_is_reported(written):
    keys = {
        "exposure": "{given: 'device = \"pump\"', starts: pump_day}",
        "immortal_time": "{plan: ignore-and-report}",
        "follow_up": "{death: death, last_seen: seen}",
    }
    plan, cohort = written.cohort(
        {"device": "pump", "pump_day": "2020-01-11"}, {"device": "pump", "pump_day": "2020-01-01"}, {}, **keys
    )
    (made,) = make_samples(plan, plan.analyses[0], plan.outcomes["died"], cohort, None)
    (notice,) = made.notices
    assert notice.code == "W622"
    assert "began later: 1 patient;" in notice.text
    assert "the 10 days before" in notice.text
