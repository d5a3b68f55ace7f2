"""Three published networks against netmeta 2.7 (moment estimator, everything) and metafor's rma.mv (ML and REML)."""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse.synthesis.networks.from_arms import network_from_arms, network_from_means
from counterpulse.synthesis.networks.network_meta_analysis import network
from counterpulse.synthesis.networks.node_splitting import split_nodes
from counterpulse.synthesis.networks.ranking import p_scores

REFERENCE = Path(__file__).parent / "reference"
STORED = json.loads((REFERENCE / "meta_network.json").read_text())["sets"]
LIKELIHOOD = json.loads((REFERENCE / "meta_network_rma_mv.json").read_text())
ARMS = json.loads((REFERENCE / "meta_network_arms.json").read_text())

CLOSED_FORM = 1e-8
ITERATIVE = 1e-6  # rma.mv stops where its own likelihood is flat to about 1e-7 of tau2
NOTHING = 1e-9  # a variance of this size is zero where the others are about 0.1
SETS = sorted(STORED)


def floats(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def fitted(name, **options):
    given = STORED[name]["contrasts"]
    kept = [row for row, value in enumerate(given["effect"]) if value is not None]
    column = {key: [values[row] for row in kept] for key, values in given.items()}
    variances = np.array(column["std_error"]) ** 2
    return network(
        column["effect"], variances, column["treatment_1"], column["treatment_2"], column["study"], **options
    )


def triangle(matrix):
    return matrix[np.triu_indices(len(matrix), 1)]


def close(found, expected, tolerance=CLOSED_FORM):
    np.testing.assert_allclose(found, floats(expected), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SETS)
def test_effects_of_both_models(name):
    made, expected = fitted(name, tau2="DL"), STORED[name]["DL"]
    assert list(made.treatments) == STORED[name]["treatments"]
    close(triangle(made.common.effects.estimate), expected["TE_common"])
    close(triangle(made.common.effects.std_error), expected["seTE_common"])
    effects = made.random.effects
    for found, key in (
        (effects.estimate, "TE_random"), (effects.std_error, "seTE_random"), (effects.lower, "lower_random"),
        (effects.upper, "upper_random"), (effects.p_value, "pval_random"), (made.prediction_low, "lower_predict"),
        (made.prediction_high, "upper_predict"), (made.random.evidence.direct.estimate, "TE_direct"),
        (made.random.evidence.indirect.estimate, "TE_indirect"), (made.common.evidence.share, "P_common"),
    ):  # fmt: skip
        close(triangle(found), expected[key])


@pytest.mark.parametrize("name", SETS)
def test_heterogeneity(name):
    made, expected = fitted(name, tau2="DL"), STORED[name]["DL"]
    found = [made.k, len(made.contrasts.effects), len(made.treatments), len(made.decomposition.within_design)]
    assert found == [expected[key] for key in ("k", "m", "n", "d")]
    parts = made.decomposition
    found = [made.q, made.q_df, made.q_p_value, made.i2, made.i2_interval.low, made.i2_interval.high, made.tau2,
             parts.within.statistic, parts.within.df, parts.between.statistic, parts.between.df]  # fmt: skip
    keys = ("Q", "df_Q", "pval_Q", "I2", "lower_I2", "upper_I2", "tau2", "Q_het", "df_het", "Q_inc", "df_inc")
    close(found, [expected[key] for key in keys])


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("model", ["common", "random"])
def test_p_scores_in_both_directions(name, model):
    made, expected = fitted(name, tau2="DL"), STORED[name]["DL"]
    close(made.model(model).p_scores, expected["pscore_good"][model])
    close(p_scores(made.model(model).effects, small_values="bad"), expected["pscore_bad"][model])


@pytest.mark.parametrize("name", SETS)
def test_node_splitting(name):
    made, expected = fitted(name, tau2="DL"), STORED[name]["DL"]["netsplit"]
    splits = {(split.treatment, split.against): split for split in split_nodes(made).splits}
    compared = 0
    for row, comparison in enumerate(expected["comparison"]):
        first, second = comparison.split(":")
        share = expected["prop"][row]
        if not share:
            assert not {(first, second), (second, first)} & set(splits)
            continue
        turned = (first, second) not in splits
        split, side = splits[(second, first) if turned else (first, second)], -1 if turned else 1
        close(split.direct_share, [share])
        close(side * split.direct.value, [expected["direct"][row]])
        close(side * split.indirect.value, [expected["indirect"][row]])
        close(side * split.difference.value, [expected["diff"][row]])
        if expected["diff"][row] is not None:
            compared += 1
            difference = split.difference
            close([difference.std_error, side * difference.statistic, difference.p_value],
                  [expected[key][row] for key in ("se", "z", "p")])  # fmt: skip
        else:
            assert split.difference.status.code == "undefined"
    assert compared > 3
    assert len(splits) == sum(share > 0 for share in expected["prop"])


@pytest.mark.parametrize("name", SETS)
def test_decomposition_by_design(name):
    made, expected = fitted(name, tau2="DL").decomposition, STORED[name]["DL"]["decomp"]
    for part, row in ((made.total, 0), (made.within, 1), (made.between, 2)):
        close([part.statistic, part.df, part.p_value], [expected["Q_decomp"][key][row] for key in ("Q", "df", "pval")])
    random, theirs = made.between_random, expected["Q_inc_random"]
    found = [random.statistic, random.df, random.p_value, np.sqrt(made.tau2_within)]
    close(found, [theirs[key][0] for key in ("Q", "df", "pval", "tau.within")])
    detached = {frozenset(each.design): each.test for each in made.detached}
    theirs = expected["Q_design"]
    assert set(detached) == {frozenset(design.split(":")) for design in theirs["design"]}
    for row, design in enumerate(theirs["design"]):
        test = detached[frozenset(design.split(":"))]
        close([test.statistic, test.df, test.p_value], [theirs[key][row] for key in ("Q", "df", "pval")])
    assert sum(each.test.statistic for each in made.within_design) == pytest.approx(
        made.within.statistic, rel=CLOSED_FORM
    )


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("estimator", ["REML", "ML"])
def test_likelihood_estimators_as_rma_mv(name, estimator):
    made, expected = fitted(name, tau2=estimator), LIKELIHOOD[name][estimator]
    assert made.tau2 == pytest.approx(expected["tau2"], rel=ITERATIVE, abs=NOTHING)
    for treatment, value in expected["effects"].items():
        found = made.effect(treatment, expected["first"])
        assert found.value == pytest.approx(value, rel=ITERATIVE, abs=ITERATIVE)
        assert found.std_error == pytest.approx(expected["std_errors"][treatment], rel=ITERATIVE)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("estimator", ["REML", "ML"])
def test_everything_but_tau2_as_netmeta_with_its_own_tau2(name, estimator):
    expected = STORED[name][estimator]
    made = fitted(name, tau2=expected["tau2"])
    effects = made.random.effects
    for found, key in ((effects.estimate, "TE_random"), (effects.std_error, "seTE_random"),
                       (made.prediction_low, "lower_predict"), (made.prediction_high, "upper_predict")):  # fmt: skip
        close(triangle(found), expected[key])


@pytest.mark.parametrize("name", SETS)
def test_from_what_the_arms_printed(name):
    arms = {key: values for key, values in ARMS[name].items() if key != "measure"}
    made = network_from_means(**arms, tau2="DL") if "mean" in arms else network_from_arms(**arms, tau2="DL")
    expected = STORED[name]["DL"]
    assert made.k == expected["k"]
    close(triangle(made.random.effects.estimate), expected["TE_random"])
    close(triangle(made.random.effects.std_error), expected["seTE_random"])


@pytest.mark.parametrize("name", ["senn2013_MD", "hasselblad1998_OR", "dogliotti2014_OR"])
def test_the_stored_numbers_are_those_of_the_shared_files(name, shared_path):
    shared = json.loads(shared_path(f"reference/meta/nma_{name}.json").read_text())
    stored = STORED[name.split("_")[0]]
    for estimator in ("DL", "REML", "ML"):
        order = [shared[estimator]["trts"].index(treatment) for treatment in stored["treatments"]]
        for key, values in stored[estimator].items():
            theirs = shared[estimator][key]
            if isinstance(theirs, dict) and "m" in theirs:
                matrix = np.array(theirs["m"], dtype=float)[np.ix_(order, order)]
                np.testing.assert_array_equal(triangle(matrix), floats(values))
            elif not isinstance(theirs, (dict, list)):
                assert theirs == values
