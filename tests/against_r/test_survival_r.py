import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import counterpulse.survival as survival
from counterpulse.data.terms import Interaction

HERE = Path(__file__).parent / "reference"
BASELINE = 1e-7
"""A baseline hazard at zero covariates multiplies ten times the error of the coefficients (exp of a sum with ages)."""
ITERATIVE = 1e-8  # relative; R was run to 1e-14 in the log likelihood
CLOSED_FORM = 1e-10  # relative; curves and tests are closed forms
COVARIANCE = 1e-7  # relative to the standard errors; R's covariance is that of the step before its last
SCORE_TEST = 1e-7  # relative; R evaluates the score at its own last iterate
TAIL = 1e-6  # relative; a tail probability magnifies the error of its statistic
PRINTED = 1e-9  # relative; the stored output has ten digits
ROUNDING = 1e-12  # absolute, where a value is zero but for rounding

LUNG = ["age", "sex", "ph.ecog"]
VETERAN = ["trt", "celltype", "karno", "diagtime", "age", "prior"]
FAILURE = [
    "age", "anaemia", "creatinine_phosphokinase", "ejection_fraction", "high_blood_pressure", "serum_creatinine",
    "serum_sodium",
]  # fmt: skip


@pytest.fixture(scope="module")
def reference():
    return json.loads((HERE / "survival.json").read_text())


@pytest.fixture(scope="module")
def simulated():
    return pl.read_csv(HERE / "survival_simulated.csv")


def numbers(values):
    return np.array(
        [np.nan if value is None or isinstance(value, str) else value for value in np.ravel(values)], dtype=float
    )


def assert_fit(fit, expected):
    assert (fit.n, fit.events) == (expected["n"], expected["events"])
    np.testing.assert_allclose(
        [fit.log_likelihood_null, fit.log_likelihood], expected["log_likelihood"], rtol=CLOSED_FORM
    )
    errors = np.sqrt(np.diag(np.array(expected["model_covariance"])))
    np.testing.assert_allclose((fit.parameters.values - np.ravel(expected["coefficients"])) / errors, 0, atol=ITERATIVE)
    for ours, theirs in (
        (fit.model_covariance, expected["model_covariance"]),
        (fit.parameters.covariance, expected["covariance"]),
    ):
        scale = np.sqrt(np.outer(np.diag(np.array(theirs)), np.diag(np.array(theirs))))
        np.testing.assert_allclose((ours - np.array(theirs)) / scale, 0, atol=COVARIANCE)


@pytest.mark.parametrize(
    ("name", "file", "options"),
    [
        ("lung", "lung.csv", {"time": "time", "event": "status", "terms": LUNG}),
        ("lung_breslow", "lung.csv", {"time": "time", "event": "status", "terms": LUNG, "ties": "breslow"}),
        ("lung_cluster", "lung.csv", {"time": "time", "event": "status", "terms": LUNG, "cluster": "inst"}),
        ("veteran", "veteran.csv", {"time": "time", "event": "status", "terms": VETERAN}),
        (
            "whas",
            "whas500.csv",
            {"time": "lenfol", "event": "fstat", "terms": ["age", "gender", "bmi", "sho", "chf"]},
        ),
        (
            "failure",
            "heart_failure_clinical_records.csv",
            {"time": "time", "event": "DEATH_EVENT", "terms": FAILURE},
        ),
        (
            "heart",
            "heart.csv",
            {"time": "stop", "event": "event", "start": "start", "terms": ["transplant", "age", "surgery", "year"]},
        ),
        (
            "heart_interaction",
            "heart.csv",
            {
                "time": "stop",
                "event": "event",
                "start": "start",
                "terms": [
                    "age",
                    "surgery",
                    "transplant",
                    Interaction("age", "transplant"),
                    Interaction("surgery", "transplant"),
                ],
            },
        ),
        (
            "heart_cluster",
            "heart.csv",
            {
                "time": "stop",
                "event": "event",
                "start": "start",
                "terms": ["transplant", "age", "surgery"],
                "cluster": "id",
            },
        ),
    ],
)
def test_cox_on_published_data_is_that_of_r(name, file, options, reference, shared_data):
    assert_fit(survival.cox(shared_data(file), **options), reference["cox"][name])


def test_ties_entry_strata_weights_and_clusters_are_those_of_r(reference, simulated):
    for case in reference["grid"]:
        tied = case["times"] == "tied"
        fit = survival.cox(
            simulated, time=case["times"], event="died", terms=["x1", "x2", "x3", "arm"], robust=True,
            start=("begin" if tied else "begin_exact") if case["entry"] else None,
            strata="stratum" if case["strata"] else None, weights=None if case["weight"] == "none" else case["weight"],
            cluster="cluster" if case["cluster"] else None, ties=case["ties"],
        )  # fmt: skip
        assert_fit(fit, case)


