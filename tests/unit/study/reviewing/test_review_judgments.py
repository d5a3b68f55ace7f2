"""What people judged: bias in three tools, two extractions, the certainty, and what it means for a thousand patients."""

import pytest

NEWCASTLE = "{tool: newcastle-ottawa, columns: [selection, comparability, outcome_assessment]}"
ROB2 = "{tool: rob-2, columns: [randomization, missing], overall: overall}"
ROBINS = "{tool: robins-i, columns: [randomization, missing]}"
GRADE = "{tool: grade}"


def with_cells(rows, *cells):
    return [row | more for row, more in zip(rows, cells, strict=True)]


def levels(rows, study):
    return {row["domain"]: row["level"] for row in rows if row["study"] == study}


def test_stars_of_newcastle_ottawa(review, four, rows_of):
    stars = (("4", "2", "3"), ("3", "1", "2"), ("2", "1", "1"), ("1", "0", "2"))
    cells = [dict(zip(("selection", "comparability", "outcome_assessment"), found, strict=True)) for found in stars]
    rows = rows_of(review.result(*with_cells(four, *cells), risk_of_bias=NEWCASTLE), "risk-of-bias")
    assert list(levels(rows, "Ames 2001").values()) == ["low"] * 4
    assert list(levels(rows, "Bern 2005").values()) == ["low"] * 4
    assert list(levels(rows, "Cork 2010").values()) == ["some", "low", "high", "high"]
    assert list(levels(rows, "Dover 2016").values()) == ["high", "high", "low", "high"]


def test_a_scale_that_tells_no_study_from_another_is_told(review, four):
    cells = [{"selection": "4", "comparability": "2", "outcome_assessment": "3"}] * 4
    result = review.result(*with_cells(four, *cells), risk_of_bias=NEWCASTLE)
    assert "W857" in {notice.code for notice in result.warnings}


def test_words_of_rob_2_with_a_judgment_of_the_whole(review, four, rows_of):
    cells = (
        {"randomization": "Low", "missing": "Some concerns", "overall": "High"}, {"randomization": "low risk", "missing": "low"},
        {"randomization": "high", "missing": "low", "overall": "low"}, {"randomization": "doubtful", "missing": "low"},
    )  # fmt: skip
    result = review.result(*with_cells(four, *cells), risk_of_bias=ROB2)
    rows = rows_of(result, "risk-of-bias")
    assert list(levels(rows, "Ames 2001").values()) == ["low", "some", "high"]
    assert list(levels(rows, "Bern 2005").values())[-1] == "low"
    assert list(levels(rows, "Cork 2010").values())[-1] == "low"
    assert next(iter(levels(rows, "Dover 2016").values())) == "unclear"
    assert any(notice.code == "W858" and "doubtful" in notice.text for notice in result.warnings)


def test_words_of_robins_i(review, four, rows_of):
    words = (("low", "moderate"), ("serious", "low"), ("critical", "low"), ("no information", "low"))
    cells = [dict(zip(("randomization", "missing"), found, strict=True)) for found in words]
    rows = rows_of(review.result(*with_cells(four, *cells), risk_of_bias=ROBINS), "risk-of-bias")
    assert [list(levels(rows, row["study"]).values())[-1] for row in four] == ["some", "high", "critical", "unclear"]


def test_two_extractions_are_compared(review, four, rows_of):
    first = with_cells(four, *({"design": design} for design in ("rct", "rct", "plain", "plain")))
    second = [dict(row) for row in first]
    second[0] |= {"events_treated": 11}
    second[3] |= {"design": "matched"}
    review.table_file("second.csv", second[:4])
    result = review.result(*first, effects="{measure: odds ratio, second_extraction: second.csv}")
    unlike = rows_of(result, "discrepancy")
    assert {(row["study"], row["column"], row["first"], row["second"]) for row in unlike} == {
        ("Dover 2016", "design", "plain", "matched"), ("Ames 2001", "events_treated", "10", "11"),
    }  # fmt: skip
    agreed = {row["column"].lower(): row for row in rows_of(result, "agreement")}
    assert agreed["events_treated"]["percent"] == pytest.approx(75)
    assert agreed["design"]["kappa"] == pytest.approx(0.6)  # observed 3/4, expected by chance 3/8
    assert agreed["events_treated"]["kappa"] is None
    assert "W871" in {notice.code for notice in result.warnings}


def test_a_study_that_only_one_extracted_is_told(review, four):
    review.table_file("second.csv", four[:3])
    result = review.result(*four, effects="{measure: odds ratio, second_extraction: second.csv}")
    assert "W872" in {notice.code for notice in result.warnings}


def finding(review, rows_of, rows, **keys):
    result = review.result(*rows, **keys)
    return rows_of(result, "summary-of-findings")[0], result


