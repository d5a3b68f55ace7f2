"""Prediction quality against pROC, rms, loess, survival, pec and prodlim: reference/make_prediction_quality.R."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse import regression, survival
from counterpulse.numerics.local_regression import local_regression
from counterpulse.numerics.newton import maximize
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.optimism import judge

CLOSED_FORM = 1e-10  # sums and ranks
FIT = 1e-6  # what R's own convergence leaves
LRM = 1e-4  # lrm.fit stops early
NEAR_ZERO = 1e-8  # absolute, of numbers that may be zero but for the fit
BINNED = 5e-4  # lrm.fit rounds predictions into bins before it counts pairs; pROC does not
LOESS = 1e-9  # a local parabola by R's QR and by elimination

MODEL = {"outcome": "dead", "terms": ["age", "gender", "bmi", "sho", "chf"]}


@pytest.fixture(scope="module")
def reference():
    path = Path(__file__).parent / "reference" / "prediction_quality.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def whas(shared_data):
    table = shared_data("whas500.csv")
    dead = (pl.col("fstat") == 1) & (pl.col("lenfol") <= 365)
    lp = -4.2 + 0.05 * pl.col("age") + 0.6 * pl.col("chf")
    return table.with_columns(
        dead=dead,
        external=1 / (1 + (-lp).exp()),
        score=(pl.col("age") / 10).round() + 2 * pl.col("chf") + 3 * pl.col("sho"),
    )


@pytest.fixture
def lung(shared_data):
    table = shared_data("lung.csv").drop_nulls(["time", "status", "age", "sex", "ph.ecog"])
    hazard = 0.9 * (0.03 * (pl.col("age") - 62) + 0.8 * (pl.col("ph.ecog") - 1)).exp()
    return table.with_columns(event=pl.col("status") == 2, other=1 - (-hazard).exp())


def test_c_statistic_is_that_of_proc(reference, whas):
    want = reference["discrimination"]
    fit = regression.logistic(whas, **MODEL)
    for name, score in (("model", fit.predict(whas)), ("score", whas["score"].to_numpy())):
        found = regression.c_statistic(whas["dead"], score)
        estimate = found.estimate()
        ends = (estimate.interval.low, estimate.value, estimate.interval.high)
        assert ends == pytest.approx(want[name], rel=CLOSED_FORM)
        assert found.std_error == pytest.approx(want[f"se_{name}"], rel=CLOSED_FORM)
    paired = regression.compare_c_statistics(whas["dead"], fit.predict(whas), whas["score"])
    assert paired.statistic == pytest.approx(want["z"], rel=FIT)
    assert paired.p_value == pytest.approx(want["p"], rel=FIT)


def test_calibration_is_that_of_glm_and_loess(reference, whas):
    want = reference["calibration"]
    outcome, risk = whas["dead"].to_numpy(), whas["external"].to_numpy()
    found = regression.calibration_of(outcome, risk)
    assert (found.intercept.value, found.intercept.std_error) == pytest.approx(want["intercept"], rel=FIT)
    assert (found.slope.value, found.slope.std_error) == pytest.approx(want["slope"], rel=FIT)
    assert np.exp(found.ratio.value) == pytest.approx(want["ratio"], rel=CLOSED_FORM)
    for estimate, name in ((found.index, "ici"), (found.median, "e50"), (found.ninth, "e90")):
        assert estimate.value == pytest.approx(want[name], rel=LOESS)
    along = local_regression(risk, outcome.astype(float), np.array(want["at"])).value
    assert along == pytest.approx(want["curve"], rel=LOESS)


def test_brier_and_c_are_those_of_val_prob(reference, whas):
    want = reference["calibration"]
    assert regression.brier_of(whas["dead"], whas["external"]).score.value == pytest.approx(
        want["brier"], rel=CLOSED_FORM
    )
    assert want["val_prob"]["brier"] == pytest.approx(want["brier"], rel=CLOSED_FORM)
    c = regression.c_statistic(whas["dead"], whas["external"]).value
    assert c == pytest.approx(want["val_prob"]["c"], abs=BINNED)
    slope = regression.calibration_of(whas["dead"], whas["external"]).slope.value
    assert slope == pytest.approx(want["val_prob"]["slope"], rel=LRM)


def test_the_bootstrap_judges_each_draw_as_glm_on_the_drawn_rows(reference, whas):
    want = reference["optimism"]
    small = whas.head(200)
    columns = [small[name].to_numpy().astype(float) for name in ("age", "gender", "bmi", "sho", "chf")]
    scaled = [(column - column.mean()) / column.std() for column in columns]
    X = np.asfortranarray(np.column_stack([np.ones(200), *scaled]))
    event = small["dead"].to_numpy()
    sign = np.where(event, 1.0, -1.0)
    full = maximize(BinomialLikelihood(X, sign, None), np.zeros(6)).at
    refit = regression.LogisticRefit(X, sign, full)
    for drawn, each in zip(want["draws"], want["each"], strict=True):
        weights = np.bincount(np.array(drawn) - 1, minlength=200).astype(float)
        assert judge(event, refit(weights), weights) == pytest.approx(each, rel=FIT, abs=NEAR_ZERO)
    done = regression.bootstrap_optimism(event, X @ full, refit, seed=1, analysis="a", replicates=20)
    assert done.apparent == pytest.approx(want["apparent"], rel=FIT, abs=NEAR_ZERO)


def test_concordance_has_the_error_of_survival(reference, lung):
    want = reference["concordance"]
    table = pl.DataFrame(want["data"])
    names = {"time": "time", "event": "status", "score": "x"}
    asked = {
        "harrell": {}, "uno": {"weights": "uno"}, "until": {"until": 8.0}, "uno_until": {"weights": "uno", "until": 8.0},
        "late": {"start": "start"},
    }  # fmt: skip
    for name, options in asked.items():
        found = survival.concordance(table, **names, **options)
        assert (found.value, found.std_error) == pytest.approx(want[name], rel=CLOSED_FORM), name
    for name, terms, strata in (("stratified", ["age"], "sex"), ("cox", ["age", "sex"], None)):
        fit = survival.cox(lung, time="time", event="event", terms=terms, strata=strata)
        found = survival.concordance_of(fit)
        assert (found.value, found.std_error) == pytest.approx(want[name], rel=CLOSED_FORM), name


def test_risk_by_a_time_is_that_of_coxph(reference, lung):
    fit = survival.cox(lung, time="time", event="event", terms=["age", "sex", "ph.ecog"])
    assert survival.risk_at_time(fit, lung, 365) == pytest.approx(reference["survival"]["risk"], rel=FIT)


def test_brier_at_a_time_is_that_of_pec(reference, lung):
    want = reference["survival"]
    found = survival.brier_at_time(lung, time="time", event="event", risk="other", at=365)
    assert found.score.value == pytest.approx(want["brier"], rel=CLOSED_FORM)
    assert found.scaled.value == pytest.approx(1 - want["brier"] / want["brier_km"], rel=CLOSED_FORM)


def test_auc_at_a_time_is_its_formula_with_the_weights_of_prodlim(reference, lung):
    found = survival.auc_at_time(lung, time="time", event="event", score="other", at=365)
    assert found.value[0] == pytest.approx(reference["survival"]["auc"], rel=CLOSED_FORM)


def test_calibration_at_a_time_is_that_of_coxph_on_a_spline(reference, lung):
    want = reference["survival"]
    found = survival.calibration_at_time(lung, time="time", event="event", risk="other", at=365)
    assert (found.slope.value, found.slope.std_error) == pytest.approx(want["slope"], rel=FIT)
    assert np.exp(found.ratio.value) == pytest.approx(want["ratio"], rel=CLOSED_FORM)
    assert found.ratio.std_error == pytest.approx(want["km"][1] / (1 - want["km"][0]), rel=CLOSED_FORM)
    for estimate, name in ((found.index, "ici"), (found.median, "e50"), (found.ninth, "e90")):
        assert estimate.value == pytest.approx(want[name], rel=FIT)


def test_net_benefit_at_a_time_is_that_of_survfit(reference, lung):
    want = reference["survival"]
    found = survival.net_benefit_at_time(
        lung, time="time", event="event", risk="other", at=365, thresholds=want["thresholds"]
    )
    assert found.model == pytest.approx(want["net"], rel=CLOSED_FORM)
