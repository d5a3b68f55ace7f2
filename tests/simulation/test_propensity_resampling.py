"""Drawing matched sets, or patients with their weights made anew, spreads estimates as the variance formulas say."""

import numpy as np
import pytest

from counterpulse.propensity import match, matched_effect, weight, weighted_effect, weighted_effects
from counterpulse.results import REFERENCES

NEAR = 0.15  # relative; the spread of 400 draws against a formula
OPTIONS = {"treatment": "device", "covariates": ["age", "shock"]}


def errors(found):
    return np.array([one.std_error for one in found.estimates()])


@pytest.mark.parametrize("covariates", [None, ["age", "shock"]])
def test_drawing_pairs_again_gives_the_robust_variance(pump_ward, covariates):
    found = match(pump_ward, **OPTIONS, caliper=0.2)
    options = {"outcome": "dead", "covariates": covariates}
    plain, drawn = matched_effect(found, **options), matched_effect(found, **options, bootstrap=400, seed=3)
    np.testing.assert_allclose(errors(drawn), errors(plain), rtol=NEAR)
    assert [one.value for one in drawn.estimates()] == [one.value for one in plain.estimates()]
    assert {one.interval.kind for one in drawn.estimates()} == {"percentile"}
    assert all(one.interval.low < one.value < one.interval.high for one in drawn.estimates())
    again = matched_effect(found, **options, bootstrap=400, seed=3)
    assert np.array_equal(again.replicates, drawn.replicates)
    assert not np.array_equal(matched_effect(found, **options, bootstrap=400, seed=4).replicates, drawn.replicates)
    assert {"austin-small-2014"} <= set(drawn.provenance.citations) <= set(REFERENCES)


@pytest.mark.parametrize(
    "options",
    [
        {"estimand": "ATO"}, {"estimand": "ATE", "stabilize": True, "truncate": 98}, {"estimand": "ATT", "method": "entropy-balancing"},
        {"estimand": "ATE", "trim": 0.1},
    ],
)  # fmt: skip
def test_drawing_patients_again_gives_the_stacked_variance(pump_ward, options):
    weighting = weight(pump_ward, **OPTIONS, **options)
    plain = weighted_effect(weighting, outcome="dead")
    drawn = weighted_effect(weighting, outcome="dead", bootstrap=400)
    np.testing.assert_allclose(errors(drawn), errors(plain), rtol=NEAR)
    assert np.isfinite(drawn.replicates).all()


def test_drawing_patients_of_three_treatments(pump_ward):
    weighting = weight(pump_ward, treatment="kind", covariates=["age"], estimand="ATE")
    plain = weighted_effects(weighting, outcome="days", reference="none")
    drawn = weighted_effects(weighting, outcome="days", reference="none", bootstrap=300)
    for one, other in zip(plain, drawn, strict=True):
        np.testing.assert_allclose(errors(other), errors(one), rtol=NEAR)
