"""Profile intervals of Cox models against root finding on R's coxph with an offset."""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse import survival
from counterpulse.errors import InputError

ROOT = 1e-7  # relative; uniroot stops at 1e-13 in a coefficient, coxph at 1e-14 of its likelihood
CASES = {
    "lung": ("lung.csv", {"time": "time", "event": "status"}),
    "lung_breslow": ("lung.csv", {"time": "time", "event": "status"}),
    "failure": ("heart_failure_clinical_records.csv", {"time": "time", "event": "DEATH_EVENT"}),
    "heart": ("heart.csv", {"start": "start", "time": "stop", "event": "event"}),
}


@pytest.mark.parametrize("case", CASES)
def test_profile_intervals_and_likelihood_ratios(shared_data, case):
    expected = json.loads((Path(__file__).parent / "reference" / "cox_profile.json").read_text())[case]
    name, columns = CASES[case]
    fit = survival.cox(shared_data(name), **columns, terms=expected["terms"], ties=expected["ties"], interval="profile")
    for row, (low, high, chi_squared) in zip(fit.estimates(), expected["profile"], strict=True):
        assert row.interval.kind == "profile"
        np.testing.assert_allclose([row.interval.low, row.interval.high], [low, high], rtol=ROOT)
        np.testing.assert_allclose(row.statistic, chi_squared, rtol=ROOT, atol=ROOT)


def test_a_profile_has_no_robust_variance(shared_data):
    with pytest.raises(InputError, match="robust"):
        survival.cox(
            shared_data("lung.csv"), time="time", event="status", terms=["age"], robust=True, interval="profile"
        )
