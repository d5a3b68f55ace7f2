"""Reviews as they are filled in on a bad day: what is odd is found with its row, and nothing is dropped, doubled or mis-scaled."""

import math

import numpy as np
import pytest

from counterpulse.study.load import check, read_study
from counterpulse.study.reviewing import columns
from counterpulse.study.reviewing.living import review_moves
from counterpulse.study.run import run

EXACT = 1e-12  # relative; closed forms
NETWORK = "[{id: N1, role: primary, outcome: death, method: network-meta-analysis}]"
THREE_ARMS = [
    {"study": "Ames 2001", "treated": "x", "control": "p"}, {"study": "Ames 2001", "treated": "y", "control": "p"},
    {"study": "Bern 2005", "treated": "x", "control": "p"}, {"study": "Cork 2010", "treated": "y", "control": "p"},
]  # fmt: skip
COUNTS = [(10, 100, 20, 100), (15, 100, 20, 100), (11, 90, 20, 110), (9, 90, 21, 112)]


def arms(*more):
    names = ("events_treated", "n_treated", "events_control", "n_control")
    return [
        row | dict(zip(names, count, strict=True)) | {"outcome": "death"}
        for row, count in zip(THREE_ARMS, COUNTS, strict=True)
    ] + list(more)


def effect(study, estimate=0.6, low=0.4, high=0.9, **more):
    return {"study": study, "outcome": "death", "estimate": estimate, "conf_low": low, "conf_high": high} | more


def found(review, *rows, **keys):
    """Codes and lines of what `check` says, without the columns that have no value."""
    return [(item.code, item.where.line) for item in check(review.path(*rows, **keys))[0] if item.code != "W524"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (effect("Bad", 0.5, 0.3, 0.95), "W859"),
        (effect("Bad", 1.5), "E860"),
        (effect("Bad", 0.6, 0.9, 0.4), "E860"),
        (effect("Bad", 0.6, None, None), "W860"),
        ({"study": "Bad", "outcome": "death", "events_treated": 4, "n_treated": 50, "events_control": 3}, "W860"),
        ({"study": "Bad", "outcome": "death", "events_treated": 0, "n_treated": 50, "events_control": 0, "n_control": 50}, "W860"),
        ({"study": "Bad", "outcome": "death", "events_treated": 51, "n_treated": 50, "events_control": 0, "n_control": 50}, "E860"),
        ({"study": "Bad", "outcome": "death", "percent_treated": 0.1, "n_treated": 2000, "percent_control": 0.2, "n_control": 2000}, "W859"),
        (effect("Bad", registry="a; b"), "W855"),
    ],
)  # fmt: skip
def test_a_row_that_is_odd_is_found_by_check_with_its_row(review, row, code):
    assert (code, 3) in found(review, effect("Ames 2001", 0.5, 0.25, 1.0), row)


def test_a_text_in_a_number_is_found_with_its_row(review):
    assert ("E509", 3) in found(review, effect("Ames 2001"), effect("Bad", "half"))


def test_a_row_tells_its_first_problem_and_the_odd_rows_stand_beside_the_errors(review):
    percent = {
        "study": "Bad",
        "outcome": "death",
        "percent_treated": 110,
        "n_treated": 50,
        "percent_control": 20,
        "n_control": 50,
    }
    assert found(review, percent, effect("Odd", 0.5, 0.3, 0.95)) == [("E860", 2), ("W859", 3)]


def test_a_study_that_stands_twice_is_found_by_check_however_it_is_written(review):
    codes = found(review, effect("Ames 2001"), effect("AMES  2001", 0.7, 0.5, 0.98))
    assert ("E852", 2) in codes
    assert ("W859", 3) in codes


def test_one_spelling_makes_one_cluster(review):
    frame = review.cohort(effect("Ames 2001"), effect("ames 2001 ", 0.7, 0.5, 0.98)).frame
    assert frame[columns.STUDY].unique().to_list() == ["Ames 2001"]


def test_a_network_in_parts_and_one_with_a_pair_twice_are_found_by_check(review):
    apart = effect("Else 2020", treated="u", control="v")
    assert ("W874", 6) in found(review, *arms(apart), analyses=NETWORK)
    again = effect("Bern 2005", treated="p", control="x")
    assert ("E852", 4) in found(review, *arms(again), analyses=NETWORK)
    assert ("W875", 6) in found(review, *arms(effect("Else 2020", control="p")), analyses=NETWORK)


