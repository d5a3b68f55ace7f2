import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.regression import gee

REFERENCE = Path(__file__).parent / "reference" / "gee.json"
ITERATIVE = 1e-9  # both iterate until nothing moves
OUTCOMES = {"binomial": "died", "gaussian": "days", "poisson": "bleeds"}


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text())


@pytest.mark.parametrize("family", OUTCOMES)
@pytest.mark.parametrize("correlation", ["independence", "exchangeable", "ar1"])
def test_geeglm(reference, family, correlation):
    r = reference[correlation][family]
    order = "visit" if correlation == "ar1" else None
    fit = gee(
        pl.DataFrame(reference["data"]), outcome=OUTCOMES[family], terms=["age", "arm"], cluster="center",
        family=family, correlation=correlation, order=order,
    )  # fmt: skip
    assert fit.clusters == 60
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=ITERATIVE, atol=ITERATIVE)
    np.testing.assert_allclose(fit.covariance, r["covariance"], rtol=ITERATIVE, atol=ITERATIVE)
    assert fit.dispersion == pytest.approx(r["dispersion"], rel=ITERATIVE)
    if correlation != "independence":
        assert fit.alpha == pytest.approx(r["alpha"], rel=ITERATIVE)
