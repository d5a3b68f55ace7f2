"""The first page for reviewers: planned against run against shown, amendments, overrides, digests."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worded_study import snapshot, text_of, worded_plan, worded_result

from counterpulse.report import compose
from counterpulse.report.chapters.supplement.shown import in_short, shown
from counterpulse.report.document import Cell, Column, Figure, Row, Section, Table, blocks_of
from counterpulse.results import AnalysisRecord, Status


@pytest.fixture(scope="module")
def document():
    return compose(worded_result(), worded_plan())


def page(document):
    return next(item for item in document.sections if item.id == "reviewers")


def rows(document):
    table = next(block for block in page(document).blocks if isinstance(block, Table))
    return {row.cells[0].text.partition(".")[0]: [cell.text for cell in row.cells[1:]] for row in table.rows}


def test_the_page_for_reviewers(document):
    text = text_of([page(document)])
    assert text == snapshot("reviewers", text)


def test_it_is_the_first_page(document):
    first, *rest = document.sections
    assert (first.id, first.new_page) == ("reviewers", True)
    order = ["methods", "participants", "baseline", "results", "limitations", "choices-section"]
    assert [item.id for item in rest if item.id in order] == order


def test_where_an_analysis_is_shown_leads_there(document):
    table = next(block for block in page(document).blocks if isinstance(block, Table))
    ids = {block.label: block.id for block in blocks_of(document.sections) if isinstance(block, Table | Figure)}
    (cell,) = (row.cells[4] for row in table.rows if row.cells[0].text.startswith("A1."))
    assert cell.links
    assert {place for _, place in cell.links} <= set(ids.values())
    assert "".join(words for words, _ in cell.pieces()) == cell.text
    assert all(
        words in (*label.split(), label) for words, place in cell.links for label, id_ in ids.items() if id_ == place
    )


def test_every_planned_analysis_has_a_row(document):
    assert {item.id for item in worded_plan().analyses} <= set(rows(document))


def test_an_analysis_that_was_not_run_says_so(document):
    assert rows(document)["S3"] == ["Sensitivity of A1", "Stated in the protocol", "Not run (--only)", "—", "—"]
    silent = compose(replace(worded_result(), warnings=()), worded_plan())
    assert rows(silent)["S3"][2] == "Not run"


def test_an_effect_that_was_not_estimated_says_so(document):
    assert rows(document)["A6"][2] == "Yes; could not be estimated (separation)"
    estimates = tuple(
        replace(row, estimate=replace(row.estimate, status=Status.SMALL_CELL)) if row.analysis == "A6" else row
        for row in worded_result().estimates
    )
    hidden = compose(replace(worded_result(), estimates=estimates), worded_plan())
    assert rows(hidden)["A6"][2] == "Yes; not shown (small counts)"


def test_a_result_that_no_plan_announces_is_flagged():
    record = AnalysisRecord(id="Z1", role="secondary", label="A late idea", method="cox")
    result = replace(worded_result(), analyses=(*worded_result().analyses, record))
    assert rows(compose(result, worded_plan()))["Z1"][1:3] == ["Not planned", "Yes"]


def test_labels_are_those_of_the_report(document):
    labels = {block.label for block in blocks_of(document.sections) if hasattr(block, "label")}
    where = rows(document)["A3"][3]
    assert "Figure" in where
    for part in where.split("; "):
        kind, _, numbers = part.partition(" ")
        assert {f"{kind.removesuffix('s')} {number}" for number in numbers.split(", ")} <= labels


def test_amendments_and_what_they_touch(document):
    assert rows(document)["A4"][-1] == "AM1"
    assert rows(document)["A6"][-1] == "Amendment 2"
    text = text_of([page(document)])
    assert "It touches A6. Outcomes had been seen." in text
    plain = replace(worded_plan(), protocol=worded_plan().protocol.model_copy(update={"amendments": ()}))
    unamended = text_of([page(compose(worded_result(), plain))])
    assert "The protocol was not amended." in unamended
    assert "Amended by" not in unamended


def test_overrides(document):
    text = text_of([page(compose(worded_result(), worded_plan(), style="lancet"))])
    assert "The seed 7 was given on the command line (--seed)." in text
    assert "Only the analyses" in text
    assert "Numbers are printed in the style lancet; the protocol says plain." in text
    assert "No override" in text_of([page(compose(replace(worded_result(), warnings=()), worded_plan()))])


def test_digests_prove_identity(document):
    text = text_of([page(document)])
    assert "A digest proves identity, not a date." in text
    for letter in "abc":
        assert "sha256:" + letter * 64 in text


def test_a_study_without_analyses():
    bare = replace(worded_result(), flow=(), table_one=(), analyses=(), estimates=(), blocks=(), warnings=())
    alone = replace(worded_plan(), groups=(), group_variable=None, table_one=None, analyses=(), subgroups=None, criteria=())  # fmt: skip
    assert rows(compose(bare, alone)) == {}


def test_where_an_analysis_is_shown():
    def table(label, result):
        return Table(id=label, label=label, title="", columns=(Column(Cell()),), rows=(Row((Cell("1", result),)),))

    sections = (
        Section(id="results", title="", blocks=(table("Table 1", "A1.x"),), sections=(
            Section(id="analysis-A2", title="", blocks=(table("Table 2", "A1.y"), table("Table S1", None))),
        )),
    )  # fmt: skip
    assert shown(sections, ["A1", "A2", "A3"]) == {
        "A1": ("Table 1", "Table 2"), "A2": ("Table 2", "Table S1"), "A3": (),
    }  # fmt: skip
    assert in_short(["Table 1", "Table S1", "Figure 2"]) == "Tables 1, S1; Figure 2"


def test_works_are_numbered_in_the_order_of_reading(document):
    from test_html import read

    from counterpulse.report import render_html

    assert [work.number for work in document.references] == list(range(1, len(document.references) + 1))
    links = [link for link in read(render_html(document)).links if link.startswith("#reference-")]
    first = list(dict.fromkeys(links))
    assert first == [f"#reference-{number}" for number in range(1, len(first) + 1)]
