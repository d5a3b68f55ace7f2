import numpy as np
import pytest

from counterpulse.errors import InputError
from counterpulse.results.block import KINDS
from counterpulse.results.references import REFERENCES
from counterpulse.synthesis.networks.component_network import component_network
from counterpulse.synthesis.networks.contributions import contributions
from counterpulse.synthesis.networks.from_arms import network_from_arms
from counterpulse.synthesis.networks.geometry import geometry
from counterpulse.synthesis.networks.league_table import league_table
from counterpulse.synthesis.networks.network_meta_analysis import network
from counterpulse.synthesis.networks.node_splitting import split_nodes
from counterpulse.synthesis.networks.ranking import rankogram

CLOSED_FORM = 1e-9
ITERATIVE = 1e-6  # tau2 of two runs of the same maximizer
NOTHING = 1e-9

EVENTS = [9, 16, 19, 3, 13, 8, 24, 42, 39, 42, 5, 3, 12, 20, 7, 9]
PATIENTS = [335, 336, 336, 212, 208, 210, 552, 568, 555, 545, 194, 91, 300, 310, 250, 240]
TREATMENTS = ["warfarin", "aspirin", "none", "warfarin", "none", "warfarin", "aspirin", "none", "warfarin", "aspirin",
              "aspirin", "none", "aspirin", "none", "apixaban", "warfarin"]  # fmt: skip
STUDIES = ["A", "A", "A", "B", "B", "C", "C", "C", "D", "D", "E", "E", "F", "F", "G", "G"]


@pytest.fixture(scope="module")
def made():
    return network_from_arms(EVENTS, PATIENTS, TREATMENTS, STUDIES, reference="none")


def test_estimates_are_against_the_reference_on_the_log_scale(made):
    estimates = made.estimates()
    assert [estimate.term for estimate in estimates] == ["apixaban", "aspirin", "warfarin"]
    assert {estimate.reference for estimate in estimates} == {"none"}
    assert {estimate.scale for estimate in estimates} == {"log"}
    i, j = made.random.effects.at("warfarin", "none")
    assert estimates[2].value == made.random.effects.estimate[i, j]
    assert estimates[2].interval.low == pytest.approx(made.random.effects.lower[i, j], rel=CLOSED_FORM)
    assert estimates[2].p_value == pytest.approx(made.random.effects.p_value[i, j], rel=ITERATIVE)
    interval = made.prediction_interval("warfarin", "none")
    assert interval.low <= estimates[2].interval.low
    assert made.tidy()["estimate"][2] == pytest.approx(np.exp(estimates[2].value))
    assert len(made.estimates("common")) == 3
    with pytest.raises(InputError, match="common or random"):
        made.estimates("fixed")
    with pytest.raises(InputError, match="not in the network"):
        made.effect("warfarin", "surgery")


def test_everything_cited_is_a_reference(made):
    for provenance in (made.provenance, split_nodes(made).provenance):
        cited = {*provenance.citations, *(choice.reference for choice in provenance.choices if choice.reference)}
        assert cited <= set(REFERENCES)
    dl = network_from_arms(EVENTS, PATIENTS, TREATMENTS, STUDIES, tau2="dl")
    assert set(dl.provenance.citations) <= set(REFERENCES)


def test_league_table_has_the_columns_of_its_block(made):
    table = league_table(made)
    assert table.columns == list(KINDS["league-table"])
    assert table.filter(evidence="network").height == 12
    direct = table.filter(evidence="direct")
    assert direct.height == 2 * len(geometry(made.contrasts).edges)
    assert direct["prediction_low"].null_count() == direct.height
    row = table.filter(row="warfarin", column="none", evidence="network").row(0, named=True)
    assert row["estimate"] == pytest.approx(np.exp(made.effect("warfarin", "none").value))
    best = made.treatments[int(np.argmax(made.random.p_scores))]
    assert table["row"][0] == best


def test_a_treatment_that_hangs_on_one_comparison_cannot_be_split(made):
    splits = {(split.treatment, split.against): split for split in split_nodes(made).splits}
    hanging = splits["apixaban", "warfarin"]
    assert hanging.direct_share == pytest.approx(1)
    assert hanging.difference.status.code == "undefined"
    assert hanging.indirect.status.code == "undefined"
    assert hanging.difference.notes
    assert hanging.network.value == pytest.approx(hanging.direct.value)
    assert split_nodes(made, model="common").tidy().height == len(splits)


