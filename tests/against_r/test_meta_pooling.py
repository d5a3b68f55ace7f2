"""Pooling and meta-regression against metafor 3.8-1 and meta 6.1-0 (reference/make_meta_pooling.py)."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from counterpulse.synthesis.pooling.meta_regression import meta_regression
from counterpulse.synthesis.pooling.permutation_test import permutation_test
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.pooling.pool_many import pool_many

REFERENCE = json.loads((Path(__file__).parent / "reference" / "meta_pooling.json").read_text())
SETS = REFERENCE["sets"]

CLOSED = 1e-8  # the estimator is in closed form
ITERATIVE = 1e-6  # metafor stops where its step is below 1e-11 (1e-8 in its last resort), not at the mode
ROUNDING = 1e-11  # double precision, with years that are large beside their spread
CALENDAR = 1e-6  # with calendar years metafor inverts X'WX as it stands and loses digits: see test_exact_arithmetic
NEAR_ZERO = 1e-8  # ends of a root search at 1e-13 of the variance, and statistics of nearly 0

SIX_DECIMALS = 5e-7  # half a unit of the last digit written down
META = 1e-4  # meta leaves metafor's convergence at its default, a step below 1e-5
META_PROFILE = 1e-3  # its root search stops at .Machine$double.eps^0.25

INTERVALS = {"z": "wald", "knha": "hartung-knapp", "t": "t"}
ESTIMATORS = ("EE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM")


def tolerance(estimator):
    return ITERATIVE if estimator in ("ML", "REML", "EB", "PM", "PMM") else CLOSED


def close(got, wanted, relative):
    np.testing.assert_allclose(
        np.asarray(got, dtype=float), np.asarray(wanted, dtype=float), rtol=relative, atol=NEAR_ZERO
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", SETS)
def test_fit(name, estimator):
    data, r = SETS[name], SETS[name]["methods"][estimator]["fit"]
    got = pool(data["yi"], data["vi"], tau2=estimator)
    rel = tolerance(estimator)
    close([got.effect, got.tau2, got.q, got.q_p_value], [r[key] for key in ("b", "tau2", "QE", "QEp")], rel)
    close([got.i2, got.h2], [r["I2"] / 100, r["H2"]], rel)
    close([got.log_likelihood, got.aic, got.aicc, got.bic], [r[key] for key in ("loglik", "AIC", "AICc", "BIC")], rel)
    if r["se_tau2"] is not None:
        close(got.tau2_std_error, r["se_tau2"], rel)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", SETS)
def test_intervals(name, estimator):
    data, rel = SETS[name], tolerance(estimator)
    for test, interval in INTERVALS.items():
        r = data["methods"][estimator]["tests"][test]
        got = pool(data["yi"], data["vi"], tau2=estimator, interval=interval)
        close([got.std_error, got.statistic, got.p_value], [r[key] for key in ("se", "zval", "pval")], rel)
        close([got.interval.low, got.interval.high], [r["ci_lb"], r["ci_ub"]], rel)
        assert got.df == (r["dfs"] or np.inf)
        if r["prediction"]:
            close([got.prediction_interval.low, got.prediction_interval.high], r["prediction"], rel)
        else:
            assert got.prediction_interval is None


@pytest.mark.parametrize("name", SETS)
def test_q_profile(name):
    data = SETS[name]
    for estimator in ESTIMATORS[1:]:
        r = data["methods"][estimator]["confint"]
        got = pool(data["yi"], data["vi"], tau2=estimator)
        close([got.tau2_interval.low, got.tau2_interval.high], r["tau^2"], ITERATIVE)
        close([got.i2_interval.low, got.i2_interval.high], np.array(r["I^2(%)"]) / 100, ITERATIVE)


@pytest.mark.parametrize("name", SETS)
def test_variants_of_reml(name):
    data = SETS[name]
    r, got = data["adhoc"], pool(data["yi"], data["vi"], interval="hartung-knapp-truncated")
    close([got.std_error, got.interval.low, got.interval.high], [r["se"], r["ci_lb"], r["ci_ub"]], ITERATIVE)
    r, got = data["level90"], pool(data["yi"], data["vi"], convention="metafor", level=0.9)
    ends = [got.interval.low, got.interval.high, got.prediction_interval.low, got.prediction_interval.high]
    close(ends, [r["ci_lb"], r["ci_ub"], r["pi_lb"], r["pi_ub"]], ITERATIVE)
    got = pool(data["yi"], data["vi"], convention="metafor")
    close(got.weights, np.array(data["weights"]) / 100, ITERATIVE)
    drawn = got.blup()
    for mine, theirs in zip(
        (drawn.effect, drawn.std_error, drawn.low, drawn.high), ("pred", "se", "pi_lb", "pi_ub"), strict=True
    ):
        wanted = data["blup"].get(theirs, data["blup"].get(theirs.replace("_", ".")))
        close(mine, wanted, ITERATIVE)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_batch_of_reviews_of_different_length(estimator):
    longest = max(len(data["yi"]) for data in SETS.values())
    filled = [[data[key] + [np.nan] * (longest - len(data["yi"])) for data in SETS.values()] for key in ("yi", "vi")]
    got = pool_many(*filled, tau2=estimator, interval="hartung-knapp")
    close(got.tau2, [data["methods"][estimator]["fit"]["tau2"] for data in SETS.values()], tolerance(estimator))
    for end in ("ci_lb", "ci_ub"):
        wanted = [data["methods"][estimator]["tests"]["knha"][end] for data in SETS.values()]
        close(got.low if end == "ci_lb" else got.high, wanted, tolerance(estimator))


REGRESSIONS = [(name, formula) for name, data in SETS.items() for formula in data["regressions"]]


def regression_data(name, formula):
    data, block = SETS[name], SETS[name]["regressions"][formula]
    X = np.array(list(block["columns"].values()), dtype=float).T
    whole = np.isfinite(X).all(axis=1)
    return np.array(data["yi"])[whole], np.array(data["vi"])[whole], X[whole], list(block["columns"]), block


@pytest.mark.parametrize(("name", "formula"), REGRESSIONS)
def test_meta_regression(name, formula):
    yi, vi, X, names, block = regression_data(name, formula)
    for estimator, tests in block["methods"].items():
        rel = CALENDAR if "year" in formula else tolerance(estimator)
        for test, r in tests.items():
            if "error" in r:
                continue
            got = meta_regression(yi, vi, X, names=names, tau2=estimator, interval=INTERVALS[test])
            close(got.coefficients, r["b"], rel)
            for mine, theirs in (
                ("std_error", "se"),
                ("statistic", "zval"),
                ("p_value", "pval"),
                ("low", "ci_lb"),
                ("high", "ci_ub"),
            ):
                close(getattr(got, mine), r[theirs], rel)
            close(
                [got.tau2, got.qe, got.qe_p_value, got.i2 * 100, got.h2],
                [r[key] for key in ("tau2", "QE", "QEp", "I2", "H2")],
                rel,
            )
            close([got.moderators.statistic, got.moderators.p_value], [r["QM"], r["QMp"]], rel)
            close(
                [got.log_likelihood, got.aic, got.aicc, got.bic],
                [r[key] for key in ("loglik", "AIC", "AICc", "BIC")],
                rel,
            )
            if r["se_tau2"] is not None:
                close(got.tau2_std_error, r["se_tau2"], rel)
            if r["R2"] is not None and (got.tau2_alone > 0 or estimator == "EE" or r["R2"] == 0):
                # metafor's variance without moderators is 3e-12 instead of 0 once, and its ratio noise
                close(got.r2 * 100, r["R2"], rel)


@pytest.mark.parametrize(("name", "formula"), REGRESSIONS)
def test_meta_regression_spread(name, formula):
    yi, vi, X, names, block = regression_data(name, formula)
    got = meta_regression(yi, vi, X, names=names, interval="wald")
    close(
        [got.tau2_interval.low, got.tau2_interval.high],
        [block["confint"]["ci.lb"], block["confint"]["ci.ub"]],
        ITERATIVE,
    )
    close(got.vif, np.atleast_1d(block["vif"]), ITERATIVE)


def test_exact_arithmetic():
    """Residual heterogeneity over calendar years in rational numbers."""
    yi, vi, X, names, _ = regression_data("egger2001_OR", "~year")
    y, w, x = [Fraction(a) for a in yi], [1 / Fraction(a) for a in vi], [Fraction(a) for a in X[:, 0]]
    x0, y0 = (sum(a * b for a, b in zip(w, column, strict=True)) / sum(w) for column in (x, y))
    rows = list(zip(w, x, y, strict=True))
    slope = sum(a * (b - x0) * (c - y0) for a, b, c in rows) / sum(a * (b - x0) ** 2 for a, b, _ in rows)
    qe = sum(a * (c - y0 - slope * (b - x0)) ** 2 for a, b, c in rows)
    got = meta_regression(yi, vi, X, names=names, tau2="common")
    assert got.qe == pytest.approx(float(qe), rel=ROUNDING)
    assert got.coefficients[1] == pytest.approx(float(slope), rel=ROUNDING)


def test_the_regression_that_metafor_does_not_fit_by_default():
    yi, vi, X, names, _ = regression_data("lau1992_OR", "~year")
    got = meta_regression(yi, vi, X, names=names)
    assert got.tau2 == pytest.approx(0.003460, abs=SIX_DECIMALS)
    assert got.coefficients[1] == pytest.approx(-0.002962, abs=SIX_DECIMALS)


@pytest.mark.parametrize("name", ["bcg_RR", "bcg_OR", "bcg_RD"])
def test_exact_signs(name):
    data = SETS[name]
    got = permutation_test(data["yi"], data["vi"], tau2="DL", interval="wald")
    assert (got.p_value, got.permutations, got.exact) == (data["permutest_exact_DL"], 8192, True)


def test_exact_signs_of_reml():
    """metafor 3.8-1: permutest(rma(yi, vi), exact = TRUE), for the odds ratios also with test = "knha"."""
    ratios, odds = SETS["bcg_RR"], SETS["bcg_OR"]
    assert permutation_test(ratios["yi"], ratios["vi"]).p_value == 0.00146484375
    assert permutation_test(odds["yi"], odds["vi"]).p_value == 0.00146484375
    assert permutation_test(odds["yi"], odds["vi"], interval="hartung-knapp").p_value == 0.001708984375


def log_odds_ratios():
    columns = ("ai", "n1i", "ci", "n2i")
    a, n1, c, n2 = (np.array([row[key] for row in REFERENCE["meta"]["counts"]], dtype=float) for key in columns)
    half = 0.5 * ((a == 0) | (c == 0) | (a == n1) | (c == n2))
    a, c, b, d = a + half, c + half, n1 - a + half, n2 - c + half
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


@pytest.mark.parametrize("key", [key for key in REFERENCE["meta"]["inverse"] if "_OR_" in key])
def test_r_package_meta(key):
    r = REFERENCE["meta"]["inverse"][key]
    yi, vi = log_odds_ratios()
    estimator = key.split("_")[2]
    rel = CLOSED if estimator == "DL" else META
    got, common = pool(yi, vi, tau2=estimator, convention="meta-6"), pool(yi, vi, tau2="common", convention="meta-6")
    close([common.effect, common.std_error], [r["TE_c"], r["se_c"]], CLOSED)
    close(
        [got.effect, got.std_error, got.interval.low, got.interval.high], [r["TE_r"], r["se_r"], r["lo"], r["up"]], rel
    )
    close([got.tau2, got.q, got.i2], [r["tau2"], r["Q"], r["I2"]], rel)
    close([got.i2_interval.low, got.i2_interval.high], [r["lower_I2"], r["upper_I2"]], CLOSED)
    close([got.prediction_interval.low, got.prediction_interval.high], r["pi"], rel)
    if estimator != "DL":  # meta takes Jackson's interval for DL
        close([got.tau2_interval.low, got.tau2_interval.high], [r["lower_tau2"], r["upper_tau2"]], META_PROFILE)


FOUR = (np.log([0.7, 0.8, 1.1, 0.9]), np.array([0.2, 0.15, 0.3, 0.1]) ** 2)


@pytest.mark.parametrize(
    ("adhoc", "interval"),
    [("", "hartung-knapp"), ("se", "hartung-knapp-truncated"), ("ci", "hartung-knapp-wider")],
)
@pytest.mark.parametrize("prediction", ["HTS", "HK"])
def test_ad_hoc_variants(adhoc, interval, prediction):
    r = REFERENCE["meta"]["hk_adhoc"][f"ci={adhoc}_pi={prediction}"]
    ours = {"HTS": "HTS", "HK": "HK-PR"}[prediction]  # what meta 6 calls HK has k - 2 degrees of freedom
    got = pool(*FOUR, tau2="DL", interval=interval, prediction=ours)
    close([got.std_error, got.interval.low, got.interval.high], [r["se"], r["lo"], r["up"]], CLOSED)
    close([got.prediction_interval.low, got.prediction_interval.high], r["pi"], CLOSED)


def test_kenward_roger():
    r = REFERENCE["meta"]["kr"]
    got = pool(*FOUR, interval="kenward-roger", prediction="HTS")
    close([got.std_error, got.interval.low, got.interval.high], [r["KR"]["se"], r["KR"]["lo"], r["KR"]["up"]], CLOSED)
    close(got.df, r["KR"]["df"], CLOSED)
    close([got.prediction_interval.low, got.prediction_interval.high], r["KR"]["pi"], CLOSED)
    got = pool(*FOUR, convention="meta-6")
    close(
        [got.std_error, got.interval.low, got.interval.high],
        [r["classic"]["se"], r["classic"]["lo"], r["classic"]["up"]],
        CLOSED,
    )
