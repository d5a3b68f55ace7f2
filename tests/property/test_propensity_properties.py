import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.propensity import match, weight

SAME = 1e-6  # relative; a score fitted to covariates in other units

tables = st.integers(0, 2**32).map(lambda seed: ward(np.random.default_rng(seed)))


def ward(random):
    n = int(random.integers(60, 150))
    age, pressure = random.normal(0, 1, n), random.normal(0, 1, n)
    treated = random.random(n) < 1 / (1 + np.exp(0.7 - 0.5 * age - 0.4 * pressure))
    return pl.DataFrame({"id": np.arange(n), "age": age, "pressure": pressure, "device": treated})


@settings(max_examples=25, deadline=None)
@given(tables, st.integers(0, 1000), st.sampled_from(["largest", "smallest", "closest", "farthest"]))
def test_pairs_do_not_depend_on_the_order_of_rows(table, seed, order):
    shuffled = table.sample(fraction=1, shuffle=True, seed=seed)
    options = {"treatment": "device", "covariates": ["age", "pressure"], "order": order, "caliper": 0.5}
    by_id = []
    for rows in (table, shuffled):
        pairs = match(rows, **options).pairs
        by_id.append(set(zip(rows["id"].gather(pairs["treated"]), rows["id"].gather(pairs["control"]), strict=True)))
    assert by_id[0] == by_id[1]


@settings(max_examples=25, deadline=None)
@given(tables, st.sampled_from([1e9, -1e9, 0.0]), st.sampled_from([1e-6, 1.0, 1e6]))
def test_the_units_of_a_covariate_do_not_matter(table, shift, scale):
    moved = table.with_columns(pl.col("age") * scale + shift * scale)
    for estimand in ("ATE", "ATO"):
        options = {"treatment": "device", "covariates": ["age", "pressure"], "estimand": estimand}
        np.testing.assert_allclose(weight(moved, **options).weights, weight(table, **options).weights, rtol=SAME)


@settings(max_examples=25, deadline=None)
@given(tables)
def test_each_control_is_used_once_and_within_the_caliper(table):
    found = match(table, treatment="device", covariates=["age", "pressure"], caliper=0.3, ratio=2)
    assert found.pairs["control"].is_unique().all()
    assert (found.distances <= found.width).all()
    assert found.weights[~table["device"].to_numpy()].sum() == pytest.approx(found.n_matched[1], rel=SAME)
