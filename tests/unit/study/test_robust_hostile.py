"""Designs without immortal time and robustness, patient by patient: loops over dates, none of the kernels."""

import math
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from counterpulse.emulation.clones import clone
from counterpulse.emulation.deviation_weights import unit_weights
from counterpulse.emulation.weighted_arms import arm_sums, event_times, two_arm_cox
from counterpulse.numerics.random_streams import stream
from counterpulse.study.run import could_not_estimate, run

COUNTED = 1e-12  # relative; sums of whole days
LOGGED = 1e-9  # relative; through the natural scale and back
FITTED = 1e-6  # relative; Newton's method, each run to the end
START, HORIZON, GRACE = date(2020, 1, 1), 30, 3
CLONES = f"{{plan: clone-censor-weight, grace: {GRACE} days, bootstrap: 0}}"
TRIALS = "{plan: sequential-trials, every: 1 day, periods: 3}"
IGNORED = "{plan: ignore-and-report}"
KEYS = {
    "exposure": "{given: 'device = \"pump\"', starts: pump_day}",
    "follow_up": "{death: death, last_seen: seen}",
    "outcomes": "{end: {label: Death, type: time-to-event, event: death, horizon: 30 days, time_unit: days, better: lower, primary: yes}}",
    "immortal_time": CLONES,
    "analyses": "[{id: A1, role: primary, outcome: end, method: cox, adjust: [age]}]",
}


def day(number):
    return (START + timedelta(days=int(number))).isoformat()


def people(n=200, seed=21):
    """Ages, days of death (or none) and days on which the pump began (or none)."""
    random = stream(seed, "people", 0)
    found = []
    for _ in range(n):
        age = round(float(random.normal(60, 10)), 1)
        dies = math.ceil(random.exponential(30 * math.exp(-0.02 * (age - 60)))) + 1
        begins = int(random.exponential(4 * math.exp(-0.02 * (age - 60))))
        found.append((age, dies if dies < 60 else None, begins if begins < min(dies, 8) else None))
    return found


def rows_of(found):
    return [
        {"age": str(age), "device": "none" if begins is None else "pump", "pump_day": "" if begins is None else day(begins),
         "death": "" if dies is None else day(dies), "seen": day(60 if dies is None else dies)}
        for age, dies, begins in found
    ]  # fmt: skip


def result_of(written, rows, **keys):
    return run(written.plan(**{**KEYS, **keys}), written.table(*rows))


def follow_up(found):
    time = np.array([min(dies or HORIZON, HORIZON) for _, dies, _ in found], dtype=float)
    event = np.array([dies is not None and dies <= HORIZON for _, dies, _ in found])
    began = np.array([math.inf if begins is None else begins for *_, begins in found])
    return np.array([age for age, *_ in found]), time, event, began


# -- clones ------------------------------------------------------------------------------------------------------------


def efron(time, event, x, weights, starts=None):
    """Newton's method on the weighted partial likelihood of one covariate; increments of the baseline hazard by time."""
    starts = np.full(len(time), -1.0) if starts is None else starts
    beta = 0.0
    for _ in range(40):
        score, information, hazard = 0.0, 0.0, {}
        for at in np.unique(time[event]):
            risk, dead = (starts < at) & (at <= time), event & (time == at)
            r, d = int(dead.sum()), dead * weights
            pull = weights * risk * np.exp(beta * x)
            score += (d * x).sum()
            for step in range(r):
                left = pull - step / r * pull * dead
                mean, square = (left * x).sum() / left.sum(), (left * x * x).sum() / left.sum()
                score -= d.sum() / r * mean
                information += d.sum() / r * (square - mean**2)
                hazard[at] = hazard.get(at, 0.0) + d.sum() / r / left.sum()
        beta += score / information
    return beta, hazard


