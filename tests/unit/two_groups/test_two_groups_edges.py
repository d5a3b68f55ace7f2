from math import inf, isnan

import numpy as np
import pytest

from counterpulse import two_groups
from counterpulse.errors import InputError
from counterpulse.results import REFERENCES, Status
from counterpulse.two_groups import (
    analysis_of_variance,
    cochran_armitage,
    expected_counts,
    fisher_exact,
    fisher_monte_carlo,
    jonckheere_terpstra,
    kruskal_wallis,
    mann_whitney,
    mean_difference,
    pearson_chi_squared,
    single_proportion,
    t_test,
    two_proportions,
)
from counterpulse.two_groups.one_proportion import INTERVALS as ONE
from counterpulse.two_groups.proportions import INTERVALS as TWO

NEAR = 1e-12  # relative; the same closed form
PERMUTED = 0.02  # absolute; four standard errors of 10,000 random tables


def test_every_public_name_is_there():
    for name in two_groups.__all__:
        assert getattr(two_groups, name).__name__ == name
    with pytest.raises(AttributeError):
        two_groups.nothing  # noqa: B018
    assert dir(two_groups) == sorted(two_groups.__all__)


def test_every_citation_is_known():
    methods = [m.citations for kinds in TWO.values() for m in kinds.values()] + [c for _, c in ONE.values()]
    assert {key for keys in methods for key in keys} <= set(REFERENCES)


@pytest.mark.parametrize(
    ("counts", "measure", "interval", "status", "has_interval"),
    [
        ((0, 10, 3, 10), "risk ratio", "wald", Status.ZERO_CELL, False),
        ((3, 10, 0, 10), "risk ratio", "wald", Status.ZERO_CELL, False),
        ((0, 10, 3, 10), "odds ratio", "wald", Status.ZERO_CELL, False),
        ((10, 10, 3, 10), "odds ratio", "wald", Status.ZERO_CELL, False),
        ((10, 10, 3, 10), "risk ratio", "wald", Status.OK, True),
        ((10, 10, 10, 10), "risk ratio", "wald", Status.ZERO_VARIANCE, False),
        ((0, 10, 3, 10), "risk ratio", "miettinen-nurminen", Status.ZERO_CELL, True),
        ((0, 10, 3, 10), "odds ratio", "exact", Status.ZERO_CELL, True),
        ((0, 10, 0, 20), "risk ratio", "miettinen-nurminen", Status.NO_EVENTS, False),
        ((0, 10, 0, 20), "odds ratio", "exact", Status.NO_EVENTS, False),
        ((10, 10, 20, 20), "odds ratio", "miettinen-nurminen", Status.ALL_EVENTS, False),
        ((0, 10, 0, 20), "risk difference", "wald", Status.ZERO_VARIANCE, False),
        ((10, 10, 0, 20), "risk difference", "wald", Status.ZERO_VARIANCE, False),
        ((0, 10, 0, 20), "risk difference", "newcombe", Status.OK, True),
        ((0, 10, 0, 20), "risk difference", "exact", Status.OK, True),
        ((0, 0, 3, 20), "risk difference", "newcombe", Status.EMPTY_GROUP, False),
        ((5, 1000, 3, 1000), "risk difference", "exact", Status.TOO_LARGE, False),
    ],
)
def test_zero_cells_and_empty_groups(counts, measure, interval, status, has_interval):
    estimate = two_proportions(*counts, measure=measure, interval=interval).estimate
    assert estimate.status is status
    assert (estimate.interval is not None) is has_interval
    row = estimate.row()
    assert row["status"] == status.code
    assert row["estimate"] is None or np.isfinite(row["estimate"])


