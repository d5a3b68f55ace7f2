"""Small-study effects against metafor and meta: a stored copy at tight tolerances, and every shared set."""

import json
from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest

from counterpulse.results import Status
from counterpulse.synthesis.small_study.begg import begg
from counterpulse.synthesis.small_study.box_newton import climb_in_box
from counterpulse.synthesis.small_study.deeks import deeks
from counterpulse.synthesis.small_study.egger import egger
from counterpulse.synthesis.small_study.harbord import harbord
from counterpulse.synthesis.small_study.macaskill import macaskill
from counterpulse.synthesis.small_study.peters import peters
from counterpulse.synthesis.small_study.pustejovsky import pustejovsky
from counterpulse.synthesis.small_study.schwarzer import schwarzer
from counterpulse.synthesis.small_study.selection_likelihood import SelectionLikelihood
from counterpulse.synthesis.small_study.selection_model import selection_model
from counterpulse.synthesis.small_study.selection_weights import weight_function
from counterpulse.synthesis.small_study.thompson_sharp import thompson_sharp
from counterpulse.synthesis.small_study.trim_and_fill import trim_and_fill

CLOSED_FORM = 1e-8  # relative; closed forms
ITERATED = 1e-6  # relative, or in standard errors; the reference iterates to a threshold of 1e-12
LOOSE = 1e-2  # in standard errors; the shared sets refit REML at metafor's default threshold of 1e-5
LIKELIHOOD = 1e-9  # absolute; a log-likelihood at given parameters, in closed form (step functions)
INTEGRATED = 1e-3  # absolute; R's `integrate` at its default tolerance of 1e-4 for the integral of each study (beta)

AT_THE_TOP = 1e-5  # in standard errors; the reference ends where its log-likelihood no longer rises by 1e-12 of itself
AT_ZERO = 1e-6  # absolute; a variance between studies that the reference cannot quite bring to zero
NO_VARIANCE = 1e-10  # absolute; the same of REML at its threshold
COPIED = 1e-12  # relative; the same numbers, written with 15 digits
STOPPED_SHORT = 1e-3  # absolute; the shared selection models end at a loose default of their optimizer

SETS = (
    "bangertdrowns2004", "bcg_OR", "bcg_RD", "bcg_RR", "egger2001_OR", "hackshaw1998", "lau1992_OR", "li2007_OR",
    "nielweise2007_OR", "yusuf1985_t6_OR",
)  # fmt: skip
FORMS = {"halfnorm": "half-normal", "negexp": "negative-exponential", "logistic": "logistic", "beta": "beta"}
REFERENCE = Path(__file__).parent / "reference"
STORED = json.loads((REFERENCE / "meta_small_study.json").read_text())["sets"]


@pytest.fixture(scope="module")
def shared(shared_path):
    return lambda name: json.loads(shared_path(f"reference/meta/{name}.json").read_text())


def by_key(block):
    return [(name, key) for name in STORED for key in STORED[name][block]]


def of_line(test):
    return [test.intercept, test.slope], [test.intercept_std_error, test.slope_std_error]


@pytest.mark.parametrize(("name", "key"), by_key("regression"))
def test_regression_tests(name, key):
    data, want = STORED[name]["data"], STORED[name]["regression"][key]
    model, predictor = key.split("_")
    found = egger(data["yi"], data["vi"], predictor=predictor, model=model, ni=data.get("ni"))
    tolerance = CLOSED_FORM if model == "regression" else ITERATED
    coefficients, errors = of_line(found)
    assert np.abs((np.array(coefficients) - want["coef"]) / want["se"]).max() < tolerance
    assert errors == pytest.approx(want["se"], rel=tolerance)
    assert found.statistic == pytest.approx(want["stat"], rel=tolerance, abs=tolerance)
    assert found.p_value == pytest.approx(want["p"], rel=tolerance * (1 + 10 * abs(want["stat"])))
    assert found.df == want.get("df")
    if predictor in ("ni", "sqrtni"):
        assert isnan(found.limit)
        assert found.limit_interval is None
    else:
        assert found.limit == found.intercept
        low, high = found.limit_interval.low, found.limit_interval.high
        assert [low, high] == pytest.approx([want["low"], want["high"]], abs=2 * tolerance * want["se"][0])
    if model == "random":
        assert found.tau2 == pytest.approx(want["tau2"], rel=10 * ITERATED, abs=NO_VARIANCE)


