"""A column of a file becomes a column of the type its dictionary says; what does not fit is a problem with its rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import polars as pl

from counterpulse.data import dates
from counterpulse.data.dictionary import Variable
from counterpulse.data.written_values import iso_day, parse_iso, parse_number

MISSING_WORDS = ("NA",)
LARGEST_EXACT_INTEGER = 2.0**53

YES_WORDS = ("yes", "y", "true", "1")
NO_WORDS = ("no", "n", "false", "0")

_WHOLE_WITH_POINT = re.compile(r"[-+]?\d+(\.0+|,00?)")  # 1,000 may be a thousand
_DECIMAL_COMMA = r"^[-+]?\d+,\d+$"
FIRST_YEAR, LAST_YEAR = 1900, 2100
_ISO_REMEDY = (
    "write dates as YYYY-MM-DD, and times as HH:MM, in the data file, or say day-first or month-first under `format`"
)
_NAME_LEVELS = "name each in `levels` before the …, or group rare ones with a derived variable; then delete the …"


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows that do not fit: `mask` has shape (n,). No message holds a value of a row."""

    code: str
    mask: pl.Series
    seen: str
    allowed: str = ""
    remedy: str = ""


@dataclass(slots=True)
class Converted:
    """A typed column, its problems, and how its decimals are written."""

    values: pl.Series
    problems: list[Problem] = field(default_factory=list)
    decimal_comma: bool = False
    decimal_point: bool = False

    def note(self, code: str, mask: pl.Series, seen: str, allowed: str = "", remedy: str = "") -> None:
        """Keep a problem if it has rows."""
        if mask.any():
            self.problems.append(Problem(code, mask, seen, allowed, remedy))


@dataclass(frozen=True, slots=True)
class Habits:
    """How the file writes: `decimal_comma` may occur, `serial_dates` may stand for dates."""

    decimal_comma: bool = False
    serial_dates: bool = False


