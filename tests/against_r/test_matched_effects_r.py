"""Effects after matching and weighting: glm, lm, vcovCL and the delta method (make_matched_effects.R); ref_iac.out, ref_nhefs.out."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import counterpulse as cp
from counterpulse.data.terms import Categorical
from counterpulse.regression import logistic

PRINTED = 1e-7  # relative; printed with 8 digits
ITERATIVE = 1e-6  # relative to the standard errors; glm run to 1e-15, whose columns are not scaled
STEP_BEFORE = 1e-5  # relative; glm at its default tolerance gives the information of the step before its last
COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
STORED = json.loads((Path(__file__).parent / "reference/matched_effects.json").read_text())
MATCHED = {"nn": {"on": "probability"}, "logit": {"caliper": 0.2}, "two": {"caliper": 0.2, "ratio": 2}}
MODELS = {"high": True, "high_main": False, "re78": True, "plain": None}


@pytest.fixture(scope="module")
def lalonde(shared_data):
    return shared_data("lalonde.csv").with_columns(high=pl.col("re78") > 5000)


def same(found, stored):
    errors = np.sqrt(np.diag(np.array(stored["covariance"])))
    np.testing.assert_allclose((found.two.means - stored["means"]) / errors, 0, atol=ITERATIVE)
    np.testing.assert_allclose(
        (found.two.covariance - stored["covariance"]) / np.outer(errors, errors), 0, atol=ITERATIVE
    )


@pytest.mark.parametrize("pairs", MATCHED)
@pytest.mark.parametrize("model", MODELS)
def test_matched_effects_by_standardization(lalonde, pairs, model):
    matching = cp.propensity.match(lalonde, treatment="treat", covariates=COVARIATES, **MATCHED[pairs])
    interact, outcome = MODELS[model], "re78" if model == "re78" else "high"
    options = {} if interact is None else {"covariates": COVARIATES, "interact": interact, "population": "fixed"}
    same(cp.propensity.matched_effect(matching, outcome=outcome, **options), STORED["matched"][pairs][model])


def test_the_matched_effect_of_lalonde_by_standardization(lalonde, shared_path):
    text = shared_path("reference/observational/ref_matching.out").read_text()
    matching = cp.propensity.match(lalonde, treatment="treat", covariates=COVARIATES, on="probability")
    found = cp.propensity.matched_effect(matching, outcome="re78", covariates=COVARIATES).estimates()[2]
    assert found.value == pytest.approx(float(re.search(r"g-comp ATT: (\S+)", text)[1]), rel=PRINTED)


SQUARED = ("age", "smokeintensity", "smokeyrs", "wt71")
WHAT_IF = [
    "sex", "race", *SQUARED, *(f"{name}_2" for name in SQUARED), Categorical("education"), Categorical("exercise"),
    Categorical("active"),
]  # fmt: skip


@pytest.fixture(scope="module")
def nhefs(shared_data):
    table = shared_data("nhefs.csv").filter(pl.col("wt82").is_not_null())
    return table.with_columns((pl.col(name) ** 2).alias(f"{name}_2") for name in SQUARED)


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
def test_stacked_equations_in_nhefs(nhefs, estimand):
    weighting = cp.propensity.weight(nhefs, treatment="qsmk", covariates=WHAT_IF, estimand=estimand)
    same(cp.propensity.weighted_effect(weighting, outcome="wt82_71"), STORED["nhefs"][estimand])


def test_weights_of_what_if_chapter_12(nhefs, shared_path):
    text = shared_path("reference/observational/ref_nhefs.out").read_text()
    for stabilize, line in (
        (False, r"IPW est (\S+).*mean w (\S+) range (\S+) (\S+)"),
        (True, r"SW est (\S+) mean (\S+) range (\S+) (\S+)"),
    ):
        weighting = cp.propensity.weight(nhefs, treatment="qsmk", covariates=WHAT_IF, stabilize=stabilize)
        effect = cp.propensity.weighted_effect(weighting, outcome="wt82_71").estimates()[2].value
        ours = [effect, weighting.weights.mean(), weighting.weights.min(), weighting.weights.max()]
        np.testing.assert_allclose(ours, [float(one) for one in re.search(line, text).groups()], rtol=PRINTED)


IAC = [
    "age", "gender_num", "weight_first", "sofa_first", "service_unit", "day_icu_intime", "hour_icu_intime", "chf_flg", "afib_flg",
    "renal_flg", "liver_flg", "copd_flg", "cad_flg", "stroke_flg", "mal_flg", "resp_flg", "map_1st", "hr_1st", "temp_1st", "spo2_1st",
    "wbc_first", "hgb_first", "platelet_first", "sodium_first", "potassium_first", "tco2_first", "chloride_first", "bun_first",
    "creatinine_first",
]  # fmt: skip


def test_the_catheter_study_is_that_of_matchit(shared_data, shared_path):
    text = shared_path("reference/observational/ref_iac.out").read_text()
    printed = re.search(r"matched OR (\S+) (\S+) (\S+) rates (\S+) (\S+) max\|SMD\| (\S+)", text)
    ratio, low, high, control, treated, largest = (float(one) for one in printed.groups())
    table = shared_data("mimic2_iac.csv")
    matching = cp.propensity.match(table, treatment="aline_flg", covariates=IAC, caliper=0.2)
    assert len(matching.pairs) == int(re.search(r"pairs (\d+)", text)[1])
    assert len(matching.score.units.rows) == int(re.search(r"complete cases (\d+)", text)[1])
    found = cp.propensity.matched_effect(matching, outcome="day_28_flg")
    np.testing.assert_allclose(found.two.means, [treated, control], rtol=PRINTED)
    odds = found.estimates()[4]
    assert odds.natural().value == pytest.approx(ratio, rel=PRINTED)
    assert odds.std_error == pytest.approx(np.log(high / low) / 2 / 1.959964, rel=PRINTED)
    rows = matching.balance().tidy().filter(pl.col("sample") == "matched", pl.col("variable") != "propensity score")
    assert rows["smd"].abs().max() == pytest.approx(largest, rel=PRINTED)
    adjusted = re.search(r"adj OR (\S+) (\S+) (\S+)", text)
    fit = logistic(table, outcome="day_28_flg", terms=["aline_flg", *IAC]).estimates()[1].natural()
    printed = [float(one) for one in adjusted.groups()]
    assert fit.value == pytest.approx(printed[0], rel=PRINTED)
    np.testing.assert_allclose([fit.interval.low, fit.interval.high], printed[1:], rtol=STEP_BEFORE)
