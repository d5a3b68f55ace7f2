from __future__ import annotations

import pytest

from counterpulse.report import numbers
from counterpulse.report.numbers import STYLES

NO_PLACE, ONE_PLACE = 0, 1
P_VALUES = (0.00004, 0.0004, 0.001, 0.0042, 0.0116, 0.0449, 0.0496, 0.05, 0.2, 0.34, 0.997)

EXPECTED_P = {
    "plain": ("<0.001", "<0.001", "0.001", "0.004", "0.01", "0.04", "0.0496", "0.05", "0.20", "0.34", ">0.99"),
    "jama": ("<.001", "<.001", ".001", ".004", ".01", ".04", ".0496", ".05", ".20", ".34", ">.99"),
    "nejm": ("<0.001", "<0.001", "0.001", "0.004", "0.01", "0.04", "0.05", "0.05", "0.20", "0.34", ">0.99"),
    "lancet": ("<0·0001", "0·0004", "0·0010", "0·0042", "0·012", "0·045", "0·050", "0·050", "0·20", "0·34", ">0·99"),
    "bmj": ("<0.001", "<0.001", "0.001", "0.004", "0.01", "0.04", "0.05", "0.05", "0.20", "0.34", ">0.99"),
    "jacc": ("<0.001", "<0.001", "0.001", "0.004", "0.01", "0.04", "0.05", "0.05", "0.20", "0.34", ">0.99"),
    "annals": ("<0.001", "<0.001", "0.001", "0.004", "0.012", "0.045", "0.050", "0.050", "0.200", "0.34", ">0.99"),
}


@pytest.mark.parametrize("name", STYLES)
def test_p_values_of_every_style(name):
    assert tuple(numbers.p_value(p, STYLES[name]) for p in P_VALUES) == EXPECTED_P[name]


def test_every_style_is_tested():
    assert set(EXPECTED_P) == set(STYLES)


@pytest.mark.parametrize("name", ["plain", "jama"])
@pytest.mark.parametrize("p", [0.045, 0.0496, 0.04996, 0.049999])
def test_a_p_value_below_five_percent_stays_below(name, p):
    assert float(numbers.p_value(p, STYLES[name])) < 0.05


@pytest.mark.parametrize("p", [0.0, 1e-300, 1.0])
@pytest.mark.parametrize("name", STYLES)
def test_p_values_at_the_ends_never_read_as_zero_or_one(name, p):
    assert numbers.p_value(p, STYLES[name])[0] in "<>"


@pytest.mark.parametrize("p", [-0.1, 1.01, float("nan")])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        numbers.p_value(p)


def test_p_in_a_sentence():
    assert numbers.p_phrase(0.0355) == "P = 0.04"
    assert numbers.p_phrase(0.0001) == "P < 0.001"


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(0.125, 2, "0.13"), (2.5, 0, "3"), (0.5, 0, "1"), (1.005, 2, "1.01"), (-0.125, 2, "−0.13"), (-0.001, 2, "0.00"),
     (2.675, 2, "2.68"), (9999, 0, "9999"), (12345.678, 1, "12,345.7"), (1e-7, 3, "0.000")],
)  # fmt: skip
def test_rounding_once_half_up(value, places, text):
    assert numbers.number(value, places) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_no_text(value):
    with pytest.raises(ValueError, match="status"):
        numbers.number(value, 2)


@pytest.mark.parametrize(
    ("name", "ratio", "difference"),
    [
        ("plain", "0.82 (0.69 to 0.99)", "−6.5 (−12.0 to 1.0)"),
        ("jama", "0.82 (0.69-0.99)", "−6.5 (−12.0 to 1.0)"),
        ("nejm", "0.82 (0.69 to 0.99)", "−6.5 (−12.0 to 1.0)"),
        ("lancet", "0·82 (0·69–0·99)", "−6·5 (−12·0 to 1·0)"),
        ("bmj", "0.82 (0.69 to 0.99)", "−6.5 (−12.0 to 1.0)"),
        ("jacc", "0.82 (0.69-0.99)", "−6.5 (−12.0 to 1.0)"),
        ("annals", "0.82 (0.69 to 0.99)", "−6.5 (−12.0 to 1.0)"),
    ],
)
def test_estimates_of_every_style(name, ratio, difference):
    style = STYLES[name]
    assert numbers.estimate(0.823, 0.686, 0.987, style, null=1.0) == ratio
    assert numbers.estimate(-6.5, -12.0, 1.0, style, places=ONE_PLACE, null=0.0) == difference


