"""What must hold of small-study methods whatever the studies."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from counterpulse.results import Status
from counterpulse.synthesis.small_study.begg import begg
from counterpulse.synthesis.small_study.egger import egger
from counterpulse.synthesis.small_study.limit_meta_analysis import limit_meta_analysis
from counterpulse.synthesis.small_study.pet_peese import pet_peese
from counterpulse.synthesis.small_study.selection_model import selection_model
from counterpulse.synthesis.small_study.thompson_sharp import thompson_sharp
from counterpulse.synthesis.small_study.trim_and_fill import trim_and_fill

ROUNDING = 1e-8  # relative, or in standard errors
RESCALED = 1e-7  # relative; variances between studies near zero magnify rounding
NOTHING = 1e-9  # absolute; rounding about zero
CLIMBED = 1e-5  # in standard errors; the likelihood is climbed from mirrored starts


@st.composite
def funnels(draw, least=4, most=20):
    k = draw(st.integers(least, most))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    v = random.uniform(0.01, 1.0, k)
    tau, bias = draw(st.sampled_from([0.0, 0.3, 1.0])), draw(st.sampled_from([-1.0, 0.0, 1.5]))
    return random.normal(0.3, tau, k) + (random.normal(0, 1, k) + bias) * np.sqrt(v), v


@given(funnels())
@settings(max_examples=40, deadline=None)
def test_a_mirrored_funnel_has_a_mirrored_slope(funnel):
    y, v = funnel
    for test in (egger, thompson_sharp, lambda y, v: egger(y, v, model="random", predictor="vi")):
        here, there = test(y, v), test(-y, v)
        assert there.slope == pytest.approx(-here.slope, abs=ROUNDING * here.slope_std_error)
        assert there.limit == pytest.approx(-here.limit, abs=ROUNDING * here.intercept_std_error)
        assert there.p_value == pytest.approx(here.p_value, rel=ROUNDING, abs=NOTHING)
    assert begg(-y, v).tau == pytest.approx(-begg(y, v).tau)


@given(funnels(), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_the_unit_of_the_effects_does_not_matter(funnel, unit):
    y, v = funnel
    here, there = egger(y, v, model="random"), egger(unit * y, unit**2 * v, model="random")
    assert there.slope == pytest.approx(here.slope, abs=1e-5 * here.slope_std_error)
    assert there.limit == pytest.approx(unit * here.limit, abs=1e-5 * unit * here.intercept_std_error)
    assert begg(unit * y, unit**2 * v).score == begg(y, v).score
    limit, scaled = limit_meta_analysis(y, v, tau2="DL"), limit_meta_analysis(unit * y, unit**2 * v, tau2="DL")
    assert scaled.adjusted.value == pytest.approx(
        unit * limit.adjusted.value, abs=1e-7 * unit * limit.adjusted.std_error
    )
    assert scaled.g2 == pytest.approx(limit.g2, abs=RESCALED)


@given(funnels(), st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_a_shift_moves_the_limit_and_not_the_slope(funnel, shift):
    y, v = funnel
    here, there = pet_peese(y, v), pet_peese(y + shift, v)
    for one, other in ((here.pet, there.pet), (here.peese, there.peese)):
        assert other.value == pytest.approx(one.value + shift, abs=ROUNDING * (1 + one.std_error))
    assert there.pet_line.slope == pytest.approx(here.pet_line.slope, abs=ROUNDING * here.pet_line.slope_std_error)


@given(
    funnels(least=2, most=12), st.floats(-2, 2), st.sampled_from(["L0", "R0", "Q0"]), st.sampled_from(["common", "DL"])
)
@settings(max_examples=60, deadline=None)
def test_a_symmetric_funnel_is_filled_with_nothing(funnel, center, estimator, model):
    y, v = funnel
    away = np.abs(y)
    symmetric, twice = np.concatenate([center + away, center - away]), np.concatenate([v, v])
    for side in ("left", "right"):
        found = trim_and_fill(symmetric, twice, side=side, estimator=estimator, model=model)
        assert found.status is Status.OK
        assert found.k0 == 0
        assert not found.filled.any()


@given(funnels(), st.sampled_from(["L0", "R0"]), st.sampled_from(["common", "DL"]))
@settings(max_examples=40, deadline=None)
def test_filling_mirrors(funnel, estimator, model):
    y, v = funnel
    right, left = (
        trim_and_fill(effects, v, side=side, estimator=estimator, model=model)
        for effects, side in ((y, "right"), (-y, "left"))
    )
    assert right.k0 == left.k0
    assert right.pooled.value == pytest.approx(-left.pooled.value, rel=RESCALED, abs=NOTHING)
    assert len(right.yi) == len(y) + right.k0


@given(funnels(least=8, most=14))
@settings(max_examples=4, deadline=None)
def test_selection_mirrors(funnel):
    y, v = funnel
    here = selection_model(y, v, form="negative-exponential", alternative="greater")
    there = selection_model(-y, v, form="negative-exponential", alternative="less")
    assert here.status is there.status
    assume(here.status is Status.OK)
    assert there.adjusted.value == pytest.approx(-here.adjusted.value, abs=CLIMBED * here.adjusted.std_error)
    assert there.log_likelihood == pytest.approx(here.log_likelihood, abs=ROUNDING)
    assert here.likelihood_ratio >= 0
