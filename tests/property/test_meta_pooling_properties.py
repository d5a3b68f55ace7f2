import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.synthesis.engine.between_variance import ESTIMATORS, between_variance
from counterpulse.synthesis.engine.likelihood import log_likelihood
from counterpulse.synthesis.engine.paule_mandel import profile_ends
from counterpulse.synthesis.engine.studies import studies_of
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.intervals import INTERVALS
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.pooling.pool_many import pool_many

EQUIVARIANT = 1e-8  # the same search on rescaled numbers: rounding, and a root found to 1e-13
ENDS = 1e-6  # ends take the square root of a residual sum that may be nearly 0
IDENTITY = 1e-9  # closed forms


@st.composite
def reviews(draw, least=3, most=9):
    k = draw(st.integers(least, most))
    effects = st.floats(-3, 3, allow_subnormal=False).map(lambda x: round(x, 3))
    y = draw(st.lists(effects, min_size=k, max_size=k))
    v = draw(st.lists(st.floats(0.005, 2), min_size=k, max_size=k))
    return np.array(y), np.array(v)


def close(got, wanted, scale, tolerance):
    assert abs(got - wanted) <= tolerance * max(abs(wanted), scale)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@settings(max_examples=40)
@given(reviews(), st.floats(-50, 50), st.floats(0.01, 100))
def test_shift_and_scale(estimator, review, shift, factor):
    y, v = review
    base = pool(y, v, tau2=estimator)
    moved = pool(factor * y + shift, factor**2 * v, tau2=estimator)
    spread = v.min()
    close(moved.tau2, factor**2 * base.tau2, factor**2 * spread, EQUIVARIANT)
    close(moved.effect, factor * base.effect + shift, factor + abs(shift), EQUIVARIANT)
    close(moved.q, base.q, 1.0, EQUIVARIANT)
    if np.isfinite(base.std_error):
        close(moved.std_error, factor * base.std_error, factor, EQUIVARIANT)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@settings(max_examples=40)
@given(reviews(), st.randoms(use_true_random=False))
def test_order_of_studies(estimator, review, random):
    y, v = review
    order = list(range(len(y)))
    random.shuffle(order)
    base, moved = pool(y, v, tau2=estimator), pool(y[order], v[order], tau2=estimator)
    close(moved.tau2, base.tau2, v.min(), EQUIVARIANT)
    close(moved.effect, base.effect, 1.0, EQUIVARIANT)


@given(reviews())
def test_moments_of_der_simonian_and_laird(review):
    """Q is what is expected of it at the estimate, unless that was cut at 0."""
    y, v = review
    got, w = pool(y, v, tau2="DL"), 1 / v
    expected = len(y) - 1 + got.tau2 * (w.sum() - (w**2).sum() / w.sum())
    if got.tau2 > 0:
        close(got.q, expected, 1.0, IDENTITY)
    else:
        assert got.q <= expected * (1 + IDENTITY)


@given(reviews())
def test_paule_mandel_leaves_the_expected_sum(review):
    y, v = review
    tau2 = between_variance(y, v, estimator="PM").tau2
    left = weighted_fit(y, v, tau2=tau2).q[0]
    if tau2[0] > 0:
        close(left, len(y) - 1, 1.0, IDENTITY)
    else:
        assert left <= (len(y) - 1) * (1 + IDENTITY)


@pytest.mark.parametrize("restricted", [True, False])
@given(reviews(), st.floats(0, 1))
def test_nothing_is_more_likely(restricted, review, part):
    y, v = review
    studies = studies_of(y, v)
    tau2 = between_variance(y, v, estimator="REML" if restricted else "ML").tau2
    other = part**4 * 4 * (np.ptp(y) ** 2 + v.max())
    best = log_likelihood(studies, tau2, restricted=restricted)[0]
    assert log_likelihood(studies, np.array([other]), restricted=restricted)[0] <= best + IDENTITY * (1 + abs(best))


@given(reviews(), st.floats(0.5, 0.99))
def test_q_profile_ends(review, level):
    y, v = review
    low, high = profile_ends(studies_of(y, v), level)
    assert 0 <= low[0] <= high[0]
    at_ends = weighted_fit(np.stack((y, y)), v, tau2=np.array([low[0], high[0]])).q
    from scipy.special import chdtrc

    for end, q, tail in zip((low[0], high[0]), at_ends, ((1 - level) / 2, (1 + level) / 2), strict=True):
        if end > 0:
            assert chdtrc(len(y) - 1, q) == pytest.approx(tail, abs=IDENTITY)


@pytest.mark.parametrize("interval", INTERVALS)
@settings(max_examples=20)
@given(st.lists(reviews(least=1), min_size=1, max_size=4))
def test_batch_is_each_alone(interval, several):
    longest = max(len(y) for y, _ in several)
    Y, V = (
        np.array([np.pad(part[i], (0, longest - len(part[i])), constant_values=np.nan) for part in several])
        for i in (0, 1)
    )
    got = pool_many(Y, V, interval=interval)
    for i, (y, v) in enumerate(several):
        alone = pool(y, v, interval=interval)
        assert got.k[i] == len(y)
        np.testing.assert_allclose(got.tau2[i], alone.tau2, rtol=EQUIVARIANT, atol=EQUIVARIANT * v.min())
        if alone.interval is not None:
            np.testing.assert_allclose(
                [got.low[i], got.high[i]], [alone.interval.low, alone.interval.high], rtol=ENDS, atol=ENDS
            )
