"""Which effects count: studies of one registry, studies that stand twice, several arms with one control."""

from math import log

import pytest

from counterpulse.errors import DataError
from counterpulse.study.patients.samples import make_samples
from counterpulse.study.reviewing.columns import EVENTS, NOTE, PATIENTS, ROW, STUDY, YI

CLOSED_FORM = 1e-12  # the same few products
THREE_LEVEL = "[{id: M1, role: primary, outcome: death, model: three-level}]"


def sample(review, *rows, **keys):
    plan, cohort = review.plan(**keys), review.cohort(*rows, **keys)
    (made,) = make_samples(plan, plan.analyses[0], plan.outcomes["death"], cohort, None)
    return made


@pytest.fixture
def registries(counts):
    rows = counts(
        ("Ames", 10, 40, 14, 41),
        ("Bern", 21, 60, 26, 58),
        ("Cork", 8, 35, 9, 36),
        ("Dover", 30, 90, 33, 91),
        ("Ely", 3, 20, 5, 20),
    )
    return [
        row | {"registry": name}
        for row, name in zip(rows, ("North", "north", "South", None, "South; North"), strict=True)
    ]


def test_of_a_registry_the_largest_counts(review, registries):
    made = sample(review, *registries[:4], overlap="{registry: registry}")
    assert made.sample.frame[STUDY].to_list() == ["Bern", "Cork", "Dover"]
    (told,) = [notice.text for notice in made.notices if notice.code == "W853"]
    assert "Bern (row 3) counts" in told
    assert "Ames (row 2)" in told


def test_or_the_first(review, registries):
    made = sample(review, *registries[:4], overlap="{registry: registry, keep: first}")
    assert made.sample.frame[STUDY].to_list() == ["Ames", "Cork", "Dover"]


def test_or_all_and_it_is_told(review, registries):
    made = sample(review, *registries[:4], overlap="{registry: registry, keep: all}")
    assert made.sample.frame.height == 4
    assert [notice.code for notice in made.notices] == ["W854"]


def test_a_study_in_two_registries_joins_them(review, registries):
    made = sample(review, *registries, overlap="{registry: registry}")
    assert made.sample.frame[STUDY].to_list() == ["Bern", "Dover"]
    assert {notice.code for notice in made.notices} == {"W853", "W855"}


def test_a_registry_that_nobody_asked_about_is_told(review, registries):
    assert [notice.code for notice in sample(review, *registries[:4]).notices] == ["W854"]


def test_where_patients_are_not_printed_the_most_precise_counts(review):
    rows = [
        {"study": name, "outcome": "death", "yi": -0.1, "vi": vi, "registry": "North"}
        for name, vi in (("Ames", 0.2), ("Bern", 0.1), ("Cork", 0.3))
    ]
    assert sample(review, *rows, overlap="{registry: registry}").sample.frame[STUDY].to_list() == ["Bern"]


def test_a_study_that_stands_twice_is_refused_with_both_rows(review, four):
    with pytest.raises(DataError) as caught:
        sample(review, *four, four[1])
    (found,) = caught.value.findings
    assert (found.code, found.where.line) == ("E852", 3)
    assert "rows 3, 6" in found.seen


def test_unless_the_model_knows_of_it(review, four):
    assert sample(review, *four, four[1], analyses=THREE_LEVEL).sample.frame.height == 5


def test_two_studies_with_one_effect_are_told(review, four):
    made = sample(review, *four, four[1] | {"study": "Ely 2020"})
    assert [notice.code for notice in made.notices] == ["W856"]


@pytest.fixture
def arms(counts):
    one = counts(("Ames", 10, 40, 14, 41), ("Ames", 12, 38, 14, 41), ("Bern", 21, 60, 26, 58))
    return [row | {"treated": name} for row, name in zip(one, ("pump", "device", "pump"), strict=True)]


def test_a_shared_control_is_split(review, arms):
    frame = sample(review, *arms).sample.frame
    assert frame[STUDY].to_list() == ["Ames, pump", "Ames, device", "Bern"]
    assert frame[EVENTS[1]].to_list() == [7.0, 7.0, 26.0]
    assert frame[PATIENTS[1]].to_list() == [20.5, 20.5, 58.0]
    assert frame[YI][0] == pytest.approx(log(10 * 13.5 / (30 * 7)), rel=CLOSED_FORM)
    assert "split among 2 arms" in frame[NOTE][0]


def test_or_the_arms_are_taken_together(review, arms):
    frame = sample(review, *arms, effects="{measure: odds ratio, shared_control: combine}").sample.frame
    assert (frame[STUDY].to_list(), frame[ROW].to_list()) == (["Ames", "Bern"], [2, 4])
    assert frame[YI][0] == pytest.approx(log(22 * 27 / (56 * 14)), rel=CLOSED_FORM)


def test_or_kept_and_then_the_study_stands_twice(review, arms):
    with pytest.raises(DataError):
        sample(review, *arms, effects="{measure: odds ratio, shared_control: keep}")
