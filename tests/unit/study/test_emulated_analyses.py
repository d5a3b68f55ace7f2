"""Clone-censor-weight and sequences of trials as plans of a protocol: what is planned, refused, left out, and what fails with a status."""

from __future__ import annotations

from datetime import date, timedelta
from math import isnan

import numpy as np
import pytest

from counterpulse.numerics.random_streams import stream
from counterpulse.study.run import run

EXACT = 1e-12  # relative; counted by hand
CLONES = "{plan: clone-censor-weight, grace: 3 days, bootstrap: 0}"
TRIALS = "{plan: sequential-trials, every: 1 day, periods: 3}"
DEATH = "end: {label: Death, type: time-to-event, event: death, horizon: 30 days, time_unit: days, better: lower, primary: yes}"
HOSPITAL = "died: {label: Died, type: binary, event: died = yes, better: lower, if_unknown: keep-patient}"
KEYS = {
    "exposure": "{given: 'device = \"pump\"', starts: pump_day}",
    "follow_up": "{death: death, last_seen: seen, discharge: discharge, after_discharge: alive}",
    "outcomes": f"{{{DEATH}, {HOSPITAL}}}",
    "immortal_time": CLONES,
    "analyses": "[{id: A1, role: primary, outcome: end, method: cox, adjust: [age]}]",
}
START = date(2020, 1, 1)


def day(number):
    return (START + timedelta(days=int(number))).isoformat()


def patients(n=200, seed=1):
    """Patients whose pump begins sooner the older they are, and who die sooner then; followed 60 days."""
    random = stream(seed, "patients")
    rows = []
    for _ in range(n):
        age = random.normal(60, 10)
        dies = random.exponential(40 * np.exp(-0.03 * (age - 60)))
        begins = random.exponential(5 * np.exp(-0.03 * (age - 60)))
        pumped = begins < min(dies, 10)
        rows.append(
            {"age": f"{age:.1f}", "device": "pump" if pumped else "none", "pump_day": day(begins) if pumped else "",
             "death": day(np.ceil(dies)) if dies < 60 else "", "died": "yes" if dies < 20 else "no", "seen": day(60),
             "discharge": day(min(20, np.ceil(dies)))}
        )  # fmt: skip
    return rows


def result(written, rows, **keys):
    plan = written.plan(**{**KEYS, **keys})
    return run(plan, written.table(*rows))


def analyses(text):
    return {"analyses": f"[{text}]"}


def test_the_plan_names_the_estimator_and_its_options(written):
    (analysis,) = written.plan(**KEYS).analyses
    assert (analysis.method, analysis.maker, analysis.estimator) == (
        "cox",
        "clone-censor-weight",
        "clone-censor-weight",
    )
    assert str(analysis.options["grace"]) == "3 days"
    choices = {choice.name: (choice.value, choice.origin) for choice in analysis.choices}
    assert choices["kind of effect"] == ("marginal", "derived")
    assert choices["censoring_model"] == ("cox", "default")
    assert choices["bootstrap"] == (0, "given")
    assert "ties" not in choices
    assert analysis.composition[0] == "clones of every patient, grace period 3 days"
    assert "within 3 days of time zero" in analysis.sentence


