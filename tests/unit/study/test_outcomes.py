import pytest

FOLLOWED = {"follow_up": "{death: death, last_seen: seen}"}


def test_days_from_time_zero_to_death_or_last_contact(timed):
    assert timed(
        "event: death, horizon: 30 days",
        {"death": "2020-01-11"},
        {"seen": "2020-01-21"},
        {"death": "2020-01-01", "seen": "2020-01-01"},
        **FOLLOWED,
    ) == [(True, 10.0), (False, 20.0), (True, 0.0)]


def test_the_horizon_ends_follow_up_and_an_event_on_it_counts(timed):
    assert timed(
        "event: death, horizon: 30 days",
        {"death": "2020-01-31"},
        {"death": "2020-02-01"},
        {"seen": "2020-01-31"},
        {"seen": "2020-06-01"},
        **FOLLOWED,
    ) == [(True, 30.0), (False, 30.0), (False, 30.0), (False, 30.0)]


def test_a_patient_without_any_date_is_unknown(timed):
    assert timed("event: death, horizon: 30 days", {"seen": ""}, {"death": "2020-01-05", "seen": ""}, **FOLLOWED) == [
        (None, None),
        (True, 4.0),
    ]


@pytest.mark.parametrize(("after", "days"), [("alive", 30.0), ("censored", 9.0)])
def test_discharge_says_what_is_known_after_it(timed, after, days):
    follow_up = f"{{death: death, discharge: discharge, after_discharge: {after}}}"
    rows = timed(
        "event: death, horizon: 30 days",
        {"discharge": "2020-01-10"},
        {"discharge": "2020-01-10", "death": "2020-01-20"},
        {"discharge": "2020-03-01"},
        {"discharge": ""},
        follow_up=follow_up,
    )
    assert rows == [(False, days), (True, 19.0), (False, 30.0), (None, None)]


def test_death_censors_another_event(timed):
    assert timed(
        "event: stroke, horizon: 60 days",
        {"stroke": "2020-01-06", "death": "2020-01-08"},
        {"death": "2020-01-08"},
        {"seen": "2020-01-20"},
        **FOLLOWED,
    ) == [(True, 5.0), (False, 7.0), (False, 19.0)]


def test_the_first_of_several_dates(timed):
    assert timed(
        "type: composite, first_of: [death, stroke], horizon: 60 days",
        {"stroke": "2020-01-06", "death": "2020-01-08"},
        {"death": "2020-01-08"},
        {"stroke": "2020-01-09"},
        {"seen": "2020-01-21"},
        **FOLLOWED,
    ) == [(True, 5.0), (True, 7.0), (True, 8.0), (False, 20.0)]


def test_datetimes_are_counted_to_the_second_and_dates_by_the_day(timed):
    exact = timed(
        "event: death, horizon: 96 hours",
        {"began": "2020-01-01 12:00", "death_at": "2020-01-02 18:30"},
        time_zero="began",
        follow_up="{death: death_at, last_seen: death_at}",
    )
    assert exact == [(True, 30.5)]
    by_day = timed(
        "event: death, horizon: 96 hours",
        {"began": "2020-01-01 23:00", "death": "2020-01-02"},
        time_zero="began",
        follow_up="{death: death, last_seen: seen}",
    )
    assert by_day == [(True, 24.0)]


def test_durations_of_the_table_keep_the_unit_of_their_column(written):
    outcomes = "{end: {label: End, type: time-to-event, time: hours, event: died = yes, horizon: 2 days, better: lower, primary: yes}}"
    analyses = "[{id: A1, role: primary, outcome: end, method: kaplan-meier}]"
    plan, cohort = written.cohort(
        {"hours": "12", "died": "yes"}, {"hours": "60", "died": "yes"}, outcomes=outcomes, analyses=analyses,
        time_zero="{text: admission, counted: yes}",
    )  # fmt: skip
    assert (plan.outcomes["end"].time_unit, plan.outcomes["end"].horizon) == ("hours", 48.0)
    assert cohort.frame.select("end.event", "end.time").rows() == [(True, 12.0), (False, 48.0)]


def test_a_composite_is_yes_as_soon_as_one_part_is_and_unknown_before_no(written):
    outcomes = "{worst: {label: Worst, type: composite, any_of: [died, bled], better: lower, primary: yes, if_unknown: keep-patient}}"
    analyses = "[{id: A1, role: primary, outcome: worst, method: two-proportions}]"
    patients = [
        {"died": died, "bled": bled}
        for died, bled in (("yes", ""), ("no", ""), ("no", "no"), ("", "yes"), ("yes", "no"))
    ]
    _, cohort = written.cohort(*patients, outcomes=outcomes, analyses=analyses)
    assert cohort.frame["worst"].to_list() == [True, None, False, True, True]


def test_values_of_ordered_levels_are_their_ranks(written):
    outcomes = (
        "{end: {label: Stage, type: ordinal, value: stage, better: lower, primary: yes, if_unknown: keep-patient}}"
    )
    analyses = "[{id: A1, role: primary, outcome: end, method: two-means}]"
    _, cohort = written.cohort({"stage": "3"}, {"stage": "1"}, {"stage": ""}, outcomes=outcomes, analyses=analyses)
    assert cohort.frame["end"].to_list() == [3.0, 1.0, None]


@pytest.fixture
def causes(written):
    """Cause and time of patients under an outcome called `end`."""

    def judge(outcome: str, *patients: dict[str, str], **keys: str):
        kind = "" if "type:" in outcome else "type: time-to-event, "
        outcomes = f"{{end: {{label: End, {kind}better: lower, primary: yes, if_unknown: keep-patient, {outcome}}}}}"
        analyses = "[{id: A1, role: primary, outcome: end, method: aalen-johansen}]"
        _, cohort = written.cohort(*patients, **{"outcomes": outcomes, "analyses": analyses, **keys})
        return list(cohort.frame.select("end.cause", "end.time").iter_rows())

    return judge


def test_the_first_of_event_and_competing_event_counts(causes):
    assert causes(
        "event: stroke, competing: death, horizon: 60 days",
        {"stroke": "2020-01-06", "death": "2020-01-08"},
        {"death": "2020-01-08"},
        {"death": "2020-01-08", "stroke": "2020-01-09"},
        {"death": "2020-01-08", "stroke": "2020-01-08"},
        {"seen": "2020-01-20"},
        {"death": "2020-06-01"},
        {"seen": ""},
        **FOLLOWED,
    ) == [
        ("event", 5.0), ("competing", 7.0), ("competing", 7.0), ("event", 7.0), ("censored", 19.0), ("censored", 60.0),
        (None, None),
    ]  # fmt: skip


def test_discharge_competes_where_follow_up_says_so(causes):
    assert causes(
        "event: death, horizon: 60 days",
        {"discharge": "2020-01-10"},
        {"death": "2020-01-05"},
        {"discharge": "2020-01-10", "death": "2020-01-20"},
        follow_up="{death: death, discharge: discharge, after_discharge: competing}",
    ) == [("competing", 9.0), ("event", 4.0), ("competing", 9.0)]


def test_durations_with_a_competing_rule(causes):
    assert causes(
        "event: died = yes, competing: bled = yes, time: hours",
        {"died": "yes", "bled": "yes", "hours": "5"},
        {"died": "no", "bled": "yes", "hours": "6"},
        {"died": "no", "bled": "no", "hours": "7"},
        {"died": "no", "hours": "8"},
        time_zero="{text: Admission, counted: yes}",
    ) == [("event", 5.0), ("competing", 6.0), ("censored", 7.0), (None, 8.0)]
