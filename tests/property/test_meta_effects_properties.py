"""What must hold for any printed numbers: exchanged arms, intervals there and back, conversions there and back."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from counterpulse.synthesis.effects.conversions import (
    hazard_to_odds_ratio,
    hazard_to_risk_ratio,
    odds_ratio_to_smd,
    odds_to_risk_ratio,
    opposite_outcome,
    risk_to_odds_ratio,
    smd_to_odds_ratio,
)
from counterpulse.synthesis.effects.means import mean_differences, ratios_of_means, standardized_mean_differences
from counterpulse.synthesis.effects.printed_interval import from_interval
from counterpulse.synthesis.effects.proportions import proportion_from_double_arcsine, proportions
from counterpulse.synthesis.effects.two_by_two import FORMULAS, two_by_two

CLOSED_FORM = 1e-9
THERE_AND_BACK = (
    1e-7  # relative; two exponentials and logarithms, near a risk of 0.99 a difference of nearly equal numbers
)
NEAR_ZERO = 1e-8  # absolute, of an effect; the same where the effect itself is nearly 0
SLOPE = 1e-4  # relative; a central difference with a step of 1e-6
INVERSE_ROOT = 2e-5  # half of the root of a rounding error, where the way back takes a square root near 0

arm = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
log_ratio, variance = st.floats(-3, 3), st.floats(1e-4, 4)
risk = st.floats(0.01, 0.99)
group = st.tuples(st.floats(0.5, 50), st.floats(0.1, 20), st.integers(2, 500))


@given(st.lists(st.tuples(arm, arm), min_size=1, max_size=6), st.sampled_from(sorted(FORMULAS)))
def test_exchanged_arms_change_the_sign_alone(pairs, measure):
    a, n1, c, n2 = (np.array(column) for column in zip(*((*one, *other) for one, other in pairs), strict=True))
    there, back = two_by_two(a, n1, c, n2, measure=measure), two_by_two(c, n2, a, n1, measure=measure)
    np.testing.assert_allclose(there.yi, -back.yi, rtol=THERE_AND_BACK, atol=NEAR_ZERO)
    np.testing.assert_allclose(there.vi, back.vi, rtol=THERE_AND_BACK)
    assert (there.vi[~there.dropped] > 0).all()
    assert set(np.flatnonzero(there.dropped) + 1) <= {problem.row for problem in there.problems}


@given(arm, arm, st.sampled_from(["OR", "PETO", "RD", "PHI", "YUQ", "YUY", "AS", "RTET"]))
def test_complement_of_the_event_is_the_opposite_outcome(one, other, measure):
    (a, n1), (c, n2) = one, other
    deaths, survivors = (two_by_two(x, n1, y, n2, measure=measure) for x, y in ((a, c), (n1 - a, n2 - c)))
    assume(deaths.k == 1)
    turned = opposite_outcome(deaths.yi, deaths.vi, measure=measure).effects
    np.testing.assert_allclose(turned.yi, survivors.yi, rtol=THERE_AND_BACK, atol=NEAR_ZERO)


@given(group, group)
def test_means_change_sign_with_the_arms(one, other):
    for method in (mean_differences, standardized_mean_differences, ratios_of_means):
        there, back = method(*one, *other), method(*other, *one)
        np.testing.assert_allclose(there.yi, -back.yi, rtol=CLOSED_FORM, atol=CLOSED_FORM)
        np.testing.assert_allclose(there.vi, back.vi, rtol=CLOSED_FORM)


@given(log_ratio, variance, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_interval_there_and_back(y, v, level):
    reach = from_interval(0, -1, 1, measure="MD", level=level).vi[0] ** -0.5 * np.sqrt(v)
    printed = np.exp([y, y - reach, y + reach])
    made = from_interval(*printed, measure="OR", level=level, decimals=12)
    np.testing.assert_allclose([made.yi[0], made.vi[0]], [y, v], rtol=THERE_AND_BACK, atol=NEAR_ZERO)
    low, high = made.limits(level=level)
    np.testing.assert_allclose(np.exp([low[0], high[0]]), printed[1:], rtol=THERE_AND_BACK)


@given(st.floats(-1.5, 1.5), st.floats(0.01, 0.8), st.integers(1, 3))
def test_rounding_alone_is_never_called_asymmetric(y, error, decimals):
    printed = [f"{np.exp(y + step * error):.{decimals}f}" for step in (0, -1.96, 1.96)]
    assume(float(printed[1]) > 0)
    made = from_interval(*printed, measure="HR")
    assert "asymmetric-interval" not in {problem.code for problem in made.problems}


@given(st.floats(-3, 3), st.floats(0.01, 0.8), st.floats(0.3, 0.6))
def test_a_shifted_estimate_is_called_asymmetric(y, error, shift):
    printed = [f"{value:.3f}" for value in (y + shift * error, y - 1.96 * error, y + 1.96 * error)]
    assume(error > 0.05)
    made = from_interval(*printed, measure="MD")
    assert [problem.code for problem in made.problems] == ["asymmetric-interval"]


@given(log_ratio, variance, risk)
def test_odds_to_risk_ratio_and_back(y, v, p):
    there = odds_to_risk_ratio(y, v, reference_risk=p).effects
    back = risk_to_odds_ratio(there.yi, there.vi, reference_risk=p).effects
    np.testing.assert_allclose([back.yi[0], back.vi[0]], [y, v], rtol=THERE_AND_BACK, atol=NEAR_ZERO)


@given(log_ratio, variance, st.sampled_from(["cox", "hasselblad-hedges"]))
def test_odds_ratio_to_smd_and_back(y, v, method):
    there = odds_ratio_to_smd(y, v, method=method).effects
    back = smd_to_odds_ratio(there.yi, there.vi, method=method).effects
    np.testing.assert_allclose([back.yi[0], back.vi[0]], [y, v], rtol=CLOSED_FORM, atol=NEAR_ZERO)


@given(log_ratio, variance, risk, st.sampled_from([odds_to_risk_ratio, hazard_to_risk_ratio, hazard_to_odds_ratio]))
def test_delta_method_is_the_slope_and_limits_hold_the_point(y, v, p, convert):
    step = 1e-6
    below, point, above = (convert(at, v, reference_risk=p).effects for at in (y - step, y, y + step))
    slope = (above.yi[0] - below.yi[0]) / (2 * step)
    assert np.sqrt(point.vi[0] / v) == pytest.approx(slope, rel=SLOPE, abs=NEAR_ZERO)
    converted = convert(y, v, reference_risk=p)
    assert converted.low[0] <= point.yi[0] <= converted.high[0]
    assert point.assumptions


@given(log_ratio, risk)
def test_hazard_to_odds_agrees_with_hazard_to_risk_to_odds(y, p):
    direct = hazard_to_odds_ratio(y, 0.1, reference_risk=p).effects
    risks = hazard_to_risk_ratio(y, 0.1, reference_risk=p).effects
    assume(p * np.exp(risks.yi[0]) < 1 - 1e-6)
    by_risk = risk_to_odds_ratio(risks.yi, risks.vi, reference_risk=p).effects
    assert direct.yi[0] == pytest.approx(by_risk.yi[0], rel=SLOPE, abs=NEAR_ZERO)


@given(arm)
def test_double_arcsine_there_and_back(counts):
    events, n = counts
    value = proportions(events, n, measure="PFT").yi
    back = proportion_from_double_arcsine(value, n)[0]
    assert back == pytest.approx(events / n, abs=INVERSE_ROOT)
