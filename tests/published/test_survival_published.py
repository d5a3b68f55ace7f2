"""Remission of leukemia on 6-mercaptopurine and placebo (Freireich 1963, as printed by Gehan 1965, table 1)."""

import polars as pl
import pytest

import counterpulse.survival as survival

PRINTED_3 = 5e-4  # absolute; three decimals are printed
PRINTED_2 = 5e-3  # absolute; two decimals are printed

DRUG = [6, 6, 6, 7, 10, 13, 16, 22, 23]
DRUG_CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
WEEKS = {"time": "weeks", "event": "relapse"}


@pytest.fixture(scope="module")
def remission():
    return pl.DataFrame(
        {
            "weeks": DRUG + DRUG_CENSORED + PLACEBO,
            "relapse": [True] * 9 + [False] * 12 + [True] * 21,
            "arm": ["6-MP"] * 21 + ["placebo"] * 21,
        }
    )


def test_kaplan_meier_of_kleinbaum_and_klein(remission):
    """Kleinbaum and Klein, Survival Analysis (3rd ed. 2012), chapter 2: curve of group 1, medians 23 and 8."""
    fit = survival.kaplan_meier(remission, by="arm", **WEEKS)
    printed = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    for week, value in printed.items():
        assert fit.curve("6-MP").at(week).value == pytest.approx(value, abs=PRINTED_3)
    assert [one.value for one in fit.quantile()] == [23, 8]


def test_log_rank_of_kleinbaum_and_klein(remission):
    """Chapter 2: expected 19.25 and 10.75 of 9 and 21, chi-squared 16.79."""
    test = survival.log_rank(remission, by="arm", **WEEKS)
    assert test.observed == (9, 21)
    assert test.expected == pytest.approx((19.25, 10.75), abs=PRINTED_2)
    assert test.statistic == pytest.approx(16.79, abs=PRINTED_2)


def test_cox_model_of_kleinbaum_and_klein(remission):
    """Chapter 3, model 1 (Breslow's ties): coefficient 1.509, standard error 0.410, hazard ratio 4.523 (2.027, 10.094)."""
    fit = survival.cox(remission, terms=["arm"], ties="breslow", **WEEKS)
    (row,) = fit.tidy().iter_rows(named=True)
    assert fit.coefficients[0] == pytest.approx(1.509, abs=PRINTED_3)
    assert row["std_error"] == pytest.approx(0.410, abs=PRINTED_3)
    assert row["estimate"] == pytest.approx(4.523, abs=PRINTED_3)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((2.027, 10.094), abs=PRINTED_3)
