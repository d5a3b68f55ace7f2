"""Heinze and Schemper 2002 (Stat Med 21:2409), endometrial cancer; digits beyond the paper's from R brglm2, type AS_mean."""

import numpy as np
import polars as pl
import pytest

from counterpulse.regression import logistic
from counterpulse.results.status import Status

PRINTED = 1e-8  # relative; R printed ten digits
EIGHT_DECIMALS = 5e-9  # absolute; half a unit of the last printed digit
ITERATIVE = 1e-6  # relative; brglm2 stops when a step is below 1e-6


@pytest.fixture
def endometrial(shared_data):
    return shared_data("endometrial.csv")


def test_endometrial_firth(endometrial):
    fit = logistic(endometrial, outcome="HG", terms=["NV", "PI", "EH"], penalty="firth")
    np.testing.assert_allclose(
        fit.coefficients, [3.77455939814, 2.92927325858, -0.03475174945, -2.60416382414], rtol=ITERATIVE
    )
    np.testing.assert_allclose(
        fit.parameters.std_errors(), [1.48869160210, 1.55076369100, 0.03957814578, 0.77601762127], rtol=ITERATIVE
    )


def test_endometrial_separation_is_named(endometrial):
    fit = logistic(endometrial, outcome="HG", terms=["NV", "PI", "EH"])
    assert fit.parameters.statuses == (Status.OK, Status.SEPARATION, Status.OK, Status.OK)
    assert np.isnan(fit.coefficients[1])


def test_a_separated_toy():
    table = pl.DataFrame({"y": [0] * 4 + [1] * 6, "x": range(1, 11), "z": [1, 0, 1, 1, 0, 1, 0, 1, 1, 0]})
    assert set(logistic(table, outcome="y", terms=["x", "z"]).parameters.statuses) == {Status.SEPARATION}
    fit = logistic(table, outcome="y", terms=["x", "z"], penalty="firth")
    np.testing.assert_allclose(fit.coefficients, [-2.9817416222, 0.8289162773, -1.2912343830], rtol=ITERATIVE)


def test_whas500(shared_data):
    fit = logistic(shared_data("whas500.csv"), outcome="fstat", terms=["age", "gender", "hr", "bmi", "chf", "sho"])
    np.testing.assert_allclose(
        fit.coefficients,
        [-6.172089821, 0.07396283835, -0.1067948931, 0.01791852732, -0.05155714482, 1.200708669, 1.309723936],
        rtol=PRINTED,
    )


def test_aline(shared_data):
    fit = logistic(shared_data("mimic2_iac.csv"), outcome="day_28_flg", terms=["aline_flg"])
    np.testing.assert_allclose(np.exp(fit.coefficients), [0.16642121, 1.25491944], rtol=0, atol=EIGHT_DECIMALS)