def convert(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    """The column in the variable's type; blanks, NA and missing codes become null."""
    converted = _CONVERTERS[variable.type](column, variable, habits)
    converted.values = converted.values.rename(variable.name)
    return converted


def plain_text(column: pl.Series) -> pl.Series:
    """Any column as the text that a CSV would hold, outer blanks removed, blank as null."""
    if column.dtype == pl.Boolean:
        return column.replace_strict({True: "true", False: "false"}, return_dtype=pl.String)
    if column.dtype.is_float():
        column = column.fill_nan(None)
        whole = (column == column.floor()) & (column.abs() < LARGEST_EXACT_INTEGER)
        return column.cast(pl.String).zip_with(
            ~whole.fill_null(False), column.cast(pl.Int64, strict=False).cast(pl.String)
        )
    return column.cast(pl.String).to_frame().select(_without(pl.first().str.strip_chars(), [""])).to_series()


def same_code(text: str) -> str:
    """1.0 and 1 are the same code, and 1,0 where decimals have a comma."""
    return re.split("[.,]", text)[0] if _WHOLE_WITH_POINT.fullmatch(text) else text


def _known_text(column: pl.Series, variable: Variable) -> pl.Series:
    """Text with missing codes and missing words as null."""
    codes = [*variable.missing_codes, *(word for word in MISSING_WORDS if word not in (variable.levels or {}))]
    return plain_text(column).to_frame().select(_without(pl.first(), codes)).to_series()


def _without(text: pl.Expr, words: list[str]) -> pl.Expr:
    return pl.when(~text.is_in(words)).then(text)


def _text(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    return Converted(_known_text(column, variable))


def _number(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    converted = Converted(column)
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64).fill_nan(None)
        known = values.is_not_null()
    else:
        text = _known_text(column, variable)
        known = text.is_not_null()
        if habits.decimal_comma:
            text = _with_points(text, converted)
        values = text.cast(pl.Float64, strict=False)
    finite = values.is_finite().fill_null(False)
    converted.note("E509", known & ~finite, "no number", "numbers with a decimal point, blank, NA",
                   "correct them, or list the word under missing_codes")  # fmt: skip
    values = values.set(~finite, None)
    codes = [number for code in variable.missing_codes if (number := parse_number(code)) is not None]
    if codes:
        values = values.set(values.is_in(codes).fill_null(False), None)
    converted.values = values
    _check_range(converted, values, variable, parse_number)
    return _whole(converted, variable) if variable.integer or variable.type == "integer" else converted


def _with_points(text: pl.Series, converted: Converted) -> pl.Series:
    commas = text.str.contains(_DECIMAL_COMMA).fill_null(False)
    converted.decimal_comma = bool(commas.any())
    converted.decimal_point = bool(text.str.contains(".", literal=True).any())
    return text.str.replace(",", ".", literal=True).zip_with(commas, text) if converted.decimal_comma else text


def _whole(converted: Converted, variable: Variable) -> Converted:
    values = converted.values
    broken = ((values != values.round()) | (values.abs() > LARGEST_EXACT_INTEGER)).fill_null(False)
    converted.note(
        "E510", broken, "no whole number", "whole numbers", "correct them, or delete `integer` in the dictionary"
    )
    if variable.type == "integer":
        converted.values = values.set(broken, None).cast(pl.Int64)
    return converted


def _check_range(
    converted: Converted, values: pl.Series, variable: Variable, parse: Callable[[str], object | None]
) -> None:
    low = parse(variable.minimum) if variable.minimum is not None else None
    high = parse(variable.maximum) if variable.maximum is not None else None
    outside = pl.repeat(False, len(values), eager=True)
    if low is not None:
        outside |= (values < low).fill_null(False)
    if high is not None:
        outside |= (values > high).fill_null(False)
    bounds = f"{variable.minimum or 'any'} to {variable.maximum or 'any'}"
    converted.note(
        "W515", outside, f"a value outside {bounds}", "", "check them at the source, or mend minimum and maximum"
    )


def _category(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    text = _known_text(column, variable)
    written = text.drop_nulls().unique().to_list()
    missing = {same_code(code) for code in variable.missing_codes}
    levels = variable.levels or {}
    known = _spellings(levels.items())
    codes, unknown = {}, []
    for value in written:
        if (code := known.get(value) or known.get(same_code(value)) or known.get(value.casefold())) is not None:
            codes[value] = code
        elif same_code(value) not in missing:
            unknown.append(value)
    unnamed = text.is_in(unknown).fill_null(False)
    if variable.levels is None or variable.more_levels:
        codes |= {value: same_code(value) for value in unknown}
        more = sorted({codes[value] for value in unknown}, key=_by_size)
        converted = Converted(_recoded(text, codes, pl.Enum([*levels, *more])))
        if variable.more_levels:
            converted.note("W680", unnamed, "a level that the dictionary does not name",
                           "the levels " + ", ".join(levels), _NAME_LEVELS)  # fmt: skip
        return converted
    converted = Converted(_recoded(text, codes, pl.Enum(list(levels))))
    converted.note("E511", unnamed, "no level of the dictionary", "the levels " + ", ".join(levels), "correct them, or add the level to the dictionary")  # fmt: skip
    return converted


def _spellings(levels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Every way to write a level: its code, its label, and either in other letter case where that is unambiguous."""
    pairs = list(levels)
    spellings: dict[str, str] = {}
    for fold in (lambda word: word, str.casefold):
        for index in (0, 1):
            for pair in pairs:
                word = fold(pair[index])
                clash = fold is str.casefold and any(
                    other[0] != pair[0] and word in (other[0].casefold(), other[1].casefold()) for other in pairs
                )
                if not clash:
                    spellings.setdefault(word, pair[0])
    return spellings


def _by_size(code: str) -> tuple[float, str]:
    number = parse_number(code)
    return (float("inf") if number is None else number, code)


def _recoded(text: pl.Series, codes: dict[str, str] | dict[str, bool], dtype: pl.DataType) -> pl.Series:
    if not codes:
        return pl.repeat(None, len(text), dtype=dtype, eager=True)
    return text.replace_strict(list(codes), list(codes.values()), default=None, return_dtype=dtype)


def _yesno(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    text = _known_text(column, variable)
    missing = {same_code(code) for code in variable.missing_codes}
    known = _yesno_words(variable)
    codes: dict[str, bool] = {}
    unknown = []
    for value in text.drop_nulls().unique():
        word = same_code(value).casefold()
        if word in known:
            codes[value] = known[word]
        elif same_code(value) not in missing:
            unknown.append(value)
    converted = Converted(_recoded(text, codes, pl.Boolean()))
    converted.note("E512", text.is_in(unknown).fill_null(False), "neither yes nor no", ", ".join(known),
                   "correct them, or map the codes under `levels`, such as 1=yes|2=no")  # fmt: skip
    return converted


def _yesno_words(variable: Variable) -> dict[str, bool]:
    """The words for yes and no; a variable with levels of its own gives 1 and 0 no other meaning than theirs."""
    if variable.levels is None:
        return {**dict.fromkeys(YES_WORDS, True), **dict.fromkeys(NO_WORDS, False)}
    own = {same_code(code).casefold(): label.casefold() == "yes" for code, label in variable.levels.items()}
    return {**dict.fromkeys(YES_WORDS[:3], True), **dict.fromkeys(NO_WORDS[:3], False), **own}


def _date(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    converted = _moments(column, variable, habits)
    days = converted.values.cast(pl.Date)
    with_clock = (converted.values != days.cast(pl.Datetime("us"))).fill_null(False)
    converted.note("W522", with_clock, "a time of day, which a date leaves out", "",
                   "give the variable the type datetime if the time matters")  # fmt: skip
    converted.values = days
    _note_century(converted, days)
    _check_range(converted, days, variable, iso_day)
    return converted


def _datetime(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    converted = _moments(column, variable, habits)
    _note_century(converted, converted.values.dt.date())
    _check_range(converted, converted.values.dt.date(), variable, iso_day)
    return converted


def _note_century(converted: Converted, days: pl.Series) -> None:
    outside = ~days.dt.year().is_between(FIRST_YEAR, LAST_YEAR).fill_null(True)
    converted.note("W525", outside, f"a date before {FIRST_YEAR} or after {LAST_YEAR}", "", "correct them, or list a code such "
                   "as 9999-12-31 under missing_codes")  # fmt: skip


def _moments(column: pl.Series, variable: Variable, habits: Habits) -> Converted:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        converted = Converted(pl.repeat(None, len(column), dtype=pl.Datetime("us"), eager=True))
        converted.note("E513", column.is_not_null(), "a time zone", "local times without a zone", _ISO_REMEDY)
        return converted
    if column.dtype.is_temporal() and column.dtype != pl.Time:
        values = column.cast(pl.Datetime("us"))
        codes = [moment for code in variable.missing_codes if (moment := parse_iso(code)) is not None]
        converted = Converted(values.set(values.is_in(codes).fill_null(False), None) if codes else values)
        without_clock = column.is_not_null() if column.dtype == pl.Date else pl.repeat(False, len(column), eager=True)
        return _note_midnight(converted, without_clock, variable)
    text = _known_text(column, variable)
    text = dates.as_iso(text, variable.format)
    moments = dates.parse_moments(text, serial_dates=habits.serial_dates or variable.format == dates.EXCEL)
    converted = Converted(moments.values)
    _note_unreadable(converted, text, moments.unreadable)
    converted.note(
        "E514", moments.impossible, "a day or a time that does not exist", "days of the calendar", "correct them"
    )
    unsaid = moments.serial & (variable.format != dates.EXCEL)
    converted.note("W521", unsaid, "a plain number, read as Excel counts days from 1900-01-01", "",
                   "format the column as a date in Excel, or write excel under `format` in the dictionary")  # fmt: skip
    return _note_midnight(converted, moments.without_clock, variable)


def _note_unreadable(converted: Converted, text: pl.Series, unreadable: pl.Series) -> None:
    if not unreadable.any():
        return
    ambiguous = unreadable & text.str.contains(dates.AMBIGUOUS).fill_null(False)
    zoned = unreadable & text.str.contains(dates.WITH_ZONE).fill_null(False)
    converted.note("E513", ambiguous, "a date whose day and month could be exchanged", "YYYY-MM-DD", _ISO_REMEDY)
    converted.note("E513", zoned, "a time zone", "local times without a zone", _ISO_REMEDY)
    converted.note("E513", unreadable & ~ambiguous & ~zoned, "no date", "YYYY-MM-DD, or YYYY-MM-DD HH:MM", _ISO_REMEDY)


def _note_midnight(converted: Converted, without_clock: pl.Series, variable: Variable) -> Converted:
    if variable.type == "datetime":
        converted.note("W522", without_clock, "no time of day, read as 00:00", "YYYY-MM-DD HH:MM",
                       "add the time, or give the variable the type date")  # fmt: skip
    return converted


_CONVERTERS: dict[str, Callable[[pl.Series, Variable, Habits], Converted]] = {
    "id": _text,
    "text": _text,
    "number": _number,
    "integer": _number,
    "category": _category,
    "ordinal": _category,
    "yesno": _yesno,
    "date": _date,
    "datetime": _datetime,
}