def test_a_ratio_of_zero_keeps_its_upper_limit():
    for interval in ("miettinen-nurminen", "exact"):
        estimate = two_proportions(0, 10, 3, 10, measure="odds ratio", interval=interval).estimate
        assert estimate.value == estimate.interval.low == -inf
        assert 0 < estimate.interval.high < 10
        assert estimate.natural().value == 0
        turned = two_proportions(3, 10, 0, 10, measure="odds ratio", interval=interval).estimate
        assert turned.interval.high == inf


def test_a_conditional_table_with_one_possibility_is_undefined():
    assert two_proportions(1, 1, 0, 0, measure="odds ratio", interval="exact").estimate.status is Status.EMPTY_GROUP


def test_large_counts_stay_exact():
    estimate = two_proportions(30_000, 100_000, 29_000, 100_000, measure="odds ratio", interval="exact").estimate
    wald = two_proportions(30_000, 100_000, 29_000, 100_000, measure="odds ratio", interval="wald").estimate
    close = 1e-3
    assert estimate.interval.low == pytest.approx(wald.interval.low, abs=close)
    assert estimate.interval.high == pytest.approx(wald.interval.high, abs=close)


def test_groups_and_names_are_carried():
    result = two_proportions(43, 53, 36, 48, treated="early pump", reference="standard care")
    assert [g.group for g in result.groups] == ["early pump", "standard care"]
    assert result.groups[0].events == 43
    (estimate,) = result.estimates()
    assert (estimate.term, estimate.reference) == ("early pump", "standard care")
    assert result.provenance.citations == ("miettinen-nurminen-1985",)


@pytest.mark.parametrize(
    "call",
    [
        lambda: two_proportions(5, 4, 1, 3),
        lambda: two_proportions(-1, 4, 1, 3),
        lambda: two_proportions(1.5, 4, 1, 3),
        lambda: two_proportions(1, 4, 1, 3, measure="hazard ratio"),
        lambda: two_proportions(1, 4, 1, 3, measure="risk ratio", interval="newcombe"),
        lambda: two_proportions(1, 4, 1, 3, level=95),
        lambda: single_proportion(1, 4, interval="agresti"),
        lambda: pearson_chi_squared([[1, 2]], correction="williams"),
        lambda: pearson_chi_squared([1, 2]),
        lambda: pearson_chi_squared([[1, -2], [1, 1]]),
        lambda: pearson_chi_squared([[1.5, 2], [1, 1]]),
        lambda: fisher_monte_carlo([[1, 2], [1, 1]], draws=0),
        lambda: cochran_armitage([5, 1], [4, 4]),
        lambda: cochran_armitage([1, 1], [4, 4], scores=[1, 2, 3]),
        lambda: mean_difference([1, np.nan], [1, 2]),
        lambda: mean_difference([1, 3], [1, 2], variance="robust"),
        lambda: mean_difference([[1, 3]], [1, 2]),
        lambda: mann_whitney([1, 2], [1, inf]),
        lambda: mann_whitney([1, 2], [1, 2], method="best"),
        lambda: kruskal_wallis([[1, 2]]),
        lambda: analysis_of_variance([[1, 2], [1, 3]], variance="robust"),
    ],
)
def test_misuse_is_refused_with_a_sentence(call):
    with pytest.raises(InputError, match=r"\w+ \w+"):
        call()


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (lambda: t_test([], [1, 2]), Status.EMPTY_GROUP),
        (lambda: t_test([1], [1, 2]), Status.TOO_FEW_ROWS),
        (lambda: t_test([1], [2], variance="pooled"), Status.TOO_FEW_ROWS),
        (lambda: t_test([0.1, 0.1, 0.1], [0.3, 0.3]), Status.ZERO_VARIANCE),
        (lambda: mann_whitney([], [1]), Status.EMPTY_GROUP),
        (lambda: mann_whitney([2, 2], [2]), Status.ZERO_VARIANCE),
        (lambda: mann_whitney([2, 2], [2], method="exact"), Status.TIES),
        (lambda: mann_whitney(np.arange(300), np.arange(300) + 0.5, method="exact"), Status.TOO_LARGE),
        (lambda: kruskal_wallis([[], [1]]), Status.EMPTY_GROUP),
        (lambda: kruskal_wallis([[1], [1, 1]]), Status.ZERO_VARIANCE),
        (lambda: jonckheere_terpstra([[], [1]]), Status.EMPTY_GROUP),
        (lambda: jonckheere_terpstra([[1], [1, 1]]), Status.ZERO_VARIANCE),
        (lambda: analysis_of_variance([[], [1, 2]]), Status.EMPTY_GROUP),
        (lambda: analysis_of_variance([[1], [1, 2]]), Status.TOO_FEW_ROWS),
        (lambda: analysis_of_variance([[1], [1]], variance="pooled"), Status.TOO_FEW_ROWS),
        (lambda: analysis_of_variance([[1, 1], [1, 2]]), Status.ZERO_VARIANCE),
        (lambda: analysis_of_variance([[1, 1], [1, 2]], variance="pooled"), Status.OK),
        (lambda: cochran_armitage([0, 0], [4, 4]), Status.UNDEFINED),
        (lambda: cochran_armitage([0, 0], [0, 0]), Status.UNDEFINED),
        (lambda: pearson_chi_squared([[3, 0], [4, 0]]), Status.UNDEFINED),
        (lambda: pearson_chi_squared([[0, 0], [0, 0]]), Status.UNDEFINED),
        (lambda: fisher_exact([[3, 0], [4, 0]]), Status.UNDEFINED),
        (lambda: fisher_monte_carlo([[3, 0], [4, 0]]), Status.UNDEFINED),
        (lambda: fisher_exact(np.full((4, 6), 40)), Status.TOO_LARGE),
        (lambda: fisher_exact(np.full((9, 9), 9)), Status.TOO_LARGE),
        (lambda: fisher_exact([[3, 4, 9], [4, 8, 1]], most_work=20), Status.TOO_LARGE),
    ],
)
def test_data_that_allow_no_test_give_a_status(result, status):
    found = result()
    assert found.status is status
    assert isnan(found.p_value) is (status is not Status.OK)