@pytest.mark.parametrize("name", STORED)
def test_rank_tests(name):
    data, want = STORED[name]["data"], STORED[name]["rank"]
    for distribution in ("exact", "normal"):
        found = begg(data["yi"], data["vi"], distribution=distribution)
        assert found.tau == pytest.approx(want[distribution]["tau"], rel=CLOSED_FORM)
        assert found.p_value == pytest.approx(want[distribution]["p"], rel=CLOSED_FORM)


def test_the_nine_tests_of_meta():
    want = json.loads((REFERENCE / "meta_bias_tests.json").read_text())["tests"]
    data = STORED["li2007_OR"]["data"]
    y, v = data["yi"], data["vi"]
    counts = [data[column] for column in ("events_1", "n_1", "events_2", "n_2")]
    lines = {
        "Egger": egger(y, v), "Harbord": harbord(*counts), "Peters": peters(*counts), "Deeks": deeks(*counts),
        "Macaskill": macaskill(y, v, data["ni"]), "Pustejovsky": pustejovsky(y, v, data["n_1"], data["n_2"]),
    }  # fmt: skip
    for name, found in lines.items():
        assert_line(found, want[name], CLOSED_FORM)
    # meta's REML stops at metafor's default threshold
    assert_line(thompson_sharp(y, v), want["Thompson"], 1e-4)
    for name, found in (("Begg", begg(y, v, distribution="normal")), ("Schwarzer", schwarzer(*counts))):
        assert [found.score, found.score_std_error] == pytest.approx(
            [want[name]["ks"], want[name]["se.ks"]], rel=COPIED
        )
        assert [found.statistic, found.p_value] == pytest.approx([want[name]["stat"], want[name]["p"]], rel=CLOSED_FORM)


def assert_line(found, want, tolerance):
    assert found.df == want["df"]
    mine = [
        found.slope,
        found.slope_std_error,
        found.intercept,
        found.intercept_std_error,
        found.statistic,
        found.p_value,
    ]
    theirs = [want[key] for key in ("bias", "se.bias", "intercept", "se.intercept", "stat", "p")]
    assert mine == pytest.approx(theirs, rel=tolerance)


@pytest.mark.parametrize("name", STORED)
def test_trim_and_fill(name):
    data = STORED[name]["data"]
    for key, want in STORED[name]["trim_and_fill"].items():
        found = filled(data, key)
        if "undefined" in want:
            assert_undefined(found)
            continue
        assert_filled(found, want, ITERATED if key.startswith("REML") else CLOSED_FORM)
        if not key.startswith("REML"):
            assert found.se_k0 == pytest.approx(nan_of(want["se_k0"]), rel=CLOSED_FORM, nan_ok=True)


def filled(data, key):
    model, estimator, side = key.split("_")
    return trim_and_fill(
        data["yi"], data["vi"], model=model, estimator=estimator, side=None if side == "auto" else side
    )


def nan_of(value):
    return float("nan") if value is None else value


def assert_undefined(found):
    assert found.status is Status.UNDEFINED
    assert found.k0 is None
    assert any("Q0" in note for note in found.notes)


def assert_filled(found, want, tolerance):
    assert (found.k0, found.side) == (want["k0"], want["side"])
    assert found.k0_p_value == pytest.approx(nan_of(want["p_k0"]), rel=CLOSED_FORM, nan_ok=True)
    interval = found.pooled.interval
    mine = [found.pooled.value, interval.low, interval.high]
    low, high = (want[end] if end in want else want[f"ci_{short}"] for end, short in (("low", "lb"), ("high", "ub")))
    assert mine == pytest.approx([want["b"], low, high], abs=tolerance * want["se"])
    assert found.pooled.std_error == pytest.approx(want["se"], rel=tolerance)
    assert found.tau2 == pytest.approx(want["tau2"], rel=10 * tolerance, abs=tolerance * want["se"] ** 2)
    assert found.q == pytest.approx(want["q"] if "q" in want else want["QE"], rel=tolerance)
    assert len(found.yi) == found.k + found.k0 == found.filled.sum() + found.k


