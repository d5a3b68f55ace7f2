from itertools import combinations

import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.synthesis.networks.arms import contrasts_from_counts, contrasts_from_means
from counterpulse.synthesis.networks.components import components
from counterpulse.synthesis.networks.from_arms import network_from_arms
from counterpulse.synthesis.networks.network_meta_analysis import network

ROUNDING = 1e-12

RING = ([0.1, 0.2, -0.4], [0.1, 0.2, 0.3], ["pump", "balloon", "drug"], ["balloon", "drug", "pump"], ["A", "B", "C"])


def changed(column, row, value):
    data = [list(values) for values in RING]
    data[column][row] = value
    return data


def multi_arm(value, variance, study="D"):
    names = ["balloon", "drug", "none", "pump"][: len(value)]
    rows = [
        (value[i] - value[j], variance[i] + variance[j], names[i], names[j], study)
        for i, j in combinations(range(len(value)), 2)
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def test_lists_arrays_and_series_give_the_same():
    expected = network(*RING).random.effects.estimate
    np.testing.assert_array_equal(network(*map(np.array, RING)).random.effects.estimate, expected)
    np.testing.assert_array_equal(network(*map(pl.Series, RING)).random.effects.estimate, expected)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (0, np.nan, "yi is missing or infinite in row 2"),
        (0, "0.2?", "yi holds something other than numbers"),
        (1, 0.0, "the variance is not a positive number in row 2"),
        (1, -1.0, "the variance is not a positive number in row 2"),
        (1, np.inf, "the variance is not a positive number in row 2"),
        (2, None, "treatment_1 is empty in row 2"),
        (4, " ", "study is empty in row 2"),
        (2, "drug", "compared with itself in row 2"),
    ],
)
def test_an_unusable_row_is_named(column, value, said):
    with pytest.raises(InputError, match=said):
        network(*changed(column, 1, value))


def test_unequal_lengths():
    with pytest.raises(InputError, match="differ in length \\(yi 3, vi 3, treatment_1 3, treatment_2 3, study 2\\)"):
        network(*RING[:4], ["A", "B"])


def test_no_contrast():
    with pytest.raises(InputError, match="no study"):
        network([], [], [], [], [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tau2": "SJ"}, "in a network it can be one of common, DL, PM, EB, ML, REML"),
        ({"tau2": -0.1}, "a variance is zero or more"),
        ({"level": 1.5}, "level"),
        ({"reference": "surgery"}, "'surgery' is not a treatment of this network; it has balloon, drug, pump"),
        ({"small_values": "low"}, "can be good or bad"),
    ],
)
def test_options_that_do_not_exist(options, said):
    with pytest.raises(InputError, match=said):
        network(*RING, **options)


def test_a_network_that_falls_apart_lists_its_parts():
    said = r"falls into 2 parts that no study joins: \(1\) a, b, c; \(2\) x, y\."
    with pytest.raises(InputError, match=said):
        network([1, 2, 3], [1, 1, 1], ["a", "b", "x"], ["b", "c", "y"], [1, 2, 3])


def test_components_are_largest_first_and_join_late():
    assert components(["a", "c", "y", "b"], ["b", "d", "x", "c"]) == (("a", "b", "c", "d"), ("x", "y"))
    assert components([], []) == ()


def test_a_multi_arm_study_needs_every_contrast_once():
    data = multi_arm([0.0, 0.3, 0.5], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="Study 'D' has no contrast of drug and none"):
        network(*(column[:2] for column in data))
    with pytest.raises(InputError, match="Study 'D' has more than one contrast of balloon and drug"):
        network(*(column + column[:1] for column in data))


def test_effects_of_a_multi_arm_study_must_add_up():
    data = multi_arm([0.0, 0.3, 0.5, 0.2], [0.1, 0.2, 0.3, 0.1])
    data[0][2] *= -1
    with pytest.raises(InputError, match="contrasts of study 'D' do not add up"):
        network(*data)


@pytest.mark.parametrize("arms", [3, 4])
def test_variances_of_a_multi_arm_study_must_be_those_of_arms(arms):
    data = multi_arm([0.0, 0.3, 0.5, 0.2][:arms], [0.1, 0.2, 0.3, 0.1][:arms])
    data[1][0] *= 9
    with pytest.raises(InputError, match="variances of the contrasts of study 'D'"):
        network(*data)


def test_rounded_contrasts_need_a_tolerance():
    data = multi_arm([0.0, 0.34, 0.68], [0.01, 0.02, 0.03])
    data[0] = [round(value, 1) for value in data[0]]
    with pytest.raises(InputError, match="multi_arm_tolerance"):
        network(*data)
    loose = network(*data, multi_arm_tolerance=1.0)
    assert 0.25 < loose.effect("drug", "balloon").value < 0.45


def test_an_arm_measured_without_error_is_allowed():
    """Arm variances of zero (a known rate) leave contrasts with a positive variance."""
    made = network(*multi_arm([0.0, 0.3, 0.5], [0.0, 0.2, 0.3]))
    assert made.effect("drug", "none").std_error == pytest.approx(np.sqrt(0.5))


