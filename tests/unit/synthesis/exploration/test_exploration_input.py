import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.results.status import Status
from counterpulse.synthesis.exploration.baujat import baujat
from counterpulse.synthesis.exploration.bias_adjusted import DesignBias, bias_adjusted
from counterpulse.synthesis.exploration.cumulative import cumulative
from counterpulse.synthesis.exploration.gosh import gosh
from counterpulse.synthesis.exploration.henmi_copas import henmi_copas
from counterpulse.synthesis.exploration.influence import influence
from counterpulse.synthesis.exploration.leave_one_out import leave_one_out
from counterpulse.synthesis.exploration.robust import robust
from counterpulse.synthesis.exploration.standardized_residuals import rstandard
from counterpulse.synthesis.exploration.subgroups import subgroups
from counterpulse.synthesis.small_study.excess_significance import excess_significance
from counterpulse.synthesis.small_study.fail_safe_n import fail_safe_n

Y = [-0.9, -0.2, -0.6, 0.1, -0.4]
V = [0.1, 0.05, 0.2, 0.08, 0.15]
NO_BIAS = {"trial": (0, 0)}
ALL = {
    "leave_one_out": leave_one_out,
    "cumulative": cumulative,
    "influence": influence,
    "rstandard": rstandard,
    "baujat": baujat,
    "gosh": gosh,
    "henmi_copas": henmi_copas,
    "fail_safe_n": fail_safe_n,
    "excess_significance": excess_significance,
    "robust": lambda y, v: robust(y, v, range(len(list(y)))),
    "subgroups": lambda y, v: subgroups(y, v, ["a", "b", "a", "b", "b"][: len(list(y))]),
    "bias_adjusted": lambda y, v: bias_adjusted(y, v, ["trial"] * len(list(y)), bias=NO_BIAS),
}


@pytest.mark.parametrize("name", ALL)
def test_lists_arrays_and_series_give_the_same(name):
    first = ALL[name](Y, V).provenance
    assert ALL[name](np.array(Y), pl.Series(V)).provenance == first
    assert first.method
    assert first.choices


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("y", "v", "said"),
    [
        (Y, [0.1, 0.0, 0.2, -1.0, 0.15], "rows 2, 4"),
        ([-0.9, float("nan"), -0.6, 0.1, -0.4], V, "row 2"),
        (Y, V[:4], "4"),
        ([], [], "no study"),
    ],
)
def test_what_cannot_be_pooled_is_named(name, y, v, said):
    with pytest.raises(InputError, match=said):
        ALL[name](y, v)


@pytest.mark.parametrize("name", ALL)
def test_tidy_has_a_row_a_result(name):
    assert ALL[name](Y, V).tidy().height >= 1


@pytest.mark.parametrize("name", ["leave_one_out", "influence", "baujat", "gosh", "henmi_copas", "subgroups"])
def test_one_study_is_too_few(name):
    with pytest.raises(InputError):
        ALL[name](Y[:1], V[:1])


def test_two_studies():
    found = leave_one_out(Y[:2], V[:2])
    whole, *alone = found.estimates()
    assert whole.df == 1
    assert [row.status for row in alone] == [Status.ONE_STUDY] * 2
    assert [row.interval.kind for row in alone] == ["wald"] * 2
    assert np.isnan(found.without.tau2).all()
    assert gosh(Y[:2], V[:2]).size.tolist() == [2]
    assert henmi_copas(Y[:2], V[:2]).effect.interval.low < henmi_copas(Y[:2], V[:2]).effect.value


def test_one_study_comes_in_alone():
    found = cumulative(Y[:1], V[:1])
    assert found.estimates()[0].status is Status.ONE_STUDY
    assert robust(Y[:1], V[:1], ["a"]).status is Status.TOO_FEW_ROWS


def test_equal_effects_leave_no_hartung_knapp_interval():
    found = leave_one_out([0.3] * 4, [0.1, 0.2, 0.1, 0.3])
    assert [row.status for row in found.estimates()] == [Status.ZERO_VARIANCE] * 5
    assert [row.interval for row in found.estimates()] == [None] * 5
    assert robust([0.3] * 4, [0.1, 0.2, 0.1, 0.3], range(4)).estimates()[0].status is Status.ZERO_VARIANCE
    assert influence([0.3] * 4, [0.1, 0.2, 0.1, 0.3]).influential.tolist() == [False] * 4


def test_estimates_carry_measure_and_scale():
    first, *_ = leave_one_out(Y, V, measure="odds ratio", scale="log").estimates()
    assert (first.measure, first.scale) == ("odds ratio", "log")
    assert first.natural().value == pytest.approx(np.exp(first.value))


def test_labels_and_order():
    found = cumulative(Y, V, by=[2003, 2001, 2002, 2001, 2000], labels=list("abcde"))
    assert found.labels == ("e", "b", "d", "c", "a")
    assert found.tidy()["k"].to_list() == [1, 2, 3, 4, 5]
    with pytest.raises(InputError, match="2 labels and 5 studies"):
        cumulative(Y, V, labels=["a", "b"])
    with pytest.raises(InputError, match="missing"):
        cumulative(Y, V, by=[1, 2, None, 4, 5])
    with pytest.raises(InputError, match="5 studies"):
        cumulative(Y, V, by=[1, 2])


