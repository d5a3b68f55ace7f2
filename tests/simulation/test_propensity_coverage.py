"""Intervals of matched and weighted comparisons cover a known effect."""

import numpy as np
import polars as pl
import pytest

from counterpulse.numerics.distributions import expit
from counterpulse.numerics.random_streams import stream
from counterpulse.propensity import full_match, match, matched_effect, propensity_score, weight, weighted_effect

pytestmark = pytest.mark.slow

LEAST, MOST, REPLICATES = 0.935, 0.965, 2000
MANY = 2_000_000
OPTIONS = {"treatment": "device", "covariates": ["age", "shock"]}


def cohort(random, n):
    age, shock = random.normal(0, 1, n), (random.random(n) < 0.3).astype(float)
    chance = expit(-0.4 + 0.5 * age + 0.5 * shock)
    risks = [expit(-0.4 + 0.5 * age + 0.6 * shock + effect) for effect in (0.0, -0.5)]
    device = random.random(n) < chance
    dead = random.random(n) < np.where(device, risks[1], risks[0])
    days = 5 + 2 * device - age + 0.5 * shock + random.normal(0, 1 + 0.5 * device, n)
    table = pl.DataFrame({"age": age, "shock": shock, "device": device, "dead": dead, "days": days})
    return table, chance, risks[1] - risks[0]


TILTS = {
    "ATE": np.ones_like,
    "ATT": lambda e: e,
    "ATC": lambda e: 1 - e,
    "ATO": lambda e: e * (1 - e),
    "ATM": lambda e: np.minimum(e, 1 - e),
}


@pytest.mark.parametrize(
    ("estimand", "more", "model"),
    [
        ("ATE", {}, {}), ("ATT", {}, {}), ("ATO", {}, {}), ("ATM", {}, {}), ("ATE", {"method": "entropy-balancing"}, {}),
        ("ATC", {"method": "entropy-balancing"}, {}), ("ATE", {"stabilize": True}, {"covariates": ["age", "shock"]}),
        ("ATO", {}, {"covariates": ["age"], "interact": False}),
    ],
)  # fmt: skip
def test_intervals_of_weighted_risk_differences_cover(estimand, more, model):
    _, chance, difference = cohort(stream(3, "truth"), MANY)
    truth = np.average(difference, weights=TILTS[estimand](chance))

    def inside(number):
        table, _, _ = cohort(stream(3, "weighted coverage", number), 500)
        found = weighted_effect(
            weight(table, **OPTIONS, estimand=estimand, **more), outcome="dead", **model
        ).estimates()[3]
        return found.interval.low <= truth <= found.interval.high

    assert LEAST <= np.mean([inside(number) for number in range(REPLICATES)]) <= MOST


@pytest.mark.parametrize("made", ["pairs", "two controls", "full"])
def test_intervals_of_matched_mean_differences_cover(made):
    def inside(number):
        table, _, _ = cohort(stream(5, "matched coverage", number), 300 if made == "full" else 500)
        if made == "full":
            matching = full_match(propensity_score(table, **OPTIONS), table, covariates=["age", "shock"], caliper=0.1)
        else:
            matching = match(table, **OPTIONS, caliper=0.1, ratio=2 if made == "two controls" else 1)
        found = matched_effect(matching, outcome="days", covariates=["age", "shock"]).estimates()[2]
        return found.interval.low <= 2 <= found.interval.high

    assert LEAST <= np.mean([inside(number) for number in range(REPLICATES)]) <= MOST