def test_a_thousand_patients(review, four, rows_of):
    outcome = (
        "{population: adults, exposure: pump, comparator: none, outcomes: {death: {better: lower, control_risk: 0.4}}}"
    )
    found, _ = finding(review, rows_of, four, question=outcome)
    odds = found["estimate"] * 0.4 / 0.6
    assert found["risk_control"] == 400
    assert found["risk_treated"] == pytest.approx(1000 * odds / (1 + odds))
    assert found["risk_low"] < found["risk_treated"] < found["risk_high"]
    assert found["participants"] == 40 + 41 + 60 + 58 + 35 + 36 + 90 + 91


def test_without_a_stated_risk_it_is_the_median_of_the_studies(review, four, rows_of):
    found, _ = finding(review, rows_of, four)
    risks = sorted((14 / 41, 26 / 58, 9 / 36, 33 / 91))
    assert found["risk_control"] == pytest.approx(1000 * (risks[1] + risks[2]) / 2)


@pytest.mark.parametrize(
    ("measure", "treated"),
    [
        ("risk ratio", lambda risk, effect: risk * effect),
        ("hazard ratio", lambda risk, effect: 1 - (1 - risk) ** effect),
    ],
)
def test_other_measures_of_an_event(review, four, rows_of, measure, treated):
    rows = [
        {"study": row["study"], "outcome": "death", "estimate": 0.8 + index / 10, "std_error": 0.2}
        for index, row in enumerate(four)
    ]
    outcome = (
        "{population: adults, exposure: pump, comparator: none, outcomes: {death: {better: lower, control_risk: 0.4}}}"
    )
    found, _ = finding(review, rows_of, rows, question=outcome, effects=f"{{measure: {measure}}}")
    assert found["risk_treated"] == pytest.approx(1000 * treated(0.4, found["estimate"]))
    assert found["participants"] is None


def judged(**ratings):
    domains = {"risk of bias": "not serious", "inconsistency": "not serious", "indirectness": "not serious", "imprecision": "serious",
               "publication bias": "undetected"} | {name.replace("_", " "): value for name, value in ratings.items()}  # fmt: skip
    return ", ".join(f"{name}: {{rating: {value}, reason: as said}}" for name, value in domains.items())


def test_the_certainty_waits_for_every_judgment(review, four, rows_of):
    found, result = finding(review, rows_of, four, certainty=GRADE)
    assert found["certainty"] == "asked for"
    asked = {row["domain"]: row for row in rows_of(result, "certainty")}
    assert asked["imprecision"]["suggested"] in ("serious", "very serious")
    assert asked["indirectness"]["suggested"] is None
    assert all(row["judged"] is None for row in asked.values())


@pytest.mark.parametrize(
    ("start", "ratings", "expected"),
    [
        ("high", {}, "moderate"), ("low", {}, "very low"), ("high", {"inconsistency": "very serious"}, "very low"),
        ("low", {"imprecision": "not serious"}, "low"), ("low", {"imprecision": "not serious", "large_effect": "very large"}, "high"),
    ],
)  # fmt: skip
def test_the_certainty_is_counted_from_the_judgments(review, four, rows_of, start, ratings, expected):
    certainty = f"{{tool: grade, start: {start}, judged: {{death: {{{judged(**ratings)}}}}}}}"
    assert finding(review, rows_of, four, certainty=certainty)[0]["certainty"] == expected


def test_trials_begin_high_and_cohorts_low(review, four, rows_of):
    for design, upgrades in (("rct", False), ("plain", True)):
        result = review.result(*[row | {"design": design} for row in four], certainty=GRADE)
        assert ("large effect" in {row["domain"] for row in rows_of(result, "certainty")}) is upgrades


def test_few_studies_suggest_nothing_of_publication_bias(review, four, rows_of):
    _, result = finding(review, rows_of, four, certainty=GRADE)
    (row,) = [row for row in rows_of(result, "certainty") if row["domain"] == "publication bias"]
    assert row["suggested"] is None
    assert "4 studies" in row["evidence"]


def test_the_share_of_the_weight_at_high_risk_suggests_bias(review, four, rows_of):
    cells = [{"randomization": word, "missing": "low"} for word in ("low", "low", "low", "high")]
    result = review.result(*with_cells(four, *cells), certainty=GRADE, risk_of_bias=ROB2)
    (row,) = [row for row in rows_of(result, "certainty") if row["domain"] == "risk of bias"]
    weights = [item["weight"] for item in rows_of(result, "study-forest") if item["role"] == "study"]
    assert sum(weights) == pytest.approx(1)
    assert row["suggested"] == "serious" if weights[3] / sum(weights) <= 0.5 else "very serious"
