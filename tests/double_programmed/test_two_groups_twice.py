"""Slow and obvious: enumerate everything, or search on a grid."""

from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb, erfc, exp, factorial, log, prod, sqrt

import numpy as np
import pytest

from counterpulse.two_groups import (
    fisher_exact,
    jonckheere_terpstra,
    kruskal_wallis,
    mann_whitney,
    pearson_chi_squared,
    two_proportions,
)

EXACT_SUM = 1e-10  # relative; floating sums against exact fractions
GRID = 2e-3  # absolute; the slow interval walks the difference in steps of 0.001 and the risk in steps of 0.002
SEARCH = 1e-6  # absolute; golden section finds a risk to 1.5e-8, which up to 56 patients turn into 4e-7 of z
SAME = 1e-7  # relative; the tie rule of fisher_exact itself


def tables_with_margins(rows, columns):
    """Every table, cell by cell."""
    if len(rows) == 1:
        yield [list(columns)]
        return
    for first in product(*(range(min(rows[0], c) + 1) for c in columns)):
        if sum(first) == rows[0]:
            left = [c - f for c, f in zip(columns, first, strict=True)]
            for rest in tables_with_margins(rows[1:], left):
                yield [list(first), *rest]


def slow_fisher(table):
    rows, columns = [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]
    top = prod(map(factorial, rows)) * prod(map(factorial, columns))

    def probability(cells):
        return Fraction(top, factorial(sum(rows)) * prod(factorial(cell) for row in cells for cell in row))

    observed = probability(table)
    return float(sum(p for p in map(probability, tables_with_margins(rows, columns)) if p <= observed * (1 + SAME)))


@pytest.mark.parametrize(
    "table",
    [
        [[3, 1], [1, 3]],
        [[0, 5], [6, 2]],
        [[2, 0, 3], [1, 4, 1]],
        [[4, 2, 1], [3, 0, 6], [1, 5, 5]],
        [[1, 0, 2, 1], [0, 3, 1, 1]],
        [[2, 1], [0, 3], [4, 1]],
        [[1, 2, 0], [2, 0, 1], [0, 1, 2], [1, 1, 1]],
    ],
)
def test_fisher_by_enumeration(table):
    assert fisher_exact(table).p_value == pytest.approx(slow_fisher(table), rel=EXACT_SUM)


def test_fisher_of_random_tables():
    random = np.random.default_rng(7)
    for shape in [(2, 3), (3, 3), (2, 4), (3, 2)]:
        for _ in range(4):
            table = random.integers(0, 5, size=shape) + np.eye(*shape, dtype=int)
            assert fisher_exact(table).p_value == pytest.approx(slow_fisher(table.tolist()), rel=EXACT_SUM)


@pytest.mark.parametrize(("m", "n"), [(1, 4), (3, 4), (5, 5), (4, 7)])
def test_exact_mann_whitney_by_enumeration(m, n):
    random = np.random.default_rng(m * n)
    values = random.permutation(np.arange(m + n)).astype(float)
    statistic = sum(x > y for x in values[:m] for y in values[m:])
    ws = [sum(x > y for x in chosen for y in set(values) - set(chosen)) for chosen in combinations(values, m)]
    tail = min(sum(w <= statistic for w in ws), sum(w >= statistic for w in ws)) / comb(m + n, m)
    result = mann_whitney(values[:m], values[m:], method="exact")
    assert result.statistic == statistic
    assert result.p_value == pytest.approx(min(1.0, 2 * tail), rel=EXACT_SUM)


@pytest.mark.parametrize("groups", [[[1, 4], [2, 2], [3]], [[1, 1, 2], [2, 3], [5, 1]]])
def test_moments_of_rank_statistics_over_all_permutations(groups):
    """J and the Kruskal-Wallis statistic against the mean and variance over every arrangement of the values."""
    flat = [v for group in groups for v in group]
    cuts = np.cumsum([len(group) for group in groups])[:-1]
    arranged = [np.split(np.array(order, dtype=float), cuts) for order in permutations(flat)]

    def slow_j(parts):
        return sum(
            (b > a) + (b == a) / 2 for i, j in combinations(range(len(parts)), 2) for a in parts[i] for b in parts[j]
        )

    js = np.array([slow_j(parts) for parts in arranged])
    z = (slow_j(np.split(np.array(flat, dtype=float), cuts)) - js.mean()) / js.std()
    result = jonckheere_terpstra(groups)
    two_sided = erfc(abs(z) / sqrt(2))
    assert result.p_value == pytest.approx(two_sided, rel=EXACT_SUM)
    statistics = [kruskal_wallis(parts).statistic for parts in arranged]
    assert np.mean(statistics) == pytest.approx(len(groups) - 1, rel=EXACT_SUM)


