import polars as pl
import pytest

from counterpulse.errors import UsageError
from counterpulse.protocol import read_protocol
from counterpulse.study.interview.draft import draft_study
from counterpulse.study.load import check

N = 60
COLUMNS = {
    "Patient ID": [f"P{number:03d}" for number in range(N)],
    "Admission": [f"2020-02-{1 + number % 28:02d}" for number in range(N)],
    "IABP": ["yes" if number % 3 else "no" for number in range(N)],
    "Died": ["yes" if number % 4 == 0 else "no" for number in range(N)],
    "Age": [str(30 + number) for number in range(N)],
    "Sex": ["F" if number % 2 else "M" for number in range(N)],
}


def drafted(directory, name="ward data.csv", **changes):
    columns = {**COLUMNS, **changes}
    path = directory / name
    pl.DataFrame({key: value for key, value in columns.items() if value is not None}).write_csv(path)
    return draft_study(path, sheet=None, directory=directory)


def test_a_draft_passes_its_own_check(tmp_path):
    study = drafted(tmp_path)
    names = {"ward-data.dictionary.csv", "ward-data.protocol.yaml", "ward-data.answers.yaml"}
    assert {path.name for path in study.written} == names
    findings, code = check(study.protocol)
    assert [finding.text() for finding in findings if finding.severity == "error"] == []
    assert code == 0


def test_a_draft_guesses_what_the_columns_are_for(tmp_path):
    nodes = read_protocol(drafted(tmp_path).protocol).nodes
    assert nodes.data.id is not None
    assert nodes.groups.variable.lower() == "iabp"
    assert str(nodes.time_zero).lower() == "admission"
    assert [outcome.event.split()[0].lower() for outcome in nodes.outcomes.values()] == ["died"]
    assert [analysis.id for analysis in nodes.analyses] == ["A1", "A2"]


def test_what_could_not_be_guessed_is_said(tmp_path):
    study = drafted(tmp_path, IABP=None, Died=None)
    text = study.protocol.read_text(encoding="utf-8")
    assert any("compared groups" in note for note in study.notes)
    assert any("outcome" in note for note in study.notes)
    assert "TODO" not in text
    assert "design: single-arm" in text


def test_no_value_of_a_patient_is_written(tmp_path):
    study = drafted(tmp_path)
    text = "".join(path.read_text(encoding="utf-8") for path in study.written)
    assert "P001" not in text
    assert "2020-02" not in text


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    drafted(tmp_path)
    with pytest.raises(UsageError, match="left as it is"):
        drafted(tmp_path)
