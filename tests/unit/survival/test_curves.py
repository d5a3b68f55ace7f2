from math import inf, isnan

import numpy as np
import polars as pl
import pytest

import counterpulse.survival as survival
from counterpulse.errors import InputError
from counterpulse.results import Block, Status
from counterpulse.survival import counted_rows

SUMS = 1e-12  # relative; the same sum in another order
TWO = {"time": "t", "event": "d"}
SMALL = pl.DataFrame({"t": [1, 2, 3, 4], "d": [1, 1, 0, 0], "g": ["a", "a", "b", "b"]})


def test_a_curve_exactly_at_a_half_gives_the_middle_of_the_stretch():
    table = pl.DataFrame({"t": [1, 2, 3, 4], "d": [1, 1, 1, 1]})
    assert survival.kaplan_meier(table, **TWO).quantile()[0].value == 2.5
    assert survival.kaplan_meier(SMALL, **TWO).quantile()[0].value == 3.0


def test_a_median_not_reached_is_a_state():
    fit = survival.kaplan_meier(SMALL, by="g", **TWO)
    second = fit.estimates()[1]
    assert second.status is Status.NOT_REACHED
    assert isnan(second.value)
    assert fit.tidy()["estimate"].to_list()[1] is None


def test_beyond_follow_up_is_a_state_unless_the_curve_is_at_zero():
    fit = survival.kaplan_meier(SMALL, by="g", **TWO)
    assert fit.at(9)[0].value == 0
    assert fit.at(9)[1].status is Status.BEYOND_FOLLOW_UP
    assert fit.restricted_mean(9)[0].value == 1.5
    assert fit.restricted_mean(9)[1].status is Status.BEYOND_FOLLOW_UP
    difference = survival.restricted_mean(SMALL, by="g", tau=9, **TWO).differences[0]
    assert difference.status is Status.BEYOND_FOLLOW_UP


def test_curves_and_numbers_at_risk_fill_their_blocks():
    fit = survival.kaplan_meier(SMALL, by="g", interval="log-log", **TWO)
    curve = Block(id="A.curve", analysis="A", kind="survival-curve", columns=fit.curve_columns())
    assert 0 < curve.columns["conf_low"][0] < 0.5
    assert curve.columns["conf_low"][1:] == [None, None, None]
    risk = Block(id="A.risk", analysis="A", kind="numbers-at-risk", columns=fit.numbers_at_risk([0, 2, 3]))
    assert risk.columns["at_risk"] == [2, 1, 0, 2, 2, 2]
    assert risk.columns["cumulative_events"] == [0, 2, 2, 0, 0, 0]
    assert risk.columns["cumulative_censored"] == [0, 0, 0, 0, 0, 1]


def test_someone_censored_at_a_death_is_at_risk_at_it():
    curve = survival.kaplan_meier(pl.DataFrame({"t": [2, 2], "d": [1, 0]}), **TWO).curves[0]
    assert curve.survival.tolist() == [0.5]


