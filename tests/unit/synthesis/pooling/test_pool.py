import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.results.references import REFERENCES
from counterpulse.results.status import Status
from counterpulse.synthesis.engine.between_variance import ESTIMATORS
from counterpulse.synthesis.pooling.conventions import CONVENTIONS
from counterpulse.synthesis.pooling.intervals import INTERVALS
from counterpulse.synthesis.pooling.meta_regression import meta_regression
from counterpulse.synthesis.pooling.permutation_test import permutation_test
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.pooling.pool_many import pool_many
from counterpulse.synthesis.pooling.prediction_intervals import PREDICTIONS

YI = [0.1, 0.5, -0.2, 0.9, 0.3]
ROUNDING = 1e-12
CHANCE = 0.07  # three standard errors of a P value from 500 draws

VI = [0.04, 0.09, 0.02, 0.2, 0.05]


@pytest.mark.parametrize(
    ("yi", "vi", "said"),
    [
        ([], [], "no study"),
        ([0.1, 0.2], [0.1], "yi has 2 values and vi has 1"),
        ([0.1, 0.2, 0.3], [0.1, 0.0, -1.0], "rows 2, 3"),
        ([0.1, float("nan")], [0.1, 0.1], "row 2"),
        ([0.1, 0.2], [0.1, float("inf")], "row 2"),
        (["0.1 (sic)", 0.2], [0.1, 0.1], "other than numbers"),
        ([[0.1, 0.2]], [[0.1, 0.1]], "two lists"),
    ],
)
def test_misuse(yi, vi, said):
    with pytest.raises(InputError, match=said):
        pool(yi, vi)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tau2": "XX"},
        {"interval": "bootstrap"},
        {"prediction": "no"},
        {"convention": "house"},
        {"level": 95},
        {"tau2_interval": "wald"},
    ],
)
def test_unknown_words(wrong):
    with pytest.raises(InputError, match=r"can be|between 0 and 1"):
        pool(YI, VI, **wrong)


def test_one_study():
    got = pool([0.4], [0.04])
    first, variance, _ = got.estimates()
    assert (first.value, first.status) == (0.4, Status.ONE_STUDY)
    assert (first.interval.low, first.interval.high) == pytest.approx((0.4 - 1.959964 * 0.2, 0.4 + 1.959964 * 0.2))
    assert np.isnan(got.tau2)
    assert variance.status is Status.ONE_STUDY
    assert got.tidy().height == 3
    assert got.prediction_interval is None


def test_two_studies():
    got = pool([0.1, 0.5], [0.04, 0.09])
    assert got.df == 1
    assert any("one degree of freedom" in note for note in got.notes)
    assert pool([0.1, 0.5], [0.04, 0.09], prediction="HTS").prediction_interval is None


def test_equal_effects_have_no_hartung_knapp_interval():
    got = pool([0.3] * 4, [0.1] * 4)
    assert got.interval is None
    assert got.estimates()[0].status is Status.ZERO_VARIANCE
    assert pool([0.3] * 4, [0.1] * 4, interval="hartung-knapp-wider").interval.kind == "hartung-knapp-wider"


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("interval", INTERVALS)
def test_every_combination_has_a_number(estimator, interval):
    for k in (2, 3, 5):
        got = pool(pl.Series(YI[:k]), np.array(VI[:k]), tau2=estimator.lower(), interval=interval)
        assert got.std_error > 0
        assert got.interval.low < got.effect < got.interval.high
        assert got.weights.sum() == pytest.approx(1)
        assert np.isfinite(got.blup().effect).all()


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_prediction_intervals(prediction):
    got = pool(YI, VI, prediction=prediction.lower())
    if prediction == "none":
        assert got.prediction_interval is None
    elif prediction != "KR-PR":  # fewer degrees of freedom than it gives up
        assert got.prediction_interval.kind == f"prediction, {prediction}"
        assert got.prediction_interval.low <= got.effect <= got.prediction_interval.high


@pytest.mark.parametrize(
    ("convention", "chosen"),
    [
        ("cochrane-2025", ("REML", "hartung-knapp", "HK")),
        ("revman-5.4", ("DL", "wald", "none")),
        ("metafor", ("REML", "wald", "normal")),
        ("meta-6", ("REML", "wald", "HTS")),
    ],
)
def test_conventions(convention, chosen):
    got = pool(YI, VI, convention=convention)
    assert (got.estimator, got.interval_name, got.prediction_name) == chosen
    assert {choice.origin for choice in got.provenance.choices if choice.name in ("tau2", "interval")} == {"derived"}
    assert pool(YI, VI, convention=convention, tau2_interval="q-profile").tau2_interval is not None
    own = pool(YI, VI, convention=convention, tau2="PM")
    assert own.estimator == "PM"
    assert own.interval_name == got.interval_name
    assert [choice.origin for choice in own.provenance.choices if choice.name == "tau2"] == ["given"]


def test_the_common_effect_has_its_own_interval():
    for convention in (None, *CONVENTIONS):
        got = pool(YI, VI, tau2="FE", convention=convention)
        assert (got.tau2, got.interval_name, got.tau2_interval, got.prediction_interval) == (0, "wald", None, None)


