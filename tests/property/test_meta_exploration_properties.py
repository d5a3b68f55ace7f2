import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from counterpulse.numerics.distributions import normal_quantile
from counterpulse.synthesis.exploration.bias_adjusted import bias_adjusted
from counterpulse.synthesis.exploration.cumulative import cumulative
from counterpulse.synthesis.exploration.gosh import gosh
from counterpulse.synthesis.exploration.henmi_copas import henmi_copas
from counterpulse.synthesis.exploration.influence import influence
from counterpulse.synthesis.exploration.leave_one_out import leave_one_out
from counterpulse.synthesis.exploration.robust import robust
from counterpulse.synthesis.exploration.subgroups import subgroups
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.small_study.excess_significance import excess_significance
from counterpulse.synthesis.small_study.fail_safe_n import fail_safe_n

SAME = 1e-6  # relative to the spread of the effects: tau2 at zero or not is decided within the engine's tolerance


@st.composite
def reviews(draw, fewest=4, most=8):
    k = draw(st.integers(fewest, most))
    seed = draw(st.integers(0, 2**16))
    tau = draw(st.sampled_from([0.0, 0.3, 1.5]))
    random = np.random.default_rng(seed)
    v = random.uniform(0.05, 0.5, k)
    return random.normal(0.3, np.sqrt(v + tau**2)), v


def near(a, b, scale=1.0):
    np.testing.assert_allclose(a, b, rtol=SAME, atol=SAME * scale)


@given(reviews(), st.floats(-3, 3), st.floats(0.2, 5))
def test_shift_and_scale(review, shift, factor):
    y, v = review
    one, two = leave_one_out(y, v).without, leave_one_out(factor * y + shift, factor**2 * v).without
    near(two.effect, factor * one.effect + shift, factor)
    near(two.std_error, factor * one.std_error, factor)
    near(two.prediction_low, factor * one.prediction_low + shift, factor)
    near(two.i2, one.i2)
    before, after = influence(y, v), influence(factor * y + shift, factor**2 * v)
    for name in ("rstudent", "dffits", "cook_distance", "covariance_ratio", "hat"):
        near(getattr(after, name), getattr(before, name))
    a, b = henmi_copas(y, v), henmi_copas(factor * y + shift, factor**2 * v)
    near(b.critical, a.critical)


@given(reviews())
def test_the_last_of_everything_is_the_whole(review):
    y, v = review
    whole, all_in = pool(y, v), cumulative(y, v)
    near(all_in.fits.effect[-1], whole.effect)
    near(all_in.fits.std_error[-1], whole.std_error)
    subsets = gosh(y, v)
    full = int(np.flatnonzero(subsets.size == len(y))[0])
    near([subsets.effect[full], subsets.i2[full]], [whole.effect, whole.i2])
    near(bias_adjusted(y, v, ["any"] * len(y), bias={"any": (0, 0)}).adjusted.effect[0], whole.effect)


@given(reviews(), st.randoms(use_true_random=False))
def test_the_order_of_studies_does_not_matter(review, random):
    y, v = review
    order = list(range(len(y)))
    random.shuffle(order)
    near(influence(y[order], v[order]).dffits, influence(y, v).dffits[order])
    groups = np.array([i % 3 for i in range(len(y))])
    one, two = robust(y, v, groups), robust(y[order], v[order], groups[order])
    near(two.covariance, one.covariance)
    first, second = subgroups(y, v, groups), subgroups(y[order], v[order], groups[order])
    near(second.between.statistic, first.between.statistic)
    near(second.q_within, first.q_within)


@given(reviews())
def test_q_splits_into_within_and_between_groups(review):
    y, v = review
    found = subgroups(y, v, [i % 2 for i in range(len(y))], tau2="common")
    near(found.q_within + found.between.statistic, pool(y, v).q)


@given(reviews(), st.floats(-1, 1))
def test_one_bias_for_all_moves_all(review, bias):
    y, v = review
    found = bias_adjusted(y, v, ["cohort"] * len(y), bias={"cohort": (bias, 0.0)})
    near(found.adjusted.effect[0], found.unadjusted.effect[0] - bias)
    near(found.adjusted.std_error[0], found.unadjusted.std_error[0])


@given(reviews())
def test_so_many_studies_without_effect_undo_the_result(review):
    y, v = review
    n, wall = fail_safe_n(y, v).n, -normal_quantile(0.05)
    total = abs(float((y / np.sqrt(v)).sum()))
    assert total / np.sqrt(len(y) + n) <= wall * (1 + 1e-12)
    assert n == 0 or total / np.sqrt(len(y) + n - 1) > wall * (1 - 1e-12)


@given(reviews(), st.floats(0, 2))
def test_power_is_a_probability_and_the_test_is_too(review, tau2):
    y, v = review
    found = excess_significance(y, v, tau2=tau2)
    assert ((found.power >= 0.05 - 1e-12) & (found.power <= 1)).all()
    assert 0 <= found.p_value <= 1
    assert found.observed == 0 or found.p_value < 1


@given(reviews())
def test_a_wider_level_is_a_wider_interval(review):
    y, v = review
    narrow, wide = henmi_copas(y, v, level=0.9).effect.interval, henmi_copas(y, v, level=0.99).effect.interval
    assert wide.low < narrow.low < narrow.high < wide.high
