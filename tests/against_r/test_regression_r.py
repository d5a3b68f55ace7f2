import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.data.terms import Categorical, Interaction, Numeric
from counterpulse.regression import linear, logistic

REFERENCE = Path(__file__).parent / "reference" / "regression.json"
ITERATIVE = 1e-8  # relative, or of a standard error; R was run to 1e-14 in deviance, whose square root is 1e-7 of a standard error before its last step
CLOSED_FORM = 1e-9  # least squares, R by QR and here by refined normal equations
SPLINE = 5e-4  # of a standard error; MASS::confint interpolates the profile by a spline
TERMS = ["age", "gender", "hr", "bmi", "chf", "sho"]
LINEAR_TERMS = ["age", "gender", "hr", "bmi", Categorical("mitype")]


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text())


@pytest.fixture(scope="module")
def whas(shared_data, reference):
    weights = reference["weights"]
    return shared_data("whas500.csv").with_columns(pl.Series("pw", weights["pw"]), pl.Series("fw", weights["fw"]))


def assert_covariance(ours, theirs, tolerance):
    theirs = np.array(theirs)
    size = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    np.testing.assert_allclose(ours / size, theirs / size, atol=tolerance)


@pytest.mark.parametrize(
    ("case", "options", "terms"),
    [
        ("logistic", {}, TERMS),
        ("frequency", {"weights": "fw"}, TERMS),
        ("probability", {"weights": "pw", "robust": False}, TERMS),
    ],
)
def test_logistic_is_glm(whas, reference, case, options, terms):
    fit, r = logistic(whas, outcome="fstat", terms=terms, **options), reference[case]
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=ITERATIVE)
    assert_covariance(fit.covariance, r["covariance"], ITERATIVE)
    if case != "probability":  # R's binomial log-likelihood rounds such weights to whole trials
        assert fit.log_likelihood == pytest.approx(r["log_likelihood"], rel=ITERATIVE)


def test_null_log_likelihood_is_half_the_null_deviance(whas, reference):
    fit = logistic(whas, outcome="fstat", terms=TERMS)
    assert -2 * fit.null_log_likelihood == pytest.approx(reference["logistic"]["null_deviance"], rel=ITERATIVE)


def test_categories_interactions_and_logarithms(whas, reference):
    terms = [
        "age",
        Categorical("chf"),
        Categorical("mitype"),
        Numeric("bmi", log=True),
        Interaction("age", Categorical("chf")),
    ]
    fit, r = logistic(whas, outcome="fstat", terms=terms), reference["categories"]
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=ITERATIVE)
    assert_covariance(fit.covariance, r["covariance"], ITERATIVE)


@pytest.mark.parametrize("case", ["logistic", "probability"])
def test_sandwich(whas, reference, case):
    weights = "pw" if case == "probability" else None
    robust = logistic(whas, outcome="fstat", terms=TERMS, weights=weights, robust=True)
    clustered = logistic(whas, outcome="fstat", terms=TERMS, weights=weights, cluster="age")
    assert_covariance(robust.covariance, reference[case]["sandwich"], ITERATIVE)
    assert_covariance(clustered.covariance, reference[case]["clustered"], ITERATIVE)
    assert_covariance(clustered.model_covariance, reference[case]["covariance"], ITERATIVE)


def test_profile_intervals_and_likelihood_ratios(whas, reference):
    fit = logistic(whas, outcome="fstat", terms=TERMS, interval="profile")
    estimates = fit.estimates()
    errors = fit.parameters.std_errors()
    ends = np.array([(estimate.interval.low, estimate.interval.high) for estimate in estimates])
    theirs = np.array(reference["logistic"]["profile"])
    np.testing.assert_allclose(ends[1:], reference["logistic"]["exact_profile"], rtol=ITERATIVE)
    np.testing.assert_allclose(ends / errors[:, None], theirs / errors[:, None], atol=SPLINE)
    ratios = [estimate.statistic for estimate in estimates[1:]]
    np.testing.assert_allclose(ratios, reference["logistic"]["likelihood_ratio"], rtol=ITERATIVE)


def test_linear_is_lm(whas, reference):
    r = reference["linear"]
    fit = linear(whas, outcome="sysbp", terms=LINEAR_TERMS)
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=CLOSED_FORM)
    assert_covariance(fit.covariance, r["covariance"], CLOSED_FORM)
    assert fit.residual_sd == pytest.approx(r["sigma"], rel=CLOSED_FORM)
    assert fit.r_squared == pytest.approx(r["r_squared"], rel=CLOSED_FORM)
    assert fit.df_residual == r["df"]
    ends = [(estimate.interval.low, estimate.interval.high) for estimate in fit.estimates()]
    np.testing.assert_allclose(ends, r["confint"], rtol=CLOSED_FORM)


@pytest.mark.parametrize(("case", "weights"), [("linear", None), ("linear_weighted", "pw")])
def test_linear_robust(whas, reference, case, weights):
    plain = linear(whas, outcome="sysbp", terms=LINEAR_TERMS, weights=weights, robust=False)
    np.testing.assert_allclose(plain.coefficients, reference[case]["coefficients"], rtol=CLOSED_FORM)
    assert_covariance(plain.covariance, reference[case]["covariance"], CLOSED_FORM)
    robust = linear(whas, outcome="sysbp", terms=LINEAR_TERMS, weights=weights, robust=True)
    assert_covariance(robust.covariance, reference[case]["hc3"], CLOSED_FORM)
    clustered = linear(whas, outcome="sysbp", terms=LINEAR_TERMS, weights=weights, cluster="age")
    assert_covariance(clustered.covariance, reference[case]["clustered"], CLOSED_FORM)