def test_clones_of_two_hundred_patients_one_by_one(written):
    found = people()
    result = result_of(written, rows_of(found))
    age, time, event, began = follow_up(found)
    age = (age - age.mean()) / age.std()
    arms = []
    for treated in (True, False):
        stop, died, left = time.copy(), event.copy(), np.zeros(len(time), dtype=bool)
        for i in range(len(time)):
            gone = GRACE if treated and began[i] > GRACE and time[i] > GRACE else None
            gone = began[i] if not treated and began[i] <= time[i] else gone
            if gone is not None:
                stop[i], died[i], left[i] = gone, False, True
        beta, hazard = efron(stop, left, age, np.ones(len(time)))
        arms.append((stop, died, np.exp(beta * age), hazard))
    pieces = []
    for x, (stop, died, risk, hazard) in zip((1.0, 0.0), arms, strict=True):
        for i in range(len(stop)):
            cuts = sorted({0.0, *(at for at in hazard if at < stop[i]), stop[i]})
            for begin, end in pairwise(cuts):
                weight = math.exp(risk[i] * sum(step for at, step in hazard.items() if at <= begin))
                pieces.append((begin, end, bool(died[i] and end == stop[i]), x, weight))
    begin, end, dead, x, weight = map(np.array, zip(*pieces, strict=True))
    rows = {(row.estimate.measure, row.estimate.term): row for row in result.estimates}
    hazard_ratio = rows["hazard ratio", "pump"]
    assert hazard_ratio.estimate.value == pytest.approx(efron(end, dead, x, weight, begin)[0], rel=FITTED)
    for arm, level in ((1.0, "pump"), (0.0, "none")):
        alive = 1.0
        for at in np.unique(end[dead]):
            own = (x == arm) & (begin < at) & (at <= end)
            alive *= 1 - weight[own & dead & (end == at)].sum() / weight[own].sum()
        assert rows["risk", level].estimate.natural().value == pytest.approx(1 - alive, rel=FITTED)
        stop, died, *_ = arms[0 if arm else 1]
        count = next(group for group in hazard_ratio.groups if group.group == level)
        assert (count.n, count.events, count.person_time) == (len(found), died.sum(), stop.sum())


def test_arms_whose_events_never_meet_have_no_hazard_ratio():
    """Everybody of the first arm dies while nobody of the second is left, or outlives its last death: no finite maximum."""
    time, event = np.array([1.0, 2.0, 8.0, 9.0]), np.ones(4, dtype=bool)
    until = time.copy()
    arms = clone(time, event, np.array([np.inf, np.inf, 0.0, 0.0]), until, 0.5)
    times = event_times(arms)
    sums = [arm_sums(arm, unit_weights(4), times) for arm in arms]
    assert math.isnan(two_arm_cox(sums[0], sums[1]).log_hazard_ratio)
    assert math.isnan(two_arm_cox(sums[1], sums[0]).log_hazard_ratio)


def test_a_handful_of_patients_has_no_robust_variance(written):
    rows = result_of(written, rows_of(people(9, seed=5))).estimates
    (estimate,) = [row.estimate for row in rows if row.estimate.reference]
    assert math.isfinite(estimate.value)
    assert (estimate.status.code, estimate.std_error, estimate.interval) == ("few-clusters", None, None)


# -- trials ------------------------------------------------------------------------------------------------------------


def test_entries_of_nested_trials_one_by_one(written):
    found = people()
    result = result_of(written, rows_of(found), immortal_time=TRIALS)
    _, time, event, began = follow_up(found)
    entries = {True: [0, 0, 0], False: [0, 0, 0]}
    for i in range(len(found)):
        last = max(math.ceil(time[i]) - 1, 0)
        for trial in range(3):
            if trial > last or began[i] <= trial - 1:
                continue
            count = entries[bool(began[i] <= trial)]
            count[0] += 1
            count[1] += int(event[i])
            count[2] += last - trial + 1
    row = next(row for row in result.estimates if row.estimate.reference)
    groups = {group.group: [group.n, group.events, group.person_time] for group in row.groups}
    assert groups == {"pump": entries[True], "none": entries[False]}


# -- what each plan leaves out -----------------------------------------------------------------------------------------


