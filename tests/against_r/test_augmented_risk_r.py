"""Augmented weighting of the risk by a time: glm() of R 4.2.2 and coxph() of survival (reference/make_augmented_risk.R, 17 digits)."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.emulation import augmented_risk

ITERATIVE = 1e-8  # relative; coxph run to 1e-13 of its log-likelihood
STORED = json.loads((Path(__file__).parent / "reference/augmented_risk.json").read_text())


@pytest.fixture(scope="module")
def lung(shared_data):
    return shared_data("lung.csv").with_columns(female=pl.col("sex") == 2)


@pytest.mark.parametrize(
    ("name", "at", "censoring"), [("cox_365", 365, "cox"), ("curve_365", 365, "kaplan-meier"), ("cox_700", 700, "cox")]
)
@pytest.mark.parametrize(("target", "estimand"), [("all", "ATE"), ("treated", "ATT"), ("untreated", "ATC")])
def test_the_risk_of_lung_cancer_patients(lung, name, at, censoring, target, estimand):
    found = augmented_risk(
        lung, time="time", event="status", treatment="female", covariates=["age", "ph.ecog"], at=at, censoring=censoring,
        estimand=estimand,
    )  # fmt: skip
    stored, covariance = STORED[name][target], found.two.covariance
    np.testing.assert_allclose(found.two.means, stored["risks"], rtol=ITERATIVE)
    errors = np.sqrt([covariance[0, 0], covariance[1, 1], [1, -1] @ covariance @ [1, -1]])
    np.testing.assert_allclose(errors, stored["errors"], rtol=ITERATIVE)
    assert (found.n, found.n_missing) == (227, 1)