def test_an_edit_of_a_clustered_logistic_regression(written):
    text = (
        "{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age], interval: wald, "
        "clusters: {variable: site, as: robust}, estimand: {contrast: odds ratio, kind: conditional, also: [risk difference]}}, "
        f"{{id: S4, role: sensitivity, of: A1, immortal_time: {CLONES}}}"
    )
    keys = {
        **KEYS,
        **analyses(text),
        "immortal_time": "{plan: landmark, at: 3 days}",
        "subgroups": "{of: A1, by: [sex]}",
    }
    plan, findings = written.drafted(**keys)
    assert [finding.code for finding in findings if finding.severity == "error"] == []
    assert {"W262", "W674"} <= {finding.code for finding in findings}
    first, edit = plan.analyses
    assert (first.estimator, edit.estimator, edit.clusters) == ("", "clone-censor-weight", None)
    left = {choice.name: choice.value for choice in edit.choices}["does not go with the plan, left out"]
    assert left == "clusters of site (patients are drawn, not clusters), interval of logistic regression"
    rows = [{**row, "site": "A"} for row in patients()]
    found = [row for row in run(plan, written.table(*rows), only=["S4"]).estimates]
    assert [row.estimate.measure for row in found] == ["odds ratio", "risk difference", "risk", "risk"]
    treated, untreated = (row.estimate.value for row in found[2:])
    assert found[0].estimate.value == pytest.approx(
        np.log(treated / (1 - treated) / (untreated / (1 - untreated))), rel=EXACT
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{id: A1, role: primary, outcome: end, method: cox}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], also: [rmst ratio]}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], also: [risk difference at 10 days]}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: cox, models: {a: none, b: [age]}}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], strata: [sex]}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: {select: stepwise, from: [age, sex]}}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], estimand: {contrast: hazard ratio, kind: conditional}}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: kaplan-meier}", "E613"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], also: [kaplan-meier]}", "E613"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age], immortal_time: " + TRIALS + "}", "E613"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], "
         "immortal_time: {plan: sequential-trials, every: 10 days, periods: 4}}", "E678"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], immortal_time: {plan: sequential-trials}}", "E244"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], immortal_time: {plan: landmark, at: 1 day, bootstrap: 9}}", "E249"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_the_plan_is_refused(written, text, code):
    assert code in written.codes(**{**KEYS, **analyses(text)})


def test_subgroups_of_an_emulated_trial_are_refused(written):
    assert written.codes(**{**KEYS, "subgroups": "{of: A1, by: [sex]}"}) == ["E619"]


HAND = [
    {"age": "50", "device": "pump", "pump_day": day(2), "death": day(9)},
    {"age": "60", "device": "none", "seen": day(40)},
    {"age": "70", "device": "none", "death": day(2)},
    {"age": "80", "device": "pump", "pump_day": day(8), "seen": day(40)},
    {"age": "65", "device": "none", "death": day(12)},
    {"age": "55", "device": "pump", "pump_day": day(1), "seen": day(50)},
]


def test_clones_counted_by_hand(written):
    found = result(written, HAND)
    row = found.estimates[0]
    assert {count.group: (count.n, count.events, count.person_time) for count in row.groups} == {
        "pump": (6, 2, 9.0 + 3 + 2 + 3 + 3 + 30), "none": (6, 2, 2.0 + 30 + 2 + 8 + 12 + 1),
    }  # fmt: skip
    details = {name.removeprefix("end."): value for name, value in found.details["A1"].items()}
    assert (details["clones"], details["artificially_censored"], details["left_out"]) == (12, 6, 0)
    assert details["person_time"] == 9 + 30 + 2 + 30 + 12 + 30
    assert not [notice for notice in found.warnings if notice.code == "W675"]


HOSTILE = [
    ({"device": "pump", "pump_day": "2019-12-30"}, "treated before time zero ('pump_day'): 1"),
    ({"device": "pump", "pump_day": ""}, "treated, and when is unknown ('pump_day'): 1"),
    ({"device": "pump", "pump_day": day(9), "death": day(4)}, "treated after the end of their follow-up by death ('pump_day'): 1"),
    ({"seen": ""}, "outcome or end of follow-up unknown ('end'): 1"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "said"), HOSTILE)
def test_who_cannot_be_placed_in_time_is_left_out_and_counted(written, wrong, said):
    found = result(written, [*HAND, {"age": "61", **wrong}])
    (notice,) = [notice for notice in found.warnings if notice.code == "W675"]
    assert said in notice.text
    assert found.details["A1"]["end.left_out"] == 1
    (step,) = [step for step in found.flow if step.kind == "design"]
    assert step.n == 1
    without = result(written, HAND)
    assert found.estimates[0].estimate.value == pytest.approx(
        without.estimates[0].estimate.value, rel=EXACT, nan_ok=True
    )


