"""The outcomes of a rehearsal, drawn once more from the distribution function, patient by patient."""

from math import exp, inf, log

import numpy as np
import pytest

from counterpulse.numerics.random_streams import stream
from counterpulse.study.rehearsing.outcome_draws import draw_events, draw_times

PATIENTS = 300
SAME = 1e-8  # the bisection of the slow way, over times whose risk is flat in places


def inverted(probability_by, u, end):
    """The time by which the probability is u, by bisection; infinity where it is not reached by the end."""
    if probability_by(end) < u:
        return inf
    low, high = 0.0, end
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if probability_by(middle) < u else (low, middle)
    return high


def slow_time(u, prognosis, start, log_rate, shape, log_effect):
    def hazard_until(t):
        before = exp(log_rate + prognosis) * min(t, start) ** shape
        after = exp(log_rate + prognosis) * (t**shape - start**shape) * exp(log_effect) if t > start else 0.0
        return before + after

    return inverted(lambda t: hazard_until(t) / -log(u), 1.0, 1e7)


def slow_event(u, prognosis, start, log_odds, shape, log_effect, within):
    risk = 1 / (1 + exp(-log_odds - prognosis))

    def untreated_by(t):
        return risk * (t / within) ** shape

    def risk_by(t):
        if t <= start:
            return untreated_by(t)
        dead, left = untreated_by(start), 1 - untreated_by(start)
        odds = (risk - dead) / (1 - risk) * exp(log_effect)
        share = (t**shape - start**shape) / (within**shape - start**shape)
        return dead + left * odds / (1 + odds) * share

    return inverted(risk_by, u, within)


@pytest.mark.parametrize("log_effect", [0.0, -0.7, 0.9])
@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0])
def test_outcomes_are_the_same_drawn_slowly(shape, log_effect):
    random = stream(3, "twice", int(10 * shape))
    u, prognosis = 1 - random.random(PATIENTS), random.normal(size=PATIENTS)
    starts = np.where(random.random(PATIENTS) < 0.4, np.inf, random.exponential(3.0, PATIENTS))
    times = draw_times(u, prognosis, starts, log_rate=-2.0, shape=shape, log_effect=log_effect)
    slow = [slow_time(u[i], prognosis[i], starts[i], -2.0, shape, log_effect) for i in range(PATIENTS)]
    np.testing.assert_allclose(times, slow, rtol=SAME)
    starts = np.where(starts < 9, starts, np.inf)
    events = draw_events(u, prognosis, starts, log_odds=-0.3, shape=shape, log_effect=log_effect, within=10.0)
    slow = [slow_event(u[i], prognosis[i], starts[i], -0.3, shape, log_effect, 10.0) for i in range(PATIENTS)]
    np.testing.assert_allclose(events.time, slow, rtol=SAME)
    assert (events.event == np.isfinite(slow)).all()
    assert (events.treated == (np.isfinite(starts) & (np.array(slow) > starts))).all()
