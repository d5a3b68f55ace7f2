from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpulse.report import numbers
from counterpulse.report.number_styles import NARROW, STYLES

NO_PLACE, ONE_PLACE = 0, 1
P_VALUES = (0.00004, 0.0004, 0.0042, 0.0116, 0.0449, 0.0496, 0.0499, 0.05, 0.5, 0.994, 0.997, 1)
ESTIMATES = (
    (0.823, 0.686, 0.987, 2, 1.0), (0.85, 0.731, 0.997, 2, 1.0), (-6.5, -12.0, 1.0, 1, 0.0), (3.0, 0.2, inf, 2, 1.0),
    (0.00001, 0.0, 4.0, 2, 1.0), (4321.0, 12.5, 2e6, 2, 1.0), (28.0, 21.0, None, 0, None), (-1.25, -inf, 0.35, 1, 0.0),
)  # fmt: skip
SHARES = ((71, 99), (593, 832), (1162, 4648), (1, 5480), (5479, 5480), (0, 5480), (99, 99), (3, 150))

# What each journal prints, in full; a tilde stands for the narrow space that does not break.
GOLDEN = {
    "plain": {
        "p": ["<0.001", "<0.001", "0.004", "0.01", "0.04", "0.0496", "0.0499", "0.05", "0.50", "0.99", ">0.99", ">0.99"],
        "phrase": ["P = 0.04", "P < 0.001"],
        "est": ["0.82 (0.69 to 0.99)", "0.850 (0.731 to 0.997)", "−6.5 (−12.0 to 1.0)", "3.00 (0.20 to ∞)", "<0.001 (0 to 4.000)", ">1000 (12.5 to >1000)", "28 (21 to NE)", "−1.3 (−∞ to 0.4)"],
        "pct": ["72%", "71.3%", "25.0%", "<0.1%", ">99.9%", "0.0%", "100%", "2.0%"],
        "spread": ["61.3 (9.9)", "60 (51–65)", "−1 (−3 to 2)"],
        "counts": ["4648", "12,345", "399/832 (48.0%)", "593 (71.3%)"],
        "words": ["97.5% CI", "1.00 (reference)", "0.0 (reference)", "—", "(n = 832)", "n (%)", "n/N (%)", "P value", "vs"],
        "marks": ["abcd", "aa"],
        "abbr": ["Abbreviations: CI, confidence interval; HR, hazard ratio; OR, odds ratio."],
    },
    "jama": {
        "p": ["<.001", "<.001", ".004", ".01", ".04", ".0496", ".0499", ".05", ".50", ".99", ">.99", ">.99"],
        "phrase": ["P~=~.04", "P~<~.001"],
        "est": ["0.82 (0.69-0.99)", "0.850 (0.731-0.997)", "−6.5 (−12.0 to 1.0)", "3.00 (0.20 to ∞)", "<0.001 (0-4.000)", ">1000 (12.5 to >1000)", "28 (21 to NE)", "−1.3 (−∞ to 0.4)"],
        "pct": ["72", "71.3", "25.0", "<0.1", ">99.9", "0.0", "100", "2.0"],
        "spread": ["61.3 (9.9)", "60 (51-65)", "−1 (−3 to 2)"],
        "counts": ["4648", "12~345", "399/832 (48.0)", "593 (71.3)"],
        "words": ["97.5% CI,", "1 [Reference]", "0 [Reference]", "NA", "(n = 832)", "No. (%)", "No./total No. (%)", "P value", "vs"],
        "marks": ["abcd", "aa"],
        "abbr": ["Abbreviations: CI, confidence interval; HR, hazard ratio; OR, odds ratio."],
    },
    "nejm": {
        "p": ["<0.001", "<0.001", "0.004", "0.01", "0.04", "0.05", "0.05", "0.05", "0.50", "0.99", ">0.99", ">0.99"],
        "phrase": ["P=0.04", "P<0.001"],
        "est": ["0.82 (0.69 to 0.99)", "0.850 (0.731 to 0.997)", "−6.5 (−12.0 to 1.0)", "3.00 (0.20 to ∞)", "<0.001 (0 to 4.000)", ">1000 (12.5 to >1000)", "28 (21 to NE)", "−1.3 (−∞ to 0.4)"],
        "pct": ["72", "71.3", "25.0", "<0.1", ">99.9", "0.0", "100", "2.0"],
        "spread": ["61.3±9.9", "60 (51–65)", "−1 (−3 to 2)"],
        "counts": ["4648", "12,345", "399/832 (48.0)", "593 (71.3)"],
        "words": ["97.5% CI,", "Reference", "Reference", "—", "(N=832)", "no. (%)", "no./total no. (%)", "P value", "vs."],
        "marks": ["*†‡§", "**"],
        "abbr": ["CI denotes confidence interval, HR hazard ratio, and OR odds ratio."],
    },
    "lancet": {
        "p": ["<0·0001", "0·0004", "0·0042", "0·012", "0·045", "0·050", "0·050", "0·050", "0·50", "0·99", ">0·99", ">0·99"],
        "phrase": ["p=0·036", "p<0·0001"],
        "est": ["0·82 (0·69–0·99)", "0·850 (0·731–0·997)", "−6·5 (−12·0 to 1·0)", "3·00 (0·20 to ∞)", "<0·001 (0–4·000)", ">1000 (12·5 to >1000)", "28 (21 to NE)", "−1·3 (−∞ to 0·4)"],
        "pct": ["72%", "71·3%", "25·0%", "<0·1%", ">99·9%", "0·0%", "100%", "2·0%"],
        "spread": ["61·3 (9·9)", "60 (51–65)", "−1 (−3 to 2)"],
        "counts": ["4648", "12~345", "399/832 (48·0%)", "593 (71·3%)"],
        "words": ["97·5% CI", "1 (ref)", "0 (ref)", "—", "(n=832)", "n (%)", "n/N (%)", "p value", "vs"],
        "marks": ["*†‡§", "**"],
        "abbr": ["CI=confidence interval. HR=hazard ratio. OR=odds ratio."],
    },
    "bmj": {
        "p": ["<0.001", "<0.001", "0.004", "0.01", "0.04", "0.05", "0.05", "0.05", "0.50", "0.99", ">0.99", ">0.99"],
        "phrase": ["P=0.04", "P<0.001"],
        "est": ["0.82 (0.69 to 0.99)", "0.850 (0.731 to 0.997)", "−6.5 (−12.0 to 1.0)", "3.00 (0.20 to ∞)", "<0.001 (0 to 4.000)", ">1000 (12.5 to >1000)", "28 (21 to NE)", "−1.3 (−∞ to 0.4)"],
        "pct": ["72", "71.3", "25.0", "<0.1", ">99.9", "0.0", "100", "2.0"],
        "spread": ["61.3 (9.9)", "60 (51-65)", "−1 (−3 to 2)"],
        "counts": ["4648", "12~345", "399/832 (48.0)", "593 (71.3)"],
        "words": ["97.5% CI", "1.00 (reference)", "0.0 (reference)", "—", "(n=832)", "No (%)", "No/total No (%)", "P value", "v"],
        "marks": ["*†‡§", "**"],
        "abbr": ["CI=confidence interval; HR=hazard ratio; OR=odds ratio."],
    },
    "jacc": {
        "p": ["<0.001", "<0.001", "0.004", "0.01", "0.04", "0.05", "0.05", "0.05", "0.50", "0.99", ">0.99", ">0.99"],
        "phrase": ["P = 0.04", "P < 0.001"],
        "est": ["0.82 (0.69-0.99)", "0.850 (0.731-0.997)", "−6.5 (−12.0 to 1.0)", "3.00 (0.20 to ∞)", "<0.001 (0-4.000)", ">1,000 (12.5 to >1,000)", "28 (21 to NE)", "−1.3 (−∞ to 0.4)"],
        "pct": ["72", "71", "25", "<0.1", ">99", "0", "100", "2.0"],
        "spread": ["61.3 (9.9)", "60 (51-65)", "−1 (−3 to 2)"],
        "counts": ["4,648", "12,345", "399/832 (48)", "593 (71)"],
        "words": ["97.5% CI:", "1.00 (reference)", "0.0 (reference)", "—", "(n = 832)", "n (%)", "n/N (%)", "P value", "vs"],
        "marks": ["abcd", "aa"],
        "abbr": ["CI = confidence interval; HR = hazard ratio; OR = odds ratio."],
    },
    "annals": {
        "p": ["<0.001", "<0.001", "0.004", "0.012", "0.045", "0.050", "0.050", "0.050", "0.50", "0.99", ">0.99", ">0.99"],
        "phrase": ["P = 0.036", "P < 0.001"],
        "est": ["0.82 (0.69 to 0.99)", "0.850 (0.731 to 0.997)", "−6.5 (−12.0 to 1.0)", "3.00 (0.20 to ∞)", "<0.001 (0 to 4.000)", ">1000 (12.5 to >1000)", "28 (21 to NE)", "−1.3 (−∞ to 0.4)"],
        "pct": ["72", "71.3", "25.0", "<0.1", ">99.9", "0.0", "100", "2"],
        "spread": ["61.3 (9.9)", "60 (51 to 65)", "−1 (−3 to 2)"],
        "counts": ["4648", "12~345", "399/832 (48.0)", "593 (71.3)"],
        "words": ["97.5% CI,", "1.00 (reference)", "0.0 (reference)", "—", "(n = 832)", "n (%)", "n/N (%)", "P value", "vs"],
        "marks": ["*†‡§", "**"],
        "abbr": ["CI = confidence interval; HR = hazard ratio; OR = odds ratio."],
    },
}  # fmt: skip


