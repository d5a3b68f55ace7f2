import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.propensity import coarsened_exact, full_match, match, overlap, propensity_score, weight
from counterpulse.results import Status

ROUNDING = 1e-15  # absolute; empty bins
SAME = 1e-12  # relative; the same sums in another order


@pytest.fixture(scope="module")
def ward():
    random = np.random.default_rng(8)
    n = 500
    age = random.normal(0, 1, n)
    treated = random.random(n) < 1 / (1 + np.exp(0.8 - age))
    kind = np.where(treated, random.choice(["pump", "balloon"], n), "none")
    return pl.DataFrame({"age": age, "device": treated, "kind": kind})


OPTIONS = {"treatment": "device", "covariates": ["age"]}


def shares(found, sample, group):
    return found.tidy().filter(sample=sample, group=group)["share"].to_numpy()


@pytest.mark.parametrize("made", ["score", "matching", "weighting"])
def test_shares_are_those_of_a_histogram(ward, made):
    score = propensity_score(ward, **OPTIONS)
    sample = {
        "matching": match(ward, **OPTIONS, caliper=0.2),
        "weighting": weight(ward, **OPTIONS, estimand="ATO"),
    }.get(made)
    found = overlap(score) if sample is None else sample.overlap()
    treated = ward["device"].to_numpy()
    weights = {"unadjusted": np.ones(ward.height)}
    if sample is not None:
        weights[{"matching": "matched", "weighting": "weighted"}[made]] = sample.weights
    assert found.tidy()["sample"].unique(maintain_order=True).to_list() == list(weights)
    for name, values in weights.items():
        for group, side in (("treated", treated), ("control", ~treated)):
            place = np.minimum(np.floor(score.probability[side] * 20 + 1e-9), 19).astype(int)
            expected = np.bincount(place, weights=values[side], minlength=20) / values[side].sum()
            np.testing.assert_allclose(shares(found, name, group), expected, rtol=SAME, atol=ROUNDING)
    block = found.block(id="overlap", analysis="main")
    assert (block.kind, len(block.rows())) == ("overlap", 40 * len(weights))
    assert block.rows()[0]["low"] == 0
    assert block.rows()[19]["high"] == 1
    low, high = found.glance().row(0)[2:]
    assert (low, high) == (score.probability[treated].min(), score.probability[treated].max())


def test_three_treatments_are_shown_by_the_probability_of_one(ward):
    weighting = weight(ward, treatment="kind", covariates=["age"], estimand="ATO")
    found = weighting.overlap(of="pump")
    assert found.of == "pump"
    assert found.glance()["group"].to_list() == ["balloon", "none", "pump"] * 2
    with pytest.raises(InputError, match="of="):
        weighting.overlap()


def test_without_a_score_there_is_nothing_to_show(ward):
    balanced = weight(ward, **OPTIONS, estimand="ATT", method="entropy-balancing").overlap()
    nobody = match(ward.with_columns(device=pl.lit(False)), **OPTIONS).overlap()
    assert balanced.tidy().height == nobody.block(id="o", analysis="a").rows().__len__() == 0
    assert nobody.status is Status.NO_TREATED


def test_strata_show_their_scores_and_cells_have_none(ward):
    score = propensity_score(ward, **OPTIONS)
    found = full_match(score, ward, covariates=["age"])
    side = ward["device"].to_numpy()
    place = np.floor(score.probability[~side] * 20).astype(int)
    expected = np.bincount(place, weights=found.weights[~side], minlength=20) / found.weights[~side].sum()
    np.testing.assert_allclose(shares(found.overlap(), "stratified", "control"), expected, rtol=SAME, atol=ROUNDING)
    assert coarsened_exact(ward, treatment="device", covariates=["age"]).overlap().tidy().height == 0


def test_the_distribution_of_weights(ward):
    weighting = weight(ward, **OPTIONS, estimand="ATE", trim=0.1)
    control, treated = weighting.weights_block(id="weights", analysis="main").rows()
    mine = weighting.weights[ward["device"].to_numpy()]
    mine = mine[mine > 0]
    assert (control["group"], treated["group"], treated["n"]) == ("control", "treated", len(mine))
    assert treated["effective"] == pytest.approx(mine.sum() ** 2 / (mine**2).sum(), rel=SAME)
    assert [treated[name] for name in ("low", "p25", "p50", "p99", "high")] == pytest.approx(
        np.percentile(mine, [0, 25, 50, 99, 100]), rel=SAME
    )
    none = weight(ward.with_columns(device=pl.lit(True)), **OPTIONS).weights_block(id="weights", analysis="main").rows()
    assert [row["n"] for row in none] == [0, 0]
    assert none[0]["mean"] is None
