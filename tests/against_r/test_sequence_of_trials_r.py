"""Nested trials: glm() of R 4.2.2 on trials expanded by loops (reference/make_sequence_of_trials.R, 17 digits), and the counts
that TrialEmulation prints for the same data (tests/testthat/_snaps/modelling.md)."""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse.data.terms import Interaction
from counterpulse.emulation import sequence_of_trials

ITERATIVE = 1e-8  # relative; glm run to 1e-14
STORED = json.loads((Path(__file__).parent / "reference/sequence_of_trials.json").read_text())
COLUMNS = {
    "patient": "id", "period": "period", "eligible": "eligible", "treatment": "treatment", "outcome": "outcome",
    "covariates": ["x1", "x2"], "horizon": 5, "trial_terms": ["trial_period"],
}  # fmt: skip
CASES = {
    "itt": {},
    "censoring": {"censored": "censored", "censoring_numerator": ["x2"], "censoring_denominator": ["x1", "x2", "x3"]},
    "per_protocol": {
        "estimand": "per-protocol", "switch_numerator": ["x4"], "switch_denominator": ["x1", "x2", "x4"],
    },
}  # fmt: skip


def emulate(shared_data, case):
    square = Interaction("follow_up_period", "follow_up_period")
    return sequence_of_trials(
        shared_data("te_data_censored.csv"), **COLUMNS, **CASES[case], follow_up_terms=["follow_up_period", square]
    )


@pytest.mark.parametrize("case", ["itt", "censoring"])
def test_against_glm(case, shared_data):
    found, stored = emulate(shared_data, case), STORED[case]
    assert (found.sample.frame.height, found.n_trials) == (stored["rows"], stored["trials"]) == (1558, 18)
    np.testing.assert_allclose(found.sample.weights.mean(), stored["weight_mean"], rtol=ITERATIVE)
    np.testing.assert_allclose(found.sample.weights.max(), stored["weight_max"], rtol=ITERATIVE)
    np.testing.assert_allclose(found.fit.coefficients, stored["coefficients"], rtol=ITERATIVE)
    np.testing.assert_allclose(np.sqrt(np.diag(found.fit.covariance)), stored["errors"], rtol=ITERATIVE)
    np.testing.assert_allclose([row.value for row in found.estimates()[3:]], stored["risks"], rtol=ITERATIVE)


def test_weights_of_keeping_to_a_treatment(shared_data):
    found, stored = emulate(shared_data, "per_protocol"), STORED["per_protocol"]
    assert found.sample.frame.height == stored["rows"]
    np.testing.assert_allclose(found.sample.weights.mean(), stored["weight_mean"], rtol=ITERATIVE)
    np.testing.assert_allclose(found.sample.weights.max(), stored["weight_max"], rtol=ITERATIVE)
    by_arm = found.counts.group_by("treated").agg("events").sort("treated")["events"].list.sum().to_list()
    assert by_arm == stored["events"]
    assert found.status.code == "separation"  # no event in one arm: glm() runs to 29
    assert np.isnan(found.estimates()[0].value)
