"""Nested trials: glm() of R 4.2.2 on trials expanded by loops (reference/make_sequence_of_trials.R, 17 digits), and what
TrialEmulation prints for the same data (tests/testthat/_snaps/modelling.md): weights, coefficients and robust errors.

TrialEmulation's weights against loss differ from the ones here in two conventions, which the test makes by hand: the model of
the numerator is one for both previous treatments, and a row is weighted by the periods after the first up to its own (here:
from the first to the one before its own). The often quoted assigned_treatment .30913237 (robust error .27877733) of that
package is of other data: an as-treated model with the dose, among 1,000 patients (tests/testthat/_snaps/generics.md); it cannot
be had from data_censored.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.data.terms import Interaction
from counterpulse.emulation import sequence_of_trials
from counterpulse.regression import logistic

ITERATIVE = 1e-8  # relative; glm run to 1e-14
THREE_DECIMALS, SEVEN_DECIMALS = 5.1e-4, 5.1e-8  # absolute; so many are printed
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


def _trial_emulation_weights(table):
    """Probabilities of staying (numerator, denominator) of every person-period, as TrialEmulation models them."""
    table = table.with_columns(stayed=1 - pl.col("censored"))
    before = table["treatment"].shift(1).to_numpy().astype(float)
    first = np.diff(table["id"].to_numpy(), prepend=-1) != 0
    treated_before = np.where(first, 0.0, before) == 1
    numerator = logistic(table, outcome="stayed", terms=["x1", "x2", "x3"]).predict(table)
    denominator = np.empty(table.height)
    for arm in (True, False):
        rows = np.flatnonzero(treated_before == arm)
        denominator[rows] = logistic(table[rows], outcome="stayed", terms=["x2"]).predict(table[rows])
    return numerator, denominator


def test_the_pooled_model_of_trial_emulation(shared_data):
    table = shared_data("te_data_censored.csv").sort("id", "period")
    numerator, denominator = _trial_emulation_weights(table)
    np.testing.assert_allclose(
        numerator[[0, 1, -2, -1]], [0.9205042, 0.9523103, 0.9443712, 0.9402561], atol=SEVEN_DECIMALS
    )
    np.testing.assert_allclose(
        denominator[[0, 1, -2, -1]], [0.8302199, 0.9530939, 0.9531031, 0.9534345], atol=SEVEN_DECIMALS
    )
    sample = sequence_of_trials(table, **COLUMNS, follow_up_terms=["follow_up_period"]).sample
    period, row = sample.frame["follow_up_period"].to_numpy(), sample.row_of_origin
    total = np.concatenate(([0.0], np.cumsum(np.log(numerator / denominator))))
    weights = np.exp(total[row + 1] - total[row - period + 1])
    last = weights[sample.frame["trial_period"].to_numpy() == 17]
    np.testing.assert_allclose(last[-2:], [0.9412692, 0.9816871], atol=SEVEN_DECIMALS)
    fit = logistic(
        sample.frame, outcome="event_in_period", terms=["assigned_treatment", "x1", "x2", "follow_up_period"], weights=weights,
        cluster=sample.cluster,
    )  # fmt: skip
    np.testing.assert_allclose(fit.coefficients, [-5.688, 1.905, -0.374, -0.013, -0.011], atol=THREE_DECIMALS)
    errors = np.sqrt(np.diag(fit.covariance))
    np.testing.assert_allclose(errors, [0.663, 0.556, 0.516, 0.289, 0.045], atol=THREE_DECIMALS)


def test_the_curved_model_of_trial_emulation(shared_data):
    """With squares; no event is in a trial after the second, so that glm() stops on its way to infinity in trial_period."""
    table = shared_data("te_data_censored.csv").sort("id", "period")
    numerator, denominator = _trial_emulation_weights(table)
    sample = sequence_of_trials(table, **COLUMNS, follow_up_terms=["follow_up_period"]).sample
    period, row = sample.frame["follow_up_period"].to_numpy(), sample.row_of_origin
    total = np.concatenate(([0.0], np.cumsum(np.log(numerator / denominator))))
    square, later = Interaction("follow_up_period", "follow_up_period"), Interaction("trial_period", "trial_period")
    fit = logistic(
        sample.frame, outcome="event_in_period",
        terms=["assigned_treatment", "x1", "x2", "follow_up_period", square, "trial_period", later],
        weights=np.exp(total[row + 1] - total[row - period + 1]), cluster=sample.cluster,
    )  # fmt: skip
    np.testing.assert_allclose(fit.coefficients[:6], [-5.868, 1.630, -0.322, 0.222, 0.343, -0.022], atol=THREE_DECIMALS)
    errors = np.sqrt(np.diag(fit.covariance))[:6]
    np.testing.assert_allclose(errors, [0.771, 0.520, 0.561, 0.409, 0.240, 0.014], atol=THREE_DECIMALS)
    assert np.isnan(fit.coefficients[6:]).all()
