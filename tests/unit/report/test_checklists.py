from dataclasses import replace

import pytest

from counterpulse.protocol.nodes import Registration
from counterpulse.protocol.reporting import BY_DESIGN, GUIDELINES, guideline_named, guidelines_of
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.order import compose
from counterpulse.report.chapters.supplement.checklists import checklist_sections
from counterpulse.report.checklists.answering import RULES, answer_items
from counterpulse.report.checklists.evidence import TITLE_PAGE, Evidence, runs_of
from counterpulse.report.checklists.guideline import FILES, read_guideline
from counterpulse.report.document import Figure, Section, Table, blocks_of, text
from counterpulse.report.number_styles import STYLES

STATES = {"answered", "partly", "to-write", "not-applicable"}


def letters(number, last):
    return [f"{number}{letter}" for letter in "abcdefgh"[: "abcdefgh".index(last) + 1]]


def plain(*numbers):
    return [str(number) for number in numbers]


STROBE = [
    *letters(1, "b"), *plain(2, 3, 4, 5), *letters(6, "b"), *plain(7, 8, 9, 10, 11), *letters(12, "e"), *letters(13, "c"),
    *letters(14, "c"), "15", *letters(16, "c"), *plain(17, 18, 19, 20, 21, 22),
]  # fmt: skip
NUMBERS = {
    "RECORD": ["1.1", "1.2", "1.3", "6.1", "6.2", "6.3", "7.1", "12.1", "12.2", "12.3", "13.1", "19.1", "22.1"],
    "CONSORT-2025": [
        *letters(1, "b"), *plain(2, 3, 4), *letters(5, "b"), *plain(6, 7, 8, 9, 10, 11), *letters(12, "b"), *plain(13, 14, 15),
        *letters(16, "b"), *letters(17, "b"), *plain(18, 19), *letters(20, "b"), *letters(21, "d"), *letters(22, "b"),
        *letters(23, "b"), *letters(24, "b"), *plain(25, 26, 27, 28, 29, 30),
    ],
    "PRISMA-2020": [
        *plain(*range(1, 10)), *letters(10, "b"), *plain(11, 12), *letters(13, "f"), *plain(14, 15), *letters(16, "b"),
        *plain(17, 18, 19), *letters(20, "d"), *plain(21, 22), *letters(23, "d"), *letters(24, "c"), *plain(25, 26, 27),
    ],
    "TARGET": [
        *letters(1, "c"), *plain(2, 3, 4, 5), *letters(6, "h"), *letters(7, "f"), "7g.i", "7g.ii", "7h.i", "7h.ii",
        *plain(*range(8, 22)),
    ],
}  # fmt: skip
"""The numbering of the original statements."""
MAIN_ITEMS = {"STROBE": 22, "CONSORT-2025": 30, "PRISMA-2020": 27, "TARGET": 21, "RECORD": 13, "SAP-2017": 32}
"""How many items the statements say they have; RECORD counts each of its extensions."""


def main_number(number):
    return int("".join(c for c in number.partition(".")[0] if c.isdigit()))


@pytest.mark.parametrize("name", NUMBERS)
def test_every_item_stands_once_in_the_order_of_the_statement(name):
    assert [item.number for item in read_guideline(name).items] == NUMBERS[name]


def test_the_items_of_strobe_for_a_cohort_and_for_cases_and_controls():
    strobe = read_guideline("STROBE")
    assert [item.number for item in strobe.for_design("cohort")] == STROBE
    assert [item.number for item in strobe.for_design("single-arm")] == STROBE
    assert [item.number for item in strobe.for_design("case-control")] == [n for n in STROBE if n != "14c"]


@pytest.mark.parametrize("name", MAIN_ITEMS)
def test_as_many_items_as_the_statement_says(name):
    numbers = {item.number if name == "RECORD" else main_number(item.number) for item in read_guideline(name).items}
    assert len(numbers) == MAIN_ITEMS[name]