@pytest.mark.parametrize(("name", "key"), by_key("selection"))
def test_selection_models(name, key):
    data, want = STORED[name]["data"], STORED[name]["selection"][key]
    form, alternative = key.rsplit("_", 1)
    steps = (0.025,) if form == "step" else (0.025, 0.5)
    fixed = (0.6, 0.3) if form == "fixed_step" else None
    found = selection_model(
        data["yi"], data["vi"], form=FORMS.get(form, "step"), steps=steps, weights=fixed, alternative=alternative
    )
    assert found.status is Status.OK
    assert found.log_likelihood >= want["loglik"] - ITERATED
    se, theirs = want["se"], np.atleast_1d(want["delta"])[0 if form in FORMS else 1 :].tolist()
    if (name, key) in LOWER_MAXIMA:
        assert found.log_likelihood > want["loglik"] + 0.1
        assert found.modes > 1
        assert any("maxima" in note for note in found.notes)
        assert_local_maximum(data, FORMS.get(form, "step"), steps, alternative, want, theirs)
        return
    assert found.log_likelihood == pytest.approx(want["loglik"], abs=ITERATED)
    assert found.adjusted.value == pytest.approx(want["b"], abs=AT_THE_TOP * se)
    assert found.adjusted.std_error == pytest.approx(se, rel=30 * AT_THE_TOP)
    assert found.tau2 == pytest.approx(want["tau2"], rel=AT_THE_TOP, abs=AT_ZERO)
    if fixed is None:
        assert [weight.value for weight in found.weights] == pytest.approx(theirs, rel=AT_THE_TOP, abs=AT_THE_TOP)
        assert found.likelihood_ratio == pytest.approx(want["LRT"], abs=ITERATED)
        assert found.p_value == pytest.approx(want["p"], abs=10 * ITERATED)


# The reference climbs from one start, and ends here at a maximum that is not the highest.
LOWER_MAXIMA = {("egger2001_OR", "step_less"), ("li2007_OR", "step_less"), ("li2007_OR", "beta_greater")}


def assert_local_maximum(data, form, steps, alternative, want, weights):
    """Climbing from where the reference ended leaves its values as they are."""
    sign = 1 if alternative == "greater" else -1
    likelihood = SelectionLikelihood(sign * np.array(data["yi"]), np.array(data["vi"]), weight_function(form, steps))
    start = np.array([sign * want["b"], want["tau2"], *weights])
    peak = climb_in_box(likelihood.curve, start, np.array([-np.inf, 0, *likelihood.weights.low]))
    assert peak.converged
    assert peak.at == pytest.approx(start, rel=AT_THE_TOP, abs=AT_THE_TOP)
    assert peak.curve.value == pytest.approx(want["loglik"], abs=ITERATED)


@pytest.mark.parametrize("name", SETS)
def test_the_shared_tests_for_asymmetry(shared, name):
    want, stored = shared(name), STORED[name]["data"]
    assert stored["yi"] == pytest.approx(want["yi"], rel=COPIED, abs=COPIED)
    for key, block in want["regtest"].items():
        model, predictor = key.split("_")
        found = egger(want["yi"], want["vi"], predictor=predictor, model=model, ni=stored.get("ni"))
        tolerance = CLOSED_FORM if model == "lm" else LOOSE * (3 if name == "bcg_RD" else 1)
        assert found.statistic == pytest.approx(block["stat"], abs=tolerance)
        coefficients, errors = of_line(found)
        assert np.abs((np.array(coefficients) - block["coef"]) / errors).max() < tolerance
    for distribution, block in (("exact", want["ranktest"]), ("normal", want["ranktest_normal"])):
        found = begg(want["yi"], want["vi"], distribution=distribution)
        assert [found.tau, found.p_value] == pytest.approx([block["tau"], block["pval"]], rel=CLOSED_FORM)


