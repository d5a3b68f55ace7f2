"""Whether a column holds dates, and how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import polars as pl

from counterpulse.data import dates

DATE_WORDS = re.compile(
    r"(^|[^a-z])(date|dt|datum|day|time|zeit|jour|fecha|data|when|start|end|admission|admitted|discharge|discharged|onset|birth)",
    re.I,
)
_FIRST_DAY, _LAST_DAY = 20_000, 60_000  # as Excel counts: 1954 to 2064
_MONTHS_IN_A_YEAR = 12
_POINT_IS_DAY_FIRST = r"^\d{1,2}\."


@dataclass(frozen=True, slots=True, kw_only=True)
class DateGuess:
    """How dates are written: `format` as a dictionary says it (None: YYYY-MM-DD). `ambiguous`: day and month may be exchanged."""

    type: Literal["date", "datetime"]
    format: str | None = None
    ambiguous: bool = False


def guess_dates(header: str, known: pl.Series, dtype: pl.DataType, *, month_first: bool | None) -> DateGuess | None:
    """The dates of a column, or None where it holds none. `month_first` says what 01/02/2020 is."""
    if dtype == pl.Date:
        return DateGuess(type="date")
    if isinstance(dtype, pl.Datetime):
        return DateGuess(type=_type(known))
    if dtype.is_temporal() or not len(known):
        return None
    if _is_readable(known):
        return DateGuess(type=_type(known))
    for format in (dates.MONTH_NAME, dates.DIGITS):
        named = format != dates.DIGITS or DATE_WORDS.search(_spaced(header))
        if named and _is_readable(dates.as_iso(known, format)):
            return DateGuess(type=_type(dates.as_iso(known, format)), format=format)
    if known.str.contains(dates.THREE_NUMBERS).all():
        return _three_numbers(known, month_first)
    if DATE_WORDS.search(_spaced(header)) and _are_serial(known):
        clock = known.str.contains(r"\.\d*[1-9]").any()
        return DateGuess(type="datetime" if clock else "date", format=dates.EXCEL)
    return None


def moments(known: pl.Series, guess: DateGuess) -> pl.Series:
    """The values as datetimes, shape (n,); null where unreadable."""
    text = dates.as_iso(known, guess.format)
    return dates.parse_moments(text, serial_dates=guess.format == dates.EXCEL).values


def _three_numbers(known: pl.Series, month_first: bool | None) -> DateGuess:
    """Day or month first: by numbers above twelve, by points (which no country writes month first), by what was said."""
    first = known.str.extract(dates.THREE_NUMBERS, 1).cast(pl.Int64)
    second = known.str.extract(dates.THREE_NUMBERS, 2).cast(pl.Int64)
    days_first, months_first = bool((first > _MONTHS_IN_A_YEAR).any()), bool((second > _MONTHS_IN_A_YEAR).any())
    clear = days_first or months_first or bool(known.str.contains(_POINT_IS_DAY_FIRST).all())
    is_month_first = months_first and not days_first if clear else month_first
    if is_month_first is None:
        return DateGuess(type=_type(dates.as_iso(known, dates.DAY_FIRST)), ambiguous=True)
    format = dates.MONTH_FIRST if is_month_first else dates.DAY_FIRST
    return DateGuess(type=_type(dates.as_iso(known, format)), format=format)


def _spaced(header: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)


def _is_readable(text: pl.Series) -> bool:
    read = dates.parse_moments(text, serial_dates=False)
    return not bool((read.unreadable | read.impossible).any())


def _type(text: pl.Series) -> Literal["date", "datetime"]:
    """A datetime where a time of day stands that is not midnight everywhere."""
    clock = text.str.replace("T", " ", literal=True).str.extract(r" (\d.*)$")
    midnight = clock.fill_null("00:00").str.contains(r"^0?0:00(:00(\.0*)?)?$")
    return "date" if midnight.all() else "datetime"


def _are_serial(known: pl.Series) -> bool:
    numbers = known.cast(pl.Float64, strict=False)
    return bool(numbers.is_between(_FIRST_DAY, _LAST_DAY).fill_null(False).all())