def test_every_rule_is_used_and_every_item_has_one():
    used = {item.rule for name in FILES for item in read_guideline(name).items}
    assert used == set(RULES)


@pytest.mark.parametrize("name", FILES)
def test_every_item_has_words_a_section_and_something_to_write(name):
    guideline = read_guideline(name)
    assert guideline.link.startswith("https://doi.org/10.")
    for item in guideline.items:
        assert item.words
        assert item.section
        assert item.remains
        assert not item.remains.endswith(".")


def test_the_checklists_ship_for_each_guideline_of_the_language():
    assert set(GUIDELINES) <= set(FILES)
    assert set(BY_DESIGN.values()) <= set(GUIDELINES)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("STROBE", "STROBE"), ("strobe", "STROBE"), ("Consort 2025", "CONSORT-2025"), ("CONSORT", "CONSORT-2025"),
        ("prisma_2020", "PRISMA-2020"), ("TARGET ", "TARGET"), ("CONSORT 2010", None), ("STROB", None), ("", None), ("2025", None),
    ],
)  # fmt: skip
def test_names_of_guidelines_as_people_write_them(words, name):
    assert guideline_named(words) == name


def test_the_design_decides_where_the_protocol_names_none():
    assert guidelines_of((), "randomized-trial") == ("CONSORT-2025",)
    assert guidelines_of((), "cohort") == ("STROBE",)
    assert guidelines_of(("target", "STROBE", "Target"), "cohort") == ("TARGET", "STROBE")
    assert guidelines_of(("ARRIVE",), "cohort") == ()


@pytest.fixture(scope="module")
def report(result, plan):
    return compose(result, plan)


def evidence(plan, report, **study):
    changed = plan.protocol.model_copy(update={"study": plan.protocol.study.model_copy(update=study)})
    return Evidence(replace(plan, protocol=changed), report.sections)


def states(plan, report, name="STROBE", **study):
    return {item.item.number: item for item in answer_items(name, evidence(plan, report, **study))}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("design", list(BY_DESIGN))
def test_every_item_gets_a_state_a_place_and_what_remains(plan, report, name, design):
    for answer in states(plan, report, name, design=design).values():
        assert answer.state in STATES
        assert bool(answer.where) == (answer.state in ("answered", "partly"))
        assert bool(answer.remains) == (answer.state != "answered")


def test_the_places_named_stand_in_the_document(plan, report):
    titles = {section.title for section in all_sections(report.sections)} | {"Title", TITLE_PAGE}
    labels = {block.label for block in blocks_of(report.sections) if isinstance(block, Table | Figure)}
    for name in GUIDELINES:
        for answer in states(plan, report, name).values():
            for place in filter(None, answer.where.split("; ")):
                assert place in titles or set(named_labels(place)) <= labels or set(place.split(", ")) <= titles, place


def named_labels(place):
    """The first and last labels of "Tables 2–4, 7"."""
    kind, _, numbers = place.partition(" ")
    return [f"{kind.removesuffix('s')} {end}" for part in numbers.split(", ") for end in part.split("–")]


def all_sections(sections):
    for section in sections:
        yield section
        yield from all_sections(section.sections)


def test_states_of_the_made_up_study(plan, report):
    found = states(plan, report)
    assert found["13c"].state == "answered"
    assert "Figure 1" in found["13c"].where
    assert found["14a"].where == "Table 1"
    assert found["16a"].state == "partly"
    assert "Add" not in found["16a"].remains
    assert found["6b"].state == "not-applicable"
    assert found["19"].state == "partly"
    for number in ("2", "20", "21"):
        assert found[number].state == "to-write"
    assert found["1a"].state == "to-write"
    assert states(plan, report, title="The pump: a cohort study")["1a"].state == "answered"


def test_missing_values_that_the_protocol_leaves_open_must_be_written(plan, report):
    assert states(plan, report)["12c"].state == "to-write"
    said = replace(plan, analyses=tuple(replace(item, missing="complete-case") for item in plan.analyses))
    assert states(said, report)["12c"].state == "answered"
    partly = replace(said, analyses=(replace(said.analyses[0], missing=None), *said.analyses[1:]))
    assert "A1" in states(partly, report)["12c"].remains


