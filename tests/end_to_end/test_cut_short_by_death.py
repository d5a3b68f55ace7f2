"""Values cut short by death: each plan for the dead in a study, its numbers made again from the table."""

import json

import numpy as np
import pytest
from ward import Ward, call

from counterpulse.errors import DONE, PROTOCOL_INVALID
from counterpulse.protocol.plan_on_disk import plan_from_json, plan_to_json
from counterpulse.study import read_plan

CLOSED_FORM = 1e-9
"""Counts, medians and curves made again from the table."""

COLUMNS = """\
stay,Stay,ICU stay,number,days,,0,,,,,
vent,Vent,Days on the ventilator,number,days,,0,,,,,
"""
OUTCOMES = """\
  death_28: {label: Death within 28 days, type: time-to-event, event: death, horizon: 28 days, time_unit: days, better: lower}
  free: {label: Ventilator-free days, type: continuous, unit: d, better: higher, free_days: {support: vent, within: 28 days, dead: -1}, truncated_by: {death_28: worst-rank}}
  vent_alive: {label: Ventilator days, type: continuous, unit: d, value: vent, better: lower, truncated_by: {death_here: survivors-only}}
  stay_rank: {label: Ranked stay, type: continuous, value: stay, better: lower, truncated_by: {death_here: worst-rank}}
  icu: {label: ICU stay, unit: d, type: continuous, value: stay, better: lower, horizon: 28 days, truncated_by: {death_here: competing}}
  stroke_t: {label: Stroke, type: time-to-event, event: stroke_date, competing: death, horizon: 60 days, time_unit: days, better: lower}
confounders:"""
ANALYSES = """\
  - {id: W1, role: secondary, outcome: free}
  - {id: W2, role: secondary, outcome: free, method: worst-rank, worst_rank: by-time, estimand: {contrast: probabilistic index}}
  - {id: W3, role: secondary, outcome: stay_rank, method: worst-rank}
  - {id: S1, role: secondary, outcome: vent_alive}
  - {id: Q1, role: secondary, outcome: vent_alive, method: quantile-regression, quantile: [0.5, 0.75], adjust: [age, sex]}
  - {id: J1, role: secondary, outcome: icu}
  - {id: J2, role: secondary, outcome: icu, method: aalen-johansen, at: [7 days], also: [cox]}
  - {id: J3, role: secondary, outcome: stroke_t, method: aalen-johansen, also: [cumulative incidence ratio]}
  - {id: P1, role: secondary, outcome: death_28, method: cox, adjust: [age], interval: profile}
  - {id: K1,"""


def made(directory):
    ward = Ward(directory)
    random = np.random.default_rng(11)
    ward.dictionary += COLUMNS
    days, died = [int(day) for day in ward.columns["Days"]], [said == "yes" for said in ward.columns["Died"]]
    ward.columns["Stay"] = [
        str(day if dead else min(day, int(random.integers(2, 30)))) for day, dead in zip(days, died, strict=True)
    ]
    ward.columns["Vent"] = [
        "" if dead and day < 28 and number % 2 else str(min(int(random.integers(0, 31)), day))
        for number, (day, dead) in enumerate(zip(days, died, strict=True))
    ]
    return ward.edit("confounders:", OUTCOMES).edit("  - {id: K1,", ANALYSES)


@pytest.fixture
def draft(tmp_path):
    return made(tmp_path / "study")


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    ward = made(tmp_path_factory.mktemp("cut-short") / "study")
    said = ward.run()
    assert said.code == DONE, said.text
    return ward


@pytest.fixture(scope="module")
def found(ward):
    return {row["id"]: row for row in ward.results()["estimates"]}


def table(ward):
    pump = np.array([device == "pump" for device in ward.columns["Device"]])
    died = np.array([said == "yes" for said in ward.columns["Died"]])
    days = np.array([float(day) for day in ward.columns["Days"]])
    vent = np.array([float(day) if day else np.nan for day in ward.columns["Vent"]])
    return pump, died, days, vent, np.array([float(day) for day in ward.columns["Stay"]])


