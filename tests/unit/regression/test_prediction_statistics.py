"""Edges of prediction quality: no events, one event, ties, risks of 0 and 1, misuse."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from counterpulse import regression, survival
from counterpulse.errors import InputError
from counterpulse.results import Status

EVENT = np.array([True, False, True, False, True, False, False, True])
RISK = np.array([0.9, 0.1, 0.6, 0.5, 0.4, 0.3, 0.2, 0.8])


def test_without_or_with_nothing_but_events():
    for event, status in ((np.zeros(8, bool), Status.NO_EVENTS), (np.ones(8, bool), Status.ALL_EVENTS)):
        assert regression.c_statistic(event, RISK).estimate().status is status
        assert regression.compare_c_statistics(event, RISK, RISK).status is status
        assert regression.roc_curve(event, RISK) is None
        found = regression.calibration_of(event, RISK)
        assert {found.intercept.status, found.slope.status, found.index.status} == {status}
        assert regression.brier_of(event, RISK).scaled.status is status
        assert regression.recalibrated(event, RISK) is None
        refit = regression.bootstrap_optimism(event, RISK, lambda w: None, seed=1, analysis="a", replicates=5)
        assert refit.status is status
    assert regression.c_statistic([], []).estimate().status is Status.NO_ROWS


def test_separation_and_a_single_event_have_no_interval():
    perfect = regression.c_statistic(EVENT, EVENT.astype(float)).estimate()
    assert (perfect.value, perfect.interval) == (1.0, None)
    single = regression.c_statistic(np.arange(8) == 3, RISK).estimate(scale="logit")
    assert single.interval is None
    assert np.isfinite(single.value)


def test_the_logit_interval_stays_within_bounds():
    plain, logit = (regression.c_statistic(EVENT, RISK).estimate(scale=scale) for scale in ("identity", "logit"))
    assert plain.interval.high <= 1
    read = logit.natural()
    assert read.value == pytest.approx(plain.value)
    assert 0 < read.interval.low < read.value < read.interval.high < 1


def test_a_prediction_equal_to_itself_has_nothing_to_test():
    found = regression.compare_c_statistics(EVENT, RISK, RISK * 2)
    assert (found.value, found.p_value) == (0.0, None)
    assert found.notes


def test_risks_of_0_and_1_have_no_log_odds():
    found = regression.calibration_of(EVENT, np.where(RISK == 0.9, 1.0, RISK))
    assert found.slope.status is Status.UNDEFINED
    assert found.ratio.status is Status.OK


def test_few_values_make_no_smooth_curve():
    found = regression.calibration_of(np.tile(EVENT, 20), np.tile(np.repeat([0.2, 0.6], 4), 20))
    assert found.index.status is Status.FEW_VALUES
    assert found.curve == ()
    assert sum(group.n for group in found.groups) == 160


@pytest.mark.parametrize(
    "call",
    [
        lambda: regression.c_statistic(EVENT, RISK[:3]),
        lambda: regression.c_statistic(EVENT, np.append(RISK[:7], np.nan)),
        lambda: regression.c_statistic(np.arange(8), RISK),
        lambda: regression.calibration_of(EVENT, RISK * 100),
        lambda: regression.brier_of(EVENT, -RISK),
        lambda: regression.net_benefit(EVENT, RISK, thresholds=[20]),
        lambda: regression.bootstrap_optimism(EVENT, RISK, lambda w: None, seed=1, analysis="a", replicates=1),
    ],
)
def test_misuse_is_refused(call):
    with pytest.raises(InputError):
        call()


def test_an_order_of_rows_changes_nothing():
    order = np.random.default_rng(1).permutation(8)
    one, two = regression.c_statistic(EVENT, RISK), regression.c_statistic(EVENT[order], RISK[order])
    assert (one.value, one.std_error) == pytest.approx((two.value, two.std_error))
    one, two = regression.calibration_of(EVENT, RISK), regression.calibration_of(EVENT[order], RISK[order])
    assert one.index.value == pytest.approx(two.index.value)


TABLE = pl.DataFrame({"time": [1.0, 2, 3, 4, 5, 6], "event": [True, False, True, False, True, False],
                      "risk": [0.9, 0.5, 0.6, 0.4, 0.3, 0.2]})  # fmt: skip
NAMES = {"time": "time", "event": "event"}


def test_times_without_events_or_beyond_follow_up():
    nothing = TABLE.with_columns(event=pl.lit(False))
    assert survival.auc_at_time(nothing, **NAMES, score="risk", at=3).statuses == (Status.NO_EVENTS,)
    assert survival.auc_at_time(TABLE, **NAMES, score="risk", at=9).statuses == (Status.BEYOND_FOLLOW_UP,)
    assert survival.calibration_at_time(nothing, **NAMES, risk="risk", at=3).slope.status is Status.NO_EVENTS
    assert survival.calibration_at_time(TABLE, **NAMES, risk="risk", at=9).ratio.status is Status.BEYOND_FOLLOW_UP
    assert survival.brier_at_time(TABLE, **NAMES, risk="risk", at=9).score.status is Status.BEYOND_FOLLOW_UP
    assert survival.concordance(nothing, **NAMES, score="risk").estimates()[0].status is Status.UNDEFINED


def test_follow_up_that_a_horizon_ends_still_has_controls():
    ended = TABLE.with_columns(time=pl.col("time").clip(upper_bound=4), event=pl.col("event") & (pl.col("time") <= 4))
    found = survival.auc_at_time(ended, **NAMES, score="risk", at=4)
    assert (found.cases.tolist(), found.controls.tolist()) == ([2], [3])


def test_uno_is_refused_with_late_entry_and_cox_optimism_with_strata():
    with pytest.raises(InputError):
        survival.concordance(TABLE.with_columns(start=0.0), **NAMES, score="risk", start="start", weights="uno")
    strata = TABLE.with_columns(group=pl.Series([1, 1, 1, 2, 2, 2]))
    fit = survival.cox(strata, **NAMES, terms=["risk"], strata="group")
    with pytest.raises(InputError):
        survival.bootstrap_cox_optimism(fit, seed=1, analysis="a", replicates=10)
    with pytest.raises(InputError):
        survival.risk_at_time(fit, TABLE, 3)
