"""Matching and weighting under bad input, and their numbers by hand: NumPy and loops, none of the kernels."""

import math

import numpy as np
import polars as pl
import pytest

from counterpulse.errors import DataError
from counterpulse.numerics.random_streams import stream
from counterpulse.results.privacy import suppress
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.run import could_not_estimate, run

CLOSED_FORM = 1e-10  # relative; the same arithmetic by another road
FITTED = 1e-7  # relative; two Newton fits of the score
COX_ERROR = 1e-6  # relative; a sandwich at an estimate that Newton's method left at its last step
SCORE_ZERO = 1e-6  # absolute; the score equation at the estimate, of some dozens of events
OUTCOMES = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes},
  end: {label: End, type: time-to-event, time: hours, event: died = yes, horizon: 2 days, better: lower},
  value: {label: Value, type: continuous, value: hours, better: higher}}"""
THREE = "{variable: device, treated: {pump: Pump, other: Other}, reference: {none: No pump}, assigned_by: clinician}"
MATCHING, WEIGHTING = "propensity-matching", "propensity-weighting"


def keys(rest, outcome="died", method=MATCHING, **more):
    return {
        "outcomes": OUTCOMES, "time_zero": "{text: admission, counted: yes}", "confounders": "{short: [age, sex]}",
        "analyses": f"[{{id: A1, role: primary, outcome: {outcome}, method: {method}, {rest}}}]", **more,
    }  # fmt: skip


def people(n=200, seed=11, device=("none", "pump")):
    random = stream(seed, "hostile", 0)
    rows = []
    for number in range(n):
        age, male = random.normal(60, 10), random.random() < 0.5
        treated = random.random() < 1 / (1 + math.exp(-(age - 66) / 10 - 0.5 * male))
        died = random.random() < 1 / (1 + math.exp(-(age - 62) / 12 + 0.3 * treated))
        rows.append(
            {"age": f"{age:.1f}", "sex": "M" if male else "F", "died": "yes" if died else "no", "hours": f"{number % 97 + random.random():.6f}",
             "device": device[-1] if treated else device[number % (len(device) - 1)]}
        )  # fmt: skip
    return rows


def result_of(written, protocol, patients, **options):
    return run(written.plan(**protocol), written.table(*patients), **options)


def row_of(result, measure, term="pump"):
    return next(row for row in result.estimates if (row.estimate.measure, row.estimate.term) == (measure, term))


def arrays(written, protocol, patients):
    """Treated, died, hours and the covariates of the score, as numbers."""
    frame = make_cohort(written.plan(**protocol), written.table(*patients)).frame
    X = np.column_stack((np.ones(frame.height), frame["age"], (frame["sex"] == "M").cast(pl.Float64)))
    return (frame["device"].cast(pl.String) == "pump").to_numpy(), frame["died"].cast(pl.Float64).to_numpy(), frame, X


def chance_of(X, treated):
    """Logistic regression by Newton's method."""
    center, scale = np.r_[0, X[:, 1:].mean(axis=0)], np.r_[1, X[:, 1:].std(axis=0)]
    X, beta = (X - center) / scale, np.zeros(X.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-X @ beta))
        beta = beta + np.linalg.solve(X.T @ (X * (p * (1 - p))[:, None]), X.T @ (treated - p))
    return 1 / (1 + np.exp(-X @ beta))


def weights_by_hand(X, treated, target):
    e = chance_of(X, treated)
    tilt = {"all": np.ones(len(e)), "treated": e, "untreated": 1 - e, "overlap": e * (1 - e)}[target]
    return tilt / np.where(treated, e, 1 - e)


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_variances_of_matched_risks_are_those_of_the_differences_within_pairs(written):
    protocol, patients = keys("propensity: {model: short}, also: [risk difference]"), people()
    result = result_of(written, protocol, patients)
    treated, died, _, X = arrays(written, protocol, patients)
    e = chance_of(X, treated)
    logit, free, pairs = np.log(e / (1 - e)), set(np.flatnonzero(~treated)), []
    for one in sorted(np.flatnonzero(treated), key=lambda row: -logit[row]):
        partner = min(free, key=lambda row: (abs(logit[row] - logit[one]), logit[row]))
        free.remove(partner)
        pairs.append((one, partner))
    first, second = (died[list(rows)] for rows in zip(*pairs, strict=True))
    risks = first.mean(), second.mean()
    apart = first - second
    difference = row_of(result, "risk difference").estimate
    assert difference.value == pytest.approx(risks[0] - risks[1], rel=CLOSED_FORM)
    assert difference.std_error == pytest.approx(apart.std(ddof=1) / math.sqrt(len(pairs)), rel=CLOSED_FORM)
    moved = (first - risks[0]) / (risks[0] * (1 - risks[0])) - (second - risks[1]) / (risks[1] * (1 - risks[1]))
    odds = row_of(result, "odds ratio").estimate
    assert odds.value == pytest.approx(
        math.log(risks[0] / (1 - risks[0])) - math.log(risks[1] / (1 - risks[1])), rel=CLOSED_FORM
    )
    assert odds.std_error == pytest.approx(moved.std(ddof=1) / math.sqrt(len(pairs)), rel=CLOSED_FORM)


