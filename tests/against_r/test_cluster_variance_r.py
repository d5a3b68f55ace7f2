import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.data.terms import Categorical
from counterpulse.regression import linear, logistic

REFERENCE = Path(__file__).parent / "reference" / "cluster_variance.json"
CLOSED_FORM = 1e-8  # clubSandwich takes eigenvalues of n x n matrices, whose small ones lose digits in the inverse root
OTHER_ROOT = 0.005  # of a standard error: for a glm clubSandwich takes another inverse root of the same covariance


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text())


@pytest.fixture(scope="module")
def whas(shared_data, reference):
    site = pl.Series("site", reference["site"])
    return shared_data("whas500.csv").with_columns(
        site, arm=(site % 3 == 0).cast(pl.Int64), alone=(site == site.max()).cast(pl.Int64)
    )


def assert_same(fit, r, contrast, joint):
    names = [column.name for column in fit.columns]
    size = np.sqrt(np.diag(np.array(r["covariance"])))
    unit = np.outer(size, size)
    np.testing.assert_allclose(fit.covariance / unit, np.array(r["covariance"]) / unit, atol=CLOSED_FORM)
    rows = fit.estimates()
    np.testing.assert_allclose([row.df for row in rows], r["df"], rtol=CLOSED_FORM)
    combined = fit.contrast({names[j]: 1.0 for j in contrast})
    assert combined.df == pytest.approx(r["contrast_df"], rel=CLOSED_FORM)
    assert combined.statistic**2 == pytest.approx(r["contrast_F"], rel=CLOSED_FORM)
    test = fit.wald_test([names[j] for j in joint])
    ours = (test.statistic, test.df_denominator, test.p_value)
    assert ours == pytest.approx((r["joint_F"], r["joint_df"], r["joint_p"]), rel=CLOSED_FORM)


TERMS = ["age", "arm", "hr", Categorical("mitype")]


def test_least_squares(whas, reference):
    fit = linear(whas, outcome="sysbp", terms=TERMS, cluster="site")
    assert fit.cluster_variance == "CR2"
    assert_same(fit, reference["linear"], [1, 2], [1, 2, 3, 4])


def test_a_covariate_that_one_cluster_determines(whas, reference):
    fit = linear(whas, outcome="sysbp", terms=["age", "alone", "hr"], cluster="site")
    assert_same(fit, reference["full_leverage"], [1, 3], [1, 3])


def test_clusters_of_one_row(whas, reference):
    rows = whas.head(30).with_columns(own=pl.int_range(30))
    assert_same(linear(rows, outcome="sysbp", terms=["age", "hr"], cluster="own"), reference["singles"], [1, 2], [1, 2])


def test_logistic_is_the_weighted_least_squares_of_its_last_iteration(whas, reference):
    fit = logistic(whas, outcome="fstat", terms=TERMS, cluster="site")
    assert_same(fit, reference["logistic"], [1, 2], [1, 2, 3, 4])


def test_the_other_root_of_a_glm_is_near(whas, reference):
    fit = logistic(whas, outcome="fstat", terms=TERMS, cluster="site")
    theirs = np.sqrt(np.diag(np.array(reference["logistic"]["glm_covariance"])))
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), theirs, rtol=OTHER_ROOT)
