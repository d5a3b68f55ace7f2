import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.regression import mixed_linear, mixed_logistic

REFERENCE = Path(__file__).parent / "reference" / "random_intercept.json"
LINEAR = 1e-6  # lmer's optimizer stops about there; its degrees of freedom are of numerical derivatives
QUADRATURE = 1e-4  # glmer's optimizer stops at about 1e-5 of a standard error, and its Hessian is of differences
LIKELIHOOD = 1e-6  # flat at the maximum, so closer than the parameters
HESSIAN = 5e-4  # relative to standard errors; glmer differentiates the Laplace deviance twice with a step of 1e-4


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text())


@pytest.fixture(scope="module")
def patients(reference):
    return pl.DataFrame(reference["data"]).with_columns(decade=(pl.col("age") - 65) / 10)


def assert_covariance(ours, theirs, tolerance):
    size = np.sqrt(np.diag(np.array(theirs)))
    unit = np.outer(size, size)
    np.testing.assert_allclose(ours / unit, np.array(theirs) / unit, atol=tolerance)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_linear_is_lmer(patients, reference, method):
    fit = mixed_linear(patients, outcome="days", terms=["age", "pump", "lactate"], cluster="center", method=method)
    r = reference[method]
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=LINEAR)
    assert_covariance(fit.covariance, r["covariance"], LINEAR)
    assert fit.log_likelihood == pytest.approx(r["log_likelihood"], rel=LIKELIHOOD)
    assert (fit.between.variance, fit.between.within) == pytest.approx(tuple(r["variances"]), rel=LINEAR)
    rows = fit.estimates()[:4]
    np.testing.assert_allclose([row.df for row in rows], r["df"], rtol=LINEAR)
    np.testing.assert_allclose([row.p_value for row in rows], r["p"], rtol=LINEAR)
    joint = fit.wald_test(["pump", "lactate"])
    assert (joint.statistic, joint.df_denominator, joint.p_value) == pytest.approx(tuple(r["joint"]), rel=LINEAR)
    combined = fit.contrast({"age": 10.0, "pump": 1.0})
    assert (combined.value, combined.df) == pytest.approx(tuple(r["one"]), rel=LINEAR)
    np.testing.assert_allclose(fit.intercepts, r["intercepts"], atol=LINEAR)


@pytest.mark.parametrize("points", [1, 11, 25])
def test_logistic_is_glmer(patients, reference, points):
    fit = mixed_logistic(
        patients, outcome="died", terms=["decade", "pump", "lactate"], cluster="center", quadrature=points
    )
    r = reference["logistic"][str(points)]
    errors = np.sqrt(np.diag(np.array(r["covariance"])))
    np.testing.assert_allclose(fit.coefficients / errors, r["coefficients"] / errors, atol=QUADRATURE)
    assert_covariance(fit.covariance, r["covariance"], HESSIAN)
    assert fit.log_likelihood == pytest.approx(r["log_likelihood"], rel=LIKELIHOOD)
    assert fit.between.variance == pytest.approx(r["variance"], rel=QUADRATURE)