def index(better, pump):
    wins = np.sign(better[pump][:, None] - better[~pump][None, :]) / 2 + 0.5
    return wins.mean()


def test_free_days_rank_the_dead_below_everybody_also_without_a_value(ward, found):
    pump, died, days, vent, _ = table(ward)
    dead = died & (days <= 28)
    assert np.isnan(vent[dead]).any()
    free = np.where(dead, -1, np.clip(28 - vent, 0, 28))
    row = found["W1.free.pump.win-odds"]
    p = index(free, pump)
    assert row["estimate"] == pytest.approx(p / (1 - p), rel=CLOSED_FORM)
    assert found["W1.free.pump.probabilistic-index"]["estimate"] == pytest.approx(p, rel=CLOSED_FORM)
    assert {count["group"]: (count["n"], count["events"]) for count in row["groups"]} == {
        "pump": (pump.sum(), (dead & pump).sum()), "none": ((~pump).sum(), (dead & ~pump).sum())
    }  # fmt: skip
    medians = [np.median(free[pump]), np.median(free[~pump])]
    assert min(medians) >= 0
    assert found["W1.free.pump.median-difference"]["estimate"] == pytest.approx(
        medians[0] - medians[1], rel=CLOSED_FORM
    )
    assert found["W1.free.none.proportion-who-died"]["estimate"] == pytest.approx(dead[~pump].mean(), rel=CLOSED_FORM)
    alive = np.median(free[~pump & ~dead])
    assert found["W1.free.none.median-of-survivors"]["estimate"] == pytest.approx(alive, rel=CLOSED_FORM)
    details = ward.results()["details"]["W1"]
    assert details["free.pump.died"] == (dead & pump).sum()


def test_among_the_dead_an_earlier_death_is_worse(ward, found):
    pump, died, days, vent, _ = table(ward)
    dead = died & (days <= 28)
    free = np.where(dead, days - 100, np.clip(28 - vent, 0, 28))
    assert found["W2.free.pump.probabilistic-index"]["estimate"] == pytest.approx(index(free, pump), rel=CLOSED_FORM)


def test_a_median_among_the_dead_is_death_and_no_failure(ward, found):
    pump, died, _, _, stay = table(ward)
    assert died[~pump].mean() > 0.5
    assert found["W3.stay_rank.none.median"]["status"] == "median-is-death"
    assert found["W3.stay_rank.pump.median-difference"]["status"] == "median-is-death"
    better = np.where(died, -1e6, -stay)
    p = index(better, pump)
    assert found["W3.stay_rank.pump.win-odds"]["estimate"] == pytest.approx(p / (1 - p), rel=CLOSED_FORM)
    assert found["W3.stay_rank.pump.win-odds"]["better"] == "lower"


def test_survivors_are_compared_with_a_warning_and_a_box_in_the_flow(ward, found):
    pump, died, _, vent, _ = table(ward)
    difference = vent[pump & ~died].mean() - vent[~pump & ~died].mean()
    row = found["S1.vent_alive.pump.mean-difference"]
    assert row["estimate"] == pytest.approx(difference, rel=CLOSED_FORM)
    assert row["n"] == (~died).sum()
    results = ward.results()
    notice = next(item for item in results["warnings"] if item["code"] == "W670")
    assert f"Pump: {(pump & died).sum()} patients of {pump.sum()}" in notice["text"]
    assert "other people" in notice["text"]
    step = next(step for step in results["flow"] if step["id"] == "survivors.S1.vent_alive")
    assert step["n"] == died.sum()
    assert {"Q1.vent_alive.pump.median-difference", "Q1.vent_alive.pump.difference-at-quantile-0_75"} <= set(found)