def test_geometry_counts_studies(made):
    drawn = geometry(made.contrasts)
    assert {node.treatment: node.studies for node in drawn.nodes} == {
        "apixaban": 1, "aspirin": 5, "none": 5, "warfarin": 5,
    }  # fmt: skip
    assert {(edge.treatment_1, edge.treatment_2): edge.studies for edge in drawn.edges} == {
        ("apixaban", "warfarin"): 1, ("aspirin", "none"): 4, ("aspirin", "warfarin"): 3, ("none", "warfarin"): 3,
    }  # fmt: skip
    assert (("aspirin", "none", "warfarin"), 2) in drawn.designs
    assert made.random.evidence.studies.sum() == 2 * sum(edge.studies for edge in drawn.edges)


def test_contributions_of_a_bridge_pass_over_it(made):
    shared = contributions(made)
    at = shared.comparisons.index(("apixaban", "none"))
    bridge = shared.evidence.index(("apixaban", "warfarin"))
    assert shared.hat[at, bridge] == pytest.approx(1)
    assert 1 / 3 < shared.share[at, bridge] < 1 / 2
    assert shared.share[shared.comparisons.index(("apixaban", "warfarin")), bridge] == pytest.approx(1)


def test_ranks_need_a_draw(made):
    with pytest.raises(InputError, match="at least one draw"):
        rankogram(made.treatments, made.random.fit, small_values="good", seed=1, draws=0)
    few = rankogram(made.treatments, made.random.fit, small_values="bad", seed=2, draws=10)
    np.testing.assert_allclose(few.probabilities.sum(axis=1), 1)


def test_a_given_variance_is_used(made):
    again = network(made.contrasts.effects, made.contrasts.variances,
                    [made.treatments[at] for at in made.contrasts.first], [made.treatments[at] for at in made.contrasts.second],
                    [study.study for study in made.contrasts.studies for _ in range(len(study.arms) * (len(study.arms) - 1) // 2)],
                    tau2=0.25)  # fmt: skip
    assert again.tau2 == again.random.tau2 == 0.25
    assert again.random.effects.std_error[0, 1] > made.common.effects.std_error[0, 1]


def test_the_common_effect_has_no_prediction_interval():
    made = network_from_arms(EVENTS, PATIENTS, TREATMENTS, STUDIES, tau2="common")
    assert made.tau2 == 0
    assert np.isnan(made.prediction_low[0, 1])
    np.testing.assert_array_equal(made.random.effects.estimate, made.common.effects.estimate)


def test_single_components_are_the_network_itself(made):
    additive = component_network(made, inactive="none")
    assert additive.components == ("apixaban", "aspirin", "warfarin")
    assert additive.tau2 == pytest.approx(made.tau2, rel=ITERATIVE, abs=NOTHING)
    np.testing.assert_allclose(additive.treatments.estimate, made.random.effects.estimate, rtol=ITERATIVE, atol=NOTHING)
    np.testing.assert_allclose(
        additive.treatments.std_error, made.random.effects.std_error, rtol=ITERATIVE, atol=NOTHING
    )
    assert additive.additivity.df == 0
    assert additive.test.statistic == pytest.approx(made.q, rel=CLOSED_FORM)


def test_components_add_up_by_dense_least_squares():
    effects, variances = [0.5, 0.9, 0.2, 0.6, -0.1], [0.1, 0.2, 0.1, 0.3, 0.2]
    first = ["drug", "drug + talk", "talk", "drug + talk", "talk"]
    second = ["usual", "usual", "usual", "talk", "drug"]
    made = network(effects, variances, first, second, list("ABCDE"))
    additive = component_network(made, inactive="usual", tau2="DL")
    x = np.array([[1, 0], [1, 1], [0, 1], [1, 0], [-1, 1]], dtype=float)
    weight = np.diag(1 / (np.array(variances) + additive.tau2))
    bread = np.linalg.inv(x.T @ weight @ x)
    np.testing.assert_allclose(additive.effects, bread @ x.T @ weight @ effects, rtol=CLOSED_FORM)
    np.testing.assert_allclose(additive.covariance, bread, rtol=CLOSED_FORM)
    assert [estimate.term for estimate in additive.estimates()] == ["drug", "talk"]
    assert additive.additivity.df == 1
    assert additive.tidy().height == 2
    assert set(additive.provenance.citations) <= set(REFERENCES)
    i, j = additive.treatments.at("drug + talk", "usual")
    assert additive.treatments.estimate[i, j] == pytest.approx(additive.effects.sum())


def test_components_that_cannot_be_told_apart():
    made = network([0.5, 0.4], [0.1, 0.1], ["a+b", "a+b"], ["none", "none"], ["A", "B"])
    with pytest.raises(InputError, match="cannot tell the components a, b apart"):
        component_network(made, inactive="none")
    with pytest.raises(InputError, match="'c' is not a component"):
        component_network(made, inactive="c")
