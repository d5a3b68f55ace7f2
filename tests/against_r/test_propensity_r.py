"""Matching, weighting and balance of the Lalonde data: MatchIt 4.7.2, cobalt 4.5.1, WeightIt 0.14.2 (ref_matching.R and others)."""

import re

import numpy as np
import polars as pl
import pytest

import counterpulse as cp

COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
PRINTED = 1e-9  # ten digits were printed
ZERO = 1e-15  # absolute; differences of equal means
R_SCORE = 1e-6  # relative; glm stopped at its default tolerance, 3e-8 from the maximum (logit)
R_SCORE_SMD = 1e-7  # absolute, for the same reason
SIX_DECIMALS = 5.1e-7  # absolute; so many were printed
EBAL_SCORE = 2e-4  # relative; WeightIt's optimizer left standardized differences up to 9e-5
LIKELY = {"caliper": 0.2}

GOLDEN = {
    "nn": {"on": "probability"},
    "nn_cal02": {"on": "probability", **LIKELY},
    "nn_logitcal02": LIKELY,
    "order_smallest": {"order": "smallest", **LIKELY},
    "order_closest": {"order": "closest", **LIKELY},
    "order_farthest": {"order": "farthest", **LIKELY},
    "order_data": {"order": "data", **LIKELY},
    "ratio2": {"ratio": 2, **LIKELY},
    "ratio_variable": {"ratio": 2, "min_controls": 1, "max_controls": 3, **LIKELY},
    "replace": {"replace": True},
    "exact": {"exact": ("married", "race"), **LIKELY},
    "caliper_age2": {"caliper": 0.25, "caliper_on": {"age": 2}},
}


@pytest.fixture(scope="module")
def lalonde(shared_data):
    return shared_data("lalonde.csv")


@pytest.fixture(scope="module")
def golden(shared_path, lalonde):
    place = {name: row for row, name in enumerate(lalonde["id"])}

    def read(name):
        path = shared_path(f"reference/observational/lalonde_{name}_pairs.csv")
        pairs = pl.read_csv(path, null_values="NA").drop_nulls().select("treated", "control")
        named = pairs["treated"].dtype == pl.String
        return sorted(tuple(place[one] if named else one - 1 for one in row) for row in pairs.rows())

    return read


# Two decisions of `replace` and `order_farthest` are between distances that are equal but for rounding, in R too: they are
# reproduced by how the score is rounded (COEFFICIENT_DIGITS), not by a rule.
@pytest.mark.parametrize("name", GOLDEN)
def test_pairs_are_those_of_matchit(name, lalonde, golden):
    found = cp.propensity.match(lalonde, treatment="treat", covariates=COVARIATES, **GOLDEN[name])
    assert sorted(found.pairs.rows()) == golden(name)
    left_out = 185 - found.pairs["treated"].n_unique()
    assert found.estimand == ("matched treated" if left_out else "ATT")


@pytest.mark.parametrize(("name", "caliper"), [("ties", None), ("ties_cal01", 0.1)])
def test_ties_are_broken_as_in_matchit(name, caliper, lalonde, golden, shared_path):
    rounded = pl.read_csv(shared_path("reference/observational/lalonde_ties_ps.csv"))["p"].to_numpy()
    found = cp.propensity.match(lalonde, treatment="treat", score=rounded, on="probability", caliper=caliper)
    assert sorted(found.pairs.rows()) == golden(name)


@pytest.fixture(scope="module")
def printed(shared_path):
    text = shared_path("reference/observational/ref_matching.out").read_text()
    sections = re.split(r"\n\[([^\]]+)\]", text)
    return dict(zip(sections[1::2], sections[2::2], strict=True))


def numbers(section, label):
    line = next(line for line in section.splitlines() if line.split()[:1] == [label] and "(ESS)" not in line)
    return [float(word) for word in line.split()[1:] if word not in ("NA", ".")]


def table_after(section, heading):
    return section[section.index(heading) :]


def matchit_name(row):
    return row["variable"] + (row["level"] or "")


MATCHED = {
    "NN 1:1 default (order=largest, no caliper)": GOLDEN["nn"],
    "NN caliper .2 SD of PS (distance glm)": GOLDEN["nn_cal02"],
    "NN caliper .2 SD of logit PS (Austin)": GOLDEN["nn_logitcal02"],
    "NN closest logit caliper .2": GOLDEN["order_closest"],
    "NN replace": {"replace": True, "on": "probability"},
    "NN exact race + logit caliper": {"exact": "race", **LIKELY},
    "NN 2:1": GOLDEN["ratio2"],
}


