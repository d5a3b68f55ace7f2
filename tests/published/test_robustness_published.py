"""E-values as the documentation of the R package EValue prints them, and the example of VanderWeele and Ding 2017."""

import pytest

from counterpulse import robustness

PRINTED = 1e-5  # relative; five digits after the point are printed
TWO_DIGITS = 5e-3  # absolute; the paper prints two digits after the point


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


@pytest.mark.parametrize(
    ("ratio", "low", "high", "measure", "value", "limit"),
    [
        (
            3.9,
            1.8,
            8.7,
            "odds ratio",
            7.26,
            3.00,
        ),  # bottle feeding and deaths from respiratory infection, a rare outcome
        (0.80, 0.71, 0.91, "risk ratio", 1.81, 1.43),  # breastfeeding and childhood leukemia
    ],
)
def test_the_examples_of_the_paper(ratio, low, high, measure, value, limit):
    """VanderWeele and Ding 2017 (doi:10.7326/M16-2607)."""
    found = robustness.e_value(
        ratio, conf_low=low, conf_high=high, measure=measure, risk=0.01 if measure == "odds ratio" else None
    )
    assert (found.value, found.limit) == pytest.approx((value, limit), abs=TWO_DIGITS)