@pytest.mark.parametrize("transform", ["km", "identity", "rank", "log"])
@pytest.mark.parametrize(
    ("name", "file", "options"),
    [
        ("lung", "lung.csv", {"time": "time", "event": "status", "terms": LUNG}),
        ("veteran", "veteran.csv", {"time": "time", "event": "status", "terms": VETERAN}),
        (
            "heart",
            "heart.csv",
            {"time": "stop", "event": "event", "start": "start", "terms": ["transplant", "age", "surgery"]},
        ),
    ],
)
def test_proportional_hazards_are_those_of_r(name, file, options, transform, reference, shared_data):
    fit = survival.cox(shared_data(file), **options)
    test = survival.proportional_hazards(fit, transform=transform)
    expected = np.array(reference["zph"][name][transform])
    np.testing.assert_allclose(test.chi_squared, expected[:, 0], rtol=SCORE_TEST)
    np.testing.assert_allclose(test.df, expected[:, 1])
    np.testing.assert_allclose(test.p_value, expected[:, 2], rtol=TAIL)


@pytest.mark.parametrize("transform", ["km", "identity", "rank", "log"])
def test_proportional_hazards_with_strata_and_late_entry(transform, reference, simulated):
    fit = survival.cox(simulated, time="tied", event="died", start="begin", strata="stratum", terms=["x1", "x2", "arm"])
    test = survival.proportional_hazards(fit, transform=transform)
    np.testing.assert_allclose(
        test.chi_squared, np.array(reference["zph"]["tied_entry_strata"][transform])[:, 0], rtol=SCORE_TEST
    )


CURVES = {
    "lung": ("lung.csv", {"time": "time", "event": "status", "by": "sex"}),
    "veteran": ("veteran.csv", {"time": "time", "event": "status", "by": "celltype"}),
    "tied": (None, {"time": "tied", "event": "died", "by": "arm"}),
    "tied_k": (None, {"time": "tied", "event": "died", "by": "arm", "weights": "k"}),
    "tied_w": (None, {"time": "tied", "event": "died", "by": "arm", "weights": "w"}),
    "entry": (None, {"time": "exact", "event": "died", "start": "begin_exact"}),
    "entry_w": (None, {"time": "exact", "event": "died", "start": "begin_exact", "weights": "w"}),
}


def limit_falls(curve, source):
    """Where a limit rises again, R's interpolation skips its first crossing (and may put the limit past the value)."""
    limit = {"quantile": curve.survival, "quantile_low": curve.low, "quantile_high": curve.high}[source]
    return bool((np.diff(limit[np.isfinite(limit)]) <= ROUNDING).all())


@pytest.mark.parametrize("kind", ["log", "log-log", "plain", "logit", "arcsin"])
@pytest.mark.parametrize("name", [*CURVES, "flat_half"])
def test_curves_are_those_of_r(name, kind, reference, simulated, shared_data):
    interval = "arcsine" if kind == "arcsin" else kind
    if name == "flat_half":
        table, options = pl.DataFrame({"t": [1, 2, 3, 4, 5, 6], "d": [1, 1, 1, 0, 1, 0]}), {"time": "t", "event": "d"}
    else:
        file, options = CURVES[name]
        table = simulated if file is None else shared_data(file)
    fit = survival.kaplan_meier(table, interval=interval, **options)
    expected = reference["curves"][kind][name]
    order = {"veteran": ["adeno", "large", "smallcell", "squamous"]}
    assert [curve.group for curve in fit] == order.get(name, [curve.group for curve in fit])
    for ours, theirs in (
        ("time", "time"), ("at_risk", "at_risk"), ("events", "events"), ("censored", "censored"),
        ("survival", "survival"), ("low", "low"), ("high", "high"), ("std_error", "std_error"),
    ):  # fmt: skip
        got = np.concatenate([getattr(curve, ours) for curve in fit])
        wanted = numbers(expected[theirs])
        known = np.isfinite(wanted) & (np.concatenate([curve.survival for curve in fit]) > 0)
        np.testing.assert_allclose(got[known], wanted[known], rtol=CLOSED_FORM, atol=ROUNDING, err_msg=ours)
        if ours in ("low", "high"):
            assert not np.isfinite(got[~np.isfinite(wanted)]).any()
    for p, column in zip((0.1, 0.25, 0.5, 0.75), range(4), strict=True):
        quantiles = fit.quantile(p)
        for source, got in (
            ("quantile", [one.value for one in quantiles]),
            ("quantile_low", [one.interval.low for one in quantiles]),
            ("quantile_high", [one.interval.high for one in quantiles]),
        ):
            wanted = numbers(expected[source]).reshape(-1, 4)[:, column]
            falling = [limit_falls(curve, source) for curve in fit]
            np.testing.assert_allclose(np.array(got)[falling], wanted[falling], rtol=CLOSED_FORM, err_msg=source)