def test_one_study_of_two_arms_is_its_own_effect():
    made = network([0.5], [0.04], ["pump"], ["none"], ["A"], measure="odds ratio", scale="log")
    (estimate,) = made.estimates()
    assert (estimate.value, estimate.std_error) == (pytest.approx(0.5), pytest.approx(0.2))
    assert estimate.notes
    assert np.isnan([made.tau2, made.i2, made.i2_interval.low, made.prediction_low[0, 1]]).all()
    assert made.status.code == "undefined"
    assert made.q_df == 0


def test_a_tree_has_no_heterogeneity_and_says_so():
    made = network([1.0, 2.0], [0.1, 0.2], ["a", "b"], ["b", "c"], ["A", "B"])
    assert np.isnan(made.tau2)
    assert made.effect("a", "c").value == pytest.approx(3)
    assert made.effect("a", "c").std_error == pytest.approx(np.sqrt(0.3))
    assert not made.decomposition.detached
    assert made.tidy().height == 2


def test_counts_with_an_empty_cell_get_half_in_every_arm_of_that_study_alone():
    events, n = [0, 5, 2, 3, 4], [10, 10, 10, 20, 20]
    made = contrasts_from_counts(events, n, ["a", "b", "c", "a", "b"], ["A", "A", "A", "B", "B"])
    assert made.corrected == ("A",)
    first = np.log(0.5 / 10.5) - np.log(5.5 / 5.5)
    np.testing.assert_allclose(made.yi[0], first, rtol=ROUNDING)
    np.testing.assert_allclose(made.yi[3], np.log(3 / 17) - np.log(4 / 16), rtol=ROUNDING)
    np.testing.assert_allclose(made.vi[3], 1 / 3 + 1 / 17 + 1 / 4 + 1 / 16, rtol=ROUNDING)
    assert made.patients == {"a": 30.0, "b": 30.0, "c": 10.0}


@pytest.mark.parametrize(
    ("measure", "left_out"), [("odds ratio", ("A", "B")), ("risk ratio", ("A", "B")), ("risk difference", ())]
)
def test_a_study_where_nobody_or_everybody_had_the_event(measure, left_out):
    events, n = [0, 0, 10, 10, 3, 4], [10] * 6
    made = contrasts_from_counts(events, n, ["a", "b"] * 3, list("AABBCC"), measure=measure)
    assert made.left_out == left_out
    assert len(made.yi) == 3 - len(left_out)
    if left_out:
        with pytest.raises(InputError, match="No study is left"):
            contrasts_from_counts(events[:4], n[:4], ["a", "b"] * 2, list("AABB"), measure=measure)


def test_risk_measures():
    made = contrasts_from_counts([3, 4], [10, 20], ["a", "b"], ["A", "A"], measure="risk ratio")
    assert made.yi[0] == pytest.approx(np.log(0.3 / 0.2))
    assert made.vi[0] == pytest.approx(1 / 3 - 1 / 10 + 1 / 4 - 1 / 20)
    made = contrasts_from_counts([3, 4], [10, 20], ["a", "b"], ["A", "A"], measure="risk difference")
    assert made.yi[0] == pytest.approx(0.1)
    assert made.vi[0] == pytest.approx(0.3 * 0.7 / 10 + 0.2 * 0.8 / 20)


def test_means():
    made = contrasts_from_means([5.0, 4.0], [2.0, 1.0], [10, 20], ["a", "b"], ["A", "A"], measure="ratio of means")
    assert made.yi[0] == pytest.approx(np.log(5 / 4))
    assert made.vi[0] == pytest.approx(4 / 10 / 25 + 1 / 20 / 16)


@pytest.mark.parametrize(
    ("events", "n", "treatment", "study", "said"),
    [
        ([1, 2], [5, 5], ["a", "b"], ["A", "B"], "Study 'A' has one arm"),
        ([1, 2, 3], [5, 5, 5], ["a", "b", "a"], ["A", "A", "A"], "Study 'A' has more than one arm of a"),
        ([6, 2], [5, 5], ["a", "b"], ["A", "A"], "events is more than n in row 1"),
        ([1.5, 2], [5, 5], ["a", "b"], ["A", "A"], "events is no whole number of 0 or more in row 1"),
        ([0, 2], [0, 5], ["a", "b"], ["A", "A"], "n is zero in row 1"),
    ],
)
def test_arms_that_cannot_be_used(events, n, treatment, study, said):
    with pytest.raises(InputError, match=said):
        network_from_arms(events, n, treatment, study)


def test_means_that_cannot_be_used():
    with pytest.raises(InputError, match="sd is not above 0 in row 2"):
        contrasts_from_means([1, 2], [1, 0], [5, 5], ["a", "b"], ["A", "A"])
    with pytest.raises(InputError, match="mean is not above 0, so it has no ratio, in row 1"):
        contrasts_from_means([-1, 2], [1, 1], [5, 5], ["a", "b"], ["A", "A"], measure="ratio of means")
