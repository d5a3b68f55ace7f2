"""Every format in which a paper prints an effect, as effect and variance on the scale of pooling."""

from math import atanh, exp, lgamma, log, sqrt

import pytest
from scipy.special import erfcinv

CLOSED_FORM = 1e-12  # the same few products
PRINTED = 1e-3  # medians and quartiles are turned into means by approximations that are checked elsewhere
EFFECTS = "{{measure: {0}}}"
TABLE = {"events_treated": 10, "n_treated": 40, "events_control": 14, "n_control": 41}
MEANS = {
    "mean_treated": 12.0,
    "sd_treated": 3.0,
    "n_treated": 30,
    "mean_control": 10.0,
    "sd_control": 4.0,
    "n_control": 35,
}
Z = 1.959963984540054


def measured(measure):
    return {"effects": EFFECTS.format(measure)}


def of_error(value, error):
    return value, error**2


LOG_OR = log(10 * 27 / (30 * 14))
VAR_OR = 1 / 10 + 1 / 30 + 1 / 14 + 1 / 27
CASES = {
    "counts, odds ratio": ("odds ratio", TABLE, (LOG_OR, VAR_OR)),
    "counts, risk ratio": ("risk ratio", TABLE, (log(10 / 40 / (14 / 41)), 1 / 10 - 1 / 40 + 1 / 14 - 1 / 41)),
    "counts, risk difference": ("risk difference", TABLE, (0.25 - 14 / 41, 0.25 * 0.75 / 40 + 14 / 41 * 27 / 41 / 41)),
    "percent": (
        "odds ratio",
        {"percent_treated": 25.0, "n_treated": 40, "percent_control": 34.1, "n_control": 41},
        (LOG_OR, VAR_OR),
    ),
    "estimate with interval": (
        "hazard ratio",
        {"estimate": 0.8, "conf_low": 0.8 * exp(-Z * 0.1), "conf_high": 0.8 * exp(Z * 0.1)},
        of_error(log(0.8), 0.1),
    ),
    "an interval of another level": (
        "hazard ratio",
        {
            "estimate": 0.8,
            "conf_low": 0.8 * exp(-1.6448536269514722 * 0.1),
            "conf_high": 0.8 * exp(1.6448536269514722 * 0.1),
            "conf_level": 0.9,
        },
        of_error(log(0.8), 0.1),
    ),
    "ratio with the error of its logarithm": (
        "odds ratio",
        {"estimate": 0.8, "std_error": 0.2},
        of_error(log(0.8), 0.2),
    ),
    "difference with its error": ("mean difference", {"estimate": -1.5, "std_error": 0.5}, of_error(-1.5, 0.5)),
    "estimate with P value": (
        "odds ratio",
        {"estimate": 0.5, "p_value": 0.04},
        of_error(log(0.5), -log(0.5) / (sqrt(2) * erfcinv(0.04))),
    ),
    "means": ("mean difference", MEANS, (2.0, 9 / 30 + 16 / 35)),
    "ratio of means": ("ratio of means", MEANS, (log(1.2), 9 / (30 * 144) + 16 / (35 * 100))),
    "rates": (
        "rate ratio",
        {"events_treated": 12, "time_treated": 200, "events_control": 20, "time_control": 180},
        (log(12 / 200 / (20 / 180)), 1 / 12 + 1 / 20),
    ),
    "proportion": ("proportion", {"events": 12, "n": 60}, (log(12 / 48), 1 / 12 + 1 / 48)),
    "rate": ("rate", {"events": 12, "time": 60}, (log(0.2), 1 / 12)),
    "correlation": ("correlation", {"correlation": 0.3, "n": 53}, (atanh(0.3), 1 / 50)),
    "log-rank": ("hazard ratio", {"observed_minus_expected": -4.2, "variance": 12.5}, (-4.2 / 12.5, 1 / 12.5)),
    "effect and variance": ("odds ratio", {"yi": -0.4, "vi": 0.09}, (-0.4, 0.09)),
}


@pytest.mark.parametrize("name", CASES)
def test_every_format(name, review):
    measure, row, expected = CASES[name]
    yi, vi, _ = review.effect(row, **measured(measure))
    assert (yi, vi) == pytest.approx(expected, rel=CLOSED_FORM)


def _unbiased(df):
    """The correction of Hedges 1981."""
    return exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)