@pytest.mark.parametrize("name", SETS)
def test_the_shared_trim_and_fill(shared, name):
    want = shared(name)
    for key, block in want["trimfill"].items():
        found = filled(want, key)
        if "error" in block:
            assert_undefined(found)
            continue
        assert_filled(found, block, LOOSE if key.startswith("REML") else CLOSED_FORM)
        assert found.se_k0 == pytest.approx(nan_of(block["se_k0"]), rel=ITERATED, nan_ok=True)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("form", ["step", "beta"])
def test_the_shared_selection_models(shared, name, form):
    """The likelihood at the reference's end is the reference's, and ours is no lower.

    The reference ends at a weight of about 98 (its bound is 100) where no study is significant to the right, and at a
    lower maximum, or short of one, in some of the others.
    """
    want = shared(name)
    block = want["selmodel"][form]
    if "error" in block:
        pytest.skip("the reference failed")
    y, v = np.array(want["yi"]), np.array(want["vi"])
    likelihood = SelectionLikelihood(y, v, weight_function(form, (0.025,)))
    weights = block["delta"][1:] if form == "step" else block["delta"]
    there = likelihood.curve(np.array([block["b"], block["tau2"], *weights])).value
    assert there == pytest.approx(block["loglik"], abs=LIKELIHOOD if form == "step" else INTEGRATED)
    found = selection_model(want["yi"], want["vi"], form=form, alternative="greater")
    if form == "step" and 0 in found.counts:
        assert found.status is Status.UNDEFINED
        fixed = selection_model(want["yi"], want["vi"], weights=weights, alternative="greater")
        # with that weight given, mean and variance are the reference's as far as it climbed
        assert fixed.adjusted.value == pytest.approx(block["b"], abs=STOPPED_SHORT)
        assert fixed.log_likelihood >= block["loglik"] - LIKELIHOOD
    else:
        assert found.status is Status.OK
        assert found.log_likelihood >= there - LIKELIHOOD
        climbed = climb_in_box(
            likelihood.curve,
            np.array([block["b"], block["tau2"], *weights]),
            np.array([-np.inf, 0, *likelihood.weights.low]),
        )
        assert climbed.curve.value <= found.log_likelihood + LIKELIHOOD
        if climbed.curve.value - there < INTEGRATED and block["se"] is not None and block["tau2"] > 0.01:
            assert climbed.at[0] == pytest.approx(block["b"], abs=STOPPED_SHORT)
            assert found.adjusted.value == pytest.approx(block["b"], abs=STOPPED_SHORT) or found.modes > 1


def test_the_magnesium_trials_need_seven_more():
    """Research note: trim and fill under REML adds 7 studies to the magnesium trials."""
    data = STORED["li2007_OR"]["data"]
    assert trim_and_fill(data["yi"], data["vi"], model="REML").k0 == 7
    assert egger(data["yi"], data["vi"]).slope == pytest.approx(-1.38180351559273, rel=CLOSED_FORM)
    assert egger(data["yi"], np.sqrt(data["vi"]) ** 2).df == sqrt(400)


@pytest.mark.slow
@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("form", ["step", *FORMS.values()])
def test_no_other_start_climbs_higher(name, form):
    y, v = np.array(STORED[name]["data"]["yi"]), np.array(STORED[name]["data"]["vi"])
    found = selection_model(y, v, form=form)
    if found.status is Status.UNDEFINED:
        assert 0 in found.counts
        return
    sign = 1 if found.alternative == "greater" else -1
    likelihood = SelectionLikelihood(sign * y, v, weight_function(form, (0.025,)))
    low, random = np.array([-np.inf, 0, *likelihood.weights.low]), np.random.default_rng(11)
    for _ in range(10):
        mean, tau2 = sign * y.mean() + 1.5 * y.std() * random.normal(), v.mean() * np.exp(2 * random.normal())
        weights = np.exp(0.8 * random.normal(size=len(low) - 2))
        peak = climb_in_box(likelihood.curve, np.array([mean, tau2, *weights]), low)
        assert not peak.converged or peak.curve.value <= found.log_likelihood + ITERATED
