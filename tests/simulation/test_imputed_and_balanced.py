"""Matching and weighting inside each imputed table, pooled: the intervals cover as they say."""

from math import sqrt

import numpy as np
import polars as pl
import pytest

from counterpulse import propensity
from counterpulse.imputation import chained_equations, pool
from counterpulse.numerics.random_streams import stream

pytestmark = pytest.mark.slow

STUDIES, M, EFFECT = 500, 8, 0.5
COVERAGE = 0.95
ERRORS = 3.0  # Monte Carlo standard errors; each test is wrong by chance once in 370 times
BIAS = 0.05  # of a standard deviation of the outcome: what is left within a caliper, and of logistic weights in 400 patients


def study(number, n=400):
    """The effect is the same in everybody, so all targets have it; the covariate that confounds is missing at random."""
    random = stream(11, "imputed and balanced", number)
    x, z = random.standard_normal(n), random.standard_normal(n)
    treated = random.random(n) < 1 / (1 + np.exp(0.7 - 0.6 * x - 0.3 * z))
    y = 0.8 * x + 0.3 * z + EFFECT * treated + random.standard_normal(n)
    hidden = random.random(n) < 0.3 / (1 + np.exp(-z))
    return pl.DataFrame({"x": np.where(hidden, np.nan, x), "z": z, "treated": treated, "y": y}).with_columns(
        pl.col("x").fill_nan(None)
    )


def matched(table):
    pairs = propensity.match(table, treatment="treated", covariates=["x", "z"], caliper=0.2)
    return propensity.matched_effect(pairs, outcome="y", covariates=["x", "z"])


def weighted(table):
    weights = propensity.weight(table, treatment="treated", covariates=["x", "z"], estimand="ATO")
    return propensity.weighted_effect(weights, outcome="y")


def difference(compared):
    return next(one for one in compared.estimates() if one.reference is not None)


@pytest.mark.parametrize("compare", [matched, weighted])
def test_pooled_intervals_cover(compare):
    found = []
    for number in range(STUDIES):
        tables = chained_equations(study(number), m=M, seed=number, jobs=1, methods={"x": "normal"}).frames()
        (pooled,) = pool([difference(compare(table)) for table in tables]).estimates()
        found.append((pooled.value, pooled.interval.low <= EFFECT <= pooled.interval.high))
    values, inside = (np.array(column) for column in zip(*found, strict=True))
    print(f"{compare.__name__}: mean {values.mean():.3f}, coverage {inside.mean():.3f}")
    assert abs(values.mean() - EFFECT) < BIAS
    below = ERRORS * sqrt(COVERAGE * (1 - COVERAGE) / STUDIES)
    # Rubin's variance is too large for matched and weighted means (the imputation model knows more than they use), never too small
    assert inside.mean() > COVERAGE - below