def test_words_and_levels_are_checked():
    with pytest.raises(InputError, match="REML"):
        leave_one_out(Y, V, tau2="best")
    with pytest.raises(InputError, match="hartung-knapp"):
        cumulative(Y, V, interval="exact")
    with pytest.raises(InputError, match=r"0\.95"):
        subgroups(Y, V, list("ababa"), level=95)
    with pytest.raises(InputError, match="CR2"):
        robust(Y, V, range(5), variance="HC3")
    with pytest.raises(InputError, match="correlated"):
        robust(Y, V, range(5), working="exchangeable")
    with pytest.raises(InputError, match="correlation"):
        robust(Y, V, range(5), rho=1.0)
    with pytest.raises(InputError, match="rosenthal"):
        fail_safe_n(Y, V, method="egger")
    with pytest.raises(InputError, match="orwin"):
        fail_safe_n(Y, V, target=0.1)
    with pytest.raises(InputError, match="other than 0"):
        fail_safe_n(Y, V, method="orwin", target=0)
    with pytest.raises(InputError, match="alpha"):
        excess_significance(Y, V, alpha=5)
    with pytest.raises(InputError, match="tau2"):
        excess_significance(Y, V, tau2=-1)
    with pytest.raises(InputError, match="1 or more"):
        gosh(Y, V, subsets=0)


def test_groups():
    with pytest.raises(InputError, match="one group"):
        subgroups(Y, V, ["a"] * 5)
    with pytest.raises(InputError, match="3 labels and 5 effects"):
        subgroups(Y, V, ["a", "b", "a"])
    with pytest.raises(InputError, match="label is missing"):
        subgroups(Y, V, ["a", "b", None, "a", "b"])
    single = subgroups(Y, V, ["a", "a", "a", "a", "b"])
    assert single.estimates()[-1].status is Status.ONE_STUDY
    assert single.between_adjusted is None
    assert np.isfinite(single.between.p_value)
    shared = subgroups(Y, V, ["a", "a", "a", "a", "b"], common_tau2=True)
    assert shared.estimates()[-1].status is Status.OK
    assert shared.between_adjusted is not None
    with pytest.raises(InputError, match="merge groups"):
        subgroups(Y, V, list("abcde"), common_tau2=True)
    equal = subgroups([0.3, 0.3, 0.1, 0.1], [0.1, 0.2, 0.1, 0.3], list("aabb"), common_tau2=True)
    assert equal.between_adjusted is None
    assert [row.status for row in equal.estimates()[1:]] == [Status.ZERO_VARIANCE] * 2


def test_clusters_as_many_as_coefficients_have_no_variance():
    found = robust(Y, V, ["a", "a", "a", "b", "b"], [1.0, 2.0, 3.0, 4.0, 5.5])
    assert found.status is Status.TOO_FEW_ROWS
    assert [row.status for row in found.estimates()] == [Status.TOO_FEW_ROWS] * 2
    few = robust(Y, V, ["a", "a", "a", "b", "b"])
    assert few.status is Status.OK
    assert few.estimates()[0].notes
    with pytest.raises(InputError, match="x1"):
        robust(Y, V, range(5), [1.0] * 5)


def test_bias_is_stated_for_every_design():
    design = ["trial", "trial", "cohort", "cohort", "trial"]
    with pytest.raises(InputError, match="'cohort'"):
        bias_adjusted(Y, V, design, bias=NO_BIAS)
    for wrong in [(0,), (0, 1, 2, 3), ("a", "b"), (0, -1), (0, 1, 0.5), (float("nan"), 0), 3]:
        with pytest.raises(InputError, match="cohort"):
            bias_adjusted(Y, V, design, bias={**NO_BIAS, "cohort": wrong})
    found = bias_adjusted(Y, V, design, bias={**NO_BIAS, "cohort": DesignBias(-0.1, 0.2, 1.2), "unused": (0, 0)})
    stated = {choice.name: choice.value for choice in found.provenance.choices if choice.name.startswith("bias")}
    assert stated == {
        "bias of trial": "mean 0, sd 0, inflation 1",
        "bias of cohort": "mean -0.1, sd 0.2, inflation 1.2",
    }
    assert found.studies()["design"].to_list() == design


def test_quality_weights_are_refused_with_the_reason():
    with pytest.raises(InputError, match="Greenland and O'Rourke"):
        bias_adjusted(Y, V, ["trial"] * 5, bias=NO_BIAS, quality_weights=[1, 2, 3, 4, 5])


def test_sampled_subsets_depend_on_the_seed_alone():
    random = np.random.default_rng(1)
    y, v = random.normal(0, 1, 20), random.uniform(0.1, 1, 20)
    first, again, other = gosh(y, v, subsets=300), gosh(y, v, subsets=300), gosh(y, v, subsets=300, seed=2)
    assert not first.complete
    assert len(first.effect) == 300
    assert (first.membership == again.membership).all()
    assert (first.membership != other.membership).any()
    assert first.membership.shape == (300, 3)
    assert (first.members().sum(axis=1) == first.size).all()
    assert first.size.min() >= 2
    assert first.members(7).tolist() == first.members()[:, 6].tolist()
    with pytest.raises(InputError, match="count from 1"):
        first.members(0)


def test_a_fail_safe_n_of_a_result_that_is_not_significant_is_zero():
    assert fail_safe_n([0.1, -0.1], [1.0, 1.0]).n == 0
    assert fail_safe_n([0.1, -0.1], [1.0, 1.0], method="rosenberg").n == 0
    assert fail_safe_n([0.4, 0.4], [1.0, 1.0], method="orwin", target=0.1).n == 6


def test_studies_of_very_different_size():
    found = henmi_copas([0.1, 0.9, -0.5], [1e-6, 10.0, 20.0])
    assert found.effect.interval.low < 0.1 < found.effect.interval.high
    certain = excess_significance([5.0, 6.0], [1e-6, 1e-6], test="chi-squared")
    assert (certain.statistic, certain.p_value) == (0.0, 1.0)
