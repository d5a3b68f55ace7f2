from __future__ import annotations

from dataclasses import replace

import pytest

from counterpulse.protocol.identity_nodes import DataSource, Privacy, RelatedTable, ReportLooks
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.supplement.data_protection import BLANK, BLANKS, data_protection_section
from counterpulse.report.document import Definitions, Table
from counterpulse.report.number_styles import STYLES

SOURCE = {"table": "patients.csv", "dictionary": "dictionary.csv"}


def sheet(plan, result, **changed):
    """The facts, the files and the blanks, for a study with another protocol."""
    plan = replace(plan, protocol=plan.protocol.model_copy(update=changed))
    section = data_protection_section(Context(plan, result, STYLES["plain"]))
    facts, blanks = (block for block in section.blocks if isinstance(block, Definitions))
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    files = {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in table.rows}
    return (
        {term: words.text for term, words in facts.entries},
        files,
        {term: words.text for term, words in blanks.entries},
    )


def test_small_counts_that_are_shown_are_said_to_be(plan, result):
    facts, files, _ = sheet(plan, result, privacy=Privacy(small_cells=0))
    assert "counts down to 1 are shown" in facts["Small counts"]
    assert "extremes" in files["results.json, tables/"][0]


def test_small_counts_that_are_hidden(plan, result):
    facts, files, _ = sheet(plan, result, privacy=Privacy(small_cells=10))
    assert "Counts from 1 to 9 are replaced by a dash" in facts["Small counts"]
    assert "10 further events" in facts["Small counts"]
    assert not any("extremes" in words for line in files.values() for words in line)


def test_tables_are_named_without_their_folders(plan, result):
    facts, _, _ = sheet(
        plan, result, data=DataSource(**{**SOURCE, "table": "C:\\ward\\patients.csv"}), tables={"gas": RelatedTable(file="/mnt/x/gas.csv", id="p")}
    )  # fmt: skip
    assert facts["Tables read"].startswith("patients.csv, gas.csv; ")


@pytest.mark.parametrize(
    ("more", "numbers", "centers"),
    [
        ({}, "names no column", "names no column"),
        (
            {"id": "patient_no", "site": "hospital"},
            "Column patient_no",
            "Column hospital; centers are not shown one by one",
        ),
    ],
)
def test_columns_that_tell_patients_and_centers_apart(plan, result, more, numbers, centers):
    facts, _, _ = sheet(plan, result, data=DataSource(**SOURCE, **more))
    assert numbers in facts["Study numbers"]
    assert centers in facts["Centers"]


def test_only_the_reports_that_were_asked_for(plan, result):
    _, files, _ = sheet(plan, result, report=ReportLooks(outputs=("html", "pdf", "json")))
    assert "report.html, report.pdf" in files
    _, files, _ = sheet(plan, result, report=ReportLooks(outputs=("json",)))
    assert not any("report." in name for name in files)


def test_what_only_the_researcher_knows_is_a_named_blank(plan, result):
    _, _, blanks = sheet(plan, result)
    assert blanks.keys() == BLANKS.keys() >= {"Legal basis", "Retention"}
    assert all(words.startswith(f"{BLANK}: ") for words in blanks.values())


def test_nothing_legal_is_claimed(plan, result):
    words = str(sheet(plan, result))
    for claim in ("GDPR", "HIPAA", "compliant", "anonymous", "anonymized"):
        assert claim not in words


def test_real_patients_are_called_so(plan, real_result):
    assert sheet(plan, real_result)[0]["Patients"].startswith("Real patients")
