"""Clone-censor-weight where treatment does nothing, begins after time zero, and is given sooner to those who die sooner.

The truth is no effect: a hazard ratio of 1 and no difference of risks. Patients must live until they are treated, so the naive
comparison of the ever with the never treated, adjusted for the same covariate, finds the treatment protective.
"""

from math import log, sqrt

import numpy as np
import polars as pl
import pytest

from counterpulse.emulation import clone_censor_weight
from counterpulse.numerics.random_streams import stream
from counterpulse.survival import cox

LAST = 40.0
STUDIES, PATIENTS, DRAWS = 150, 300, 100
ERRORS = 3.5  # Monte Carlo standard errors; by chance once in 2,000
COVERAGE = 0.95
APPROXIMATE = {"hazard": 0.02, "risk": 0.008}
"""Bias that is left however many patients there are: all who are not treated leave the treated strategy at once, and Cox's model
of many who leave together is not the one that made them (in 2,000 patients 0.010 and 0.004)."""


def study(number):
    """Hazards of death and of treatment rise with x; a third are discharged alive, and nobody is treated after that."""
    random = stream(20, "studies", number)
    x = random.choice([-1.0, 1.0], PATIENTS)
    dies = random.exponential(40 * np.exp(-0.7 * x))
    begins = random.exponential(25 * np.exp(-0.5 * x))
    leaves = random.exponential(20 * np.exp(0.7 * x))
    time, able = np.minimum(dies, LAST), np.minimum(np.minimum(dies, leaves), LAST)
    exposed = np.where(begins < able, begins, np.nan)
    return pl.DataFrame(
        {"x": x, "t": time, "d": dies < LAST, "tx": exposed, "able": able, "ever": begins < able}
    ).with_columns(pl.col("tx").fill_nan(None))


def answers(number):
    table = study(number)
    found = clone_censor_weight(
        table, exposure_time="tx", time="t", event="d", until="able", grace=10.0, covariates=["x"], horizon=LAST,
        bootstrap=DRAWS, seed=number,
    )  # fmt: skip
    naive = cox(table, time="t", event="d", terms=["ever", "x"]).coefficients[0]
    hazard, risk = found.estimates()[0], found.estimates()[1]
    return naive, hazard.value, risk.value, *(one.interval.low <= 0 <= one.interval.high for one in (hazard, risk))


@pytest.mark.slow
def test_no_effect_is_found_where_there_is_none():
    naive, hazard, risk, *covered = np.array([answers(number) for number in range(STUDIES)]).T
    for name, values in (("hazard", hazard), ("risk", risk)):
        assert abs(values.mean()) < APPROXIMATE[name] + ERRORS * values.std(ddof=1) / sqrt(STUDIES)
    assert naive.mean() < log(0.8)
    for inside in covered:
        assert abs(inside.mean() - COVERAGE) < ERRORS * sqrt(COVERAGE * (1 - COVERAGE) / STUDIES)
