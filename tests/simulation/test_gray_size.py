"""The size of Gray's test where the incidence of the event is one and all else differs: competing hazards, and censoring."""

from math import sqrt

import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.results import Status

STUDIES = 2000
SIZE = 0.05
ERRORS = 3.5
"""Standard errors of the simulation, at five percent."""


def first_times(random, n, share, scale):
    """Times of the event of the part `share` that will have it, infinite for the others."""
    return np.where(random.random(n) < share, random.exponential(scale, n), np.inf)


def patients(random, n, rho_of_others, censored_by):
    """Two (or more) groups with one incidence of the event; those who never have it end by the other cause, sooner or later."""
    groups = []
    for g, (other, end) in enumerate(zip(rho_of_others, censored_by, strict=True)):
        event = first_times(random, n, 0.4, 4.0)
        others = np.where(np.isinf(event), random.exponential(other, n), np.inf)
        censoring = random.uniform(0, end, n)
        ends = np.stack([censoring, event, others])
        groups.append(pl.DataFrame({"time": ends.min(axis=0), "end": ends.argmin(axis=0), "g": np.full(n, g)}))
    return pl.concat(groups)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "others", "ends", "unit", "rho"),
    [
        (60, (5.0, 5.0), (20.0, 20.0), None, 0),
        (60, (2.0, 12.0), (12.0, 25.0), None, 0),
        (60, (2.0, 12.0), (12.0, 25.0), 1.0, 0),
        (80, (2.0, 5.0, 12.0), (12.0, 25.0, 18.0), None, 1),
    ],
)
def test_five_percent_of_true_hypotheses_are_rejected(n, others, ends, unit, rho):
    random = np.random.default_rng(20261121)
    rejected = 0
    for _ in range(STUDIES):
        table = patients(random, n, others, ends)
        if unit is not None:
            table = table.with_columns((pl.col("time") / unit).ceil())
        test = survival.gray_test(table, time="time", event="end", by="g", cause=1, rho=rho)
        assert test.status is Status.OK
        rejected += test.p_value < SIZE
    error = sqrt(SIZE * (1 - SIZE) / STUDIES)
    assert abs(rejected / STUDIES - SIZE) < ERRORS * error


@pytest.mark.slow
def test_the_log_rank_test_of_the_cause_would_not_do():
    """With equal incidences and different competing hazards the cause-specific hazards differ."""
    random = np.random.default_rng(3)
    rejected = 0
    for _ in range(200):
        table = patients(random, 150, (1.0, 15.0), (30.0, 30.0)).with_columns(event=pl.col("end") == 1)
        rejected += survival.log_rank(table, time="time", event="event", by="g").p_value < SIZE
    assert rejected / 200 > 0.2