@pytest.mark.parametrize(
    ("smd", "expected"),
    [
        ("cohen", 2 / sqrt((29 * 9 + 34 * 16) / 63)),
        ("hedges", 2 / sqrt((29 * 9 + 34 * 16) / 63) * _unbiased(63)),
        ("glass", 2 / 4 * _unbiased(34)),
    ],
)
def test_standardized_mean_differences(review, smd, expected):
    yi, _, _ = review.effect(MEANS, effects=f"{{measure: standardized mean difference, smd: {smd}}}")
    assert yi == pytest.approx(expected, rel=CLOSED_FORM)


def test_medians_stand_for_means_and_it_is_said(review):
    row = {
        f"{what}_{arm}": value + (2 if arm == "treated" else 0)
        for arm in ("treated", "control")
        for what, value in (("median", 10.0), ("q1", 8.0), ("q3", 12.0))
    }
    yi, _, note = review.effect(row | {"n_treated": 80, "n_control": 80}, **measured("mean difference"))
    assert yi == pytest.approx(2.0, abs=PRINTED)
    assert "medians and quartiles" in note


def test_ranges_stand_for_means_and_it_is_said(review):
    row = {
        f"{what}_{arm}": value + (2 if arm == "treated" else 0)
        for arm in ("treated", "control")
        for what, value in (("median", 10.0), ("minimum", 2.0), ("maximum", 18.0))
    }
    yi, _, note = review.effect(row | {"n_treated": 80, "n_control": 80}, **measured("mean difference"))
    assert yi == pytest.approx(2.0, abs=PRINTED)
    assert "medians and ranges" in note


def test_what_says_most_is_read_first_and_a_format_can_be_named(review):
    row = TABLE | {"estimate": 0.5, "conf_low": 0.25, "conf_high": 1.0}
    assert review.effect(row)[0] == pytest.approx(LOG_OR, rel=CLOSED_FORM)
    assert review.effect(row | {"format": "estimate-interval"})[0] == pytest.approx(log(0.5), rel=CLOSED_FORM)


def test_peto_odds_ratios(review):
    yi, vi, _ = review.effect(TABLE, effects="{measure: odds ratio, peto: yes}")
    expected, n = 24 * 40 / 81, 81
    variance = 24 * 57 * 40 * 41 / (n * n * (n - 1))
    assert (yi, vi) == pytest.approx(((10 - expected) / variance, 1 / variance), rel=CLOSED_FORM)


def test_arms_printed_the_other_way_round(review):
    yi, vi, note = review.effect({"estimate": 1.25, "std_error": 0.2, "reversed": "yes"})
    assert (yi, vi) == pytest.approx((-log(1.25), 0.04), rel=CLOSED_FORM)
    assert "turned" in note


def test_survival_printed_for_death(review):
    yi, _, note = review.effect({"estimate": 1.25, "std_error": 0.2, "complement": "yes"})
    assert yi == pytest.approx(-log(1.25), rel=CLOSED_FORM)
    assert "without the event" in note
    alive = {"events_treated": 30, "n_treated": 40, "events_control": 27, "n_control": 41, "complement": "yes"}
    assert review.effect(alive)[0] == pytest.approx(LOG_OR, rel=CLOSED_FORM)
    assert review.effect(alive, **measured("risk ratio"))[0] == pytest.approx(log(0.25 / (14 / 41)), rel=CLOSED_FORM)


def test_a_risk_ratio_of_survivors_says_nothing_of_death(review):
    row = {"study": "Ames", "outcome": "death", "estimate": 1.1, "std_error": 0.1, "complement": "yes"}
    assert review.refused(row, **measured("risk ratio")) == [("E859", 2)]


def test_only_a_study_with_a_zero_gets_a_half(review, counts, rows_of):
    rows = counts(("Ames", 0, 20, 4, 20), ("Bern", 5, 20, 8, 20), ("Cork", 0, 20, 0, 20))
    found = rows_of(review.result(*rows), "effect-sizes")
    assert found[0]["yi"] == pytest.approx(log(0.5 * 16.5 / (20.5 * 4.5)), rel=CLOSED_FORM)
    assert found[1]["yi"] == pytest.approx(log(5 * 12 / (15 * 8)), rel=CLOSED_FORM)
    assert (found[2]["used"], found[2]["yi"]) == ("no", None)
    assert "0.5" in found[0]["note"]


def test_nobody_with_an_event_counts_for_a_difference(review, counts, rows_of):
    rows = counts(("Ames", 0, 20, 0, 20), ("Bern", 5, 20, 8, 20))
    assert [row["used"] for row in rows_of(review.result(*rows, **measured("risk difference")), "effect-sizes")] == [
        "yes",
        "yes",
    ]