def slow_restricted_risks(x1, n1, x0, n0, treated_risk, low, high):
    """The likeliest reference risk by golden section."""

    def loss(p0):
        p1 = treated_risk(p0)
        return -sum(k * log(p) for k, p in [(x1, p1), (n1 - x1, 1 - p1), (x0, p0), (n0 - x0, 1 - p0)] if k)

    ratio = (sqrt(5) - 1) / 2
    for _ in range(200):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    p0 = (low + high) / 2
    return treated_risk(p0), p0


@pytest.mark.parametrize("counts", [(43, 53, 36, 48), (5, 56, 1, 29), (2, 11, 9, 14), (50, 51, 105, 154)])
def test_score_statistic_is_the_quantile_at_the_limits(counts):
    x1, n1, x0, n0 = counts
    inflation = (n1 + n0) / (n1 + n0 - 1)
    edge = 1e-12
    for end in ("low", "high"):
        delta = getattr(two_proportions(*counts).estimate.interval, end)
        p1, p0 = slow_restricted_risks(
            *counts, lambda p, d=delta: p + d, max(0, -delta) + edge, min(1, 1 - delta) - edge
        )
        variance = p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0
        z = (x1 / n1 - x0 / n0 - delta) / sqrt(variance * inflation)
        assert abs(z) == pytest.approx(1.959963984540054, abs=SEARCH)

        ratio = exp(getattr(two_proportions(*counts, measure="risk ratio").estimate.interval, end))
        p1, p0 = slow_restricted_risks(*counts, lambda p, r=ratio: r * p, edge, min(1, 1 / ratio) - edge)
        variance = p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0
        z = (x1 / n1 - ratio * x0 / n0) / sqrt(variance * inflation)
        assert abs(z) == pytest.approx(1.959963984540054, abs=SEARCH)

        odds = exp(getattr(two_proportions(*counts, measure="odds ratio").estimate.interval, end))
        p1, p0 = slow_restricted_risks(*counts, lambda p, o=odds: p * o / (1 + p * (o - 1)), edge, 1 - edge)
        # with one nuisance risk the score of the log odds ratio is its treated part, in units of its information
        information = 1 / (1 / (n1 * p1 * (1 - p1)) + 1 / (n0 * p0 * (1 - p0)))
        z = (x1 - n1 * p1) / sqrt(information) / sqrt(inflation)
        assert abs(z) == pytest.approx(1.959963984540054, abs=SEARCH)


def slow_exact_lower(x1, n1, x0, n0, tail):
    """Walk the difference upward until the worst tail over a fine grid of risks is large enough."""

    def score(a, b, delta):
        if (a, b, delta) in known:
            return known[a, b, delta]
        low, high = max(0, -delta), min(1, 1 - delta)
        p1, p0 = slow_restricted_risks(
            a, n1, b, n0, lambda p: min(max(p + delta, 1e-15), 1 - 1e-15), low + 1e-12, high - 1e-12
        )
        gap, variance = a / n1 - b / n0 - delta, p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0
        known[a, b, delta] = gap / sqrt(variance)
        return known[a, b, delta]

    known = {}
    low, high = -0.999, x1 / n1 - x0 / n0
    while high - low > 1e-3:
        delta = (low + high) / 2
        observed = score(x1, x0, delta)
        region = [(a, b) for a in range(n1 + 1) for b in range(n0 + 1) if score(a, b, delta) >= observed - 1e-7]
        worst = max(
            sum(
                comb(n1, a) * (p + delta) ** a * (1 - p - delta) ** (n1 - a) * comb(n0, b) * p**b * (1 - p) ** (n0 - b)
                for a, b in region
            )
            for p in np.arange(max(0, -delta), min(1, 1 - delta), 2e-3)
        )
        low, high = (low, delta) if worst > tail else (delta, high)
    return low


@pytest.mark.parametrize("counts", [(5, 6, 2, 6), (1, 5, 0, 4)])
def test_exact_unconditional_limits(counts):
    x1, n1, x0, n0 = counts
    interval = two_proportions(*counts, interval="exact").estimate.interval
    assert interval.low == pytest.approx(slow_exact_lower(x1, n1, x0, n0, 0.025), abs=GRID)
    assert interval.high == pytest.approx(-slow_exact_lower(x0, n0, x1, n1, 0.025), abs=GRID)


def test_campbell_is_pearson_times_n_minus_one_over_n():
    plain, campbell = (pearson_chi_squared([[9, 3], [2, 8]], correction=c).statistic for c in ("none", "n-1"))
    assert campbell == pytest.approx(plain * 21 / 22, rel=EXACT_SUM)
    score = two_proportions(9, 12, 2, 10).estimate
    assert score.statistic**2 == pytest.approx(campbell, rel=EXACT_SUM)
