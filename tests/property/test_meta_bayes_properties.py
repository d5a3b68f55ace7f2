"""The posterior moves and stretches with the effects; evidence narrows it; the order of the studies does not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from counterpulse.synthesis.bayes.bayes_pool import bayes_pool
from counterpulse.synthesis.bayes.heterogeneity_priors import half_cauchy, half_normal, uniform

SAME = 1e-7  # relative; both are exact to about 1e-10 and the factor is not a power of two
NOTHING = 1e-9  # absolute; a median of tau that is next to zero

effects = st.floats(-3, 3, allow_nan=False).map(lambda x: round(x, 3))
studies = st.lists(st.tuples(effects, st.floats(0.005, 2).map(lambda x: round(x, 4))), min_size=2, max_size=9)
makers = st.sampled_from([half_normal, half_cauchy, uniform])


def numbers(fit, by=1.0, shift=0.0):
    """What is equivariant, taken back to the first scale."""
    at = [fit.effect.median, fit.effect.shortest.low, fit.effect.shortest.high, fit.prediction.median,
          fit.prediction.central.low, fit.prediction.central.high]  # fmt: skip
    lengths = [fit.heterogeneity.median, fit.heterogeneity.central.low, fit.heterogeneity.central.high]
    return np.concatenate(((np.array(at) - shift) / by, np.array(lengths) / by))


@examples(max_examples=25, deadline=None)
@given(studies, makers, st.floats(0.01, 100), st.floats(-20, 20))
def test_shift_and_scale(rows, make, by, shift):
    y, v = np.array(rows).T
    first = bayes_pool(y, v, heterogeneity_prior=make(0.5))
    second = bayes_pool(y * by + shift, v * by**2, heterogeneity_prior=make(0.5 * by))
    wanted = numbers(first)
    assert numbers(second, by, shift) == pytest.approx(wanted, rel=SAME, abs=SAME * (1 + abs(shift) / by))
    assert second.bayes_factors.no_heterogeneity == pytest.approx(first.bayes_factors.no_heterogeneity, rel=SAME)


@examples(max_examples=25, deadline=None)
@given(studies, st.randoms())
def test_order(rows, random):
    mixed = list(rows)
    random.shuffle(mixed)
    fits = [bayes_pool(*np.array(some).T, heterogeneity_prior=half_normal(0.5)) for some in (rows, mixed)]
    assert numbers(fits[0]) == pytest.approx(numbers(fits[1]), rel=SAME, abs=NOTHING)


@examples(max_examples=25, deadline=None)
@given(studies)
def test_bounds(rows):
    y, v = np.array(rows).T
    fit = bayes_pool(y, v, heterogeneity_prior=half_normal(0.5))
    assert fit.prediction.sd > fit.effect.sd > float(np.sqrt(1 / (1 / v).sum())) * (1 - 1e-9)
    assert y.min() - 1e-9 <= fit.effect.mean <= y.max() + 1e-9
    assert 0 <= fit.i2 < 1
    both = fit.bayes_factors
    assert both.no_heterogeneity_at_least <= both.no_heterogeneity * (1 + 1e-9)
