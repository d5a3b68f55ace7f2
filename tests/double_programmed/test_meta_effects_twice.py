"""Effects of printed numbers a second time: from invented patients, by quadrature, by counting."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from math import exp, log, pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import gamma, ndtr, ndtri

from counterpulse.synthesis.effects.agreement import cohen_kappa
from counterpulse.synthesis.effects.event_counts import events_from_percent
from counterpulse.synthesis.effects.means import small_sample_factor
from counterpulse.synthesis.effects.medians import means_from_medians
from counterpulse.synthesis.effects.shared_control import (
    combine_counts,
    combine_means,
    contrast_covariance,
    reference_variance,
    smd_covariance,
)
from counterpulse.synthesis.effects.survival_curves import from_curves, from_survival_at
from counterpulse.synthesis.effects.tetrachoric import tetrachoric
from counterpulse.synthesis.effects.two_by_two import two_by_two

CLOSED_FORM = 1e-10
QUADRATURE = 1e-9  # also of a root; scipy's quad promises 1.5e-8 absolute and gives about 1e-12 on smooth functions
DERIVATIVE = 1e-5  # central differences of a root
SIMULATED = 0.02  # 4 standard errors of 20,000 draws


def binormal(h, k, r):
    return quad(lambda x: exp(-x * x / 2) / sqrt(2 * pi) * ndtr((k - r * x) / sqrt(1 - r * r)), -40, h,
                points=[-5, h - 1, h - 0.1], epsabs=1e-13, epsrel=1e-12, limit=400)[0]  # fmt: skip


def root(cells):
    p = np.array(cells) / sum(cells)
    h, k = ndtri(p[0] + p[1]), ndtri(p[0] + p[2])
    return brentq(lambda r: binormal(h, k, r) - p[0], -0.99999, 0.99999, xtol=1e-13)


TABLES = [(4, 119, 11, 128), (30, 10, 5, 40), (5, 40, 30, 10), (1, 200, 9, 3), (25, 25, 25, 25)]


@pytest.mark.parametrize("cells", TABLES)
def test_tetrachoric_by_another_integral(cells):
    correlation, variance = tetrachoric(*(np.array([float(cell)]) for cell in cells))
    assert correlation[0] == pytest.approx(root(cells), abs=QUADRATURE)
    n, p = sum(cells), np.array(cells) / sum(cells)
    moves = []
    for i in range(4):
        step = np.eye(4)[i] * 1e-4 * cells[i]
        moves.append((root(cells + step) - root(cells - step)) / (2 * step[i]) * n)
    slow = np.array(moves) @ (np.diag(p) - np.outer(p, p)) @ np.array(moves) / n
    assert variance[0] == pytest.approx(slow, rel=DERIVATIVE)


def test_phi_is_pearsons_correlation_of_patients():
    a, b, c, d = 7, 13, 4, 21
    treated, event = np.repeat([1, 1, 0, 0], (a, b, c, d)), np.repeat([1, 0, 1, 0], (a, b, c, d))
    phi = two_by_two(a, a + b, c, c + d, measure="PHI").yi[0]
    assert phi == pytest.approx(np.corrcoef(treated, event)[0, 1], rel=CLOSED_FORM)


def patients(mean, sd, n):
    values = np.arange(n, dtype=float)
    return mean + (values - values.mean()) / values.std(ddof=1) * sd


def test_combined_arms_are_the_patients_together():
    arms = [(12.0, 3.0, 20), (15.5, 4.2, 31), (9.1, 2.2, 7)]
    together = np.concatenate([patients(*arm) for arm in arms])
    made = combine_means(*zip(*arms, strict=True))
    assert (made.mean, made.sd, made.n) == pytest.approx((together.mean(), together.std(ddof=1), 58), rel=CLOSED_FORM)
    counts = combine_counts([3, 4], [10, 20])
    assert (counts.events, counts.n) == (7, 30)


def test_combined_arms_by_the_handbooks_pairwise_formula():
    (m1, s1, n1), (m2, s2, n2) = (5.0, 1.5, 12), (7.5, 2.5, 30)
    sd = sqrt(
        ((n1 - 1) * s1**2 + (n2 - 1) * s2**2 + n1 * n2 / (n1 + n2) * (m1**2 + m2**2 - 2 * m1 * m2)) / (n1 + n2 - 1)
    )
    assert combine_means([m1, m2], [s1, s2], [n1, n2]).sd == pytest.approx(sd, rel=CLOSED_FORM)


def test_contrasts_with_one_reference_arm_by_matrix_algebra():
    sd, n = np.array([3.0, 4.0, 5.0]), np.array([10, 20, 30])
    contrast = np.array([[-1, 1, 0], [-1, 0, 1]])
    slow = contrast @ np.diag(sd**2 / n) @ contrast.T
    shared = reference_variance("MD", sd=sd[0], n=n[0])[0]
    made = contrast_covariance(np.diag(slow), study=["A", "A"], shared=[shared, shared])
    np.testing.assert_allclose(made, slow, rtol=CLOSED_FORM)


@pytest.mark.parametrize(
    ("measure", "transform", "derivative"),
    [("OR", "logit", lambda p: 1 / (p * (1 - p))), ("RR", "log", lambda p: 1 / p), ("RD", "identity", lambda p: 1.0)],
)
def test_reference_part_is_the_variance_of_one_arm(measure, transform, derivative):
    events, n = 12, 50
    p = events / n
    assert reference_variance(measure, events=events, n=n)[0] == pytest.approx(derivative(p) ** 2 * p * (1 - p) / n)


def test_covariance_of_standardized_differences_is_symmetric_and_positive():
    made = smd_covariance([0.2, 0.5, -0.3], [0.2, 0.25, 0.3], n_reference=20, n_total=70)
    assert made[0, 1] == pytest.approx(1 / 20 + 0.2 * 0.5 / 140)
    assert (np.linalg.eigvalsh(made) > 0).all()


def test_curves_without_censoring_give_back_the_deaths():
    treated, reference = np.array([100, 90, 70, 55]), np.array([80, 66, 50, 30])
    made = from_curves(
        [0, 1, 2, 3], treated / 100, reference / 80, at_risk_treated=treated, at_risk_reference=reference
    )
    np.testing.assert_allclose(made.events_treated, -np.diff(treated), rtol=CLOSED_FORM)
    np.testing.assert_allclose(made.exposed_reference, reference[:-1], rtol=CLOSED_FORM)
    top = bottom = 0.0
    for i in range(3):
        d1, r1 = treated[i] - treated[i + 1], treated[i]
        d2, r2 = reference[i] - reference[i + 1], reference[i]
        v = 1 / d1 - 1 / r1 + 1 / d2 - 1 / r2
        top, bottom = top + log((d1 / r1) / (d2 / r2)) / v, bottom + 1 / v
    assert made.effect.yi[0] == pytest.approx(top / bottom, rel=CLOSED_FORM)
    assert made.effect.vi[0] == pytest.approx(1 / bottom, rel=CLOSED_FORM)


def test_curves_with_numbers_at_risk_solve_the_balance_of_the_interval():
    survival, at_risk = [1.0, 0.8, 0.7], [100, 70, 40]
    made = from_curves([0, 6, 12], survival, [1.0, 0.7, 0.5], at_risk_treated=at_risk, at_risk_reference=[90, 60, 30])
    for i in range(2):
        q = 1 - survival[i + 1] / survival[i]
        deaths = brentq(lambda d: (at_risk[i] - (at_risk[i] - d - at_risk[i + 1]) / 2) * q - d, 0, 100)  # noqa: B023
        assert made.events_treated[i] == pytest.approx(deaths, rel=QUADRATURE)


def test_curves_with_a_range_of_follow_up_against_simulated_censoring():
    random = np.random.default_rng(5)
    n, times = 400_000, np.array([0.0, 6.0, 12.0, 18.0, 24.0])
    hazards, counts = {"treated": 0.02, "reference": 0.03}, {}
    for arm, hazard in hazards.items():
        death, stop = random.exponential(1 / hazard, n), random.uniform(10, 36, n)
        seen = death <= stop
        counts[arm] = [((death > a) & (death <= b) & seen).sum() for a, b in pairwise(times)]
    made = from_curves(
        times, np.exp(-0.02 * times), np.exp(-0.03 * times), n_treated=n, n_reference=n, follow_up=(10, 36),
        interval_ratio="hazard",
    )  # fmt: skip
    np.testing.assert_allclose(made.events_treated, counts["treated"], rtol=SIMULATED)
    np.testing.assert_allclose(made.events_reference, counts["reference"], rtol=SIMULATED)
    assert made.effect.yi[0] == pytest.approx(log(0.02 / 0.03), abs=SIMULATED)


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
def test_survival_at_a_time_is_the_table_of_its_counts(measure):
    made = from_survival_at(0.6, 50, 0.5, 40, measure=measure)
    counted = two_by_two(20, 50, 20, 40, measure=measure)
    assert (made.yi[0], made.vi[0]) == pytest.approx((counted.yi[0], counted.vi[0]), rel=CLOSED_FORM)


def rounds_to(events, n, percent, decimals):
    unit = Decimal(1).scaleb(-decimals)
    exact = Decimal(100 * events) / Decimal(n)
    return Decimal(percent) in {exact.quantize(unit, rule) for rule in (ROUND_HALF_EVEN, ROUND_HALF_UP)}


@pytest.mark.parametrize(
    ("percent", "n"), [("35", 762), ("25", 173), ("39.7", 300), ("50.0", 3), ("0.5", 200), ("12.5", 8)]
)
def test_events_of_a_percentage_by_trying_all(percent, n):
    decimals = len(percent.partition(".")[2])
    fits = [events for events in range(n + 1) if rounds_to(events, n, percent, decimals)]
    made = events_from_percent([percent], [n])
    if not fits:
        assert np.isnan(made.events[0])
        assert made.problems[0].code == "no-count-fits"
    else:
        assert (made.fewest[0], made.most[0]) == (fits[0], fits[-1])
        assert made.events[0] in fits
        assert [problem.code for problem in made.problems] == ["several-counts"] * (len(fits) > 1)


@pytest.mark.parametrize("m", [2.0, 5.0, 37.0, 98.0])
def test_exact_small_sample_factor_by_gamma_functions(m):
    assert small_sample_factor(np.array([m]), "exact")[0] == pytest.approx(
        gamma(m / 2) / (sqrt(m / 2) * gamma((m - 1) / 2))
    )


@pytest.mark.parametrize("given", ["range", "quartiles", "both"])
@pytest.mark.parametrize(("mean_method", "sd_method"), [("luo", "shi"), ("wan", "wan")])
def test_medians_of_normal_samples_have_their_mean_and_deviation(given, mean_method, sd_method):
    random = np.random.default_rng(11)
    n, draws = 101, 4000
    x = np.sort(random.normal(50, 10, (draws, n)), axis=1)
    ends = {}
    if given in ("range", "both"):
        ends |= {"minimum": x[:, 0], "maximum": x[:, -1]}
    if given in ("quartiles", "both"):
        ends |= {"first_quartile": x[:, 25], "third_quartile": x[:, 75]}
    made = means_from_medians(x[:, 50], n, mean_method=mean_method, sd_method=sd_method, **ends)
    assert made.mean.mean() == pytest.approx(50, rel=SIMULATED)
    assert made.sd.mean() == pytest.approx(10, rel=SIMULATED)
    assert 0.03 < made.skewed.mean() < 0.07


def test_error_of_kappa_by_the_sums_of_fleiss():
    table = np.array([[44, 5, 1], [7, 20, 3], [9, 5, 6]])
    first, second = zip(*[(i, j) for i in range(3) for j in range(3) for _ in range(table[i, j])], strict=True)
    p, n = table / table.sum(), table.sum()
    pe = sum(p[i].sum() * p[:, i].sum() for i in range(3))
    kappa = (np.trace(p) - pe) / (1 - pe)
    a = sum(p[i, i] * (1 - (p[i].sum() + p[:, i].sum()) * (1 - kappa)) ** 2 for i in range(3))
    b = (1 - kappa) ** 2 * sum(
        p[i, j] * (p[:, i].sum() + p[j].sum()) ** 2 for i in range(3) for j in range(3) if i != j
    )
    error = sqrt((a + b - (kappa - pe * (1 - kappa)) ** 2) / (n * (1 - pe) ** 2))
    made = cohen_kappa(first, second).estimate
    assert (made.value, made.std_error) == pytest.approx((kappa, error), rel=CLOSED_FORM)
