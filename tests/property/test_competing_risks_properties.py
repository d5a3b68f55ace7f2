"""What must hold of competing risks, adjusted tests and robustness whatever the data."""

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterpulse import robustness, survival
from counterpulse.results import Status

SAME = 1e-6  # in standard errors, or relative; sums are taken in another order, and shifts of 1e9 lose nine digits
EXACT = 1e-9  # relative
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def patients(seed, n=80):
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "time": random.integers(1, 15, n).astype(float), "end": random.integers(0, 3, n), "x": random.normal(size=n),
            "g": random.integers(0, 3, n), "w": random.integers(1, 4, n),
        }
    )  # fmt: skip


def fit(table, **options):
    return survival.fine_gray(table, time="time", event="end", terms=["x"], **options)


def assert_same(one, other, *, factor=1.0):
    assert one.status is other.status
    if one.status is Status.OK:
        error = one.parameters.std_errors()[0]
        np.testing.assert_allclose(one.coefficients, other.coefficients * factor, atol=SAME * error)
        np.testing.assert_allclose(error, other.parameters.std_errors()[0] * factor, rtol=SAME)


@FEW
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(seed):
    table = patients(seed)
    shuffled = table.sample(fraction=1, shuffle=True, seed=seed)
    assert_same(fit(table), fit(shuffled))


@FEW
@given(seed=st.integers(0, 10**6))
def test_a_covariate_shifted_and_scaled(seed):
    table = patients(seed)
    assert_same(fit(table), fit(table.with_columns(pl.col("x") * 1000)), factor=1000.0)
    assert_same(fit(table), fit(table.with_columns(pl.col("x") + 1e6)))


@FEW
@given(seed=st.integers(0, 10**6))
def test_weights_are_replication(seed):
    table = patients(seed)
    again = table.select(pl.all().repeat_by("w").explode())
    one, other = fit(table, weights="w", variance="model"), fit(again, variance="model")
    assert_same(one, other)
    whole = again.with_row_index("row").with_columns(patient=pl.int_range(pl.len()))
    clustered = fit(table.with_row_index("patient"), weights="w", cluster="patient")
    copies = table.with_row_index("patient").select(pl.all().repeat_by("w").explode())
    assert whole.height == copies.height
    assert_same(clustered, fit(copies, cluster="patient"))


@FEW
@given(seed=st.integers(0, 10**6))
def test_incidence_of_both_causes_stays_within_one(seed):
    table = patients(seed)
    found = fit(table)
    if found.status is Status.OK:
        incidence = found.incidence(table, 10.0)
        assert ((incidence >= 0) & (incidence <= 1)).all()


@given(ratio=st.floats(0.01, 100), common=st.booleans())
def test_e_values_are_symmetric_and_grow(ratio, common):
    risk = 0.5 if common else 0.05
    one, mirrored = (robustness.e_value(value, measure="HR", risk=risk) for value in (ratio, 1 / ratio))
    np.testing.assert_allclose(one.value, mirrored.value, rtol=EXACT)
    further = robustness.e_value(ratio * 1.5 if ratio >= 1 else ratio / 1.5, measure="HR", risk=risk)
    assert further.value > one.value >= 1


@given(ratio=st.floats(1.01, 50), strength=st.floats(1.01, 50), factor=st.floats(0.1, 10))
def test_no_pair_weaker_than_the_e_value_explains_the_effect(ratio, strength, factor):
    """If neither strength exceeds the E-value, the bound does not pass no effect."""
    limit = robustness.e_value(ratio, measure="RR").value
    exposure, outcome = min(strength, limit), min(max(strength * factor, 1.0), limit)
    found = robustness.bounding_factor(ratio, confounder_exposure=exposure, confounder_outcome=outcome)
    assert found.estimates()[0].value >= -EXACT