@pytest.mark.parametrize("section", MATCHED)
def test_balance_is_that_of_matchit(section, lalonde, printed):
    found = cp.propensity.match(lalonde, treatment="treat", covariates=COVARIATES, **MATCHED[section])
    table = found.balance().tidy().filter(pl.col("variable") != "propensity score")
    for sample, heading in (("unadjusted", "SMD all:"), ("matched", "SMD matched:")):
        for row in table.filter(sample=sample).rows(named=True):
            smd, *ratio, _, ks = numbers(table_after(printed[section], heading), matchit_name(row))
            np.testing.assert_allclose([row["smd"], row["ks"]], [smd, ks], rtol=PRINTED, atol=ZERO)
            np.testing.assert_allclose([row["variance_ratio"]] if ratio else [], ratio, rtol=PRINTED)
    effective = [
        float(number) for number in re.search(r"Matched \(ESS\)\s+([\d.]+)\s+([\d.]+)", printed[section]).groups()
    ]
    sizes = {size.group: size.effective for size in found.balance().sizes if size.sample == "matched"}
    np.testing.assert_allclose([sizes["control"], sizes["treated"]], effective, rtol=PRINTED)


@pytest.mark.parametrize("section", MATCHED)
def test_counts_and_distances_are_those_of_matchit(section, lalonde, printed):
    options = {"treatment": "treat", "covariates": COVARIATES, **MATCHED[section]}
    score = cp.propensity.propensity_score(lalonde, treatment="treat", covariates=COVARIATES)
    distance = score.probability if options.get("on") else score.logit
    found = cp.propensity.match(lalonde.with_columns(distance=pl.Series(distance)), **options)
    treated, control = found.n_matched
    ours = {
        "All": [429, 185], "Matched": [control, treated], "Unmatched": [429 - control, 185 - treated], "Discarded": [0, 0],
    }  # fmt: skip
    for label, counts in ours.items():
        assert numbers(printed[section], label) == counts
    table = found.balance(covariates=["distance"]).tidy().filter(variable="distance")
    for row, heading in zip(table.rows(named=True), ("SMD all:", "SMD matched:"), strict=True):
        smd, ratio, _, ks = numbers(table_after(printed[section], heading), "distance")
        np.testing.assert_allclose([row["smd"], row["variance_ratio"]], [smd, ratio], rtol=R_SCORE)
        assert row["ks"] == pytest.approx(ks, rel=PRINTED)


def test_the_score_is_that_of_glm(lalonde, printed):
    names, values = [], []
    for line in printed["lalonde PS coef"].split("\n"):
        words = line.split()
        (values if words and words[0].lstrip("-")[:1].isdigit() else names).extend(words)
    stored = dict(zip(names, map(float, values), strict=True))
    score = cp.propensity.propensity_score(lalonde, treatment="treat", covariates=COVARIATES)
    ours = {
        "(Intercept)"
        if column.variable == "(intercept)"
        else column.variable + (column.term if column.reference else ""): value
        for column, value in zip(score.model.columns, score.model.coefficients, strict=True)
    }
    assert {name: pytest.approx(value, rel=R_SCORE) for name, value in stored.items()} == ours


def test_balance_is_that_of_cobalt(lalonde, printed):
    matching = cp.propensity.match(lalonde, treatment="treat", covariates=COVARIATES, **GOLDEN["nn"])
    table = matching.balance().tidy()
    section = printed["cobalt bal.tab m1 binary=std"]
    cells = [line.split() for line in section.split("\n") if re.match(r"\S+ +(Distance|Contin\.|Binary) ", line)]
    lines = {name: [float(word) for word in words if word != "."] for name, _, *words in cells}
    for name in table["variable"].unique(maintain_order=True):
        for level in table.filter(variable=name)["level"].unique(maintain_order=True):
            rows = table.filter(pl.col("variable") == name, pl.col("level").eq_missing(level)).rows(named=True)
            label = "distance" if name == "propensity score" else name + (f"_{level}" if level else "")
            ours = [
                row[column] for row in rows for column in ("smd", "variance_ratio", "ks") if row[column] is not None
            ]
            np.testing.assert_allclose(ours, lines[label], rtol=0, atol=SIX_DECIMALS)


