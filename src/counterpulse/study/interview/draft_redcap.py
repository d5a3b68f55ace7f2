"""A study from an export of REDCap and the data dictionary of its project: the interview asks only what a column is for."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from counterpulse.data import dictionary_csv, read_dictionary, read_table
from counterpulse.data.draft import draft_of_table
from counterpulse.data.redcap import import_redcap
from counterpulse.study.interview.answers_file import AnswersFile, answers_yaml
from counterpulse.study.interview.draft import (
    DraftedStudy,
    asker_of,
    assumed_by,
    file_name,
    notes_about,
    refuse_present,
    unasked_by,
    with_answers,
    write_texts,
)
from counterpulse.study.interview.interview import Answers, Ask, hold_interview
from counterpulse.study.interview.protocol_text import Files, protocol_text


def draft_redcap_study(
    export: Path, project: Path, *, directory: Path, answers: Path | None = None, ask: Ask | None = None
) -> DraftedStudy:
    """Write the tables of the project, their dictionaries, ``NAME.protocol.yaml`` and the answers it was made from.

    Parameters
    ----------
    export : the records of the project, exported as CSV with raw data
    project : its data dictionary, as REDCap gives it for download
    answers, ask : see `draft_study`

    Raises
    ------
    DataError : the export does not fit the project, or its values do not fit their types
    ProtocolError : the dictionary is none of REDCap, or the file of answers holds what cannot be taken
    UsageError : a file is missing, is there already, or cannot be written
    """
    name, asker = file_name(export), asker_of(answers, ask)
    with TemporaryDirectory() as place:  # nothing is left behind by an interview that is broken off
        imported = import_redcap(project, export, place)
        texts = {directory / path.name: path.read_text(encoding="utf-8") for path in imported.written}
        table = read_table(imported.patients, read_dictionary(imported.dictionary), id=imported.id)
    protocol, saved = directory / f"{name}.protocol.yaml", directory / f"{name}.answers.yaml"
    refuse_present([*texts, protocol, *([] if answers else [saved])])
    draft = draft_of_table(table)
    given = dict(hold_interview(draft, asker, with_labels=True).given)
    if isinstance(asker, AnswersFile):
        asker.stop_on_findings(())
    linked = {f"{item.name}.id": item.id for item in imported.tables}
    timed = {f"{item.name}.time": item.time for item in imported.tables if item.time is not None}
    said = Answers({**given, **linked, **timed})
    files = Files(
        name=name, table=imported.patients.name, dictionary=imported.dictionary.name,
        related={item.name: (item.file.name, item.dictionary.name) for item in imported.tables},
    )  # fmt: skip
    texts[directory / imported.dictionary.name] = dictionary_csv(with_answers(table.dictionary, said))
    texts[protocol] = protocol_text(said, table.dictionary, files)
    if answers is None:
        texts[saved] = answers_yaml(Answers(given), saved.name)
    write_texts(texts)
    told = tuple(finding.text() for finding in (*imported.findings, *table.findings))
    return DraftedStudy(
        tuple(texts), protocol, assumed_by(asker), (*told, *unasked_by(asker, said), *notes_about(draft, said))
    )