def test_an_interval_is_not_rounded_onto_the_null():
    assert numbers.estimate(0.85, 0.731, 0.997, null=1.0) == "0.850 (0.731 to 0.997)"
    assert numbers.estimate(0.85, 0.731, 1.0, null=1.0) == "0.85 (0.73 to 1.00)"


def test_small_and_endless_estimates():
    assert numbers.estimate(0.004, 0.001, 0.012, null=1.0) == "0.004 (0.001 to 0.012)"
    assert numbers.estimate(0.00001, 0.0, 4.0, null=1.0) == "<0.001 (0.000 to 4.000)"
    assert numbers.estimate(3.0, 0.2, float("inf"), null=1.0) == "3.00 (0.20 to ∞)"
    assert numbers.estimate(28.0, 21.0, None, places=NO_PLACE) == "28 (21 to NE)"
    assert numbers.estimate(123.456, 40.0, 380.9, null=1.0) == "123.5 (40.0 to 380.9)"


@pytest.mark.parametrize(
    ("name", "few", "many"),
    [("plain", "72%", "71.3%"), ("jama", "72", "71.3"), ("nejm", "72", "71.3"), ("lancet", "72%", "71·3%"),
     ("bmj", "72", "71.3"), ("jacc", "72", "71"), ("annals", "72", "71.3")],
)  # fmt: skip
def test_percentages_of_every_style(name, few, many):
    assert numbers.percent(71, 99, STYLES[name]) == few
    assert numbers.percent(593, 832, STYLES[name]) == many


def test_percentages_at_the_ends():
    assert numbers.percent(1, 5480) == "<0.1%"
    assert numbers.percent(5479, 5480) == ">99.9%"
    assert numbers.percent(0, 5480) == "0.0%"
    assert numbers.percent(99, 99) == "100%"
    assert numbers.percent(0, 0) == "—"
    assert numbers.percent(3, 60, among=5480) == "5.0%"
    assert numbers.percent(3, 60, STYLES["jacc"]) == "5.0"
    assert numbers.percent(1, 8) == "13%"
    assert numbers.percent(120, 150, STYLES["annals"]) == "80"


def test_counts_and_spreads():
    assert numbers.count(5480) == "5480"
    assert numbers.count(12345, STYLES["jama"]) == "12\N{NARROW NO-BREAK SPACE}345"
    assert numbers.count_percent(593, 832, STYLES["jama"]) == "593 (71.3)"
    assert numbers.count_of(399, 832) == "399/832 (48.0%)"
    assert numbers.mean_sd(61.25, 9.85, 1) == "61.3 (9.9)"
    assert numbers.mean_sd(61.25, 9.85, 1, STYLES["nejm"]) == "61.3±9.9"
    assert numbers.median_quartiles(60, 51, 65, 0) == "60 (51–65)"
    assert numbers.median_quartiles(-1, -3, 2, 0) == "−1 (−3 to 2)"


@pytest.mark.parametrize(
    ("spread", "places"), [(250.0, 0), (40.0, 1), (9.8, 1), (1.2, 1), (0.31, 2), (0.012, 3), (0.0, 1)]
)
def test_places_of_a_measured_quantity(spread, places):
    assert numbers.measured_places(spread) == places


def test_the_name_of_an_interval():
    assert numbers.level(0.95) == "95% CI"
    assert numbers.level(0.975, STYLES["lancet"]) == "97·5% CI"


def test_hundredfold_is_exact_in_its_digits():
    assert numbers.hundredfold(0.285) == 28.5
    assert numbers.hundredfold(float("inf")) == float("inf")