def test_person_time_left_out_and_credited_patient_by_patient(written):
    found = people()
    analyses = ", ".join(
        f"{{id: {name}, role: {role}, outcome: end, method: cox, adjust: [age], immortal_time: {plan}}}"
        for name, role, plan in (
            ("A1", "primary", "{plan: landmark, at: 2 days}"), ("A2", "secondary", "{plan: time-varying}"), ("A3", "secondary", CLONES),
        )
    )  # fmt: skip
    result = result_of(written, rows_of(found), immortal_time="{plan: landmark, at: 2 days}", analyses=f"[{analyses}]")
    (table,) = [block for block in result.blocks if block.kind == "immortal-time"]
    lines = {line["plan"]: line for line in table.rows()}
    _, time, _, began = follow_up(found)
    credited = sum(min(start, end) for start, end in zip(began, time, strict=True) if math.isfinite(start))
    naive = lines["ignore-and-report"]
    assert (naive["patients_left_out"], naive["person_time"], naive["person_time_left_out"]) == (0, time.sum(), 0)
    assert naive["credited"] == pytest.approx(credited, rel=COUNTED)
    gone = [i for i in range(len(found)) if time[i] < 2]
    landmark = lines["landmark"]
    assert landmark["patients_left_out"] == len(gone)
    assert landmark["treated_left_out"] == sum(math.isfinite(began[i]) for i in gone)
    spent = sum(end - 2 for end in time if end >= 2)
    assert landmark["person_time"] == pytest.approx(spent, rel=COUNTED)
    assert landmark["person_time_left_out"] == pytest.approx(time.sum() - spent, rel=COUNTED)
    varying = lines["time-varying"]
    assert varying["person_time"] == pytest.approx(time.sum(), rel=COUNTED)
    assert {line["credited"] for line in lines.values() if line is not naive} == {0.0}


# -- what is told ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["{plan: landmark, at: 2 days}", "{plan: time-varying}", IGNORED])
def test_treatment_before_time_zero_is_told_where_it_is_kept(written, plan):
    rows = rows_of(people(60))
    early = [row for row in rows if row["pump_day"]][:7]
    for row in early:
        row["pump_day"] = "2019-12-20"
    (notice,) = [notice for notice in result_of(written, rows, immortal_time=plan).warnings if notice.code == "W676"]
    assert "7 patients began treatment before time zero" in notice.text
    assert "exclude them by a criterion" in notice.text
    fine = result_of(written, rows_of(people(60)), immortal_time=plan)
    assert "W676" not in {notice.code for notice in fine.warnings}


@pytest.mark.parametrize("plan", ["{plan: landmark, at: 2 days}", "{plan: time-varying}"])
def test_exposed_patients_without_a_time_are_told_with_a_remedy(written, plan):
    rows = rows_of(people(60))
    next(row for row in rows if row["pump_day"])["pump_day"] = ""
    texts = [notice.text for notice in result_of(written, rows, immortal_time=plan).warnings]
    assert any("complete the times, or exclude them by a criterion" in text for text in texts)


@pytest.mark.parametrize(
    ("changed", "plan", "code"),
    [
        ({"device": "none", "pump_day": ""}, CLONES, "none-exposed-in-grace"),
        ({"device": "pump", "pump_day": day(0)}, CLONES, "all-exposed-in-grace"),
        ({}, "{plan: clone-censor-weight, grace: 90 days, bootstrap: 0}", "grace-beyond-follow-up"),
        ({"age": ""}, CLONES, "no-rows"),
        ({"age": ""}, TRIALS, "no-rows"),
        ({"device": "none", "pump_day": ""}, TRIALS, "no-treated"),
    ],
)
def test_an_emulation_that_cannot_be_had_says_why(written, changed, plan, code):
    result = result_of(written, [row | changed for row in rows_of(people(60))], immortal_time=plan)
    row = next(row for row in result.estimates if row.estimate.reference)
    assert (row.estimate.status.code, row.estimate.variable, math.isnan(row.estimate.value)) == (code, "device", True)
    assert could_not_estimate(result)
    if code == "no-rows":
        assert (row.n, row.n_missing) == (0, 60)


# -- robustness --------------------------------------------------------------------------------------------------------

