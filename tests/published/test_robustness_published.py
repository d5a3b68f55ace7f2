"""E-values as the documentation of the R package EValue prints them, and the example of VanderWeele and Ding 2017."""

import pytest

from counterpulse import robustness

PRINTED = 1e-5  # relative; five digits after the point are printed


@pytest.mark.parametrize(
    ("ratio", "low", "high", "value", "limit"),
    [
        (3.9, None, None, 7.26303, None),  # VanderWeele and Ding's example
        (10.73, 8.02, 14.36, 20.94777, 15.52336),  # Hammond and Horn's smokers, in the package's documentation
        (1.24, 1.03, None, 1.78553, 1.20578),
    ],
)
def test_e_values_as_printed(ratio, low, high, value, limit):
    found = robustness.e_value(ratio, conf_low=low, conf_high=high, measure="risk ratio")
    assert found.value == pytest.approx(value, rel=PRINTED)
    assert limit is None or found.limit == pytest.approx(limit, rel=PRINTED)
    mirrored = robustness.e_value(
        1 / ratio, conf_low=high and 1 / high, conf_high=low and 1 / low, measure="risk ratio"
    )
    assert mirrored.value == pytest.approx(value, rel=PRINTED)
    assert limit is None or mirrored.limit == pytest.approx(limit, rel=PRINTED)