@pytest.mark.parametrize("target", ["all", "treated", "untreated", "overlap"])
def test_weighted_risks_and_effective_patients(written, target):
    protocol = keys(f"propensity: {{model: short}}, estimand: {{target: {target}}}", method=WEIGHTING)
    patients = people()
    result = result_of(written, protocol, patients)
    treated, died, _, X = arrays(written, protocol, patients)
    w = weights_by_hand(X, treated, target)
    risks = [(w * died)[side].sum() / w[side].sum() for side in (treated, ~treated)]
    odds = row_of(result, "odds ratio")
    assert odds.estimate.value == pytest.approx(
        math.log(risks[0] / (1 - risks[0])) - math.log(risks[1] / (1 - risks[1])), rel=FITTED
    )
    effective = sum(w[side].sum() ** 2 / (w[side] ** 2).sum() for side in (treated, ~treated))
    assert odds.effective_n == pytest.approx(effective, rel=FITTED)
    assert effective < odds.n


def test_a_weighted_curve_and_a_weighted_hazard_ratio(written):
    protocol, patients = keys("propensity: {model: short}, also: [risk difference]", "end", WEIGHTING), people()
    result = result_of(written, protocol, patients)
    treated, _, frame, X = arrays(written, protocol, patients)
    w = weights_by_hand(X, treated, "all")
    time, event = frame["end.time"].to_numpy(), frame["end.event"].to_numpy()
    assert len(np.unique(time[event])) == event.sum()  # no ties, so every method for them is one
    for term, side in (("pump", treated), ("none", ~treated)):
        alive = 1.0
        for at in sorted(time[event & side & (time <= 48)]):
            alive *= 1 - w[side & event & (time == at)].sum() / w[side & (time >= at)].sum()
        found = row_of(result, "risk", term)
        assert found.estimate.natural().value == pytest.approx(1 - alive, rel=FITTED)
    hazard = row_of(result, "hazard ratio")
    beta, score, information, residual = hazard.estimate.value, 0.0, 0.0, np.zeros(len(time))
    for row in np.flatnonzero(event):
        risk = time >= time[row]
        pull = w * np.exp(beta * treated) * risk
        mean = pull[treated].sum() / pull.sum()
        score += w[row] * (treated[row] - mean)
        information += w[row] * mean * (1 - mean)
        residual[row] += w[row] * (treated[row] - mean)
        residual -= w[row] / pull.sum() * pull * (treated - mean)
    assert abs(score) < SCORE_ZERO
    assert hazard.estimate.std_error == pytest.approx(math.sqrt((residual**2).sum()) / information, rel=COX_ERROR)
    assert hazard.effective_n == pytest.approx(
        sum(w[side].sum() ** 2 / (w[side] ** 2).sum() for side in (treated, ~treated)), rel=FITTED
    )


def test_swapping_the_groups_turns_the_effect_around(written):
    swapped = "{variable: device, treated: {none: No pump}, reference: {pump: Pump}, assigned_by: clinician}"
    rest = "propensity: {model: short}, also: [risk difference]"
    first = row_of(result_of(written, keys(rest, method=WEIGHTING), people()), "risk difference").estimate
    protocol = keys(rest, method=WEIGHTING, groups=swapped)
    second = row_of(result_of(written, protocol, people()), "risk difference", "none").estimate
    assert second.value == pytest.approx(-first.value, rel=FITTED)
    assert second.std_error == pytest.approx(first.std_error, rel=FITTED)