BINARY = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes},
  bled: {label: Bled, type: binary, event: bled = yes, better: lower, negative_control: yes}}"""
WEIGHTED = "method: propensity-weighting, propensity: {model: short}"


def confounded(n=240):
    random = stream(5, "confounded", 0)
    rows = []
    for _ in range(n):
        age, male = random.normal(60, 10), random.random() < 0.5
        treated = random.random() < 1 / (1 + math.exp(-(age - 62) / 8))
        rows.append(
            {"age": f"{age:.1f}", "sex": "M" if male else "F", "device": "pump" if treated else "none",
             "died": "yes" if random.random() < 0.2 + 0.01 * max(0.0, age - 50) else "no", "bled": "yes" if random.random() < 0.3 else "no"}
        )  # fmt: skip
    return rows


def weighted_study(written, analyses, **more):
    keys = {"outcomes": BINARY, "confounders": "{short: [age, sex]}", "analyses": f"[{analyses}]", **more}
    return run(written.plan(**keys), written.table(*confounded()))


def test_the_e_value_of_a_weighted_difference_rests_on_the_weighted_risk(written):
    text = f"{{id: A1, role: primary, outcome: died, {WEIGHTED}, estimand: {{contrast: risk difference}}}}"
    result = weighted_study(written, text)
    (block,) = [block for block in result.blocks if block.kind == "e-value"]
    (line,) = block.rows()
    rows = {(row.estimate.measure, row.estimate.term): row.estimate.natural().value for row in result.estimates}
    reference, difference = rows["risk", "none"], rows["risk difference", "pump"]
    ratio = (reference + difference) / reference
    ratio = max(ratio, 1 / ratio)
    assert line["risk"] == pytest.approx(reference, rel=COUNTED)
    assert line["e_value"] == pytest.approx(ratio + math.sqrt(ratio * (ratio - 1)), rel=LOGGED)


def test_each_combination_is_the_analysis_run_by_itself(written):
    options = {
        "logistic": "{}", "weighted": "{method: propensity-weighting, adjust: none, propensity: {model: short}}",
        "matched": "{method: propensity-matching, adjust: none, propensity: {model: short}}",
    }  # fmt: skip
    base = "{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age, sex]}"
    edits = ", ".join(
        f"{{id: S-{name}, role: sensitivity, of: A1, {text[1:-1]}}}"
        for name, text in options.items()
        if name != "logistic"
    )
    vary = ", ".join(f"{name}: {text}" for name, text in options.items())
    result = weighted_study(written, f"{base}, {edits}", multiverse=f"{{of: A1, vary: {{Method: {{{vary}}}}}}}")
    (curve,) = [block for block in result.blocks if block.kind == "specification-curve"]
    found = {line["option"]: (line["estimate"], line["conf_low"], line["n"]) for line in curve.rows()}
    for name in options:
        analysis = "A1" if name == "logistic" else f"S-{name}"
        row = next(row for row in result.estimates if row.analysis == analysis and row.estimate.measure == "odds ratio")
        shown = row.estimate.natural()
        assert found[name] == (shown.value, shown.interval.low, row.n)


def test_a_weighted_negative_control_is_the_weighted_analysis_of_it(written):
    text = (
        f"{{id: A1, role: primary, outcome: died, {WEIGHTED}}}, {{id: A2, role: secondary, outcome: bled, {WEIGHTED}}}"
    )
    result = weighted_study(written, text)
    (block,) = [block for block in result.blocks if block.kind == "negative-control"]
    effect, control, corrected = block.rows()
    odds = {row.analysis: row for row in result.estimates if row.estimate.measure == "odds ratio"}
    for line, row in ((effect, odds["A1"]), (control, odds["A2"])):
        assert (math.log(line["estimate"]), line["n"]) == (pytest.approx(row.estimate.value, rel=LOGGED), row.n)
    assert math.log(corrected["estimate"]) == pytest.approx(
        odds["A1"].estimate.value - odds["A2"].estimate.value, rel=LOGGED
    )


def test_what_stands_beside_the_effect_is_not_asked_of_a_negative_control(written):
    outcomes = BINARY.replace(
        "primary: yes}",
        "primary: yes},\n  end: {label: End, type: time-to-event, time: hours, event: died = yes, horizon: 2 days, better: lower}",
        1,
    )
    text = f"{{id: A1, role: primary, outcome: end, {WEIGHTED}, also: [rmst difference, kaplan-meier]}}"
    plan = written.plan(
        outcomes=outcomes,
        confounders="{short: [age, sex]}",
        analyses=f"[{text}]",
        time_zero="{text: admission, counted: yes}",
    )
    (control,) = plan.robustness.negative_controls
    assert (control.outcomes, control.measures, control.companions) == (("bled",), ("by type",), ())