def difference(table, weights):
    outcome, treated = table["re78"].to_numpy(), table["treat"].to_numpy() == 1
    return np.average(outcome[treated], weights=weights[treated]) - np.average(
        outcome[~treated], weights=weights[~treated]
    )


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATC", "ATO", "ATM"])
def test_weights_are_those_of_weightit(estimand, lalonde, printed):
    section = printed[f"weightit glm {estimand} "]
    found = cp.propensity.weight(lalonde, treatment="treat", covariates=COVARIATES, estimand=estimand)
    estimate, total_treated, total_control = (
        float(re.search(rf"{label}\s+(-?[\d.]+)", section)[1]) for label in ("\nest", "sumw1", "sumw0")
    )
    np.testing.assert_allclose(difference(lalonde, found.weights), estimate, rtol=R_SCORE)
    np.testing.assert_allclose(found.tidy()["sum"], [total_control, total_treated], rtol=R_SCORE)
    np.testing.assert_allclose(found.tidy()["effective"], numbers(section, "Adjusted"), rtol=R_SCORE)
    known = cp.propensity.weight(
        lalonde, treatment="treat", covariates=COVARIATES, estimand=estimand, score=found.probabilities[:, 1]
    )
    effect = cp.propensity.weighted_effect(known, outcome="re78").estimates()[2]
    assert effect.std_error == pytest.approx(float(re.search(r"HC0 (\S+)", section)[1]), rel=R_SCORE)
    robust = cp.regression.linear(lalonde, outcome="re78", terms=["treat"], weights=found.weights)
    assert robust.estimates()[1].std_error == pytest.approx(float(re.search(r"HC3 (\S+)", section)[1]), rel=R_SCORE)
    table = found.balance().tidy()
    for row in table.rows(named=True):
        label = "prop.score" if row["level"] is None and row["variable"].startswith("prop") else row["variable"]
        label += f"_{row['level']}" if row["level"] else ""
        expected = numbers(section, label)[row["sample"] == "weighted"]
        np.testing.assert_allclose(row["smd"], expected, rtol=R_SCORE, atol=R_SCORE_SMD)


@pytest.mark.parametrize("estimand", ["ATT", "ATE"])
def test_entropy_balancing_is_near_that_of_weightit_and_balances_exactly(estimand, lalonde, printed):
    section = next(text for name, text in printed.items() if name.startswith(f"weightit ebal {estimand}"))
    found = cp.propensity.weight(
        lalonde, treatment="treat", covariates=COVARIATES, estimand=estimand, method="entropy-balancing"
    )
    estimate = float(re.search(r"est (-?[\d.]+)", section)[1])
    np.testing.assert_allclose(difference(lalonde, found.weights), estimate, rtol=EBAL_SCORE)
    assert found.balance().largest("weighted") < R_SCORE_SMD
    np.testing.assert_allclose(found.tidy()["effective"], numbers(section, "Adjusted"), rtol=EBAL_SCORE)


def test_coarsened_exact_matching_is_that_of_matchit(lalonde, printed):
    found = cp.propensity.coarsened_exact(lalonde, treatment="treat", covariates=COVARIATES)
    section = printed["CEM default"]
    row = found.glance().row(0, named=True)
    np.testing.assert_allclose(
        [row["effective_control"], row["effective_treated"]],
        [float(number) for number in re.search(r"Matched \(ESS\)\s+([\d.]+)\s+([\d.]+)", section).groups()],
        rtol=PRINTED,
    )
    assert (row["kept_control"], row["kept_treated"], row["estimand"]) == (75, 65, "matched treated")
    for line in found.balance().tidy().filter(sample="stratified").rows(named=True):
        smd, *ratio, _, ks = numbers(table_after(section, "SMD matched:"), matchit_name(line))
        np.testing.assert_allclose([line["smd"], line["ks"]], [smd, ks], rtol=PRINTED, atol=ZERO)
        np.testing.assert_allclose([line["variance_ratio"]] if ratio else [], ratio, rtol=PRINTED)


def test_subclasses_are_those_of_matchit(lalonde):
    score = cp.propensity.propensity_score(lalonde, treatment="treat", covariates=COVARIATES)
    found = cp.propensity.subclasses(score, lalonde, covariates=COVARIATES)
    assert found.tidy()["control"].to_list() == [346, 24, 17, 21, 18, 3]
    assert found.tidy()["treated"].to_list() == [31, 31, 29, 32, 31, 31]


def test_effect_in_matched_patients_is_that_of_lm_with_vcovcl(lalonde, printed):
    section = printed["NN 1:1 default (order=largest, no caliper)"]
    value, error = (
        float(number) for number in re.search(r"ATT unadj: (\S+)\s+se HC cluster subclass: (\S+)", section).groups()
    )
    matching = cp.propensity.match(lalonde, treatment="treat", covariates=COVARIATES, **GOLDEN["nn"])
    difference = cp.propensity.matched_effect(matching, outcome="re78").estimates()[2]
    hc1 = np.sqrt((370 - 1) / (370 - 2))  # lm's further factor (n - 1) / (n - k)
    np.testing.assert_allclose([difference.value, difference.std_error * hc1], [value, error], rtol=PRINTED)
    sample = matching.sample()
    fit = cp.regression.linear(
        sample.frame,
        outcome="re78",
        terms=["treat"],
        weights=sample.weights,
        cluster=sample.cluster,
        cluster_variance="CR1",
    )
    np.testing.assert_allclose(fit.estimates()[1].std_error, error, rtol=PRINTED)
