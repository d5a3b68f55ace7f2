"""95% intervals of clustered models cover the truth in 93.5% to 96.5% of 2,000 simulated studies."""

import numpy as np
import polars as pl
import pytest

from counterpulse.numerics.random_streams import stream
from counterpulse.regression import linear, logistic, mixed_linear, mixed_logistic

pytestmark = pytest.mark.slow

REPLICATES = 2000
LEAST, MOST = 0.935, 0.965


def centers(rng, clusters, most):
    """Centers of very different size, some of which treat with a pump and some do not."""
    size = rng.integers(3, most, clusters)
    center = np.repeat(np.arange(clusters), size)
    arm = (np.arange(clusters) % 3 == 0)[center].astype(float)
    return center, arm, rng.normal(size=len(center)), rng.normal(size=clusters)[center]


def coverage(name, fitted, truth, replicates=REPLICATES):
    inside = 0
    for number in range(replicates):
        interval = fitted(stream(20260101, name, number)).interval
        inside += interval is not None and interval.low <= truth <= interval.high
    return inside / replicates


@pytest.mark.parametrize("clusters", [12, 20])
def test_cr2_of_a_difference_between_few_centers(clusters):
    def fitted(rng, **variance):
        center, arm, x, shift = centers(rng, clusters, 25)
        table = pl.DataFrame(
            {"center": center, "arm": arm, "x": x, "y": arm + x + 0.7 * shift + rng.normal(size=len(x))}
        )
        return linear(table, outcome="y", terms=["arm", "x"], cluster="center", **variance).estimates()[1]

    ours = coverage(f"cr2 linear {clusters}", fitted, 1.0)
    assert LEAST <= ours <= MOST
    plain = coverage(f"cr2 linear {clusters}", lambda rng: fitted(rng, cluster_variance="CR1"), 1.0, 500)
    assert plain < LEAST  # why there is a CR2


def test_cr2_of_an_odds_ratio_within_few_centers():
    def fitted(rng):
        center, _, x, shift = centers(rng, 15, 60)
        arm = (rng.random(len(x)) < 0.4).astype(float)
        died = rng.random(len(x)) < 1 / (1 + np.exp(0.5 - 0.6 * arm - 0.0 * shift))
        table = pl.DataFrame({"center": center, "arm": arm, "died": died})
        return logistic(table, outcome="died", terms=["arm"], cluster="center").estimates()[1]

    assert LEAST <= coverage("cr2 logistic", fitted, 0.6) <= MOST


def test_random_intercept_of_a_number_with_few_centers():
    def fitted(rng):
        center, arm, x, shift = centers(rng, 15, 25)
        table = pl.DataFrame(
            {"center": center, "arm": arm, "x": x, "y": arm + x + 0.7 * shift + rng.normal(size=len(x))}
        )
        return mixed_linear(table, outcome="y", terms=["arm", "x"], cluster="center").estimates()[1]

    assert LEAST <= coverage("mixed linear", fitted, 1.0) <= MOST


def test_random_intercept_of_a_binary_outcome():
    def fitted(rng):
        center, _, x, shift = centers(rng, 40, 25)
        arm = (rng.random(len(x)) < 0.4).astype(float)
        died = rng.random(len(x)) < 1 / (1 + np.exp(0.5 - 0.6 * arm - 0.5 * x - shift))
        table = pl.DataFrame({"center": center, "arm": arm, "x": x, "died": died})
        return mixed_logistic(table, outcome="died", terms=["arm", "x"], cluster="center").estimates()[1]

    assert LEAST <= coverage("mixed logistic", fitted, 0.6) <= MOST
