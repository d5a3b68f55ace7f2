"""Weighted curves with robust variance, the weighted start-stop Cox model and the probability of being uncensored, as in R."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse import survival

CLOSED_FORM = 1e-10  # relative; curves are closed forms
ROUNDING = 1e-12  # absolute, where a value is zero but for rounding
ITERATIVE = 1e-8  # in standard errors; R was run to 1e-13
COVARIANCE = 1e-7  # relative to the standard errors; R's covariance is that of the step before its last
UNDER_A_MODEL = 1e-8  # relative; a probability rests on iterated coefficients


@pytest.fixture(scope="module")
def reference():
    return json.loads((Path(__file__).parent / "reference" / "weighted_survival.json").read_text())


@pytest.fixture(scope="module")
def heart(reference):
    return pl.DataFrame(reference["heart"], strict=False)


@pytest.fixture(scope="module")
def lung(reference):
    return pl.DataFrame(reference["lung"], strict=False)


def floats(values):
    return np.array([np.nan if value is None or isinstance(value, str) else value for value in values], dtype=float)


CURVES = {
    "heart": ("heart", {"time": "stop", "event": "event", "start": "start", "weights": "w", "cluster": "id"}),
    "heart_by": (
        "heart",
        {"time": "stop", "event": "event", "start": "start", "weights": "w", "cluster": "id", "by": "transplant"},
    ),
    "lung_by": ("lung", {"time": "time", "event": "status", "weights": "w", "cluster": "pair", "by": "sex"}),
    "lung_pairs": ("lung", {"time": "time", "event": "status", "cluster": "pair"}),
}


@pytest.mark.parametrize("case", CURVES)
def test_robust_curves_like_survfit(reference, heart, lung, case):
    table, options = CURVES[case]
    found = survival.kaplan_meier({"heart": heart, "lung": lung}[table], **options)
    expected = reference["curves"][case]
    for name in ("time", "at_risk", "survival", "std_error", "low", "high"):
        ours = np.concatenate([getattr(curve, name) for curve in found])
        some = np.concatenate([curve.survival for curve in found]) > 0
        np.testing.assert_allclose(ours[some], floats(expected[name])[some], rtol=CLOSED_FORM, atol=ROUNDING)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_robust_weighted_start_stop_cox_like_coxph(reference, heart, ties):
    expected = reference["cox"][ties]
    fit = survival.cox(
        heart, time="stop", event="event", start="start", terms=["transplant", "age", "surgery"], weights="w",
        cluster="id", ties=ties,
    )  # fmt: skip
    errors = np.sqrt(np.diag(np.array(expected["model_covariance"])))
    np.testing.assert_allclose((fit.coefficients - expected["coefficients"]) / errors, 0, atol=ITERATIVE)
    for ours, theirs in ((fit.covariance, "covariance"), (fit.model_covariance, "model_covariance")):
        scale = np.sqrt(np.diag(np.array(expected[theirs])))
        np.testing.assert_allclose((ours - expected[theirs]) / np.outer(scale, scale), 0, atol=COVARIANCE)
    assert fit.robust
    assert fit.clusters == 103


def test_probability_of_being_uncensored_like_coxph_and_survfit(reference, lung):
    lost = lung.with_columns(censored=pl.col("status") == 1)
    model = survival.inverse_censoring_weights(lost, time="time", censored="censored", terms=["age", "sex"])
    np.testing.assert_allclose(model.probability, reference["uncensored"]["cox"], rtol=UNDER_A_MODEL)
    curve = survival.inverse_censoring_weights(lost, time="time", censored="censored", strata="sex", stabilized=False)
    np.testing.assert_allclose(curve.probability, reference["uncensored"]["kaplan_meier"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(curve.weights, 1 / curve.probability, rtol=CLOSED_FORM)
