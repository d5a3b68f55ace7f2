"""What is told beside a pooled effect: each study left out, added, drawn; small studies, moderators, groups, designs."""

from math import log

import numpy as np
import pytest

from counterpulse.synthesis.pooling.meta_regression import meta_regression
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.small_study.egger import egger

SAME = 1e-12  # the same function, called with the same numbers
FITTED = 1e-6  # iterative fits, which stop at a step of their own


def analyses(**options):
    return (
        f"[{{id: M1, role: primary, outcome: death{''.join(f', {name}: {value}' for name, value in options.items())}}}]"
    )


@pytest.fixture(scope="module")
def twelve(counts):
    random = np.random.default_rng(7)
    rows = []
    for number in range(12):
        n = int(random.integers(30, 200))
        events = [int(random.integers(5, n // 2)), int(random.integers(5, n // 2))]
        rows += counts(
            (f"Study {number:02d}", events[0], n, events[1], n), year=2000 + number, design=("rct", "plain")[number % 2]
        )
    return rows


@pytest.fixture(scope="module")
def effects(twelve):
    tables = [
        (
            row["events_treated"],
            row["n_treated"] - row["events_treated"],
            row["events_control"],
            row["n_control"] - row["events_control"],
        )
        for row in twelve
    ]
    yi = np.array([log(a * d / (b * c)) for a, b, c, d in tables])
    return yi, np.array([sum(1 / cell for cell in table) for table in tables])


def estimate(result, id_):
    return next(row.estimate for row in result.estimates if row.id == id_)


def test_the_pooled_effect_is_that_of_pool(review, twelve, effects):
    result, fit = review.result(*twelve), pool(*effects)
    assert estimate(result, "M1.death.treated.odds-ratio").value == pytest.approx(fit.effect, rel=SAME)
    assert estimate(result, "M1.death.heterogeneity.tau2.variance-between-studies").value == pytest.approx(
        fit.tau2, rel=FITTED
    )
    assert result.details["M1"]["death.studies"] == 12


def test_each_study_left_out_and_added(review, twelve, effects, rows_of):
    result = review.result(*twelve, analyses=analyses(leave_one_out="yes", cumulative="year"))
    without = rows_of(result, "leave-one-out")
    keep = np.arange(12) != 3
    assert log(without[3]["estimate"]) == pytest.approx(pool(effects[0][keep], effects[1][keep]).effect, rel=FITTED)
    added = rows_of(result, "cumulative")
    assert log(added[4]["estimate"]) == pytest.approx(pool(effects[0][:5], effects[1][:5]).effect, rel=FITTED)
    assert log(added[-1]["estimate"]) == pytest.approx(pool(*effects).effect, rel=FITTED)


def test_influence_and_subsets(review, twelve, rows_of):
    result = review.result(*twelve, analyses=analyses(influence="yes", gosh="yes"))
    assert len(rows_of(result, "influence")) == 12
    assert rows_of(result, "gosh")


def test_small_study_effects(review, twelve, effects, rows_of):
    names = "[egger, begg, harbord, peters, trim-and-fill, selection-step, limit, pet-peese, fail-safe, excess-significance]"
    result = review.result(*twelve, analyses=analyses(small_study_effects=names))
    tests = {row["test"]: row for row in rows_of(result, "small-study-test")}
    assert tests["Egger"]["p_value"] == pytest.approx(egger(*effects).p_value, rel=SAME)
    assert {"Begg and Mazumdar", "Harbord", "Peters", "Trim and fill (L0)", "Fail-safe N (Rosenthal)"} <= set(tests)
    assert {row.model for row in result.estimates} >= {None, "trim and fill", "limit meta-analysis", "PET-PEESE"}
    assert "W866" not in {notice.code for notice in result.warnings}


def test_few_studies_are_told(review, four):
    result = review.result(*four, analyses=analyses(small_study_effects="[egger]"))
    assert "W866" in {notice.code for notice in result.warnings}


def test_a_test_that_needs_counts_is_told_and_the_others_are_done(review, twelve, rows_of):
    rows = [
        {"study": row["study"], "outcome": "death", "yi": 0.1 * index, "vi": 0.1 + index / 100}
        for index, row in enumerate(twelve)
    ]
    result = review.result(*rows, analyses=analyses(small_study_effects="[harbord, egger]"))
    assert [row["test"] for row in rows_of(result, "small-study-test")] == ["Egger"]
    (told,) = [notice.text for notice in result.warnings if notice.code == "W867"]
    assert "harbord was not done" in told


def test_a_moderator(review, twelve, effects):
    result = review.result(*twelve, analyses=analyses(moderators="[year]"))
    fit = meta_regression(*effects, np.arange(2000.0, 2012.0)[:, None])
    found = estimate(result, "M1.death.year.change-in-odds-ratio")
    assert found.value == pytest.approx(float(fit.coefficients[1]), rel=FITTED)
    assert estimate(result, "M1.death.moderators.test-of-moderators").p_value == pytest.approx(
        fit.moderators.p_value, rel=FITTED
    )


def test_a_moderator_that_is_not_reported_leaves_a_study_out(review, twelve):
    rows = [dict(twelve[0], year=None), *twelve[1:]]
    result = review.result(*rows, analyses=analyses(moderators="[year]"))
    assert "W869" in {notice.code for notice in result.warnings}
    assert result.details["M1"]["death.studies"] == 11


def test_too_many_moderators_are_told(review, four):
    result = review.result(
        *[row | {"year": 2000 + index, "time": index % 2} for index, row in enumerate(four)],
        analyses=analyses(moderators="[year, time]"),
    )
    assert {"W868", "W870"} & {notice.code for notice in result.warnings}


def test_groups_of_studies(review, twelve, effects):
    result = review.result(*twelve, subgroups="{of: M1, by: [design]}")
    rows = {row.subgroup.level: row.estimate for row in result.estimates if row.subgroup is not None}
    assert rows["Randomized trial"].value == pytest.approx(pool(effects[0][::2], effects[1][::2]).effect, rel=FITTED)
    assert rows["Unmatched cohort"].value == pytest.approx(pool(effects[0][1::2], effects[1][1::2]).effect, rel=FITTED)
    assert 0 < estimate(result, "M1.death.design.interaction").p_value <= 1


def test_the_bias_of_a_design_is_taken_away(review, twelve, effects):
    bias = "{measure: odds ratio, bias: {column: design, of: {rct: {reason: none}, plain: {bias: -0.1, sd: 0.2, inflate: 1.5, reason: assumed}}}}"
    result = review.result(*twelve, effects=bias, analyses=analyses(design_bias="yes"))
    cohorts = np.arange(12) % 2 == 1
    fit = pool(effects[0] + np.where(cohorts, 0.1, 0.0), np.where(cohorts, 1.5 * (effects[1] + 0.04), effects[1]))
    assert estimate(result, "M1.death.treated.odds-ratio").value == pytest.approx(fit.effect, rel=FITTED)


def test_a_multiverse_is_a_specification_curve(review, twelve, rows_of):
    vary = "{of: M1, vary: {Variance: {REML: {}, DL: {tau2: DL}}, Interval: {HK: {}, Wald: {interval: wald}}, Studies: {all: {}, trials: {keep: design = 'rct'}}}}"
    rows = rows_of(review.result(*twelve, multiverse=vary), "specification-curve")
    assert len({row["specification"] for row in rows}) == 8


@pytest.mark.parametrize("method", ["bayesian-meta-analysis", "sequential-meta-analysis"])
def test_other_methods_answer(review, twelve, method):
    more = ", order: year, relative_risk_reduction: 0.2" if method.startswith("seq") else ""
    result = review.result(*twelve, analyses=f"[{{id: B1, role: primary, outcome: death, method: {method}{more}}}]")
    assert result.estimates[0].estimate.status.code == "ok"


@pytest.mark.parametrize("model", ["mantel-haenszel", "peto", "generalized-linear", "common", "three-level"])
def test_every_model_answers(review, twelve, model):
    result = review.result(*twelve, analyses=analyses(model=model))
    assert -1 < result.estimates[0].estimate.value < 1
    assert result.estimates[0].n == sum(row["n_treated"] + row["n_control"] for row in twelve)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_few_studies_never_stop_a_review(review, four, k):
    rows = four[:k] or [{"study": "Ely 2020", "outcome": "death"}]
    everything = analyses(
        leave_one_out="yes",
        influence="yes",
        gosh="yes",
        permutation="yes",
        small_study_effects="[egger, trim-and-fill, limit, selection-step]",
    )
    result = review.result(*rows, analyses=everything, certainty="{tool: grade}", subgroups="{of: M1, by: [design]}")
    assert result.estimates[0].estimate.status.code == {0: "no-studies", 1: "one-study", 2: "ok"}[k]


def test_a_network_in_two_parts_is_told(review, four):
    arms = (("pump", "none"), ("pump", "none"), ("device", "drug"), ("device", "drug"))
    rows = [row | {"treated": first, "control": second} for row, (first, second) in zip(four, arms, strict=True)]
    result = review.result(*rows, analyses="[{id: N1, role: primary, outcome: death, method: network-meta-analysis}]")
    assert "W874" in {notice.code for notice in result.warnings}
    assert result.estimates[0].estimate.status.code == "undefined"


def test_a_network_of_one_comparison_is_the_pooled_effect(review, four, effects):
    rows = [row | {"treated": "pump", "control": "none"} for row in four]
    network = (
        "[{id: N1, role: primary, outcome: death, method: network-meta-analysis, model: common, node_splitting: no}]"
    )
    result = review.result(*rows, analyses=network)
    pooled = review.result(*four, analyses=analyses(model="common", interval="wald"))
    assert result.estimates[0].estimate.value == pytest.approx(pooled.estimates[0].estimate.value, rel=FITTED)
