from math import ceil, inf, isnan

import numpy as np
import pytest
from scipy import special

from counterpulse.errors import InputError
from counterpulse.numerics.group_sequential import boundaries
from counterpulse.synthesis.sequential.required_information import (
    diversity,
    required_for_means,
    required_for_risks,
    required_trials,
)
from counterpulse.synthesis.sequential.stagewise import stagewise
from counterpulse.synthesis.sequential.trial_sequential import trial_sequential

EXACT = 1e-10
ROOT = 1e-10  # an end of a stage-wise interval is a root, found to 1e-12 of a standard error
SIMULATED = 4  # standard errors of a simulated proportion
Y, V, N = [0.1, -0.4, -0.3, -0.5], [0.1, 0.05, 0.04, 0.03], [100, 200, 250, 330]


def test_required_by_the_textbook():
    """Mean difference of half a standard deviation at 80 % power: 2 (1.96 + 0.8416)^2 / 0.25 an arm, 63 and 63."""
    got = required_for_means(difference=0.5, sd=1)
    assert got.participants == ceil(4 * (1.959963984540054 + 0.8416212335729143) ** 2 / 0.25) == 126
    assert required_for_means(difference=-0.5, sd=1).participants == 126
    assert required_for_means(difference=1, sd=2).participants == 126
    assert required_for_means(difference=0.5, sd=1, diversity=0.5).participants == 252
    assert required_for_means(difference=0.5, sd=1, sides=1).participants < 126
    by_risk = required_for_risks(control_risk=0.2, treated_risk=0.15)
    same = required_for_risks(control_risk=0.2, relative_risk_reduction=0.25)
    assert by_risk.participants == same.participants == 1814


def test_required_trials():
    without = required_trials(effect=0.3, tau2=0, unit_variance=20)
    assert without.trials == 1
    assert without.participants == ceil(20 * (1.959963984540054 + 0.8416212335729143) ** 2 / 0.09)
    with_some = required_trials(effect=0.3, tau2=0.05, unit_variance=20)
    per_trial = 0.05 + 20 / with_some.participants_each
    assert per_trial / with_some.trials <= (0.3 / 2.801585218112968) ** 2
    assert required_trials(effect=0.3, tau2=0.05, unit_variance=20, gathered_variance=1e-4).participants == 0


def test_diversity():
    assert diversity([0.1], [0.1]) == 0
    assert diversity([0.1, 0.1, 0.1], [0.1, 0.2, 0.3]) == pytest.approx(0, abs=EXACT)
    assert 0 < diversity([0.1, 2.0, -1.0], [0.1, 0.2, 0.3]) < 1


def test_undecided():
    got = trial_sequential(Y, V, participants=N, required=5000, labels=list("abcd"))
    assert got.conclusion == "undecided"
    assert (got.stopped, got.adjusted, got.direction) == (None, None, 0)
    assert [look.study for look in got.looks] == ["a", "b", "c", "d", None]
    assert got.looks[-1].participants == pytest.approx(got.planned)
    assert got.planned > 5000
    assert got.looks[-2].fraction == pytest.approx(880 / got.planned)
    effect = got.estimates()[0]
    assert effect.interval.kind == "repeated"
    assert effect.interval.high - effect.value == pytest.approx(got.looks[3].efficacy * effect.std_error)
    assert got.conventional == pytest.approx(1.959963984540054)
    assert got.tidy().height == 1


def test_efficacy():
    got = trial_sequential([-0.5] * 4, [0.02, 0.02, 0.02, 0.02], participants=[300] * 4, required=1500)
    assert got.conclusion == "efficacy"
    assert got.direction == -1
    assert got.stopped.z <= -got.stopped.efficacy
    first, adjusted = got.estimates()
    assert adjusted.interval.kind == "stage-wise"
    assert adjusted.interval.low < adjusted.value < adjusted.interval.high < 0
    assert adjusted.p_value < 0.05
    assert first.value == pytest.approx(-0.5)


def test_futility():
    got = trial_sequential([0.01] * 4, [0.02] * 4, participants=[300] * 4, required=1500, futility="non-binding")
    assert got.conclusion == "futility"
    assert abs(got.stopped.z) <= got.stopped.futility


def test_information_reached():
    got = trial_sequential([0.01] * 4, [0.02] * 4, participants=[300] * 4, required=1000)
    assert got.conclusion == "information reached"
    assert got.looks[-1].study is not None
    assert got.boundaries.timing[-1] >= 1
    assert got.adjusted.low < 0 < got.adjusted.high
    assert got.adjusted.p_value > 0.05


def test_the_first_look_with_all_information_is_the_last():
    got = trial_sequential([0.01] * 4, [0.02] * 4, participants=[1200] * 4, required=1000)
    assert got.boundaries.efficacy == pytest.approx((1.959963984540054,))
    assert [isnan(look.efficacy) for look in got.looks] == [False, True, True, True]
    assert got.planned == pytest.approx(1000)


