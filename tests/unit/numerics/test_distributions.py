from math import inf, nan

import numpy as np
import pytest
from scipy import stats

from counterpulse.numerics import distributions as d

SAME = 1e-11  # relative; two implementations of one special function
FAR_TAIL = 1e-9  # relative; the incomplete beta function far out
CANCELED = 1e-3  # relative; 1 - 1e-14 is itself known to a hundredth


@pytest.mark.parametrize("z", [-40.0, -10.0, -1.0, 0.0, 0.5, 8.0, 30.0])
def test_normal_tails_keep_their_precision(z):
    assert d.normal_two_sided(z) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=SAME)
    assert d.normal_cdf(z) == pytest.approx(stats.norm.cdf(z), rel=SAME)


@pytest.mark.parametrize("df", [1, 3.7, 30, 1e6])
@pytest.mark.parametrize("t", [-25.0, 0.3, 4.0])
def test_t(t, df):
    assert d.t_two_sided(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=FAR_TAIL)
    assert d.t_quantile(0.9, df) == pytest.approx(stats.t.ppf(0.9, df), rel=SAME)


@pytest.mark.parametrize("x", [0.0, 0.3, 20.0, 400.0])
def test_chi_squared_and_f(x):
    assert d.chi_squared_tail(x, 3) == pytest.approx(stats.chi2.sf(x, 3), rel=SAME)
    assert d.f_tail(x, 3, 17.5) == pytest.approx(stats.f.sf(x, 3, 17.5), rel=SAME)
    assert d.f_tail(x, 3, inf) == pytest.approx(stats.chi2.sf(3 * x, 3), rel=SAME)


def test_quantiles():
    assert d.normal_quantile(0.975) == pytest.approx(1.959963984540054, rel=SAME)
    assert d.chi_squared_quantile(0.95, 1) == pytest.approx(3.841458820694124, rel=SAME)
    assert d.f_quantile(0.95, 2, 10) == pytest.approx(stats.f.ppf(0.95, 2, 10), rel=SAME)
    assert d.critical_value(0.95, 10) == pytest.approx(2.2281388519649385, rel=SAME)
    assert d.critical_value(1 - 1e-14) == pytest.approx(stats.norm.isf(0.5e-14), rel=CANCELED)
    assert d.t_quantile(0.975, inf) == d.normal_quantile(0.975)


def test_limits():
    assert np.isnan(d.t_two_sided(nan, 5))
    assert np.isnan(d.chi_squared_tail(1.0, 0))
    assert d.expit(np.array([-800.0, 0.0, 800.0])).tolist() == [0.0, 0.5, 1.0]
