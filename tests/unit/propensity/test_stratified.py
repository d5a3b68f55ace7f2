import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.propensity import (
    coarsened_exact,
    full_match,
    match,
    matched_effect,
    propensity_score,
    subclasses,
    weight,
    weighted_effect,
)
from counterpulse.results import Status

SAME = 1e-12  # relative; sums of shares


@pytest.fixture
def ward():
    random = np.random.default_rng(12)
    n = 300
    age, shock = random.normal(65, 10, n), random.random(n) < 0.3
    treated = random.random(n) < 1 / (1 + np.exp(0.8 - 0.06 * (age - 65) - shock))
    return pl.DataFrame({"age": age, "shock": shock, "device": treated, "dead": random.random(n) < 0.4})


@pytest.mark.parametrize("estimand", ["ATT", "ATC", "ATE"])
def test_strata_have_the_same_share_in_both_groups(ward, estimand):
    score = propensity_score(ward, treatment="device", covariates=["age", "shock"])
    for found in (
        subclasses(score, ward, covariates=["age", "shock"], estimand=estimand),
        full_match(score, ward, covariates=["age", "shock"], estimand=estimand, caliper=0.3, exact="shock"),
        coarsened_exact(ward, treatment="device", covariates=["age", "shock"], estimand=estimand, bins={"age": 5}),
    ):
        sample = found.sample()
        shares = (
            sample.frame.with_columns(stratum=pl.Series(found.strata[sample.row_of_origin]), weight=pl.Series(sample.weights))
            .group_by("stratum", "device").agg(pl.col("weight").sum())
            .with_columns(pl.col("weight") / pl.col("weight").sum().over("device"))
            .pivot("device", index="stratum", values="weight")
        )  # fmt: skip
        np.testing.assert_allclose(shares["true"], shares["false"], rtol=SAME)


def test_cut_points_of_the_reader_are_kept(ward):
    found = coarsened_exact(ward, treatment="device", covariates=["age"], bins={"age": [65.0]})
    assert found.tidy().height == 2
    old = (ward["age"] >= 65).to_numpy()
    assert len(set(found.strata[old])) == len(set(found.strata[~old])) == 1


def test_full_matching_keeps_calipers_and_what_must_differ(ward):
    named = ward.with_columns(center=pl.int_range(pl.len()) % 4)
    score = propensity_score(named, treatment="device", covariates=["age", "shock"])
    found = full_match(
        score,
        named,
        covariates=["age"],
        caliper=0.5,
        caliper_sd="within",
        caliper_on={"age": 4},
        anti_exact="center",
        exact="shock",
    )
    members = named.with_columns(stratum=pl.Series(found.strata)).filter(pl.col("stratum") >= 0)
    pairs = members.filter("device").join(members.filter(~pl.col("device")), on="stratum")
    assert len(pairs) > 50
    assert (pairs["age"] - pairs["age_right"]).abs().max() <= 4
    assert (pairs["center"] != pairs["center_right"]).all()
    assert (pairs["shock"] == pairs["shock_right"]).all()
    assert found.estimand == "matched treated"
    holes = named.with_columns(center=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise("center"))
    with pytest.raises(InputError, match="needed="):
        full_match(score, holes, covariates=["age"], exact="center")


def test_no_stratum_with_both_groups_has_a_status():
    table = pl.DataFrame({"device": [1, 1, 0, 0], "kind": ["a", "b", "c", "d"]})
    found = coarsened_exact(table, treatment="device", covariates=["kind"])
    assert found.status is Status.NOTHING_MATCHED
    assert not found.weights.any()


def test_an_effect_that_cannot_be_had_has_the_status_of_its_sample(ward):
    none = ward.with_columns(device=pl.lit(False))
    matching = match(none, treatment="device", covariates=["age"])
    weighting = weight(none, treatment="device", covariates=["age"])
    for found in (matched_effect(matching, outcome="dead"), weighted_effect(weighting, outcome="dead")):
        assert found.status is Status.NO_TREATED
        assert all(estimate.status is Status.NO_TREATED for estimate in found.estimates())


def test_missing_outcomes_are_counted(ward):
    holes = ward.with_columns(dead=pl.when(pl.int_range(pl.len()) < 20).then(None).otherwise("dead"))
    found = weighted_effect(weight(holes, treatment="device", covariates=["age"], estimand="ATO"), outcome="dead")
    assert (found.n, found.n_missing) == (280, 20)
    assert found.binary
    assert found.tidy()["status"].unique().to_list() == ["ok"]


def test_misuse_is_refused(ward):
    score = propensity_score(ward, treatment="device", covariates=["age"])
    with pytest.raises(InputError, match="estimand"):
        subclasses(score, ward, covariates=["age"], estimand="ATO")
    with pytest.raises(InputError, match="subclasses"):
        subclasses(score, ward, covariates=["age"], count=1)
    with pytest.raises(InputError, match="no covariate"):
        coarsened_exact(ward, treatment="device", covariates=["age"], bins={"shock": 2})
    with pytest.raises(InputError, match="on="):
        full_match(score, ward, covariates=["age"], on="rank")
    with pytest.raises(InputError, match="method="):
        match(ward, treatment="device", covariates=["age"], method="genetic")
    with pytest.raises(InputError, match="no column"):
        matched_effect(match(ward, treatment="device", covariates=["age"]), outcome="alive")
