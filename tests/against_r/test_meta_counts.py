"""Mantel-Haenszel, Peto, generalized linear and three-level models against metafor 3.8-1, meta 6.1-0 and lme4 1.1-31.

metafor fits its models of counts by glmer with loose defaults: where a tighter glmer is stored, ours is that one.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse.results.status import Status
from counterpulse.synthesis.pooling.generalized_linear import glmm, glmm_proportion
from counterpulse.synthesis.pooling.mantel_haenszel import mantel_haenszel
from counterpulse.synthesis.pooling.peto import peto
from counterpulse.synthesis.pooling.three_level import three_level

REFERENCE = Path(__file__).parent / "reference"
STORED = json.loads((REFERENCE / "meta_two_arms.json").read_text())
SETS = STORED["sets"]
MEASURES = {"OR": "odds ratio", "RR": "risk ratio", "RD": "risk difference"}

CLOSED = 1e-8  # relative; closed forms
GLM = 1e-4  # relative to the standard error, or to 1; glm and glmer stop about there
GLMER = 3e-3  # the same for glmer's random-effects fits, which stop short of the maximum with metafor's defaults
HESSIAN = 1.5e-2  # relative; standard errors and Wald statistics of glmer (from its unconverged modes) and of CM.EL (differences)
SEPARATED = (
    2e-2  # relative; Wald statistics with studies whose effects are infinite, which R leaves at some large number
)
TIGHT = 2e-5  # relative to the standard error; glmer with tolPwrss = 1e-9
BEST = 1e-4  # absolute; no stored log-likelihood is higher than ours by more
VARIANCE = 1e-6  # relative; rma.mv stops about there


@pytest.fixture(scope="module")
def counts():
    return json.loads((REFERENCE / "meta_counts.json").read_text())


def arms(name):
    return [SETS[name][part] for part in ("events_1", "n_1", "events_2", "n_2")]


def told(fit):
    row = fit.estimates()[0]
    return {
        "b": row.value, "se": row.std_error, "zval": row.statistic, "pval": row.p_value, "ci_lb": row.interval.low,
        "ci_ub": row.interval.high, "QE": fit.q, "QEp": fit.q_p_value, "I2": 100 * fit.i2,
    }  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", SETS)
def test_mantel_haenszel_is_metafor(name, measure):
    fit = mantel_haenszel(*arms(name), measure=MEASURES[measure])
    ours = told(fit) | {
        "MH": fit.association.statistic, "MHp": fit.association.p_value, "CO": fit.cochran.statistic,
        "COp": fit.cochran.p_value, "BD": fit.breslow_day.statistic, "BDp": fit.breslow_day.p_value,
        "TA": fit.tarone.statistic, "TAp": fit.tarone.p_value,
    }  # fmt: skip
    stored = SETS[name]["mh"][measure]
    assert {key: ours[key] for key in stored} == pytest.approx(stored, rel=CLOSED)


@pytest.mark.parametrize("name", SETS)
def test_peto_is_metafor(name):
    assert told(peto(*arms(name))) == pytest.approx(SETS[name]["peto"], rel=CLOSED)


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_half_in_empty_cells_is_the_meta_package(measure):
    fit = mantel_haenszel(*arms("li2007"), measure=MEASURES[measure], zero_cells="half")
    stored = STORED["meta"][f"MH_{measure}_DL"]
    assert [fit.pooled.value, fit.pooled.std_error] == pytest.approx([stored["TE_c"], stored["se_c"]], rel=CLOSED)
    if measure == "OR":  # its risk ratios of single studies have 0.5, not 1, more patients an arm
        ours = [fit.q, fit.i2, fit.tau2, fit.random_effects.value, fit.random_effects.std_error]
        assert ours == pytest.approx([stored[key] for key in ("Q", "I2", "tau2", "TE_r", "se_r")], rel=CLOSED)


def test_half_in_empty_cells_for_the_risk_difference():
    # The meta package weighs by the corrected sizes but keeps the uncorrected differences; its standard error is ours.
    fit = mantel_haenszel(*arms("li2007"), measure="risk difference", zero_cells="half", variance="greenland-robins")
    stored = STORED["meta"]["MH_RD_DL"]
    assert fit.pooled.std_error == pytest.approx(stored["se_c"], rel=CLOSED)
    a, n_1, c, n_2 = (np.array(part, float) for part in arms("li2007"))
    assert fit.weights @ (a / n_1 - c / n_2) == pytest.approx(stored["TE_c"], rel=CLOSED)


def test_peto_is_the_meta_package():
    fit, stored = peto(*arms("li2007")), STORED["meta"]["Peto_OR_DL"]
    ours = [fit.pooled.value, fit.pooled.std_error, fit.q, fit.i2]
    assert ours == pytest.approx([stored[key] for key in ("TE_c", "se_c", "Q", "I2")], rel=CLOSED)


def blocks(method):
    return [(name, model) for name in SETS for model, fits in SETS[name]["glmm"].items() if "error" not in fits[method]]


@pytest.mark.parametrize(("name", "model"), blocks("EE"))
def test_a_common_effect_of_counts_is_metafor(name, model):
    stored = SETS[name]["glmm"][model]["EE"]
    fit = glmm(*arms(name), model=model, tau2="common", quadrature=7)
    assert fit.tau2 == 0
    assert fit.pooled.value == pytest.approx(stored["b"], abs=GLM * stored["se"])
    assert fit.pooled.std_error == pytest.approx(stored["se"], rel=HESSIAN if model == "CM.EL" else GLM)
    assert fit.likelihood_ratio_test.statistic == pytest.approx(stored["QE_LRT"], rel=GLM)
    assert fit.q == pytest.approx(stored["QE_Wld"], rel=GLM if model in ("UM.FS", "CM.AL") else SEPARATED)
    if model != "UM.RS":  # glmer with several nodes leaves the constants out
        assert fit.log_likelihood == pytest.approx(stored["loglik"], abs=BEST)


@pytest.mark.parametrize(("name", "model"), blocks("ML"))
def test_random_effects_of_counts_are_metafor(name, model):
    stored = SETS[name]["glmm"][model]["ML"]
    fit = glmm(*arms(name), model=model)
    assert fit.pooled.value == pytest.approx(stored["b"], abs=GLMER * stored["se"])
    assert fit.tau2 == pytest.approx(stored["tau2"], abs=GLMER * stored["se"])
    assert fit.pooled.std_error == pytest.approx(stored["se"], rel=HESSIAN)
    assert fit.likelihood_ratio_test.statistic == pytest.approx(stored["QE_LRT"], rel=GLM)
    assert fit.q == pytest.approx(stored["QE_Wld"], rel=SEPARATED)
    if model == "UM.RS":
        assert fit.log_likelihood > stored["loglik"] - BEST


@pytest.mark.parametrize("name", ["bcg", "li2007", "nielweise2007"])
def test_seven_nodes_are_a_glmer_that_converged(name, counts):
    fit, stored = glmm(*arms(name), model="unconditional-fixed"), counts["tight"][name]
    ours, theirs = [fit.pooled.value, fit.tau2], [stored["value"], stored["tau2"]]
    np.testing.assert_allclose(ours, theirs, atol=TIGHT * stored["se"], rtol=0)
    assert fit.pooled.std_error == pytest.approx(stored["se"], rel=GLM)


def test_two_random_effects_are_a_glmer_that_converged(counts):
    fit, stored = glmm(*arms("li2007"), model="unconditional-random"), counts["tight_random"]["li2007"]
    ours = [fit.pooled.value, fit.pooled.std_error, fit.tau2, fit.log_likelihood]
    np.testing.assert_allclose(
        ours, [stored[key] for key in ("value", "se", "tau2", "log_likelihood")], atol=TIGHT * stored["se"], rtol=0
    )


def test_the_meta_package_predicts_with_two_degrees_of_freedom_less():
    fit, stored = glmm(*arms("li2007")), STORED["meta"]["GLMM_OR_ML"]
    np.testing.assert_allclose(
        [fit.prediction_interval.low, fit.prediction_interval.high], stored["pi"], atol=GLMER * stored["se_r"]
    )
    assert fit.i2 == pytest.approx(stored["I2"], rel=GLM)


def test_a_model_where_metafor_stops_has_an_answer():
    assert "error" in SETS["yusuf1985"]["glmm"]["CM.EL"]["ML"]
    fit = glmm(*arms("yusuf1985"), model="conditional-exact")
    assert (fit.status, fit.tau2) == (Status.OK, 0.0)
    assert fit.pooled.value == pytest.approx(SETS["yusuf1985"]["glmm"]["CM.EL"]["EE"]["b"], abs=GLM)


@pytest.mark.parametrize("name", ["bcg", "nielweise2007"])
def test_a_proportion_is_metafor(name, counts):
    stored = counts["proportion"][name]
    random = glmm_proportion(SETS[name]["events_2"], SETS[name]["n_2"])
    common = glmm_proportion(SETS[name]["events_2"], SETS[name]["n_2"], tau2="common")
    assert common.log_likelihood == pytest.approx(stored["EE"]["log_likelihood"], rel=GLM)
    for fit, theirs in ((random, stored["ML"]), (common, stored["EE"])):
        assert fit.pooled.value == pytest.approx(theirs["value"], abs=GLM * theirs["se"])
        assert fit.tau2 == pytest.approx(theirs["tau2"], abs=GLM)
        assert fit.pooled.std_error == pytest.approx(theirs["se"], rel=GLM)
        ours = (fit.q, fit.likelihood_ratio_test.statistic)
        assert ours == pytest.approx((theirs["wald"], theirs["ratio"]), rel=GLM)


@pytest.mark.parametrize(("key", "correlation"), [("mv", 0.0), ("mv_correlated", 0.6)])
def test_three_levels_are_metafor(key, correlation, counts):
    schools, stored = counts["schools"], counts[key]
    fit = three_level(
        schools["yi"], schools["vi"], schools["district"], schools["school"], correlation=correlation, interval="wald"
    )
    assert [fit.tau2_between, fit.tau2_within] == pytest.approx(stored["variances"], rel=VARIANCE)
    ours = [fit.pooled.value, fit.pooled.std_error, fit.log_likelihood, fit.q]
    assert ours == pytest.approx([stored[part] for part in ("value", "se", "log_likelihood", "q")], rel=VARIANCE)
    if not correlation:
        falls = [2 * (stored["log_likelihood"] - counts[which]) for which in ("mv_only_within", "mv_only_between")]
        assert [fit.between_test.statistic, fit.within_test.statistic] == pytest.approx(falls, rel=VARIANCE)