@pytest.mark.parametrize(
    ("written", "measure"),
    [
        ("OR", "odds ratio"), ("aOR (multivariable)", "odds ratio"), ("Adjusted hazard ratio", "hazard ratio"),
        ("relative risk", "risk ratio"), ("HR [95% CI]", "hazard ratio"), ("IRR", "rate ratio"), ("RD", "risk difference"),
    ],
)  # fmt: skip
def test_the_words_of_papers(review, written, measure):
    assert review.effect({"estimate": 0.8, "std_error": 0.2, "measure": written}, **measured(measure))[1] > 0


def test_a_measure_nobody_knows_and_another_measure(review):
    row = {"study": "Ames", "outcome": "death", "estimate": 0.8, "std_error": 0.2}
    assert review.refused(row | {"measure": "effect"}) == [("E857", 2)]
    assert review.refused(row | {"measure": "HR"}) == [("E858", 2)]
    frame = review.cohort(row | {"measure": "HR"}, effects="{measure: odds ratio, other_measures: leave-out}").frame
    assert frame["effect.used"].to_list() == [False]
    assert "hazard ratio" in frame["effect.reason"][0]


CONVERTED = {
    "hazard ratio as it is": ("hazard ratio", "risk ratio", "as_it_is: yes", 0.8),
    "odds ratio to risk ratio": ("odds ratio", "risk ratio", "control_risk: 0.4", 0.8 / (1 - 0.4 + 0.4 * 0.8)),
    "risk ratio to odds ratio": ("risk ratio", "odds ratio", "control_risk: 0.4", 0.8 * 0.6 / (1 - 0.4 * 0.8)),
    "hazard ratio to risk ratio": ("hazard ratio", "risk ratio", "control_risk: 0.4", (1 - 0.6**0.8) / 0.4),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_conversions_that_are_said(name, review):
    source, to, how, expected = CONVERTED[name]
    effects = f"{{measure: {to}, convert: [{{from: {source}, {how}}}]}}"
    yi, vi, note = review.effect({"estimate": 0.8, "std_error": 0.2, "measure": source}, effects=effects)
    assert exp(yi) == pytest.approx(expected, rel=CLOSED_FORM)
    assert vi > 0
    assert source.split()[0] in note or "risk" in note


def test_odds_ratio_to_standardized_mean_difference(review):
    effects = "{measure: standardized mean difference, convert: [{from: odds ratio}]}"
    yi, vi, _ = review.effect({"estimate": 2.0, "std_error": 0.3, "measure": "OR"}, effects=effects)
    factor = sqrt(3) / 3.141592653589793
    assert (yi, vi) == pytest.approx((log(2) * factor, 0.09 * factor**2), rel=CLOSED_FORM)


BAD = {
    "events above patients": (TABLE | {"events_treated": 41}, "E860"),
    "a variance of nothing": ({"yi": -0.4, "vi": 0.0}, "E860"),
    "an estimate outside its interval": ({"estimate": 2.0, "conf_low": 0.5, "conf_high": 1.0}, "E860"),
    "limits the other way round": ({"estimate": 0.8, "conf_low": 1.0, "conf_high": 0.6}, "E860"),
    "an outcome of another review": (TABLE | {"outcome": "stroke"}, "E853"),
    "no study": (TABLE | {"study": None}, "E854"),
    "a format nobody knows": (TABLE | {"format": "cuonts"}, "E855"),
    "a format of another measure": (MEANS | {"format": "means"}, "E856"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_a_finding_with_its_row(name, review, four):
    row, code = BAD[name]
    found = review.refused(*four, {"study": "Ely 2020", "outcome": "death"} | row)
    assert found == [(code, 6)]


def test_no_finding_prints_a_number_of_the_row(review, four):
    from counterpulse.errors import DataError

    with pytest.raises(DataError) as caught:
        review.cohort(
            *four,
            {
                "study": "Ely",
                "outcome": "death",
                "events_treated": 9731,
                "n_treated": 40,
                "events_control": 1,
                "n_control": 41,
            },
        )
    assert "9731" not in str(caught.value)


def test_what_is_not_printed_is_listed_and_nothing_is_filled_in(review, four, rows_of):
    result = review.result(*four, {"study": "Ely 2020", "outcome": "death"})
    last = rows_of(result, "effect-sizes")[-1]
    assert (last["used"], last["yi"], last["estimate"]) == ("no", None, None)
    (told,) = [notice.text for notice in result.warnings if notice.code == "W860"]
    assert "Ely 2020 (row 6)" in told
