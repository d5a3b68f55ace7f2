import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from counterpulse.data import Interaction, Spline
from counterpulse.regression import (
    effect_curve,
    exact_logistic,
    linear,
    logistic,
    negative_binomial,
    ordinal,
    poisson,
    proportional_odds_test,
)
from counterpulse.results.status import Status

SAME = 1e-7  # relative, or of a standard error; two fits that each stop at 1e-9 of a standard error
STATISTIC = 1e-6  # relative; a quadratic form of two iterative fits
VARIANCE = 1e-5  # relative; theta stops at 1e-9 and moves it
TINY = 1e-12
SHIFTED = 1e-5  # a variable shifted by 1e6 has lost six of its sixteen digits, and a cube of it is scaled three times
EXACT = 1e-9  # roots to 1e-13 of the spacing
SEEDS = st.integers(0, 10_000)


def cohort(seed, n=160):
    rng = np.random.default_rng(seed)
    age, group = rng.normal(60, 10, n), rng.integers(0, 3, n)
    time = rng.uniform(0.5, 3, n)
    latent = 0.05 * (age - 60) + 0.4 * (group == 1) + rng.logistic(size=n)
    mean = time * np.exp(0.3 + 0.01 * (age - 60) + 0.4 * (group == 2))
    return pl.DataFrame(
        {
            "age": age,
            "group": np.array(["a", "b", "c"])[group],
            "level": np.digitize(latent, [-1.0, 0.3, 1.5]),
            "y": latent > 0.2,
            "count": rng.negative_binomial(1.5, 1.5 / (1.5 + mean)),
            "time": time,
            "k": rng.integers(1, 4, n),
        }
    )


def repeated(table):
    return table[np.repeat(np.arange(table.height), table["k"].to_numpy())]


@given(SEEDS, st.sampled_from([1e-3, 7.3, 365.25]), st.sampled_from([-1e3, 12.5, 1e6]), st.integers(3, 6))
@settings(max_examples=20, deadline=None)
def test_a_spline_does_not_care_for_the_unit_of_its_variable(seed, scale, shift, knots):
    table = cohort(seed)
    moved = table.with_columns(pl.col("age") * scale + shift)
    grid = np.array([45.0, 55.0, 70.0])
    curves = [
        effect_curve(
            linear(data, outcome="time", terms=[Spline("age", knots), "group"]), variable="age",
            measure="mean difference", scale="identity", values=values, reference=at,
        )
        for data, values, at in ((table, grid, 60.0), (moved, grid * scale + shift, 60.0 * scale + shift))
    ]  # fmt: skip
    ours, theirs = ([(item.value, item.std_error) for item in curve.estimates()] for curve in curves)
    size = np.array(ours)[:, 1:]
    np.testing.assert_allclose(np.array(theirs) / size, np.array(ours) / size, atol=SHIFTED)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_curve_does_not_depend_on_where_it_was_coded_but_on_its_reference(seed):
    table = cohort(seed)
    fit = logistic(table, outcome="y", terms=[Spline("age", 4), "group"])
    assume(fit.status is Status.OK)
    there, back = (
        effect_curve(fit, variable="age", measure="odds ratio", scale="log", values=[value], reference=at).estimates()[
            0
        ]
        for value, at in ((70, 50), (50, 70))
    )
    assert there.value == pytest.approx(-back.value, rel=SAME)
    assert there.std_error == pytest.approx(back.std_error, rel=SAME)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_ordinal_of_two_levels_is_logistic(seed):
    table = cohort(seed)
    binary = logistic(table, outcome="y", terms=["age", "group"])
    assume(binary.status is Status.OK)
    two = ordinal(table, outcome="y", terms=["age", "group"])
    turn = np.array([-1, 1, 1, 1])
    size = np.sqrt(np.diag(binary.covariance))
    np.testing.assert_allclose(two.coefficients * turn / size, binary.coefficients / size, atol=SAME)
    np.testing.assert_allclose(
        two.covariance * np.outer(turn, turn) / np.outer(size, size),
        binary.covariance / np.outer(size, size),
        atol=SAME,
    )
    assert two.log_likelihood == pytest.approx(binary.log_likelihood, rel=SAME)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_turning_the_levels_around_turns_the_signs(seed):
    table = cohort(seed)
    up = ordinal(table, outcome="level", terms=["age", "group"])
    assume(up.status is Status.OK)
    down = ordinal(table.with_columns((3 - pl.col("level")).alias("level")), outcome="level", terms=["age", "group"])
    size = np.sqrt(np.diag(up.covariance))[3:]
    np.testing.assert_allclose(down.coefficients[3:] / size, -up.coefficients[3:] / size, atol=SAME)
    ours, theirs = proportional_odds_test(up), proportional_odds_test(down)
    assert ours.brant[0].chi_squared == pytest.approx(theirs.brant[0].chi_squared, rel=STATISTIC, nan_ok=True)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (ordinal, {"outcome": "level"}),
        (poisson, {"outcome": "count", "exposure": "time"}),
        (negative_binomial, {"outcome": "count", "exposure": "time"}),
    ],
)
@given(seed=SEEDS)
@settings(max_examples=8, deadline=None)
def test_whole_weights_count_patients(model, options, seed):
    table = cohort(seed)
    weighted = model(table, terms=["age", "group"], weights="k", **options)
    assume(weighted.status is Status.OK)
    counted = model(repeated(table), terms=["age", "group"], **options)
    size = np.sqrt(np.diag(counted.covariance))
    np.testing.assert_allclose(weighted.coefficients / size, counted.coefficients / size, atol=SAME)
    np.testing.assert_allclose(weighted.covariance, counted.covariance, rtol=VARIANCE, atol=TINY)
    assert weighted.log_likelihood == pytest.approx(counted.log_likelihood, rel=SAME)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_rows_may_stand_in_any_order(seed):
    table = cohort(seed)
    mixed = table.sample(fraction=1, shuffle=True, seed=seed)
    for model, outcome in ((ordinal, "level"), (poisson, "count"), (negative_binomial, "count")):
        terms = [Spline("age", 3), "group", Interaction(Spline("age", 3), "group")]
        ours, theirs = (model(data, outcome=outcome, terms=terms) for data in (table, mixed))
        assume(ours.status is Status.OK)
        size = np.sqrt(np.diag(ours.covariance))
        np.testing.assert_allclose(theirs.coefficients / size, ours.coefficients / size, atol=STATISTIC)


@given(SEEDS, st.sampled_from([0.5, 10.0]), st.sampled_from([-3.0, 40.0]))
@settings(max_examples=10, deadline=None)
def test_an_exact_odds_ratio_is_per_unit(seed, scale, shift):
    rng = np.random.default_rng(seed)
    table = pl.DataFrame(
        {"y": rng.random(14) < 0.5, "x": rng.integers(0, 4, 14).astype(float), "g": rng.integers(0, 2, 14)}
    )
    ours = exact_logistic(table, outcome="y", terms=["x", "g"]).estimates()[0]
    assume(ours.status is Status.OK)
    moved = table.with_columns(pl.col("x") * scale + shift)
    theirs = exact_logistic(moved, outcome="y", terms=["x", "g"]).estimates()[0]
    assert theirs.value * scale == pytest.approx(ours.value, rel=EXACT, abs=EXACT)
    assert theirs.p_value == pytest.approx(ours.p_value, rel=EXACT)
