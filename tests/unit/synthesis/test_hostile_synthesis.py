"""What a stranger tried on the kernels of a review, and what broke when first tried."""

from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from counterpulse import synthesis
from counterpulse.errors import InputError
from counterpulse.results.status import Status

EFFECTS = [0.1, 0.5, -0.3, 0.8, 0.2]
VARIANCES = [0.04, 0.09, 0.05, 0.2, 0.01]
CLOSED = 1e-8  # relative; closed forms
PRINTED = 1e-8  # absolute; the oracle was printed with eight decimals


@pytest.mark.parametrize("level", ["0.95", None, 95, 0, True, float("nan")])
def test_a_level_that_is_no_fraction_is_refused(level):
    with pytest.raises(InputError, match="level"):
        synthesis.pool(EFFECTS, VARIANCES, level=level)
    with pytest.raises(InputError, match="level"):
        synthesis.mantel_haenszel([4], [10], [5], [10], level=level)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        (["a", 0.5, 0.2], "row 1"),
        ([0.1, "0.5", 0.2], "row 2"),
        (["1", "2", "3"], "rows 1, 2, 3"),
        (np.array(["2020-01-01"] * 3, dtype="M8[D]"), "rows 1, 2, 3"),
        ([0.1, 2 + 1j, 0.2], "row 2"),
    ],
)
def test_text_in_a_number_is_named_by_its_row(values, where):
    with pytest.raises(InputError, match=f"{where};") as caught:
        synthesis.pool(values, [0.1, 0.2, 0.3])
    assert "0.5" not in str(caught.value)
    with pytest.raises(InputError, match=f"{where};"):
        synthesis.pool([0.1, 0.2, 0.3], values)
    with pytest.raises(InputError, match=f"{where};"):
        synthesis.mantel_haenszel(values, [10, 10, 10], [1, 2, 3], [10, 10, 10])


def test_text_in_a_batch_is_named_by_its_review():
    with pytest.raises(InputError, match="row 2;"):
        synthesis.pool_many([[0.1, 0.2], ["x", 0.3]], [[0.1, 0.2], [0.1, 0.3]])


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_a_batch_without_studies_is_refused(nothing):
    with pytest.raises(InputError, match="row a review"):
        synthesis.pool_many(nothing, nothing)


def test_an_effect_without_variance_does_not_vanish_from_a_batch():
    with pytest.raises(InputError, match="row 2"):
        synthesis.pool_many([[0.1, 0.2, 0.4], [0.1, 0.3, 0.5]], [[0.1, 0.2, 0.1], [0.1, np.nan, 0.1]])


def test_a_batch_says_of_equal_effects_what_pool_says():
    effects, variances = [[0.3] * 3, [0.1, 0.2, 0.6], [0.4, np.nan, np.nan]], [[0.1, 0.2, 0.3]] * 3
    batch = synthesis.pool_many(effects, variances)
    assert synthesis.pool(effects[0], variances[0]).status is Status.ZERO_VARIANCE
    for part in (batch.std_error, batch.p_value, batch.statistic, batch.low, batch.high):
        assert np.isnan(part[0])
        assert np.isfinite(part[1:]).all()
    assert batch.effect[0] == pytest.approx(0.3)
    assert np.isinf(batch.df[2])


@pytest.mark.parametrize("word", ["Hartung-Knapp", "WALD", "T", "Hartung-Knapp-Truncated", "Hartung-Knapp-Wider"])
def test_words_are_read_in_any_case(word):
    given, usual = (synthesis.pool(EFFECTS, VARIANCES, interval=each) for each in (word, word.lower()))
    assert given.interval == usual.interval
    assert given.interval_name == word.lower()
    assert synthesis.pool(EFFECTS, VARIANCES, convention="RevMan-5.4").estimator == "DL"
    many = synthesis.pool_many([EFFECTS], [VARIANCES], interval=word)
    assert many.low[0] == pytest.approx(usual.interval.low)


@pytest.mark.parametrize("interval", ["hartung-knapp-truncated", "hartung-knapp-wider"])
@pytest.mark.parametrize("effects", [[0.3] * 5, [0.1, 0.12, 0.15, 0.09, 0.2]])
def test_a_prediction_interval_is_not_narrower_than_the_confidence_interval(effects, interval):
    pooled = synthesis.pool(effects, [0.1, 0.1, 0.2, 0.1, 0.3], tau2="DL", interval=interval)
    assert pooled.prediction_interval.low <= pooled.interval.low
    assert pooled.prediction_interval.high >= pooled.interval.high