def test_the_arms_of_one_study_share_a_registry_and_stay_together(review):
    rows = [row | {"registry": "r" if row["study"] in ("Ames 2001", "Cork 2010") else None} for row in arms()]
    result = review.result(*rows, overlap="{registry: registry, keep: largest}")
    told = [notice.text for notice in result.warnings if notice.code == "W853"]
    assert len(told) == 1
    assert "Cork 2010" in told[0]
    assert "not counted: Ames" not in told[0]
    network = review.result(*rows, overlap="{registry: registry, keep: largest}", analyses=NETWORK)
    (block,) = [block for block in network.blocks if block.kind == "network"]
    assert set(block.columns["treatment_1"]) | set(block.columns["treatment_2"]) == {"p", "x", "y"}


def test_a_split_control_is_told(review):
    assert [notice.code for notice in review.result(*arms()).warnings].count("W882") == 2


def test_three_levels_are_told_on_the_scale_of_the_measure(review):
    rows = [
        effect("Ames 2001", 0.5, 0.25, 1.0),
        effect("Ames 2001", 0.6, 0.3, 1.2),
        effect("Bern 2005", 0.7, 0.5, 0.98),
    ]
    result = review.result(*rows, analyses="[{id: M1, role: primary, outcome: death, model: three-level}]")
    estimate = result.estimates[0].estimate.natural()
    assert 0.5 < estimate.value < 0.7
    assert 0 < estimate.interval.low < estimate.value


def test_an_effect_on_the_pooled_scale_is_converted_as_well(review):
    convert = "{measure: odds ratio, convert: {from: hazard ratio, control_risk: 0.5}}"
    printed = review.effect({"measure": "HR", "estimate": 0.5, "conf_low": 0.25, "conf_high": 1.0}, effects=convert)
    given = review.effect({"measure": "HR", "yi": math.log(0.5), "vi": printed[1]}, effects=convert)
    odds = (1 - 0.5**0.5) / 0.5**0.5
    assert np.exp(printed[0]) == pytest.approx(odds, rel=EXACT)
    assert given[0] == pytest.approx(printed[0], rel=EXACT)


@pytest.mark.parametrize(
    "how", ["from: mean difference", "from: mean difference, as_it_is: yes", "from: hazard ratio", "from: rate ratio"]
)
def test_a_conversion_that_cannot_be_made_is_found_when_planning(review, how):
    assert review.codes(effects=f"{{measure: odds ratio, convert: {{{how}}}}}") == ["E812"]


def test_the_arcsine_needs_no_correction(review):
    row = {"events": 0, "n": 50}
    assert review.effect(row, effects="{measure: proportion, proportion: arcsine}")[:2] == pytest.approx((0.0, 0.005))
    assert review.effect(row, effects="{measure: proportion}")[0] == pytest.approx(math.log(0.5 / 50.5), rel=EXACT)


@pytest.mark.parametrize(
    ("analysis", "effects", "code"),
    [
        ("model: peto", "{measure: risk ratio}", "E813"),
        ("model: generalized-linear", "{measure: proportion, proportion: raw}", "E813"),
        ("cumulative: study", "{measure: odds ratio}", "E815"),
        ("method: bayesian-meta-analysis, below: -1", "{measure: odds ratio}", "E817"),
        ("method: sequential-meta-analysis, order: year, relative_risk_reduction: 25", "{measure: odds ratio}", "E816"),
    ],
)
def test_what_an_analysis_cannot_do_is_found_when_planning(review, analysis, effects, code):
    assert code in review.codes(effects=effects, analyses=f"[{{id: M1, role: primary, outcome: death, {analysis}}}]")


def test_a_threshold_of_a_proportion_is_read_as_a_proportion(review):
    rows = [
        {"study": name, "outcome": "death", "events": events, "n": 100}
        for name, events in (("A", 10), ("B", 14), ("C", 12))
    ]
    analysis = "[{id: B1, role: primary, outcome: death, method: bayesian-meta-analysis, below: 0.5}]"
    details = review.result(*rows, effects="{measure: proportion}", analyses=analysis).details["B1"]
    assert details["death.below"] == pytest.approx(0.5)
    assert details["death.probability_below"] > 0.9


def test_studies_without_a_year_come_last_and_are_told(review, four):
    rows = [row | {"year": year} for row, year in zip(four, (2001, None, 2010, 2016), strict=True)]
    result = review.result(*rows, analyses="[{id: M1, role: primary, outcome: death, cumulative: year}]")
    (block,) = [block for block in result.blocks if block.kind == "cumulative"]
    assert block.columns["study"][-1] == "Bern 2005"
    assert any(notice.code == "W884" for notice in result.warnings)


def test_words_of_grade_belong_to_their_domain(review):
    for domain, rating in (("imprecision", "yes"), ("publication bias", "serious"), ("large effect", "not serious")):
        judged = f"{{tool: grade, judged: {{death: {{{domain}: {{rating: {rating}, reason: so}}}}}}}}"
        assert review.codes(certainty=judged) == ["E814"]


