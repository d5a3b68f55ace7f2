"""A first dictionary and a commented protocol, from a data file and the answers of an interview."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from counterpulse.data import dictionary_csv
from counterpulse.data.dictionary import Dictionary
from counterpulse.data.draft import Draft, Habits, draft_of, missing_in
from counterpulse.data.readers import read_raw
from counterpulse.data.written_values import parse_number
from counterpulse.errors import UsageError
from counterpulse.study.interview.answers_file import AnswersFile, Guesses, answers_yaml, read_answers
from counterpulse.study.interview.interview import Answers, Ask, ask_about_reading, ask_about_table, hold_interview
from counterpulse.study.interview.protocol_text import Files, protocol_text
from counterpulse.study.interview.question import NONE, Question
from counterpulse.study.interview.sheets import choose_sheet


@dataclass(frozen=True, slots=True)
class DraftedStudy:
    """The files written, the protocol among them, what was assumed (question and answer), and what a person should look at."""

    written: tuple[Path, ...]
    protocol: Path
    assumed: tuple[tuple[Question, str], ...]
    notes: tuple[str, ...]


def draft_study(
    data: Path, *, sheet: str | None, directory: Path, answers: Path | None = None, ask: Ask | None = None,
    tables: Mapping[str, Path] | None = None,
) -> DraftedStudy:  # fmt: skip
    """Write ``NAME.dictionary.csv``, ``NAME.protocol.yaml`` and the answers they were made from, beside each other.

    Parameters
    ----------
    data : the table of patients
    sheet : of a workbook; asked for where there are several
    answers : a file of answers; what it leaves out is guessed
    ask : a person who answers; without one, and without a file, every guess stands
    tables : files with several rows a patient, by name

    Raises
    ------
    DataError : a data file is missing, empty or damaged
    ProtocolError : the file of answers holds what cannot be taken; nothing is written
    UsageError : a file of that name is there already, or the place cannot be written
    """
    name = file_name(data)
    table_names = tables or {}
    paths = _paths(directory, name, table_names, with_answers=answers is None)
    refuse_present(paths.values())
    asker = asker_of(answers, ask)
    given: dict[str, str] = {}
    if (chosen := choose_sheet(data, sheet, asker)) is not None:
        given["sheet"] = chosen
    raw = read_raw(data, sheet=chosen)
    first = draft_of(raw, data.name, habits=Habits())
    given |= ask_about_reading(first, asker)
    draft = draft_of(raw, data.name, habits=_habits(given))
    given |= hold_interview(draft, asker, with_labels=ask is asker).given
    related = {key: _related(key, path, asker, given) for key, path in table_names.items()}
    if isinstance(asker, AnswersFile):
        asker.stop_on_findings(table_names)
    said = Answers(given)
    dictionary = with_answers(draft.dictionary, said)
    files = Files(
        name=name, table=_seen_from(directory, data), dictionary=paths["dictionary"].name, sheet=chosen,
        related={key: (_seen_from(directory, path), paths[_of_table(key)].name) for key, path in table_names.items()},
    )  # fmt: skip
    texts = {"dictionary": dictionary_csv(dictionary), "protocol": protocol_text(said, dictionary, files)}
    texts |= {_of_table(key): dictionary_csv(found) for key, found in related.items()}
    if "answers" in paths:
        texts["answers"] = answers_yaml(said, paths["answers"].name)
    write_texts({paths[key]: text for key, text in texts.items()})
    notes = (*unasked_by(asker, said), *notes_about(draft, said))
    return DraftedStudy(tuple(paths.values()), paths["protocol"], assumed_by(asker), notes)


def file_name(data: Path) -> str:
    """The name of the study, from its data file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", data.stem).strip("-._") or "study"


def asker_of(answers: Path | None, ask: Ask | None) -> Ask:
    """Who answers: the file, else the person, else the guesses."""
    if answers is not None:
        return read_answers(answers)
    return ask if ask is not None else Guesses()


def assumed_by(asker: Ask) -> tuple[tuple[Question, str], ...]:
    """The guesses that nobody confirmed."""
    guesses = asker.guesses if isinstance(asker, AnswersFile) else asker
    return tuple(guesses.assumed) if isinstance(guesses, Guesses) else ()


def unasked_by(asker: Ask, said: Answers) -> Iterator[str]:
    """Answers that change nothing, so that nobody believes they did."""
    for key in asker.unasked(said.given) if isinstance(asker, AnswersFile) else ():
        yield f"{key}: was not asked, as the data or the other answers leave no such question; its line changes nothing"