def test_the_prediction_beside_the_truncated_interval_is_that_of_metafor():
    """predict(rma(c(.1,.12,.15,.09,.2), c(.1,.1,.2,.1,.3), method = "DL", test = "adhoc")), metafor 3.8-1."""
    pooled = synthesis.pool(
        [0.1, 0.12, 0.15, 0.09, 0.2], [0.1, 0.1, 0.2, 0.1, 0.3], tau2="DL", interval="hartung-knapp-truncated"
    )
    assert pooled.prediction_interval.low == pytest.approx(-0.33061025, abs=PRINTED)
    assert pooled.prediction_interval.high == pytest.approx(0.56626243, abs=PRINTED)


def test_a_frame_names_the_moderators():
    doses = [1, 2, 5, 3, 4]
    frame = pl.DataFrame({"dose": doses, "year": [1990, 2000, 2003, 1995, 2010]})
    assert synthesis.meta_regression(EFFECTS, VARIANCES, frame).names == ("intercept", "dose", "year")
    assert synthesis.meta_regression(EFFECTS, VARIANCES, pl.Series("dose", doses)).names == ("intercept", "dose")
    assert synthesis.meta_regression(EFFECTS, VARIANCES, doses).names == ("intercept", "x1")
    assert synthesis.meta_regression(EFFECTS, VARIANCES, doses, names="dose").names == ("intercept", "dose")


@pytest.mark.parametrize("model", ["unconditional-fixed", "unconditional-random", "conditional-exact"])
def test_a_likelihood_without_a_maximum_has_no_estimate(model):
    fit = synthesis.glmm([10, 0], [10, 10], [0, 10], [10, 10], model=model)
    assert fit.status is Status.NOT_CONVERGED
    assert np.isnan(fit.estimates()[0].value)


def test_misused_options_are_input_errors():
    with pytest.raises(InputError, match="iterations"):
        synthesis.permutation_test(EFFECTS, VARIANCES, iterations="many")
    with pytest.raises(InputError, match="tau2"):
        synthesis.network([0.1, 0.2], [0.1, 0.1], ["A", "B"], ["B", "C"], ["1", "2"], tau2=None)


def test_numbers_too_far_apart_are_named_by_their_rows():
    with pytest.raises(InputError, match=r"rows 2, 4;"):
        synthesis.pool([0.1, 0.2, 0.5, 0.3], [0.1, 1e-12, 0.2, 0.3])
    with pytest.raises(InputError, match=r"row 2;"):
        synthesis.pool_many([[0.1, 0.2], [0.1, 0.2]], [[0.1, 0.2], [1e-12, 0.3]])


def line_moments(y, v, x):
    """Q of a weighted line and the trace of its projection, in rational numbers."""
    y, v, x = ([Fraction(value) for value in values] for values in (y, v, x))
    w = [1 / value for value in v]
    sums = [sum(a * b**power for a, b in zip(w, x, strict=True)) for power in range(3)]
    squares = [sum(a * a * b**power for a, b in zip(w, x, strict=True)) for power in range(3)]
    det = sums[0] * sums[2] - sums[1] ** 2
    m0, m1 = sum(a * b for a, b in zip(w, y, strict=True)), sum(a * b * c for a, b, c in zip(w, x, y, strict=True))
    start, slope = (sums[2] * m0 - sums[1] * m1) / det, (sums[0] * m1 - sums[1] * m0) / det
    q = sum(a * (b - start - slope * c) ** 2 for a, b, c in zip(w, y, x, strict=True))
    trace = sums[0] - (sums[2] * squares[0] - 2 * sums[1] * squares[1] + sums[0] * squares[2]) / det
    return q, trace


@pytest.mark.parametrize("ratio", [1e3, 1e6, 9e7])
@pytest.mark.parametrize("heavy", [[0], [0, 3], [0, 1, 4]])
def test_studies_of_very_unequal_size_keep_the_digits_of_a_regression(ratio, heavy):
    random = np.random.default_rng(17)
    y, v, x = random.normal(size=8), random.uniform(0.5, 1.0, 8), random.normal(size=8)
    v[heavy] = v.max() / ratio
    q, trace = line_moments(y, v, x)
    fit = synthesis.meta_regression(y, v, x, tau2="DL")
    assert fit.qe == pytest.approx(float(q), rel=CLOSED)
    assert fit.tau2 == pytest.approx(float(max(Fraction(0), (q - 6) / trace)), rel=CLOSED)
    for estimator in ("REML", "ML", "SJ", "PM", "HE"):
        assert np.isfinite(synthesis.meta_regression(y, v, x, tau2=estimator).tau2_std_error)
