"""Sequential boundaries and trial sequential analysis against RTSA 0.2.2 (reference/make_meta_bayes_sequential.py).

RTSA integrates to an absolute error of about 1e-8 and searches boundaries to about 1e-6, so boundaries in the far tail differ in the
third decimal though their tails do not. It leaves out looks whose own study is small, where we ask for the step since
the look before: the looks are given here. Its diversity takes the Hartung-Knapp variance where that is the interval asked for.
"""

import json
from math import log
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from counterpulse.numerics.group_sequential import boundaries
from counterpulse.synthesis.sequential.required_information import diversity, required_for_risks, required_trials
from counterpulse.synthesis.sequential.trial_sequential import trial_sequential

REFERENCE = json.loads((Path(__file__).parent / "reference" / "meta_sequential.json").read_text())
LOOKS = [2, 3, 4, 6, 8, 13, 15]

BOUNDARY = 6e-6  # absolute; RTSA's search
TAIL = 1e-7  # absolute; RTSA's integration
NEAR = 2e-5  # where the tail is above 1e-7
CLOSED = 1e-10


@pytest.fixture(scope="module")
def oxygen():
    """Log risk ratios with 0.5 added to the table with a zero cell."""
    events_1, events_2, n_1, n_2 = (np.array(REFERENCE["perioOxy"][key]) for key in ("eI", "eC", "nI", "nC"))
    add = 0.5 * ((events_1 == 0) | (events_2 == 0))
    a, c, n, m = events_1 + add, events_2 + add, n_1 + 2 * add, n_2 + 2 * add
    control = float(events_2.sum() / n_2.sum())
    return np.log(a / n / (c / m)), 1 / a - 1 / n + 1 / c - 1 / m, n_1 + n_2, control


@pytest.fixture(scope="module")
def analysis(oxygen):
    y, v, n, _ = oxygen
    return trial_sequential(y, v, participants=n, required=REFERENCE["run"]["HARIS"], looks=LOOKS)


def test_efficacy_boundaries():
    r = REFERENCE["boundaries"]["bounds_OF4"]
    got = boundaries(r["inf_frac"], alpha=r["alpha"], beta=r["beta"])
    assert got.efficacy == pytest.approx(r["alpha_ubound"], abs=BOUNDARY)
    assert got.inflation == pytest.approx(r["root"], abs=BOUNDARY)
    assert got.drift / got.inflation**0.5 == pytest.approx(r["delta"], rel=CLOSED)


def test_futility_boundaries():
    r = REFERENCE["boundaries"]["bounds_OF4_fut"]
    got = boundaries(r["inf_frac"], alpha=r["alpha"], beta=r["beta"], futility="non-binding")
    assert got.efficacy == pytest.approx(r["alpha_ubound"], abs=BOUNDARY)
    assert np.isnan(got.futility[0])
    assert r["beta_ubound"][0] is None
    assert got.futility[1:] == pytest.approx(r["beta_ubound"][1:], abs=BOUNDARY)
    assert got.inflation == pytest.approx(r["root"], abs=BOUNDARY)


def test_required_information(oxygen):
    y, v, _, control = oxygen
    r = REFERENCE["meta"]
    settings = r["required"]["settings"]
    assert control == pytest.approx(settings["pC"], rel=CLOSED)

    def needed(share):
        return required_for_risks(control_risk=control, relative_risk_reduction=0.2, diversity=share)

    assert needed(0).variance == pytest.approx(settings["var_mc"], rel=CLOSED)
    assert needed(0).participants == r["required"]["NF"]["NF_full"] == REFERENCE["run"]["RIS"]
    tau2, _, i2, d2 = r["heterogeneity"]
    assert needed(d2).participants == r["required"]["NR_D2"]["NR_D2_full"]
    assert needed(i2).participants == r["required"]["NR_I2"]["NR_I2_full"]
    assert 1 - r["common"][-1] / r["random"][-1] == pytest.approx(d2, rel=CLOSED)
    assert diversity(y, v) < d2
    unit = 2 * ((1 - 0.8 * control) / (0.8 * control) + (1 - control) / control)
    for gathered, full in (
        (r["random"][-1], r["required"]["NR_tau"]["NR_tau_full"]),
        (0.0111095963308516, REFERENCE["run"]["HARIS"]),
    ):
        more = required_trials(effect=log(0.8), tau2=tau2, unit_variance=unit, gathered_variance=gathered)
        assert more.participants + REFERENCE["run"]["AIS"] == full


def test_cumulative_z(analysis):
    r = REFERENCE["run"]
    ours = [look for look in analysis.looks if look.study is not None]
    assert [look.z for look in ours] == pytest.approx(r["z_random"][:-1], rel=CLOSED)
    assert np.exp([look.effect for look in ours]) == pytest.approx(r["outcome_random"][:-1], rel=CLOSED)
    assert [look.p_value for look in ours] == pytest.approx(r["pvalues_random"][:-1], rel=CLOSED)


def test_sequential_boundaries(analysis):
    r = REFERENCE["run"]
    assert np.ceil(analysis.planned) == r["SMA_HARIS"]
    assert analysis.conclusion == "undecided"
    assert [look.fraction * analysis.boundaries.inflation for look in analysis.looks] == pytest.approx(
        r["sma_timing"], abs=BOUNDARY
    )
    for look, theirs in zip(analysis.looks, r["upper"], strict=True):
        assert np.isnan(look.efficacy) == (theirs is None)
        if theirs is not None:
            assert special.ndtr(-look.efficacy) == pytest.approx(special.ndtr(-theirs), abs=TAIL)
    near = [(look.efficacy, theirs) for look, theirs in zip(analysis.looks, r["upper"], strict=True)][5:]
    assert [ours for ours, theirs in near if theirs] == pytest.approx(
        [theirs for _, theirs in near if theirs], abs=NEAR
    )


def test_repeated_intervals(analysis):
    r = REFERENCE["run"]
    for row in (5, 7, 12, 14):
        look = analysis.looks[row]
        theirs = [r["TSAadjCIrandom_lower"][row], r["TSAadjCIrandom_upper"][row]]
        assert np.exp([look.low, look.high]) == pytest.approx(theirs, rel=NEAR)