def printed(style):
    return {
        "p": [numbers.p_value(p, style) for p in P_VALUES],
        "phrase": [numbers.p_phrase(p, style) for p in (0.0355, 0.00001)],
        "est": [numbers.estimate(*item[:3], style, places=item[3], null=item[4]) for item in ESTIMATES],
        "pct": [numbers.percent(n, total, style) for n, total in SHARES],
        "spread": [
            numbers.mean_sd(61.25, 9.85, 1, style),
            numbers.median_quartiles(60, 51, 65, 0, style),
            numbers.median_quartiles(-1, -3, 2, 0, style),
        ],
        "counts": [
            numbers.count(4648, style),
            numbers.count(12345, style),
            numbers.count_of(399, 832, style),
            numbers.count_percent(593, 832, style),
        ],
        "words": [
            numbers.level(0.975, style) + style.after_level,
            numbers.reference(1.0, 2, style),
            numbers.reference(0.0, 1, style),
            style.blank,
            style.group_size.format(n=numbers.count(832, style)),
            style.counted,
            style.counted_of,
            style.p_head,
            style.versus,
        ],
        "marks": [
            "".join(numbers.footnote_mark(k, style) for k in range(4)),
            numbers.footnote_mark(len(style.marks), style),
        ],
        "abbr": [style.glossary.text({"OR": "odds ratio", "CI": "confidence interval", "HR": "hazard ratio"})],
    }


