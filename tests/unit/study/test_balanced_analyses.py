"""Matching and weighting in a study: what is planned, what is refused, and that the numbers are the kernels' own."""

import math

import numpy as np
import polars as pl
import pytest

from counterpulse import propensity
from counterpulse.numerics.random_streams import stream
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.run import run

CLOSED_FORM = 1e-10  # relative; the same arithmetic by another road
ZERO = 1e-9  # absolute; overlap weights make the difference of a covariate zero but for its last digits
CENTERS = 12
ITERATIVE = 1e-8  # relative; two Newton fits, each run to the end
OUTCOMES = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes},
  end: {label: End, type: time-to-event, time: hours, event: died = yes, horizon: 2 days, better: lower},
  value: {label: Value, type: continuous, value: hours, better: lower}}"""


def keys(*analyses, **more):
    return {
        "outcomes": OUTCOMES,
        "time_zero": "{text: admission, counted: yes}",
        "analyses": f"[{', '.join(analyses)}]",
        "confounders": "{short: [age, sex]}",
        **more,
    }


def one(rest, outcome="died", method="propensity-matching"):
    return keys(f"{{id: A1, role: primary, outcome: {outcome}, method: {method}, {rest}}}")


def people(n=300, seed=1, device=("none", "pump")):
    random = stream(seed, "balanced", 0)
    rows = []
    for number in range(n):
        age, male, site = random.normal(60, 10), random.random() < 0.5, random.choice(["A", "B"])
        treated = random.random() < 1 / (1 + math.exp(-(age - 63) / 10 - 0.5 * male))
        died = random.random() < 1 / (1 + math.exp(-(age - 65) / 12 + 0.3 * treated))
        rows.append(
            {"age": f"{age:.1f}", "sex": "M" if male else "F", "site": str(site), "died": "yes" if died else "no",
             "device": device[-1] if treated else device[number % (len(device) - 1)], "hours": f"{random.exponential(60) + 1:.2f}"}
        )  # fmt: skip
    return rows


def in_centers(patients):
    """The number in `hours` is that of a center."""
    return [row | {"hours": str(index % CENTERS + 1)} for index, row in enumerate(patients)]


def result_of(written, protocol, patients, **options):
    return run(written.plan(**protocol), written.table(*patients), **options)


def main_row(result, measure):
    return next(row for row in result.estimates if row.estimate.measure == measure and row.estimate.reference)


def frame_of(written, protocol, patients):
    return make_cohort(written.plan(**protocol), written.table(*patients)).frame


# -- the plan ----------------------------------------------------------------------------------------------------------


def test_the_composition_is_printed(written):
    (analysis,) = written.plan(**one("propensity: {model: short, caliper: 0.2 SD of logit, exact: site}")).analyses
    assert analysis.composition == (
        "as observed", "1:1 nearest matching within 0.2 SD of the logit", "comparison of matched patients",
    )  # fmt: skip
    assert analysis.balancing.options == {"caliper": 0.2, "on": "logit", "exact": ("site",)}
    assert analysis.target == "treated"


@pytest.mark.parametrize(
    ("outcome", "method", "said"),
    [
        ("died", "propensity-matching", "the risks of matched patients were compared, with variances robust to matched sets"),
        ("value", "propensity-matching", "the means of matched patients were compared, with variances robust to matched sets"),
        ("died", "propensity-weighting", "the risks of weighted patients were compared, with variances that allow for the estimation of the weights"),
        ("end", "propensity-weighting", "the hazards of weighted patients were compared by Cox regression, with robust variances"),
    ],
)  # fmt: skip
def test_what_is_done_is_said_for_the_outcome_at_hand(written, outcome, method, said):
    (analysis,) = written.plan(**one("propensity: {model: short}", outcome, method)).analyses
    assert [clause.text for clause in analysis.clauses] == [said]
    assert said in analysis.sentence


def test_curves_are_named_where_they_are_asked_for(written):
    also = "propensity: {model: short}, estimand: {contrast: risk difference}"
    (analysis,) = written.plan(**one(also, "end")).analyses
    assert (
        "event-free survival of matched patients was estimated by the Kaplan-Meier method" in analysis.clauses[0].text
    )
    assert "Cox" not in analysis.clauses[0].text


def test_methods_on_the_same_patients_keep_their_labels(written):
    rest = "propensity: {use: matching, model: short}, also: [cox]"
    (analysis,) = written.plan(**one(rest, "end", "kaplan-meier")).analyses
    assert (analysis.companions, analysis.companion_labels) == (("cox",), ("Cox regression",))


def test_adjust_is_the_score_where_no_model_is_named(written):
    (analysis,) = written.plan(**one("adjust: short", method="propensity-weighting")).analyses
    assert (analysis.balancing.terms, analysis.terms) == (("age", "sex"), ())
    (analysis,) = written.plan(**one("adjust: [age], propensity: {model: short}")).analyses
    assert (analysis.balancing.terms, analysis.terms) == (("age", "sex"), ("age",))


@pytest.mark.parametrize(
    ("written_ratio", "options"),
    [('"1:1"', {"ratio": 1}), ("2", {"ratio": 2}), ('"1:1-3"', {"ratio": 2, "min_controls": 1, "max_controls": 3})],
)
def test_ratios(written, written_ratio, options):
    (analysis,) = written.plan(**one(f"propensity: {{model: short, ratio: {written_ratio}}}")).analyses
    assert analysis.balancing.options == options


@pytest.mark.parametrize(
    ("rest", "method", "code"),
    [
        ("propensity: {model: short}", "cox", "E604"),
        ("propensity: {model: short}", "logistic-regression", "E720"),
        ("propensity: {use: matching, model: short}", "two-proportions", "E721"),
        ("propensity: {model: short, by: logistic}", "propensity-matching", "E722"),
        ("propensity: {model: short, stabilize: yes}", "propensity-matching", "E722"),
        ("propensity: {model: short, ratio: 2:1}", "propensity-matching", "E727"),
        ("propensity: {model: short, caliper: wide}", "propensity-matching", "E727"),
        ("propensity: {caliper: 0.2}", "propensity-matching", "E725"),
        ("propensity: {model: short}, estimand: {target: overlap}", "propensity-matching", "E726"),
        ("propensity: {model: short}, estimand: {contrast: hazard ratio}", "propensity-matching", "E612"),
        ("propensity: {use: weighting, model: short}, also: [risk difference]", "logistic-regression", "E726"),
        ("propensity: {use: weighting, model: short}, interval: profile", "logistic-regression", "E724"),
        ("propensity: {model: short}, clusters: {variable: site, as: gee}", "propensity-weighting", "E614"),
        ("propensity: {model: short}, clusters: {variable: site}, bootstrap: 100", "propensity-weighting", "E611"),
        ("propensity: {model: short, replacement: yes}, bootstrap: 100", "propensity-matching", "E611"),
        ("propensity: {model: short}, bootstrap: 50", "propensity-weighting", "E611"),
        ("propensity: {model: nothing}", "propensity-matching", "E233"),
    ],
)
def test_what_is_refused(written, rest, method, code):
    assert code in written.codes(**one(rest, method=method))


def test_several_treated_groups_are_weighted_not_matched(written):
    groups = (
        "{variable: device, treated: {pump: Pump, other: Other}, reference: {none: No pump}, assigned_by: clinician}"
    )
    assert "E723" in written.codes(**one("propensity: {model: short}"), groups=groups)
    plan = written.plan(**one("propensity: {model: short}", method="propensity-weighting"), groups=groups)
    patients = people(device=("none", "other", "pump"))
    result = run(plan, written.table(*patients))
    rows = [row for row in result.estimates if row.estimate.measure == "odds ratio"]
    assert [row.estimate.term for row in rows] == ["pump", "other"]
    assert {block.id for block in result.blocks if block.kind == "balance"} == {
        "A1.died.pump.balance", "A1.died.other.balance",
    }  # fmt: skip
    found = propensity.weight(
        make_cohort(plan, written.table(*patients)).frame, treatment="device", covariates=["age", "sex"], estimand="ATE"
    )
    theirs = propensity.weighted_effects(found, outcome="died", reference="none")
    by_group = {one.two.treated: one for one in theirs}
    for row in rows:
        assert row.estimate.value == pytest.approx(by_group[row.estimate.term].two.odds_ratio().value, rel=CLOSED_FORM)


# -- the numbers -------------------------------------------------------------------------------------------------------


def test_matched_numbers_are_those_of_the_kernel(written):
    protocol, patients = one("propensity: {model: short, caliper: 0.2 SD of logit}, also: [risk difference]"), people()
    result = result_of(written, protocol, patients)
    found = propensity.match(
        frame_of(written, protocol, patients), treatment="device", covariates=["age", "sex"], caliper=0.2
    )
    effect = propensity.matched_effect(found, outcome="died")
    row = main_row(result, "risk difference")
    theirs = next(one for one in effect.estimates() if one.measure == "risk difference")
    assert row.estimate.value == pytest.approx(theirs.value, rel=CLOSED_FORM)
    assert row.estimate.std_error == pytest.approx(theirs.std_error, rel=CLOSED_FORM)
    assert result.details["A1"]["pairs"] == found.pairs.height
    assert row.n == 2 * found.pairs.height
    assert row.estimand.target == "matched treated"
    assert "W725" in {notice.code for notice in result.warnings}


def test_everybody_matched_is_the_treated(written):
    patients = [row | {"device": "pump" if index % 4 == 0 else "none"} for index, row in enumerate(people())]
    row = main_row(result_of(written, one("propensity: {model: short}"), patients), "odds ratio")
    assert row.estimand.target == "treated"


@pytest.mark.parametrize("target", ["all", "treated", "untreated", "overlap", "matched"])
def test_weighted_numbers_are_those_of_the_kernel(written, target):
    rest = f"propensity: {{model: short}}, estimand: {{target: {target}}}"
    protocol, patients = one(rest, method="propensity-weighting", outcome="value"), people()
    row = main_row(result_of(written, protocol, patients), "mean difference")
    names = {"all": "ATE", "treated": "ATT", "untreated": "ATC", "overlap": "ATO", "matched": "ATM"}
    found = propensity.weight(
        frame_of(written, protocol, patients), treatment="device", covariates=["age", "sex"], estimand=names[target]
    )
    theirs = next(one for one in propensity.weighted_effect(found, outcome="value").estimates() if one.reference)
    assert row.estimate.value == pytest.approx(theirs.value, rel=CLOSED_FORM, abs=ZERO)
    assert row.estimand.target == target


def test_clusters_of_weighted_patients_are_summed(written):
    rest = "propensity: {model: short}, clusters: {variable: hours}, also: [risk difference]"
    protocol, patients = one(rest, method="propensity-weighting"), in_centers(people())
    row = main_row(result_of(written, protocol, patients), "risk difference")
    frame = frame_of(written, protocol, patients)
    found = propensity.weight(frame, treatment="device", covariates=["age", "sex"], estimand="ATE")
    influence = propensity.weighted_effect(found, outcome="died").influence @ np.array([1.0, -1.0])
    centers = frame["hours"].to_numpy()[found.groups.rows]
    sums = np.array([influence[centers == center].sum() for center in range(1, CENTERS + 1)])
    assert row.estimate.std_error == pytest.approx(
        math.sqrt(CENTERS / (CENTERS - 1) * (sums**2).sum()), rel=CLOSED_FORM
    )


def test_clusters_of_matched_patients_are_two_way(written):
    rest = "propensity: {model: short}, clusters: {variable: hours}, also: [risk difference]"
    protocol, patients = one(rest), in_centers(people())
    row = main_row(result_of(written, protocol, patients), "risk difference")
    frame = frame_of(written, protocol, patients)
    found = propensity.match(frame, treatment="device", covariates=["age", "sex"])
    influence = propensity.matched_effect(found, outcome="died").influence @ np.array([1.0, -1.0])
    table = pl.DataFrame(
        {"set": found.sets[found.units.rows], "site": frame["hours"][found.units.rows], "x": influence}
    )
    table = table.filter(pl.col("set") >= 0)

    def by(*names):
        sums = table.group_by(*names).agg(pl.col("x").sum())["x"].to_numpy()
        return len(sums) / (len(sums) - 1) * (sums**2).sum()

    assert row.estimate.std_error == pytest.approx(
        math.sqrt(by("set") + by("site") - by("set", "site")), rel=CLOSED_FORM
    )


def test_cox_in_matched_patients_clusters_by_pair(written):
    from counterpulse import survival

    protocol = one("propensity: {use: matching, model: short}", method="cox", outcome="end")
    patients = people()
    row = main_row(result_of(written, protocol, patients), "hazard ratio")
    frame = frame_of(written, protocol, patients)
    found = propensity.match(frame, treatment="device", covariates=["age", "sex"])
    matched = frame.with_columns(pl.Series("set", found.sets)).filter(pl.col("set") >= 0)
    fit = survival.cox(matched, time="end.time", event="end.event", terms=["device"], cluster="set")
    assert row.estimate.std_error == pytest.approx(float(fit.parameters.std_errors()[0]), rel=ITERATIVE)
    assert (
        main_row(
            result_of(written, one("propensity: {model: short}", outcome="end"), patients), "hazard ratio"
        ).estimate.value
        == row.estimate.value
    )


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def status_of(written, rest, patients, method="propensity-matching"):
    result = result_of(written, one(rest, method=method), patients)
    row = main_row(result, "odds ratio")
    return row.estimate.status.code, math.isnan(row.estimate.value), result


def test_a_caliper_that_matches_none(written):
    patients = [
        row | {"age": str(90 + index % 3) if row["device"] == "pump" else str(20 + index % 5)}
        for index, row in enumerate(people())
    ]
    patients[0] |= {"device": "pump", "age": "50"}
    patients[1] |= {"device": "none", "age": "50.5"}
    code, blank, _ = status_of(written, "propensity: {model: [age], caliper: 0.0001 SD of logit}", patients)
    assert (code, blank) == ("nothing-matched", True) or code in ("treatment-predicted", "no-overlap")
    assert blank


def test_treatment_that_is_predicted_perfectly(written):
    patients = [row | {"age": "80" if row["device"] == "pump" else "40"} for row in people()]
    for method in ("propensity-matching", "propensity-weighting"):
        code, blank, result = status_of(written, "propensity: {model: [age]}", patients, method)
        assert code == "treatment-predicted"
        assert blank
        assert "W710" in {notice.code for notice in result.warnings}


def test_nobody_treated_and_nobody_else(written):
    for device, expected in (("none", "no-treated"), ("pump", "no-controls")):
        patients = [row | {"device": device} for row in people(40)]
        code, blank, _ = status_of(written, "propensity: {model: short}", patients)
        assert (code, blank) == (expected, True)


def test_fewer_controls_than_treated_is_told(written):
    patients = [row | {"device": "none" if index % 4 == 0 else "pump"} for index, row in enumerate(people())]
    code, blank, result = status_of(written, "propensity: {model: short}", patients)
    assert (code, blank) == ("ok", False)
    told = [notice.text for notice in result.warnings if notice.code == "W724"]
    assert len(told) == 1
    assert result.details["A1"]["unmatched_treated"] > 0


def test_weights_above_ten_thousand_give_no_estimate(written):
    random = stream(3, "extreme", 0)
    ages = random.normal(60, 10, 600).round(1)
    patients = [
        row | {"age": str(age), "device": "pump" if random.random() < 1 / (1 + math.exp(-0.9 * (age - 60))) else "none"}
        for row, age in zip(people(600), ages, strict=True)
    ]
    patients[0] |= {"device": "pump", "age": "38"}
    code, blank, result = status_of(written, "propensity: {model: [age]}", patients, "propensity-weighting")
    assert (code, blank) == ("extreme-weights", True)
    assert {"weights", "balance"} <= {block.kind for block in result.blocks}
    assert [notice.code for notice in result.warnings if "A weight exceeds 10,000" in notice.text] == ["W710"]


def test_what_is_left_unbalanced_is_told(written):
    result = result_of(written, one("propensity: {model: [age], balance_limit: 0.0001}"), people())
    assert "W726" in {notice.code for notice in result.warnings}


def test_jobs_change_no_digit(written):
    protocol, patients = one("propensity: {model: short, order: random}, bootstrap: 100"), people()
    first, second = (result_of(written, protocol, patients, jobs=jobs) for jobs in (1, 2))
    assert repr(first.estimates) == repr(second.estimates)
