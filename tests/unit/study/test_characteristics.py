from math import nan, sqrt

import pytest

from counterpulse.study.rehearsing.characteristics import Answered, characteristics

CLOSED = 1e-12  # a handful of sums


def answered(value, std_error=0.5, p_value=0.5):
    return Answered(
        value=value, std_error=std_error, low=value - 1, high=value + 1, p_value=p_value, failed=False
    )  # fmt: skip


def test_every_number_by_hand():
    answers = [answered(1.0, 0.3, 0.01), answered(2.0, 0.4, 0.04), answered(4.5, 0.5, 0.2), Answered()]
    found = characteristics(answers, truth=2.0, alpha=0.05)
    assert (found.replicates, found.failed) == (4, 1)
    assert found.mean == pytest.approx(2.5, rel=CLOSED)
    assert found.bias == pytest.approx(0.5, rel=CLOSED)
    spread = sqrt((1.5**2 + 0.5**2 + 2.0**2) / 2)
    assert found.empirical_error == pytest.approx(spread, rel=CLOSED)
    assert found.bias_error == pytest.approx(spread / sqrt(3), rel=CLOSED)
    assert found.mean_std_error == pytest.approx(sqrt((0.09 + 0.16 + 0.25) / 3), rel=CLOSED)
    assert found.coverage == pytest.approx(2 / 3, rel=CLOSED)
    assert found.coverage_error == pytest.approx(sqrt(2 / 27), rel=CLOSED)
    assert found.power == pytest.approx(2 / 3, rel=CLOSED)


def test_without_a_truth_there_is_neither_bias_nor_coverage():
    found = characteristics([answered(1.0), answered(2.0)], truth=None, alpha=0.05)
    assert (found.bias, found.bias_error, found.coverage, found.coverage_error) == (None, None, None, None)
    assert found.power == 0.0
    assert found.mean == 1.5


def test_a_test_has_power_alone():
    tests = [Answered(p_value=p, failed=False) for p in (0.01, 0.6)]
    found = characteristics(tests, truth=None, alpha=0.05)
    assert (found.mean, found.coverage, found.power, found.failed) == (None, None, 0.5, 0)


def test_where_every_replicate_fails_nothing_is_said():
    found = characteristics([Answered(value=nan)] * 3, truth=0.0, alpha=0.05)
    assert (found.failed, found.mean, found.bias, found.coverage, found.power) == (3, None, None, None, None)