@pytest.mark.parametrize("name", STYLES)
def test_every_style_prints_what_its_journal_does(name):
    found = {kind: [text.replace(NARROW, "~") for text in texts] for kind, texts in printed(STYLES[name]).items()}
    assert found == GOLDEN[name]


def test_every_style_is_tested():
    assert set(GOLDEN) == set(STYLES)


@given(st.floats(-1e9, 1e9, allow_nan=False), st.integers(0, 6))
def test_rounding_is_half_away_from_zero_of_the_digits(value, places):
    exact = abs(Fraction(Decimal(repr(value)))) * 10**places
    expected = Fraction(floor(exact + Fraction(1, 2)), 10**places)
    assert Fraction(abs(numbers.rounded(value, places))) == expected


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from(sorted(STYLES)))
def test_a_percentage_is_half_up_of_the_exact_share(n, extra, name):
    style, total = STYLES[name], n + extra
    text = numbers.percent(n, total, style).rstrip("%").replace(style.decimal_mark, ".")
    share = Fraction(100 * n, total)
    if text[0] in "<>":
        bound = Fraction(text[1:])
        assert 0 < share < bound if text[0] == "<" else bound < share < 100
        return
    scale = 10 ** len(text.partition(".")[2])
    assert Fraction(text) == Fraction(floor(share * scale + Fraction(1, 2)), scale)