def test_funding_and_registration_are_answered_by_the_protocol_alone(plan, report):
    assert states(plan, report)["22"].state == "to-write"
    assert states(plan, report, funding="The Heart Fund")["22"].state == "answered"
    whole = Registration(registry="ClinicalTrials.gov", id="NCT1", date="2025-01-01", link="https://clinicaltrials.gov")
    trial = {"name": "CONSORT-2025", "design": "randomized-trial"}
    assert states(plan, report, **trial, registration=whole)["2"].state == "answered"
    assert states(plan, report, **trial, registration="none")["2"].state == "to-write"
    bare = Registration(registry="ClinicalTrials.gov", id="NCT1")
    answer = states(plan, report, **trial, registration=bare)["2"]
    assert (answer.state, answer.remains) == ("partly", "Add its address and its day; the key is study.registration")
    assert states(plan, report, "TARGET", ethics=None)["17"].state == "to-write"
    assert states(plan, report, "TARGET", ethics="Committee of Turin 12/2025")["17"].state == "answered"


def test_an_empty_document_answers_nothing_but_what_stands_on_its_title_page(plan):
    empty = Evidence(plan, ())
    for name in GUIDELINES:
        for answer in answer_items(name, empty):
            assert answer.state in ("to-write", "not-applicable") or answer.where in ("Title", TITLE_PAGE), answer


def test_words_of_the_protocol_are_found_where_they_are_printed(plan):
    sections = (
        Section(id="a", title="Whole", sections=(Section(id="b", title="Money", blocks=(text("Paid by X."),)),)),
    )
    assert Evidence(plan, sections).saying("Paid by X") == "Money"
    assert Evidence(plan, sections).saying("Paid by Y") == TITLE_PAGE


def test_labels_that_follow_each_other_are_one():
    labels = ["Table 2", "Table 3", "Figure 1", "Table 4", "Table 7", "Table S1", "Table S2", "Table S2"]
    assert runs_of(labels) == ["Tables 2–4, 7, S1–S2", "Figure 1"]


def test_the_section_has_a_table_for_each_guideline_and_counts(result, plan, report):
    study = plan.protocol.study.model_copy(update={"reporting": ("STROBE", "RECORD", "no such thing")})
    asked = replace(plan, protocol=plan.protocol.model_copy(update={"study": study}))
    (section,) = checklist_sections(Context(asked, result, STYLES["plain"]), report.sections)
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [table.id for table in tables] == ["checklist-strobe", "checklist-record"]
    assert [sum(len(row.cells) == 4 for row in table.rows) for table in tables] == [34, 13]
    said = [block.text for block in section.blocks if hasattr(block, "text")]
    assert "STROBE 2007. " in said[1]
    assert "must still be written by the researcher" in said[1]
    assert "https://doi.org/10.1371/journal.pmed.0040296" in said[1]
    unknown = study.model_copy(update={"reporting": ("no such thing",)})
    none = replace(plan, protocol=plan.protocol.model_copy(update={"study": unknown}))
    assert checklist_sections(Context(none, result, STYLES["plain"]), report.sections) == ()


def test_the_report_ends_with_its_checklist(report):
    assert report.sections[-1].id == "checklists"


def test_what_a_table_prints_is_found_by_the_ids_of_its_numbers(plan, report):
    """An analysis whose one estimate stands among all others has no table of its own."""
    known = evidence(plan, report)
    summary = next(
        block for block in blocks_of(report.sections) if isinstance(block, Table) and block.id == "all-analyses"
    )
    assert summary.label.removeprefix("Table ") in known.of_analyses(["A1"]).split(";")[0]
    assert known.of_analyses(["not-run"]) == ""
    assert known.of_analyses([], "subgroups-").startswith(("Table", "Figure"))
