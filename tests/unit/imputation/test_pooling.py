from math import inf, isnan

import numpy as np
import pytest

from counterpulse.errors import InputError
from counterpulse.imputation import chi_squared_d2, likelihood_ratio_d3, pool, pool_coefficients, pool_vector, wald_d1
from counterpulse.results import Estimate, Interval, Status

CLOSED = 1e-12


def one(value=0.3, error=0.1, term="a", **more):
    given = {"measure": "odds ratio", "scale": "log", "interval": Interval(0, 1, 0.9, "wald"), **more}
    return Estimate(term=term, value=value, std_error=error, **given)


def test_terms_are_matched_by_name_not_by_place():
    pooled = pool([(one(1.0), one(5.0, term="b")), (one(7.0, term="b"), one(3.0))])
    assert [(found.term, found.value) for found in pooled.estimates()] == [("a", 2.0), ("b", 6.0)]
    assert pooled.m == 2
    assert pooled.glance()["between"].to_list() == [2.0, 2.0]


def test_the_level_of_the_interval_is_kept_and_nothing_is_tested_that_was_not():
    pooled = pool([one(), one(0.4)]).estimates()[0]
    assert pooled.interval.level == 0.9
    assert (pooled.statistic, pooled.p_value) == (None, None)


def test_the_null_value_of_the_tests_is_kept():
    tests = [one(value, statistic=(value - 0.2) / 0.1, statistic_name="z", p_value=0.1) for value in (0.3, 0.5)]
    pooled = pool(tests).estimates()[0]
    assert pooled.statistic == pytest.approx((0.4 - 0.2) / pooled.std_error, rel=CLOSED)
    ratio = [one(value, statistic=4.0, statistic_name="chi-squared", p_value=0.05) for value in (0.3, 0.5)]
    assert pool(ratio).estimates()[0].statistic == pytest.approx(0.4 / pooled.std_error, rel=CLOSED)
    differ = [one(0.3, statistic=z, statistic_name="z", p_value=0.1) for z in (1.0, 2.0)]
    assert pool(differ).estimates()[0].p_value is None


def test_what_failed_in_one_table_is_not_pooled_over_the_others():
    failed = Estimate(term="a", measure="odds ratio", scale="log", value=float("nan"), status=Status.SEPARATION)
    pooled = pool([one(), failed, one()])
    estimate = pooled.estimates()[0]
    assert (estimate.status, isnan(estimate.value), estimate.notes) == (
        Status.SEPARATION, True, ("In 1 of 3 imputed tables.",),
    )  # fmt: skip
    assert pooled.glance()["total"].to_list() == [None]


def test_a_term_of_some_tables_only():
    estimate = pool([(one(), one(term="b")), (one(),)]).estimates()[1]
    assert estimate.status is Status.IMPUTATIONS_DIFFER
    assert estimate.notes == ("In 1 of 2 imputed tables.",)


def test_without_a_standard_error_there_is_a_mean_and_no_interval():
    estimate = pool([one(1.0, None), one(2.0, None)]).estimates()[0]
    assert (estimate.value, estimate.std_error, estimate.interval) == (1.5, None, None)


def test_degrees_of_freedom_of_the_fits_are_used():
    own = pool([one(df=22.0), one(0.5, df=22.0)]).terms[0].rubin.df
    assert own == pool([one(), one(0.5)], df_complete=22).terms[0].rubin.df
    assert (
        pool([one(), one(0.5)], df_complete=22, rule="rubin").terms[0].rubin.df
        == pool([one(), one(0.5)]).terms[0].rubin.df
    )


def test_joint_tests_at_their_edges():
    nothing = wald_d1(np.array([1.0, 2.0]), np.eye(2), np.zeros((2, 2)), m=5)
    assert (nothing.statistic, nothing.df_denominator, nothing.relative_increase) == (2.5, inf, 0.0)
    assert wald_d1(np.ones(2), np.ones((2, 2)), np.eye(2), m=5).status is Status.UNDEFINED
    assert chi_squared_d2([4.0, 4.0, 4.0], df=2).statistic == pytest.approx(2.0, rel=CLOSED)
    assert likelihood_ratio_d3([4.0, 5.0], [4.5, 6.0], df=1).relative_increase == 0.0
    few = wald_d1(np.ones(1), np.eye(1), np.eye(1), m=3, df_complete=10)  # too few for Reiter's
    assert few.df_denominator == pytest.approx(2 * 2 * (1 + 3 / 4) ** 2 / 2, rel=CLOSED)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pool([one()]), "two imputed tables"),
        (lambda: pool([]), "two imputed tables"),
        (lambda: pool([(one(), one()), (one(),)]), "pool them apart"),
        (lambda: pool([(1.0,), (2.0,)]), "takes for each imputed table"),
        (lambda: pool([one(), one()], df_complete=0), "above 0"),
        (lambda: pool([one(), one()], rule="student"), "not known"),
        (lambda: pool_coefficients([]), "two imputed tables"),
        (lambda: pool_vector([[1.0], [2.0]], np.zeros((2, 2, 2))), "covariances of shape"),
        (lambda: chi_squared_d2([1.0, -1.0], df=1), "0 or more"),
        (lambda: likelihood_ratio_d3([1.0, 2.0], [1.0], df=1), "one finite statistic of either kind"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
