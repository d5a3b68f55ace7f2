"""The global mode of the likelihood against a dense grid, and the exact permutation test one arrangement at a time."""

from itertools import product

import numpy as np
import pytest

from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.likelihood import log_likelihood
from counterpulse.synthesis.engine.studies import studies_of
from counterpulse.synthesis.pooling.permutation_test import permutation_test
from counterpulse.synthesis.pooling.pool import pool

NOTHING = 1e-10  # rounding of a log-likelihood of size 10


def ordinary(random, sets, k):
    v = np.exp(random.uniform(np.log(1e-4), np.log(3), (sets, k)))
    return random.normal(size=v.shape) * np.sqrt(v + random.choice([0, 0.01, 0.3], (sets, 1))), v


def precise_and_vague(random, sets, k):
    """Where several modes are common: precise studies that agree more or less than the vague ones."""
    precise = random.random((sets, k)) < 0.4
    v = np.exp(np.where(precise, random.uniform(-12, -6, (sets, k)), random.uniform(-2, 2, (sets, k))))
    return random.normal(size=v.shape) * np.sqrt(v + random.choice([0, 1e-3, 0.05, 0.3], v.shape)), v


def no_grid_point_is_better(y, v, restricted, points):
    found = between_variance(y, v, estimator="REML" if restricted else "ML")
    studies = studies_of(y, v)
    assert np.isfinite(found.tau2).all()
    assert (found.modes >= 1).all()
    best = log_likelihood(studies, found.tau2, restricted=restricted)
    top = 2 * np.ptp(y, axis=1) ** 2
    for part in np.concatenate(([0.0], np.exp(np.linspace(-16, 0, points)))):
        assert (log_likelihood(studies, top * part, restricted=restricted) <= best + NOTHING).all()
    return int((found.modes > 1).sum())


@pytest.mark.parametrize("restricted", [True, False])
def test_no_point_of_a_grid_is_better(restricted):
    random = np.random.default_rng(20)
    no_grid_point_is_better(*ordinary(random, 1500, 10), restricted, 300)
    assert no_grid_point_is_better(*precise_and_vague(random, 1500, 6), restricted, 300) > 5


@pytest.mark.slow
@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("make", [ordinary, precise_and_vague])
def test_no_point_of_a_dense_grid_is_better(make, restricted):
    random = np.random.default_rng(21)
    no_grid_point_is_better(*make(random, 10_000, 10), restricted, 2000)
    assert no_grid_point_is_better(*make(random, 10_000, 6), restricted, 2000) > 5


@pytest.mark.parametrize("interval", ["wald", "hartung-knapp"])
def test_signs_one_at_a_time(interval):
    random = np.random.default_rng(5)
    y, v = random.normal(0.3, 0.5, 7), random.uniform(0.02, 0.4, 7)
    observed = abs(pool(y, v, interval=interval).statistic)
    slow = [abs(pool(y * signs, v, interval=interval).statistic) for signs in product((1, -1), repeat=7)]
    assert permutation_test(y, v, interval=interval).p_value == np.mean(np.array(slow) >= observed * (1 - 1e-8))
