"""The type of a column, guessed from its header and what stands in it. Labels of the file never decide the type.

SPSS and Stata keep labels and CSV, Excel and SAS transport files do not: one table has one set of types in any format.
Levels are written only where each is held by `SMALLEST_CELL` patients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from counterpulse.data.convert import NO_WORDS, YES_WORDS, same_code
from counterpulse.data.date_guess import DateGuess, guess_dates
from counterpulse.data.dictionary import VariableType

SMALLEST_CELL = 5
MOST_LEVELS = 20
MOST_CODES = 6
LARGEST_CODE = 9
MOSTLY_UNIQUE = 0.9
"""Part of an identifier's values that differ: the number of a center repeats, that of a patient hardly ever."""

MISSING_WORDS = frozenset({
    ".", "..", "-", "--", "?", "na", "n/a", "#n/a", "#na", "nan", "null", "missing", "unknown", "unk", "not known",
    "not available", "not done", "nd", "n.d.", "k.a.", "keine angabe", "unbekannt", "nicht bekannt", "fehlt", "inconnu", "manquant",
    "desconocido", "sconosciuto",
})  # fmt: skip
"""Words that stand where a value is missing, in any letter case."""
MISSING_NUMBERS = (-1.0, -8.0, -9.0, -88.0, -99.0, -888.0, -999.0, 9.0, 99.0, 888.0, 999.0, 9999.0, 99999.0)
CODES_OF_LISTS = 10.0
"""Numbers from 0 to this are believed missing only beside a few codes: elsewhere nine is a number."""

ID_WORDS = re.compile(
    r"(^|[^a-z])(p|pat|patient|subject|subj|usubj|case|record|study|person|participant)?[ _.-]?(id|nr|no|number|key)$",
    re.I,
)
WHOLE_ID_WORDS = re.compile(
    r"((pat|patient|subject|subj|usubj|record|study|person|participant)[ _.-]?(id|nr|no|number)|id|pid)", re.I
)
CENTER_WORDS = re.compile(
    r"(^|[^a-z])(cent(er|re)|site|hospital|clinic|inst|institution|zentrum|klinik|centro|ward|data_access_group)([ _.-]?(id|nr|no|number|code|name))?$", re.I
)  # fmt: skip
SEX_WORDS = re.compile(r"(^|[^a-z])(sex|gender|geschlecht|sexe|sexo|sesso)", re.I)
COUNT_WORDS = re.compile(r"(^|[^a-z])(n|num|number|count|anzahl|nb|age|alter|years?|days?|hours?)([^a-z]|$)", re.I)
_OTHER_YES = ({"ja": "yes", "nein": "no"}, {"oui": "yes", "non": "no"}, {"si": "yes", "no": "no"}, {"sí": "yes", "no": "no"},
              {"sim": "yes", "não": "no"}, {"positive": "yes", "negative": "no"}, {"present": "yes", "absent": "no"})  # fmt: skip
