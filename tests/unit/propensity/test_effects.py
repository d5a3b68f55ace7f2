import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.propensity import (
    full_match,
    match,
    matched_effect,
    propensity_score,
    subclasses,
    weight,
    weighted_effect,
)
from counterpulse.results import Status

SAME = 1e-10  # relative; the same formula in another order
OPTIONS = {"treatment": "device", "covariates": ["age", "shock"]}


def test_both_of_a_pair_are_drawn_together(pump_ward):
    sets = match(pump_ward, **OPTIONS, caliper=0.2).sets
    numbered = pump_ward.with_columns(days=pl.Series(sets.astype(float)))
    drawn = matched_effect(match(numbered, **OPTIONS, caliper=0.2), outcome="days", bootstrap=100).replicates
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 1], rtol=SAME)
    assert len(np.unique(drawn[:, 0])) > 90


def test_draws_without_an_estimate_are_told():
    random = np.random.default_rng(2)
    table = pl.DataFrame({"device": random.random(80) < 0.5, "age": random.normal(0, 1, 80)})
    rare = table.with_columns(
        dead=(pl.col("device") & (pl.col("age") == pl.col("age").max().over("device")))
        | (~pl.col("device") & (pl.col("age") > 0))
    )
    found = weighted_effect(weight(rare, treatment="device", covariates=["age"]), outcome="dead", bootstrap=200)
    risk, _, ratio, difference, _ = found.estimates()
    assert risk.status is ratio.status is Status.FEW_REPLICATES
    assert risk.interval is None
    assert difference.status is Status.OK
    assert "bootstrap" in Status.FEW_REPLICATES.text


def test_known_scores_leave_out_the_score(pump_ward):
    score = propensity_score(pump_ward, **OPTIONS).probability
    given = weight(pump_ward, **OPTIONS, score=score, estimand="ATE")
    fitted = weight(pump_ward, **OPTIONS, estimand="ATE")
    np.testing.assert_allclose(given.weights, fitted.weights, rtol=SAME)
    known, estimated = (weighted_effect(found, outcome="dead") for found in (given, fitted))
    assert known.estimates()[3].std_error > estimated.estimates()[3].std_error
    assert "scores as given" in known.provenance.choices[0].value
    y, a = pump_ward["dead"].cast(float).to_numpy(), pump_ward["device"].to_numpy()
    for arm, side in enumerate((a, ~a)):
        w = given.weights[side]
        variance = (w**2 * (y[side] - known.two.means[arm]) ** 2).sum() / w.sum() ** 2
        assert known.two.covariance[arm, arm] == pytest.approx(variance, rel=SAME)


def test_what_counts_as_given_is_said(pump_ward):
    found = weighted_effect(weight(pump_ward, **OPTIONS, trim=0.1, truncate=95), outcome="dead")
    assert found.provenance.choices[0].value == (
        "stacked estimating equations; thresholds of truncation as given; who is trimmed as given"
    )


def test_full_matching_is_clustered_by_set_and_subclasses_are_not(pump_ward):
    score = propensity_score(pump_ward, **OPTIONS)
    full = full_match(score, pump_ward, covariates=["age", "shock"], estimand="ATE")
    strata = subclasses(score, pump_ward, covariates=["age", "shock"], estimand="ATE")
    assert matched_effect(full, outcome="dead").provenance.choices[0].value == "robust by matched set"
    assert matched_effect(strata, outcome="dead").provenance.choices[0].value == "robust"
    assert full.sample().cluster is not None
    assert strata.sample().cluster is None
    standardized = matched_effect(full, outcome="days", covariates=["age"])
    assert standardized.status is Status.OK
    with pytest.raises(InputError, match="matched sets"):
        matched_effect(strata, outcome="dead", bootstrap=100)


def test_few_sets_have_students_t_or_no_error(pump_ward):
    def of(pairs):
        score = np.full(pump_ward.height, 0.5)
        treated, control = np.flatnonzero(pump_ward["device"])[:pairs], np.flatnonzero(~pump_ward["device"])[:pairs]
        some = pump_ward[np.concatenate((treated, control))]
        found = match(some, treatment="device", score=score[: some.height], on="probability")
        return matched_effect(found, outcome="days"), some

    found, some = of(12)
    difference = some["days"].to_numpy()[:12] - some["days"].to_numpy()[12:]
    row = found.estimates()[2]
    assert (row.df, row.statistic_name) == (11, "t")
    assert row.value == pytest.approx(difference.mean(), rel=SAME)
    few = of(9)[0].estimates()[2]
    assert (few.status, few.std_error) == (Status.FEW_CLUSTERS, None)
    assert np.isfinite(few.value)


def test_a_model_that_has_no_fit_is_a_status(pump_ward):
    apart = pump_ward.with_columns(perfect=pl.col("dead").cast(float))
    found = matched_effect(match(apart, **OPTIONS, caliper=0.2), outcome="dead", covariates=["perfect"])
    assert found.status is Status.SEPARATION
    assert all(one.status is Status.SEPARATION for one in found.estimates())


def test_covariates_of_the_outcome_model_that_are_missing_are_counted(pump_ward):
    holes = pump_ward.with_columns(lactate=pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise("days"))
    found = weighted_effect(weight(holes, **OPTIONS, estimand="ATE"), outcome="dead", covariates=["lactate"])
    assert (found.n, found.n_missing) == (850, 50)
    assert found.status is Status.OK


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bootstrap": 10}, "fewer than 100"), ({"covariates": []}, "needs covariates"), ({"outcome": "alive"}, "no column"),
        ({"covariates": ["age"], "population": "all"}, "population"), ({"between": ("treated", "treated")}, "are the same"),
        ({"between": ("pump", "control")}, "not a treatment"),
    ],
)  # fmt: skip
def test_misuse_is_refused(pump_ward, options, words):
    with pytest.raises(InputError, match=words):
        weighted_effect(weight(pump_ward, **OPTIONS), **{"outcome": "dead", **options})


def test_what_cannot_be_bootstrapped_or_compared_says_why(pump_ward):
    with pytest.raises(InputError, match="Abadie and Imbens"):
        matched_effect(match(pump_ward, **OPTIONS, replace=True), outcome="dead", bootstrap=100)
    with pytest.raises(InputError, match="between"):
        weighted_effect(weight(pump_ward, treatment="kind", covariates=["age"]), outcome="dead")
