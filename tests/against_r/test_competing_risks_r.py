"""Fine and Gray's model and cause-specific hazards against R's cmprsk and survival."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse import survival

CLOSED_FORM = 1e-10  # relative; the test statistic is a closed form
ITERATIVE = 1e-8  # in standard errors; R was run to 1e-13
COVARIANCE = 1e-7  # relative to the standard errors; R's covariance is that of the step before its last
STOPPED = 1e-7  # relative; this output is of coxph as it stops by default, at 1e-9 of the log likelihood
TAIL = 1e-8  # relative; a tail probability magnifies the error of its statistic

AS_SURVIVAL = {"variance": "robust", "tied_censoring": "after-events"}


@pytest.fixture(scope="module")
def reference():
    return json.loads((Path(__file__).parent / "reference" / "competing_risks.json").read_text())


@pytest.fixture(scope="module")
def table(reference):
    return pl.DataFrame(reference["data"], strict=False)


@pytest.fixture(scope="module")
def mgus2(shared_data):
    table = shared_data("mgus2.csv")
    first = pl.col("pstat") == 1
    return table.with_columns(
        t=pl.when(first).then("ptime").otherwise("futime"),
        ended=pl.when(first).then(pl.lit(1)).otherwise(2 * pl.col("death")),
    )


def assert_fit(fit, expected):
    theirs = np.array(expected["covariance"])
    errors = np.sqrt(np.diag(theirs))
    np.testing.assert_allclose((fit.coefficients - expected["coefficients"]) / errors, 0, atol=ITERATIVE)
    np.testing.assert_allclose((fit.parameters.covariance - theirs) / np.outer(errors, errors), 0, atol=COVARIANCE)
    if "model_covariance" in expected:
        ours = fit.model_covariance / np.outer(errors, errors)
        np.testing.assert_allclose(
            ours, np.array(expected["model_covariance"]) / np.outer(errors, errors), atol=COVARIANCE
        )
        np.testing.assert_allclose(
            [fit.log_likelihood_null, fit.log_likelihood],
            [expected["log_likelihood_null"], expected["log_likelihood"]],
            rtol=CLOSED_FORM,
        )


@pytest.mark.parametrize("time", ["time", "tied"])
def test_fine_gray_like_crr(reference, table, time):
    fit = survival.fine_gray(table, time=time, event="cause", terms=["x", "z"])
    assert_fit(fit, reference["crr"][time])


def test_strata_of_the_censoring_like_crr(reference, table):
    """Coefficients and information. The sandwich of crr is another: ours is held against the jackknife elsewhere."""
    fit = survival.fine_gray(table, time="tied", event="cause", terms=["x", "z"], censoring_strata="site")
    expected = reference["crr"]["stratified"]
    errors = np.sqrt(np.diag(np.array(expected["model_covariance"])))
    np.testing.assert_allclose((fit.coefficients - expected["coefficients"]) / errors, 0, atol=ITERATIVE)
    np.testing.assert_allclose(fit.model_covariance, expected["model_covariance"], rtol=COVARIANCE)


def test_whole_weights_like_crr_on_replicated_rows(reference, table):
    table = table.with_columns(pl.col("w").ceil())
    fit = survival.fine_gray(table, time="tied", event="cause", terms=["x", "z"], weights="w", variance="model")
    expected = reference["replicated"]
    np.testing.assert_allclose(fit.coefficients, expected["coefficients"], rtol=ITERATIVE)
    np.testing.assert_allclose(fit.parameters.covariance, expected["model_covariance"], rtol=COVARIANCE)


@pytest.mark.parametrize(
    ("case", "time", "ties"),
    [("time", "time", "efron"), ("tied", "tied", "efron"), ("tied_breslow", "tied", "breslow")],
)
def test_fine_gray_like_coxph_on_finegray_rows(reference, table, case, time, ties):
    fit = survival.fine_gray(table, time=time, event="cause", terms=["x", "z"], ties=ties, **AS_SURVIVAL)
    assert_fit(fit, reference["finegray"][case])


def test_clusters_like_coxph_on_finegray_rows(reference, table):
    fit = survival.fine_gray(
        table, time="tied", event="cause", terms=["x", "z"], ties="efron", cluster="pair", **AS_SURVIVAL
    )
    assert_fit(fit, reference["finegray"]["pairs"])
    assert fit.clusters == 120


def test_predicted_incidence_like_crr(reference, table):
    fit = survival.fine_gray(table, time="tied", event="cause", terms=["x", "z"])
    patients = pl.DataFrame({"x": [0.5, -1.0, None], "z": [1, 0, 1]})
    for time, *expected in reference["crr"]["tied"]["predicted"]:
        found = fit.incidence(patients, time)
        np.testing.assert_allclose(found[:2], expected, rtol=ITERATIVE)
        assert np.isnan(found[2])


@pytest.mark.parametrize("cause", [1, 2])
def test_cause_specific_hazards_like_coxph(reference, table, cause):
    fit = survival.cause_specific_cox(table, time="time", event="cause", cause=cause, terms=["x", "z"])
    expected = reference["cause_specific"][cause - 1]
    errors = np.sqrt(np.diag(np.array(expected["covariance"])))
    np.testing.assert_allclose((fit.coefficients - expected["coefficients"]) / errors, 0, atol=ITERATIVE)


def test_mgus2_like_crr(reference, mgus2):
    fit = survival.fine_gray(mgus2, time="t", event="ended", terms=["age", "sex"])
    assert_fit(fit, reference["mgus2"]["crr"])


def test_mgus2_like_the_shared_reference(mgus2):
    """Ten digits of survival 3.5-3 and cmprsk 2.2-11."""
    fit = survival.fine_gray(mgus2, time="t", event="ended", terms=["age", "sex"], ties="efron", **AS_SURVIVAL)
    np.testing.assert_allclose(fit.coefficients, [-0.01730170508, -0.25975679140], rtol=STOPPED)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.model_covariance)), [0.007022198751, 0.187048577502], rtol=STOPPED)
    fit = survival.fine_gray(mgus2, time="t", event="ended", terms=["age", "sex"])
    np.testing.assert_allclose(fit.coefficients, [-0.01733815349, -0.26003823788], rtol=STOPPED)
    np.testing.assert_allclose(fit.parameters.std_errors(), [0.00573710323, 0.18568103479], rtol=STOPPED)
    fit = survival.cause_specific_cox(mgus2, time="t", event="ended", terms=["age", "sex"])
    np.testing.assert_allclose(fit.coefficients, [0.01303856982, -0.02513778929], rtol=STOPPED)
    np.testing.assert_allclose(fit.parameters.std_errors(), [0.008258685912, 0.188455848193], rtol=STOPPED)