def test_words_of_the_log_that_cannot_be_told_are_found_with_their_row(review, four):
    path = review.path(*four, screening="{log: log.csv}")
    words = "record,screen,full_text,study\n1,include,include,A\n2,maybe,,\n3,include,perhaps,\n"
    (review.directory / "log.csv").write_text(words, encoding="utf-8")
    texts = [item.seen for item in check(path)[0] if item.code == "W885"]
    assert any("`screen`" in text and "row 3" in text for text in texts)
    assert any("`full_text`" in text and "row 4" in text for text in texts)


def test_rows_that_nothing_tells_apart_are_not_compared(review):
    rows = [effect("Ames 2001"), effect("Ames 2001", 0.7, 0.5, 0.98), effect("Bern 2005")]
    review.directory.mkdir(exist_ok=True)
    review.table_file("second.csv", rows)
    analyses = "[{id: M1, role: primary, outcome: death, model: three-level}]"
    result = review.result(*rows, effects="{second_extraction: second.csv}", analyses=analyses)
    assert sum("2 rows of the" in notice.text for notice in result.warnings if notice.code == "W886") == 2


def test_moves_of_several_outcomes_are_read_on_their_own_scale():
    def bundle(last):
        names = (
            "role",
            "study",
            "subgroup",
            "measure",
            "estimate",
            "conf_low",
            "conf_high",
            "tau_squared",
            "i_squared",
        )

        def forest(outcome, measure, *studies):
            total = ("total", None, None, measure, studies[0][1], studies[0][2], studies[0][3], 0.0, 0.0)
            rows = [*(("study", s[0], None, measure, *s[1:], None, None) for s in studies), total]
            columns_ = dict(zip(names, (list(values) for values in zip(*rows, strict=True)), strict=True))
            return {"id": f"M1.{outcome}.forest", "kind": "study-forest", "analysis": "M1", "columns": columns_}

        rows = [
            {"analysis": "M1", "outcome": outcome, "scale": scale, "conf_level": 0.95, "role": "primary"}
            for outcome, scale in (("death", "log"), ("stay", "identity"))
        ]
        choices = [{"name": "model", "value": "common"}, {"name": "tau2", "value": "REML"}]
        return {
            "study": {"design": "review"}, "estimates": rows,
            "analyses": [{"id": "M1", "method": "meta-analysis", "choices": choices}],
            "blocks": [
                forest("death", "odds ratio", ("A", 0.5, 0.25, 1.0)),
                forest("stay", "mean difference", (*last[:1], *last[1:]), ("B", -1.0, -2.0, 0.0)),
            ],
        }  # fmt: skip

    (move,) = review_moves(bundle(("A", -2.0, -3.0, -1.0)), bundle(("A", -3.0, -4.0, -2.0)))
    assert move.outcome == "stay"
    assert [mover.study for mover in move.movers] == ["A"]
    assert move.movers[0].shift == pytest.approx(-0.5, rel=EXACT)


def test_a_total_of_stars_does_not_hide_its_domains(review, four, rows_of):
    stars = {"selection": "4", "comparability": "0", "outcome_assessment": "3", "overall": "7"}
    bias = "{tool: newcastle-ottawa, columns: [selection, comparability, outcome_assessment], overall: overall}"
    rows = rows_of(review.result(*(row | stars for row in four), risk_of_bias=bias), "risk-of-bias")
    assert {row["level"] for row in rows if row["domain"] == "overall"} == {"high"}


def test_a_trial_without_randomization_begins_low(review, four, rows_of):
    judged = ", ".join(
        f"{name}: {{rating: {word}, reason: so}}"
        for name, word in (
            ("risk of bias", "not serious"), ("inconsistency", "not serious"), ("indirectness", "not serious"),
            ("imprecision", "not serious"), ("publication bias", "undetected"),
        )
    )  # fmt: skip
    certainty = f"{{tool: grade, judged: {{death: {{{judged}}}}}}}"
    for label, level in (("Randomized trial", "high"), ("Non-randomized trial", "low")):
        path = review.path(*(row | {"design": "plain"} for row in four), certainty=certainty)
        dictionary = review.directory / "r.dictionary.csv"
        written = dictionary.read_text().replace("rct=Randomized trial", "rct=Other").replace("Unmatched cohort", label)
        dictionary.write_text(written, encoding="utf-8")
        plan, table = read_study(path)
        (row,) = rows_of(run(plan, table), "summary-of-findings")
        assert row["certainty"] == level


def test_a_selection_model_of_equal_studies_is_refused(review, counts):
    rows = counts(*((name, 11, 90, 20, 110) for name in "ABCDE"))
    analysis = "[{id: M1, role: primary, outcome: death, small_study_effects: [selection-beta]}]"
    assert any(notice.code == "W867" for notice in review.result(*rows, analyses=analysis).warnings)
