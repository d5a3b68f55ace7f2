"""A first dictionary, guessed from a data file, for people to mend. It holds no patient's value.

Levels are written only where each is held by five patients; nothing is written of id, text and date columns. Columns
that likely name a person, and empty ones, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from counterpulse.data.column_guess import (
    MISSING_NUMBERS,
    MISSING_WORDS,
    Column,
    ColumnGuess,
    guess_column,
    level_counts,
)
from counterpulse.data.convert import YES_WORDS, plain_text
from counterpulse.data.date_guess import moments
from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.data.dictionary_reader import digest_of, is_usable_name
from counterpulse.data.identifiers import identifier
from counterpulse.data.patient_table import PatientTable
from counterpulse.data.readers import read_raw
from counterpulse.data.readers.raw_table import RawTable

LIKELY_MISSING = frozenset({*MISSING_WORDS, *(f"{number:.0f}" for number in MISSING_NUMBERS)})

SHORT_DATE = r"^\d{1,2}[./-]\d{1,2}[./-]\d{2}(?:\D.*)?$"
_UNIT = re.compile(r"\s*[(\[]\s*([^()\[\]]{1,20}?)\s*[)\]]\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How the file is to be read.

    Attributes
    ----------
    missing : words and numbers that stand for a missing value, in lower case
    month_first : what 01/02/2020 is, where nothing in the column tells; None: not known
    keep : headers of columns that likely name a person and are wanted all the same
    """

    missing: frozenset[str] = LIKELY_MISSING
    month_first: bool | None = None
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What is told of a column without telling a value.

    Attributes
    ----------
    known, distinct : rows with a value, and different values among them
    held : rows that hold each code of a category, or yes and no
    moments : of a date, shape (n,), blanks null
    numbers : of a number, shape (n,), blanks null
    """

    known: int
    distinct: int
    held: Mapping[str, int] = field(default_factory=dict, repr=False)
    moments: pl.Series | None = field(default=None, repr=False)
    numbers: pl.Series | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A guessed dictionary.

    Attributes
    ----------
    dictionary : one variable a column, in the order of the file
    rows : of the file
    facts : of each variable, by name
    identifiers : what a column left out likely holds ("a birth date"), by header
    empty : headers of columns without a value, left out
    rare : variables some of whose levels are held by too few patients to be written
    ambiguous : date variables whose day and month could be exchanged
    short_years : text variables that look like dates with years of two digits
    """

    dictionary: Dictionary
    rows: int
    facts: Mapping[str, ColumnFacts]
    identifiers: Mapping[str, str]
    empty: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    short_years: tuple[str, ...] = ()


def draft_dictionary(path: Path | str, *, sheet: str | None = None, habits: Habits | None = None) -> Draft:
    """Guess a dictionary from a data file of any format that `read_table` reads.

    Raises
    ------
    DataError : the file is missing, empty or damaged
    """
    path = Path(path)
    return draft_of(read_raw(path, sheet=sheet), path.name, habits=habits or Habits())


def draft_of(raw: RawTable, file: str, *, habits: Habits) -> Draft:
    """Guess a dictionary from the columns of a file."""
    variables: dict[str, Variable] = {}
    facts: dict[str, ColumnFacts] = {}
    identifiers: dict[str, str] = {}
    guesses: dict[str, ColumnGuess] = {}
    empty: list[str] = []
    for header in raw.frame.columns:
        column = _column(raw, header)
        reason = identifier(header, raw.labels.get(header, ""), column.text)
        if reason is not None and header not in habits.keep:
            identifiers[header] = reason
            continue
        guess = guess_column(column, missing=habits.missing, month_first=habits.month_first)
        if not len(guess.known):
            empty.append(header)
            continue
        name = _name(header, variables)
        guesses[name] = guess
        variables[name] = _variable(name, header, raw.labels.get(header), guess)
        facts[name] = _facts(column, guess)
    dictionary = Dictionary(variables, file, digest_of(variables.values()))
    return Draft(
        dictionary=dictionary, rows=raw.frame.height, facts=facts, identifiers=identifiers, empty=tuple(empty),
        rare=tuple(name for name, guess in guesses.items() if guess.rare),
        ambiguous=tuple(name for name, guess in guesses.items() if guess.dates and guess.dates.ambiguous),
        short_years=tuple(name for name, guess in guesses.items() if guess.type == "text" and _is_short_date(guess.known)),
    )  # fmt: skip


