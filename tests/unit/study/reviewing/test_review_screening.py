"""The boxes of the PRISMA 2020 diagram, as typed or as counted from a log."""

import polars as pl
import pytest

from counterpulse.protocol.nodes import Screening
from counterpulse.study.reviewing.screening import screening_boxes, screening_flow, screening_notices

TYPED = {
    "identified": {"databases": 860, "registers": 40}, "removed": {"duplicates": 100}, "screened": 800, "excluded": 750, "sought": 50,
    "not_retrieved": 2, "full_text": 48, "full_text_excluded": {"no comparison": 30, "other device": 9}, "included": 9,
}  # fmt: skip
LOG = pl.DataFrame(
    [
        ("1", "Medline", "no", "include", "yes", "include", None, "Ames"),
        ("2", "Medline", "yes", None, None, None, None, None),
        ("3", "Embase", "no", "exclude", None, None, None, None),
        ("4", "Embase", "no", "include", "no", None, None, None),
        ("5", "Embase", "no", "Include", "yes", "exclude", "no comparison", None),
        ("6", None, "no", "include", "yes", "include", None, "Ames"),
        ("7", "Embase", "no", "include", "yes", "exclude", None, None),
    ],
    schema=["record", "source", "duplicate", "screen", "retrieved", "full_text", "reason", "study"], orient="row",
)  # fmt: skip


def codes(boxes, analyzed):
    return [notice.code for notice in screening_notices(boxes, analyzed)]


def test_typed_boxes_become_steps_in_their_order():
    steps = {step.id: step.n for step in screening_flow(screening_boxes(Screening(**TYPED), None))}
    assert steps["screening.identified.databases"] == 860
    assert steps["screening.full_text_excluded.other device"] == 9
    assert steps["screening.included"] == 9


def test_boxes_that_follow_are_not_told():
    assert codes(screening_boxes(Screening(**TYPED), None), 9) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("screened", 801), ("sought", 51), ("full_text", 47), ("full_text_excluded", {"other": 1}), ("included", 8)],
)
def test_boxes_that_do_not_follow_are_told(key, value):
    found = codes(
        screening_boxes(Screening(**(TYPED | {key: value})), None), TYPED["included"] if key != "included" else value
    )
    assert "W851" in found


def test_other_studies_in_the_table_than_were_included_are_told():
    assert codes(screening_boxes(Screening(**TYPED), None), 13) == ["W852"]
    earlier = screening_boxes(Screening(**(TYPED | {"previous": {"studies": 4}})), None)
    assert codes(earlier, 13) == []


def test_a_log_is_counted():
    boxes = screening_boxes(Screening(log="log.csv"), LOG)
    assert boxes["identified"] == {"Medline": 2, "Embase": 4, "records": 1}
    assert boxes["removed"] == {"duplicates": 1}
    assert [boxes[name] for name in ("screened", "excluded", "sought", "not_retrieved", "full_text")] == [6, 1, 5, 1, 4]
    assert boxes["full_text_excluded"] == {"no comparison": 1, "no reason given": 1}
    assert boxes["included"] == {"studies": 1, "reports": 2}
    assert codes(boxes, 1) == []


def test_a_log_with_few_columns_is_counted():
    boxes = screening_boxes(Screening(log="log.csv"), LOG.select("record", "screen", "full_text"))
    assert boxes["identified"] == {"records": 7}
    assert boxes["screened"] == 7
    assert "removed" not in boxes


def test_a_log_in_a_study(review, four):
    LOG.write_csv(review.directory / "log.csv")
    result = review.result(*four, screening="{log: log.csv}")
    assert {step.id: step.n for step in result.flow}["screening.included.reports"] == 2
    assert "W852" in {notice.code for notice in result.warnings}


def test_a_log_without_records_is_a_finding(review, four):
    LOG.rename({"record": "number"}).write_csv(review.directory / "log.csv")
    assert [code for code, _ in review.refused(*four, screening="{log: log.csv}")] == ["E850"]
