"""NHEFS: the stored ref_nhefs.out (8 digits), and glm() and lm() of R 4.2.2 (reference/make_doubly_robust.R, 17 digits)."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import counterpulse.regression as regression
from counterpulse.data.terms import Categorical, Interaction

PRINTED = 1e-7  # relative; printed with 8 digits
ITERATIVE = 1e-9  # relative; glm run to 1e-15
MOVED = 1e-7  # relative; the fluctuation is near zero, and glm() ends at a step below 1e-8 of it
NEAR_ZERO = 1e-6  # relative; a difference of two logits that are almost equal
STORED = json.loads((Path(__file__).parent / "reference/doubly_robust.json").read_text())
SQUARED = ("age", "smokeintensity", "smokeyrs", "wt71")
COVARIATES = [
    "sex", "race", "age", "age_2", Categorical("education"), "smokeintensity", "smokeintensity_2", "smokeyrs",
    "smokeyrs_2", Categorical("exercise"), Categorical("active"), "wt71", "wt71_2",
]  # fmt: skip


@pytest.fixture(scope="module")
def nhefs(shared_data):
    table = shared_data("nhefs.csv").filter(pl.col("wt82").is_not_null())
    return table.with_columns((pl.col(name) ** 2).alias(f"{name}_2") for name in SQUARED)


def test_what_if_chapters_12_and_13(nhefs):
    scores = regression.logistic(nhefs, outcome="qsmk", terms=COVARIATES).predict(nhefs)
    weights = np.where(nhefs["qsmk"] == 1, 1 / scores, 1 / (1 - scores))
    np.testing.assert_allclose(
        [weights.mean(), weights.min(), weights.max()], [1.9962841, 1.0537416, 16.700094], rtol=PRINTED
    )
    weighted = regression.linear(nhefs, outcome="wt82_71", terms=["qsmk"], weights=weights)
    assert weighted.coefficients[1] == pytest.approx(3.4405354, rel=PRINTED)
    fit = regression.linear(
        nhefs, outcome="wt82_71", terms=["qsmk", *COVARIATES, Interaction("qsmk", "smokeintensity")]
    )
    standardized = regression.standardize(fit, nhefs, variable="qsmk", treated=1, reference=0)
    np.testing.assert_allclose(standardized.means, [5.2735873, 1.7562131], rtol=PRINTED)
    effect = regression.aipw(nhefs, outcome="wt82_71", treatment="qsmk", covariates=COVARIATES).estimates()[2]
    assert (effect.value, effect.std_error) == (
        pytest.approx(3.3732646, rel=PRINTED),
        pytest.approx(0.47284439, rel=PRINTED),
    )


@pytest.mark.parametrize(("name", "outcome"), [("weight", "wt82_71"), ("death", "death")])
@pytest.mark.parametrize("method", ["aipw", "tmle"])
@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATC"])
def test_against_glm(nhefs, name, outcome, method, estimand):
    stored, kind = STORED[name][method], estimand.lower()
    found = getattr(regression, method)(
        nhefs, outcome=outcome, treatment="qsmk", covariates=COVARIATES, estimand=estimand
    )
    np.testing.assert_allclose(found.two.means, stored[kind], rtol=ITERATIVE)
    covariance = found.two.covariance
    errors = np.sqrt([covariance[0, 0], covariance[1, 1], [1, -1] @ covariance @ [1, -1]])
    np.testing.assert_allclose(errors, stored[f"{kind}_error"], rtol=ITERATIVE)
    difference = next(row for row in found.estimates() if row.measure.endswith("difference"))
    assert difference.value == pytest.approx(stored[kind][0] - stored[kind][1], rel=MOVED)
    if method == "tmle" and estimand == "ATE":
        np.testing.assert_allclose(list(found.fluctuations.values()), stored["fluctuations"], rtol=MOVED)


@pytest.mark.parametrize("target", ["all", "treated", "untreated"])
def test_risks_standardized_over_the_target(nhefs, target):
    fit = regression.logistic(nhefs, outcome="death", terms=["qsmk", *COVARIATES])
    among = None if target == "all" else nhefs["qsmk"].to_numpy() == (target == "treated")
    found = regression.standardize(fit, nhefs, variable="qsmk", treated=1, reference=0, among=among)
    stored = STORED["standardized"][target]
    np.testing.assert_allclose(found.means, stored["risks"], rtol=ITERATIVE)
    difference, ratio = found.estimates()[3], found.odds_ratio()
    assert difference.std_error == pytest.approx(stored["difference_error"], rel=ITERATIVE)
    assert ratio.value == pytest.approx(stored["odds_ratio"], rel=NEAR_ZERO)
    assert ratio.std_error == pytest.approx(stored["odds_ratio_error"], rel=ITERATIVE)
