"""Clone-censor-weight on the data of Maringe and others 2020: the stored output of survivalCCW (ref_ccw.out, 10 digits), and the
same steps with survival 3.5-3 (reference/make_clone_censor_weight.R, 17 digits)."""

import json
from math import log
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import counterpulse.survival as survival
from counterpulse.emulation import clone_censor_weight, landmark, split_at_exposure

PRINTED = 1e-9  # relative; survivalCCW stops coxph at 1e-9 of the log likelihood and prints 10 digits
STOPPED = (
    1e-8  # relative; coxph stopped at 1e-9 of the log likelihood (run to 1e-14 the landmark is .34370547813, as here)
)
ITERATIVE = 1e-8  # relative; coxph run to 1e-14
SEVEN_DIGITS, EIGHT_DIGITS = 1e-6, 1e-7  # relative; summary() prints so many
COVARIATES = ["age", "sex", "perf", "stage", "deprivation", "charlson", "emergency"]
COLUMNS = {"exposure_time": "timetosurgery", "time": "fup_obs", "event": "death"}
STORED = json.loads((Path(__file__).parent / "reference/clone_censor_weight.json").read_text())


@pytest.fixture(scope="module")
def toy(shared_data):
    return shared_data("maringe_toy.csv")


def emulate(toy, **options):
    return clone_censor_weight(
        toy, **COLUMNS, exposed="surgery", grace=365.25 / 2, covariates=COVARIATES, horizon=365, **options
    )


def test_survival_ccw(toy):
    found = emulate(toy)
    treated, never = found.arms
    assert (treated.clones + never.clones, treated.intervals + never.intervals) == (400, 22772)
    assert (never.events, treated.events) == (32, 30)
    assert (never.artificially_censored, treated.artificially_censored) == (106, 80)
    np.testing.assert_allclose([never.person_time, treated.person_time], [32272.88, 51605.60], rtol=PRINTED)
    np.testing.assert_allclose([never.mean, treated.mean], [1.709793, 1.111715], rtol=SEVEN_DIGITS)
    np.testing.assert_allclose([never.high, treated.high], [21.622938, 6.534901], rtol=EIGHT_DIGITS)
    np.testing.assert_allclose(never.quantiles[1:4], [1.188953, 1.378492, 1.776444], rtol=SEVEN_DIGITS)
    effects = {(row.measure, row.term): row for row in found.estimates()}
    assert effects["hazard ratio", "within grace"].value == pytest.approx(log(0.6072863172), rel=PRINTED)
    assert found.unweighted_log_hazard_ratio == pytest.approx(log(0.5826423517), rel=PRINTED)
    assert effects["risk", "within grace"].value == pytest.approx(1 - 0.8159656742, rel=PRINTED)
    assert effects["risk", "never"].value == pytest.approx(1 - 0.695287549, rel=PRINTED)
    assert effects["restricted mean survival time", "within grace"].value == pytest.approx(326.874411, rel=PRINTED)
    assert effects["restricted mean survival time", "never"].value == pytest.approx(322.1923401, rel=PRINTED)


@pytest.mark.parametrize("kind", ["plain", "stabilized"])
def test_survival(toy, kind):
    found, stored = emulate(toy, stabilized=kind == "stabilized"), STORED[kind]
    values = [row.value for row in found.estimates()]
    assert values[0] == pytest.approx(stored["log_hazard_ratio"], rel=ITERATIVE)
    assert found.robust_error == pytest.approx(stored["error_by_patient"], rel=ITERATIVE)
    assert found.unweighted_log_hazard_ratio == pytest.approx(stored["unweighted"], rel=ITERATIVE)
    np.testing.assert_allclose([arm.mean for arm in found.arms], stored["weight_mean"], rtol=ITERATIVE)
    np.testing.assert_allclose([arm.high for arm in found.arms], stored["weight_max"], rtol=ITERATIVE)
    np.testing.assert_allclose(1 - np.array(values[4:6]), stored["survival"], rtol=ITERATIVE)
    np.testing.assert_allclose(values[6:], stored["restricted_mean"], rtol=ITERATIVE)
    assert values[1] == pytest.approx(stored["survival"][1] - stored["survival"][0], rel=ITERATIVE)


def test_pooled_logistic_censoring_model(toy):
    found, stored = emulate(toy, censoring_model="pooled-logistic"), STORED["logistic"]
    assert found.estimates()[0].value == pytest.approx(stored["log_hazard_ratio"], rel=ITERATIVE)
    assert found.robust_error == pytest.approx(stored["error_by_patient"], rel=ITERATIVE)
    np.testing.assert_allclose([arm.mean for arm in found.arms], stored["weight_mean"], rtol=ITERATIVE)
    np.testing.assert_allclose([arm.high for arm in found.arms], stored["weight_max"], rtol=ITERATIVE)


def test_the_expanded_table_gives_the_same_model(toy):
    found = emulate(toy)
    table = found.intervals().with_columns(treated=(pl.col("strategy") == "within grace").cast(pl.Int8))
    columns = {"start": "start", "time": "stop", "event": "event", "terms": ["treated"], "weights": "weight"}
    by_row, by_patient = (survival.cox(table, **columns, **more) for more in ({}, {"cluster": "row_of_origin"}))
    assert table.height == 22772
    assert by_row.coefficients[0] == pytest.approx(found.estimates()[0].value, rel=ITERATIVE)
    assert np.sqrt(by_row.covariance[0, 0]) == pytest.approx(0.2793810983, rel=PRINTED)
    assert np.sqrt(by_patient.covariance[0, 0]) == pytest.approx(found.robust_error, rel=ITERATIVE)


def test_the_other_answers_beside_it(toy):
    def hazard_ratio(table, terms, **columns):
        return np.exp(survival.cox(table, event="death", terms=terms, **columns).coefficients[0])

    assert hazard_ratio(toy, ["surgery"], time="fup_obs") == pytest.approx(0.4035958083, rel=STOPPED)
    assert hazard_ratio(toy, ["surgery", *COVARIATES], time="fup_obs") == pytest.approx(0.5451129024, rel=STOPPED)
    late = landmark(toy, **COLUMNS, at=182.62).sample.frame
    assert hazard_ratio(late, ["exposed"], time="fup_obs") == pytest.approx(0.3437054792, rel=STOPPED)
    split = split_at_exposure(toy, **COLUMNS).sample.frame
    columns = {"start": "start", "time": "stop", "event": "event_at_stop"}
    for terms, known in ((["exposed"], 0.4535233359), (["exposed", *COVARIATES], 0.6412525270)):
        assert np.exp(survival.cox(split, terms=terms, **columns).coefficients[0]) == pytest.approx(known, rel=STOPPED)