def test_death_competes_with_the_end_of_a_stay(ward, found):
    pump, died, _, _, stay = table(ward)
    risks = [((stay <= 28) & ~died)[group].mean() for group in (pump, ~pump)]
    row = found["J2.icu.pump.cumulative-incidence-difference.28-days"]
    assert row["estimate"] == pytest.approx(risks[0] - risks[1], rel=CLOSED_FORM)
    assert row["better"] == "higher"
    week = ((stay <= 7) & ~died)[pump].mean()
    assert found["J2.icu.pump.cumulative-incidence.7-days"]["estimate"] == pytest.approx(week, rel=CLOSED_FORM)
    beside = found["J1.icu.pump.cumulative-incidence-difference.28-days"]
    assert beside["estimate"] == row["estimate"]
    assert found["J1.icu.pump.hazard-ratio"]["estimate"] == found["J2.icu.pump.hazard-ratio"]["estimate"]
    results = ward.results()
    kinds = [block["kind"] for block in results["blocks"] if block["analysis"] == "J2"]
    assert kinds[:2] == ["cumulative-incidence", "numbers-at-risk"]
    assert {"W671", "W701"} <= {item["code"] for item in results["warnings"]}


def test_a_competing_event_with_dates(ward, found):
    ids = {name for name in found if name.startswith("J3.")}
    assert "J3.stroke_t.pump.cumulative-incidence-ratio.60-days" in ids
    assert 0 < found["J3.stroke_t.none.cumulative-incidence.60-days"]["estimate"] < 1


def test_profile_intervals_of_a_study(ward, found):
    assert found["P1.death_28.pump.hazard-ratio"]["interval_method"] == "profile"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("outcome: stay_rank, method: worst-rank", "outcome: stay_rank, method: two-means", "E604"),
        (
            "outcome: stay_rank, method: worst-rank",
            "outcome: stay_rank, method: worst-rank, worst_rank: by-time",
            "E674",
        ),
        ("outcome: stay_rank, method: worst-rank", "outcome: stay_rank, adjust: [age]", "E676"),
        ("outcome: stroke_t, method: aalen-johansen", "outcome: death, method: aalen-johansen", "E670"),
        ("quantile: [0.5, 0.75]", "quantile: [0.5, 75]", "E677"),
        ("truncated_by: {death_28: worst-rank}}", "truncated_by: {death_28: competing}}", "E673"),
        ("truncated_by: {death_28: worst-rank}}", "truncated_by: {vent_alive: worst-rank}}", "E671"),
        (", truncated_by: {death_28: worst-rank}}", "}", "E671"),
        ("unit: d, better: higher, free_days", "unit: d, better: lower, free_days", "E672"),
    ],
)
def test_what_makes_no_sense_is_refused(draft, old, new, code):
    said = draft.edit(old, new).check()
    assert said.code == PROTOCOL_INVALID
    assert code in said.text


def test_a_worst_rank_without_groups_is_refused(draft):
    groups = next(line for line in draft.protocol.splitlines() if line.startswith("groups")) + "\n"
    draft.edit(groups, "").edit("design: cohort", "design: single-arm")
    said = draft.check()
    assert said.code == PROTOCOL_INVALID
    assert "E675" in said.text


def test_every_verb_and_small_cells(draft):
    draft.protocol += "privacy: {small_cells: 5}\n"
    said = draft.run()
    assert said.code == DONE, said.text
    shown = call("explain", draft.bundle, "W1.free.pump.win-odds")
    assert shown.code == DONE, shown.text
    mocked = call("mock", draft.path, "--out", draft.directory / "mock.csv")
    assert mocked.code == DONE, mocked.text


def test_a_plan_with_truncation_is_read_back(draft):
    draft.write()
    plan, _ = read_plan(draft.path)
    again = plan_from_json(json.loads(json.dumps(plan_to_json(plan))))
    assert again.outcomes["free"].truncation == plan.outcomes["free"].truncation
    assert again == plan
