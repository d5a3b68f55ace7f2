import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from counterpulse.data.terms import Categorical
from counterpulse.regression import linear, logistic, standardize
from counterpulse.results.status import Status

SAME = 1e-9  # relative; the same fit from sums in another order
SHIFTED = 1e-6  # relative; a covariate shifted by 1e9 has itself lost seven of its sixteen digits
SEEDS = st.integers(0, 10_000)
MODELS = pytest.mark.parametrize("model", [logistic, linear])


def cohort(seed, n=150):
    rng = np.random.default_rng(seed)
    age, sex, group = rng.normal(60, 10, n), rng.integers(0, 2, n), rng.integers(0, 3, n)
    risk = 1 / (1 + np.exp(-(0.04 * (age - 60) + 0.5 * sex - 0.3 * group)))
    table = pl.DataFrame(
        {
            "age": age,
            "sex": sex.astype(bool),
            "group": np.array(["a", "b", "c"])[group],
            "y": (rng.random(n) < risk).astype(float),
            "k": rng.integers(1, 4, n),
            "w": rng.uniform(0.5, 2, n),
            "center": rng.integers(0, 20, n),
        }
    )
    assume(len(set(group)) == 3)
    return table


def fit_of(model, table, terms=("age", "sex", "group"), **options):
    fit = model(table, outcome="y", terms=list(terms), **options)
    assume(fit.status is Status.OK)
    return fit


@MODELS
@given(seed=SEEDS, options=st.sampled_from([{}, {"weights": "w"}, {"cluster": "center"}]))
@settings(max_examples=15, deadline=None)
def test_row_order_does_not_matter(model, seed, options):
    table = cohort(seed)
    fit, shuffled = (fit_of(model, t, **options) for t in (table, table.sample(fraction=1, shuffle=True, seed=seed)))
    np.testing.assert_allclose(fit.coefficients, shuffled.coefficients, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(fit.parameters.std_errors(), shuffled.parameters.std_errors(), rtol=SAME)


@MODELS
@pytest.mark.parametrize(("shift", "scale"), [(1e9, 1.0), (0.0, 1e9), (0.0, 1e-9), (-1e9, 1e3)])
@given(seed=SEEDS, options=st.sampled_from([{}, {"cluster": "center"}]))
@settings(max_examples=5, deadline=None)
def test_a_shift_or_a_unit_changes_its_own_coefficient_and_the_intercept_only(model, shift, scale, seed, options):
    table = cohort(seed)
    moved = table.with_columns(pl.col("age") * scale + shift)
    fit, other = fit_of(model, table, **options), fit_of(model, moved, **options)
    own = np.array([1, scale, 1, 1, 1])[1:]
    np.testing.assert_allclose(other.coefficients[1:] * own, fit.coefficients[1:], rtol=SHIFTED, atol=SHIFTED)
    np.testing.assert_allclose(other.parameters.std_errors()[1:] * own, fit.parameters.std_errors()[1:], rtol=SHIFTED)
    one, two = (
        standardize(f, t, variable="sex", treated=True, reference=False) for f, t in ((fit, table), (other, moved))
    )
    np.testing.assert_allclose(one.means, two.means, rtol=SHIFTED)
    np.testing.assert_allclose(one.covariance, two.covariance, rtol=10 * SHIFTED)


@MODELS
@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_whole_weights_are_repeated_rows(model, seed):
    table = cohort(seed)
    repeated = table[np.repeat(np.arange(table.height), table["k"].to_numpy())]
    fit, other = fit_of(model, table, weights="k"), fit_of(model, repeated)
    np.testing.assert_allclose(fit.coefficients, other.coefficients, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(fit.covariance, other.covariance, rtol=SAME, atol=SAME)


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_whole_weights_are_repeated_rows_under_the_penalty(seed):
    table = cohort(seed)
    repeated = table[np.repeat(np.arange(table.height), table["k"].to_numpy())]
    fit, other = (fit_of(logistic, t, penalty="firth", **w) for t, w in ((table, {"weights": "k"}), (repeated, {})))
    np.testing.assert_allclose(fit.coefficients, other.coefficients, rtol=SAME, atol=SAME)


@MODELS
@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_the_reference_level_is_a_matter_of_words(model, seed):
    table = cohort(seed)
    fit = fit_of(model, table)
    other = fit_of(model, table, terms=("age", "sex", Categorical("group", reference="b")))
    contrast = fit.contrast({"group=c": 1, "group=b": -1})
    assert contrast.value == pytest.approx(other.coefficients[4], rel=SAME, abs=SAME)
    assert contrast.std_error == pytest.approx(other.parameters.std_errors()[4], rel=SAME)
    names = ("group=b", "group=c"), ("group=a", "group=c")
    tests = [f.wald_test(n) for f, n in zip((fit, other), names, strict=True)]
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=SAME)
    assert tests[0].df == 2


@MODELS
@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_collinear_copy_is_dropped_and_named(model, seed):
    table = cohort(seed).with_columns(
        (pl.col("age") * 3 - 7 + pl.col("sex").cast(float)).alias("copy"), pl.lit(5).alias("five")
    )
    fit, other = fit_of(model, table), fit_of(model, table, terms=("age", "sex", "copy", "five", "group"))
    ok = Status.OK
    assert other.parameters.statuses == (ok, ok, ok, Status.RANK_DEFICIENT, Status.CONSTANT, ok, ok)
    assert other.depends_on == {"copy": ("age", "sex")}
    np.testing.assert_allclose(other.coefficients[[0, 1, 2, 5, 6]], fit.coefficients, rtol=SAME, atol=SAME)


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_separated_level_leaves_the_others_as_they_are_without_it(seed):
    table = cohort(seed)
    doomed = (pl.col("group") == "c").alias("doomed")
    table = table.with_columns(doomed, pl.when(doomed).then(1.0).otherwise("y").alias("y"))
    fit = logistic(table, outcome="y", terms=["age", "doomed", "sex"])
    rest = logistic(table.filter(~doomed), outcome="y", terms=["age", "sex"])
    assume(rest.status is Status.OK)
    assert fit.parameters.statuses == (Status.OK, Status.OK, Status.SEPARATION, Status.OK)
    np.testing.assert_allclose(fit.coefficients[[0, 1, 3]], rest.coefficients, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(fit.parameters.std_errors()[[0, 1, 3]], rest.parameters.std_errors(), rtol=SAME)
