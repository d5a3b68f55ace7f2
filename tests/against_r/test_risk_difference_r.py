"""Risks by a time and their contrasts, from the curves that R's survival drew (reference/survival.json, lung by sex)."""

import json
from math import hypot, log
from pathlib import Path

import numpy as np
import pytest

from counterpulse import survival

CLOSED_FORM = 1e-10  # relative; both sides evaluate one formula on curves that agree to that
NORMAL_975 = 1.959963984540054
CURVE = json.loads((Path(__file__).parent / "reference" / "survival.json").read_text())["curves"]["log"]["lung"]


def row_of(group, at):
    """R's survival, standard error and limits in a group at a time: the last row at or before it."""
    rows = [i for i, name in enumerate(CURVE["group"]) if name == group and CURVE["time"][i] <= at]
    return tuple(CURVE[name][rows[-1]] for name in ("survival", "std_error", "low", "high"))


@pytest.mark.parametrize("at", [180.0, 365.0, 500.0])
def test_risks_and_their_contrasts(at, shared_data):
    groups = sorted(set(CURVE["group"]))
    (s1, e1, low1, high1), (s2, e2, _, _) = (row_of(group, at) for group in groups)
    fit = survival.survival_difference(shared_data("lung.csv"), time="time", event="status", by="sex", at=at)
    (first, _), (difference,), (ratio,) = fit.risk, fit.differences, fit.ratios
    assert first.value == pytest.approx(1 - s1, rel=CLOSED_FORM)
    assert (first.interval.low, first.interval.high) == pytest.approx((1 - high1, 1 - low1), rel=CLOSED_FORM)
    error = hypot(e1, e2)
    assert difference.value == pytest.approx(s1 - s2, rel=CLOSED_FORM)
    assert difference.std_error == pytest.approx(error, rel=CLOSED_FORM)
    ends = (s1 - s2 - NORMAL_975 * error, s1 - s2 + NORMAL_975 * error)
    assert (difference.interval.low, difference.interval.high) == pytest.approx(ends, rel=CLOSED_FORM)
    assert ratio.value == pytest.approx(log((1 - s2) / (1 - s1)), rel=CLOSED_FORM)
    assert ratio.std_error == pytest.approx(hypot(e1 / (1 - s1), e2 / (1 - s2)), rel=CLOSED_FORM)


def test_the_log_log_test_of_klein(shared_data):
    """Klein and others 2007, section 2: the difference of log(-log S) over the root of the sum of its variances."""
    (s1, e1, *_), (s2, e2, *_) = (row_of(group, 365.0) for group in sorted(set(CURVE["group"])))
    fit = survival.survival_difference(
        shared_data("lung.csv"), time="time", event="status", by="sex", at=365.0, test="log-log"
    )
    wanted = (np.log(-np.log(s2)) - np.log(-np.log(s1))) / hypot(e1 / (s1 * np.log(s1)), e2 / (s2 * np.log(s2)))
    assert fit.differences[0].statistic == pytest.approx(wanted, rel=CLOSED_FORM)
