"""Small-study methods programmed a second time, slowly and plainly."""

from itertools import pairwise, permutations
from math import asin, erfc, exp, log, pi, sqrt

import numpy as np
import pytest

from counterpulse.synthesis.small_study.limit_meta_analysis import limit_meta_analysis
from counterpulse.synthesis.small_study.pet_peese import pet_peese
from counterpulse.synthesis.small_study.rank_correlation import exact_p_value
from counterpulse.synthesis.small_study.rucker import rucker, rucker_rank
from counterpulse.synthesis.small_study.selection_likelihood import SelectionLikelihood
from counterpulse.synthesis.small_study.selection_weights import Form, weight_function
from counterpulse.synthesis.small_study.trim_and_fill import trim_and_fill

NOTHING = 1e-12  # absolute; rounding about zero
EXACT = 1e-9  # relative; the same arithmetic in another order
SUMMED = 1e-8  # relative; a sum over 40,000 points against a quadrature of high order
DIFFERENCED = 1e-5  # relative; numerical derivatives

# BCG vaccine against tuberculosis (Colditz 1994): cases and others, vaccinated and not
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip


def log_odds_ratios():
    y = [log(a * d / (b * c)) for a, b, c, d in BCG]
    v = [1 / a + 1 / b + 1 / c + 1 / d for a, b, c, d in BCG]
    return y, v


def line(y, x, w):
    """Intercept, slope, their covariance and the weighted residual sum of squares, by Cramer's rule."""
    s = sum(w)
    sx = sum(wi * xi for wi, xi in zip(w, x, strict=True))
    sxx = sum(wi * xi * xi for wi, xi in zip(w, x, strict=True))
    sy = sum(wi * yi for wi, yi in zip(w, y, strict=True))
    sxy = sum(wi * xi * yi for wi, xi, yi in zip(w, x, y, strict=True))
    determinant = s * sxx - sx * sx
    intercept, slope = (sxx * sy - sx * sxy) / determinant, (s * sxy - sx * sy) / determinant
    rest = sum(wi * (yi - intercept - slope * xi) ** 2 for wi, yi, xi in zip(w, y, x, strict=True))
    return intercept, slope, (sxx / determinant, -sx / determinant, s / determinant), rest


def der_simonian_laird(y, v):
    w = [1 / vi for vi in v]
    mean = sum(wi * yi for wi, yi in zip(w, y, strict=True)) / sum(w)
    q = sum(wi * (yi - mean) ** 2 for wi, yi in zip(w, y, strict=True))
    return max(0.0, (q - len(y) + 1) / (sum(w) - sum(wi * wi for wi in w) / sum(w))), q


def test_limit_meta_analysis():
    y, v = log_odds_ratios()
    tau2, q = der_simonian_laird(y, v)
    tau = sqrt(tau2)
    # the generalized radial plot: y / s = alpha + beta / s
    s = [sqrt(vi + tau2) for vi in v]
    alpha, beta, (var_alpha, both, var_beta), _ = line(
        [yi / si for yi, si in zip(y, s, strict=True)], [1 / si for si in s], [1] * len(y)
    )
    found = limit_meta_analysis(y, v, tau2="DL")
    assert found.adjusted.value == pytest.approx(beta + tau * alpha, rel=EXACT)
    assert found.adjusted.std_error == pytest.approx(sqrt(var_beta + tau2 * var_alpha + 2 * tau * both), rel=EXACT)
    assert [found.bias.value, found.bias.std_error] == pytest.approx([alpha, sqrt(var_alpha)], rel=EXACT)
    limits = [beta + sqrt(tau2 / (vi + tau2)) * (yi - beta) for yi, vi in zip(y, v, strict=True)]
    assert found.limit_effects.tolist() == pytest.approx(limits, rel=EXACT)
    radial = [li / sqrt(vi) for li, vi in zip(limits, v, strict=True)]
    _, _, _, rest = line(radial, [1 / sqrt(vi) for vi in v], [1] * len(y))
    mean = sum(radial) / len(radial)
    assert found.g2 == pytest.approx(rest / sum((r - mean) ** 2 for r in radial), rel=EXACT)
    _, _, _, left = line(y, [sqrt(vi) for vi in v], [1 / vi for vi in v])
    assert [found.q, found.q_small_study, found.q_residual] == pytest.approx([q, q - left, left], rel=EXACT)