@pytest.mark.parametrize("tau", [180, 365, 730])
def test_restricted_means_are_those_of_r(tau, reference, shared_data):
    fit = survival.restricted_mean(shared_data("lung.csv"), time="time", event="status", by="sex", tau=tau)
    expected = np.array(reference["rmst"][str(tau)])
    np.testing.assert_allclose([one.value for one in fit.groups], expected[:, 0], rtol=CLOSED_FORM)
    np.testing.assert_allclose([one.std_error for one in fit.groups], expected[:, 1], rtol=CLOSED_FORM)


def test_restricted_mean_difference_is_the_stored_one(shared_data):
    fit = survival.restricted_mean(shared_data("lung.csv"), time="time", event="status", by="sex", tau=365)
    (difference,) = fit.differences
    assert difference.value == pytest.approx(55.97032434, rel=PRINTED)
    assert difference.std_error == pytest.approx(14.95812586, rel=PRINTED)
    assert (difference.interval.low, difference.interval.high) == pytest.approx((26.65293637, 85.28771231), rel=PRINTED)


@pytest.mark.parametrize(
    ("name", "file", "options"),
    [
        ("lung", "lung.csv", {"by": "sex"}),
        ("lung_1", "lung.csv", {"by": "sex", "rho": 1}),
        ("lung_stratified", "lung.csv", {"by": "sex", "strata": "ph.ecog"}),
        ("lung_stratified_1", "lung.csv", {"by": "sex", "strata": "ph.ecog", "rho": 1}),
        ("veteran", "veteran.csv", {"by": "celltype"}),
        ("tied", None, {"by": "arm"}),
        ("tied_half", None, {"by": "arm", "rho": 0.5}),
        ("tied_stratified", None, {"by": "arm", "strata": "stratum", "rho": 1}),
    ],
)
def test_log_rank_is_that_of_r(name, file, options, reference, simulated, shared_data):
    columns = {"time": "tied", "event": "died"} if file is None else {"time": "time", "event": "status"}
    test = survival.log_rank(simulated if file is None else shared_data(file), **columns, **options)
    expected = reference["tests"][name]
    assert list(test.n) == expected["n"]
    np.testing.assert_allclose(test.observed, expected["observed"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(test.expected, expected["expected"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(test.covariance, expected["covariance"], rtol=CLOSED_FORM)
    assert test.statistic == pytest.approx(expected["statistic"], rel=CLOSED_FORM)


@pytest.mark.parametrize("name", ["lung", "lung_breslow", "tied"])
def test_baseline_hazard_is_that_of_r(name, reference, simulated, shared_data):
    if name == "tied":
        fit = survival.cox(simulated, time="tied", event="died", terms=["x1", "x2"])
    else:
        ties = "breslow" if name == "lung_breslow" else "efron"
        fit = survival.cox(shared_data("lung.csv"), time="time", event="status", terms=LUNG, ties=ties)
    expected = reference["baseline"][name]
    theirs = dict(zip(np.ravel(expected["time"]), np.ravel(expected["hazard"]), strict=True))
    ours = fit.baseline()
    at_zero = ours["cumulative_hazard"] * np.exp(-float(fit.center @ fit.parameters.values))
    np.testing.assert_allclose(at_zero, [theirs[time] for time in ours["time"]], rtol=BASELINE)


def test_concordance_is_that_of_r(reference, simulated, shared_data):
    fits = {
        "lung": survival.cox(shared_data("lung.csv"), time="time", event="status", terms=LUNG),
        "veteran": survival.cox(shared_data("veteran.csv"), time="time", event="status", terms=VETERAN),
        "heart": survival.cox(
            shared_data("heart.csv"), start="start", time="stop", event="event", terms=["transplant", "age", "surgery"]
        ),
        "stratified": survival.cox(simulated, time="tied", event="died", terms=["x1", "x2"], strata="stratum"),
    }
    for name, fit in fits.items():
        assert survival.concordance_of(fit).value == pytest.approx(reference["concordance"][name], rel=CLOSED_FORM), (
            name
        )