def test_looks():
    every = trial_sequential(Y, V, participants=N, required=2000)
    some = trial_sequential(Y, V, participants=N, required=2000, looks=[2, 4])
    assert sum(not isnan(look.efficacy) for look in some.looks) == 3
    assert some.looks[3].efficacy < every.looks[3].efficacy
    steps = trial_sequential(Y, V, participants=[1, *N[1:]], required=2000)
    assert isnan(steps.looks[0].efficacy)


def test_one_study():
    got = trial_sequential([0.3], [0.04], participants=[100], required=100)
    assert got.boundaries.efficacy == pytest.approx((1.959963984540054,))
    assert got.adjusted.median == pytest.approx(0.3, rel=EXACT)
    assert got.adjusted.low == pytest.approx(0.3 - 1.959963984540054 * 0.2, rel=ROOT)
    assert got.adjusted.p_value == pytest.approx(2 * special.ndtr(-1.5), rel=EXACT)


def test_one_sided():
    got = trial_sequential([0.5] * 3, [0.02] * 3, participants=[300] * 3, required=900, sides=1)
    assert got.level == pytest.approx(0.9)
    assert got.conclusion == "efficacy"
    assert trial_sequential([-0.5] * 3, [0.02] * 3, participants=[300] * 3, required=900, sides=1).direction == 0


def test_stagewise_interval_ends_where_the_test_does():
    test = boundaries([0.4, 0.8, 1.0])
    for look, c in enumerate(test.efficacy):
        assert stagewise(test, look, c, 1.0).p_value == pytest.approx(2 * test.alpha_spent[look], rel=ROOT)
    at_last = stagewise(test, 2, test.efficacy[2], 1.0)
    assert at_last.low == pytest.approx(0, abs=ROOT)


@pytest.mark.slow
def test_error_and_coverage_by_simulation():
    """Brownian motion stopped at the boundaries: the error is alpha, the stage-wise interval covers at its level."""
    random = np.random.default_rng(9)
    test = boundaries([0.3, 0.6, 1.0])
    t, c, drift = np.array(test.timing), np.array(test.efficacy), 1.5
    steps = random.normal(0, 1, (1000, 3)) * np.sqrt(np.diff(t, prepend=0))
    null = steps.cumsum(axis=1) / np.sqrt(t)
    crossed = (np.abs(null) >= c).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=SIMULATED * np.sqrt(0.05 * 0.95 / 1000))
    covered, above = 0, 0
    for z in null + drift * np.sqrt(t):
        look = next((i for i in range(3) if abs(z[i]) >= c[i]), 2)
        found = stagewise(test, look, z[look], 1 / np.sqrt(t[look]))
        covered += found.low <= drift <= found.high
        above += found.median > drift
    assert covered / 1000 == pytest.approx(0.95, abs=SIMULATED * np.sqrt(0.05 * 0.95 / 1000))
    assert above / 1000 == pytest.approx(0.5, abs=SIMULATED * 0.5 / np.sqrt(1000))


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"participants": [1, 2]}, "4 studies"),
        ({"participants": [1, 2, 0, 3]}, "row 3"),
        ({"required": 0}, "required"),
        ({"required": inf}, "required"),
        ({"power": 1.2}, "power"),
        ({"alpha": 0}, "alpha"),
        ({"smallest_step": 2}, "smallest_step"),
        ({"looks": [0]}, "looks"),
        ({"looks": [5]}, "looks"),
        ({"tau2": "XX"}, "tau2"),
        ({"futility": "yes"}, "futility"),
        ({"labels": ["a"]}, "labels"),
    ],
)
def test_misuse(given, asked):
    with pytest.raises(InputError, match=asked):
        trial_sequential(Y, V, **({"participants": N, "required": 1000} | given))


@pytest.mark.parametrize(
    "call",
    [
        lambda: required_for_risks(control_risk=0.2),
        lambda: required_for_risks(control_risk=0.2, treated_risk=0.1, relative_risk_reduction=0.5),
        lambda: required_for_risks(control_risk=1.2, treated_risk=0.1),
        lambda: required_for_risks(control_risk=0.2, treated_risk=0.2),
        lambda: required_for_means(difference=0.1, sd=0),
        lambda: required_for_means(difference=0.1, sd=1, diversity=1),
        lambda: required_for_means(difference=0.1, sd=1, power=0.01),
        lambda: required_for_means(difference=0.1, sd=1, sides=3),
        lambda: required_trials(effect=0.1, tau2=-1, unit_variance=1),
    ],
)
def test_misuse_of_required(call):
    with pytest.raises(InputError):
        call()
