import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.data.terms import Numeric
from counterpulse.regression import conditional_logistic

REFERENCE = Path(__file__).parent / "reference" / "conditional_logistic.json"
ITERATIVE = 1e-8  # relative to a standard error; both take Newton's steps until the likelihood stands still


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text())


@pytest.mark.parametrize("design", ["pairs", "one_to_many", "any", "large"])
def test_clogit(reference, design):
    r = reference[design]
    fit = conditional_logistic(
        pl.DataFrame(r["data"]), outcome="case", terms=[Numeric("age", per=10), "pump", "scai"], stratum="set"
    )
    errors = np.sqrt(np.diag(np.array(r["covariance"])))
    unit = np.outer(errors, errors)
    np.testing.assert_allclose(fit.coefficients / errors, r["coefficients"] / errors, atol=ITERATIVE)
    np.testing.assert_allclose(fit.covariance / unit, np.array(r["covariance"]) / unit, atol=ITERATIVE)
    found = (fit.null_log_likelihood, fit.log_likelihood)
    assert found == pytest.approx(tuple(r["log_likelihood"]), rel=ITERATIVE)
