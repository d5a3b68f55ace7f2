"""Boundaries and exit probabilities against closed forms, nested quadrature and the multivariate normal distribution."""

from itertools import pairwise
from math import exp, inf, pi, sqrt

import numpy as np
import pytest
from scipy import special
from scipy.integrate import quad

from counterpulse.numerics.group_sequential import boundaries, exit_probabilities, tail_at_look
from counterpulse.numerics.spending_functions import ImpossibleTestError, spent

EXACT = 1e-12
ROOT = 1e-10  # relative; boundaries and drift are found to 1e-13, and a tail changes about as steeply as they do
NESTED = 1e-10  # nested adaptive quadrature
PRINTED = 6e-4  # Jennison and Turnbull print three decimals
TABLED = 2e-4  # the error of a test whose constants are printed with three decimals
LATTICE = 1e-6  # what is left of a randomized lattice rule's error


def phi(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def brownian(timing, region, drift=0.0, *, before=None):
    """P(Z stays within the intervals at all looks), one integral within another."""
    if not region:
        return 1.0
    t, last = timing[0], 0.0 if before is None else before[0]
    start, step = 0.0 if before is None else before[1], sqrt(t - last)

    def on(x):
        return (
            phi((x - start - drift * (t - last)) / step) / step * brownian(timing[1:], region[1:], drift, before=(t, x))
        )

    low, high = (max(end, -9) if end < 0 else min(end, 9) for end in region[0])
    if len(region) == 1:
        ends = [
            (high * sqrt(t) - start - drift * (t - last)) / step,
            (low * sqrt(t) - start - drift * (t - last)) / step,
        ]
        return special.ndtr(ends[0]) - special.ndtr(ends[1])
    return quad(on, low * sqrt(t), high * sqrt(t), epsabs=1e-13, epsrel=1e-12, limit=200)[0]


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.2])
@pytest.mark.parametrize("sides", [1, 2])
def test_one_look_is_the_quantile(alpha, sides):
    got = boundaries([1.0], alpha=alpha, sides=sides, beta=0.1, futility="non-binding")
    assert got.efficacy[0] == pytest.approx(-special.ndtri(alpha / sides), rel=EXACT)
    assert got.inflation == pytest.approx(1, rel=ROOT)


@pytest.mark.parametrize("drift", [0.0, 2.8, -1.0])
@pytest.mark.parametrize("timing", [(0.5, 1.0), (0.1, 0.9), (0.45, 0.5)])
def test_two_looks_by_quadrature(timing, drift):
    region = (((-2.5, 2.2),), ((-1.9, 2.0),))
    below, above, between = exit_probabilities(timing, region, drift=drift)
    assert sum(below) + sum(above) == pytest.approx(1 - brownian(timing, [(-2.5, 2.2), (-1.9, 2.0)], drift), abs=NESTED)
    assert above[1] == pytest.approx(brownian(timing, [(-2.5, 2.2), (2.0, inf)], drift), abs=NESTED)
    assert between == (0, 0)


def test_three_looks_by_quadrature():
    timing, region = (0.3, 0.55, 1.0), [(-1.5, 3.0), (-0.5, 2.4), (-5.0, 2.0)]
    _, above, _ = exit_probabilities(timing, [(one,) for one in region], drift=1.7)
    assert above[2] == pytest.approx(brownian(timing, [*region[:2], (2.0, inf)], 1.7), abs=NESTED)


def test_wedge_by_quadrature():
    timing, wedge = (0.4, 0.7, 1.0), ((-3.0, -0.4), (0.4, 3.0))
    _, above, between = exit_probabilities(timing, [wedge, wedge, ((-2.0, 2.0),)], drift=2.0)
    arms = [(first, second) for first in wedge for second in wedge]
    wanted = sum(brownian(timing, [first, second, (2.0, inf)], 2.0) for first, second in arms)
    assert above[2] == pytest.approx(wanted, abs=NESTED)
    inside = sum(brownian(timing[:2], [first, (-0.4, 0.4)], 2.0) for first in wedge)
    assert between[1] == pytest.approx(inside, abs=NESTED)


def test_five_looks_against_the_multivariate_normal():
    from scipy.stats import multivariate_normal

    got = boundaries([0.2, 0.4, 0.6, 0.8, 1.0])
    t, c = np.array(got.timing), np.array(got.efficacy)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    stays = multivariate_normal(np.zeros(5), correlation, maxpts=400_000, abseps=1e-7, releps=1e-7, seed=1)
    assert stays.cdf(c, lower_limit=-c) == pytest.approx(0.95, abs=LATTICE)


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock", "hwang-shih-decani", "kim-demets"])
@pytest.mark.parametrize("timing", [(0.25, 0.5, 0.75, 1), (0.1, 0.11, 0.9, 1), (0.3, 0.6), (0.2, 0.7, 1.3)])
def test_errors_are_spent_as_planned(spending, timing):
    got = boundaries(timing, alpha=0.04, spending=spending)
    below, above, _ = exit_probabilities(timing, got.continuation())
    assert np.cumsum(above) == pytest.approx([spent(t, 0.02, spending=spending) for t in timing], rel=ROOT)
    assert below == pytest.approx(above, rel=EXACT)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("futility", ["non-binding", "binding"])
