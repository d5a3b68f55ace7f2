"""Effect sizes of printed examples: Borenstein, Hedges, Higgins and Rothstein, Introduction to Meta-Analysis (2009), chapters 4,
5, 6 and 7; trials whose paper prints both counts and ratio; Altman, Practical Statistics for Medical Research."""

import numpy as np
import pytest

from counterpulse.synthesis.effects.agreement import cohen_kappa
from counterpulse.synthesis.effects.conversions import odds_ratio_to_smd
from counterpulse.synthesis.effects.correlation import correlations
from counterpulse.synthesis.effects.means import mean_differences, small_sample_factor, standardized_mean_differences
from counterpulse.synthesis.effects.printed_interval import from_interval
from counterpulse.synthesis.effects.two_by_two import two_by_two

FOUR_DECIMALS = 0.5e-4 + 1e-9
ROUNDED_LIMITS = 0.003  # of a log standard error; each limit is rounded by half a hundredth near 0.8 and 1.2
BOOK_ARMS = (103, 5.5, 50, 100, 4.5, 50)


def test_mean_difference_of_the_book():
    made = mean_differences(*BOOK_ARMS, variance="pooled")
    assert made.yi[0] == pytest.approx(3.0)
    assert made.vi[0] == pytest.approx(1.0100, abs=FOUR_DECIMALS)


def test_standardized_difference_of_the_book():
    uncorrected = standardized_mean_differences(*BOOK_ARMS, correction="none")
    assert uncorrected.yi[0] == pytest.approx(0.5970, abs=FOUR_DECIMALS)
    assert uncorrected.vi[0] == pytest.approx(0.0418, abs=FOUR_DECIMALS)
    assert small_sample_factor(np.array([98.0]), "approximate")[0] == pytest.approx(0.9923, abs=FOUR_DECIMALS)
    corrected = standardized_mean_differences(*BOOK_ARMS, correction="approximate")
    assert corrected.yi[0] == pytest.approx(0.5924, abs=FOUR_DECIMALS)


@pytest.mark.parametrize(
    ("measure", "effect", "variance"), [("RR", -0.6931, 0.2800), ("OR", -0.7472, 0.3216), ("RD", -0.0500, 0.0014)]
)
def test_two_by_two_of_the_book(measure, effect, variance):
    made = two_by_two(5, 100, 10, 100, measure=measure)
    assert made.yi[0] == pytest.approx(effect, abs=FOUR_DECIMALS)
    assert made.vi[0] == pytest.approx(variance, abs=FOUR_DECIMALS)


def test_correlation_of_the_book():
    made = correlations(0.5, 100)
    assert (made.yi[0], made.vi[0]) == pytest.approx((0.5493, 0.0103), abs=FOUR_DECIMALS)


def test_odds_ratio_to_difference_of_the_book():
    made = odds_ratio_to_smd(0.9069, 0.0676).effects
    assert (made.yi[0], made.vi[0]) == pytest.approx((0.5000, 0.0205), abs=FOUR_DECIMALS)


@pytest.mark.parametrize(
    ("counts", "printed"),
    [((119, 300, 123, 298), ("0.96", "0.79", "1.17")), ((155, 299, 152, 296), ("1.01", "0.86", "1.18"))],
    ids=["IABP-SHOCK II, 30 days", "IABP-SHOCK II, 12 months"],
)
def test_printed_ratio_is_that_of_the_printed_counts(counts, printed):
    from_counts = two_by_two(*counts, measure="RR")
    low, high = from_counts.limits()
    assert [f"{np.exp(x[0]):.2f}" for x in (from_counts.yi, low, high)] == list(printed)
    from_text = from_interval(*printed, measure="RR")
    assert from_text.problems == ()
    assert np.sqrt(from_text.vi[0]) == pytest.approx(np.sqrt(from_counts.vi[0]), abs=ROUNDED_LIMITS)


def test_kappa_of_a_two_by_two_table():
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second).estimate.value == pytest.approx(0.40)