def test_a_limit_without_variance_between_studies_is_the_line_at_standard_error_zero():
    y, v = [0.1, 0.22, 0.31, 0.38, 0.52], [0.01, 0.04, 0.09, 0.16, 0.25]
    found = limit_meta_analysis(y, v)
    assert found.tau2 == 0
    intercept, _, (variance, _, _), _ = line(y, [sqrt(vi) for vi in v], [1 / vi for vi in v])
    assert [found.adjusted.value, found.adjusted.std_error] == pytest.approx([intercept, sqrt(variance)], rel=EXACT)
    assert found.g2 == pytest.approx(0, abs=NOTHING)


def test_pet_peese():
    y, v = log_odds_ratios()
    w = [1 / vi for vi in v]
    found = pet_peese(y, v)
    for estimate, x in ((found.pet, [sqrt(vi) for vi in v]), (found.peese, v)):
        intercept, _, (variance, _, _), rest = line(y, x, w)
        error = sqrt(variance * rest / (len(y) - 2))
        assert [estimate.value, estimate.std_error] == pytest.approx([intercept, error], rel=EXACT)
        assert estimate.statistic == pytest.approx(intercept / error, rel=EXACT)
    assert found.chosen == ("PEESE" if found.pet.p_value < 0.1 else "PET")
    assert pet_peese(y, v, alpha=0.999).chosen == "PEESE"
    assert found.adjusted.value == (found.peese if found.chosen == "PEESE" else found.pet).value


def test_rucker_on_the_arcsine_scale():
    y = [asin(sqrt(a / (a + b))) - asin(sqrt(c / (c + d))) for a, b, c, d in BCG]
    v = [1 / (4 * (a + b)) + 1 / (4 * (c + d)) for a, b, c, d in BCG]
    counts = [[row[0] for row in BCG], [row[0] + row[1] for row in BCG],
              [row[2] for row in BCG], [row[2] + row[3] for row in BCG]]  # fmt: skip
    intercept, slope, (_, _, variance), rest = line(y, [sqrt(vi) for vi in v], [1 / vi for vi in v])
    found = rucker(*counts, model="regression")
    error = sqrt(variance * rest / 11)
    assert [found.intercept, found.slope, found.slope_std_error] == pytest.approx([intercept, slope, error], rel=EXACT)
    w = [1 / vi for vi in v]
    mean = sum(wi * yi for wi, yi in zip(w, y, strict=True)) / sum(w)
    z = [(yi - mean) / sqrt(vi - 1 / sum(w)) for yi, vi in zip(y, v, strict=True)]
    score = sum(np.sign(z[i] - z[j]) * np.sign(v[i] - v[j]) for i in range(len(z)) for j in range(i))
    assert rucker_rank(*counts).tau == pytest.approx(score / (13 * 12 / 2), rel=EXACT)


@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_kendall_by_all_permutations(k):
    scores = [sum(order[i] < order[j] for i in range(k) for j in range(i + 1, k)) for order in permutations(range(k))]
    for concordant in range(k * (k - 1) // 2 + 1):
        low = sum(score <= concordant for score in scores) / len(scores)
        high = sum(score >= concordant for score in scores) / len(scores)
        assert exact_p_value(concordant, k) == pytest.approx(min(1, 2 * min(low, high)), rel=EXACT)


def weight(form: Form, p: float, parameters) -> float:
    """The weight of a study from its one-sided P value, as the papers write it."""
    if form == "step":
        return 1.0 if p <= 0.025 else parameters[0] if p <= 0.5 else parameters[1]
    if form == "beta":
        p = min(max(p, 1e-5), 1 - 1e-5)
        return p ** (parameters[0] - 1) * (1 - p) ** (parameters[1] - 1)
    if form == "half-normal":
        return exp(-parameters[0] * p * p)
    if form == "negative-exponential":
        return exp(-parameters[0] * p)
    return 2 * exp(-parameters[0] * p) / (1 + exp(-parameters[0] * p))


def upper_tail(z):
    return erfc(z / sqrt(2)) / 2


def slow_log_likelihood(form, y, v, mean, tau2, parameters):
    total = 0.0
    for yi, vi in zip(y, v, strict=True):
        spread = sqrt(vi + tau2)

        def numerator(x, vi=vi, spread=spread):
            return weight(form, upper_tail(x / sqrt(vi)), parameters) * exp(-((x - mean) ** 2) / (2 * spread**2))

        ends = [mean - 14 * spread, *(sqrt(vi) * z for z in breaks(form)), mean + 14 * spread]
        area = sum(integral(numerator, low, high) for low, high in pairwise(ends))
        total += log(numerator(yi)) - log(area)
    return total


def integral(function, low, high, n=6000):
    """The midpoint rule with n and with 2 n points, extrapolated."""

    def middle(points):
        h = (high - low) / points
        return h * sum(function(low + (i + 0.5) * h) for i in range(points))

    return (4 * middle(2 * n) - middle(n)) / 3


def breaks(form):
    """Where the integrand jumps or bends, as z."""
    if form == "step":
        return [0.0, 1.959963984540054]
    return [-4.264890793922825, 4.264890793922825] if form == "beta" else []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "parameters"),
    [("step", (0.6, 0.2)), ("beta", (1.3, 0.8)), ("beta", (0.4, 2.5)), ("half-normal", (2.0,)),
     ("negative-exponential", (1.5,)), ("logistic", (3.0,))],
)  # fmt: skip
def test_selection_likelihood(form, parameters):
    y, v = [0.9, -0.2, 2.5, 0.4], [0.1, 0.3, 0.2, 1.5]
    fast = SelectionLikelihood(np.array(y), np.array(v), weight_function(form, (0.025, 0.5)))
    found = fast.curve(np.array([0.4, 0.15, *parameters])).value
    assert found == pytest.approx(slow_log_likelihood(form, y, v, 0.4, 0.15, parameters), rel=SUMMED, abs=SUMMED)


