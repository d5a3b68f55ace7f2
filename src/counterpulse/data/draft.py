"""A first dictionary, guessed from a data file, for people to mend. It holds no patient's value.

Levels are written only where each is held by `SMALLEST_CELL` patients; nothing is written of id, text and date columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from counterpulse.data.convert import NO_WORDS, YES_WORDS, plain_text, same_code
from counterpulse.data.dates import AMBIGUOUS, DAY_ONLY, parse_moments
from counterpulse.data.dictionary import Dictionary, Variable, VariableType
from counterpulse.data.dictionary_reader import digest_of, is_usable_name
from counterpulse.data.identifiers import identifier
from counterpulse.data.readers import read_raw
from counterpulse.data.readers.raw_table import RawTable

SMALLEST_CELL = 5
MOST_LEVELS = 20
MOST_CODES = 6
LARGEST_CODE = 9
MOSTLY_UNIQUE = 0.9
"""Part of an identifier's values that differ: the number of a center repeats, that of a patient hardly ever."""
LIKELY_MISSING = (-9.0, -99.0, -999.0, 99.0, 999.0, 9999.0, 99999.0)

_ID_WORDS = re.compile(r"(^|[^a-z])(p|pat|patient|subject|case|record|study|person)?[ _-]?(id|nr|no|number|key)$", re.I)
_SEX_WORDS = re.compile(r"sex|gender|geschlecht|sexe|sexo|sesso", re.I)
_UNIT = re.compile(r"\s*[(\[]\s*([^()\[\]]{1,20}?)\s*[)\]]\s*$")


@dataclass(frozen=True, slots=True)
class Draft:
    """A guessed dictionary.

    Attributes
    ----------
    dictionary : one variable a column, in the order of the file
    identifiers : what a flagged variable likely holds ("a birth date"), by name
    without_levels : variables some of whose levels are held by too few patients to be written
    """

    dictionary: Dictionary
    identifiers: Mapping[str, str]
    without_levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Guess:
    type: VariableType
    levels: dict[str, str] | None = None
    missing_codes: tuple[str, ...] = ()
    rare: bool = False


def draft_dictionary(path: Path | str, *, sheet: str | None = None) -> Draft:
    """Guess a dictionary from a data file of any format that `read_table` reads.

    Raises
    ------
    DataError : the file is missing, empty or damaged
    """
    path = Path(path)
    raw = read_raw(path, sheet=sheet)
    variables: dict[str, Variable] = {}
    identifiers: dict[str, str] = {}
    without_levels: list[str] = []
    for header in raw.frame.columns:
        name = _name(header, variables)
        text = plain_text(raw.frame[header])
        text = text.set(text == "NA", None)
        label, unit = _label_and_unit(raw.labels.get(header, header.replace("_", " ")))
        reason = identifier(header, label, text)
        guess = _guess(raw, header, text, is_identifier=reason is not None)
        if reason is not None:
            identifiers[name] = reason
        if guess.rare:
            without_levels.append(name)
        variables[name] = Variable(
            name=name, type=guess.type, source=header, label=label, unit=unit, levels=guess.levels,
            missing_codes=guess.missing_codes, integer=guess.type == "integer",
        )  # fmt: skip
    dictionary = Dictionary(variables, path.name, digest_of(variables.values()))
    return Draft(dictionary, identifiers, tuple(without_levels))


def _name(header: str, taken: Mapping[str, Variable]) -> str:
    """A word that can stand in a rule, made from a header."""
    name = re.sub(r"\W+", "_", _UNIT.sub("", header)).strip("_").lower() or "column"
    if not is_usable_name(name):
        name = f"v_{name}"
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name}_{count}"
    return unique


def _label_and_unit(label: str) -> tuple[str, str | None]:
    match = _UNIT.search(label)
    if match and match.start() and not match[1].isdigit():
        return label[: match.start()], match[1]
    return label.strip(), None


def _guess(raw: RawTable, header: str, text: pl.Series, *, is_identifier: bool) -> _Guess:
    dtype = raw.frame[header].dtype
    known = text.drop_nulls()
    if dtype.is_temporal() or _mostly_dates(known):
        return _Guess(_date_type(raw.frame[header], known))
    if not len(known):
        return _Guess("text")
    if is_identifier:
        return _Guess("text")
    if header in raw.value_labels:
        return _from_labels(raw.value_labels[header], known)
    if dtype == pl.Boolean or _is_yesno(header, known):
        return _Guess("yesno")
    numbers = known.cast(pl.Float64, strict=False)
    if numbers.is_finite().fill_null(False).all():
        return _from_numbers(header, numbers, known)
    return _from_text(header, known)