def test_nobody_can_be_placed_in_time(written):
    found = result(written, [{"device": "pump", "pump_day": ""}] * 3 + [{"seen": ""}] * 2)
    assert found.estimates[0].estimate.status.code == "no-rows"


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        ("{plan: clone-censor-weight, grace: 90 days, bootstrap: 0}", "grace-beyond-follow-up"),
        ("{plan: clone-censor-weight, grace: 0 days, bootstrap: 20}", "none-exposed-in-grace"),
    ],
)
@pytest.mark.parametrize("outcome", ["{outcome: end, method: cox", "{outcome: died, method: logistic-regression"])
def test_impossible_grace_periods_have_a_status(written, plan, status, outcome):
    rows = [row for row in patients(80) if row["pump_day"] != day(0)]
    found = result(written, rows, immortal_time=plan, **analyses(f"{outcome}, id: A1, role: primary, adjust: [age]}}"))
    assert {row.estimate.status.code for row in found.estimates} == {status}
    assert all(isnan(row.estimate.value) for row in found.estimates)


def test_perfect_prediction_of_treatment_has_a_status(written):
    rows = [{**row, "sex": "F" if row["pump_day"] and row["pump_day"] <= day(3) else "M"} for row in patients(120)]
    found = result(written, rows, **analyses("{id: A1, role: primary, outcome: end, method: cox, adjust: [sex]}"))
    assert found.estimates[0].estimate.status.code in ("deviation-predicted", "extreme-censoring-weights")


def test_who_dies_or_goes_home_before_the_grace_period_ends_follows_both_strategies(written):
    """A yes/no outcome: the discharged cannot be treated any more, so nobody of them is censored at its end."""
    rows = [
        *patients(60),
        *({"age": "58", "died": "no", "discharge": day(1), "seen": day(60)} for _ in range(5)),
        *({"age": "62", "died": "yes", "death": day(1), "discharge": day(1)} for _ in range(3)),
    ]
    keys = analyses("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age]}")
    whole, before = result(written, rows, **keys), result(written, rows[:60], **keys)
    name = "died.artificially_censored"
    assert whole.details["A1"][name] == before.details["A1"][name]
    events = {count.group: count.events for count in before.estimates[0].groups}
    assert {count.group: count.events for count in whole.estimates[0].groups} == {k: n + 3 for k, n in events.items()}


def test_the_bootstrap_belongs_to_the_analysis_and_the_seed(written):
    plan = "{plan: clone-censor-weight, grace: 3 days, bootstrap: 20}"
    planned = written.plan(**{**KEYS, "immortal_time": plan})
    table = written.table(*patients(80))
    one, again, other = (
        run(planned, table, seed=seed, jobs=jobs).estimates[0].estimate for seed, jobs in ((1, 1), (1, 2), (2, 1))
    )
    assert one == again
    assert one.value == other.value
    assert one.interval != other.interval


def test_a_sequence_of_trials(written):
    found = result(written, patients(), immortal_time=TRIALS)
    rows = {(row.estimate.measure, row.estimate.term): row for row in found.estimates}
    assert list(rows) == [("odds ratio", "pump"), ("risk", "pump"), ("risk", "none")]
    row = rows["odds ratio", "pump"]
    assert row.method == "sequential-trials"
    assert row.estimate.interval is not None
    assert rows["risk", "pump"].estimate.at.time == 28.0  # the last of three trials begins at day 2 of 30
    assert sum(count.n for count in row.groups) == found.details["A1"]["end.entries"]
    both = result(written, patients(), immortal_time=TRIALS[:-1] + ", compare: per-protocol, bootstrap: 5}")
    assert both.estimates[0].estimate.interval.kind == "percentile bootstrap"
    assert "weights" in [block.kind for block in both.blocks if block.analysis == "A1"]