# -- effective patients ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outcome", "measure"), [("died", "odds ratio"), ("end", "hazard ratio")])
def test_matched_pairs_are_as_many_as_they_are(written, outcome, measure):
    row = row_of(result_of(written, keys("propensity: {model: short}", outcome), people()), measure)
    assert row.effective_n == pytest.approx(row.n, rel=CLOSED_FORM)


def test_nothing_is_effective_without_weights(written):
    protocol = keys("adjust: short", method="logistic-regression")
    assert {row.effective_n for row in result_of(written, protocol, people()).estimates} == {None}


def test_hidden_counts_do_not_follow_from_effective_patients(written):
    result = result_of(written, keys("propensity: {model: short, caliper: 0.01}"), people(60))
    assert row_of(result, "odds ratio").effective_n is not None
    assert row_of(suppress(result, 1000), "odds ratio").effective_n is None


# -- several groups ----------------------------------------------------------------------------------------------------


def test_the_effect_in_the_untreated_of_several_groups_stands_for_the_reference(written):
    protocol = keys(
        "propensity: {model: short}, estimand: {target: untreated}, also: [risk difference]",
        method=WEIGHTING,
        groups=THREE,
    )
    result = result_of(written, protocol, people(device=("none", "other", "pump")))
    reference = next(group for group in row_of(result, "odds ratio").groups if group.group == "none")
    found = row_of(result, "risk", "none").estimate.natural().value
    assert found == pytest.approx(reference.events / reference.n, rel=CLOSED_FORM)  # their weights are one


def test_the_treated_of_several_groups_are_no_one_group(written):
    protocol = keys("propensity: {model: short}, estimand: {target: treated}", method=WEIGHTING, groups=THREE)
    assert "E726" in written.codes(**protocol)


@pytest.mark.parametrize("outcome", ["died", "end", "value"])
def test_a_group_without_patients_is_said_to_be_empty(written, outcome):
    protocol = keys("propensity: {model: short}", outcome, WEIGHTING, groups=THREE)
    result = result_of(written, protocol, people())
    assert could_not_estimate(result)
    contrasts = {row.estimate.term: row.estimate.status.code for row in result.estimates if row.estimate.reference}
    assert contrasts == {"pump": "ok", "other": "empty-group"}


@pytest.mark.parametrize(("device", "code"), [("pump", "no-controls"), ("none", "no-treated")])
@pytest.mark.parametrize("outcome", ["died", "end"])
def test_one_group_alone_of_several(written, device, code, outcome):
    protocol = keys("propensity: {model: short}", outcome, WEIGHTING, groups=THREE)
    result = result_of(written, protocol, [row | {"device": device} for row in people(60)])
    assert could_not_estimate(result)
    assert {row.estimate.status.code for row in result.estimates} == {code}
    assert {row.estimate.term for row in result.estimates} == {"pump", "other"}


# -- a status where there is no number ---------------------------------------------------------------------------------


def test_every_effect_that_was_asked_for_says_why_it_is_not_there(written):
    patients = [row | {"age": "80" if row["device"] == "pump" else "40"} for row in people(60)]
    rest = "propensity: {model: [age]}, also: [risk difference, risk ratio]"
    for outcome in ("died", "end"):
        result = result_of(written, keys(rest, outcome), patients)
        found = {row.estimate.measure: row.estimate.status.code for row in result.estimates}
        first = "odds ratio" if outcome == "died" else "hazard ratio"
        assert found == dict.fromkeys((first, "risk difference", "risk ratio"), "treatment-predicted")
        assert could_not_estimate(result)
        assert result.details["A1"]["status"] == "treatment-predicted"


def test_who_lacks_the_covariates_of_the_score_is_missing(written):
    patients = [row | {"age": ""} for row in people(40)]
    for method in (MATCHING, WEIGHTING):
        row = row_of(result_of(written, keys("propensity: {model: short}", method=method), patients), "odds ratio")
        assert (row.estimate.status.code, row.n, row.n_missing) == ("no-rows", 0, 40)


def test_few_centers_have_no_robust_variance(written):
    patients = [row | {"site": "AB"[index % 2]} for index, row in enumerate(people())]
    for method in (MATCHING, WEIGHTING):
        rest = "propensity: {model: short}, clusters: {variable: site}"
        estimate = row_of(result_of(written, keys(rest, method=method), patients), "odds ratio").estimate
        assert (estimate.status.code, estimate.std_error, estimate.interval) == ("few-clusters", None, None)