@pytest.mark.parametrize("by", [None, "g"])
def test_rows_counted_together_give_the_curves_of_rows_one_by_one(by, monkeypatch):
    table = many_ties()
    single = survival.kaplan_meier(table, by=by, **TWO)
    monkeypatch.setattr(counted_rows, "LONG_TABLE", 100)
    monkeypatch.setattr(counted_rows, "LOOK_AT", 100)
    counted = survival.kaplan_meier(table, by=by, **TWO)
    assert counted.glance().drop("person_time").equals(single.glance().drop("person_time"))
    for one, other in zip(single, counted, strict=True):
        for name in ("time", "at_risk", "events", "censored", "survival", "low", "high"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert other.person_time == pytest.approx(one.person_time, rel=SUMS)


@pytest.mark.parametrize("strata", [None, "s"])
@pytest.mark.parametrize("rho", [0, 1])
def test_rows_counted_together_give_the_test_of_rows_one_by_one(strata, rho, monkeypatch):
    table = many_ties()
    single = survival.log_rank(table, by="g", strata=strata, rho=rho, **TWO)
    monkeypatch.setattr(counted_rows, "LONG_TABLE", 100)
    monkeypatch.setattr(counted_rows, "LOOK_AT", 100)
    counted = survival.log_rank(table, by="g", strata=strata, rho=rho, **TWO)
    assert counted.statistic == pytest.approx(single.statistic, rel=SUMS)
    assert counted.n == single.n
    np.testing.assert_allclose(counted.observed, single.observed, rtol=SUMS)
    np.testing.assert_allclose(counted.covariance, single.covariance, rtol=SUMS)


def many_ties(n=2000):
    random = np.random.default_rng(5)
    time = np.ceil(random.exponential(size=n) * 20) / 10
    late = random.random(n) < 0.1  # 0.1 + 0.2 is not 0.3, but the same day
    return pl.DataFrame(
        {
            "t": np.where(late, time * (1 + 1e-15), time), "d": random.random(n) < 0.6,
            "g": np.array(["a", "b", "c"])[random.integers(0, 3, n)], "s": random.integers(0, 4, n),
        }
    )  # fmt: skip


def test_time_zero_is_taken():
    curve = survival.kaplan_meier(pl.DataFrame({"t": [0, 0, 3, 4], "d": [1, 0, 1, 1]}), **TWO).curves[0]
    assert curve.survival.tolist() == [0.75, 0.375, 0.0]
    assert curve.at_risk.tolist() == [4, 2, 1]


def test_empty_tables_are_states():
    fit = survival.kaplan_meier(SMALL.head(0), **TWO)
    assert fit.status is Status.NO_ROWS
    assert fit.estimates()[0].status is Status.EMPTY_GROUP
    assert fit.at(1)[0].status is Status.EMPTY_GROUP
    assert survival.log_rank(SMALL.head(0), by="g", **TWO).status is Status.NO_ROWS
    assert survival.log_rank(SMALL.filter(pl.col("g") == "a"), by="g", **TWO).status is Status.EMPTY_GROUP
    assert survival.log_rank(SMALL.with_columns(d=0), by="g", **TWO).status is Status.NO_EVENTS


def test_risk_is_one_less_survival_and_its_difference_has_the_sign_of_harm():
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"t": rng.exponential(size=200), "d": True, "g": rng.integers(0, 2, 200)})
    table = table.with_columns(t=pl.col("t") * (1 + pl.col("g")))
    plain = survival.survival_difference(table, by="g", at=1.0, **TWO)
    log_log = survival.survival_difference(table, by="g", at=1.0, test="log-log", **TWO)
    (difference,) = plain.differences
    assert difference.value == pytest.approx(plain.risk[1].value - plain.risk[0].value)
    assert difference.std_error == pytest.approx(np.hypot(plain.risk[0].std_error, plain.risk[1].std_error))
    assert plain.risk[0].interval.low == 1 - plain.survival[0].interval.high
    assert log_log.differences[0].value == difference.value
    assert log_log.differences[0].statistic != difference.statistic


def test_limits_of_quantiles_not_reached_are_not_numbers():
    median = survival.kaplan_meier(SMALL, **TWO).quantile()[0]
    assert median.interval.low == 1
    assert isnan(median.interval.high)


@pytest.mark.parametrize("options", [{"interval": "exact"}, {"level": 1.0}, {"time": "absent"}])
def test_misuse_is_explained(options):
    with pytest.raises(InputError):
        survival.kaplan_meier(SMALL, **{**TWO, **options})
    with pytest.raises(InputError):
        survival.kaplan_meier(SMALL.with_columns(t=pl.lit(inf)), **TWO)
    with pytest.raises(InputError):
        survival.restricted_mean(SMALL, by="g", tau=0, **TWO)
    with pytest.raises(InputError):
        survival.log_rank(SMALL, by="g", rho=-1, **TWO)


def test_a_group_in_which_nobody_had_the_event_is_not_certain():
    """Greenwood's variance is zero there: one patient without an event would give an interval of no width and P < 0.001."""
    table = pl.DataFrame({"t": [9, 1, 2, 3, 9], "d": [0, 1, 0, 1, 0], "g": ["a", "b", "b", "b", "b"]})
    compared = survival.survival_difference(table, by="g", at=5, **TWO)
    assert compared.risk[0].value == 0
    assert compared.risk[0].interval is None
    (difference,) = compared.differences
    assert difference.status is Status.NO_GROUP_VARIANCE
    assert difference.value == compared.risk[1].value > 0
    assert difference.interval is difference.p_value is None
    mean = survival.restricted_mean(table, by="g", tau=5, **TWO)
    assert mean.groups[0].value == 5
    assert mean.groups[0].interval is None
    assert mean.differences[0].status is Status.NO_GROUP_VARIANCE


def test_a_group_in_which_everybody_had_the_event_is_not_certain_either():
    table = pl.DataFrame({"t": [1, 2, 1, 3, 9], "d": [1, 1, 1, 0, 0], "g": ["a", "a", "b", "b", "b"]})
    compared = survival.survival_difference(table, by="g", at=5, **TWO)
    assert compared.risk[0].value == 1
    assert compared.risk[0].interval is None
    assert compared.differences[0].status is Status.NO_GROUP_VARIANCE
    assert compared.differences[0].value == compared.risk[1].value - 1
