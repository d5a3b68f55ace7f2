"""Tables of meta-analyses that were printed, from the counts that were printed."""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse.synthesis.pooling.meta_regression import meta_regression
from counterpulse.synthesis.pooling.pool import pool

STORED = Path(__file__).parents[1] / "against_r" / "reference" / "meta_pooling.json"

THREE_DIGITS = 5e-4
TWO_DIGITS = 5.1e-3
FOUR_DIGITS = 5.1e-5  # half a unit of the last digit, and the rounding of it

# Colditz 1994: tuberculosis among vaccinated and not, latitude, year
BCG = np.array(
    [
        [4, 119, 11, 128, 44, 1948], [6, 300, 29, 274, 55, 1949], [3, 228, 11, 209, 42, 1960],
        [62, 13536, 248, 12619, 52, 1977], [33, 5036, 47, 5761, 13, 1973], [180, 1361, 372, 1079, 44, 1953],
        [8, 2537, 10, 619, 19, 1973], [505, 87886, 499, 87892, 13, 1980], [29, 7470, 45, 7232, 27, 1968],
        [17, 1699, 65, 1600, 42, 1961], [186, 50448, 141, 27197, 18, 1974], [5, 2493, 3, 2338, 33, 1969],
        [27, 16886, 29, 17825, 33, 1976],
    ],
    dtype=float,
)  # fmt: skip


def log_risk_ratios():
    a, b, c, d = BCG[:, :4].T
    return np.log(a / (a + b) * (c + d) / c), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


@pytest.fixture(scope="module")
def magnesium():
    return json.loads(STORED.read_text())["sets"]["li2007_OR"]


@pytest.mark.parametrize(
    ("estimator", "effect"),
    [("EE", -0.007), ("HS", -0.294), ("DL", -0.412), ("PM", -0.469), ("EB", -0.469), ("ML", -0.526), ("REML", -0.546), ("SJ", -0.589)],
)  # fmt: skip
def test_magnesium_depends_on_the_estimator(magnesium, estimator, effect):
    """Intravenous magnesium after myocardial infarction (Li 2007): ISIS-4 against the small trials."""
    assert pool(magnesium["yi"], magnesium["vi"], tau2=estimator).effect == pytest.approx(effect, abs=THREE_DIGITS)


def test_magnesium_variance(magnesium):
    assert pool(magnesium["yi"], magnesium["vi"]).tau2 == pytest.approx(0.177, abs=THREE_DIGITS)


def test_bcg_vaccine():
    """Viechtbauer 2010, doi:10.18637/jss.v036.i03."""
    got = pool(*log_risk_ratios(), convention="metafor")
    printed = [-0.7145, 0.1798, -1.0669, -0.3622, 0.3132, 0.1664, 152.2330]
    mine = [got.effect, got.std_error, got.interval.low, got.interval.high, got.tau2, got.tau2_std_error, got.q]
    np.testing.assert_allclose(mine, printed, atol=FOUR_DIGITS)
    assert got.i2 * 100 == pytest.approx(92.22, abs=TWO_DIGITS)
    assert got.h2 == pytest.approx(12.86, abs=TWO_DIGITS)
    assert (got.tau2_interval.low, got.tau2_interval.high) == pytest.approx((0.1197, 1.1115), abs=FOUR_DIGITS)


def test_bcg_vaccine_by_latitude_and_year():
    """The same paper; not its intercept, that of the year 0, whose last digits are those of a loose convergence."""
    got = meta_regression(*log_risk_ratios(), BCG[:, 4:], names=["latitude", "year"], convention="metafor")
    np.testing.assert_allclose(got.coefficients[1:], [-0.0280, 0.0019], atol=FOUR_DIGITS)
    np.testing.assert_allclose(got.std_error[1:], [0.0102, 0.0147], atol=FOUR_DIGITS)
    assert (got.tau2, got.tau2_std_error) == pytest.approx((0.1108, 0.0845), abs=FOUR_DIGITS)
    assert got.qe == pytest.approx(28.3251, abs=FOUR_DIGITS)
    assert got.moderators.statistic == pytest.approx(12.2043, abs=THREE_DIGITS)  # moves with the convergence of tau2


def test_bcg_vaccine_by_moments():
    """Colditz 1994, doi:10.1001/jama.1994.03510330076038: relative risk 0.49 (0.34 to 0.70)."""
    reader = pool(*log_risk_ratios(), convention="revman-5.4", scale="log").estimates()[0].natural()
    assert (reader.value, reader.interval.low, reader.interval.high) == pytest.approx(
        (0.49, 0.34, 0.70), abs=TWO_DIGITS
    )
