from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.synthesis.pooling.generalized_linear import glmm
from counterpulse.synthesis.pooling.mantel_haenszel import mantel_haenszel
from counterpulse.synthesis.pooling.peto import peto, peto_from
from counterpulse.synthesis.pooling.three_level import three_level

EXACT = 1e-12  # absolute, in units of order one; closed forms
FITTED = 1e-6  # absolute; two climbs of the same likelihood
SHIFTED = 1e-5  # relative; a variance is found to about the root of rounding

MEASURES = ("odds ratio", "risk ratio", "risk difference")


@st.composite
def tables(draw, least=0):
    studies = []
    for _ in range(draw(st.integers(1, 6))):
        n_1, n_2 = draw(st.integers(2, 60)), draw(st.integers(2, 60))
        studies.append(
            (draw(st.integers(least, n_1 - least)), n_1, draw(st.integers(least, n_2 - least)), n_2)
        )  # fmt: skip
    return tuple(zip(*studies, strict=True))


def swapped(arms):
    return arms[2], arms[3], arms[0], arms[1]


def same(one, other, tolerance):
    return (np.isnan(one) and np.isnan(other)) or one == pytest.approx(other, abs=tolerance)


@given(tables())
def test_swapping_the_arms_turns_the_effect(arms):
    for measure in MEASURES:
        one, other = (mantel_haenszel(*sides, measure=measure) for sides in (arms, swapped(arms)))
        assert same(one.pooled.value, -other.pooled.value, EXACT * 10)
        assert same(one.association.statistic, other.association.statistic, EXACT * 1000)
    assert same(peto(*arms).pooled.value, -peto(*swapped(arms)).pooled.value, EXACT * 10)


@settings(max_examples=15, deadline=None)
@given(tables(least=1))
def test_swapping_the_arms_turns_the_modeled_effect(arms):
    for model in ("unconditional-fixed", "conditional-exact"):
        one, other = (glmm(*sides, model=model, tau2="common") for sides in (arms, swapped(arms)))
        assert one.pooled.value == pytest.approx(-other.pooled.value, abs=FITTED)
        assert one.q == pytest.approx(other.q, abs=FITTED * 100)


@given(st.integers(1, 39), st.integers(1, 39))
def test_one_study_is_its_own_effect(a, c):
    fit = mantel_haenszel([a], [40], [c], [40])
    assert fit.pooled.value == pytest.approx(log(a * (40 - c) / (c * (40 - a))), abs=EXACT)
    crude = mantel_haenszel([a], [40], [c], [40], measure="risk difference")
    assert crude.pooled.value == pytest.approx((a - c) / 40, abs=EXACT)
    assert glmm([a], [40], [c], [40]).pooled.value == pytest.approx(fit.pooled.value, abs=FITTED)


@given(tables())
def test_peto_from_its_own_sums_is_itself(arms):
    fit = peto(*arms)
    again = peto_from(fit.observed_less_expected, fit.variances, measure="odds ratio")
    assert again.pooled == fit.pooled
    assert again.heterogeneity == fit.heterogeneity


effects = st.lists(
    st.tuples(st.floats(-2, 2), st.floats(0.01, 1), st.sampled_from("abcd")), min_size=3, max_size=12
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(effects, st.floats(-5, 5))
def test_moving_the_effects_moves_the_mean_alone(given_effects, by):
    y, v, study = (np.array(column) for column in zip(*given_effects, strict=True))
    one, other = three_level(y, v, study), three_level(y + by, v, study)
    assert other.pooled.value == pytest.approx(one.pooled.value + by, abs=SHIFTED * 10)
    assert other.tau2 == pytest.approx(one.tau2, abs=SHIFTED)
    assert np.isfinite(one.log_likelihood)
    assert min(np.nan_to_num([one.tau2_between, one.tau2_within])) >= 0
