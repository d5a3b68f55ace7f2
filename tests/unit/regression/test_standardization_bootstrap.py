import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.random_streams import stream
from counterpulse.regression import bootstrap_standardized, logistic, standardize

REFITTED = 1e-8  # two maximizations of one likelihood
ROUNDED = 1e-12  # quantiles of columns that lie otherwise in memory
ROUGH = 0.15  # relative; a standard deviation over 400 replicates, and a variance of large samples
SAME = {"variable": "a", "treated": "pump", "reference": "none", "seed": 4, "analysis": "A1"}


def cohort(n=600):
    random = stream(2, "bootstrap cohort")
    x, z = random.normal(size=n), random.integers(0, 3, n)
    a = random.random(n) < expit(0.5 * x)
    y = random.random(n) < expit(-0.7 + 0.5 * x + 0.6 * a)
    arms = pl.Series(np.where(a, "pump", "none"), dtype=pl.Enum(["none", "pump"]))
    return pl.DataFrame({"x": x, "z": z.astype(str), "a": arms, "y": y, "center": np.arange(n) % 30})


@pytest.mark.parametrize("clustered", [False, True])
def test_every_replicate_is_a_fit_to_the_patients_drawn(clustered):
    table = cohort()
    fit = logistic(table, outcome="y", terms=["a", "x", "z"], cluster="center" if clustered else None)
    among = table["a"].to_numpy() == "pump"
    found = bootstrap_standardized(fit, table, **SAME, among=among, replicates=3)
    for draw in range(3):
        units = 30 if clustered else table.height
        drawn = stream(4, "A1.bootstrap", draw).integers(0, units, units)
        rows = np.concatenate([np.flatnonzero(table["center"] == unit) for unit in drawn]) if clustered else drawn
        again = table[rows]
        risks = standardize(
            logistic(again, outcome="y", terms=["a", "x", "z"]), again, variable="a", treated="pump", reference="none",
            among=among[rows],
        ).means  # fmt: skip
        np.testing.assert_allclose(found.replicates[draw], risks, rtol=REFITTED)


def test_intervals_are_percentiles_and_errors_those_of_large_samples():
    table = cohort()
    fit = logistic(table, outcome="y", terms=["a", "x", "z"])
    found = bootstrap_standardized(fit, table, **SAME, replicates=400)
    plain = standardize(fit, table, variable="a", treated="pump", reference="none")
    difference = found.replicates[:, 0] - found.replicates[:, 1]
    row, usual = found.estimates()[3], plain.estimates()[3]
    assert row.value == usual.value
    assert (row.interval.low, row.interval.high) == pytest.approx(np.quantile(difference, (0.025, 0.975)), rel=ROUNDED)
    assert row.interval.kind == "percentile bootstrap"
    assert abs(np.log(row.std_error / usual.std_error)) < ROUGH
    assert abs(np.log(found.odds_ratio().std_error / plain.odds_ratio().std_error)) < ROUGH
    assert [item.measure for item in found.estimates()] == ["risk", "risk", "risk ratio", "risk difference"]
    assert found.tidy().height == 5
    assert found.glance()["failed"][0] == 0


def test_threads_change_no_digit():
    table = cohort()
    fit = logistic(table, outcome="y", terms=["a", "x"])
    one, two = (bootstrap_standardized(fit, table, **SAME, replicates=20, jobs=jobs).replicates for jobs in (1, 2))
    assert np.array_equal(one, two)
    longer = bootstrap_standardized(fit, table, **SAME, replicates=30).replicates
    assert np.array_equal(longer[:20], one)


def test_what_cannot_be_resampled():
    table = cohort(40)
    sparse = table.with_columns(y=pl.int_range(40) < 1)
    fit = logistic(sparse, outcome="y", terms=["a"])
    found = bootstrap_standardized(fit, sparse, **SAME, replicates=50)
    assert {row.status.code for row in (*found.estimates(), found.odds_ratio())} != {"ok"}
    assert all(row.interval is None for row in found.estimates())
    penalized = logistic(table, outcome="y", terms=["a"], penalty="firth")
    with pytest.raises(InputError, match="penalized"):
        bootstrap_standardized(penalized, table, **SAME)
    with pytest.raises(InputError, match="replicates"):
        bootstrap_standardized(logistic(table, outcome="y", terms=["a"]), table, **SAME, replicates=1)