_SEPARATORS = frozenset("|=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as it stands in the file. `text` has shape (n,), blanks null; `value_labels` are those of the file."""

    header: str
    text: pl.Series
    dtype: pl.DataType
    value_labels: Mapping[str, str] = field(default_factory=dict)
    declared_missing: tuple[str, ...] = ()
    decimal_comma: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnGuess:
    """What the dictionary should say. `known` are the values without missing codes; `rare`: some levels are not written."""

    type: VariableType
    known: pl.Series
    levels: Mapping[str, str] | None = None
    rare: bool = False
    missing_codes: tuple[str, ...] = ()
    dates: DateGuess | None = None
    meaning: str = ""


def guess_column(column: Column, *, missing: frozenset[str], month_first: bool | None) -> ColumnGuess:
    """Guess a column. `missing` are the words and numbers taken for missing; `month_first` settles 01/02/2020."""
    known = column.text.drop_nulls()
    words = _missing_words(known, missing)
    known = known.filter(~known.is_in(words))
    codes = tuple(dict.fromkeys([*column.declared_missing, *words]))
    if column.dtype.is_temporal() or len(known):
        dates = guess_dates(column.header, known, column.dtype, month_first=month_first)
        if dates is not None:
            return ColumnGuess(type=dates.type, known=known, missing_codes=codes, dates=dates)
    if not len(known):
        return ColumnGuess(type="text", known=known, missing_codes=codes)
    numbers = _numbers(known, decimal_comma=column.decimal_comma)
    if numbers is None:
        return _from_text(column, known, codes)
    wanted = sorted(float(word) for word in missing if _is_number(word))
    apart = _stand_apart(column, numbers, wanted)
    if apart:
        known, numbers = known.filter(~numbers.is_in(apart)), numbers.filter(~numbers.is_in(apart))
        codes = tuple(dict.fromkeys([*codes, *(f"{code:.0f}" for code in apart)]))
    return _from_numbers(column, known, numbers, codes)


def _missing_words(known: pl.Series, missing: frozenset[str]) -> list[str]:
    """The words of the column that stand for missing; a minus beside a plus is a result."""
    written = known.unique().sort().to_list()
    words = missing - {"-"} if "+" in written else missing
    return [word for word in written if word.casefold() in words and not _is_number(word)]


def level_counts(known: pl.Series) -> dict[str, int]:
    """How many rows hold each code; 1 and 1.0 are one code."""
    totals: dict[str, int] = {}
    for code, count in known.value_counts().iter_rows():
        totals[same_code(code)] = totals.get(same_code(code), 0) + count
    return totals


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return word.casefold() not in MISSING_WORDS


def _numbers(known: pl.Series, *, decimal_comma: bool) -> pl.Series | None:
    """The values as numbers, or None where one is none."""
    text = known.str.replace(r"^([-+]?\d+),(\d+)$", "${1}.${2}") if decimal_comma else known
    numbers = text.cast(pl.Float64, strict=False)
    return numbers if numbers.is_finite().fill_null(False).all() else None


def _stand_apart(column: Column, numbers: pl.Series, wanted: list[float]) -> list[float]:
    """Codes such as 999 that stand far above every other value, or below zero where nothing else does."""
    named = {code for code, label in column.value_labels.items() if label.casefold() not in MISSING_WORDS}
    present = [code for code in wanted if (numbers == code).any() and f"{code:.0f}" not in named]
    rest = numbers.filter(~numbers.is_in(present)) if present else numbers
    low, high = rest.min(), rest.max()
    if not present or not isinstance(low, float) or not isinstance(high, float):
        return []
    few = bool((rest == rest.round()).all()) and rest.n_unique() <= MOST_CODES and not COUNT_WORDS.search(column.header)
    return [
        code for code in present
        if (code < 0 <= low or (code > 2 * high and high > 0)) and (few or not 0 <= code < CODES_OF_LISTS)
    ]  # fmt: skip


def _from_numbers(column: Column, known: pl.Series, numbers: pl.Series, codes: tuple[str, ...]) -> ColumnGuess:
    header, whole = column.header, bool((numbers == numbers.round()).all())
    distinct = numbers.n_unique()
    unique = distinct == len(numbers)
    if whole and ((ID_WORDS.search(header) and unique) or _repeated_id(header, distinct)):
        return ColumnGuess(type="id", known=known, missing_codes=codes)
    if set(numbers.unique()) <= {0.0, 1.0} and not SEX_WORDS.search(header):
        return ColumnGuess(type="yesno", known=known, missing_codes=codes, meaning=_meaning(column, known))
    if whole and _are_codes(column, numbers):
        return _category(column, known, codes)
    return ColumnGuess(type="integer" if whole else "number", known=known, missing_codes=codes)


def _repeated_id(header: str, distinct: int) -> bool:
    return WHOLE_ID_WORDS.fullmatch(header.strip()) is not None and distinct > MOST_LEVELS


def _are_codes(column: Column, numbers: pl.Series) -> bool:
    """A few small whole numbers, each held by several patients; all codes labelled; or the number of a center."""
    low, high, distinct = numbers.min(), numbers.max(), numbers.n_unique()
    assert isinstance(low, float)
    assert isinstance(high, float)
    if CENTER_WORDS.search(column.header):
        return 1 < distinct < len(numbers) / 2
    if {f"{number:.0f}" for number in numbers.unique()} <= set(column.value_labels):
        return True
    few = low >= 0 and high <= LARGEST_CODE and distinct <= MOST_CODES and len(numbers) >= SMALLEST_CELL * distinct
    return few and (SEX_WORDS.search(column.header) is not None or not COUNT_WORDS.search(column.header))


def _from_text(column: Column, known: pl.Series, codes: tuple[str, ...]) -> ColumnGuess:
    distinct = known.n_unique()
    words = {same_code(word).casefold() for word in known.unique()}
    if (ID_WORDS.search(column.header) and distinct >= MOSTLY_UNIQUE * len(known)) or _repeated_id(
        column.header, distinct
    ):
        return ColumnGuess(type="id", known=known, missing_codes=codes)
    if words <= {*YES_WORDS, *NO_WORDS}:
        return ColumnGuess(type="yesno", known=known, missing_codes=codes)
    for pair in _OTHER_YES:
        if words <= set(pair):
            return ColumnGuess(type="yesno", known=known, levels=pair, missing_codes=codes)
    center = CENTER_WORDS.search(column.header) and distinct < len(known) / 2
    if center or (distinct <= MOST_LEVELS and distinct * SMALLEST_CELL <= len(known)):
        return _category(column, known, codes)
    return ColumnGuess(type="text", known=known, missing_codes=codes)


def _category(column: Column, known: pl.Series, codes: tuple[str, ...]) -> ColumnGuess:
    """Codes in order with the labels of the file, without those that few patients hold (one that nobody holds tells nothing)."""
    counts = level_counts(known)
    if any(
        _SEPARATORS & set(code) for code in counts
    ):  # a dictionary cannot write them: the data say what the levels are
        return ColumnGuess(type="category", known=known, missing_codes=codes)
    clean = {code: label.replace("|", "/").strip() for code, label in column.value_labels.items()}
    missing = {same_code(code) for code in codes}
    named = {code: clean.get(code) or code for code in [*clean, *sorted(counts.keys() - clean.keys(), key=_by_size)]}
    kept = {
        code: label for code, label in named.items()
        if not 0 < counts.get(code, 0) < SMALLEST_CELL and not _SEPARATORS & set(code) and code not in missing
    }  # fmt: skip
    rare = bool(set(counts) - set(kept))
    if (
        rare and CENTER_WORDS.search(column.header) and not clean
    ):  # many small centers without labels: the data say which
        kept = {}
    labels = [label.casefold() for label in kept.values()]
    if len(set(labels)) < len(labels) or any(label != code and label in kept for code, label in kept.items()):
        kept = {code: code for code in kept}
    return ColumnGuess(type="category", known=known, levels=kept or None, rare=rare, missing_codes=codes)


def _by_size(code: str) -> tuple[float, str]:
    return (float(code), code) if _is_number(code) else (float("inf"), code)


def _meaning(column: Column, known: pl.Series) -> str:
    """What the file calls 1 and 0, where that is more than yes and no and many patients hold each."""
    counts, labels = level_counts(known), {code: column.value_labels.get(code, "") for code in ("1", "0")}
    told = all(labels.values()) and all(not 0 < counts.get(code, 0) < SMALLEST_CELL for code in labels)
    if not told or {label.casefold() for label in labels.values()} <= {*YES_WORDS, *NO_WORDS, "n", "y"}:
        return ""
    return f"{labels['1']} rather than {labels['0']}"
