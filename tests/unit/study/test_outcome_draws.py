import numpy as np
import pytest

from counterpulse.numerics.random_streams import stream
from counterpulse.study.rehearsing.outcome_draws import (
    draw_events,
    draw_time_to_event,
    draw_times,
    expit,
    exponential_times,
    log_odds_of_risk,
    log_rate_of_risk,
    treated_risk,
)

N = 200_000
MONTE_CARLO = 4.0  # standard errors of a simulated share that a right generator stays within
SOLVED = 1e-12  # the bisection ends at the last digits
DIFFERENCES = 1e-9  # differences of risks near 1, and exponentials of bisected levels
NEVER = np.full(N, np.inf)


def chances(name, n=N):
    return 1 - stream(1, f"test {name}").random(n)


def near(found, expected):
    error = np.sqrt(expected * (1 - expected) / N)
    assert abs(found - expected) < MONTE_CARLO * error


def test_untreated_times_have_the_weibull_risk():
    times = draw_times(chances("a"), np.zeros(N), NEVER, log_rate=np.log(0.1), shape=0.6, log_effect=-1.0)
    for t in (0.5, 5.0, 40.0):
        near((times <= t).mean(), 1 - np.exp(-0.1 * t**0.6))


def test_the_hazard_is_multiplied_from_the_start_of_treatment_on():
    starts, effect = np.full(N, 3.0), np.log(0.4)
    times = draw_times(chances("b"), np.full(N, 0.3), starts, log_rate=np.log(0.1), shape=1.5, log_effect=effect)
    rate = 0.1 * np.exp(0.3)
    near((times <= 3).mean(), 1 - np.exp(-rate * 3**1.5))
    near((times <= 8).mean(), 1 - np.exp(-rate * (3**1.5 + 0.4 * (8**1.5 - 3**1.5))))


def test_without_an_effect_treatment_changes_nobody():
    starts = np.where(chances("c") < 0.5, 2.0, np.inf)
    u, lines = chances("d"), {"log_rate": -2.0, "shape": 0.7, "log_effect": 0.0}
    np.testing.assert_allclose(
        draw_times(u, np.zeros(N), starts, **lines), draw_times(u, np.zeros(N), NEVER, **lines), rtol=SOLVED
    )
    odds = {"log_odds": -0.5, "shape": 0.7, "log_effect": 0.0, "within": 10.0}
    treated, never = draw_events(u, np.zeros(N), starts, **odds), draw_events(u, np.zeros(N), NEVER, **odds)
    assert (treated.event == never.event).all()
    np.testing.assert_allclose(treated.time[treated.event], never.time[never.event], rtol=DIFFERENCES)


def test_who_dies_before_treatment_was_never_treated():
    starts = np.full(N, 2.0)
    found = draw_time_to_event(
        chances("e"), NEVER, NEVER, np.zeros(N), starts, log_rate=np.log(0.2), shape=1.0, log_effect=-1.0, within=10.0
    )
    assert (found.treated == (found.time > 2)).all()
    assert (~found.treated).any()
    nonfatal = draw_time_to_event(
        chances("e"), NEVER, NEVER, np.zeros(N), starts, log_rate=np.log(0.2), shape=1.0, log_effect=-1.0, within=10.0,
        fatal=False,
    )  # fmt: skip
    assert nonfatal.treated.all()
    events = draw_events(chances("f"), np.zeros(N), starts, log_odds=0.0, shape=0.5, log_effect=-1.0, within=10.0)
    assert (events.treated == (events.time > 2)).all()


def test_the_first_of_event_competing_event_and_loss_counts():
    lost, competing = exponential_times(chances("g"), 0.2, 10.0), exponential_times(chances("h"), 0.3, 10.0)
    near((lost <= 10).mean(), 0.2)
    near((competing <= 10).mean(), 0.3)
    found = draw_time_to_event(
        chances("i"), lost, competing, np.zeros(N), NEVER, log_rate=np.log(0.05), shape=1.0, log_effect=0.0, within=10.0
    )
    assert not (found.event & found.competing).any()
    assert (found.time[found.competing] == competing[found.competing]).all()
    assert found.time.max() == 10.0
    assert np.isinf(exponential_times(chances("j"), 0.0, 10.0)).all()


def test_the_odds_of_the_treated_are_multiplied():
    prognosis, effect = np.full(N, 0.4), np.log(0.5)
    zero = np.zeros(N)
    treated = draw_events(chances("k"), prognosis, zero, log_odds=-0.2, shape=0.5, log_effect=effect, within=30.0)
    never = draw_events(chances("k"), prognosis, NEVER, log_odds=-0.2, shape=0.5, log_effect=effect, within=30.0)
    near(never.event.mean(), float(expit(np.array(0.2))))
    near(treated.event.mean(), float(expit(np.array(0.2 + effect))))
    near((never.time <= 7.5).mean(), float(expit(np.array(0.2))) * 0.5)


def test_later_treatment_multiplies_the_odds_of_those_who_lived_to_have_it():
    starts, effect = np.full(N, 10.0), np.log(0.5)
    found = draw_events(chances("l"), np.zeros(N), starts, log_odds=0.0, shape=1.0, log_effect=effect, within=30.0)
    early = 0.5 / 3
    near((~found.treated).mean(), early)
    left = (0.5 - early) / (1 - early)
    risk = float(treated_risk(np.array(left), effect))
    near(found.event.mean(), early + (1 - early) * risk)


def test_the_level_gives_the_reference_group_its_risk():
    prognosis = stream(1, "test m").standard_normal(500)
    level = log_odds_of_risk(prognosis, 0.37)
    assert expit(level + prognosis).mean() == pytest.approx(0.37, rel=SOLVED)
    rate = log_rate_of_risk(prognosis, 0.37, by=30.0, shape=0.6)
    assert (1 - np.exp(-np.exp(rate + prognosis) * 30**0.6)).mean() == pytest.approx(0.37, rel=DIFFERENCES)


def test_an_unmeasured_part_is_averaged_over():
    normal = stream(1, "test n").standard_normal(N)
    near(expit(log_odds_of_risk(np.zeros(1), 0.2, spread=1.2) + 1.2 * normal).mean(), 0.2)
    rate = log_rate_of_risk(np.zeros(1), 0.2, by=5.0, shape=1.0, spread=0.8)
    near((1 - np.exp(-np.exp(rate + 0.8 * normal) * 5)).mean(), 0.2)