def test_citations_exist():
    for estimator in ESTIMATORS:
        for interval in INTERVALS:
            for key in pool(YI, VI, tau2=estimator, interval=interval).provenance.citations:
                assert key in REFERENCES
    X = [1, 2, 3, 4, 6]
    for found in (
        meta_regression(YI, VI, X),
        permutation_test(YI, VI),
        permutation_test(YI, VI, X, exact=False, iterations=9),
    ):
        assert set(found.provenance.citations) <= set(REFERENCES)


def test_several_modes_are_told():
    yi, vi = [0.0, 0.02, 0.01, 3.0, -3.0, 2.5], [1e-5, 1e-5, 1e-5, 2.0, 2.0, 2.0]
    found = pool(yi, vi, tau2="ML")
    heights = [mode.log_likelihood for mode in found.modes]
    assert heights == sorted(heights, reverse=True)
    assert found.tau2 == found.modes[0].tau2


def test_ratio_reads_as_a_ratio():
    first = pool(YI, VI, measure="odds ratio", scale="log").estimates()[0]
    assert (first.term, first.measure, first.natural().value) == (
        "effect",
        "odds ratio",
        pytest.approx(np.exp(first.value)),
    )


def test_batch_fills_up_with_nan():
    Y, V = np.full((3, 5), np.nan), np.full((3, 5), np.nan)
    Y[0], V[0] = YI, VI
    Y[1, 0], V[1, 0] = 0.4, 0.04
    got = pool_many(Y, V)
    assert list(got.k) == [5, 1, 0]
    assert got.effect[0] == pytest.approx(pool(YI, VI).effect, rel=ROUNDING)
    assert got.std_error[1] == pytest.approx(0.2)
    assert np.isnan([got.tau2[1], got.effect[2], got.low[2]]).all()
    with pytest.raises(InputError, match="row 1"):
        pool_many([[0.1, 0.2]], [[0.1, -1]])
    with pytest.raises(InputError, match="shapes"):
        pool_many([[0.1, 0.2]], [[0.1, 0.2, 0.3]])


def test_dependent_moderators_are_named():
    year = np.array([1990.0, 1992, 1995, 2001, 2004])
    with pytest.raises(InputError, match="age of the study is constant or a combination"):
        meta_regression(YI, VI, np.column_stack((year, 2026 - year)), names=["year", "age of the study"])
    with pytest.raises(InputError, match="5 studies and 5 coefficients"):
        meta_regression(YI, VI, np.random.default_rng(1).normal(size=(5, 4)))
    with pytest.raises(InputError, match="row 2"):
        meta_regression(YI, VI, [1, np.nan, 2, 3, 4])
    with pytest.raises(InputError, match="one name a column"):
        meta_regression(YI, VI, year, names=["a", "b"])
    with pytest.raises(InputError, match="without moderators"):
        meta_regression(YI, VI, year, interval="kenward-roger")


def test_prediction_at_new_values():
    year = np.array([1990.0, 1992, 1995, 2001, 2004])
    fit = meta_regression(YI, VI, year, names=["year"])
    there = fit.predict([1990, 2030])
    assert there.effect[0] == pytest.approx(fit.coefficients[0] + 1990 * fit.coefficients[1])
    assert (there.prediction_low <= there.low).all()
    assert there.std_error[1] > there.std_error[0]
    assert [row.term for row in fit.estimates()] == ["intercept", "year"]
    with pytest.raises(InputError, match="one for each of year"):
        fit.predict([[1, 2]])


def test_regression_without_intercept():
    groups = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    fit = meta_regression(YI, VI, groups, names=["old", "new"], intercept=False, tau2="common", interval="wald")
    assert fit.coefficients[0] == pytest.approx(pool(YI[:2], VI[:2], tau2="common").effect)
    assert fit.moderators.df == 2


def test_permutations():
    random = [permutation_test(YI, VI, exact=False, iterations=500, seed=3) for _ in range(2)]
    assert random[0].p_value == random[1].p_value
    assert random[0].permutations == 501
    every = permutation_test(YI, VI)
    assert (every.permutations, every.exact) == (32, True)
    assert abs(every.p_value - random[0].p_value) < CHANCE
    X = [1, 2, 3, 4, 6]
    orders = permutation_test(YI, VI, X, names=["dose"])
    assert orders.permutations == 120
    assert orders.p_value == orders.p_values[1]
    assert np.isnan(permutation_test([0.1], [0.1]).p_value)
    assert permutation_test([0.1, 0.4], [0.1, 0.2]).p_value == 0.5
    with pytest.raises(InputError, match="too many"):
        permutation_test(np.arange(30), np.ones(30), exact=True)


@pytest.mark.parametrize(
    ("yi", "vi"), [([1, 2, 3], [1e-20, 1e5, 1e10]), ([0, 1e150, 1], [1, 1, 1]), ([0, 1], [1e-300, 1e-300])]
)
def test_sizes_that_cannot_be_brought_together(yi, vi):
    with pytest.raises(InputError, match="another unit"):
        pool(yi, vi)
    with pytest.raises(InputError, match="another unit"):
        pool_many([yi], [vi])