def test_power_and_futility(sides, futility):
    got = boundaries([0.3, 0.6, 1], alpha=0.05, sides=sides, beta=0.2, futility=futility)
    assert got.futility[-1] == got.efficacy[-1]
    one_way = [((-inf if np.isnan(b) else b, c),) for b, c in zip(got.futility, got.efficacy, strict=True)]
    below, above, _ = exit_probabilities(got.timing, one_way, drift=got.drift)
    assert sum(above) == pytest.approx(0.8, rel=ROOT)
    assert np.cumsum(below)[1:] == pytest.approx(got.beta_spent[1:], rel=ROOT)
    error = sum(exit_probabilities(got.timing, got.continuation())[1])
    if futility == "binding":
        assert error == pytest.approx(0.05 / sides, rel=ROOT)
    else:
        assert error < 0.05 / sides


def test_power_without_futility():
    got = boundaries([0.5, 1], beta=0.1)
    _, above, _ = exit_probabilities([0.5, 1], [((-inf, c),) for c in got.efficacy], drift=got.drift)
    assert sum(above) == pytest.approx(0.9, rel=ROOT)


def test_pocock_and_obrien_fleming_constants():
    """Jennison and Turnbull 2000, tables 2.1 and 2.3: two-sided alpha of 0.05, five equally spaced looks."""
    timing = np.arange(1, 6) / 5
    flat = exit_probabilities(timing, [((-2.413, 2.413),)] * 5)
    steep = exit_probabilities(timing, [((-2.040 / sqrt(t), 2.040 / sqrt(t)),) for t in timing])
    for below, above, _ in (flat, steep):
        assert sum(below) + sum(above) == pytest.approx(0.05, abs=TABLED)


def test_published_boundaries():
    """Lan-DeMets boundaries of the O'Brien-Fleming type, two-sided 0.05, as tables and programs print them."""
    assert boundaries([0.2, 0.4, 0.6, 0.8, 1]).efficacy == pytest.approx(
        [4.877, 3.357, 2.680, 2.290, 2.031], abs=PRINTED
    )


def test_more_information_lowers_the_boundary():
    first = [boundaries([t, 1.0]).efficacy[0] for t in (0.1, 0.2, 0.4, 0.8)]
    assert all(later < earlier for earlier, later in pairwise(first))


def test_a_look_costs():
    few, many = boundaries([0.5, 1], beta=0.2), boundaries([0.25, 0.5, 0.75, 1], beta=0.2)
    assert 1 < few.inflation < many.inflation
    assert few.efficacy[-1] < many.efficacy[-1]


def test_far_tail_keeps_its_precision():
    got = boundaries([0.02, 0.03, 1])
    assert got.efficacy[0] == pytest.approx(-special.ndtri(spent(0.02, 0.025)), rel=EXACT)
    assert 12 < got.efficacy[1] < got.efficacy[0]


def test_stagewise_tail_at_the_boundary_is_what_was_spent():
    got = boundaries([0.3, 0.7, 1])
    before = [((-c, c),) for c in got.efficacy]
    for look, c in enumerate(got.efficacy):
        tail = tail_at_look(got.timing[: look + 1], before[:look], c)
        assert tail == pytest.approx(got.alpha_spent[look], rel=ROOT)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"timing": []}, "one or more"),
        ({"timing": [0.5, 0.5]}, "increases"),
        ({"timing": [-0.1, 1]}, "above zero"),
        ({"timing": [1], "alpha": 1.2}, "alpha"),
        ({"timing": [1], "sides": 3}, "sides"),
        ({"timing": [1], "futility": "binding"}, "beta"),
        ({"timing": [0.5], "beta": 0.1, "futility": "binding"}, "full information"),
        ({"timing": [1], "beta": 0.99}, "beta"),
        ({"timing": [0.5, 1], "spending": "haybittle"}, "spending"),
        ({"timing": [0.5, 1], "parameter": 2}, "parameter"),
        ({"timing": [0.5, 1], "spending": "kim-demets", "parameter": -1}, "rho"),
    ],
)
def test_misuse(given, asked):
    with pytest.raises(ImpossibleTestError, match=asked):
        boundaries(**given)