def _is_short_date(known: pl.Series) -> bool:
    return bool(known.str.contains(SHORT_DATE).all())


def draft_of_table(table: PatientTable) -> Draft:
    """What a table tells whose dictionary exists: its variables as they are, without those that have no value."""
    frame, dictionary = table.frame, table.dictionary
    empty = [name for name in frame.columns if frame[name].null_count() == frame.height]
    kept = {variable.name: variable for variable in dictionary if variable.name not in empty}
    return Draft(
        dictionary=Dictionary(kept, dictionary.file, dictionary.digest), rows=frame.height, identifiers={}, empty=tuple(empty),
        facts={name: _facts_of_typed(frame[name]) for name in kept},
    )  # fmt: skip


def _facts_of_typed(column: pl.Series) -> ColumnFacts:
    known = column.drop_nulls()
    is_yesno, is_level = column.dtype == pl.Boolean, isinstance(column.dtype, pl.Enum)
    counts = dict(known.value_counts().iter_rows()) if is_yesno or is_level else {}
    return ColumnFacts(
        known=len(known), distinct=known.n_unique(),
        held={"yes": counts.get(True, 0), "no": counts.get(False, 0)} if is_yesno else counts,
        moments=column.cast(pl.Datetime("us")) if column.dtype.is_temporal() else None,
        numbers=column.cast(pl.Float64) if column.dtype.is_numeric() else None,
    )  # fmt: skip


def missing_in(draft: Draft) -> tuple[str, ...]:
    """The words and codes that were taken for missing, each once, in the order of the columns."""
    found = (code for variable in draft.dictionary for code in variable.missing_codes)
    return tuple(dict.fromkeys(code.casefold() for code in found))


def _column(raw: RawTable, header: str) -> Column:
    text = plain_text(raw.frame[header])
    return Column(
        header=header, text=text.set((text == "NA").fill_null(False), None), dtype=raw.frame[header].dtype,
        value_labels=raw.value_labels.get(header, {}), declared_missing=raw.missing_codes.get(header, ()),
        decimal_comma=raw.decimal_comma,
    )  # fmt: skip


def _variable(name: str, header: str, written: str | None, guess: ColumnGuess) -> Variable:
    label, unit = _label_and_unit(written or header.replace("_", " "))
    return Variable(
        name=name, type=guess.type, source=header, label=f"{label} ({guess.meaning})" if guess.meaning else label,
        unit=unit, levels=guess.levels, missing_codes=guess.missing_codes, integer=guess.type == "integer",
        format=guess.dates.format if guess.dates else None, more_levels=guess.rare and guess.levels is not None,
    )  # fmt: skip


def _facts(column: Column, guess: ColumnGuess) -> ColumnFacts:
    text = column.text
    known = text.is_not_null() & ~text.is_in([*guess.missing_codes]).fill_null(False)
    values = text.set(~known, None)
    when = moments(values, guess.dates) if guess.dates else None
    point = values.str.replace(",", ".", literal=True) if column.decimal_comma else values
    numeric = guess.type in ("number", "integer")
    return ColumnFacts(
        known=int(known.sum()), distinct=guess.known.n_unique(), held=_held(guess), moments=when,
        numbers=point.cast(pl.Float64, strict=False) if numeric else None,
    )  # fmt: skip


def _held(guess: ColumnGuess) -> dict[str, int]:
    if guess.type not in ("category", "yesno"):
        return {}
    held: dict[str, int] = {}
    for code, count in level_counts(guess.known).items():
        yes = (guess.levels or dict.fromkeys(YES_WORDS, "yes")).get(code.casefold(), "no")
        name = yes if guess.type == "yesno" else code
        held[name] = held.get(name, 0) + count
    return held


def _plain_name(header: str) -> str:
    """A word that can stand in a rule, made from a header."""
    name = re.sub(r"\W+", "_", _UNIT.sub("", header)).strip("_").lower() or "column"
    return name if is_usable_name(name) else f"v_{name}"


def _name(header: str, taken: Mapping[str, Variable]) -> str:
    unique = name = _plain_name(header)
    count = 1
    while unique in taken:
        count += 1
        unique = f"{name}_{count}"
    return unique


def _label_and_unit(label: str) -> tuple[str, str | None]:
    match = _UNIT.search(label)
    if match and match.start() and not match[1].isdigit():
        return label[: match.start()], match[1]
    return label.strip(), None