def test_one_patient_in_a_group_can_be_pooled():
    assert t_test([1], [2, 4, 5], variance="pooled").status is Status.OK


def test_single_proportion_edges():
    assert single_proportion(0, 0).estimate.status is Status.NO_ROWS
    assert single_proportion(0, 9, interval="wald").estimate.status is Status.ZERO_VARIANCE
    assert single_proportion(3, 9, interval="wald").estimate.std_error == pytest.approx((2 / 81) ** 0.5, rel=NEAR)
    assert single_proportion(3, 9).estimates()[0].interval.kind == "wilson"


def test_expected_counts():
    assert expected_counts([[1, 3], [3, 1]]).tolist() == [[2, 2], [2, 2]]
    assert expected_counts([[0, 0]]).tolist() == [[0, 0]]


def test_larger_tables_have_no_yates_correction_and_say_so():
    table = [[3, 4, 9], [4, 8, 1]]
    assert pearson_chi_squared(table, correction="yates") == pearson_chi_squared(table)


def test_monte_carlo_is_repeatable_and_near_the_exact_value():
    table = [[4, 2, 1], [3, 0, 6], [1, 5, 5]]
    first, second = fisher_monte_carlo(table), fisher_monte_carlo(table)
    assert first == second
    assert fisher_monte_carlo(table, seed=2).p_value != first.p_value
    assert first.p_value == pytest.approx(fisher_exact(table).p_value, abs=PERMUTED)


def test_mean_difference_carries_names_and_unit():
    result = mean_difference([1, 2, 4], [0, 3, 5], treated="pump", reference="none", unit="mmol/L")
    assert result.estimates()[0].unit == "mmol/L"
    assert [g.n for g in result.groups] == [3, 3]
    assert result.estimate.statistic_name == "t"
