import numpy as np
import pytest

from counterpulse.numerics.newton import Evaluation, maximize

AT_ZERO = 1e-12  # absolute; the maximum


def quartic(x):
    """A concave function on which an undamped Newton step from far away overshoots: -sum log cosh."""
    return Evaluation(-float(np.log(np.cosh(x)).sum()), -np.tanh(x), np.diag(1 / np.cosh(x) ** 2))


def test_halving_brings_a_long_step_home():
    found = maximize(quartic, np.array([1.5, -1.2]))
    assert found.converged
    np.testing.assert_allclose(found.at, 0, atol=AT_ZERO)


def test_a_limit_is_kept():
    found = maximize(quartic, np.array([1.5]), limit=1)
    assert (found.converged, found.iterations) == (False, 1)


@pytest.mark.parametrize("information", [np.zeros((1, 1)), np.full((1, 1), np.nan)])
def test_no_information_is_no_convergence(information):
    found = maximize(lambda x: Evaluation(0.0, np.ones(1), information), np.zeros(1))
    assert not found.converged


def test_a_value_that_only_falls_is_no_convergence():
    found = maximize(lambda x: Evaluation(-float(x[0]), np.ones(1), np.eye(1)), np.zeros(1))
    assert not found.converged
