"""ISO text, or text in a format that the dictionary states, becomes dates and datetimes; what is ambiguous is refused."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_DAY = r"^(\d{4}-\d{1,2}-\d{1,2})(?: |$)"
_CLOCK = r"^\d{4}-\d{1,2}-\d{1,2} (\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)$"
DAY_ONLY = r"^\d{4}-\d{1,2}-\d{1,2}$"
_SERIAL = r"^[1-9]\d{4}(?:\.\d+)?$"
AMBIGUOUS = r"^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:\D.*)?$"
WITH_ZONE = r"^\d{4}-.*(?:Z|[+-]\d{2}:?\d{2})$"


DAY_FIRST, MONTH_FIRST, EXCEL, DIGITS, MONTH_NAME = "day-first", "month-first", "excel", "yyyymmdd", "ddmonyyyy"
DATE_FORMATS = (DAY_FIRST, MONTH_FIRST, EXCEL, DIGITS, MONTH_NAME)
"""31.12.2020, 12/31/2020, days from 1899-12-30 as Excel counts them, 20201231, 31DEC2020; each may have a time of day."""
THREE_NUMBERS = r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[ T]+(\d.*))?$"
EIGHT_DIGITS = r"^(\d{4})(\d{2})(\d{2})()$"
NAMED_MONTH = r"^(\d{1,2})[ -]?([A-Za-z]{3})[ -]?(\d{4})(?:[ :T]+(\d.*))?$"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS = {  # the shape, and where year, month and day stand in it
    DAY_FIRST: (THREE_NUMBERS, (3, 2, 1)),
    MONTH_FIRST: (THREE_NUMBERS, (3, 1, 2)),
    DIGITS: (EIGHT_DIGITS, (1, 2, 3)),
    MONTH_NAME: (NAMED_MONTH, (3, 2, 1)),
}

_SERIAL_ORIGIN = pl.date(1899, 12, 30).cast(pl.Datetime("us"))
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Moments:
    """Datetimes and what was said of each, all of shape (n,); `unreadable` has no ISO shape, `impossible` no such day."""

    values: pl.Series
    unreadable: pl.Series
    impossible: pl.Series
    without_clock: pl.Series
    serial: pl.Series


def parse_moments(text: pl.Series, *, serial_dates: bool) -> Moments:
    """Read ``YYYY-MM-DD``, ``YYYY/MM/DD``, with ``HH:MM``, ``HH:MM:SS`` or fractions of a second after a blank or T.

    With `serial_dates`, five digits (and a fraction) are days from 1899-12-30, rounded to the second.
    """
    frame = text.rename("text").to_frame()
    iso = pl.col("text").str.replace_all("/", "-", literal=True).str.replace("T", " ", literal=True)
    frame = frame.with_columns(
        day=iso.str.extract(_DAY), clock=iso.str.extract(_CLOCK), day_only=iso.str.contains(DAY_ONLY)
    )
    shaped = pl.col("clock").is_not_null() | pl.col("day_only").fill_null(False)
    clock = pl.col("clock").fill_null("00:00")
    seconds = pl.when(clock.str.count_matches(":", literal=True) == 1).then(pl.lit(":00")).otherwise(pl.lit(""))
    moment = (pl.col("day") + " " + clock + seconds).str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"
    )
    known = pl.col("text").is_not_null()
    is_serial = pl.lit(serial_dates) & pl.col("text").str.contains(_SERIAL).fill_null(False)
    frame = frame.select(
        values=pl.when(shaped).then(moment),
        shaped=shaped,
        serial=is_serial,
        from_serial=pl.when(is_serial).then(_serial_moment()),
        known=known,
        without_clock=shaped & pl.col("clock").is_null(),
    )
    readable = frame["shaped"] | frame["serial"]
    values = frame.select(pl.coalesce("from_serial", "values").alias(text.name)).to_series()
    return Moments(
        values=values,
        unreadable=frame["known"] & ~readable,
        impossible=frame["known"] & readable & values.is_null(),
        without_clock=frame["without_clock"],
        serial=frame["serial"],
    )


def as_iso(text: pl.Series, format: str | None) -> pl.Series:
    """Text with the dates that have the shape of `format` written YYYY-MM-DD; other text stays."""
    if format not in _PARTS:
        return text
    shape, places = _PARTS[format]
    year, month, day = (pl.col("text").str.extract(shape, place) for place in places)
    if format == MONTH_NAME:
        numbers = {name: str(number) for number, name in enumerate(_MONTHS, 1)}
        month = month.str.to_lowercase().replace_strict(numbers, default=None, return_dtype=pl.String)
    clock = pl.col("text").str.extract(shape, 4)
    written = pl.concat_str([year, month, day], separator="-")
    timed = pl.when(clock.fill_null("") != "").then(written + " " + clock).otherwise(written)
    return text.rename("text").to_frame().select(pl.coalesce(timed, "text").alias(text.name)).to_series()


def _serial_moment() -> pl.Expr:
    days = pl.col("text").cast(pl.Float64, strict=False)
    return _SERIAL_ORIGIN + pl.duration(seconds=(days * _SECONDS_A_DAY).round())