@pytest.mark.parametrize(
    ("method", "outcome", "measure"),
    [(WEIGHTING, "died", "odds ratio"), (WEIGHTING, "end", "hazard ratio"), (WEIGHTING, "value", "mean difference"),
     (MATCHING, "end", "hazard ratio")],
)  # fmt: skip
def test_the_lost_are_those_without_score_and_those_without_outcome(written, method, outcome, measure):
    patients = people()
    for number, row in enumerate(patients):
        if number % 10 == 1:
            row["age"] = ""
        elif number % 10 == 2:
            row["died" if outcome == "died" else "hours"] = ""
    result = result_of(written, keys("propensity: {model: short}", outcome, method), patients)
    row = row_of(result, measure)
    assert result.details["A1"]["incomplete"] == 20
    if method == WEIGHTING:
        assert (row.n, row.n_missing) == (160, 40)
    else:
        known = result.details["A1"]["matched_treated"] + result.details["A1"]["matched_reference"]
        assert row.n + row.n_missing - 20 == known
    (record,) = result.analyses
    assert record.n_missing == row.n_missing


@pytest.mark.parametrize("by", ["subclasses", "coarsened-exact"])
def test_strata_of_many_are_not_drawn_again(written, by):
    assert "E611" in written.codes(**keys(f"propensity: {{model: short, by: {by}}}, bootstrap: 100"))


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("exact: died", "E621"),
        ("anti_exact: died", "E621"),
        ("exact: device", "E608"),
        ("calipers: {hours: 2}", "E621"),
    ],
)
def test_pairs_are_not_made_by_what_is_compared(written, key, code):
    outcome = "value" if "hours" in key else "died"
    assert code in written.codes(**keys(f"propensity: {{model: [age], {key}}}", outcome))


def test_variables_of_pairs_are_imputed_and_asked_about(written):
    patients = [row | ({"sex": ""} if number % 9 == 0 else {}) for number, row in enumerate(people(120))]
    imputed = {"missing_data": "{method: multiple-imputation, datasets: 2, iterations: 1}"}
    result = result_of(written, keys("propensity: {model: [age], exact: sex}", **imputed), patients)
    assert result.details["A1"]["incomplete"] == 0
    with pytest.raises(DataError, match="E533"):
        result_of(written, keys("propensity: {model: [age], exact: sex}", missing_data=""), patients)


# -- no variance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [MATCHING, WEIGHTING])
@pytest.mark.parametrize("died", ["yes", "no"])
def test_a_group_that_dies_or_lives_to_the_last_has_no_odds_and_no_variance(written, method, died):
    patients = [row | ({"died": died} if row["device"] == "pump" else {}) for row in people()]
    result = result_of(written, keys("propensity: {model: short}, also: [risk difference]", method=method), patients)
    odds, difference = row_of(result, "odds ratio").estimate, row_of(result, "risk difference").estimate
    assert (odds.status.code, math.isnan(odds.value)) == ("undefined", True)
    other = row_of(result, "risk", "none").estimate.natural().value
    assert difference.value == pytest.approx((died == "yes") - other, rel=CLOSED_FORM)
    assert (difference.status.code, difference.interval, difference.p_value) == ("no-group-variance", None, None)


@pytest.mark.parametrize("method", [MATCHING, WEIGHTING])
def test_a_number_that_does_not_vary_has_no_interval_of_rounding(written, method):
    patients = [row | {"hours": "5"} for row in people()]
    estimate = row_of(
        result_of(written, keys("propensity: {model: short}", "value", method), patients), "mean difference"
    ).estimate
    assert (estimate.status.code, estimate.value, estimate.interval, estimate.p_value) == (
        "zero-variance",
        0.0,
        None,
        None,
    )


@pytest.mark.parametrize("method", [MATCHING, WEIGHTING])
def test_a_number_that_is_zero_or_one_is_a_number(written, method):
    patients = [row | {"hours": str(number % 2)} for number, row in enumerate(people())]
    result = result_of(written, keys("propensity: {model: short}", "value", method), patients)
    estimate = row_of(result, "mean difference").estimate
    assert (estimate.status.code, estimate.interval is None) == ("ok", False)
