import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpulse.errors import InputError
from counterpulse.synthesis.networks.contributions import contributions
from counterpulse.synthesis.networks.network_meta_analysis import network
from counterpulse.synthesis.pooling.pool import pool

CLOSED_FORM = 1e-9
ITERATIVE = 1e-6
SUMS = 1e-8  # of sums of squares of size up to 1,000
NOTHING = 1e-8  # a variance of this size is zero where sampling variances are 0.01 and more
FLAT = 1e-5  # effects when tau2 was found to 1e-6

effect, variance = st.floats(-3, 3), st.floats(0.01, 4)
pairs = st.lists(st.tuples(effect, variance), min_size=2, max_size=8)
ESTIMATORS = ("DL", "REML", "ML", "PM")


@st.composite
def networks(draw):
    """A ring of treatments with studies of two or three arms, so that every network has a loop."""
    n = draw(st.integers(3, 5))
    rows = []
    for study in range(draw(st.integers(n, n + 4))):
        arms = [(study + step) % n for step in range(draw(st.integers(2, 3)))]
        value, own = [draw(effect) for _ in arms], [draw(variance) for _ in arms]
        rows += [
            (value[i] - value[j], own[i] + own[j], f"t{arms[i]}", f"t{arms[j]}", f"s{study}")
            for i in range(len(arms))
            for j in range(i)
        ]
    return [list(column) for column in zip(*rows, strict=True)]


@given(pairs, st.sampled_from(ESTIMATORS))
def test_two_treatments_are_a_pairwise_pooling(studies, estimator):
    yi, vi = map(list, zip(*studies, strict=True))
    names = [f"s{number}" for number in range(len(yi))]
    made = network(yi, vi, ["pump"] * len(yi), ["none"] * len(yi), names, tau2=estimator)
    pooled = pool(yi, vi, tau2=estimator, interval="wald")
    (found,), expected = made.estimates(), pooled.estimates()[0]
    assert (found.term, found.reference) == ("pump", "none")
    assert made.tau2 == pytest.approx(pooled.tau2, rel=ITERATIVE, abs=NOTHING)
    assert found.value == pytest.approx(expected.value, rel=ITERATIVE, abs=ITERATIVE)
    assert found.std_error == pytest.approx(expected.std_error, rel=ITERATIVE)
    assert found.interval.low == pytest.approx(expected.interval.low, rel=ITERATIVE, abs=ITERATIVE)
    assert made.q == pytest.approx(pooled.q, rel=CLOSED_FORM, abs=CLOSED_FORM)
    assert made.q_df == pooled.q_df
    assert made.tau2_interval.high == pytest.approx(pooled.tau2_interval.high, rel=ITERATIVE, abs=ITERATIVE)


@given(networks(), st.sampled_from(ESTIMATORS), st.randoms(use_true_random=False))
def test_which_way_round_and_in_what_order_rows_stand_does_not_matter(data, estimator, random):
    made = network(*data, tau2=estimator)
    order = list(range(len(data[0])))
    random.shuffle(order)
    yi, vi, first, second, study = ([column[row] for row in order] for column in data)
    turned = [random.random() < 0.5 for _ in order]
    yi = [-value if turn else value for value, turn in zip(yi, turned, strict=True)]
    pairs = [(b, a) if turn else (a, b) for a, b, turn in zip(first, second, turned, strict=True)]
    again = network(yi, vi, *map(list, zip(*pairs, strict=True)), study, tau2=estimator)
    assert again.tau2 == pytest.approx(made.tau2, rel=ITERATIVE, abs=NOTHING)
    np.testing.assert_allclose(again.random.effects.estimate, made.random.effects.estimate, rtol=FLAT, atol=ITERATIVE)
    assert again.q == pytest.approx(made.q, rel=SUMS, abs=SUMS)


@given(networks(), st.floats(0.01, 100), st.sampled_from(ESTIMATORS))
def test_scale(data, factor, estimator):
    made = network(*data, tau2=estimator)
    scaled = network([factor * y for y in data[0]], [factor**2 * v for v in data[1]], *data[2:], tau2=estimator)
    assert scaled.tau2 == pytest.approx(factor**2 * made.tau2, rel=ITERATIVE, abs=factor**2 * NOTHING)
    np.testing.assert_allclose(
        scaled.random.effects.estimate, factor * made.random.effects.estimate, rtol=FLAT, atol=factor * ITERATIVE
    )
    assert scaled.q == pytest.approx(made.q, rel=SUMS, abs=SUMS)


@given(networks(), st.lists(effect, min_size=5, max_size=5))
def test_effects_of_treatments_shift_the_network_and_nothing_else(data, shifts):
    made = network(*data, tau2="DL")
    moved = [y + shifts[int(a[1:])] - shifts[int(b[1:])] for y, a, b in zip(data[0], data[2], data[3], strict=True)]
    again = network(moved, *data[1:], tau2="DL")
    own = np.array([shifts[int(name[1:])] for name in made.treatments])
    np.testing.assert_allclose(
        again.random.effects.estimate, made.random.effects.estimate + own[:, None] - own, rtol=ITERATIVE, atol=ITERATIVE
    )
    assert again.tau2 == pytest.approx(made.tau2, rel=ITERATIVE, abs=NOTHING)


@given(networks())
def test_parts_of_q_shares_and_matrices_hold_together(data):
    made = network(*data, tau2="DL")
    parts = made.decomposition
    assert parts.within.statistic + parts.between.statistic == pytest.approx(made.q, rel=SUMS, abs=SUMS)
    assert parts.within.df + parts.between.df == made.q_df
    effects = made.random.effects
    np.testing.assert_allclose(effects.estimate, -effects.estimate.T)
    np.testing.assert_allclose(effects.estimate[0] - effects.estimate[1], effects.estimate[0, 1], atol=SUMS)
    assert (np.isnan(made.prediction_low) | (made.prediction_low <= effects.lower + 1e-9)).all()
    assert made.random.p_scores.mean() == pytest.approx(0.5)
    assert (made.random.evidence.share[made.random.evidence.studies > 0] < 1 + 1e-9).all()
    shared = contributions(made)
    assert np.isfinite(shared.share).all()
    np.testing.assert_allclose(shared.share.sum(axis=1), 1, atol=SUMS)


@given(networks(), st.floats(0.5, 3))
def test_a_contrast_that_does_not_close_its_triangle_is_refused(data, error):
    multi = [row for row, study in enumerate(data[4]) if data[4].count(study) > 2]
    if not multi:
        return
    wrong = list(data[0])
    wrong[multi[0]] += error * max(data[1]) ** 0.5
    with pytest.raises(InputError, match=f"study '{data[4][multi[0]]}' do not add up"):
        network(wrong, *data[1:])