def read_p(text, style):
    """A printed P value as a number; below and above a bound count as just there."""
    digits = text.replace(style.decimal_mark, ".")
    return (
        Decimal(digits[1:]) + {"<": -1, ">": 1}[digits[0]] * Decimal("1e-9") if digits[0] in "<>" else Decimal(digits)
    )


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(sorted(STYLES)))
def test_a_larger_p_value_never_prints_as_a_smaller_one(one, other, name):
    style = STYLES[name]
    low, high = (numbers.p_value(p, style) for p in sorted((one, other)))
    assert read_p(low, style) <= read_p(high, style)


@given(st.floats(0, 1), st.sampled_from(sorted(STYLES)))
def test_no_p_value_is_nought_or_one_or_a_verdict(p, name):
    style = STYLES[name]
    text = numbers.p_value(p, style).replace(style.decimal_mark, ".")
    assert "NS" not in text
    assert text[0] in "<>" or 0 < float(text) < 1


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12), st.integers(0, 4))
def test_no_number_is_a_negative_nought(value, places):
    text = numbers.number(value, places)
    assert "-" not in text
    assert not text.startswith("−") or any(digit in text for digit in "123456789")


@given(st.floats(0, 1e300), st.floats(0, 1e300), st.floats(0, 1e300), st.sampled_from(sorted(STYLES)))
def test_a_ratio_is_never_scientific_nor_long(a, b, c, name):
    style = STYLES[name]
    low, value, high = sorted((a, b, c))
    text = numbers.estimate(value, low, high, style, null=1.0)
    assert "e" not in text
    assert len(text) < 40


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


def test_an_interval_is_not_rounded_onto_the_null():
    assert numbers.estimate(0.85, 0.731, 0.997, null=1.0) == "0.850 (0.731 to 0.997)"
    assert numbers.estimate(0.85, 0.731, 1.0, null=1.0) == "0.85 (0.73 to 1.00)"


def test_small_and_endless_estimates():
    assert numbers.estimate(0.004, 0.001, 0.012, null=1.0) == "0.004 (0.001 to 0.012)"
    assert numbers.estimate(0.00001, 0.0, 4.0, null=1.0) == "<0.001 (0 to 4.000)"
    assert numbers.estimate(3.0, 0.2, float("inf"), null=1.0) == "3.00 (0.20 to ∞)"
    assert numbers.estimate(28.0, 21.0, None, places=NO_PLACE) == "28 (21 to NE)"
    assert numbers.estimate(123.456, 40.0, 380.9, null=1.0) == "123.5 (40.0 to 380.9)"


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


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [(30.0, "plain", "30"), (0.5, "lancet", "0·5"), (1e-7, "plain", "0.0000001"), (12000, "jama", "12~000"), (-2.25, "plain", "−2.25"),
     (1e6, "nejm", "1,000,000"), (0, "plain", "0")],
)  # fmt: skip
def test_a_number_of_the_protocol_keeps_its_digits(value, name, text):
    assert numbers.as_written(value, STYLES[name]).replace(NARROW, "~") == text


def test_hundredfold_is_exact_in_its_digits():
    assert numbers.hundredfold(0.285) == 28.5
    assert numbers.hundredfold(float("inf")) == float("inf")