def _paths(directory: Path, name: str, tables: Mapping[str, Path], *, with_answers: bool) -> dict[str, Path]:
    paths = {"dictionary": directory / f"{name}.dictionary.csv", "protocol": directory / f"{name}.protocol.yaml"}
    paths |= {_of_table(key): directory / f"{name}.{key}.dictionary.csv" for key in tables}
    return {**paths, "answers": directory / f"{name}.answers.yaml"} if with_answers else paths


def _of_table(name: str) -> str:
    """The key of a table's dictionary: a table may be called answers."""
    return f"tables.{name}"


def _habits(given: Mapping[str, str]) -> Habits:
    said = Answers(given)
    order = said.one("date_order")
    return Habits(
        missing=frozenset(word.casefold() for word in said.many("missing")),
        month_first=None if order is None else order == "month-first",
        keep=frozenset(said.many("keep")),
    )


def _related(name: str, path: Path, asker: Ask, given: dict[str, str]) -> Dictionary:
    """The dictionary of a table with several rows a patient; its id and time join the answers."""
    draft = draft_of(read_raw(path), path.name, habits=Habits())
    found = ask_about_table(name, draft, asker, Answers(given).one("id"))
    given |= found.given
    return _as_id(draft.dictionary, found.one(f"{name}.id"))


def with_answers(dictionary: Dictionary, said: Answers) -> Dictionary:
    """What the answers say of a column: that it is the id, or in which unit it is."""
    dictionary = _as_id(dictionary, said.one("id"))
    for column, unit in (("time", "time_unit"), ("treatment_time", "treatment_unit")):
        name = said.one(column)
        if name is not None and said.one(unit) is not None:
            changed = replace(dictionary[name], unit=said.one(unit))
            dictionary = replace(dictionary, variables={**dictionary.variables, name: changed})
    return dictionary


def _as_id(dictionary: Dictionary, name: str | None) -> Dictionary:
    if name is None or dictionary[name].type == "id":
        return dictionary
    changed = replace(dictionary[name], type="id", levels=None, more_levels=False, integer=False)
    return replace(dictionary, variables={**dictionary.variables, name: changed})


def notes_about(draft: Draft, said: Answers) -> Iterator[str]:
    """What a person should look at; no value of a patient."""
    for header, reason in draft.identifiers.items():
        yield f"{header} looks like {reason}: left out; delete it from the file you analyze"
    for header in draft.empty:
        yield f"{header} has no value in any row: left out"
    for name in draft.rare:
        yield f"{name}: levels held by fewer than 5 patients are not written. Name them in the dictionary, or group them"
    for word in said.many("missing"):
        if parse_number(word) is not None and word not in missing_in(draft):
            yield f"{word} stands nowhere far from all other values and was not taken for missing; list it under `missing_codes` where it is"
    yield from _about_dates(draft)
    if (id := said.one("id")) is not None and (repeats := draft.facts[id]).distinct < repeats.known:
        yield (
            f"{id} repeats: several rows a patient. DATA must have one row a patient; give this file beside it:  "
            "counterpulse init PATIENTS --table NAME=THIS_FILE"
        )
    for what, key in (("compared groups", "group"), ("outcome", "outcome")):
        if said.given.get(key, NONE) == NONE and not (key == "outcome" and said.one("death")):
            yield f"{what}: nothing in the file looked like it; complete the protocol, or name the column as `{key}` in the answers"


def _about_dates(draft: Draft) -> Iterator[str]:
    for name in draft.short_years:
        yield f"{name} may be a date, with years of two digits, and is read as text: export it with years of four digits"
    for name in draft.ambiguous:
        yield f"{name}: day and month could be exchanged. Write day-first or month-first under `format` in the dictionary"


def _seen_from(directory: Path, data: Path) -> str:
    """The path of the data from the protocol's folder; absolute where they lie on different drives."""
    table, folder = data.resolve(), directory.resolve()
    return Path(os.path.relpath(table, folder)).as_posix() if table.drive == folder.drive else table.as_posix()


def refuse_present(paths: Iterable[Path]) -> None:
    """Never write over a file.

    Raises
    ------
    UsageError : one is there already
    """
    present = [str(path) for path in paths if path.exists()]
    if present:
        raise UsageError(f"{' and '.join(present)}: there already, and left as it is. Choose another place with --dir.")


def write_texts(files: Mapping[Path, str]) -> None:
    """Write the files of a study.

    Raises
    ------
    UsageError : the place cannot be written
    """
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be written: {error.strerror}. Choose another place with --dir."
        ) from error
