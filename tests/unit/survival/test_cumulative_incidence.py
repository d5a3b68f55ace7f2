import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.errors import InputError
from counterpulse.results import Status

CLOSED_FORM = 1e-12
ROUNDING = 1e-12


@pytest.fixture
def table():
    random = np.random.default_rng(2)
    time = np.ceil(random.exponential(10, 90))
    return pl.DataFrame(
        {"time": time, "cause": random.integers(0, 3, 90), "arm": pl.Series(["a", "b", "c"] * 30), "died": time > 4}
    )


def test_one_cause_is_kaplan_meier_upside_down(table):
    (curve,) = survival.cumulative_incidence(table, time="time", event="died", interval="plain")
    (other,) = survival.kaplan_meier(table, time="time", event="died", interval="plain")
    np.testing.assert_allclose(curve.incidence[:, 0], 1 - other.survival, rtol=CLOSED_FORM, atol=ROUNDING)
    done = other.survival > 0
    np.testing.assert_allclose(curve.std_error[done, 0], other.std_error[done], rtol=CLOSED_FORM, atol=ROUNDING)
    np.testing.assert_allclose(curve.at_risk, other.at_risk)


@pytest.mark.parametrize("variance", ["delta", "aalen"])
def test_incidences_and_survival_sum_to_one(table, variance):
    for curve in survival.cumulative_incidence(table, time="time", event="cause", by="arm", variance=variance):
        np.testing.assert_allclose(curve.incidence.sum(axis=1) + curve.survival, 1, rtol=CLOSED_FORM)
        assert (np.diff(curve.incidence, axis=0) >= 0).all()


def test_without_censoring_it_is_a_proportion_with_its_binomial_error():
    table = pl.DataFrame({"time": [1.0, 2, 2, 3, 4, 5, 6, 6, 7, 8], "cause": [1, 2, 1, 2, 2, 1, 1, 2, 1, 2]})
    found = survival.cumulative_incidence(table, time="time", event="cause")
    (at,) = found.at(5)
    assert at.value == pytest.approx(0.3, rel=CLOSED_FORM)
    assert at.std_error == pytest.approx(np.sqrt(0.3 * 0.7 / 10), rel=CLOSED_FORM)
    (median,) = found.quantile()
    assert median.value == pytest.approx(7.5, rel=CLOSED_FORM)  # reached exactly with the last event


def test_levels_of_a_category_are_causes_and_the_first_is_censoring(table):
    names = pl.Enum(["alive", "died", "left"])
    named = table.with_columns(
        pl.col("cause").cast(pl.String).replace({"0": "alive", "1": "died", "2": "left"}).cast(names)
    )
    found = survival.cumulative_incidence(named, time="time", event="cause")
    plain = survival.cumulative_incidence(table, time="time", event="cause")
    assert found.causes == ("died", "left")
    np.testing.assert_array_equal(found.curves[0].incidence, plain.curves[0].incidence)
    assert [item.value for item in found.at(8, "left")] == [item.value for item in plain.at(8, "2")]


def test_order_of_rows_changes_nothing(table):
    mixed = table.sample(fraction=1.0, shuffle=True, seed=3)
    one, other = (
        survival.cumulative_incidence(t, time="time", event="cause", by="arm").columns() for t in (table, mixed)
    )
    assert one == other


def test_differences_need_both_groups_and_follow_up(table):
    found = survival.cumulative_incidence(table, time="time", event="cause", by="arm")
    b = found.differences(8.0)[0]
    assert (b.term, b.reference) == ("b", "a")
    values = {curve.group: curve.at("1", 8.0) for curve in found}
    assert b.value == pytest.approx(values["b"].value - values["a"].value, rel=CLOSED_FORM)
    assert b.std_error == pytest.approx(np.hypot(values["b"].std_error, values["a"].std_error), rel=CLOSED_FORM)
    assert found.ratios(8.0)[0].value == pytest.approx(np.log(values["b"].value / values["a"].value), rel=CLOSED_FORM)
    censored = table.with_columns(pl.lit(0).alias("cause"))
    never = survival.cumulative_incidence(censored, time="time", event="cause", by="arm", causes={"1": "x", "2": "y"})
    assert never.status is Status.NO_EVENTS
    assert never.differences(1e6)[0].status is Status.BEYOND_FOLLOW_UP


def test_missing_rows_are_counted_and_misuse_is_said(table):
    holes = table.with_columns(pl.when(pl.col("time") > 20).then(None).otherwise(pl.col("cause")).alias("cause"))
    found = survival.cumulative_incidence(holes, time="time", event="cause")
    assert found.n_missing == holes["cause"].null_count()
    assert found.curves[0].n == table.height - found.n_missing
    for wrong in ({"event": "nothing"}, {"event": "cause", "variance": "x"}, {"event": "cause", "causes": {"1": "a"}}):
        with pytest.raises(InputError):
            survival.cumulative_incidence(table, time="time", **wrong)
    with pytest.raises(InputError, match="no cause"):
        found.at(3, "x")
