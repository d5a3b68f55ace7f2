"""Models of clustered rows do not depend on units, on the order of rows, or on the names of clusters."""

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from counterpulse.regression import conditional_logistic, gee, linear, logistic, mixed_linear, mixed_logistic
from counterpulse.results import Status

ITERATIVE = 1e-5  # of a standard error: where a correlation or a variance is nearly flat, its maximum is known to this
CLUSTERS, ROWS = 16, 6

FITS = {
    "cr2 linear": lambda table: linear(table, outcome="y", terms=["x", "arm"], cluster="center"),
    "cr2 logistic": lambda table: logistic(table, outcome="died", terms=["x", "arm"], cluster="center"),
    "mixed linear": lambda table: mixed_linear(table, outcome="y", terms=["x", "arm"], cluster="center"),
    "mixed logistic": lambda table: mixed_logistic(table, outcome="died", terms=["x", "arm"], cluster="center"),
    "gee": lambda table: gee(table, outcome="died", terms=["x", "arm"], cluster="center"),
    "gee ar1": lambda table: gee(
        table, outcome="y", terms=["x", "arm"], cluster="center", family="gaussian", correlation="ar1", order="visit"
    ),
    "conditional": lambda table: conditional_logistic(table, outcome="died", terms=["x", "arm"], stratum="center"),
}


def ward(seed):
    rng = np.random.default_rng(seed)
    center = np.repeat(np.arange(CLUSTERS), ROWS)
    n = len(center)
    x, arm, shift = rng.normal(size=n), rng.integers(0, 2, n).astype(float), rng.normal(size=CLUSTERS)[center]
    return pl.DataFrame(
        {
            "center": center, "visit": np.tile(np.arange(ROWS), CLUSTERS), "x": x, "arm": arm,
            "y": x - arm + shift + rng.normal(size=n),
            "died": rng.random(n) < 1 / (1 + np.exp(-0.5 * x - 0.6 * arm - shift)),
        }
    )  # fmt: skip


def told(fit, names=("x", "arm")):
    """Coefficients in standard errors, standard errors, and degrees of freedom."""
    rows = {row.term: row for row in fit.estimates() if row.term in names}
    return [(row.value, row.std_error, row.df or 0.0) for row in rows.values()]


def assert_same(one, other, factors=(1.0, 1.0)):
    for (value, error, df), (value2, error2, df2), factor in zip(told(one), told(other), factors, strict=True):
        assert abs(value - value2 * factor) <= ITERATIVE * error
        assert error == pytest.approx(error2 * factor, rel=ITERATIVE)
        assert df == pytest.approx(df2, rel=ITERATIVE * 10)


quiet = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def fitted(model, table):
    fit = FITS[model](table)
    return fit if fit.status is Status.OK and all(row.status is Status.OK for row in fit.estimates()) else None


@pytest.mark.parametrize("model", FITS)
@quiet
@given(seed=st.integers(0, 10_000), shift=st.sampled_from([0.0, -3.0, 1e4]), scale=st.sampled_from([1.0, 1e-3, 250.0]))
def test_units_of_a_covariate(model, seed, shift, scale):
    table = ward(seed)
    fit = fitted(model, table)
    if fit is not None:
        assert_same(fit, FITS[model](table.with_columns(x=pl.col("x") * scale + shift)), (scale, 1.0))


@pytest.mark.parametrize("model", FITS)
@quiet
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_names_of_clusters(model, seed):
    table = ward(seed)
    fit = fitted(model, table)
    if fit is not None:
        names = pl.Series(np.random.default_rng(seed + 1).permutation(CLUSTERS)).cast(pl.String)
        renamed = table.with_columns(center=names.gather(table["center"])).sample(fraction=1.0, shuffle=True, seed=seed)
        assert_same(fit, FITS[model](renamed))


@pytest.mark.parametrize("model", ["cr2 linear", "mixed linear", "gee ar1"])
@quiet
@given(seed=st.integers(0, 10_000), shift=st.sampled_from([0.0, 1e4]), scale=st.sampled_from([1e-3, 1.0, 60.0]))
@example(seed=610, shift=1e4, scale=1e-3)
def test_units_of_the_outcome(model, seed, shift, scale):
    table = ward(seed)
    fit = fitted(model, table)
    if fit is not None:
        other = FITS[model](table.with_columns(y=pl.col("y") * scale + shift))
        assert_same(fit, other, (1 / scale, 1 / scale))


@quiet
@given(seed=st.integers(0, 10_000))
def test_swapping_event_and_none_turns_the_sign(seed):
    table = ward(seed)
    for model in ("cr2 logistic", "mixed logistic", "gee", "conditional"):
        fit = fitted(model, table)
        if fit is not None:
            other = told(FITS[model](table.with_columns(died=~pl.col("died"))))
            for (value, error, _), (turned, error2, _) in zip(told(fit), other, strict=True):
                assert abs(value + turned) <= ITERATIVE * error
                assert error == pytest.approx(error2, rel=ITERATIVE)
