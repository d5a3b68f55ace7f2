"""Numbers as printed in papers and books."""

from math import log

import pytest

from counterpulse.two_groups import (
    fisher_exact,
    fisher_monte_carlo,
    single_proportion,
    two_proportions,
)

PRINTED = 5.1e-5  # half a unit of the fourth decimal, as printed
TWO_DECIMALS = 5.1e-3  # half a unit of the second decimal, as printed
THREE_DECIMALS = 3e-4  # half a unit of the third decimal of an odds ratio of 1.8, on the log scale
SIX_DECIMALS = 2e-6  # a P value printed with six decimals, doubled
MONTE_CARLO = 0.012  # four standard errors of 20,000 draws
FRACTION = 1e-12  # relative; a ratio of two small integers

# Newcombe RG. Stat Med 1998;17:873-90, Table II: events, patients, then limits of method 10 and of method 6
NEWCOMBE_TABLE_II = [
    ((56, 70, 48, 80), (0.0524, 0.3339), (0.0528, 0.3382)),
    ((9, 10, 3, 10), (0.1705, 0.8090), (0.1700, 0.8406)),
    ((6, 7, 2, 7), (0.0582, 0.8062), (0.0342, 0.8534)),
    ((5, 56, 0, 29), (-0.0381, 0.1926), (-0.0326, 0.1933)),
    ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844)),
    ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879)),
    ((10, 10, 0, 20), (0.6791, 1.0), (0.7156, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0), (0.6636, 1.0)),
]


@pytest.mark.parametrize(("counts", "hybrid", "score"), NEWCOMBE_TABLE_II)
def test_newcombe_1998_table_ii(counts, hybrid, score):
    for kind, printed in [("newcombe", hybrid), ("miettinen-nurminen", score)]:
        interval = two_proportions(*counts, interval=kind).estimate.interval
        assert (interval.low, interval.high) == pytest.approx(printed, abs=PRINTED)


def test_tea_tasting():
    """Agresti, Categorical Data Analysis, 2nd ed., section 3.5.2: 3 of 4 cups named, two-sided P = 0.486."""
    assert fisher_exact([[3, 1], [1, 3]]).p_value == pytest.approx(34 / 70, rel=FRACTION)


def test_job_satisfaction():
    """Agresti, Categorical Data Analysis, Table 2.8; the help page of R's fisher.test prints P = 0.7827."""
    table = [[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]]
    assert fisher_exact(table).p_value == pytest.approx(0.7827, abs=PRINTED)
    monte_carlo = fisher_monte_carlo(table, draws=20_000)
    assert monte_carlo.p_value == pytest.approx(0.7827, abs=MONTE_CARLO)


def test_exact_unconditional_interval():
    """Chan and Zhang's method as the tests of the R package lrstat print it, six decimals."""
    estimate = two_proportions(2, 30, 1, 30, interval="exact").estimate
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((-0.111153, 0.200071), abs=SIX_DECIMALS)
    assert two_proportions(2, 68, 1, 65, interval="exact").estimate.p_value == pytest.approx(
        2 * 0.354387, abs=SIX_DECIMALS
    )


def test_wilson_1998():
    """Newcombe RG. Stat Med 1998;17:857-72, Table I: 81/263, 15/148, 0/20, 1/29 by method 3."""
    for (events, n), printed in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        interval = single_proportion(events, n).estimate.interval
        assert (interval.low, interval.high) == pytest.approx(printed, abs=PRINTED)


def test_physicians_health_study():
    """Agresti, An Introduction to Categorical Data Analysis, 2nd ed., 2.2-2.3: placebo 189/11,034, aspirin 104/11,037."""
    odds_ratio = two_proportions(189, 11034, 104, 11037, measure="odds ratio", interval="wald").estimate
    assert odds_ratio.value == pytest.approx(log(1.832), abs=THREE_DECIMALS)
    natural = odds_ratio.natural()
    assert (natural.interval.low, natural.interval.high) == pytest.approx((1.44, 2.33), abs=TWO_DECIMALS)
    risk_ratio = two_proportions(189, 11034, 104, 11037, measure="risk ratio", interval="wald").estimate.natural()
    assert risk_ratio.value == pytest.approx(1.82, abs=TWO_DECIMALS)
    assert (risk_ratio.interval.low, risk_ratio.interval.high) == pytest.approx((1.43, 2.31), abs=TWO_DECIMALS)
