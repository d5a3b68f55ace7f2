"""Boundaries spend what they may, whatever the looks; the analysis does not depend on the sign or the unit of the effects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from counterpulse.numerics.group_sequential import boundaries, exit_probabilities
from counterpulse.synthesis.sequential.trial_sequential import trial_sequential

SPENT = 1e-9  # relative
SAME = 1e-8  # relative

timings = st.lists(st.integers(2, 100), min_size=1, max_size=6, unique=True).map(lambda t: [x / 100 for x in sorted(t)])
families = st.sampled_from(["obrien-fleming", "pocock", "hwang-shih-decani", "kim-demets"])


@examples(max_examples=25, deadline=None)
@given(timings, families, st.sampled_from([1, 2]), st.floats(0.005, 0.2))
def test_all_is_spent(timing, spending, sides, alpha):
    test = boundaries(timing, alpha=alpha, sides=sides, spending=spending)
    _, above, _ = exit_probabilities(timing, test.continuation())
    assert np.cumsum(above) == pytest.approx(test.alpha_spent, rel=SPENT)
    assert sum(above) <= alpha / sides * (1 + SPENT)


@examples(max_examples=25, deadline=None)
@given(timings, families, st.floats(0.01, 0.2))
def test_more_alpha_lowers_the_first_boundary(timing, spending, alpha):
    first, second = (boundaries(timing, alpha=size, spending=spending).efficacy[0] for size in (alpha, alpha * 1.5))
    assert second < first


@examples(max_examples=15, deadline=None)
@given(timings, st.floats(0.05, 0.4))
def test_futility_costs_information_and_binding_gives_some_back(timing, beta):
    looks = [*(t for t in timing if t < 1), 1.0]
    none, free, bound = (boundaries(looks, beta=beta, futility=kind) for kind in (None, "non-binding", "binding"))
    assert free.efficacy == none.efficacy
    assert free.inflation >= none.inflation * (1 - SPENT)
    assert all(b <= a * (1 + SPENT) for a, b in zip(free.efficacy, bound.efficacy, strict=True))


@examples(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 0.2), st.integers(50, 500)), min_size=1, max_size=5),
    st.floats(0.1, 10),
)
def test_sign_and_unit(rows, by):
    y, v, n = np.array(rows).T
    first = trial_sequential(y, v, participants=n, required=1500)
    second = trial_sequential(-by * y, by**2 * v, participants=n, required=1500)
    assert second.conclusion == first.conclusion
    assert second.direction == -first.direction
    ours, theirs = (np.array([look.z for look in one.looks]) for one in (first, second))
    assert theirs == pytest.approx(-ours, rel=SAME, abs=SAME, nan_ok=True)
    if first.adjusted is not None:
        assert second.adjusted.low == pytest.approx(-by * first.adjusted.high, rel=SAME, abs=SAME)
        assert second.adjusted.p_value == pytest.approx(first.adjusted.p_value, rel=SAME)