def _mostly_dates(known: pl.Series) -> bool:
    if not len(known):
        return False
    moments = parse_moments(known, serial_dates=False)
    return bool((~moments.unreadable).all()) or bool(known.str.contains(AMBIGUOUS).all())


def _date_type(column: pl.Series, known: pl.Series) -> VariableType:
    if column.dtype == pl.Date or (len(known) and known.str.contains(DAY_ONLY).all()):
        return "date"
    return (
        "datetime" if isinstance(column.dtype, pl.Datetime) or known.str.contains(":", literal=True).any() else "date"
    )


def _is_yesno(header: str, known: pl.Series) -> bool:
    words = {same_code(word).casefold() for word in known.unique()}
    return words <= {*YES_WORDS, *NO_WORDS} and not (_SEX_WORDS.search(header) and words <= {"0", "1"})


def _counts(known: pl.Series) -> dict[str, int]:
    codes, counts = known.value_counts().get_columns()
    totals: dict[str, int] = {}
    for code, count in zip(codes, counts, strict=True):
        totals[same_code(code)] = totals.get(same_code(code), 0) + count
    return totals


def _from_labels(labels: Mapping[str, str], known: pl.Series) -> _Guess:
    """Labels of the file, without codes that few patients hold (a labelled code that nobody holds tells nothing)."""
    counts = _counts(known)
    if not set(counts) & set(labels):  # labels of missing values only
        return _Guess("number" if known.cast(pl.Float64, strict=False).is_not_null().all() else "text")
    clean = {
        code: label.replace("|", "/").strip() or code for code, label in labels.items() if not set("|=") & set(code)
    }
    kept = {code: label for code, label in clean.items() if not 0 < counts.get(code, 0) < SMALLEST_CELL}
    rare = len(kept) < len(labels) or not set(counts) <= set(kept)
    words = {label.casefold() for label in kept.values()}
    if words and words <= {"yes", "no"}:
        return _Guess("yesno", {code: label.lower() for code, label in kept.items()}, rare=rare)
    distinct = len(set(map(str.casefold, kept.values()))) == len(kept)
    return _Guess("category", kept if kept and distinct else None, rare=rare)


def _from_numbers(header: str, numbers: pl.Series, known: pl.Series) -> _Guess:
    whole = bool((numbers == numbers.round()).all())
    if _ID_WORDS.search(header) and whole and numbers.is_unique().all():
        return _Guess("id")
    codes = _missing_codes(numbers)
    rest = numbers.filter(~numbers.is_in(codes)) if codes else numbers
    missing = tuple(f"{code:.0f}" for code in codes)
    low, high = rest.min(), rest.max()
    is_code = isinstance(low, float) and isinstance(high, float) and low >= 0 and high <= LARGEST_CODE
    if whole and is_code and rest.n_unique() <= MOST_CODES and len(rest) >= SMALLEST_CELL * rest.n_unique():
        return _category(known.filter(~numbers.is_in(codes)) if codes else known, missing)
    return _Guess("integer" if whole else "number", missing_codes=missing)


def _missing_codes(numbers: pl.Series) -> list[float]:
    """Codes such as 999 that stand far from every other value, or below zero where nothing else does."""
    present = [code for code in LIKELY_MISSING if (numbers == code).any()]
    rest = numbers.filter(~numbers.is_in(present)) if present else numbers
    low, high = rest.min(), rest.max()
    if not present or not isinstance(low, float) or not isinstance(high, float):
        return []
    return [code for code in present if (code < 0 <= low) or (code > 2 * high and high > 0)]


def _from_text(header: str, known: pl.Series) -> _Guess:
    distinct = known.n_unique()
    if _ID_WORDS.search(header) and distinct >= MOSTLY_UNIQUE * len(known):
        return _Guess("id")
    if distinct <= MOST_LEVELS and distinct * SMALLEST_CELL <= len(known):
        return _category(known, ())
    return _Guess("text")


def _category(known: pl.Series, missing: tuple[str, ...]) -> _Guess:
    """Levels as codes in order, or none at all where one of them is rare."""
    counts = _counts(known)
    if min(counts.values()) < SMALLEST_CELL or any(set("|=") & set(code) for code in counts):
        return _Guess("category", None, missing, rare=True)
    return _Guess("category", {code: code for code in sorted(counts)}, missing)