@pytest.mark.parametrize("form", ["step", "beta", "half-normal", "negative-exponential", "logistic"])
def test_selection_derivatives(form):
    y, v = (np.array(column) for column in log_odds_ratios())
    likelihood = SelectionLikelihood(-y, v, weight_function(form, (0.025, 0.5)))
    at = np.array([0.6, 0.2, *likelihood.weights.starts[1]]) * 1.1
    here, h = likelihood.curve(at), 1e-5
    for i, step in enumerate(np.eye(len(at)) * h):
        up, down = likelihood.curve(at + step), likelihood.curve(at - step)
        assert here.gradient[i] == pytest.approx((up.value - down.value) / (2 * h), rel=DIFFERENCED, abs=DIFFERENCED)
        assert here.hessian[i] == pytest.approx(
            (up.gradient - down.gradient) / (2 * h), rel=DIFFERENCED, abs=DIFFERENCED
        )


def test_a_neutral_weight_is_the_normal_likelihood():
    y, v = log_odds_ratios()
    plain = sum(-log(2 * pi * (vi + 0.3)) / 2 - (yi + 0.7) ** 2 / (2 * (vi + 0.3)) for yi, vi in zip(y, v, strict=True))
    for form, neutral in (("step", (1.0,)), ("beta", (1.0, 1.0)), ("half-normal", (0.0,)), ("logistic", (0.0,))):
        likelihood = SelectionLikelihood(np.array(y), np.array(v), weight_function(form, (0.025,)))
        assert likelihood.curve(np.array([-0.7, 0.3, *neutral])).value == pytest.approx(plain, rel=EXACT)


def slow_trim(y, v, estimator):
    """Studies missing on the left under the common effect, with plain loops."""
    pairs = sorted(zip(y, v, strict=True))
    k, k0 = len(pairs), 0
    for _ in range(50):
        kept = pairs[: k - k0]
        center = sum(yi / vi for yi, vi in kept) / sum(1 / vi for _, vi in kept)
        by_distance = sorted((abs(yi - center), yi - center) for yi, _ in pairs)
        ranks = [(rank + 1) * (1 if away > 0 else -1) for rank, (_, away) in enumerate(by_distance)]
        wilcoxon = sum(rank for rank in ranks if rank > 0)
        if estimator == "L0":
            raw = (4 * wilcoxon - k * (k + 1)) / (2 * k - 1)
        else:
            run = 0
            while run < k and ranks[k - 1 - run] > 0:
                run += 1
            raw = run - 1
        new = max(0, round(raw))
        if new == k0:
            return k0
        k0 = new
    return None


@pytest.mark.parametrize("estimator", ["L0", "R0"])
def test_trim_and_fill(estimator):
    random = np.random.default_rng(4)
    for _ in range(40):
        k = int(random.integers(5, 25))
        v = random.uniform(0.02, 0.6, k)
        y = 0.2 + random.normal(0, 1, k) * np.sqrt(v) + random.uniform(0, 2) * np.sqrt(v)
        assert trim_and_fill(y, v, side="left", estimator=estimator).k0 == slow_trim(y, v, estimator)
